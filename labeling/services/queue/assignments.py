"""Claim, submit, return and decline a task. Knows nothing of what answers are for.

Claim and submit are one transaction each and must not share one: a submit holds its task while a claim may wait for
another. The order of locks is in locking.py.

A late answer is accepted and paid until another worker has claimed the seat, which is possible once the sweep has ended
the lease. Leases that run when the queue is closed may be answered for a short grace period and are then cancelled.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone

from labeling import subjects, task_types
from labeling.conduct.observed import Activity
from labeling.models import Assignment, AssignmentStatus, PanelSession, WorkQueue
from labeling.services.conduct import noting
from labeling.services.queue import advance_requests, leases, routing, study_sessions, visibility
from labeling.services.queue.seats import Handed, Seat
from labeling.services.results import answering, reviewing
from marketplace import metrics
from marketplace.errors import (
    AlreadySubmitted,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    RoutingFailed,
    TaskGone,
    TaskLimit,
)
from marketplace.models import Account, Subject, Worker
from marketplace.ranges import Range
from marketplace.services import escrow, team_access

MOST_LEASES = 25
"""Tasks of one queue that a worker may hold at a time, so that nobody keeps a whole batch from the others."""

TASKS_PER_LEASE = 5
"""A worker may hold one in so many of the tasks that they hold or others can still claim, so that a small queue is left
to the others too; one task always."""

FIRST_LEASES = 5
"""Tasks of one queue that a worker may hold who has handed in none within the last hour; for each one handed in it is
one more. Whoever holds tasks without working on them keeps few of them from the others."""

SECONDS = Range(0, 30 * 86_400)
"""Active seconds that a worker's page measures for a task; a month is far above the longest time limit."""

COUNTED = Range(0, 1_000_000)
"""Events of one kind that a worker's page counts for a task; it stops counting there."""

KEY_LENGTH = Range(1, 200)
"""Characters of the keys that make a claim or a submit safe to repeat."""

REASON_LENGTH = Range(0, 200)
"""Characters of the reason why a task is declined."""


@dataclass(frozen=True)
class Submission:
    """What a submit did. `repeated`: the same key had been submitted before and nothing was changed.

    `paid_micros` is what the answer is paid; with `held_until` it is held for a review that ends then at the latest.
    With `to_employer` it goes to the vendor that employs the worker.
    """

    assignment_id: int
    queue_id: int
    paid_micros: int
    repeated: bool
    held_until: datetime | None = None
    to_employer: bool = False


def claim(
    *, worker: Worker, queue: WorkQueue, key: str = "", now: datetime | None = None, address: str | None = None
) -> Assignment | None:
    """Lease the next task of the queue to the worker; None if there is none for them now.

    A repeat with the same `key` returns the same assignment, as long as it is leased; "" is no key. The assignment's
    queue and worker are `queue` and `worker`, its task is fetched when first read. `address` is where the request comes
    from, "" an unknown one, None where there is no request. Raises NotFound for a queue that does not exist, Forbidden
    for a worker who may not see it or comes from outside of the networks of its team, TaskLimit for one who holds as
    many tasks as they may (MOST_LEASES, TASKS_PER_LEASE, FIRST_LEASES), RoutingFailed when the queue's routing rule
    gives no answer, TaskGone for the key of an assignment that has ended, Invalid for a long key, SessionOver for a
    panel's participant whose study session is over.
    """
    if len(key) > KEY_LENGTH.longest:
        raise Invalid(f"a claim's key has at most {KEY_LENGTH.longest} characters, {len(key)} found", field="key")
    with _counted(metrics.count_claim) as outcome:
        seat = _admitted(worker, queue, key, now or timezone.now(), address)
        outcome.append("nothing" if seat is None else "given")
    return seat


@contextmanager
def _counted(count: Callable[[str], None]) -> Iterator[list[str]]:
    """Count what comes of a request: what the block appends, or a refusal, which a DomainError is."""
    outcome: list[str] = []
    try:
        yield outcome
    except DomainError:
        count("refused")
        raise
    count(outcome[-1])


