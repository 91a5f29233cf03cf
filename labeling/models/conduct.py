"""How people work: what their pages counted, what rules found, what follows from it, and appeals against that.

Only labeling/services/conduct writes these tables. The SQL function labeling_refusal (labeling/sql/refusal_0040.sql)
reads the findings that close a queue to a worker.
"""

from django.db import models

from labeling.conduct.rules import Action
from labeling.models.queues import WorkQueue
from labeling.models.reviews import AppealStatus
from labeling.models.tasks import Assignment
from marketplace.models import Account, Worker

ACTIONS = [(one.value, one.value) for one in Action]


class AnswerActivity(models.Model):
    """What the worker's page counted while it showed a task; no row where the client of the API sent nothing.

    See labeling.conduct.observed.Activity. `active_seconds` is focus with input, the time that effective pay is about.
    """

    assignment = models.OneToOneField(Assignment, models.CASCADE, primary_key=True, related_name="activity")
    moves = models.IntegerField()
    trusted = models.IntegerField()
    untrusted = models.IntegerField()
    keys = models.IntegerField()
    focus_seconds = models.FloatField()
    active_seconds = models.FloatField()


class ConductCheck(models.Model):
    """A worker's newest answers in a queue are to be looked at; a queue has at most one message waiting for all."""

    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="+", db_index=False)
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="+", db_index=False)
    requested_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "worker"], name="conduct_check_once")]


class FindingStatus(models.TextChoices):
    """Whether a finding counts."""

    ACTIVE = "Active"
    DONE = "Done"  # the worker has done what was asked of them
    DISMISSED = "Dismissed"  # by a person, or after an appeal: it counts no more


class ConductFinding(models.Model):
    """What a rule, or a person, found in a worker's conduct, and what followed. `queue` None: it is about no one job.

    While it is Active and its action is Pause, Retrain or Block the queue is closed to the worker, until `until`.
    """

    worker = models.ForeignKey(Worker, models.CASCADE, related_name="findings", db_index=False)
    queue = models.ForeignKey(WorkQueue, models.CASCADE, null=True, related_name="findings", db_index=False)
    rule = models.CharField(max_length=30)  # a key of labeling.conduct.rules.RULES, or one of services/conduct
    action = models.CharField(max_length=7, choices=ACTIONS)
    state = models.CharField(max_length=9, choices=FindingStatus, default=FindingStatus.ACTIVE)
    reason = models.CharField(max_length=300)  # which the worker reads
    numbers = models.JSONField(default=dict)
    seat = models.BigIntegerField(default=0)  # the newest assignment that it is about
    found_at = models.DateTimeField()
    found_by = models.CharField(max_length=120)
    until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=120, blank=True, default="")
    # The operator has looked at it.
    seen_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["worker", "queue"], condition=models.Q(state="Active"), name="finding_active"),
            models.Index(fields=["worker", "-id"], name="finding_by_worker"),
            models.Index(fields=["queue", "-id"], name="finding_by_queue"),
            models.Index(fields=["-id"], condition=models.Q(seen_at=None), name="finding_unseen"),
        ]


class ConductAppeal(models.Model):
    """A worker's appeal against a finding: to the account whose job it closed, to the operator against a ban."""

    finding = models.OneToOneField(ConductFinding, models.CASCADE, related_name="appeal")
    state = models.CharField(max_length=6, choices=AppealStatus, default=AppealStatus.OPEN)
    text = models.CharField(max_length=2000)
    filed_at = models.DateTimeField()
    due_at = models.DateTimeField()  # when it is upheld by itself, unless it is against a ban
    answer = models.CharField(max_length=2000, blank=True, default="")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=models.Q(state="Open"), name="conduct_appeal_open_due")]


class ConductPolicy(models.Model):
    """What follows from a rule instead of its default: in a queue, in an account's queues, or (neither) in all."""

    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="conduct_policies", db_index=False)
    queue = models.ForeignKey(WorkQueue, models.CASCADE, null=True, related_name="conduct_policies")
    rule = models.CharField(max_length=30)
    action = models.CharField(max_length=7, choices=ACTIONS)
    minutes = models.IntegerField(default=0)  # of a pause

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "queue", "rule"], name="conduct_policy_once", nulls_distinct=False
            )
        ]
