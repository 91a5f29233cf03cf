"""The cut-off of a round whose job promises a share of wrong labels, and what is known of that share so far.

Knows the rows of a loop and selection/error_rates.py; neither states nor how predictions are read.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from labeling import task_types
from labeling.consolidation.likely_errors import any_of
from labeling.models import DataObject, LabelingJob, LabelSource
from learning.contract import Prediction
from learning.models import LearningLoop, LoopObject, Split
from learning.selection import error_rates, losses
from learning.selection.error_rates import Earlier, Pool
from learning.selection.quality import Floats
from learning.selection.thresholds import Decision
from learning.services.active import learners, loop_objects
from learning.services.active.loop_settings import LoopSettings

POOL_SEEN = 2000
"""So many objects of a larger pool, at random, say how many pass a cut-off."""


def sampled_pool(loop: LearningLoop, *, seed: int) -> tuple[set[int], int]:
    """The ids of at most POOL_SEEN objects that the machine may label, and how many such objects there are."""
    ids = np.array(sorted(loop_objects.pool(loop).values_list("pk", flat=True)), dtype=np.int64)
    return set(np.random.default_rng(seed).permutation(ids)[:POOL_SEEN].tolist()), len(ids)


def decide(
    loop: LearningLoop,
    settings: LoopSettings,
    *,
    number: int,
    predicted: Sequence[Prediction | None],
    checked: Sequence[DataObject],
    pool: Sequence[Prediction],
    pool_size: int,
) -> Decision:
    """The decision of round `number`, by the `checked` objects (`label` loaded) that did not pass before."""
    job, learner = loop.job, learners.of(loop.job)
    candidates = learner.checked(
        predicted,
        [loop_objects.truth(job, row) for row in checked],
        labels=job.labels,
        kind=_kind(settings),
        iou=settings.right_iou,
    )

    def scores(rule: Any) -> Floats:
        return np.array([learner.sure(rule, one, job.labels) for one in pool], dtype=np.float64)

    return error_rates.decide(
        candidates,
        target_error=settings.target_error,
        confidence=settings.confidence,
        test=tests_before(loop, number) + 1,
        earlier=earlier(loop, before=number),
        pool=Pool(scores, pool_size),
        doubt=np.array([doubt(job, row) for row in checked], dtype=np.float64),
        seed=settings.seed + number,
    )


def _kind(settings: LoopSettings) -> losses.Kind:
    return cast(losses.Kind, settings.error_loss)


def tests_before(loop: LearningLoop, number: int) -> int:
    """How many rounds before this one have spent a part of the chance of a broken promise."""
    return loop.rounds.filter(number__lt=number, figures__error_tested=True).count()


def earlier(loop: LearningLoop, *, before: int | None = None) -> Earlier:
    """The checked objects that passed in rounds `before` this one (None: in any), and the labels the machine gave."""
    passed = LoopObject.objects.filter(loop=loop).exclude(passed_in=None)
    if before is not None:
        passed = passed.filter(passed_in__lt=before)
    rows = list(passed.filter(split=Split.VALIDATION).exclude(loss=None).order_by("pk").values_list("loss", "score"))
    return Earlier(
        np.array([loss for loss, _ in rows], dtype=np.float64),
        np.array([score or 0.0 for _, score in rows], dtype=np.float64),
        passed.filter(split="").count(),
    )


def doubt(job: LabelingJob, row: DataObject) -> float:
    """The chance that people's label of an object is wrong, by their consensus; 0 where the requester decided."""
    label = row.label
    if label is None or label.source == LabelSource.ADJUDICATED:
        return 0.0
    kinds = task_types.get(job.task_type).likely_errors(label.confidence, label.explanation)
    return any_of(list(kinds.values()))


def figures(decision: Decision, settings: LoopSettings) -> dict[str, Any]:
    """What pages and REST show of a round's decision."""
    assert decision.losses is not None
    return {
        "target_error": settings.target_error,
        "error_tested": decision.tested,
        "expected_error": _rounded(decision.risk),
        "error_upper_bound": _rounded(decision.risk_upper),
        "error_all": _rounded(float(decision.losses.mean()) if len(decision.losses) else None),
        "validation_passed": int(decision.passed.sum()),
        "validation_wrong": int((decision.losses[decision.passed] > 0).sum()),
        "validation_needed": decision.needed,
    }


def of_all_labels(loop: LearningLoop, settings: LoopSettings) -> dict[str, Any]:
    """The error of all machine labels of the job, by the checked objects that passed in their rounds.

    The bound is that of the newest round that labeled anything, which is about all labels until then.
    """
    found = earlier(loop)
    newest = loop.rounds.exclude(threshold=None).filter(figures__error_tested=True).order_by("-number").first()
    return {
        "target_error": settings.target_error,
        "error": _rounded(float(found.losses.mean()) if len(found.losses) else None),
        "error_upper_bound": newest.figures["error_upper_bound"] if newest else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
