"""What a running program uses of its machine: processors, memory, graphics card, as metrics every few seconds.

It must not know what the program does. What cannot be measured here (no psutil, no nvidia-smi) is left out.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from learning.contract import MetricWriter
from learning.program import log
from learning.vision import distributed

SECONDS = 5.0
FIRST_SECONDS = 1.0  # so that a short run has a figure too
MIB = 1 << 20
Place = Callable[[], tuple[int, int]]


@contextlib.contextmanager
def watched(metrics: MetricWriter, *, device: torch.device, place: Place) -> Iterator[None]:
    """Write `usage:` metrics in a thread as long as the block runs; `place` gives step and epoch.

    usage:cpu and usage:gpu are shares of the whole machine and of the card, 0 to 1, usage:memory_bytes and
    usage:gpu_memory_bytes what is in use. Time in the network or in the loader counts alike, as an operator sees it.
    """
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(metrics, device, place, over), name="usage", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch(metrics: MetricWriter, device: torch.device, place: Place, over: threading.Event) -> None:
    meters = [meter for meter in (_processors(), _card(device)) if meter is not None]
    pause = FIRST_SECONDS
    while meters and not over.wait(pause):
        pause = SECONDS
        for meter in list(meters):
            try:
                values = meter()
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                log(f"the use of the machine is no longer reported in full: {error}")
                meters.remove(meter)
                continue
            step, epoch = place()
            for name, value in values.items():
                metrics.write(f"usage:{name}", value, step=step, epoch=epoch)


def _processors() -> Callable[[], dict[str, float]] | None:
    """Processors and memory of this process and its children, or of all processes that train together."""
    if importlib.util.find_spec("psutil") is None:
        return None
    import psutil  # a machine with nothing but torch can train too

    known: dict[int, psutil.Process] = {}

    def measure() -> dict[str, float]:
        own = psutil.Process()
        own = own.parent() or own if distributed.processes() > 1 else own
        # The same objects as before, because each one counts since it was asked last.
        alive = {one.pid: known.get(one.pid, one) for one in (own, *own.children(recursive=True))}
        known.clear()
        known.update(alive)
        share, memory = 0.0, 0
        for process in alive.values():
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):  # it has just ended
                share += process.cpu_percent() / 100 / (os.cpu_count() or 1)
                memory += _memory(process.pid) or process.memory_info().rss
        return {"cpu": min(share, 1.0), "memory_bytes": float(memory)}

    measure()  # the first answer of cpu_percent means nothing
    return measure


def _memory(pid: int) -> int:
    """Bytes of a process, with its part of what it shares with others; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return 0  # another system, or the process has ended: the caller asks in another way
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _card(device: torch.device) -> Callable[[], dict[str, float]] | None:
    """Use of the graphics card, by all that run on it."""
    command = shutil.which("nvidia-smi")
    if device.type != "cuda" or command is None:
        return None
    uuid = str(getattr(torch.cuda.get_device_properties(device), "uuid", ""))
    which = ["-i", uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"] if uuid else []
    return card_meter([command, *which])


def card_meter(command: Sequence[str]) -> Callable[[], dict[str, float]]:
    """Asks nvidia-smi, begun as `command`. The meter raises ValueError where it does not say (a part of a card)."""

    def measure() -> dict[str, float]:
        asked = [*command, "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603
        share, memory = said.partition("\n")[0].split(",")
        return {"gpu": float(share) / 100, "gpu_memory_bytes": float(memory) * MIB}

    return measure
