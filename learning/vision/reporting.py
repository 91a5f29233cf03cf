"""The metrics that a training run reports, how often, and when an evaluation is worth its time.

It must not know data or files; it reads the state of the run.
"""

from learning.contract import BadInput, MetricWriter
from learning.program import log
from learning.vision import distributed
from learning.vision.run_state import Training
from learning.vision.stepping import Summary, Tally

REPORT_SECONDS = 1.0
EVALUATION_SHARE = 0.1  # of the time, when nothing else is asked for
FORWARD_SHARE = 0.5
STUCK_STEPS = 20  # so many steps in a row without a gradient are not chance


class Reporter:
    """Reads what the steps amounted to and writes it, about once a second: means, rate, speed and progress."""

    def __init__(self, training: Training, metrics: MetricWriter) -> None:
        self._training, self._metrics = training, metrics
        self._images, self._since = 0, training.seconds

    def stepped(self, tally: Tally, images: int) -> None:
        """Count a step, and report if it is time."""
        self._images += images
        training = self._training
        first_or_last = training.step == 1 or training.progress >= 1 or training.stopping
        if training.seconds - self._since >= REPORT_SECONDS or first_or_last:
            self.report(tally)

    def report(self, tally: Tally) -> None:
        """Wait for the device, and write; raises BadInput naming the step and the term that was not finite."""
        if not self._images:
            return
        training, summary = self._training, tally.read()
        if summary.broken_at >= 0:
            number = training.step - tally.steps + summary.broken_at + 1
            raise BadInput(f"step {number}: {not_finite(summary, training)}")
        if summary.skipped:
            log(f"{summary.skipped} of {summary.steps} steps were left out: their gradient was not finite")
            if summary.skipped == summary.steps >= STUCK_STEPS:
                raise BadInput(f"step {training.step}: the gradient is never finite; {advice(training)}")
        values = {name if name == "loss" else f"loss_{name}": value for name, value in summary.means.items()}
        values["learning_rate"] = max(group["lr"] for group in training.optimizer.param_groups)
        values["images_per_second"] = self._images / max(training.seconds - self._since, 1e-9)
        values["progress"] = training.reported = training.progress
        if distributed.rank() == 0:
            for name, value in values.items():
                self._metrics.write(f"train:{name}", value, step=training.step, epoch=training.epoch)
        self._images, self._since = 0, training.seconds


class Due:
    """Whether the end of an epoch is worth an evaluation."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._ended = training.seconds
        self._measured = False
        self._images = 0

    def stepped(self, images: int) -> None:
        """Guess what an evaluation will take, until one was made: half of what learning from an image takes."""
        self._images += images
        validation = self._training.validation
        if not self._measured and validation is not None:
            each = (self._training.seconds - self._ended) / self._images
            self._training.evaluation_seconds = FORWARD_SHARE * each * len(validation)

    def evaluation(self) -> bool:
        training = self._training
        if training.validation is None:
            return False
        if training.asked.eval_every:
            return training.epoch % training.asked.eval_every == 0
        if training.evaluated_at < 0:
            return training.progress >= EVALUATION_SHARE
        return training.seconds - self._ended >= training.evaluation_seconds / EVALUATION_SHARE

    def evaluated(self, took: float) -> None:
        """An evaluation was made, which took so many seconds."""
        self._ended = self._training.seconds + took
        self._measured = True
        self._training.evaluation_seconds = took


def not_finite(summary: Summary, training: Training) -> str:
    """Which loss term is not finite, and what to do about it."""
    broken = [f"{name} {value}" for name, value in summary.broken.items()]
    return f"the loss became {', '.join(broken) or 'too large'}; {advice(training)}"


def advice(training: Training) -> str:
    """What to do about numbers that are too large."""
    return f"lower learning_rate (it is {training.chosen.learning_rate:g})"
