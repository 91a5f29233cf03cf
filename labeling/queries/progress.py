"""The state of a job: counters, money, progress. For the requester only."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Min, Sum
from django.utils import timezone

from labeling.models import Assignment, Batch, DataObject, LabelingJob, ObjectState, Task
from labeling.queries import gold_budget, spending


def objects_by_state(job: LabelingJob) -> dict[str, int]:
    """How many objects are in each state, every state named."""
    return _states_of_many([job])[job.pk]


def _states_of_many(jobs: Iterable[LabelingJob]) -> dict[int, dict[str, int]]:
    counted = {job.pk: dict.fromkeys(ObjectState.values, 0) for job in jobs}
    rows = DataObject.objects.filter(job__in=list(counted)).values_list("job", "state").annotate(n=Count("id"))
    for job_id, state, n in rows.order_by():
        counted[job_id][state] = n
    return counted


def counters(job: LabelingJob) -> dict[str, int]:
    """AWS's LabelCounters. Objects that are open to people count as Unlabeled."""
    return counters_of_many([job])[job.pk]


def counters_of_many(jobs: Iterable[LabelingJob]) -> dict[int, dict[str, int]]:
    """`counters` of each of several jobs, by the job's key, in one query."""
    return {job_id: _counters(states) for job_id, states in _states_of_many(jobs).items()}


def _counters(states: dict[str, int]) -> dict[str, int]:
    human, machine = states[ObjectState.HUMAN], states[ObjectState.MACHINE]
    return {
        "TotalLabeled": human + machine,
        "HumanLabeled": human,
        "MachineLabeled": machine,
        "FailedNonRetryableError": states[ObjectState.FAILED],
        "Unlabeled": states[ObjectState.UNLABELED] + states[ObjectState.PENDING],
    }


def money(job: LabelingJob) -> dict[str, int]:
    """Micro-dollars with fees: spent, held for answers under review, reserved; and what people would cost at most."""
    return money_of_many([job])[job.pk]


def money_of_many(jobs: Iterable[LabelingJob]) -> dict[int, dict[str, int]]:
    """`money` of each of several jobs, by the job's key, in a fixed number of queries."""
    rows = list(jobs)
    reserved, committed = spending.reserved_of_many(rows), spending.committed_of_many(rows)
    held = spending.under_review_of_many(rows)
    return {
        job.pk: {
            "spent_micros": committed[job.pk] - reserved[job.pk] - held[job.pk],
            "under_review_micros": held[job.pk],
            "reserved_micros": reserved[job.pk],
            "all_human_micros": gold_budget.batch_micros(job, job.objects_total, golds=True, before=0),
        }
        for job in rows
    }


def progress(job: LabelingJob) -> dict[str, Any]:
    """The live batch without its golds: tasks, seats, answers, expected seconds left (None before the first answer)."""
    states = objects_by_state(job)
    batch = Batch.objects.filter(queue=job.queue_id, status__in=["Initializing", "InProgress"]).first()
    sums = Task.objects.filter(batch=batch, gold=None).aggregate(
        tasks=Count("id"), seats=Sum("seats_total"), answers=Sum("answers_count"), free=Sum("seats_free")
    )
    seats, answers, free = (sums[name] or 0 for name in ("seats", "answers", "free"))
    return {
        "objects_total": job.objects_total,
        "objects_by_state": states,
        "batch_number": batch.number if batch else None,
        "batch_expires_at": batch.expires_at if batch else None,
        "tasks": sums["tasks"],
        "seats": seats,
        "answers": answers,
        "leased": seats - free - answers,
        "batch_seconds_left": _seconds_left(batch, seats, answers) if batch else None,
        **_saving(job),
        "attention": job.attention,
    }


def _seconds_left(batch: Batch, seats: int, answers: int) -> float | None:
    first = Assignment.objects.filter(task__batch=batch).aggregate(at=Min("accepted_at"))["at"]
    if not answers or first is None:
        return None
    return (timezone.now() - first).total_seconds() / answers * (seats - answers)


def _saving(job: LabelingJob) -> dict[str, int]:
    """With dynamic redundancy: the answers that done tasks did not need, and what they would have cost with fees."""
    if job.redundancy.get("kind") != "dynamic":
        return {"answers_saved": 0, "saved_micros": 0}
    done = Task.objects.filter(queue=job.queue_id, gold=None, state="Done")
    rows = done.values_list("checks").annotate(tasks=Count("id"), answers=Sum("answers_count")).order_by()
    saved = {checks: tasks * job.queue.max_seats - answers for checks, tasks, answers in rows}
    micros = sum(answers * job.queue.answer_micros(checks=checks) for checks, answers in saved.items())
    return {"answers_saved": sum(saved.values()), "saved_micros": micros}
