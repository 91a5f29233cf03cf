"""The plan of a round: how many of the next objects are for calibration, and whether more rounds are expected to pay.

It is kept in the figures of the round as `plan`, with the sentences that say why (`text`, and as `sentences` those of
loop_words.py with the values for their places), and holds until the next round has one. Knows what a round has measured
and what people cost; the planning itself is the part of selection/planning.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from learning import loop_words
from learning.models import LearningLoop, Round, Split
from learning.selection import bounds, planning, quality
from learning.selection.planning import Curve, ErrorRate, MeanLoss, Plan, State, Test
from learning.selection.quality import Floats
from learning.selection.thresholds import Decision
from learning.services.active import error_promise, loop_objects, loop_settings
from learning.services.active.loop_settings import LoopSettings

NO_PLAN: dict[str, Any] = {}
Sentence = tuple[str, dict[str, Any]]
"""A sentence with places for values, and these."""


def of(loop: LearningLoop) -> dict[str, Any]:
    """The newest plan of a loop; empty before there is one."""
    for figures in loop.rounds.order_by("-number").values_list("figures", flat=True):
        if "plan" in figures:
            found: dict[str, Any] = figures["plan"]
            return found
    return NO_PLAN


def gives_up(loop: LearningLoop) -> str:
    """Why no further model is worth training, by the newest plan; "" when one is, or when nothing is known."""
    plan = of(loop)
    return str(plan["text"]) if plan and not plan["pays"] else ""


def make(
    loop: LearningLoop, settings: LoopSettings, current: Round, decision: Decision, *, pool: int
) -> dict[str, Any]:
    """The plan after a round's evaluation, for its figures; `pool` objects have no label before the machine's.

    What is not labeled in this round is about the share of `pool` that the calibration objects below the cut-off are of
    all, and these represent it.
    """
    scores, losses = evidence(decision)
    left = round(pool * (1 - decision.coverage))
    state = State(
        learned=loop_objects.human_labeled(loop, Split.TRAIN).count(),
        calibration=len(scores),
        pool=left,
        batch=settings.batch_size,
        most_calibration=settings.calibration_size(settings.batch_size),
        rounds=max(settings.max_rounds - loop.rounds.exclude(training_job=None).count(), 0),
        exponent=planning.exponent(_history(loop, current)),
        relative_price=_relative_price(loop, decision),
    )
    curve = Curve.of(scores, losses)
    found = planning.plan(
        state, curve, next_tests(loop, settings, current, decision), least_saving=settings.least_saving
    )
    pays = found.pays or settings.least_saving == 0
    each = round(loop.job.queue.task_micros * state.relative_price)
    sentences = (
        _going_on(found, state, each)
        if pays
        else _giving_up(found, state, curve, _promised(loop, settings, decision), each)
    )
    return {
        "pays": pays,
        "rounds": found.rounds,
        "calibration": found.calibration,
        "expected_share": round(found.share, 4),
        "expected_saving_objects": round(found.saving, 1),
        "expected_saving_micros": round(found.saving * each),
        "next_round_micros": min(settings.batch_size, left) * each,
        "left": left,
        "exponent": round(state.exponent, 4),
        "text": " ".join(text.format(**values) for text, values in sentences) if left else "",
        "sentences": [{"text": text, "values": values} for text, values in sentences] if left else [],
    }


def _relative_price(loop: LearningLoop, decision: Decision) -> float:
    """What an object of the pool costs over one that people draw, as many of them as the newest model proposes labels
    for that are good enough are checked; 1 where nobody checks."""
    job, full = loop.job, loop.job.queue.answer_micros(checks=False)
    if "least_quality" not in job.prelabels or not full or not len(decision.scores):
        return 1.0
    shown = float((decision.scores >= job.prelabels["least_quality"]).mean()) * (1 - job.prelabels["blind_share"])
    return 1 - shown * (1 - job.queue.answer_micros(checks=True) / full)


def evidence(decision: Decision) -> tuple[Floats, Floats]:
    """How sure the machine is of each calibration object that it does not label in this round, and its label's loss."""
    below = ~decision.passed
    if decision.losses is not None:
        return decision.scores[below], decision.losses[below]
    losses = 1 - quality.image_quality(decision.outcomes.take(below)) if len(below) else np.zeros(0)
    return decision.scores[below], losses


