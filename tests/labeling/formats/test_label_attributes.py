"""Attributes of labels: what a configuration may declare, what shapes may say, what a job keeps."""

import json

import pytest

from labeling.consolidation import attributes
from labeling.formats import label_attributes, label_categories, label_config
from labeling.formats.answers import AnswerError, bounding_box_content, parse_bounding_box_answer
from labeling.formats.label_attributes import AttributeProblem, Declared
from labeling.formats.label_categories import CategoriesError

CASTE = {"name": "caste", "type": "string", "enum": ["worker", "queen"], "isRequired": True}
AGE = {"name": "age", "type": "number", "minimum": 0, "maximum": 40}
NOTE = {"name": "note", "type": "string", "description": "what else you see"}
CONFIG = {
    "document-version": "2018-11-28",
    "labels": [{"label": "bee", "categoryAttributes": [CASTE, AGE]}, {"label": "wasp"}],
    "categoryGlobalAttributes": [NOTE],
}


def kept(document: dict) -> dict:
    return label_config.kept(label_categories.parse(json.dumps(document)))


def declared() -> Declared:
    return label_config.declared(kept(CONFIG))


def test_a_job_keeps_what_a_file_declares():
    config = kept(CONFIG)
    found = label_config.declared(config)
    assert [one.name for one in found.of("bee")] == ["note", "caste", "age"]
    assert [one.name for one in found.of("wasp")] == ["note"]
    assert [one.kind for one in found.of("bee")] == ["text", "class", "number"]
    assert label_config.document(config, ["bee", "wasp"]) == CONFIG
    assert label_config.of_labels(config, ["bee", "wasp"]) == [
        {"label": "bee", "categoryAttributes": [NOTE, CASTE, AGE]},
        {"label": "wasp", "categoryAttributes": [NOTE]},
    ]
    assert label_config.of_labels({}, ["bee"]) == [{"label": "bee"}]
    assert label_config.document({}, ["bee"]) is None


def test_other_names_of_classes_reach_their_attributes():
    config = kept(CONFIG)
    renamed = label_config.renamed(config, "bee", "honey bee")
    assert label_config.declared(renamed).of("honey bee") == label_config.declared(config).of("bee")
    merged = label_config.renamed(config, "bee", None)
    assert [one.name for one in label_config.declared(merged).of("wasp")] == ["note"]
    assert merged["labels"] == {}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"type": "colour"}, "labels[0].categoryAttributes[0].type: must be 'string' or 'number', found 'colour'"),
        ({"name": "n" * 17}, "labels[0].categoryAttributes[0].name: must be a string of 1 to 16 characters"),
        ({"enum": []}, "labels[0].categoryAttributes[0].enum: must be a list of 1 to 100 choices"),
        ({"enum": ["a", "a"]}, "labels[0].categoryAttributes[0].enum: names a choice twice"),
        ({"minimum": 1}, "labels[0].categoryAttributes[0].minimum: only numbers without an enum have one"),
        ({"isRequired": "yes"}, "labels[0].categoryAttributes[0].isRequired: must be true or false"),
        (
            {"editsAllowed": "some"},
            "labels[0].categoryAttributes[0].editsAllowed: must be 'any' or 'none', found 'some'",
        ),
        (
            {"type": "number", "enum": ["1", "two"]},
            "labels[0].categoryAttributes[0].enum[1]: 'two' is no number, as the attribute's type says",
        ),
        (
            {"type": "number", "minimum": 3, "maximum": 2},
            "labels[0].categoryAttributes[0].maximum: is 2, below the minimum 3",
        ),
        ({"choices": ["a"]}, "labels[0].categoryAttributes[0].choices: is unknown; an attribute has name,"),
    ],
)
def test_what_cannot_be_declared_is_named(changed, message):
    attribute = {"name": "caste", "type": "string"} | changed
    with pytest.raises(CategoriesError) as caught:
        kept({"document-version": "2018-11-28", "labels": [{"label": "bee", "categoryAttributes": [attribute]}]})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"frameAttributes": [NOTE]}, "frameAttributes: attributes of whole frames are for video"),
        ({"editsAllowed": "none"}, "editsAllowed: only 'any' is possible here"),
        ({"colour": 1}, "colour: is unknown"),
        ({"labels": [{"label": "bee", "attributes": []}]}, r"labels\[0\].attributes: is unknown; a label has label"),
        ({"labels": [{"label": "bee", "categoryAttributes": [NOTE, NOTE]}]}, "'note' appears twice"),
    ],
)
def test_what_no_job_can_follow_is_refused(changed, message):
    with pytest.raises(CategoriesError, match=message):
        kept(CONFIG | changed)


