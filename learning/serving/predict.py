"""Predicts boxes for a manifest in a job folder: python -m learning.serving.predict FOLDER (see learning/contract.py).

Reads the model in the "model" channel and the images in the "predict" channel. Several processes share the manifest by
shards (shards.py), none of them with torch; a start after kill -9 continues. It must not know Django, the store or
what the boxes are for.
"""

import importlib.util
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from learning.contract import FOREIGN, MODEL, PREDICT, JobFolder, MetricWriter, ModelConfig
from learning.hyperparameters import PredictHyperparameters, parse_predict
from learning.prediction_runs import Report
from learning.program import Stop, log, run
from learning.serving.archive import opened_model
from learning.serving.images import keep_memory
from learning.serving.items import read_items
from learning.serving.opening import open_model
from learning.serving.pipeline import READERS, predicted
from learning.serving.shards import Plan, count_lines, plan

BATCH = 8
MOST_PROCESSES = 8
IMAGES_A_PROCESS = 64
"""Fewer are predicted before another process has loaded its model."""
WATCH_SECONDS = 0.2


class Division(Protocol):
    """How the workers divide the shards among them."""

    def next(self) -> int:
        """The number of a shard that nobody has yet; it may be beyond the last one."""

    def add(self, images: int) -> None:
        """So many more are predicted."""

    def stopped(self) -> bool:
        """Whether to end after this batch."""


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    asked = parse_predict(folder.read_hyperparameters())
    model = opened_model(folder.channel(MODEL))
    config = ModelConfig.read(model)
    if asked.backend == "torch" or (asked.backend == "auto" and _only_torch_has_the_gpu(config)):
        # A program of its own: this one never loads torch.
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "learning.vision.predict", str(folder.root)])
    total = sum(1 for _ in read_items(folder.manifest(PREDICT)))  # a bad line is reported before any work is done
    threads = asked.num_threads or len(os.sched_getaffinity(0))
    processes = asked.processes or max(1, min(threads, MOST_PROCESSES, total // IMAGES_A_PROCESS))
    with closing(MetricWriter(folder, sys.stdout)) as metrics:
        if folder.predictions.exists() and count_lines(folder.predictions) == total:
            Report(metrics, total, total).done(total, last=True)
            return
        planned = plan(folder, total=total, processes=processes, channel=PREDICT)
        done = planned.done()
        report = Report(metrics, total, done)
        log(f"predicting with {config.architecture}: {total - done} of {total} images, {processes} processes")
        worker = Worker(folder.root, model, planned, asked, max(1, threads // processes))
        if processes == 1:
            worker.predict(_Alone(done, report, stop))
        else:
            _together(worker, processes, done, report, stop)
        if (done := planned.done()) < total:
            folder.write_stopped(step=done, epoch=0)
            return
        planned.join(folder.predictions)
        report.done(total, last=True)


def _only_torch_has_the_gpu(config: ModelConfig) -> bool:
    if config.architecture == FOREIGN or not Path("/dev/nvidia0").exists() or not importlib.util.find_spec("torch"):
        return False
    import onnxruntime

    return "CUDAExecutionProvider" not in onnxruntime.get_available_providers()


@dataclass(frozen=True)
class Worker:
    """What one process needs to predict shards."""

    root: Path
    model: Path
    plan: Plan
    asked: PredictHyperparameters
    threads: int

    def predict(self, division: Division) -> None:
        """Take shards and predict them until there is none left."""
        keep_memory()
        precision = "float32" if self.asked.precision == "auto" else self.asked.precision
        session, config = open_model(
            self.model, backend=self.asked.backend, num_threads=self.threads, precision=precision
        )
        # Shards are taken in rising order, so that one pass over the manifest is enough.
        items, at = read_items(JobFolder(self.root).manifest(PREDICT)), 0
        batch = self.asked.batch_size or BATCH
        with ThreadPoolExecutor(min(READERS, self.threads + 1)) as pool:
            while not division.stopped() and (shard := division.next()) < self.plan.count:
                first, end = self.plan.lines(shard)
                with self.plan.opened(shard) as (out, done):
                    mine = islice(items, first + done - at, end - at)
                    at = end
                    for found in predicted(mine, session.run, config, self.asked, batch=batch, pool=pool):
                        out.write("".join(one.to_line() for one in found).encode())
                        out.flush()
                        division.add(len(found))
                        if division.stopped():
                            return


class _Alone:
    """All shards for this one process."""

    def __init__(self, done: int, report: Report, stop: Stop) -> None:
        self.done, self._report, self._stop, self._shard = done, report, stop, -1

    def next(self) -> int:
        self._shard += 1
        return self._shard

    def add(self, images: int) -> None:
        self.done += images
        self._report.done(self.done)

    def stopped(self) -> bool:
        return self._stop()


class _Shared:
    """Shards and counts in memory that the processes share; a worker ends when the process that started it is gone."""

    def __init__(self, context: Any) -> None:
        self._shard, self.done = context.Value("q", 0), context.Value("q", 0)
        self.asked, self._parent = context.Event(), os.getpid()

    def next(self) -> int:
        with self._shard.get_lock():
            self._shard.value += 1
            return self._shard.value - 1

    def add(self, images: int) -> None:
        with self.done.get_lock():
            self.done.value += images

    def stopped(self) -> bool:
        return self.asked.is_set() or os.getppid() != self._parent


def _together(worker: Worker, processes: int, done: int, report: Report, stop: Stop) -> None:
    """Start the processes and wait for them. Raises RuntimeError when one fails, once all have ended."""
    context = multiprocessing.get_context("spawn")
    division = _Shared(context)
    children = [context.Process(target=_child, args=(worker.predict, division)) for _ in range(processes)]
    for child in children:
        child.start()
    try:
        while any(child.is_alive() for child in children) and not any(child.exitcode for child in children):
            time.sleep(WATCH_SECONDS)
            report.done(done + division.done.value)
            if stop():
                division.asked.set()
    finally:
        # After a failure the others would only make the wait longer; what they have written is kept.
        for child in children:
            if any(one.exitcode for one in children):
                child.kill()
            child.join()
    if failed := [child.exitcode for child in children if child.exitcode]:
        raise RuntimeError(f"a process of the prediction ended with status {failed[0]}; the log has its last words")


def _child(predict: Callable[[Division], None], division: _Shared) -> None:
    # Whoever stops the program tells its first process, which tells the others.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    predict(division)


if __name__ == "__main__":
    sys.exit(run(work, about="Predict boxes for a manifest in a job folder."))
