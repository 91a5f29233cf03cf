"""Dawid & Skene on a million labels, ours and crowd-kit's, each in a process of its own: seconds and peak memory.

Both run EM from the shares of votes, on the same generated votes, until a round gains less than 1e-5 of log-likelihood
a vote, which is crowd-kit's default. A process's memory is what it held at most, imports and the votes included.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from labeling.consolidation.arrays import Ints

LABELS, CLASSES, WORKERS, A_TASK = 1_000_000, 4, 2_000, 5
TOLERANCE = 1e-5


def votes(labels: int = LABELS) -> tuple[Ints, Ints, Ints]:
    """Task, worker and given label of each vote: workers who are right in 55 to 95 % of their votes."""
    rng = np.random.default_rng(7)
    task = np.repeat(np.arange(labels // A_TASK), A_TASK)
    worker = rng.integers(WORKERS, size=len(task))
    truth = rng.integers(CLASSES, size=labels // A_TASK)
    right = rng.random(len(task)) < rng.uniform(0.55, 0.95, WORKERS)[worker]
    given = np.where(right, truth[task], (truth[task] + rng.integers(1, CLASSES, len(task))) % CLASSES)
    return task, worker, given


def measured(who: str) -> dict[str, float]:
    """Seconds of the fit and MiB of the process, of "ours" or "crowdkit", in a child process."""
    found = subprocess.run([sys.executable, "-m", "benchmarks.label_speed", who], check=True, capture_output=True)
    result: dict[str, float] = json.loads(found.stdout.splitlines()[-1])
    return result


def _ours() -> float:
    from labeling.consolidation.classes.dawid_skene import dawid_skene

    task, worker, given = votes()
    began = time.perf_counter()
    dawid_skene(task, worker, given, classes=CLASSES, tolerance=TOLERANCE)
    return time.perf_counter() - began


def _crowdkit() -> float:
    from benchmarks.label_rivals import METHODS, frame

    data = frame(*votes())
    began = time.perf_counter()
    METHODS["dawid_skene"]().fit(data)
    return time.perf_counter() - began


def _peak() -> float:
    """MiB that this program held at most. `ru_maxrss` would count what the parent held when it started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    seconds = _ours() if sys.argv[1] == "ours" else _crowdkit()
    print(json.dumps({"seconds": seconds, "mib": _peak()}))
