"""What Rekognition and Textract respond, as facts for conditions, and the part of it that met them."""

import json
from typing import Any

import pytest

from labeling.formats import ai_responses, conditions
from labeling.formats.ai_responses import FORMS, MODERATION, ResponseError
from labeling.formats.conditions import FormKey

LABELS = {
    "ModerationLabels": [
        {"Confidence": 99.2, "Name": "Suggestive", "ParentName": ""},
        {"Confidence": 71.5, "Name": "Revealing Clothes", "ParentName": "Suggestive"},
    ],
    "ModerationModelVersion": "3.0",
}


def block(number: int, kind: str, confidence: float = 99, **more: Any) -> dict[str, Any]:
    return {"Id": f"b{number}", "BlockType": kind, "Confidence": confidence, **more}


def key(number: int, confidence: float, *, words: list[int], value: int) -> dict[str, Any]:
    relations = [{"Type": "VALUE", "Ids": [f"b{value}"]}, {"Type": "CHILD", "Ids": [f"b{one}" for one in words]}]
    return block(number, "KEY_VALUE_SET", confidence, EntityTypes=["KEY"], Relationships=relations)


def value(number: int, words: list[int]) -> dict[str, Any]:
    relations = [{"Type": "CHILD", "Ids": [f"b{one}" for one in words]}]
    return block(number, "KEY_VALUE_SET", EntityTypes=["VALUE"], Relationships=relations)


FORM = {
    "DocumentMetadata": {"Pages": 1},
    "Blocks": [
        block(0, "PAGE"),
        key(1, 45, words=[2, 3], value=4),
        block(2, "WORD", 98, Text="Full"),
        block(3, "WORD", 97, Text="name"),
        value(4, [5]),
        block(5, "WORD", 81, Text="Ada"),
        key(6, 95, words=[7], value=8),
        block(7, "WORD", 99, Text="Paid"),
        value(8, [9]),
        block(9, "SELECTION_ELEMENT", 60, SelectionStatus="SELECTED"),
    ],
}


def check(kind: str, **parameters: object) -> dict[str, Any]:
    return {"ConditionType": kind, "ConditionParameters": parameters}


def picked(source: str, response: dict[str, Any], *nodes: dict[str, Any]) -> dict[str, Any]:
    """The part of the response that meets the conditions."""
    tree = conditions.parse(json.dumps({"Conditions": nodes}), source=source)
    given = ai_responses.small(response)
    needed, results = conditions.evaluate(tree, ai_responses.facts(source, given, identity="r"))
    assert needed
    return ai_responses.selected(source, given, results)


def test_members_begin_with_a_small_letter_as_in_a2i() -> None:
    """Whatever they are of; values stay as they are."""
    found = ai_responses.small({"Image": {"S3Object": {"Bucket": "B", "Name": "A.jpg"}}, "Attributes": ["ALL"]})
    assert found == {"image": {"s3Object": {"bucket": "B", "name": "A.jpg"}}, "attributes": ["ALL"]}


def test_the_labels_that_met_the_conditions_are_selected() -> None:
    """All of them where a sample was what held."""
    low = check("ModerationLabelConfidenceCheck", ModerationLabelName="*", ConfidenceLessThan=98)
    found = picked(MODERATION, LABELS, low)
    assert found["moderationLabels"] == [{"confidence": 71.5, "name": "Revealing Clothes", "parentName": "Suggestive"}]
    assert found["moderationModelVersion"] == "3.0"
    everything = check("Sampling", RandomSamplingPercentage=100)
    assert len(picked(MODERATION, LABELS, everything)["moderationLabels"]) == 2
    assert len(picked(MODERATION, LABELS, {"And": [low, everything]})["moderationLabels"]) == 1


def test_the_keys_of_a_form_have_the_scores_of_their_words() -> None:
    """Of the key's and of the value's; what is chosen in a box is no word."""
    facts = ai_responses.facts(FORMS, ai_responses.small(FORM), identity="r")
    assert facts.form_keys == (FormKey("Full name", 45.0, (98.0, 97.0, 81.0)), FormKey("Paid", 95.0, (99.0,)))


def test_the_blocks_of_the_keys_that_met_the_conditions_are_selected() -> None:
    """With their values and words; the whole form where a key is missing."""
    low = check("ImportantFormKeyConfidenceCheck", ImportantFormKey="*", KeyValueBlockConfidenceLessThan=60)
    assert [one["id"] for one in picked(FORMS, FORM, low)["blocks"]] == ["b1", "b2", "b3", "b4", "b5"]
    words = check("ImportantFormKeyConfidenceCheck", ImportantFormKey="Full name", WordBlockConfidenceLessThan=90)
    assert [one["id"] for one in picked(FORMS, FORM, words)["blocks"]] == ["b1", "b2", "b3", "b4", "b5"]
    missing = check("MissingImportantFormKey", ImportantFormKey="Date", ImportantFormKeyAliases=["Day"])
    assert len(picked(FORMS, FORM, missing)["blocks"]) == len(FORM["Blocks"])


@pytest.mark.parametrize(
    ("source", "response", "field"),
    [
        (MODERATION, {}, "moderationLabels"),
        (MODERATION, {"ModerationLabels": [5]}, "moderationLabels[0]"),
        (MODERATION, {"ModerationLabels": [{"Name": "a"}]}, "moderationLabels[0].confidence"),
        (MODERATION, {"ModerationLabels": [{"Confidence": 101, "Name": "a"}]}, "moderationLabels[0].confidence"),
        (MODERATION, {"ModerationLabels": [{"Confidence": 1, "Name": 5}]}, "moderationLabels[0].name"),
        (FORMS, {"Blocks": {}}, "blocks"),
        (FORMS, {"Blocks": [{"Id": "x"}]}, "blocks[0].blockType"),
        (FORMS, {"Blocks": [{"BlockType": "WORD", "Relationships": 5}]}, "blocks[0].relationships"),
        (FORMS, {"Blocks": [block(1, "KEY_VALUE_SET", 101, EntityTypes=["KEY"])]}, "blocks[0].confidence"),
    ],
)
def test_what_is_wrong_with_a_response_is_named(source: str, response: dict[str, Any], field: str) -> None:
    """With its place."""
    with pytest.raises(ResponseError) as caught:
        ai_responses.facts(source, ai_responses.small(response), identity="r")
    assert caught.value.field == field


def test_what_is_nested_too_deep_is_refused() -> None:
    """Before anything follows it down."""
    deep: dict[str, Any] = {}
    for _ in range(30):
        deep = {"a": deep}
    with pytest.raises(ResponseError, match="nested"):
        ai_responses.small(deep)