def _admitted(worker: Worker, queue: WorkQueue, key: str, at: datetime, address: str | None) -> Assignment | None:
    if worker.panel_id is None:
        return _take(worker, queue, key, at, address)
    with transaction.atomic():
        study_sessions.admit(worker_id=worker.pk, queue_id=queue.pk, key=key, now=at)
        return _take(worker, queue, key, at, address)


def _take(worker: Worker, queue: WorkQueue, key: str, at: datetime, address: str | None) -> Assignment | None:
    outcome, seat = _claim(worker, queue, key, at, address)
    if outcome == "Nothing" and leases.expire_overdue(queue_id=queue.pk, now=at):
        outcome, seat = _claim(worker, queue, key, at, address)
    if outcome == "NoSuchQueue":
        _require_inside(worker, queue, address)
        raise NotFound(f"there is no work queue {queue.pk}")
    if (refused := visibility.said(outcome)) is not None:
        raise Forbidden(refused)
    if outcome == "HandsFull":
        raise TaskLimit(
            f"you hold as many tasks of this job as one worker may: one in {TASKS_PER_LEASE} of those that are left, "
            f"{FIRST_LEASES} and one more for each that you handed in within the last hour, {MOST_LEASES} at most; "
            "submit one or return one first"
        )
    if outcome == "KeyUsed":
        raise TaskGone("the task that was claimed with this key is not yours any more; claim with another key")
    return seat


def _require_inside(worker: Worker, queue: WorkQueue, address: str | None) -> None:
    """Raises Forbidden when it is the worker's address for which there seems to be no such queue."""
    found = visibility.with_outside(WorkQueue.objects.filter(pk=queue.pk), address).first()
    if found is None:
        return
    refused = visibility.refusal(worker_id=worker.pk, queue=found)
    if refused is not None:
        raise Forbidden(visibility.said(refused) or refused)
    visibility.require_inside(found, address)


def _claim(
    worker: Worker, queue: WorkQueue, key: str, at: datetime, address: str | None
) -> tuple[str, Assignment | None]:
    for _ in range(routing.MOST_TRIES):
        # With rules a claim and the rule's answer are one transaction: a seat is taken only once the rule has agreed.
        with transaction.atomic() if routing.allowed() else nullcontext():
            outcome, seat = _claim_one(worker, queue, key, at, address)
        if outcome != AssignmentStatus.WITHHELD:
            return outcome, seat
    return "Nothing", None


def _claim_one(
    worker: Worker, queue: WorkQueue, key: str, at: datetime, address: str | None
) -> tuple[str, Assignment | None]:
    with connection.cursor() as cursor:
        # To somebody outside of the networks of its team the queue does not exist. In the same round trip, so that
        # teams without such a list pay next to nothing for it.
        cursor.execute(
            """SELECT c.outcome, c.assignment_id, c.task_id, c.accepted_at, c.lease_expires_at, r.routing_rule
               FROM labeling_claim(%s, labeling_queue_inside(%s, %s), %s, %s, %s, %s, %s) c
               LEFT JOIN labeling_workqueue r ON r.id = %s""",
            [worker.pk, queue.pk, address, at, MOST_LEASES, TASKS_PER_LEASE, FIRST_LEASES, key, queue.pk],
        )
        outcome, seat, task, accepted_at, lease_expires_at, rule = cursor.fetchone()
    if outcome != "Claimed":
        return outcome, None
    # A repeat of a claim returns what the rule has agreed to before.
    if rule and accepted_at == at and not _routed(rule, worker, queue, seat, task):
        routing.withhold(assignment_id=seat, task_id=task, now=at)
        return AssignmentStatus.WITHHELD, None
    leased = Assignment(
        pk=seat,
        task_id=task,
        queue=queue,
        worker=worker,
        claim_key=key,
        accepted_at=accepted_at,
        lease_expires_at=lease_expires_at,
    )
    leased._state.adding = False
    return outcome, leased


