"""Requests of endpoints that become human loops: which, once, with what input, and what happens when they cannot."""

import json
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone
from django_q.models import OrmQ

from labeling.background import advance_queue
from labeling.background import sweep as sweep_of_labeling
from labeling.models import FlowDefinition, HumanLoop, LoopAgreement
from labeling.services.review import flows
from learning import background
from learning.models import Endpoint, ReviewRequest
from learning.services.hosting import invoke, reviewing, traffic
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.models import AuditEvent, Notice, Worker
from tests.builders import image_bytes
from tests.labeling.test_human_loops import a_flow, answer, boxed
from tests.learning.hosting_stories import a_config, a_model, an_endpoint, answering

pytestmark = pytest.mark.django_db

UNSURE = [[3.0, 0.45, 0.1, 0.2, 0.3, 0.4], [7.0, 0.3, 0.5, 0.5, 0.75, 1.0], [3.0, 0.01, 0, 0, 1, 1]]
SURE = [[3.0, 0.95, 0.1, 0.2, 0.3, 0.4]]
LOW = {"ConditionType": "HighestScoreCheck", "ConditionParameters": {"ConfidenceLessThan": 50}}
ALWAYS = {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 100}}


def conditions(*nodes: dict[str, Any]) -> str:
    return json.dumps({"Conditions": nodes})


def a_reviewed_endpoint(**values: Any) -> tuple[Endpoint, FlowDefinition, list[Worker]]:
    """An endpoint whose unsure predictions become loops of a flow definition."""
    given = {"conditions": conditions(LOW)} | {key: values.pop(key) for key in list(values) if key in REVIEW}
    flow, workers = a_flow(**values)
    endpoint = an_endpoint(flow.account, a_config(flow.account, a_model(flow.account)))
    reviewing.set_review(endpoint=endpoint, flow=flow, by="user:1", **given)
    return endpoint, flow, workers


REVIEW = ("conditions", "least_score", "most_per_hour")


def ask(endpoint: Endpoint, *, number: int = 0, inference_id: str = "") -> bytes:
    """Ask the endpoint about a picture of 100 x 80 pixels, and let the queue do what follows."""
    image = image_bytes(size=(100, 80), number=number)
    said = invoke.invoke(endpoint=endpoint, image=image, content_type="image/png", inference_id=inference_id)
    assert said.status == 200
    for request_id in ReviewRequest.objects.filter(status="Waiting").values_list("pk", flat=True):
        background.start_review(request_id)
    return image


def test_a_request_that_meets_the_conditions_becomes_a_human_loop() -> None:
    """Its picture is in the store before people are asked, and its input is what the template reads."""
    endpoint, flow, (worker, _) = a_reviewed_endpoint()
    with answering(endpoint, SURE):
        ask(endpoint)
    assert not ReviewRequest.objects.exists()
    with answering(endpoint, UNSURE):
        image = ask(endpoint, inference_id="Request 7")
    row = ReviewRequest.objects.get()
    loop = HumanLoop.objects.get()
    assert (row.status, row.loop, row.picture, row.answer) == ("InProgress", loop, None, "")
    assert loop.name == row.loop_name and loop.name.startswith("bees-")
    content = orjson.loads(loop.content)
    assert storage.read(content["taskObject"]) == image
    assert content["taskObject"] == f"{flow.output_uri}/look-again/pictures/{loop.name}.png"
    assert json.loads(content["initialValue"]) == [
        {"label": "red", "left": 10, "top": 16, "width": 20, "height": 16},
        {"label": "blue", "left": 50, "top": 40, "width": 25, "height": 40},
    ]
    rest = ("modelName", "endpoint", "inferenceId", "scores", "highestScore")
    assert {name: content[name] for name in rest} == {
        "modelName": "quadrants",
        "endpoint": "bees",
        "inferenceId": "Request 7",
        "scores": [0.45, 0.3],
        "highestScore": 0.45,
    }
    assert content["humanTaskActivationConditionResults"] == {"Conditions": [LOW | {"EvaluationResult": True}]}

    answer(flow, worker, boxed(("red", 10, 16, 20, 16)))
    advance_queue(flow.queue_id)
    background.follow_human_loop(loop.pk)
    row.refresh_from_db()
    assert row.status == "Completed"
    kept = LoopAgreement.objects.get()
    assert (kept.model, kept.by_condition, kept.by_sample) == (2 / 3, True, False)
    view = reviewing.view(endpoint)
    assert view is not None and (view["completed"], view["in_progress"], view["taken"]) == (1, 0, 1)


