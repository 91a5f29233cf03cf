"""One step of training without waiting for the device: losses, gradients, clipping, weights.

What a step amounts to stays on the device, in a Tally, and is read when somebody wants to report it. A step whose loss
is not finite changes no weight, nor does any after it, so the weights are still good when that is read. A step of which
only the gradient is not finite is left out. It must not know data, files, metrics or schedules.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from learning.vision import distributed


@dataclass(frozen=True)
class Summary:
    """What the steps since the last one amount to."""

    steps: int
    means: dict[str, float]  # "loss" (the total) and each of its terms
    skipped: int  # of the steps, those that were left out since their gradient was not finite
    broken_at: int  # the first step ever, counted from 0, whose loss was not finite; -1: there was none
    broken: dict[str, float]  # its terms that were not finite


class Tally:
    """The sums of the loss terms since they were last read, and the first step that was not finite, on the device."""

    def __init__(self, names: Sequence[str], device: torch.device) -> None:
        self.names = tuple(names)
        self.steps = 0  # ever made; known on this side without asking
        self._read = 0  # of them, those that were read
        # One tensor, so that reading takes one copy: the sum of each term, and what it was in the broken step, ...
        count = len(self.names)
        self._state = torch.zeros(2 * count + 4, device=device)
        self._sums, self._broken = self._state[:count], self._state[count : 2 * count]
        # ... the steps ever done, which of them was broken, how many were left out, and whether the newest one is.
        self._done, self._at, self._skipped, self._skip = self._state[-4:].unbind()
        self._at.fill_(-1)

    @property
    def skip(self) -> Tensor:
        """Whether the newest step must change no weight, as a number 0 or 1 on the device."""
        return self._skip

    @torch.no_grad()
    def add(self, losses: Mapping[str, Tensor], norm: Tensor) -> None:
        """Note the terms and the norm of the gradient of one step; waits for nothing."""
        terms = torch.stack([losses[name].detach().float() for name in self.names])
        finite = terms.isfinite().all()
        first = ~finite & (self._at < 0)
        self._broken.copy_(torch.where(first, terms, self._broken))
        self._at.copy_(torch.where(first, self._done, self._at))
        self._sums += terms
        self._done += 1
        left_out = finite & ~norm.isfinite()
        self._skipped += left_out
        self._skip.copy_(left_out | (self._at >= 0))

    def stepped(self) -> None:
        """Count a step on this side."""
        self.steps += 1

    def read(self) -> Summary:
        """The only place that waits for the device; the sums start anew. Of several processes all must call it."""
        values = (distributed.summed(self._state) / distributed.processes()).tolist()
        steps, self._read = self.steps - self._read, self.steps
        count = len(self.names)
        means = {name: value / max(1, steps) for name, value in zip(self.names, values, strict=False)}
        at, skipped = int(values[-3]), int(values[-2])
        named = zip(self.names, values[count : 2 * count], strict=True)
        broken = {name: value for name, value in named if at >= 0 and not math.isfinite(value)}
        self._sums.zero_()
        self._skipped.zero_()
        return Summary(steps, {"loss": sum(means.values())} | means, skipped, at, broken)


def backward(losses: Mapping[str, Tensor], parameters: Sequence[nn.Parameter], clip_norm: float, tally: Tally) -> None:
    """Gradients of the summed terms, clipped, and noted in the tally."""
    torch.stack([value.float() for value in losses.values()]).sum().backward()
    learned = [parameter for parameter in parameters if parameter.grad is not None]
    tally.add(losses, nn.utils.clip_grad_norm_(learned, clip_norm))


def change_weights(optimizer: torch.optim.Optimizer, tally: Tally) -> None:
    """The optimizer's step, which does nothing if the tally says so; the host does not know whether it does."""
    if optimizer.defaults.get("fused"):
        # As torch's own GradScaler does: with this flag on the device a fused optimizer leaves everything as it is.
        held: Any = optimizer
        held.grad_scale, held.found_inf = None, tally.skip
    else:  # with a gradient of 0 the weights stay finite
        skip = tally.skip.bool()
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad.copy_(torch.where(skip, 0.0, parameter.grad))
    optimizer.step()