def _routed(rule: str, worker: Worker, queue: WorkQueue, seat: int, task: int) -> bool:
    try:
        return routing.admits(rule=rule, worker=worker, queue_id=queue.pk, task_id=task)
    except RoutingFailed:
        if not connection.in_atomic_block:
            # No rule is allowed any more, so the claim was no transaction that could be undone.
            leases.end_seats(queue_id=queue.pk, seats=[seat], to=AssignmentStatus.RETURNED, now=timezone.now())
        raise


def peek(*, worker: Worker, queue: WorkQueue) -> dict[str, Any] | None:
    """The input of the task the worker would most likely be given next, to fetch its picture ahead.

    Nothing is reserved. None where a routing rule decides who sees which object: it has not been asked.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT t.input FROM labeling_peek(%s, %s) p JOIN labeling_task t ON t.id = p.task_id
               JOIN labeling_workqueue q ON q.id = t.queue_id WHERE q.routing_rule = ''""",
            [worker.pk, queue.pk],
        )
        row = cursor.fetchone()
    return orjson.loads(row[0]) if row else None


def submit(
    *,
    assignment: Assignment,
    worker: Worker,
    content: Any,
    seconds: float,
    key: str | None,
    activity: Activity | None = None,
    address: str | None = None,
) -> Submission:
    """Store an answer and pay for it, in one transaction; a repeat with the same key gets the same result.

    Where the queue has a review the pay is held until the answer is reviewed.

    `content` is the crowd element's JSON, `seconds` the active time. Without a `key` the seat has one of its own, and
    another one once its answer was rejected. `activity` is what the worker's page counted, `address` is as in `claim`.
    Raises NotFound for another worker's seat, Forbidden from outside of the networks of the queue's team, Invalid
    (naming the field) for a bad answer, AlreadySubmitted when the seat was answered with another key, TaskGone when it
    is not the worker's any more.
    """
    with _counted(metrics.count_submit) as outcome:
        done = _submit(assignment, worker, content, seconds, key, activity, address)
        outcome.append("repeated" if done.repeated else "accepted")
    return done


def _submit(
    assignment: Assignment,
    worker: Worker,
    content: Any,
    seconds: float,
    key: str | None,
    activity: Activity | None,
    address: str | None,
) -> Submission:
    seat = Seat.read(assignment.pk, worker.pk, address)
    if seat.outside:
        raise Forbidden(team_access.refusal(address))
    key = seat.own_key() if key is None else key
    if seat.state == AssignmentStatus.SUBMITTED and key == seat.key:
        return _repeated(seat, seat.paid_micros)
    if seat.state == AssignmentStatus.LEASED and seat.key and key == seat.key:
        raise AlreadySubmitted("the answer with this key was rejected; answer again with another key", field="key")
    if not isinstance(key, str) or len(key) not in KEY_LENGTH:
        raise Invalid(f"a submit needs a key of {KEY_LENGTH} characters", field="key")
    if seconds not in SECONDS:
        raise Invalid(f"{seconds} found, {SECONDS} seconds expected", field="seconds")
    checked = answering.checked(content, **seat.asked)
    now = timezone.now()
    held_until = None
    with transaction.atomic():
        session = _session(seat, worker, key)
        handed = seat.submit(checked.text, seconds, key, now, activity)
        if handed.outcome == "Accepted":
            if session is not None:
                study_sessions.count_answer(session)
            if seat.review_days is None:
                _pay(seat, worker, handed)
            else:
                held_until = _hold(seat, worker, checked.answer, handed, review_days=seat.review_days, now=now)
            if handed.look:
                noting.send(seat.queue_id)
            # With golds after every answer, so that the time of a submit does not tell which one was a gold.
            if handed.wanted or seat.mixes_golds:
                advance_requests.request_advance(seat.queue_id)
    if handed.outcome == "Accepted":
        return Submission(seat.pk, seat.queue_id, handed.paid_micros, False, held_until, seat.employer is not None)
    if handed.outcome == AssignmentStatus.SUBMITTED and handed.key == key:
        return _repeated(seat, handed.paid_micros)
    error = AlreadySubmitted if handed.outcome == AssignmentStatus.SUBMITTED else TaskGone
    raise error(_refusal_reason(handed.outcome, handed.lease_ended), field="assignment")


