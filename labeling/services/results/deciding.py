"""Decisions about answers under review: accept, reject, and what is accepted by itself when its date has come.

An acceptance locks the reviews only; a rejection also takes away the answer, so it locks everything that a submit does
(queue/locking.py). Each review is decided once: whoever comes second changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from labeling import subjects
from labeling.models import AnswerReview, Assignment, Batch, ReviewStatus, Task, WorkQueue
from labeling.services import notices
from labeling.services.queue import rejected_seats
from labeling.services.queue.batches import LIVE
from labeling.services.queue.locking import lock_positions
from labeling.services.results import evidence
from labeling.services.results.review_lists import ReviewFilter, reviews
from marketplace.errors import Invalid, WrongState
from marketplace.models import Subject
from marketplace.ranges import Range
from marketplace.services import audit, reviewed_pay

REASON_LENGTH = Range(1, 500)
"""Characters of the reason for a rejection, which the worker reads."""

AT_ONCE = 500
"""Answers that one call decides at most; with a filter that keeps more, call again."""

CHUNK = 100
"""Answers that one transaction decides."""

BY_DATE = "system"
"""Who accepts an answer when its date has come."""


class Decided(NamedTuple):
    """What a decision by filter did: how many answers it decided, and how many that the filter keeps are pending."""

    decided: int
    left: int


def accept(*, queue: WorkQueue, review_ids: Iterable[int], by: str) -> int:
    """Accept those of the reviews that are pending, and pay for them; returns how many. Safe to repeat."""
    return sum(_accept_chunk(chunk, queue, by) for chunk in _chunks(review_ids))


def accept_one(*, review: AnswerReview, by: str) -> AnswerReview:
    """Accept one answer. Safe to repeat; raises WrongState for one that was rejected."""
    accept(queue=review.queue, review_ids=[review.pk], by=by)
    return _must_be(review, ReviewStatus.ACCEPTED)


def accept_where(*, queue: WorkQueue, wanted: ReviewFilter, by: str) -> Decided:
    """Accept the pending answers that a filter keeps, oldest first, at most AT_ONCE."""
    pending = reviews(queue, wanted).filter(state=ReviewStatus.PENDING)
    done = accept(queue=queue, review_ids=pending.order_by("pk").values_list("pk", flat=True)[:AT_ONCE], by=by)
    return Decided(done, pending.count())


def accept_due(*, now: datetime | None = None) -> int:
    """Accept every answer whose date has come without a decision; returns how many. Safe to repeat and to kill."""
    now, done = now or timezone.now(), 0
    while True:
        with transaction.atomic():
            due = AnswerReview.objects.filter(state=ReviewStatus.PENDING, due_at__lte=now).order_by("due_at", "pk")
            # Those that somebody is deciding about at this moment are left for the next sweep.
            ids = list(due.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)[:CHUNK])
            if not ids:
                return done
            done += _accept_locked(_lock(ids), by=BY_DATE)


def reject(*, queue: WorkQueue, review_ids: Iterable[int], reason: str, return_to_worker: bool = False, by: str) -> int:
    """Reject those of the reviews that are pending; returns how many. Safe to repeat.

    The answers are not paid and count no more. While its batch is on offer a seat is offered again: with
    `return_to_worker` to the same worker for one more lease, else to others. Raises Invalid for a reason of no or too
    many characters.
    """
    reason = reason.strip()
    if len(reason) not in REASON_LENGTH:
        raise Invalid(f"a rejection needs a reason of {REASON_LENGTH} characters, {len(reason)} found", field="reason")
    return sum(_reject_chunk(chunk, queue, reason, return_to_worker, by) for chunk in _chunks(review_ids))


def reject_one(*, review: AnswerReview, reason: str, return_to_worker: bool = False, by: str) -> AnswerReview:
    """Reject one answer. Safe to repeat; raises WrongState for one that was accepted, and Invalid as `reject` does."""
    reject(queue=review.queue, review_ids=[review.pk], reason=reason, return_to_worker=return_to_worker, by=by)
    return _must_be(review, ReviewStatus.REJECTED)


def reject_where(
    *, queue: WorkQueue, wanted: ReviewFilter, reason: str, return_to_worker: bool = False, by: str
) -> Decided:
    """Reject the pending answers that a filter keeps, oldest first, at most AT_ONCE. Raises as `reject` does."""
    pending = reviews(queue, wanted).filter(state=ReviewStatus.PENDING)
    ids = pending.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
    done = reject(queue=queue, review_ids=ids, reason=reason, return_to_worker=return_to_worker, by=by)
    return Decided(done, pending.count())


def _chunks(review_ids: Iterable[int]) -> list[Sequence[int]]:
    ids = sorted(set(review_ids))
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


def _must_be(review: AnswerReview, state: str) -> AnswerReview:
    found = AnswerReview.objects.select_related("queue").get(pk=review.pk)
    if found.state != state:
        raise WrongState(f"this answer was {found.state.lower()} already", field="review")
    return found


def _lock(ids: Sequence[int], queue: WorkQueue | None = None) -> list[AnswerReview]:
    rows = AnswerReview.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "worker__user", "queue__account", "queue__contract"
    )
    found = rows.filter(pk__in=ids).order_by("pk")
    if queue is not None:
        found = found.filter(queue=queue)
    return [row for row in found if row.state == ReviewStatus.PENDING]


def _accept_chunk(ids: Sequence[int], queue: WorkQueue, by: str) -> int:
    with transaction.atomic():
        rows = _lock(ids, queue)
        if rows:
            workers = ", ".join(f"worker:{key}" for key in sorted({row.worker_id for row in rows}))
            audit.record(queue, by=by, because=f"{len(rows)} answers accepted, of {workers}")
        return _accept_locked(rows, by=by)


def _accept_locked(rows: Sequence[AnswerReview], *, by: str) -> int:
    now = timezone.now()
    for row in rows:
        row.state, row.decided_at, row.decided_by = ReviewStatus.ACCEPTED, now, by
        reviewed_pay.release(
            subject=Subject(subjects.ANSWER_REVIEW, row.pk),
            account=row.queue.account,
            worker=row.worker,
            price_micros=row.price_micros,
            fee_micros=row.fee_micros,
            employer=row.queue.employer,
            by=by,
            description=row.queue.title,
        )
    AnswerReview.objects.bulk_update(rows, ["state", "decided_at", "decided_by"])
    evidence.record_reviews(rows, at=now)
    return len(rows)


def _reject_chunk(ids: Sequence[int], queue: WorkQueue, reason: str, return_to_worker: bool, by: str) -> int:
    now = timezone.now()
    with transaction.atomic():
        lock_positions(queue.pk)
        # Read under the position lock, so that a stop that commits later withdraws the seats that are freed here.
        queue = WorkQueue.objects.get(pk=queue.pk)
        of_seats = AnswerReview.objects.filter(pk__in=ids, queue=queue).values("assignment")
        of_tasks = Assignment.objects.filter(pk__in=of_seats).values("task")
        of_batches = Task.objects.filter(pk__in=of_tasks).values("batch")
        live = {
            batch.pk: batch.status in LIVE
            for batch in Batch.objects.select_for_update(no_key=True).filter(pk__in=of_batches).order_by("pk")
        }
        tasks = list(Task.objects.select_for_update(no_key=True).filter(pk__in=of_tasks).order_by("pk"))
        seats = list(Assignment.objects.select_for_update(no_key=True).filter(pk__in=of_seats).order_by("pk"))
        rows = _lock(ids, queue)
        decided = {row.assignment_id for row in rows}
        seats = [seat for seat in seats if seat.pk in decided]
        if not rows:
            return 0
        of_seat = {seat.pk: seat.task_id for seat in seats}
        touched = [task for task in tasks if task.pk in set(of_seat.values())]
        batch_of = {task.pk: task.batch_id for task in touched}
        again = rejected_seats.vacate(queue=queue, tasks=touched, seats=seats, to_same_worker=return_to_worker, now=now)
        for row in rows:
            row.state, row.decided_at, row.decided_by, row.reason = ReviewStatus.REJECTED, now, by, reason
            row.returned = row.assignment_id in again
            # What was kept pays the seat that is offered again.
            row.kept_micros = 0
            _return_pay(row, in_escrow=live[batch_of[of_seat[row.assignment_id]]], by=by)
        AnswerReview.objects.bulk_update(
            rows, ["state", "decided_at", "decided_by", "reason", "returned", "to_wallet_micros", "kept_micros"]
        )
        for row in rows:
            said = f"answer of worker:{row.worker_id} rejected: {reason}"
            audit.record(row, by=by, because=said, account=row.queue.account, to_status=row.state)
        notices.rejected(rows, reason)
        evidence.forget_agreement(decided)
        evidence.record_reviews(rows, at=now)
    return len(rows)


def _return_pay(row: AnswerReview, *, in_escrow: bool, by: str) -> None:
    """To the escrow of the queue while the batch is live, as the seat may be answered again; else to the wallet."""
    if not in_escrow:
        row.to_wallet_micros += row.price_micros + row.fee_micros
    reviewed_pay.give_back(
        subject=Subject(subjects.ANSWER_REVIEW, row.pk),
        account=row.queue.account,
        worker=row.worker,
        price_micros=row.price_micros,
        fee_micros=row.fee_micros,
        employer=row.queue.employer,
        escrow=Subject(subjects.WORK_QUEUE, row.queue_id) if in_escrow else None,
        by=by,
        description=row.queue.title,
    )
