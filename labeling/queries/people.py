"""Reads about people's work on a job: answers with a colour for each worker, skill, confidence, disagreement.

For the requester only: workers never see each other's answers.
"""

from collections.abc import Iterable
from typing import Any
from zlib import crc32

from django.db.models import Avg, Count, F, Max, Sum

from labeling import task_types
from labeling.models import (
    GUIDELINE_GAP,
    Answer,
    Assignment,
    AssignmentStatus,
    DataObject,
    Label,
    LabelingJob,
    LabelSource,
)
from labeling.queries import class_names, worker_models

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00", "#7f3fbf", "#5f6b6d")
"""The colours of workers: colour-blind people can tell them apart too (after Okabe and Ito)."""

WEAK = 0.1
"""How far a worker's figure for a class must be below that for all classes to make it the worker's weakest class."""


def answers_of(data_object: DataObject) -> list[dict[str, Any]]:
    """The newest answer of each worker to an object, workers in a fixed order, each with its colour.

    Answers that were rejected are left out.
    """
    return answers_of_many([data_object])[data_object.pk]


def answers_of_many(data_objects: Iterable[DataObject]) -> dict[int, list[dict[str, Any]]]:
    """`answers_of` each of several objects, by the object's key, in one query."""
    newest: dict[int, dict[str, Answer]] = {row.pk: {} for row in data_objects}
    rows = (
        Answer.objects.filter(
            assignment__task__data_object__in=list(newest), assignment__state=AssignmentStatus.SUBMITTED
        )
        .select_related("assignment__worker", "assignment__task__data_object", "assignment__queue")
        .defer("assignment__queue__instructions")
        .order_by("assignment__worker__public_id", "revision")
    )
    for row in rows:
        newest[row.assignment.task.data_object_id][row.assignment.worker.public_id] = row
    return {key: _answers(answers) for key, answers in newest.items()}


def _colours(workers: Iterable[str]) -> dict[str, str]:
    """The colour of each worker: the same on every picture, unless another worker of this object has it already."""
    taken: dict[str, str] = {}
    for name in workers:
        start = crc32(name.encode())
        choices = [COLOURS[(start + step) % len(COLOURS)] for step in range(len(COLOURS))]
        taken[name] = next((colour for colour in choices if colour not in taken.values()), choices[0])
    return taken


def _answers(newest: dict[str, Answer]) -> list[dict[str, Any]]:
    colours = _colours(newest)
    return [
        {
            "worker": name,
            "colour": colours[name],
            "assignment_id": row.assignment_id,
            "revision": row.revision,
            "content": class_names.content_now(
                row.content, queue=row.assignment.queue, size=_size(row.assignment.task.data_object)
            ),
            "accepted_at": row.assignment.accepted_at,
            "submitted_at": row.created_at,
            "seconds_spent": row.assignment.seconds_spent,
        }
        for name, row in newest.items()
    ]


def _size(row: DataObject | None) -> tuple[int, int]:
    return (row.width or 0, row.height or 0) if row is not None else (0, 0)


def worker_skills(job: LabelingJob) -> list[dict[str, Any]]:
    """What each worker did, and how well by the last fit; most answers first.

    The task type's `skill_columns` are added, None before the first fit. `standard_error` is that of the first of them:
    what the type says, else what follows from the counts.
    `weakest` is the class with the lowest first figure, {label, <figure>}, where that is WEAK below the worker's own,
    else None.
    """
    rows = (
        Assignment.objects.filter(queue=job.queue_id, state=AssignmentStatus.SUBMITTED)
        .values(public_id=F("worker__public_id"))
        .annotate(answers=Count("id"), seconds=Avg("seconds_spent"), paid=Sum("paid_micros"), last=Max("ended_at"))
        .order_by("-answers", "public_id")
    )
    kind = task_types.get(job.task_type)
    unknown: dict[str, Any] = {column.key: None for column in kind.skill_columns} | {
        "weakest": None,
        "standard_error": None,
    }
    known = _skills(job, [row["public_id"] for row in rows])
    return [
        {
            "worker": row["public_id"],
            "answers": row["answers"],
            "mean_seconds": row["seconds"],
            "paid_micros": row["paid"] or 0,
            "last_answer_at": row["last"],
            **known.get(row["public_id"], unknown),
        }
        for row in rows
    ]


def _skills(job: LabelingJob, workers: list[str]) -> dict[str, dict[str, Any]]:
    """The figures of each worker over all classes, with the weakest class; empty before the first fit."""
    found = worker_models.fitted(job)
    if found is None:
        return {}
    kind = task_types.get(job.task_type)
    models = kind.load_workers(found["models"])
    rows = kind.skills(models, workers, labels=job.labels)
    if not kind.skill_columns:
        return {}
    main = kind.skill_columns[0].key
    errors = {row.worker: row.standard_error for row in kind.skill_rows(models, labels=job.labels) if not row.label}
    skills: dict[str, dict[str, Any]] = {
        row.worker: {
            **row.figures,
            "weakest": None,
            "standard_error": row.figures.get("standard_error", errors.get(row.worker)),
        }
        for row in rows
        if not row.label
    }
    lowest: dict[str, float] = {}
    for row in rows:
        figure, overall = row.figures[main], skills[row.worker][main]
        if not row.label or figure is None or figure > overall - WEAK:
            continue
        if figure < lowest.get(row.worker, 1.0):
            lowest[row.worker] = figure
            skills[row.worker]["weakest"] = {"label": row.label, main: figure}
    return skills


def warning(job: LabelingJob) -> str:
    """What the last fit warns the requester of; empty where there is none, or nothing to warn of."""
    found = worker_models.fitted(job)
    if found is None:
        return ""
    kind = task_types.get(job.task_type)
    return kind.warning(kind.load_workers(found["models"]))


def confidence_histogram(job: LabelingJob, *, bins: int = 10, source: str = LabelSource.HUMAN) -> list[int]:
    """How many labeled objects have a confidence in each of `bins` equal parts of [0, 1]."""
    counts = [0] * bins
    rows = Label.objects.filter(data_object__job=job, data_object__label=F("id"), source=source)
    for confidence in rows.exclude(confidence=None).values_list("confidence", flat=True).iterator():
        counts[min(int(confidence * bins), bins - 1)] += 1
    return counts


def unclear(job: LabelingJob, *, limit: int = 24) -> tuple[int, list[DataObject]]:
    """How many objects the better half of their workers disagree about more than the worse half, and the first of them,
    with `label` loaded: the greatest gap first, then the most difficult."""
    rows = DataObject.objects.filter(job=job, guideline_gap__gte=GUIDELINE_GAP).exclude(label=None)
    first = rows.select_related("label").order_by("-guideline_gap", F("difficulty").desc(nulls_last=True), "index")
    return rows.count(), list(first[:limit])


def disagreements(job: LabelingJob, *, limit: int = 24) -> list[DataObject]:
    """The objects whose answers agree least, worst first; adjudicated ones are left out.

    With `label` and `likely_error` loaded.
    """
    rows = DataObject.objects.filter(job=job, label__source=LabelSource.HUMAN).select_related("label", "likely_error")
    return list(rows.order_by(F("label__confidence").asc(nulls_last=True), "index")[:limit])