def _repeated(seat: Seat, paid_micros: int) -> Submission:
    """What the submit did that is repeated now."""
    held_until = None if seat.review_days is None else reviewing.held_until(seat.pk)
    return Submission(seat.pk, seat.queue_id, paid_micros, True, held_until, seat.employer is not None)


def _session(seat: Seat, worker: Worker, key: str) -> PanelSession | None:
    """A participant's session, locked before the task is; None for other workers, and for a repeated submit.

    Raises TaskGone when the session is over.
    """
    if worker.panel_id is None:
        return None
    session = study_sessions.lock_active(worker_id=worker.pk, queue_id=seat.queue_id)
    if session is None:
        again = Seat.read(seat.pk, worker.pk, None)
        if again.state != AssignmentStatus.SUBMITTED or again.key != key:
            raise TaskGone("your session of this study is over, and the task went to others", field="assignment")
    return session


def _pay(seat: Seat, worker: Worker, handed: Handed) -> None:
    escrow.pay(
        purpose=Subject(subjects.WORK_QUEUE, seat.queue_id),
        subject=Subject(subjects.ASSIGNMENT, seat.pk),
        account=Account(pk=seat.account_id),
        worker=worker,
        price_micros=handed.paid_micros,
        fee_micros=handed.fee_micros,
        employer=seat.employer,
        by=f"worker:{worker.pk}",
        description=seat.title,
    )


def _hold(seat: Seat, worker: Worker, answer: Any, handed: Handed, *, review_days: int, now: datetime) -> datetime:
    return reviewing.open_review(
        assignment_id=seat.pk,
        queue_id=seat.queue_id,
        account_id=seat.account_id,
        worker=worker,
        labels=task_types.get(seat.task_type).classes(answer),
        price_micros=handed.paid_micros,
        fee_micros=handed.fee_micros,
        employer=seat.employer,
        review_days=review_days,
        title=seat.title,
        now=now,
    )


def _refusal_reason(outcome: str, lease_ended: datetime) -> str:
    return {
        AssignmentStatus.SUBMITTED: "this task was submitted already, with another key",
        AssignmentStatus.EXPIRED: f"the lease expired at {lease_ended:%Y-%m-%d %H:%M:%S} UTC, the task went to others",
        AssignmentStatus.RETURNED: "this task was returned, by you or because you may not work on it any more",
        AssignmentStatus.DECLINED: "you declined this task",
        AssignmentStatus.CANCELLED: "the job ended before this task was submitted",
        AssignmentStatus.REJECTED: "the answer to this task was rejected, and the task went to others",
    }[AssignmentStatus(outcome)]


def give_back(*, assignment: Assignment, worker: Worker) -> None:
    """Return a task unanswered; it may be offered to the same worker again. Raises TaskGone unless it is leased."""
    _end(assignment, worker, AssignmentStatus.RETURNED, "")


def decline(*, assignment: Assignment, worker: Worker, reason: str = "") -> None:
    """Refuse a task; this worker never gets it again.

    Raises TaskGone unless it is leased, Invalid for a long reason.
    """
    if len(reason) not in REASON_LENGTH:
        raise Invalid(f"a reason has {REASON_LENGTH} characters, {len(reason)} found", field="reason")
    _end(assignment, worker, AssignmentStatus.DECLINED, reason)


def _end(assignment: Assignment, worker: Worker, to: AssignmentStatus | str, reason: str) -> None:
    seat = Assignment.objects.filter(pk=assignment.pk, worker=worker).values("state", "queue_id").first()
    if seat is None:
        raise NotFound(f"you have no assignment {assignment.pk}")
    if seat["state"] == to:
        return
    ended = leases.end_seats(queue_id=seat["queue_id"], seats=[assignment.pk], to=to, now=timezone.now(), reason=reason)
    if not ended:
        state = Assignment.objects.values_list("state", flat=True).get(pk=assignment.pk)
        if state != to:
            raise TaskGone(f"this task is {state}, only a leased one can be given up", field="assignment")
