"""Runs the steps of a training the fastest way the device allows: eagerly, as a CUDA graph, or compiled.

A card that waits for Python between small kernels is idle most of the time; a graph replays a whole step in one
launch. Where a way does not work, the next simpler one is taken and the log says so. It must not know data, files,
metrics or schedules.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from learning.program import log
from learning.vision import distributed, memory, recipe
from learning.vision.ssd import Network
from learning.vision.stepping import Tally, backward, change_weights

WARM_STEPS = 3  # eager ones of each shape before a graph: libraries choose kernels and allocate in the first ones
WAYS = ("auto", "eager", "graph", "compile")
Losses = Callable[[Tensor, Tensor], Mapping[str, Tensor]]


@dataclass(frozen=True)
class _Captured:
    """A recorded step of one shape: what to fill before a replay, and the gradients that a replay leaves."""

    graph: Any
    images: Tensor
    targets: Tensor
    gradients: list[Tensor | None]


class Stepper:
    """Makes the steps of one network; `tally` says what they amounted to, once there was one."""

    def __init__(
        self, network: Network, optimizer: torch.optim.Optimizer, *, clip_norm: float, dtype: torch.dtype, way: str
    ) -> None:
        self.tally: Tally | None = None
        self._network, self._optimizer, self._clip_norm, self._dtype = network, optimizer, clip_norm, dtype
        self._parameters: Sequence[nn.Parameter] = [p for p in network.parameters() if p.requires_grad]
        self._device = self._parameters[0].device
        self._losses: Losses = _joined(network)
        self._graphs = way != "eager" and self._device.type == "cuda" and distributed.processes() == 1
        self._captured: dict[tuple[int, ...], _Captured] = {}
        self._seen: dict[tuple[int, ...], int] = {}
        self._stream = torch.cuda.Stream(self._device) if self._device.type == "cuda" else None
        if way == "compile":
            self.compile()

    def compile(self) -> None:
        """From now on with torch.compile, if it works."""
        if not getattr(self._losses, "compiled", False):
            self._losses = _Compiled(self._losses)
            self._captured, self._seen = {}, {}

    def step(self, images: Tensor, targets: Tensor) -> None:
        """Learn from images uint8 [N, 3, S, S] and their targets [N, M, 5]; returns before the device is done."""
        if self._graphs:
            self._with_graph(images, _widened(targets))
        else:
            self._eagerly(images, targets)
        assert self.tally is not None
        change_weights(self._optimizer, self.tally)
        self.tally.stepped()

    def _eagerly(self, images: Tensor, targets: Tensor) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        # On the stream on which graphs are recorded, since gradients remember the stream they were first made on.
        with torch.cuda.stream(self._stream) if self._stream else nullcontext():
            if self._stream:
                self._stream.wait_stream(torch.cuda.default_stream(self._device))
            self._gradients(images, targets)
        if self._stream:
            torch.cuda.default_stream(self._device).wait_stream(self._stream)

    def _gradients(self, images: Tensor, targets: Tensor) -> None:
        with recipe.precision(self._device, self._dtype):
            losses = self._losses(images, targets)
        if self.tally is None:
            self.tally = Tally(list(losses), self._device)
        backward(losses, self._parameters, self._clip_norm, self.tally)

    def _with_graph(self, images: Tensor, targets: Tensor) -> None:
        shape = (*images.shape, *targets.shape)
        self._seen[shape] = self._seen.get(shape, 0) + 1
        if self._seen[shape] <= WARM_STEPS:
            self._eagerly(images, targets)
            return
        if shape not in self._captured:
            try:
                self._captured[shape] = self._capture(images, targets)
            except RuntimeError as error:
                if memory.is_exhausted(error):
                    raise
                log(f"CUDA graphs do not work here ({error}); training without them")
                self._graphs = False
                self._eagerly(images, targets)
                return
        held = self._captured[shape]
        held.images.copy_(images)
        held.targets.copy_(targets)
        held.graph.replay()
        for parameter, gradient in zip(self._parameters, held.gradients, strict=True):
            parameter.grad = gradient

    def _capture(self, images: Tensor, targets: Tensor) -> _Captured:
        """Record a step, which does not run it."""
        self._optimizer.zero_grad(set_to_none=True)  # so that the gradients are the graph's own memory
        images, targets = images.clone(), targets.clone()
        graph = torch.cuda.CUDAGraph()
        pool = next((held.graph.pool() for held in self._captured.values()), None)
        torch.cuda.synchronize(self._device)
        # thread_local: the loader's thread that pins memory may go on with it.
        with torch.cuda.graph(graph, pool=pool, stream=self._stream, capture_error_mode="thread_local"):
            self._gradients(images, targets)
        return _Captured(graph, images, targets, [parameter.grad for parameter in self._parameters])


class _Compiled:
    """torch.compile of the losses, and the losses themselves once it has failed."""

    compiled = True

    def __init__(self, plain: Losses) -> None:
        self._plain, self._run = plain, torch.compile(plain, dynamic=False)

    def __call__(self, images: Tensor, targets: Tensor) -> Mapping[str, Tensor]:
        try:
            return self._run(images, targets)
        except Exception as error:
            if self._run is self._plain or memory.is_exhausted(error):
                raise
            first = str(error).strip().splitlines() or [""]
            log(f"torch.compile does not work here ({type(error).__name__}: {first[0][:200]}); training without it")
            self._run = self._plain
            return self._plain(images, targets)


def _joined(network: Network) -> Losses:
    """The losses of the network; of several processes with their gradients averaged in the backward pass."""
    if distributed.processes() == 1:
        return network.losses
    forward = _Forward(network)
    cards = [distributed.local_rank()] if next(network.parameters()).device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(forward, device_ids=cards, broadcast_buffers=False)


class _Forward(nn.Module):
    """The losses as a module's forward, which is what DistributedDataParallel wraps."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return self.network.losses(images, targets)


def _widened(targets: Tensor) -> Tensor:
    """Rows up to a power of two, so that few shapes occur."""
    rows = targets.shape[1]
    return nn.functional.pad(targets, (0, 0, 0, (1 << (rows - 1).bit_length()) - rows))
