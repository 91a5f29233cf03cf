"""What a run's metrics say: curves of a size that can be drawn, the newest figures, the time that is left."""

import math
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Avg, F, IntegerField, Max, QuerySet, Value
from django.utils import timezone

from learning.models import ProgramRun, TrainingJob, TrainingMetric, TransformJob
from marketplace.ranges import Range

POINTS = Range(1, 5000)
"""Points of one curve that may be asked for."""

DRAWN = 300
"""Points of a curve that a chart shows."""

RECENT = 120
"""Reports of progress from which the time that is left is estimated."""

CLASS = "validation:AP_50:"
"""How the metric of one class begins: its average precision at IoU 0.5."""

OBJECTIVE = "validation:mAP"
"""The metric by which trainings are compared: mean average precision over IoU 0.5 to 0.95."""


def newest(training: TrainingJob, name: str) -> float | None:
    """The last value of a metric, None before there is one."""
    point = training.newest.get(name)
    return float(point[0]) if point else None


def by_class(training: TrainingJob) -> list[tuple[str, float]]:
    """The average precision at IoU 0.5 of each class in the last evaluation, the best first."""
    found = {name.removeprefix(CLASS): point[0] for name, point in training.newest.items() if name.startswith(CLASS)}
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))


def thinned(
    training: TrainingJob, *, names: Collection[str] | None = None, points: int = DRAWN
) -> dict[str, list[dict[str, Any]]]:
    """Curves of at most about `points` points each: {"train:loss": [{"step", "epoch", "value", "at"}]}.

    Of a longer curve each point is the mean of the values in steps of equal width, at the last of them. `names`: only
    these metrics.
    """
    last = max((point[1] for point in training.newest.values()), default=0)
    width = max(1, math.ceil((last + 1) / points))
    rows = TrainingMetric.objects.filter(training_job=training)
    if names is not None:
        rows = rows.filter(name__in=names)
    bucket: Any = F("step") / Value(width, output_field=IntegerField())
    found: dict[str, list[dict[str, Any]]] = {}
    grouped = rows.annotate(bucket=bucket).values("name", "bucket").order_by("name", "bucket")
    for row in grouped.annotate(mean=Avg("value"), last=Max("step"), last_epoch=Max("epoch"), last_at=Max("at")):
        point = {"step": row["last"], "epoch": row["last_epoch"], "value": row["mean"], "at": row["last_at"]}
        found.setdefault(row["name"], []).append(point)
    return found


def seconds_left(run: TrainingJob | TransformJob) -> float | None:
    """How long a run that works will still take by its recent speed; None when nothing can be said."""
    if run.status != "InProgress" or not 0 < run.progress < 1 or run.started_at is None:
        return None
    since, done = run.started_at, 0.0
    if isinstance(run, TrainingJob):
        recent = list(_progress(run)[:RECENT])
        if len(recent) >= 2:
            since, done = recent[-1]
    gained = run.progress - done
    spent = (_last_report(run) - since).total_seconds()
    return max(0.0, (1 - run.progress) * spent / gained) if gained > 0 and spent > 0 else None


def _progress(run: TrainingJob) -> QuerySet[TrainingMetric, tuple[datetime, float]]:
    rows = TrainingMetric.objects.filter(training_job=run, name="train:progress").order_by("-step")
    return rows.values_list("at", "value")


def _last_report(run: ProgramRun) -> datetime:
    point = run.newest.get("train:progress") if isinstance(run, TrainingJob) else None
    return datetime.fromisoformat(point[2]) if point else timezone.now()
