"""The events of labeling jobs, flow definitions and human loops, in Amazon's own shapes."""

import re

import pytest
from django.utils import timezone

from labeling.background import advance_queue
from labeling.models import Task
from labeling.services.jobs import creation
from labeling.services.review import flows, loops
from marketplace.models import Event
from marketplace.services import event_destinations, events
from tests.labeling import stories
from tests.labeling.test_human_loops import a_flow, answer, start

pytestmark = pytest.mark.django_db(transaction=True)
LOOP = "SageMaker A2I HumanLoop Status Change"
KEYS = ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"]


def of_type(detail_type: str) -> list[Event]:
    return list(Event.objects.filter(detail_type=detail_type).order_by("pk"))


def test_the_completion_of_a_loop_is_told_as_a2i_tells_it() -> None:
    flow, (worker, _) = a_flow()
    loop = start(flow)
    answer(flow, worker)
    advance_queue(flow.queue_id)
    loop.refresh_from_db()
    began, completed = of_type(LOOP)
    sent = event_destinations.as_sent(completed)
    number = flow.account.number
    assert list(sent) == KEYS
    assert {name: sent[name] for name in KEYS if name not in ("id", "time")} == {
        "version": "0",
        "detail-type": LOOP,
        "source": "aws.sagemaker",
        "account": number,
        "region": "us-east-1",
        "resources": [f"arn:aws:sagemaker:us-east-1:{number}:human-loop/loop-1"],
        "detail": {
            "creationTime": f"{loop.created_at:%Y-%m-%dT%H:%M:%S}.{loop.created_at.microsecond // 1000:03d}Z",
            "failureCode": None,
            "failureReason": None,
            "flowDefinitionArn": f"arn:aws:sagemaker:us-east-1:{number}:flow-definition/look-again",
            "humanLoopArn": f"arn:aws:sagemaker:us-east-1:{number}:human-loop/loop-1",
            "humanLoopName": "loop-1",
            "humanLoopOutput": {"outputS3Uri": loop.output_uri},
            "humanLoopStatus": "Completed",
        },
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sent["time"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", sent["id"])
    assert (began.detail["humanLoopStatus"], began.detail["humanLoopOutput"]) == ("InProgress", None)
    assert (began.sequence, completed.sequence, completed.final) == (1, 2, True)


def test_a_loop_that_fails_says_why_and_one_that_is_stopped_that_it_was() -> None:
    flow, _ = a_flow()
    expired, stopped = start(flow, "expired"), start(flow, "stopped")
    loops.stop_loop(loop=stopped, by="test")
    expired.task.batch.expires_at = timezone.now()
    expired.task.batch.save(update_fields=["expires_at"])
    advance_queue(flow.queue_id)
    last = {row.detail["humanLoopName"]: row.detail for row in of_type(LOOP)}
    assert last["expired"]["humanLoopStatus"] == "Failed" and last["expired"]["failureCode"] == "TaskExpired"
    assert last["expired"]["failureReason"].startswith("0 of 1 people answered")
    assert last["stopped"]["humanLoopStatus"] == "Stopped"
    states = Event.objects.filter(resource__endswith="/stopped").order_by("sequence").values_list("status", flat=True)
    assert list(states) == ["InProgress", "Stopping", "Stopped"]


def test_a_flow_definition_has_events_from_its_beginning_to_its_end() -> None:
    flow, _ = a_flow()
    flows.delete_flow(flow=flow, by="test")
    rows = of_type("SageMaker A2I FlowDefinition Status Change")
    assert [row.status for row in rows] == ["Initializing", "Active", "Deleting"]
    assert rows[-1].detail["flowDefinitionName"] == "look-again"


def test_a_labeling_job_writes_the_changes_of_its_own_state_and_none_of_its_tasks() -> None:
    job, workers = stories.an_open_job()
    for worker in workers:
        stories.work(worker, job)
    creation.stop_job(job=job, by="test")
    advance_queue(job.queue_id)
    assert Task.objects.count() > 1
    rows = of_type("SageMaker Ground Truth Labeling Job State Change")
    assert list(events.of(job.account)) == rows[::-1]
    assert [row.status for row in rows][:2] == ["Initializing", "InProgress"]
    assert rows[-1].final and rows[-1].detail == {"LabelingJobStatus": rows[-1].status}
    (arn,) = {row.resource for row in rows}
    assert arn == f"arn:aws:sagemaker:us-east-1:{job.account.number}:labeling-job/{job.name}"
