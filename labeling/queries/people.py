"""Reads about people's work on a job: answers with a colour for each worker, skill, confidence, disagreement.

For the requester only: workers never see each other's answers.
"""

from collections.abc import Iterable
from typing import Any
from zlib import crc32

from django.db.models import Avg, Count, F, Max, Sum

from labeling.consolidation.clusters import Floats
from labeling.consolidation.workers import Skill, WorkerModels
from labeling.models import Answer, Assignment, AssignmentStatus, DataObject, Label, LabelingJob, LabelSource

# Told apart by eye, also by colour-blind ones (after Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00", "#7f3fbf", "#5f6b6d")

WEAK = 0.1
"""By how much a class must be drawn less often than all to be named as a worker's weak one."""


def answers_of(data_object: DataObject) -> list[dict[str, Any]]:
    """The newest answer of each worker to an object, workers in a fixed order, each with its colour."""
    return answers_of_many([data_object])[data_object.pk]


def answers_of_many(data_objects: Iterable[DataObject]) -> dict[int, list[dict[str, Any]]]:
    """`answers_of` each of several objects, by the object's key, in one query."""
    newest: dict[int, dict[str, Answer]] = {row.pk: {} for row in data_objects}
    rows = (
        Answer.objects.filter(assignment__task__data_object__in=list(newest))
        .select_related("assignment__worker", "assignment__task")
        .order_by("assignment__worker__public_id", "revision")
    )
    for row in rows:
        newest[row.assignment.task.data_object_id][row.assignment.worker.public_id] = row
    return {key: _answers(found) for key, found in newest.items()}


def _colours(workers: Iterable[str]) -> dict[str, str]:
    """A worker has one colour on every picture; only where two would share it does the second take the next one."""
    taken: dict[str, str] = {}
    for name in workers:
        start = crc32(name.encode())
        turns = [COLOURS[(start + step) % len(COLOURS)] for step in range(len(COLOURS))]
        taken[name] = next((colour for colour in turns if colour not in taken.values()), turns[0])
    return taken


def _answers(newest: dict[str, Answer]) -> list[dict[str, Any]]:
    colours = _colours(newest)
    return [
        {
            "worker": name,
            "colour": colours[name],
            "assignment_id": row.assignment_id,
            "revision": row.revision,
            "content": row.content,
            "accepted_at": row.assignment.accepted_at,
            "submitted_at": row.created_at,
            "seconds_spent": row.assignment.seconds_spent,
        }
        for name, row in newest.items()
    ]


def worker_skills(job: LabelingJob) -> list[dict[str, Any]]:
    """What each worker did and how well, as far as consolidation knows; most answers first.

    `hit_rate` is the chance of drawing an object that is there, `false_boxes` how many an image that are not, `spread`
    the scatter of the box edges against the crowd's (1 is the crowd's); None before the first fit. `weakest` is the
    class drawn least often, {label, hit_rate}, where that is WEAK below the worker's rate, else None.
    """
    rows = (
        Assignment.objects.filter(job=job, state=AssignmentStatus.SUBMITTED)
        .values(public_id=F("worker__public_id"))
        .annotate(answers=Count("id"), seconds=Avg("seconds_spent"), paid=Sum("paid_micros"), last=Max("ended_at"))
        .order_by("-answers", "public_id")
    )
    models = WorkerModels.from_json(job.worker_models["models"]) if job.worker_models else None
    names = [row["public_id"] for row in rows]
    rates = models.rates(names) if models and names else None
    hits = models.class_hits(rates, names, job.labels) if models and rates else None
    return [
        {
            "worker": row["public_id"],
            "answers": row["answers"],
            "mean_seconds": row["seconds"],
            "paid_micros": row["paid"] or 0,
            "last_answer_at": row["last"],
            "hit_rate": round(float(rates.hit[place]), 4) if rates else None,
            "false_boxes": _false_boxes(models.skills.get(row["public_id"])) if models else None,
            "spread": round(float(rates.spread[place].mean()), 4) if rates else None,
            "weakest": _weakest(job.labels, hits[place]) if hits is not None else None,
        }
        for place, row in enumerate(rows)
    ]


def _false_boxes(skill: Skill | None) -> float | None:
    """Boxes an image that consolidation holds to be nobody's object, each counted by its chance of being none."""
    if skill is None or skill.images < 1:
        return None
    return round(max(skill.falses, 0.0) / skill.images, 4)


def _weakest(labels: list[str], hits: Floats) -> dict[str, Any] | None:
    worst = int(hits[:-1].argmin())
    if hits[worst] > hits[-1] - WEAK:
        return None
    return {"label": labels[worst], "hit_rate": round(float(hits[worst]), 4)}


def confidence_histogram(job: LabelingJob, *, bins: int = 10, source: str = LabelSource.HUMAN) -> list[int]:
    """How many labeled objects have a confidence in each of `bins` equal parts of [0, 1]."""
    counts = [0] * bins
    rows = Label.objects.filter(data_object__job=job, data_object__label=F("id"), source=source)
    for confidence in rows.exclude(confidence=None).values_list("confidence", flat=True).iterator():
        counts[min(int(confidence * bins), bins - 1)] += 1
    return counts


def disagreements(job: LabelingJob, *, limit: int = 24) -> list[DataObject]:
    """The objects whose answers agree least, worst first, with `label` loaded; adjudicated ones are left out."""
    rows = DataObject.objects.filter(job=job, label__source=LabelSource.HUMAN).select_related("label")
    return list(rows.order_by(F("label__confidence").asc(nulls_last=True), "index")[:limit])
