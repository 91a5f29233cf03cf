"""The output of a human loop, in A2I's layout and fields: every answer as it was given, nothing consolidated."""

from datetime import UTC
from typing import Any

import orjson
from django.conf import settings

from labeling.formats import worker_responses
from labeling.models import FlowDefinition, HumanLoop
from labeling.services.output import submitted
from marketplace import arns, storage


def address(flow: FlowDefinition, loop: HumanLoop) -> str:
    """<S3OutputPath>/<flow-definition-name>/YYYY/MM/DD/hh/mm/ss/<human-loop-name>/output.json, UTC of its start."""
    moment = loop.created_at.astimezone(UTC).strftime("%Y/%m/%d/%H/%M/%S")
    return storage.join(flow.output_uri, flow.name, moment, loop.name, "output.json")


def answers(flow: FlowDefinition, loop: HumanLoop) -> list[dict[str, Any]]:
    """The entries of `humanAnswers`, in the order in which people submitted."""
    if loop.task_id is None:
        return []
    found = submitted.answers_of(flow.queue, {loop.task_id: (0, 0)})
    return [worker_responses.answer_record(one) for one in found.get(loop.task_id, [])]


def document(flow: FlowDefinition, loop: HumanLoop) -> dict[str, object]:
    """What output.json holds."""
    said: dict[str, object] = {
        "flowDefinitionArn": flow_arn(flow),
        "humanAnswers": answers(flow, loop),
        "humanLoopName": loop.name,
        "inputContent": orjson.loads(loop.content),
    }
    if flow.request_source:
        said["awsManagedHumanLoopRequestSource"] = flow.request_source
    return said


def write(flow: FlowDefinition, loop: HumanLoop) -> str:
    """Write the output of a loop whose answers are in; returns its address. Safe to repeat."""
    uri = address(flow, loop)
    storage.write(uri, orjson.dumps(document(flow, loop)), content_type="application/json")
    return uri


def flow_arn(flow: FlowDefinition) -> str:
    """The ARN of a flow definition."""
    return arns.build("flow-definition", flow.account.number, flow.name, region=settings.REGION)


def loop_arn(loop: HumanLoop) -> str:
    """The ARN of a human loop."""
    return arns.build("human-loop", loop.account.number, loop.name, region=settings.REGION)
