"""Several processes that train one network (torchrun): who this one is, sums over all, and one clock for all.

Without torchrun every function answers as the only process there is. It must not know networks, data or files.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta

import torch
from torch import Tensor, nn
from torch import distributed as group

from learning.group import VARIABLE, Group

PATIENCE = timedelta(hours=12)  # the others wait while process 0 measures and exports


PR_SET_PDEATHSIG = 1


def is_started() -> bool:
    """Whether torchrun has started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def machines() -> Group | None:
    """This machine's place among those that train together; None for one that trains alone."""
    text = os.environ.get(VARIABLE)
    return Group.from_text(text) if text else None


def begin(device: torch.device) -> None:
    """Join the other processes that torchrun has started, if it has; on a CPU they share its threads."""
    if is_started() and not group.is_initialized():
        _end_with_parent()
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        if device.type == "cuda":
            torch.cuda.set_device(local_rank())
        else:
            torch.set_num_threads(max(1, torch.get_num_threads() // int(os.environ["LOCAL_WORLD_SIZE"])))
        group.init_process_group(backend, timeout=PATIENCE)


def _end_with_parent() -> None:
    """What started the processes may be killed with its node's program: then nobody would end these."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end() -> None:
    """Leave the others; harmless when alone."""
    if group.is_initialized():
        group.destroy_process_group()


def processes() -> int:
    """How many processes train together."""
    return group.get_world_size() if group.is_initialized() else 1


def rank() -> int:
    """This process's number; number 0 alone measures, reports and writes."""
    return group.get_rank() if group.is_initialized() else 0


def local_rank() -> int:
    """This process's number on this machine, which is the number of its card."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def summed(value: Tensor) -> Tensor:
    """The sum over all processes, in which no gradient flows; `value` itself when alone."""
    if group.is_initialized():
        value = value.detach().clone()
        group.all_reduce(value)
    return value


def agreed(values: Callable[[], list[float]]) -> list[float]:
    """What process 0 says, to all: time passes differently in each. The exchange is on the CPU, beside the cards."""
    if not group.is_initialized():
        return values()
    shared = torch.tensor(values(), dtype=torch.float64)
    group.broadcast(shared, 0)
    return shared.tolist()


def join_norms(network: nn.Module, *, frozen: bool) -> None:
    """Let batch norms that learn see the whole batch; torch can do so on cards only, on CPUs each sees its share."""
    if group.is_initialized() and not frozen and next(network.parameters()).device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
