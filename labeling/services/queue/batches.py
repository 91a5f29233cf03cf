"""Batches: a set of objects opened to people together, with the money for all their seats set aside first.

At most one batch of a job is live (a constraint). Knows neither why these objects were chosen nor what answers say.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from labeling import hooks, transitions
from labeling.models import Assignment, AssignmentStatus, Batch, DataObject, LabelingJob, ObjectState, Task, TaskStatus
from labeling.queries import spending
from labeling.services.queue import leases
from labeling.services.queue.locking import lock_queue
from labeling.services.results import consolidating
from marketplace.errors import Invalid, WrongState
from marketplace.models import Subject
from marketplace.services import escrow


def open_batch(*, job: LabelingJob, object_ids: Sequence[int], purpose: str = "labels", by: str) -> Batch:
    """Open these Unlabeled objects to people, in this order of priority, and reserve the money for every seat.

    With dynamic redundancy a task starts with a few seats and the money is reserved for the most it may get. Raises
    LimitExceeded when the wallet cannot pay, InUse when a batch is live, the job is not InProgress or an object is not
    Unlabeled, Invalid for no objects, a repeated one, or one not inspected. On a refusal nothing changed.
    """
    ids = list(object_ids)
    if not ids or len(set(ids)) != len(ids):
        raise Invalid("a batch needs at least one object, each once", field="objects")
    now = timezone.now()
    with transaction.atomic():
        # Holding the row keeps the job from stopping between the check and the opening.
        job = LabelingJob.objects.select_for_update(no_key=True).get(pk=job.pk)
        if not job.open:
            raise WrongState(f"the labeling job is {job.status}; batches open while it is InProgress", field="status")
        if (live := live_batch(job)) is not None:
            raise WrongState(f"batch {live.number} of the job is still open", field="batch")
        lock_queue(job.pk)
        number = (Batch.objects.filter(job=job).aggregate(n=Max("number"))["n"] or 0) + 1
        batch = Batch.objects.create(
            job=job,
            number=number,
            purpose=purpose,
            opened_at=now,
            expires_at=now + timedelta(seconds=job.task_availability_seconds),
        )
        _take_objects(job, ids)
        _make_tasks(job, batch, ids)
        escrow.reserve(
            account=job.account,
            purpose=spending.purpose(job),
            subject=Subject(spending.BATCH, batch.pk),
            amount_micros=len(ids) * spending.object_micros(job),
            by=by,
        )
        transitions.BATCH.advance(batch, "InProgress", by=by, because=f"{len(ids)} objects opened")
    return batch


def _take_objects(job: LabelingJob, ids: Sequence[int]) -> None:
    rows = DataObject.objects.select_for_update(no_key=True).filter(job=job, pk__in=ids).order_by("pk")
    found = {pk: (state, width) for pk, state, width in rows.values_list("pk", "state", "width")}
    for pk in ids:
        if pk not in found:
            raise Invalid(f"object {pk} is not one of job {job.name}", field="objects")
        state, width = found[pk]
        if state != ObjectState.UNLABELED:
            raise WrongState(f"object {pk} is {state}, only Unlabeled ones can be opened", field="objects")
        if width is None:
            raise Invalid(f"the image of object {pk} was not inspected", field="objects")
    DataObject.objects.filter(pk__in=ids).update(state=ObjectState.PENDING)


def _make_tasks(job: LabelingJob, batch: Batch, ids: Sequence[int]) -> None:
    """One statement whatever the number; positions are drawn in the order given (the queue lock is held)."""
    seats = consolidating.first_seats(job)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO labeling_task (job_id, batch_id, data_object_id, state, seats_total, seats_free,
                                          answers_count, declines_count, due, responses_written,
                                          queue_position)
               SELECT %s, %s, o.id, 'Open', %s, %s, 0, 0, false, false, nextval('labeling_queue_position')
               FROM (SELECT id FROM unnest(%s::bigint[]) WITH ORDINALITY AS u(id, place) ORDER BY place) AS o""",
            [job.pk, batch.pk, seats, seats, ids],
        )


def live_batch(job: LabelingJob) -> Batch | None:
    """The batch that is open to people now, if one is."""
    return Batch.objects.filter(job=job, status__in=["Initializing", "InProgress"]).first()


def is_over(batch: Batch) -> bool:
    """Whether every task of the batch is Done or Expired and consolidated."""
    tasks = Task.objects.filter(batch=batch)
    return not tasks.filter(state=TaskStatus.OPEN).exists() and not tasks.filter(job=batch.job_id, due=True).exists()


def expire_batch(*, batch: Batch, now: datetime) -> bool:
    """Offer nothing more of a batch whose time is up; returns whether it is. Leases that run may still be answered."""
    if batch.expires_at is None or batch.expires_at > now:
        return False
    leases.withdraw(batch=batch)
    return True


def close_batch(*, batch: Batch, by: str = "system") -> bool:
    """End a batch whose tasks are all over and consolidated, give the rest of its money back, tell the listeners.

    Returns False, and changes nothing, while something of it is still open. Safe to repeat.
    """
    return _finish(batch, to="Completed", by=by, because="all its tasks are over")


def stop_batch(*, batch: Batch, by: str, grace_seconds: float = 0) -> bool:
    """End a batch early: free seats are withdrawn, leases may be answered for `grace_seconds` and are then cancelled.

    What was answered is consolidated and kept; the rest is unlabeled again, its money returned. Returns False while a
    lease still runs: call again (the grace counts from the first call).
    """
    now = timezone.now()
    Batch.objects.filter(pk=batch.pk, stopped_early=False).update(stopped_early=True, expires_at=now)
    leases.withdraw(batch=batch)
    leases.shorten(job_id=batch.job_id, until=now + timedelta(seconds=grace_seconds))
    leased = Assignment.objects.filter(task__batch=batch, state=AssignmentStatus.LEASED, lease_expires_at__lte=now)
    leases.end_seats(
        job_id=batch.job_id,
        seats=list(leased.values_list("pk", flat=True)),
        to=AssignmentStatus.CANCELLED,
        now=now,
    )
    consolidating.consolidate_due(job=batch.job)
    return _finish(batch, to="Stopped", by=by, because="stopped early")


def _finish(batch: Batch, *, to: str, by: str, because: str) -> bool:
    with transaction.atomic():
        if not is_over(batch):
            return False
        if not transitions.BATCH.advance(batch, to, by=by, because=because):
            return True
        # All seats are over, so nothing of what is left can be paid out any more.
        job = batch.job
        subject = Subject(spending.BATCH, batch.pk)
        escrow.refund(account=job.account, purpose=spending.purpose(job), subject=subject, by=by)
        hooks.send(hooks.batch_done, batch.pk)
    return True
