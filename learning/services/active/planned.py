"""The plan of a round: how many of the next objects are for calibration, and whether more rounds are expected to pay.

It is kept in the figures of the round as `plan`, with a sentence that says why (`text`), and holds until the next round
has one. Knows what a round has measured and what people cost; the planning itself is the part of selection/planning.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from learning.models import LearningLoop, Round, Split
from learning.selection import bounds, planning, quality
from learning.selection.planning import Curve, ErrorRate, MeanLoss, Plan, State, Test
from learning.selection.quality import Floats
from learning.selection.thresholds import Decision
from learning.services.active import error_promise, loop_objects, loop_settings
from learning.services.active.loop_settings import LoopSettings
from marketplace import money

NO_PLAN: dict[str, Any] = {}


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
    text = (
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
        "text": text if left else "",
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

    def against(self, least: float) -> str:
        """The least loss that is expected, beside the promise, in words."""
        if self.measure:
            return f"an expected {self.measure} of {1 - least:.2f}, {1 - self.loss:.2f} is promised"
        return f"an expected share of {least:.1%} wrong ones, at most {self.loss:.1%} is promised"


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


def _going_on(found: Plan, state: State, each: int) -> str:
    if not found.saving:
        return "It is not known yet what further rounds will save: the next one sets objects aside to find out."
    rounds = "Another round" if found.rounds == 1 else f"Another {found.rounds} rounds"
    aside = f"{found.calibration} of them" if found.calibration else "none of them"
    return (
        f"{rounds} of {state.batch} objects, {aside} to check the model on, {'is' if found.rounds == 1 else 'are'} "
        f"expected to let the model label {found.share:.0%} of what is left then. That saves people about "
        f"{found.saving:.0f} of {state.pool} objects{_worth(found.saving, each)}."
    )


def _giving_up(found: Plan, state: State, curve: Curve, promised: _Promise, each: int) -> str:
    least = float(curve.risk.min()) if len(curve.risk) else 1.0
    if not state.rounds:
        why = "as many models were trained as the job may have"
    elif state.pool <= state.batch:
        why = f"the {state.pool} objects left are one batch"
    elif least > promised.loss:
        why = (
            f"of the {state.calibration} checked objects that the model does not label yet even the surest have "
            f"{promised.against(least)}, and more labels would not change that in time"
        )
    else:
        why = (
            f"the {state.pool} objects left are too few to prove the promise on some and save the others: further "
            f"rounds are expected to save {found.saving:.1f} of them{_worth(found.saving, each)}"
        )
    return f"Training further models is not expected to pay: {why}. People label the rest."


def _worth(objects: float, each: int) -> str:
    return f", {money.plain(round(objects * each / 10_000) * 10_000)} dollars" if each else ""