def test_a_repeated_request_is_asked_about_once() -> None:
    """By its inference id, or without one by picture and model."""
    endpoint, _, _ = a_reviewed_endpoint()
    with answering(endpoint, UNSURE):
        for number, inference_id in ((1, "a"), (2, "a"), (1, "b"), (3, ""), (3, "")):
            ask(endpoint, number=number, inference_id=inference_id)
    assert sorted(ReviewRequest.objects.values_list("inference_id", flat=True)) == ["", "a", "b"]
    assert HumanLoop.objects.count() == 3
    for row in ReviewRequest.objects.all():
        background.start_review(row.pk)
    assert HumanLoop.objects.count() == 3


def test_a_process_that_ends_at_once_loses_no_loop() -> None:
    """Nothing but the row is left of the request: the sweep asks for its loop again."""
    endpoint, _, _ = a_reviewed_endpoint()
    with answering(endpoint, UNSURE):
        invoke.invoke(endpoint=endpoint, image=image_bytes(), content_type="image/png")
    assert [row.status for row in ReviewRequest.objects.all()] == ["Waiting"]
    OrmQ.objects.all().delete()
    background.sweep()
    (message,) = [one for one in OrmQ.objects.all() if one.task["func"].endswith("start_review")]
    background.start_review(*message.task["args"])
    assert HumanLoop.objects.count() == 1


def test_an_endpoint_takes_no_more_in_an_hour_than_it_may() -> None:
    """The others are answered all the same, counted, and may be taken later."""
    endpoint, _, _ = a_reviewed_endpoint(most_per_hour=2)
    with answering(endpoint, UNSURE):
        for number in range(5):
            ask(endpoint, inference_id=str(number))
        traffic.flush()
        view = reviewing.view(endpoint)
        assert view is not None and (view["taken"], view["left_out"], view["in_progress"]) == (2, 3, 2)
        ReviewRequest.objects.update(created_at=timezone.now() - timedelta(minutes=61))
        ask(endpoint, inference_id="4")
    assert HumanLoop.objects.count() == 3


def test_a_wallet_that_cannot_pay_does_not_keep_the_answer_back() -> None:
    """The request fails with the reason, of which the account is told once until a loop can start again."""
    endpoint, flow, (worker, _) = a_reviewed_endpoint(funds="0.05")
    member = flow.account.memberships.first()
    with answering(endpoint, UNSURE):
        for number in range(3):
            ask(endpoint, inference_id=str(number))
    assert sorted(ReviewRequest.objects.values_list("status", flat=True)) == ["Failed", "Failed", "InProgress"]
    view = reviewing.view(endpoint)
    assert view is not None and "wallet" in view["trouble"] and view["failed"] == 2
    told = Notice.objects.filter(text__contains="cannot ask people about its predictions")
    assert told.count() == (1 if member is not None else 0)
    assert not ReviewRequest.objects.filter(status="Failed").exclude(picture=None).exists()


def test_a_flow_definition_that_was_deleted_is_said() -> None:
    """And the endpoint goes on answering."""
    endpoint, flow, _ = a_reviewed_endpoint()
    flows.delete_flow(flow=flow, by="test")
    with answering(endpoint, UNSURE):
        ask(endpoint)
    view = reviewing.view(endpoint)
    assert view is not None and view["trouble"] == "the flow definition is Deleting"
    assert not HumanLoop.objects.exists()


