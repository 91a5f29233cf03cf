"""Flow definitions with a request source: conditions on a service's response decide whether people are asked."""

import json
from typing import Any

import orjson
import pytest

from labeling.background import advance_queue
from labeling.models import FlowDefinition, HumanLoop
from labeling.services.review import activation
from marketplace import storage
from marketplace.errors import InUse, Invalid
from marketplace.models import Worker
from tests.labeling.formats.test_ai_responses import FORM, FORMS, LABELS, MODERATION, check
from tests.labeling.test_human_loops import a_flow, answer

pytestmark = pytest.mark.django_db

REQUEST = {
    "HumanLoopConfig": {"FlowDefinitionArn": "arn:aws:x", "HumanLoopName": "m-1"},
    "Image": {"S3Object": {"Bucket": "pictures", "Name": "1.jpg"}},
}
LOW = check("ModerationLabelConfidenceCheck", ModerationLabelName="*", ConfidenceLessThan=98)


def a_source(source: str, *nodes: dict[str, Any]) -> tuple[FlowDefinition, list[Worker]]:
    return a_flow(request_source=source, conditions=json.dumps({"Conditions": nodes}))


def test_moderation_labels_that_meet_a_condition_start_a_loop() -> None:
    """With A2I's members of the input in the output, their names beginning with a small letter."""
    flow, (worker, _) = a_source(MODERATION, LOW)
    made = activation.activate(flow=flow, name="m-1", ai_service_request=REQUEST, ai_service_response=LABELS, by="test")
    said = made.output()
    assert said["HumanLoopArn"].endswith(":human-loop/m-1")
    assert said["HumanLoopActivationReasons"] == ["ConditionsEvaluation"]
    results = {"Conditions": [LOW | {"EvaluationResult": True}]}
    assert json.loads(said["HumanLoopActivationConditionsEvaluationResults"]) == results
    answer(flow, worker, {MODERATION: {"ModerationLabels": [{"name": "Suggestive", "parentName": ""}]}})
    advance_queue(flow.queue_id)
    written = orjson.loads(storage.read(HumanLoop.objects.get().output_uri))
    assert written["awsManagedHumanLoopRequestSource"] == MODERATION
    content = written["inputContent"]
    assert sorted(content) == [
        "aiServiceRequest",
        "aiServiceResponse",
        "humanTaskActivationConditionResults",
        "selectedAiServiceResponse",
    ]
    assert content["aiServiceRequest"]["image"] == {"s3Object": {"bucket": "pictures", "name": "1.jpg"}}
    assert content["aiServiceRequest"]["humanLoopConfig"]["humanLoopName"] == "m-1"
    assert len(content["aiServiceResponse"]["moderationLabels"]) == 2
    assert [one["name"] for one in content["selectedAiServiceResponse"]["moderationLabels"]] == ["Revealing Clothes"]
    assert content["humanTaskActivationConditionResults"] == results


def test_what_meets_no_condition_asks_nobody_and_says_why() -> None:
    """The evaluated conditions are given all the same."""
    missing = check("MissingImportantFormKey", ImportantFormKey="Full name")
    flow, _ = a_source(FORMS, missing)
    made = activation.activate(flow=flow, name="f-1", ai_service_request={}, ai_service_response=FORM, by="test")
    assert made.loop is None
    assert json.loads(made.output()["HumanLoopActivationConditionsEvaluationResults"]) == {
        "Conditions": [missing | {"EvaluationResult": False}]
    }
    assert sorted(made.output()) == ["HumanLoopActivationConditionsEvaluationResults"]
    assert not HumanLoop.objects.exists()


def test_the_same_request_is_sampled_alike_whatever_its_loop_is_called() -> None:
    """And a repeat with the same name is the same loop."""
    flow, _ = a_source(MODERATION, check("Sampling", RandomSamplingPercentage=50))
    found = {}
    for number in range(16):
        request = REQUEST | {"Image": {"S3Object": {"Bucket": "pictures", "Name": f"{number}.jpg"}}}
        answers = []
        for name in (f"a-{number}", f"b-{number}", f"a-{number}"):
            asked = request | {"HumanLoopConfig": {"HumanLoopName": name}}
            made = activation.activate(
                flow=flow, name=name, ai_service_request=asked, ai_service_response=LABELS, by="test"
            )
            answers.append(made.loop and made.loop.name)
        assert answers in ([None] * 3, [f"a-{number}", f"b-{number}", f"a-{number}"])
        found[number] = answers[0] is not None
    assert 0 < sum(found.values()) < 16
    sampled = next(number for number, drawn in found.items() if drawn)
    with pytest.raises(InUse, match="with another input"):
        activation.activate(
            flow=flow,
            name=f"a-{sampled}",
            ai_service_request=REQUEST | {"Image": {"S3Object": {"Bucket": "pictures", "Name": f"{sampled}.jpg"}}},
            ai_service_response=LABELS,
            by="test",
        )


def test_a_flow_definition_for_own_models_evaluates_no_response() -> None:
    """And what is wrong with a response is named."""
    flow, _ = a_flow()
    with pytest.raises(Invalid, match="no request source"):
        activation.activate(flow=flow, name="x", ai_service_request={}, ai_service_response={}, by="test")
    source, _ = a_source(MODERATION, LOW)
    with pytest.raises(Invalid) as caught:
        activation.activate(flow=source, name="x", ai_service_request={}, ai_service_response={}, by="test")
    assert caught.value.field == "ai_service_response.moderationLabels"
