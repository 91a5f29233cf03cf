"""Starts the processes that train one network together, as torchrun does, and ends as they end.

Each runs the program anew in the same folder; distributed.py tells it which one it is. It must not know networks, data
or what the program does.
"""

import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Iterable

import torch

from learning.contract import EXIT_BAD_INPUT, BadInput, JobFolder
from learning.program import log
from learning.vision import distributed

LEAST_SHARE = 2  # images of a batch for each process: a batch norm cannot learn from a single value


def wanted(*, asked: int, most: int, batch_size: int, device: torch.device, cores: int) -> int:
    """How many processes are to train, this one alone counting as one: a process a card, on a CPU those asked for.

    `asked` and `most` are 0 where nobody says. There are never more than cards (without them: cores), nor so many that
    a share of the batch becomes too small. A process that torchrun has started is one of several already: 1.
    """
    if distributed.is_started():
        return 1
    cards = torch.cuda.device_count() if device.type == "cuda" else 0
    count = min(asked or cards or 1, cards or cores, batch_size // LEAST_SHARE)
    return max(1, min(count, most) if most else count)


def train(module: str, folder: JobFolder, count: int) -> None:
    """Run `python -m module folder` as `count` processes until all have ended. A SIGTERM goes to all of them.

    Raises BadInput when one of them ended so, RuntimeError for another failure and when a SIGTERM came too early for
    them. If one was killed from outside this process dies in the same way: whoever watches sees no failure of the
    program.
    """
    # Only here: most trainings are one process.
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    def on_signal(number: int, _: object) -> None:
        raise SignalException("asked to end", sigval=signal.Signals(number))

    log(f"{count} processes train together")
    # torch takes signals itself once the processes run; one that comes before must not be lost.
    signal.signal(signal.SIGTERM, on_signal)
    ends: list[int] = []
    with tempfile.TemporaryDirectory(prefix="waggle-together-") as logs:
        config = LaunchConfig(
            min_nodes=1, max_nodes=1, nproc_per_node=count, max_restarts=0, run_id=uuid.uuid4().hex,
            rdzv_backend="c10d", rdzv_endpoint="localhost:0", local_addr="localhost",
            logs_specs=DefaultLogsSpecs(log_dir=logs),
        )  # fmt: skip
        try:
            elastic_launch(config, sys.executable)("-m", module, str(folder.root))
        except SignalException:
            if not folder.stopped.exists():
                raise RuntimeError("asked to end before there was anything to keep") from None
        except ChildFailedError as error:
            ends = [failure.exitcode for failure in error.failures.values()]
    if ends:
        _end_as(ends, folder)


def _end_as(ends: Iterable[int], folder: JobFolder) -> None:
    """`ends` are the exit statuses of the processes that failed: those after the first only missed it."""
    reason = folder.read_failure() or "one of the processes that train together has ended"
    if EXIT_BAD_INPUT in ends:
        raise BadInput(reason)
    if -signal.SIGKILL in ends:
        log("one of the processes that train together was killed")
        os.kill(os.getpid(), signal.SIGKILL)
    raise RuntimeError(reason)
