"""Reads about golds: a job's golds with how they were answered, and what a worker is told of those they answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet

from labeling import task_types, transitions
from labeling.models import Assignment, Gold, GoldResult, GoldStatus, LabelingJob
from marketplace.models import Worker

PASS_MARK = 0.6
"""The score from which an answer to a gold passes, unless the job has a mark of its own: two thirds of the boxes are
enough, a wrong class is not."""


def pass_mark(job: LabelingJob) -> float:
    """The score from which an answer to a gold of the job passes."""
    mark: float = job.golds.get("pass_mark", PASS_MARK)
    return mark


def with_answers(golds: QuerySet[Gold], job: LabelingJob) -> QuerySet[Gold]:
    """The job's golds with `answers` that were scored, how many of them `passed`, and their mean `seconds`."""
    scored = Q(results__score__isnull=False)
    return golds.annotate(
        answers=Count("results", filter=scored),
        passed=Count("results", filter=Q(results__score__gte=pass_mark(job))),
        seconds=Avg("results__assignment__seconds_spent", filter=scored),
    ).select_related("data_object")


def of_job(job: LabelingJob) -> QuerySet[Gold]:
    """The job's golds as `with_answers` makes them."""
    return with_answers(Gold.objects.filter(queue=job.queue_id), job)


def by_worker(job: LabelingJob) -> dict[str, tuple[int, int]]:
    """How many golds each worker has answered and how many of these passed, by public id, without withdrawn ones."""
    rows = GoldResult.objects.filter(gold__queue=job.queue_id, score__isnull=False)
    counted = (
        rows.exclude(gold__state=GoldStatus.WITHDRAWN)
        .values_list("worker__public_id")
        .annotate(answers=Count("id"), passed=Count("id", filter=Q(score__gte=pass_mark(job))))
    )
    return {worker: (answers, passed) for worker, answers, passed in counted.order_by()}


@dataclass(frozen=True)
class ToldGold:
    """What a worker is told of a gold that is not in use any more. `truth` is as `Label.value` has it.

    `passed` is None where the gold was withdrawn: then the answer said nothing about the worker.
    """

    score: float
    passed: bool | None
    truth: dict[str, Any]
    said: str


def told(seats: Iterable[Assignment]) -> dict[int, ToldGold]:
    """The golds among a worker's assignments that may be told, by the assignment's key, in one query.

    Those that are retired or withdrawn, and all of a job that is over: while a gold is in use nobody learns of it.
    """
    rows = GoldResult.objects.filter(_told_of(), assignment__in=[seat.pk for seat in seats], score__isnull=False)
    rows = rows.select_related("gold__queue__labeling_job__queue")
    return {row.assignment_id: _told(row) for row in rows if row.assignment_id is not None}


def _told(row: GoldResult) -> ToldGold:
    queue = row.gold.queue
    withdrawn = row.gold.state == GoldStatus.WITHDRAWN
    score = row.score or 0.0
    return ToldGold(
        score=score,
        passed=None if withdrawn else score >= pass_mark(queue.labeling_job),
        truth=row.gold.truth,
        said=task_types.get(queue.task_type).summary(row.gold.truth),
    )


def missed(seats: Iterable[int]) -> frozenset[int]:
    """Those of these assignments, by their keys, whose answer did not pass the gold in use that it was given to."""
    rows = GoldResult.objects.filter(assignment__in=list(seats), score__isnull=False)
    rows = rows.exclude(gold__state=GoldStatus.WITHDRAWN).select_related("gold__queue__labeling_job")
    return frozenset(
        row.assignment_id
        for row in rows
        if row.assignment_id is not None and (row.score or 0.0) < pass_mark(row.gold.queue.labeling_job)
    )


def untold_seats(worker: Worker) -> list[int]:
    """The worker's assignments about golds that are in use, of which they must not learn in any way."""
    rows = GoldResult.objects.filter(worker=worker, assignment__isnull=False).exclude(_told_of())
    return list(rows.values_list("assignment", flat=True))


def _told_of() -> Q:
    over = Q(gold__queue__labeling_job__status__in=transitions.LABELING_JOB.final)
    return over | Q(gold__state__in=[GoldStatus.RETIRED, GoldStatus.WITHDRAWN])
