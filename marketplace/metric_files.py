"""What several processes have counted in files, put together. Knows neither Django nor what is counted."""

import contextlib
import fcntl
import os
import struct
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.samples import Sample

from marketplace import strict
from marketplace.metric_folders import living

FOLDED, FOLDING = "folded", "folding"
TRIES = 20


def fold(folder: Path) -> int:
    """Add what dead processes of this folder have counted to one file, and remove theirs; returns how many there were.

    Called by a process of the folder's own family only: another container has other process numbers.
    """
    dead = [path for path in folder.glob("*_*.db") if _is_dead(path.stem.rpartition("_")[2])]
    if not dead:
        return 0
    with _folding(folder, fcntl.LOCK_EX):
        for path in dead:
            into = MmapedDict(str(folder / f"{path.name.split('_')[0]}_{FOLDED}.db"))
            with contextlib.suppress(FileNotFoundError):
                for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path)):
                    into.write_value(key, into.read_value(key)[0] + value, 0.0)
                path.unlink()
            into.close()
    return len(dead)


def read(var: Path) -> list[Metric]:
    """What all living processes have counted together, each sample with the kind of its process as a further label."""
    found: dict[str, Metric] = {}
    sums: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = defaultdict(float)
    for kind, folder in living(var / "metrics"):
        with _folding(folder, fcntl.LOCK_SH):
            for metric in _collected(folder):
                found.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                for sample in metric.samples:
                    labels = tuple(sorted({**sample.labels, "process": kind}.items()))
                    sums[metric.name, sample.name, labels] += sample.value
    for (metric_name, name, labels), value in sums.items():
        found[metric_name].samples.append(Sample(name, dict(labels), value))
    return list(found.values())


def _collected(folder: Path) -> list[Metric]:
    """What the files of a folder hold together, read again if one of them was just being made."""
    for _ in range(TRIES):
        try:
            return list(MultiProcessCollector(None, path=str(folder)).collect())
        except struct.error:
            time.sleep(0.01)
    return list(MultiProcessCollector(None, path=str(folder)).collect())


def of_kind(metrics: Iterable[Metric], kind: str) -> Iterator[Metric]:
    """The same for metrics of this process alone, which counts without files."""
    for metric in metrics:
        # When each was first counted says nothing of several processes, and files do not keep it.
        samples = [one for one in metric.samples if not one.name.endswith("_created")]
        metric.samples = [Sample(one.name, {**one.labels, "process": kind}, one.value) for one in samples]
        yield metric


@contextlib.contextmanager
def _folding(folder: Path, how: int) -> Iterator[None]:
    """Nobody reads while files are put together: what they hold would be counted twice."""
    with (folder / FOLDING).open("a") as stream:
        fcntl.flock(stream, how)
        yield


def _is_dead(process: str) -> bool:
    number = strict.whole_number(process)
    return number is not None and number != os.getpid() and not psutil.pid_exists(number)
