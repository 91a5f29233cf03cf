"""Starts the processes that train one network together, as torchrun does, and ends as they end.

Each runs the program anew in the same folder; distributed.py tells it which one it is. Where several machines train
together each does so, in a folder of its own. It must not know networks, data or what the program does.
"""

import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Iterable
from typing import Any

import torch

from learning.contract import EXIT_BAD_INPUT, BadInput, JobFolder
from learning.group import Group
from learning.program import log
from learning.vision import distributed

LEAST_SHARE = 2  # images of a batch for each process: a batch norm cannot learn from a single value
MEETING_SECONDS = 900
"""How long machines wait for each other: each may have images to fetch first."""


def wanted(*, asked: int, most: int, batch_size: int, device: torch.device, cores: int) -> int:
    """How many processes this machine is to have, this one alone counting as one: one a card, on a CPU those asked for.

    `asked` and `most` are 0 where nobody says. There are never more than cards (without them: cores), nor so many that
    a share of the batch becomes too small. A process that torchrun has started is one of several already: 1.
    """
    if distributed.is_started():
        return 1
    cards = torch.cuda.device_count() if device.type == "cuda" else 0
    machines = distributed.machines()
    shares = batch_size // LEAST_SHARE // (machines.count if machines else 1)
    count = min(asked or cards or 1, cards or cores, shares)
    return max(1, min(count, most) if most else count)


def is_to_start(count: int) -> bool:
    """Whether this process is to start those that train, rather than to train alone or as one of them."""
    return not distributed.is_started() and (count > 1 or distributed.machines() is not None)


def train(module: str, folder: JobFolder, count: int) -> None:
    """Run `python -m module folder` as `count` processes here until all have ended. A SIGTERM goes to all of them.

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

    machines = distributed.machines()
    log(f"{count} processes train together" + (f" on each of {machines.count} machines" if machines else ""))
    # torch takes signals itself once the processes run; one that comes before must not be lost.
    signal.signal(signal.SIGTERM, on_signal)
    ends: list[int] = []
    with tempfile.TemporaryDirectory(prefix="waggle-together-") as logs:
        config = LaunchConfig(
            nproc_per_node=count, max_restarts=0, logs_specs=DefaultLogsSpecs(log_dir=logs), **_meeting(machines)
        )
        try:
            elastic_launch(config, sys.executable)("-m", module, str(folder.root))
        except SignalException:
            if not folder.stopped.exists():
                raise RuntimeError("asked to end before there was anything to keep") from None
        except ChildFailedError as error:
            ends = [failure.exitcode for failure in error.failures.values()]
    if ends:
        _end_as(ends, folder)


def _meeting(machines: Group | None) -> dict[str, Any]:
    """How the machines find each other; the first of them has the numbers from zero, as it has the folder."""
    if machines is None:
        return {
            "min_nodes": 1, "max_nodes": 1, "run_id": uuid.uuid4().hex,
            "rdzv_backend": "c10d", "rdzv_endpoint": "localhost:0", "local_addr": "localhost",
        }  # fmt: skip
    return {
        "min_nodes": machines.count, "max_nodes": machines.count, "run_id": "waggle",
        "rdzv_backend": "static", "rdzv_endpoint": machines.address, "local_addr": machines.here,
        "rdzv_configs": {"rank": machines.number, "timeout": MEETING_SECONDS},
    }  # fmt: skip


def _end_as(ends: Iterable[int], folder: JobFolder) -> None:
    """`ends` are the exit statuses of the processes that failed: those after the first only missed it."""
    reason = folder.read_failure() or "one of the processes that train together has ended"
    if EXIT_BAD_INPUT in ends:
        raise BadInput(reason)
    if -signal.SIGKILL in ends:
        log("one of the processes that train together was killed")
        os.kill(os.getpid(), signal.SIGKILL)
    raise RuntimeError(reason)
