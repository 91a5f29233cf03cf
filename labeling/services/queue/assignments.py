"""Handing out work and taking it in: claim, submit, return, decline. Knows nothing of consolidation.

Claim and submit are one transaction each and must not share one: a submit holds its task while a claim may wait for
another. The order of locks is in locking.py.

Fairness: a lease that ran out may still be answered, and is paid, as long as the seat was not given away (before the
sweep ends the lease: always; afterwards: while the seat is free). After Stop, leases that were running may be answered
for a short grace (jobs.STOP_GRACE); then they are cancelled.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from labeling.models import Assignment, AssignmentStatus, LabelingJob, Task, TaskStatus, WorkerCursor
from labeling.queries import spending
from labeling.services.queue import advance_requests, leases
from labeling.services.queue.leases import expire_overdue
from labeling.services.results import answering
from marketplace.errors import AlreadySubmitted, Forbidden, Invalid, NotFound, TaskGone, TaskLimit
from marketplace.models import Account, Subject, Worker, WorkerStatus
from marketplace.ranges import Range
from marketplace.services import escrow

# Tasks of one job that a worker may hold at a time, so that nobody sits on a whole batch.
MOST_LEASES = 25

SECONDS = Range(0, 30 * 86_400)
"""Active seconds that a worker's page measures for a task; a month is far above the longest time limit."""

KEY_LENGTH = Range(1, 200)
"""Characters of the key that makes a submit safe to repeat."""

REASON_LENGTH = Range(0, 200)
"""Characters of the reason why a task is declined."""


@dataclass(frozen=True)
class Submission:
    """What a submit did. `repeated`: the same key had been submitted before and nothing was changed."""

    assignment_id: int
    paid_micros: int
    repeated: bool


@dataclass(frozen=True)
class AvailableWork:
    """A job on a worker's list. `tasks_left` counts tasks with a free seat this worker has not had, at most 1000."""

    job_id: int
    title: str
    description: str
    keywords: list[str]
    requester: str
    task_type: str
    price_micros: int
    expected_seconds: float
    hourly_micros: int
    task_time_limit_seconds: int
    tasks_left: int
    tasks_held: int


def claim(*, worker: Worker, job: LabelingJob, now: datetime | None = None) -> Assignment | None:
    """Lease the next task of the job to the worker, or None if there is none for them now.

    The seat's job and worker are those given, its task is fetched when first read. Raises NotFound for no such job,
    Forbidden for a worker who is not an active member of its team, LimitExceeded for one who holds MOST_LEASES tasks.
    """
    at = now or timezone.now()
    outcome, seat = _claim(worker, job, at)
    if outcome == "Nothing" and expire_overdue(job_id=job.pk, now=at):
        outcome, seat = _claim(worker, job, at)
    if outcome == "NoSuchJob":
        raise NotFound(f"there is no labeling job {job.pk}")
    if outcome == "NotEligible":
        raise Forbidden("you are not an active member of the team this job is given to")
    if outcome == "HandsFull":
        raise TaskLimit(f"you hold {MOST_LEASES} tasks of this job; hand one in or return one first")
    return seat


def _claim(worker: Worker, job: LabelingJob, at: datetime) -> tuple[str, Assignment | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT outcome, assignment_id, task_id, lease_expires_at FROM labeling_claim(%s, %s, %s, %s)",
            [worker.pk, job.pk, at, MOST_LEASES],
        )
        outcome, seat, task, lease_expires_at = cursor.fetchone()
    if outcome != "Claimed":
        return outcome, None
    leased = Assignment(
        pk=seat, task_id=task, job=job, worker=worker, accepted_at=at, lease_expires_at=lease_expires_at
    )
    leased._state.adding = False
    return outcome, leased


def peek(*, worker: Worker, job: LabelingJob) -> int | None:
    """The data object the worker would most likely be given next, to fetch its image ahead; nothing is reserved."""
    with connection.cursor() as cursor:
        cursor.execute(_PEEK, {"worker": worker.pk, "job": job.pk})
        row = cursor.fetchone()
    return row[0] if row else None


