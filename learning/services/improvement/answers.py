"""What people answered about the images of a policy: read once a loop is over, and kept with the image.

The solution's branch A2I HumanLoop Data -> Add Training Image. Answers of sampled images audit the model and are no
training images, as there.
"""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from labeling import task_types
from labeling.formats.shapes import Box
from labeling.services.review import retraining
from learning import transitions
from learning.models import Detection, ImprovementPolicy
from learning.services.improvement import detecting, sets
from learning.services.improvement.runs import BY

AT_ONCE = 100
COUNTED = 0.3
"""Predicted boxes of lower scores are not held against the model."""

OVER = ("Completed", "Failed", "Stopped")


def collect(policy: ImprovementPolicy) -> bool:
    """Take the next answers; whether there are more."""
    over = Q(human_loop__status__in=OVER) | Q(human_loop=None)
    rows = policy.detections.filter(over, status="HumanLoop").select_related(
        "human_loop__flow__queue", "human_loop__task"
    )
    some = list(rows.order_by("pk")[: AT_ONCE + 1])
    for row in some[:AT_ONCE]:
        _take(row)
    return len(some) > AT_ONCE


def _take(row: Detection) -> None:
    loop = row.human_loop
    if loop is None:
        _unanswered(row, "its human loop was deleted")
    elif loop.status != "Completed":
        _unanswered(row, f"its human loop is {loop.status}. {loop.failure_reason}".strip())
    else:
        found = retraining.answered(loop)
        if isinstance(found, retraining.Left):
            _unanswered(row, found.reason)
        else:
            note(row, found)


def _unanswered(row: Detection, reason: str) -> None:
    with transaction.atomic():
        transitions.DETECTION.advance(row, "Unanswered", by=BY, because=reason[:500], reason=reason[:500])


def note(row: Detection, found: retraining.Answered) -> None:
    """Keep the boxes that people drew in an image, and how far the model agreed with them."""
    with transaction.atomic():
        transitions.DETECTION.advance(
            row,
            "Answered",
            by=BY,
            human_label=", ".join(sorted({box.label for box in found.boxes}))[:256],
            truth=sets.rows_of(found.boxes),
            width=found.size.width,
            height=found.size.height,
            agreement=agreement(detecting.boxes_of(row), found.boxes),
            answered_at=timezone.now(),
        )


def agreement(predicted: list[Box], true: list[Box]) -> float:
    """The mean IoU of both, each box with its partner of the same label; a box without one counts 0."""
    kind = task_types.get(retraining.TASK_TYPE)
    sure = [box for box in predicted if (box.confidence or 0.0) >= COUNTED]
    return round(float(kind.agreement(sure, true)), 6)


def untrained(policy: ImprovementPolicy) -> detecting.Rows:
    """The answered images that no training has used yet."""
    rows = policy.detections.filter(status="Answered", run=None, set_aside=False)
    return rows.exclude(source=detecting.SAMPLING)
