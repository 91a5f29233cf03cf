"""Batches, tasks, seats (assignments) and answers.

A task has `seats_total` seats, of which `seats_free` can still be claimed, `answers_count` are answered, and the rest
are leased: leased = seats_total - seats_free - answers_count, always. A seat that will not be offered again is
subtracted from seats_total. The task is over when seats_total equals answers_count. It never has more than `max_seats`
seats, whose money was set aside when it was opened, but for answers that count again after an appeal. `queue_position`
orders the tasks of a queue. A task whose seat is freed gets a new position at the end, so that the workers' cursors,
which only move forward, reach it again. The claim itself is the SQL function `labeling_claim`
(labeling/sql/claim_0060.sql).

A task whose true answer is known (a gold) has a random negative `queue_position`, so that no cursor ever reaches it:
the claim mixes it in.
"""

from django.db import models

from labeling import transitions
from labeling.models.golds import Gold
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
    # Stopped before its end: objects without answers become Unlabeled again instead of failing.
    stopped_early = models.BooleanField(default=False)
    # Its objects have a model's label, which people are not shown and which stays theirs until people have given one.
    relabels = models.BooleanField(default=False, db_default=False)

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
    """A task accepts answers, or has all it needs, or ended without any answer."""

    OPEN = "Open"
    DONE = "Done"
    EXPIRED = "Expired"


class Task(models.Model):
    """One question, to be answered by `seats_total` different workers."""

    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="tasks", db_index=False)
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="tasks")
    # What it shows, set by its owner when the task is opened; {"object": pk, "width", "height"} of the object.
    input = models.JSONField(default=dict)
    # The object it is about, if any; claiming, answering and paying do not read it.
    data_object = models.ForeignKey(DataObject, models.CASCADE, null=True, related_name="tasks")
    state = models.CharField(max_length=8, choices=TaskStatus, default=TaskStatus.OPEN)
    seats_total = models.SmallIntegerField()
    max_seats = models.SmallIntegerField()
    seats_free = models.SmallIntegerField()
    answers_count = models.SmallIntegerField(default=0)
    declines_count = models.SmallIntegerField(default=0)
    # Answers that were rejected, however often.
    rejections_count = models.SmallIntegerField(default=0, db_default=0)
    # Answers that count again after an appeal and were paid from the wallet: the seats' money is there without them.
    extra_answers = models.SmallIntegerField(default=0, db_default=0)
    gold = models.ForeignKey(Gold, models.CASCADE, null=True, related_name="tasks", db_index=False)
    # It shows a pre-label, which people check and correct, for the queue's price of that.
    checks = models.BooleanField(default=False, db_default=False)
    queue_position = models.BigIntegerField()
    # All its seats are answered or withdrawn, and its owner has not handled it yet.
    due = models.BooleanField(default=False)
    # Its answers are in the output as a worker-response file.
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
            models.Index(fields=["queue", "id"], name="task_by_queue"),
            models.Index(fields=["batch", "state"], name="task_by_batch_state"),
            models.Index(fields=["queue", "id"], condition=models.Q(due=True), name="task_due"),
            models.Index(fields=["gold", "batch"], condition=models.Q(gold__isnull=False), name="task_of_gold"),
        ]


class AssignmentStatus(models.TextChoices):
    """The state of a seat that a worker has claimed."""

    LEASED = "Leased"
    SUBMITTED = "Submitted"
    RETURNED = "Returned"  # may be claimed again by the same worker
    EXPIRED = "Expired"  # likewise
    DECLINED = "Declined"  # never offered to this worker again
    REJECTED = "Rejected"  # its answer was, by a review, and counts no more; never offered to this worker again
    WITHHELD = "Withheld"  # a routing rule did not let the worker see the object; never offered to this worker
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
    # The price that was shown when it was claimed: the least that is paid. Null for seats claimed before it was kept.
    promised_micros = models.BigIntegerField(null=True)
    # Makes the claim safe to repeat; "" for a claim without a key.
    claim_key = models.CharField(max_length=200, blank=True, default="", db_default="")
    submit_key = models.CharField(max_length=200, blank=True)
    decline_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "worker"], name="assignment_once_per_worker"),
            models.UniqueConstraint(
                fields=["worker", "queue", "claim_key"],
                condition=models.Q(claim_key__gt=""),
                name="assignment_claim_key_once",
            ),
        ]
        indexes = [
            models.Index(fields=["queue", "state"], name="assignment_by_queue_state"),
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
    """A worker's answer: append-only, the newest revision is current."""

    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="answers", db_index=False)
    revision = models.SmallIntegerField(default=1)
    content = models.JSONField()  # the crowd element's JSON, rebuilt from the values that were read
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assignment", "revision"], name="answer_revision_once")]


class WorkerCursor(models.Model):
    """A worker's position in a queue: no task up to `position` is claimable by this worker.

    `claims` counts the tasks they were given while golds were mixed in; it decides which of the next ones are golds.
    """

    worker = models.ForeignKey(Worker, models.CASCADE, db_index=False)
    queue = models.ForeignKey(WorkQueue, models.CASCADE, db_index=False)
    position = models.BigIntegerField(default=0)
    claims = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worker", "queue"], name="worker_cursor_once")]
