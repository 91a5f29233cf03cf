"""The events of this room: changes of the state of labeling jobs, flow definitions and human loops, in AWS's words."""

from typing import Any

from django.conf import settings

from labeling import subjects, transitions
from labeling.models import FlowDefinition, HumanLoop, LabelingJob
from labeling.services.review import output
from labeling.services.streams import topics
from marketplace import arns, event_kinds
from marketplace.event_kinds import EventKind, iso
from marketplace.services.events import follow


def register() -> None:
    """Say of which changes there are events. AWS has none of flow definitions; theirs is named after those it has."""
    event_kinds.TEXTS.add(topics.LABELS)
    for machine, subject, said, arn, detail in (
        (transitions.LABELING_JOB, subjects.LABELING_JOB, "Ground Truth Labeling Job State", _job_arn, _labeling_job),
        (transitions.HUMAN_LOOP, subjects.HUMAN_LOOP, "A2I HumanLoop Status", output.loop_arn, _human_loop),
        (transitions.FLOW_DEFINITION, subjects.FLOW_DEFINITION, "A2I FlowDefinition Status", output.flow_arn, _flow),
    ):
        follow(machine, EventKind(subject, f"SageMaker {said} Change", arn, detail))


def _job_arn(job: LabelingJob) -> str:
    return arns.build("labeling-job", job.account.number, job.name, region=settings.REGION)


def _labeling_job(_: LabelingJob, status: str) -> dict[str, Any]:
    return {"LabelingJobStatus": status}


def _human_loop(loop: HumanLoop, status: str) -> dict[str, Any]:
    return {
        "creationTime": iso(loop.created_at),
        "failureCode": loop.failure_code or None,
        "failureReason": loop.failure_reason or None,
        "flowDefinitionArn": output.flow_arn(loop.flow),
        "humanLoopArn": output.loop_arn(loop),
        "humanLoopName": loop.name,
        "humanLoopOutput": {"outputS3Uri": loop.output_uri} if loop.output_uri else None,
        "humanLoopStatus": status,
    }


def _flow(flow: FlowDefinition, status: str) -> dict[str, Any]:
    return {
        "creationTime": iso(flow.created_at),
        "failureReason": flow.failure_reason or None,
        "flowDefinitionArn": output.flow_arn(flow),
        "flowDefinitionName": flow.name,
        "flowDefinitionStatus": status,
    }