def test_a_store_that_cannot_be_written_is_tried_again() -> None:
    """The request waits with its picture and says why; after a day it fails."""
    endpoint, flow, _ = a_reviewed_endpoint()
    good = flow.output_uri
    FlowDefinition.objects.filter(pk=flow.pk).update(output_uri="file:///proc/no-such-folder")
    with answering(endpoint, UNSURE):
        invoke.invoke(endpoint=endpoint, image=image_bytes(), content_type="image/png")
    row = ReviewRequest.objects.get()
    background.start_review(row.pk)
    row.refresh_from_db()
    assert row.status == "Waiting" and row.picture is not None
    assert row.failure_reason.startswith("the picture cannot be stored: ")
    FlowDefinition.objects.filter(pk=flow.pk).update(output_uri=good)
    background.start_review(row.pk)
    row.refresh_from_db()
    assert (row.status, row.failure_reason) == ("InProgress", "")

    FlowDefinition.objects.filter(pk=flow.pk).update(output_uri="file:///proc/no-such-folder")
    with answering(endpoint, UNSURE):
        invoke.invoke(endpoint=endpoint, image=image_bytes(number=1), content_type="image/png")
    ReviewRequest.objects.filter(status="Waiting").update(created_at=timezone.now() - timedelta(days=1))
    late = ReviewRequest.objects.get(status="Waiting")
    background.start_review(late.pk)
    late.refresh_from_db()
    assert (late.status, late.picture) == ("Failed", None)


def test_a_sample_is_the_same_for_the_same_picture_and_holds_surely_predicted_ones() -> None:
    """Five percent of the pictures, whatever the model says of them."""
    sampling = {"ConditionType": "Sampling", "ConditionParameters": {"RandomSamplingPercentage": 20}}
    endpoint, _, _ = a_reviewed_endpoint(conditions=conditions(LOW, sampling))
    with answering(endpoint, SURE):
        for number in range(40):
            ask(endpoint, number=number)
        first = set(ReviewRequest.objects.values_list("key", flat=True))
        ReviewRequest.objects.all().delete()
        for number in range(40):
            ask(endpoint, number=number)
    assert 1 <= len(first) <= 20
    assert set(ReviewRequest.objects.values_list("key", flat=True)) == first


def test_what_is_wrong_with_a_review_is_named_and_changes_are_audited() -> None:
    """All at once; conditions may be those of the flow definition."""
    flow, _ = a_flow()
    endpoint = an_endpoint(flow.account, a_config(flow.account, a_model(flow.account)))
    bad = {"Conditions": [{"ConditionType": "ModerationLabelConfidenceCheck", "ConditionParameters": {}}]}
    with pytest.raises(Invalid) as caught:
        reviewing.set_review(
            endpoint=endpoint,
            flow=a_flow()[0],
            conditions=json.dumps(bad),
            content_classifiers=["Nothing"],
            least_score=2,
            most_per_hour=0,
            by="user:1",
        )
    assert {name for name, _ in caught.value.errors} == {
        "conditions.Conditions[0].ConditionType",
        "flow_definition",
        "least_score",
        "most_per_hour",
        "content_classifiers[0]",
    }
    with pytest.raises(Invalid, match="cannot be set") as caught:
        reviewing.set_review(endpoint=endpoint, flow=flow, by="user:1")
    assert caught.value.errors == [("conditions", "needed, because look-again has none")]
    assert reviewing.view(endpoint) is None
    reviewing.set_review(endpoint=endpoint, flow=flow, conditions=conditions(ALWAYS), by="user:1")
    reviewing.set_review(endpoint=endpoint, flow=flow, conditions=conditions(LOW), most_per_hour=7, by="user:2")
    reviewing.clear_review(endpoint=endpoint, by="user:1")
    reviewing.clear_review(endpoint=endpoint, by="user:1")
    said = AuditEvent.objects.filter(object_type="learning.Endpoint", because__contains="human review")
    assert [row.because.partition(":")[0] for row in said.order_by("pk")] == [
        "human review set",
        "human review changed",
        "human review ended",
    ]
    sweep_of_labeling()
    assert reviewing.view(endpoint) is None
