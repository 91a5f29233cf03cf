"""Human task UIs, flow definitions and human loops as the API shows them."""

from typing import Any

from rest_framework import serializers

from labeling.models import FlowDefinition, HumanLoop, HumanTaskUi
from labeling.services.review import output, task_uis
from marketplace import money


class HumanTaskUiRow(serializers.Serializer):
    """A human task UI in a list."""

    name = serializers.CharField()
    arn = serializers.CharField()
    created_at = serializers.DateTimeField()


class HumanTaskUiShown(HumanTaskUiRow):
    """One human task UI."""

    content = serializers.CharField(help_text="the worker template")
    content_sha256 = serializers.CharField()


class FlowDefinitionShown(serializers.Serializer):
    """A flow definition."""

    name = serializers.CharField()
    arn = serializers.CharField()
    status = serializers.CharField()
    failure_reason = serializers.CharField(help_text="why its loops do not go on, empty when they do")
    workteam = serializers.IntegerField()
    queue_id = serializers.IntegerField(help_text="the work queue from which people claim its tasks")
    human_task_ui = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    keywords = serializers.ListField(child=serializers.CharField())
    task_count = serializers.IntegerField()
    price = serializers.CharField(help_text="dollars for an answer")
    task_time_limit_seconds = serializers.IntegerField()
    task_availability_seconds = serializers.IntegerField()
    request_source = serializers.CharField()
    conditions = serializers.JSONField(help_text="when a prediction needs a person; {} where the caller decides")
    output_uri = serializers.CharField()
    created_at = serializers.DateTimeField()


class HumanLoopRow(serializers.Serializer):
    """A human loop in a list."""

    name = serializers.CharField()
    arn = serializers.CharField()
    status = serializers.CharField()
    failure_code = serializers.CharField()
    failure_reason = serializers.CharField()
    flow_definition = serializers.CharField()
    output_uri = serializers.CharField(help_text="of output.json; empty until it is written")
    created_at = serializers.DateTimeField()


class HumanLoopShown(HumanLoopRow):
    """One human loop."""

    input_content = serializers.JSONField()
    content_classifiers = serializers.ListField(child=serializers.CharField())


class ActivationOutput(serializers.Serializer):
    """HumanLoopActivationOutput of Rekognition and Textract; the first two are left out when no loop was started."""

    HumanLoopArn = serializers.CharField(required=False)
    HumanLoopActivationReasons = serializers.ListField(child=serializers.CharField(), required=False)
    HumanLoopActivationConditionsEvaluationResults = serializers.CharField(
        help_text="the conditions as JSON text, with EvaluationResult on every node"
    )


class Activation(serializers.Serializer):
    """Whether the conditions hold, and the human loop that they started."""

    activated = serializers.BooleanField()
    human_loop = HumanLoopRow(allow_null=True)
    human_loop_activation_output = ActivationOutput()


def ui_row(found: HumanTaskUi) -> dict[str, Any]:
    """A human task UI without its template; needs `account` loaded."""
    return {"name": found.name, "arn": task_uis.arn(found), "created_at": found.created_at}


def ui_shown(found: HumanTaskUi) -> dict[str, Any]:
    """All of a human task UI."""
    return ui_row(found) | {"content": found.text, "content_sha256": task_uis.content_hash(found)}


def flow_row(found: FlowDefinition) -> dict[str, Any]:
    """A flow definition; needs `account` and `queue` loaded."""
    queue = found.queue
    return {
        "name": found.name,
        "arn": output.flow_arn(found),
        "status": found.status,
        "failure_reason": found.failure_reason,
        "workteam": queue.workteam_id,
        "queue_id": queue.pk,
        "human_task_ui": found.human_task_ui_name,
        "title": queue.title,
        "description": queue.description,
        "keywords": queue.keywords,
        "task_count": queue.max_seats,
        "price": money.text(queue.price_micros),
        "task_time_limit_seconds": queue.task_time_limit_seconds,
        "task_availability_seconds": queue.task_availability_seconds,
        "request_source": found.request_source,
        "conditions": found.conditions,
        "output_uri": found.output_uri,
        "created_at": found.created_at,
    }


def loop_row(found: HumanLoop) -> dict[str, Any]:
    """A human loop without its input; needs `account` and `flow` loaded."""
    return {
        "name": found.name,
        "arn": output.loop_arn(found),
        "status": found.status,
        "failure_code": found.failure_code,
        "failure_reason": found.failure_reason,
        "flow_definition": found.flow.name,
        "output_uri": found.output_uri,
        "created_at": found.created_at,
    }