def next_tests(loop: LearningLoop, settings: LoopSettings, current: Round, decision: Decision) -> list[Test]:
    """What labels have to pass in each of the next rounds.

    A promised share of wrong labels is tested at a share of what may go wrong that falls from test to test: every
    round to come is taken to make one.
    """
    if decision.target_error is None:
        target = settings.target(loop_settings.measure_of(loop.job.task_type))
        return [MeanLoss(1 - target, settings.confidence)]
    made = error_promise.tests_before(loop, current.number) + decision.tested
    rounds = range(1, max(settings.max_rounds, 1) + 1)
    return [ErrorRate(decision.target_error, bounds.spent(1 - settings.confidence, made + ahead)) for ahead in rounds]


@dataclass(frozen=True)
class _Promise:
    """The most that may be lost on average, by a `measure` of quality, or "" for a share of wrong labels."""

    loss: float
    measure: str = ""

    def against(self, least: float) -> dict[str, Any]:
        """The least loss that is expected, beside the promise, as values of a sentence."""
        if self.measure:
            return {"measure": self.measure, "found": 1 - least, "promised": 1 - self.loss}
        return {"found": least, "promised": self.loss}


def _promised(loop: LearningLoop, settings: LoopSettings, decision: Decision) -> _Promise:
    if decision.target_error is not None:
        return _Promise(decision.target_error)
    measure = loop_settings.measure_of(loop.job.task_type)
    return _Promise(1 - settings.target(measure), measure.name)


def _history(loop: LearningLoop, current: Round) -> list[tuple[int, float]]:
    """(objects learned from, 1 minus the model's main figure) of each model of the loop."""
    metric = loop_settings.measure_of(loop.job.task_type).metric
    rows = [*loop.rounds.exclude(pk=current.pk).order_by("number").values_list("figures", flat=True), current.figures]
    return [(row["train_images"], 1 - row[metric]) for row in rows if "train_images" in row and metric in row]


def _going_on(found: Plan, state: State, each: int) -> list[Sentence]:
    if not found.saving:
        return [(loop_words.UNKNOWN, {})]
    several = found.rounds != 1
    if found.calibration:
        text = loop_words.SEVERAL_ASIDE if several else loop_words.ANOTHER_ASIDE
    else:
        text = loop_words.SEVERAL if several else loop_words.ANOTHER
    values = {"rounds": found.rounds, "batch": state.batch, "aside": found.calibration, "share": found.share}
    saving = {"saving": found.saving, "left": state.pool, "worth": _worth(found.saving, each)}
    return [(text, values), (loop_words.SAVES_MONEY if each else loop_words.SAVES, saving)]


def _giving_up(found: Plan, state: State, curve: Curve, promised: _Promise, each: int) -> list[Sentence]:
    least = float(curve.risk.min()) if len(curve.risk) else 1.0
    if not state.rounds:
        return [(loop_words.NO_MORE_MODELS, {})]
    if state.pool <= state.batch:
        return [(loop_words.ONE_BATCH, {"left": state.pool})]
    if least > promised.loss:
        text = loop_words.TOO_POOR if promised.measure else loop_words.TOO_WRONG
        return [(text, {"checked": state.calibration, **promised.against(least)})]
    values = {"left": state.pool, "saving": found.saving, "worth": _worth(found.saving, each)}
    return [(loop_words.TOO_FEW_MONEY if each else loop_words.TOO_FEW, values)]


def _worth(objects: float, each: int) -> float:
    """What so many objects cost, in dollars to the cent."""
    return round(objects * each / 10_000) / 100