_PEEK = """
    SELECT t.data_object_id FROM labeling_task t
    WHERE t.job_id = %(job)s AND t.state = 'Open' AND t.seats_free > 0 AND t.queue_position > coalesce(
            (SELECT position FROM labeling_workercursor WHERE worker_id = %(worker)s AND job_id = %(job)s), 0)
        AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.task_id = t.id AND a.worker_id = %(worker)s
                        AND a.state NOT IN ('Returned', 'Expired'))
    ORDER BY t.queue_position LIMIT 1"""


def submit(*, assignment: Assignment, worker: Worker, content: Any, seconds: float, key: str) -> Submission:
    """Store an answer and pay for it, in one transaction; a repeat with the same key gets the same result.

    `content` is the crowd element's JSON, `seconds` the active time. Raises NotFound for another worker's seat,
    Invalid (naming the field) for a bad answer, InUse when the seat was answered with another key or is gone.
    """
    seat = _Seat.read(assignment.pk, worker.pk)
    if seat.state == AssignmentStatus.SUBMITTED and key == seat.key:
        return Submission(assignment.pk, seat.paid_micros, True)
    if not isinstance(key, str) or len(key) not in KEY_LENGTH:
        raise Invalid(f"a submit needs a key of {KEY_LENGTH} characters", field="key")
    if seconds not in SECONDS:
        raise Invalid(f"{seconds} found, {SECONDS} seconds expected", field="seconds")
    answer = answering.checked(content, task_type=seat.task_type, labels=seat.labels, size=(seat.width, seat.height))
    now = timezone.now()
    with transaction.atomic():
        outcome, paid, stored_key, lease_ended, wanted = seat.submit(answer, seconds, key, now)
        if outcome == "Accepted":
            escrow.pay(
                purpose=Subject(spending.LABELING_JOB, seat.job_id),
                subject=Subject(spending.ASSIGNMENT, seat.pk),
                account=Account(pk=seat.account_id),
                worker=worker,
                price_micros=seat.price_micros,
                fee_micros=seat.fee_micros,
                by=f"worker:{worker.pk}",
                description=f"Task of labeling job {seat.job_id}",
            )
            if wanted:
                advance_requests.request_advance(seat.job_id)
    if outcome == "Accepted":
        return Submission(seat.pk, paid, False)
    if outcome == AssignmentStatus.SUBMITTED and stored_key == key:
        return Submission(seat.pk, paid, True)
    refusal = AlreadySubmitted if outcome == AssignmentStatus.SUBMITTED else TaskGone
    raise refusal(_why_not(outcome, lease_ended), field="assignment")


def _why_not(outcome: str, lease_ended: datetime) -> str:
    return {
        AssignmentStatus.SUBMITTED: "this task was submitted already, with another key",
        AssignmentStatus.EXPIRED: f"the lease expired at {lease_ended:%Y-%m-%d %H:%M:%S} UTC, the task went to others",
        AssignmentStatus.RETURNED: "you returned this task",
        AssignmentStatus.DECLINED: "you declined this task",
        AssignmentStatus.CANCELLED: "the job ended before this task was handed in",
    }[AssignmentStatus(outcome)]


@dataclass(frozen=True, slots=True)
class _Seat:
    """What a submit has to know of its seat, read in one plain query: none of it but the state ever changes."""

    pk: int
    worker_id: int
    state: str
    key: str
    paid_micros: int
    width: int
    height: int
    job_id: int
    task_type: str
    labels: list[str]
    price_micros: int
    fee_micros: int
    account_id: int
    most_seats: int

    @classmethod
    def read(cls, pk: int, worker_id: int) -> "_Seat":
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT a.id, a.worker_id, a.state, a.submit_key, coalesce(a.paid_micros, 0), o.width, o.height,
                       j.id, j.task_type, j.labels, j.price_micros, j.fee_micros, j.account_id,
                       CASE WHEN j.redundancy ->> 'kind' = 'dynamic' THEN j.workers_per_object ELSE 0 END
                   FROM labeling_assignment a JOIN labeling_labelingjob j ON j.id = a.job_id
                   JOIN labeling_task t ON t.id = a.task_id JOIN labeling_dataobject o ON o.id = t.data_object_id
                   WHERE a.id = %s AND a.worker_id = %s""",
                [pk, worker_id],
            )
            row = cursor.fetchone()
        if row is None:
            raise NotFound(f"you have no assignment {pk}")
        values: list[Any] = [*row[:9], json.loads(row[9]), *row[10:]]
        return cls(*values)

    def submit(self, answer: str, seconds: float, key: str, now: datetime) -> tuple[str, int, str, datetime, bool]:
        """The SQL function of the same name (see the migration that makes it): one round trip."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT * FROM labeling_submit(%s, %s, %s::jsonb, %s, %s, %s, %s, %s)",
                [self.pk, self.worker_id, answer, seconds, key, self.price_micros, now, self.most_seats],
            )
            found: tuple[str, int, str, datetime, bool] = cursor.fetchone()
        return found


