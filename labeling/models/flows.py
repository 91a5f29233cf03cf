"""Human review as Amazon A2I has it: worker templates (human task UIs), flow definitions and human loops."""

from django.db import models
from django.db.models import Q

from labeling import transitions
from labeling.models.queues import WorkQueue
from labeling.models.tasks import Task
from marketplace.addresses import AddressField
from marketplace.models import Account


class HumanTaskUi(models.Model):
    """A worker template of human loops. It never changes; flow definitions keep a copy of it."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="human_task_uis")
    name = models.CharField(max_length=63)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="human_task_ui_name_once")]


class FlowDefinition(models.Model):
    """Who reviews, what they are shown and paid, and when: the owner of a work queue.

    `request_source`: AwsManagedHumanLoopRequestSource, "" for own models. `conditions`: the checked activation
    conditions, {} where whoever starts a loop decides. One that was deleted keeps its row for the sake of its loops;
    its name is free again.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="flow_definitions")
    name = models.CharField(max_length=63)
    queue = models.OneToOneField(WorkQueue, models.PROTECT, related_name="flow_definition")
    status = models.CharField(max_length=20, choices=transitions.FLOW_DEFINITION.choices(), default="Initializing")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    human_task_ui = models.ForeignKey(HumanTaskUi, models.SET_NULL, null=True, related_name="flow_definitions")
    human_task_ui_name = models.CharField(max_length=63)
    request_source = models.CharField(max_length=64, blank=True)
    conditions = models.JSONField(default=dict)
    output_uri = AddressField(max_length=1024)
    role_arn = models.CharField(max_length=2048, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name"], condition=~Q(status="Deleting"), name="flow_definition_name_once"
            )
        ]


class HumanLoop(models.Model):
    """One thing that people are asked to look at. `content`: the JSON text of InputContent, as it was given.

    `output_uri` is set once the output is written.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="human_loops")
    flow = models.ForeignKey(FlowDefinition, models.PROTECT, related_name="human_loops", db_index=False)
    name = models.CharField(max_length=63)
    status = models.CharField(max_length=20, choices=transitions.HUMAN_LOOP.choices(), default="InProgress")
    status_changed_at = models.DateTimeField(null=True)
    content = models.TextField()
    content_classifiers = models.JSONField(default=list)
    task = models.OneToOneField(Task, models.PROTECT, null=True, related_name="human_loop")
    failure_code = models.CharField(max_length=64, blank=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    output_uri = AddressField(max_length=1024, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="human_loop_name_once")]
        indexes = [
            models.Index(fields=["flow", "-created_at", "-id"], name="human_loop_by_flow"),
            models.Index(fields=["flow"], condition=Q(status__in=["InProgress", "Stopping"]), name="human_loop_live"),
        ]


class LoopAgreement(models.Model):
    """How far people agreed with the prediction that a completed loop showed, computed once when it completed.

    `model` and `people`: mean IoU of the boxes, see services/review/agreement.py; null where there is nothing to
    compare. `by_condition`, `by_sample`: why people were asked. `is_due`: not computed yet.
    """

    loop = models.OneToOneField(HumanLoop, models.CASCADE, related_name="agreement", primary_key=True)
    flow = models.ForeignKey(FlowDefinition, models.CASCADE, related_name="agreements", db_index=False)
    completed_at = models.DateTimeField()
    model = models.FloatField(null=True)
    people = models.FloatField(null=True)
    by_condition = models.BooleanField(default=False)
    by_sample = models.BooleanField(default=False)
    is_due = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["flow", "-completed_at"], name="loop_agreement_by_flow"),
            models.Index(fields=["loop"], condition=Q(is_due=True), name="loop_agreement_due"),
        ]
