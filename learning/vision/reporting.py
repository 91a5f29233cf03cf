"""The metrics that a training run reports, how often, and when an evaluation is worth its time.

It must not know data or files; it reads the state of the run.
"""

import time

from torch import Tensor

from learning.contract import MetricWriter
from learning.vision.run_state import Training

REPORT_SECONDS = 1.0
EVALUATION_SHARE = 0.1  # of the time, when nothing else is asked for
FORWARD_SHARE = 0.5


class Reporter:
    """Writes the mean loss, rate, speed and progress about once a second."""

    def __init__(self, training: Training, metrics: MetricWriter) -> None:
        self._training, self._metrics = training, metrics
        self._sums: dict[str, float] = {}
        self._steps, self._images, self._since = 0, 0, time.monotonic()

    def step(self, total: Tensor, losses: dict[str, Tensor], images: int) -> None:
        for name, loss in {"loss": total, **{f"loss_{k}": v for k, v in losses.items()}}.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(loss.detach())
        self._steps, self._images = self._steps + 1, self._images + images
        elapsed, training = time.monotonic() - self._since, self._training
        first_or_last = training.step == 1 or training.progress >= 1
        if elapsed < REPORT_SECONDS and not first_or_last:
            return
        values = {name: value / self._steps for name, value in self._sums.items()}
        values["learning_rate"] = max(group["lr"] for group in training.optimizer.param_groups)
        values["images_per_second"] = self._images / max(elapsed, 1e-9)
        values["progress"] = training.reported = training.progress
        for name, value in values.items():
            self._metrics.write(f"train:{name}", value, step=training.step, epoch=training.epoch)
        self._sums, self._steps, self._images, self._since = {}, 0, 0, time.monotonic()


class Due:
    """Whether the end of an epoch is worth an evaluation."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._started = self._ended = time.monotonic()
        self._measured = False
        self._images = 0

    def stepped(self, images: int) -> None:
        """Guess what an evaluation will take, until one was made: half of what learning from an image takes."""
        self._images += images
        validation = self._training.validation
        if not self._measured and validation is not None:
            each = (time.monotonic() - self._ended) / self._images
            self._training.evaluation_seconds = FORWARD_SHARE * each * len(validation)

    def evaluation(self) -> bool:
        training = self._training
        self._started = time.monotonic()
        if training.validation is None:
            return False
        if training.asked.eval_every:
            return training.epoch % training.asked.eval_every == 0
        if training.evaluated_at < 0:
            return training.progress >= EVALUATION_SHARE
        return self._started - self._ended >= training.evaluation_seconds / EVALUATION_SHARE

    def evaluated(self) -> None:
        self._ended = time.monotonic()
        self._measured = True
        self._training.evaluation_seconds = self._ended - self._started


def not_finite(losses: dict[str, Tensor], training: Training) -> str:
    """Which loss term is not finite, and what to do about it."""
    broken = [f"{name} {float(value.detach())}" for name, value in losses.items() if not value.isfinite().all()]
    rate = training.chosen.learning_rate
    return f"the loss became {', '.join(broken) or 'too large'}; lower learning_rate (it is {rate:g})"
