"""Batches, tasks, seats (assignments) and answers.

Handing out: a task has `seats_total` seats of which `seats_free` can still be taken, `answers_count` are answered, and
the rest are leased: leased = seats_total - seats_free - answers_count, always. A seat that will not be offered again is
taken off seats_total. The task is over when seats_total equals answers_count. `queue_position` orders the tasks of a
queue; a task whose seat comes back gets a new position at the end, so a worker's cursor, which only moves forward,
meets it again. The claim itself is the SQL function `labeling_claim` (labeling/sql/claim.sql).
"""

from django.db import models

from labeling import transitions
from labeling.models.objects import DataObject
from labeling.models.queues import WorkQueue
from marketplace.models import Worker


class Batch(models.Model):
    """Tasks of a queue that are open to people together; AWS's iteration. Its escrow is funded when it opens.

    While an exclusive batch is open no other exclusive batch of the queue is: labeling jobs open one at a time.
    """

    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="batches")
    exclusive = models.BooleanField(default=True)
    number = models.IntegerField()
    status = models.CharField(max_length=20, choices=transitions.BATCH.choices(), default="Initializing")
    status_changed_at = models.DateTimeField(null=True)
    purpose = models.CharField(max_length=40, default="labels")
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    # Ended before its time: what nobody answered is unlabeled again instead of failed.
    stopped_early = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "number"], name="batch_number_once"),
            models.UniqueConstraint(
                fields=["queue"],
                condition=models.Q(status__in=["Initializing", "InProgress"], exclusive=True),
                name="batch_one_live",
            ),
        ]


class TaskStatus(models.TextChoices):
    """A task takes answers, or has all it needs, or ran out of time or of willing workers."""

    OPEN = "Open"
    DONE = "Done"
    EXPIRED = "Expired"


class Task(models.Model):
    """A person's task: one question, to be answered by `seats_total` different workers."""

    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="tasks", db_index=False)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="tasks")
    # What it shows, as its owner gave it when the task was opened; for a picture {"object": pk, "width", "height"}.
    input = models.JSONField(default=dict)
    # The object it is about, where there is one; handing out, answering and paying do not read it.
    data_object = models.ForeignKey(DataObject, models.CASCADE, null=True, related_name="tasks")
    state = models.CharField(max_length=8, choices=TaskStatus, default=TaskStatus.OPEN)
    seats_total = models.SmallIntegerField()
    seats_free = models.SmallIntegerField()
    answers_count = models.SmallIntegerField(default=0)
    declines_count = models.SmallIntegerField(default=0)
    queue_position = models.BigIntegerField()
    # All its seats are answered or withdrawn, and its owner has not looked at it since.
    due = models.BooleanField(default=False)
    # Its answers lie in the output as a worker-response file.
    responses_written = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "data_object"], name="task_object_once_per_batch"),
            models.CheckConstraint(
                condition=models.Q(seats_free__gte=0) & models.Q(seats_free__lte=models.F("seats_total")),
                name="task_seats_in_range",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "queue_position"],
                condition=models.Q(state="Open", seats_free__gt=0),
                name="task_claimable",
            ),
            models.Index(fields=["batch", "state"], name="task_by_batch_state"),
            models.Index(fields=["queue", "id"], condition=models.Q(due=True), name="task_due"),
        ]


class AssignmentStatus(models.TextChoices):
    """A seat somebody took."""

    LEASED = "Leased"
    SUBMITTED = "Submitted"
    RETURNED = "Returned"  # may be taken again by the same worker
    EXPIRED = "Expired"  # likewise
    DECLINED = "Declined"  # never offered to this worker again
    CANCELLED = "Cancelled"  # the queue was closed first


class Assignment(models.Model):
    """A worker's seat on a task, with its lease."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="assignments", db_index=False)
    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="assignments", db_index=False)
    worker = models.ForeignKey(Worker, models.PROTECT, related_name="assignments", db_index=False)
    state = models.CharField(max_length=10, choices=AssignmentStatus, default=AssignmentStatus.LEASED)
    accepted_at = models.DateTimeField()
    lease_expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    seconds_spent = models.FloatField(null=True)
    paid_micros = models.BigIntegerField(null=True)
    submit_key = models.CharField(max_length=200, blank=True)
    decline_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "worker"], name="assignment_once_per_worker")]
        indexes = [
            models.Index(fields=["worker", "-id"], name="assignment_by_worker"),
            models.Index(
                fields=["queue", "lease_expires_at"],
                condition=models.Q(state="Leased"),
                name="assignment_leased",
            ),
            models.Index(
                fields=["worker", "queue"], condition=models.Q(state="Leased"), name="assignment_leased_by_worker"
            ),
        ]


class Answer(models.Model):
    """What a worker said: append-only, the newest revision counts."""

    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="answers", db_index=False)
    revision = models.SmallIntegerField(default=1)
    content = models.JSONField()  # the crowd element's JSON, as it came
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assignment", "revision"], name="answer_revision_once")]


class WorkerCursor(models.Model):
    """How far a worker has come in a queue: everything up to `position` is not claimable by this worker."""

    worker = models.ForeignKey(Worker, models.CASCADE, db_index=False)
    queue = models.ForeignKey(WorkQueue, models.CASCADE, db_index=False)
    position = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worker", "queue"], name="worker_cursor_once")]
