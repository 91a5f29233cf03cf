"""One step of training without waiting for the device: losses, gradients, clipping, weights, their average.

What a step amounts to stays on the device, in a Tally, and is read when somebody wants to report it. A step whose loss
or gradient is not finite changes no weight, nor does any after it, so the weights are still good when that is read.
It must not know data, files, metrics or schedules.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from learning.vision import distributed

GRADIENT = "the gradient"


@dataclass(frozen=True)
class Summary:
    """What the steps since the last one amount to."""

    steps: int
    means: dict[str, float]  # "loss" (the total) and each of its terms
    broken_at: int  # counted from 0 over the Tally's life, -1: every step was finite
    broken: dict[str, float]  # the terms that were not finite in that step


class Tally:
    """The sums of the loss terms since they were last read, and the first step that was not finite, on the device."""

    def __init__(self, names: Sequence[str], device: torch.device) -> None:
        self.names = tuple(names)
        self.steps = 0  # ever counted
        self._read = 0  # of them, those that were read
        # One tensor, so that reading takes one copy: for each term its sum and what it was in the broken step, ...
        self._state = torch.zeros(2 * (len(self.names) + 1) + 2, device=device)
        count = len(self.names) + 1
        self._sums, self._broken = self._state[:count], self._state[count : 2 * count]
        self._done, self._at = self._state[-2], self._state[-1]  # ... the steps ever done, and the broken one
        self._at.fill_(-1)

    @property
    def is_broken(self) -> Tensor:
        """Whether a step was not finite, as a number 0 or 1 on the device."""
        return (self._at >= 0).float()

    @torch.no_grad()
    def add(self, losses: Mapping[str, Tensor], norm: Tensor) -> None:
        """Note the terms and the norm of the gradient of one step; waits for nothing."""
        terms = torch.stack([*(losses[name].detach().float() for name in self.names), norm.float()])
        first = ~terms.isfinite().all() & (self._at < 0)
        self._broken.copy_(torch.where(first, terms, self._broken))
        self._at.copy_(torch.where(first, self._done, self._at))
        self._sums += terms
        self._done += 1

    def stepped(self) -> None:
        """Count a step on this side, where it is known without asking."""
        self.steps += 1

    def read(self) -> Summary:
        """The only place that waits for the device; the sums start anew. Of several processes all must call it."""
        values = (distributed.summed(self._state) / distributed.processes()).tolist()
        steps, self._read = self.steps - self._read, self.steps
        count = len(self.names) + 1
        means = {name: value / max(1, steps) for name, value in zip(self.names, values, strict=False)}
        at = int(values[-1])
        named = zip((*self.names, GRADIENT), values[count : 2 * count], strict=True)
        broken = {name: value for name, value in named if at >= 0 and not math.isfinite(value)}
        if len(broken) > 1:
            broken.pop(GRADIENT, None)  # it follows from the loss
        self._sums.zero_()
        return Summary(steps, {"loss": sum(means.values())} | means, at, broken)


def backward(losses: Mapping[str, Tensor], parameters: Sequence[nn.Parameter], clip_norm: float, tally: Tally) -> None:
    """Gradients of the summed terms, clipped, and noted in the tally."""
    torch.stack([value.float() for value in losses.values()]).sum().backward()
    learned = [parameter for parameter in parameters if parameter.grad is not None]
    tally.add(losses, nn.utils.clip_grad_norm_(learned, clip_norm))


def change_weights(optimizer: torch.optim.Optimizer, tally: Tally) -> None:
    """The optimizer's step, which does nothing once a step was not finite; the host does not know which it was."""
    if optimizer.defaults.get("fused"):
        # As torch's own GradScaler does: with this flag on the device a fused optimizer leaves everything as it is.
        held: Any = optimizer
        held.grad_scale, held.found_inf = None, tally.is_broken
        optimizer.step()
        return
    still = tally.is_broken.bool()
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                parameter.grad.masked_fill_(still, 0.0)
    optimizer.step()