@pytest.mark.parametrize(
    ("label", "values", "expected"),
    [
        ("bee", (("age", 3), ("caste", "queen")), None),
        ("bee", (("age", 3),), ("caste", "is missing: shapes of 'bee' need it")),
        ("bee", (("caste", "drone"),), ("caste", "'drone' found, one of worker, queen expected")),
        ("bee", (("age", 41), ("caste", "queen")), ("age", "41 found, at least 0 and at most 40 expected")),
        ("bee", (("age", "old"), ("caste", "queen")), ("age", "'old' found, a number expected")),
        ("wasp", (("note", 5),), ("note", "5 found, a text expected")),
        ("wasp", (("caste", "queen"),), ("caste", "is no attribute of 'wasp', which has note")),
    ],
)
def test_values_are_checked_against_what_is_declared(label, values, expected):
    assert declared().problem(label, values) == expected


def test_a_choice_of_numbers_comes_back_as_a_number():
    (count,) = label_attributes.parse([{"name": "legs", "type": "number", "enum": ["2.0", 4]}], "x")
    assert count.kind == "class" and count.refusal(2) == "" and count.refusal(4.0) == ""
    assert count.refusal(3) and count.refusal("2.0")


@pytest.mark.parametrize(
    "said", [[], {"a": None}, {"a": [1]}, {"a": True}, {"": "x"}, {"a": "\0"}, {"a": float("inf")}]
)
def test_values_that_nobody_can_read_are_named(said):
    box = {"label": "bee", "left": 1, "top": 1, "width": 5, "height": 5, label_attributes.KEY: said}
    with pytest.raises(AnswerError, match=r"boundingBox.boundingBoxes\[0\].label-category-attributes"):
        parse_bounding_box_answer({"boundingBox": {"boundingBoxes": [box]}}, labels=["bee"], image_size=(10, 10))
    with pytest.raises(AttributeProblem):
        label_attributes.read(box)


def test_an_answer_keeps_its_attributes():
    box = {"label": "bee", "left": 1, "top": 1, "width": 5, "height": 5, label_attributes.KEY: {"b": 1.5, "a": "x"}}
    (found,) = parse_bounding_box_answer({"boundingBox": {"boundingBoxes": [box]}}, labels=["bee"], image_size=(10, 10))
    assert found.attributes == (("a", "x"), ("b", 1.5))
    assert bounding_box_content([found], image_size=(10, 10))["boundingBox"]["boundingBoxes"] == [box]


# --- merging


def settled(*said: tuple[str, dict], trust: dict[str, float] | None = None, label: str = "bee") -> dict:
    """What becomes of what workers said of one thing, each as near to it."""
    members = [{"worker": worker, "iou": 0.8, label_attributes.KEY: values} for worker, values in said]
    rows, clusters = [{"label": label, "cluster": 0}], [{"members": members}]
    attributes.settle(rows, clusters, declared=declared(), trust=trust or {}, nearness="iou")
    return rows[0].get(label_attributes.KEY, {})


def test_classes_go_by_majority_numbers_by_median_texts_by_trust():
    found = settled(
        ("anna", {"caste": "queen", "age": 3, "note": "tired"}),
        ("bert", {"caste": "worker", "age": 30, "note": "striped"}),
        ("carl", {"caste": "queen", "age": 5}),
        trust={"anna": 0.5, "bert": 0.9, "carl": 0.7},
    )
    assert found == {"age": 5, "caste": "queen", "note": "striped"}


def test_the_most_trusted_worker_decides_a_tie_whatever_the_order():
    said = [("anna", {"caste": "queen"}), ("bert", {"caste": "worker"})]
    for order in (said, said[::-1]):
        assert settled(*order, trust={"anna": 0.5, "bert": 0.6}) == {"caste": "worker"}
        assert settled(*order) == {"caste": "queen"}, "with nothing known of them, the first by name"


def test_the_median_of_two_numbers_lies_between_them():
    assert settled(("anna", {"age": 2}), ("bert", {"age": 5})) == {"age": 3.5}
    assert settled(("anna", {"age": 2}), ("bert", {"age": 4})) == {"age": 3}


def test_what_the_label_does_not_have_is_left_out():
    assert settled(("anna", {"caste": "queen", "note": "odd"}), label="wasp") == {"note": "odd"}
    assert settled(("anna", {"caste": "drone"})) == {}