def give_back(*, assignment: Assignment, worker: Worker) -> None:
    """Return a task unanswered; it may be offered to the same worker again. Raises InUse unless it is leased."""
    _end(assignment, worker, AssignmentStatus.RETURNED, "")


def decline(*, assignment: Assignment, worker: Worker, reason: str = "") -> None:
    """Refuse a task; this worker never gets it again. Raises InUse unless it is leased, Invalid for a long reason."""
    if len(reason) not in REASON_LENGTH:
        raise Invalid(f"a reason has {REASON_LENGTH} characters, {len(reason)} found", field="reason")
    _end(assignment, worker, AssignmentStatus.DECLINED, reason)


def _end(assignment: Assignment, worker: Worker, to: AssignmentStatus | str, reason: str) -> None:
    seat = Assignment.objects.filter(pk=assignment.pk, worker=worker).values("state", "job_id").first()
    if seat is None:
        raise NotFound(f"you have no assignment {assignment.pk}")
    if seat["state"] == to:
        return
    ended = leases.end_seats(job_id=seat["job_id"], seats=[assignment.pk], to=to, now=timezone.now(), reason=reason)
    if not ended:
        now_in = Assignment.objects.values_list("state", flat=True).get(pk=assignment.pk)
        if now_in != to:
            raise TaskGone(f"this task is {now_in}, only a leased one can be given up", field="assignment")


def work_available(*, worker: Worker) -> list[AvailableWork]:
    """The jobs a worker can work on now, best paid hour first."""
    if worker.status != WorkerStatus.ACTIVE:
        return []
    rows = []
    for job in _open_jobs(worker):
        left = _tasks_left(worker, job)
        held = Assignment.objects.filter(job=job, worker=worker, state=AssignmentStatus.LEASED).count()
        if left or held:
            rows.append(_work_row(job, left, held))
    return sorted(rows, key=lambda row: (-row.hourly_micros, row.job_id))


def _open_jobs(worker: Worker) -> QuerySet[LabelingJob]:
    return LabelingJob.objects.filter(status="InProgress", workteam__memberships__worker=worker).select_related(
        "account"
    )


def _tasks_left(worker: Worker, job: LabelingJob) -> int:
    cursor = WorkerCursor.objects.filter(worker=worker, job=job).values_list("position", flat=True).first() or 0
    mine = Assignment.objects.filter(worker=worker, task__job=job).exclude(
        Q(state=AssignmentStatus.RETURNED) | Q(state=AssignmentStatus.EXPIRED)
    )
    free = Task.objects.filter(job=job, state=TaskStatus.OPEN, seats_free__gt=0, queue_position__gt=cursor)
    return free.exclude(pk__in=mine.filter(task__queue_position__gt=cursor).values("task_id"))[:1000].count()


def _work_row(job: LabelingJob, left: int, held: int) -> AvailableWork:
    return AvailableWork(
        job_id=job.pk,
        title=job.title,
        description=job.description,
        keywords=job.keywords,
        requester=job.account.name,
        task_type=job.task_type,
        price_micros=job.price_micros,
        expected_seconds=job.expected_seconds,
        hourly_micros=round(job.price_micros * 3600 / job.expected_seconds),
        task_time_limit_seconds=job.task_time_limit_seconds,
        tasks_left=left,
        tasks_held=held,
    )
