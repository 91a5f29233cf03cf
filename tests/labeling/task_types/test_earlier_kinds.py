"""Verification and adjustment of all labels but boxes and masks of classes: what is shown, and what becomes of it."""

import json
from dataclasses import replace

import pytest

from labeling import task_types
from labeling.formats.answers import AnswerError
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Drawing, ImageSize, Keypoint, Polygon, Span, Vote
from labeling.task_types.base import TaskType
from tests.labeling.task_types.samples import segmentation
from tests.labeling.task_types.test_earlier_labels import label

LABELS = ["bee", "wasp", "fly"]
SIZE = (200, 100)


def outlines(closed: bool) -> Drawing:
    bee = ((10.4, 20.5), (60.2, 20), (60, 50.7))
    wasp = ((100, 10), (180.5, 12), (199.9, 90), (110, 99.9))
    return Drawing((Polygon("bee", bee, closed), Polygon("wasp", wasp, closed)), SIZE)


POINTS = Drawing((Keypoint("bee", 10.4, 20.5), Keypoint("wasp", 199.9, 99.9)), SIZE)
EARLIER = {"Polygon": outlines(True), "Polyline": outlines(False), "Keypoint": POINTS}
SHOWN = {
    "Keypoint": [{"label": "bee", "x": 10, "y": 21}, {"label": "wasp", "x": 199, "y": 99}],
    **dict.fromkeys(
        ("Polygon", "Polyline"),
        [
            {"label": "bee", "vertices": [{"x": 10, "y": 21}, {"x": 60, "y": 20}, {"x": 60, "y": 51}]},
            {
                "label": "wasp",
                "vertices": [{"x": 100, "y": 10}, {"x": 181, "y": 12}, {"x": 200, "y": 90}, {"x": 110, "y": 100}],
            },
        ],
    ),
}


@pytest.fixture(params=EARLIER)
def name(request) -> str:
    return request.param


def adjusting(name: str) -> TaskType:
    return task_types.get(f"Adjustment{name}")


def kept(name: str):
    """The answer of a worker who changed nothing, as the element sends it."""
    kind = adjusting(name)
    start = kind.shown(EARLIER[name], size=SIZE).initial_value
    content = {kind.element.name: {kind.member: start, "initialValueModified": False}}
    return kind.read_answer(content, labels=LABELS, size=SIZE)


def written(kind: TaskType, found, attribute="a") -> dict:
    about = LabelContext(labels=LABELS, image_size=ImageSize(*SIZE), job_name="again")
    value, metadata = kind.manifest_label(kind.read_value(found.value), about)
    return {attribute: value, f"{attribute}-metadata": metadata}


def test_shapes_to_adjust_are_given_as_the_element_holds_them(name):
    shown = adjusting(name).shown(EARLIER[name], size=SIZE)
    assert shown.initial_value == SHOWN[name] and not shown.attributes
    assert adjusting(name).shown(Drawing((), SIZE), size=SIZE).initial_value == []


def test_shapes_that_nobody_changed_are_exactly_the_earlier_ones(name):
    kind = adjusting(name)
    found = label(kind, kept(name), kept(name), labels=LABELS, earlier=EARLIER[name])
    line = written(kind, found)
    plain = task_types.get(name)
    about = LabelContext(labels=LABELS, image_size=ImageSize(*SIZE), job_name="again")
    assert line["a"] == plain.manifest_label(EARLIER[name], about)[0], "to the last digit"
    metadata = line["a-metadata"]
    assert metadata["type"] == "groundtruth/custom" and list(metadata)[-1] == "adjustment-status"
    assert metadata["adjustment-status"] == "unadjusted"
    read = kind.read_manifest(line, "a").answer
    assert read == kind.read_value(found.value) and read.modified is False
    assert kind.summary(found.value).endswith(", as they were")
    assert kind.story(found.value, found.explanation).lead.endswith("Nobody changed the earlier label.")


def test_only_the_shape_that_was_changed_is_another_one(name):
    kind, same = adjusting(name), kept(name)
    moved = [{**one} for one in SHOWN[name]]
    if name == "Keypoint":
        moved[1]["x"] = 190
    else:
        moved[1] |= {"vertices": [{"x": 104, "y": 12}, *moved[1]["vertices"][1:]]}
    content = {kind.element.name: {kind.member: moved, "initialValueModified": True}}
    changed = kind.read_answer(content, labels=LABELS, size=SIZE)
    found = label(kind, changed, changed, same, labels=LABELS, earlier=EARLIER[name])
    shapes = {shape.label: shape for shape in kind.read_value(found.value).shapes}
    assert replace(shapes["bee"], confidence=None) == EARLIER[name].shapes[0]
    assert replace(shapes["wasp"], confidence=None) != EARLIER[name].shapes[1]
    assert written(kind, found)["a-metadata"]["adjustment-status"] == "adjusted"


def test_an_answer_without_a_word_about_changes_was_made_anew(name):
    kind = adjusting(name)
    content = {kind.element.name: {kind.member: SHOWN[name]}}
    assert kind.read_answer(content, labels=LABELS, size=SIZE).modified is True
    assert kind.marks(kept(name)) == () and len(task_types.get(name).marks(kept(name))) == 2
    content[kind.element.name]["initialValueModified"] = "no"
    with pytest.raises(AnswerError, match="initialValueModified"):
        kind.read_answer(content, labels=LABELS, size=SIZE)


def test_a_decision_is_compared_with_what_was_shown(name):
    kind = adjusting(name)
    answer = kind.read_answer({kind.element.name: {kind.member: SHOWN[name]}}, labels=LABELS, size=SIZE)
    assert kind.compared(answer, EARLIER[name], size=SIZE).modified is False
    backwards = replace(answer, shapes=answer.shapes[::-1])
    assert kind.compared(backwards, EARLIER[name], size=SIZE).modified is False, "the order says nothing"
    assert kind.compared(replace(answer, shapes=answer.shapes[:1]), EARLIER[name], size=SIZE).modified is True


def test_a_simulated_worker_leaves_the_right_shapes_and_draws_the_missing_ones(name):
    kind, truth = adjusting(name), EARLIER[name]
    kwargs = {"initial_value": SHOWN[name], "labels": LABELS, "size": SIZE}
    left = kind.simulated(truth, truth=truth, **kwargs)
    assert left == kept(name) and left.modified is False
    fly = Keypoint("fly", 100, 50) if name == "Keypoint" else replace(truth.shapes[0], label="fly")
    there = Drawing((truth.shapes[0], fly), SIZE)
    mended = kind.simulated(there, truth=there, **kwargs)
    assert [shape.label for shape in mended.shapes] == ["bee", "fly"] and mended.modified is True
    assert mended.shapes[0] == kept(name).shapes[0]


def test_a_class_that_the_job_lacks_cannot_be_adjusted_and_another_name_is_no_change(name):
    kind = adjusting(name)
    assert kind.unauditable(EARLIER[name], labels=["bee"]) == "it has a class that the job does not have: wasp"
    renamed = kind.renamed(kept(name), {"bee": "honeybee"})
    assert kind.classes(renamed) == {"honeybee", "wasp"} and renamed.modified is False


def overlay(name: str, earlier) -> dict:
    kind = task_types.get(f"Verification{name}")
    shown = kind.shown(earlier, size=SIZE)
    assert shown.initial_value is None and kind.unauditable(earlier, labels=["good", "bad"]) == ""
    return json.loads(shown.attributes["overlay"])


def test_shapes_to_verify_lie_over_the_picture_as_they_are(name):
    ((member, held),) = overlay(name, EARLIER[name]).items()
    assert member == name.lower() and held["labels"] == ["bee", "wasp"]
    first = held["value"][0]
    assert first["label"] == "bee" and first.get("vertices", [first])[0].items() >= {"x": 10.4, "y": 20.5}.items()
    assert overlay(name, Drawing((), SIZE))[member]["value"] == []


def test_instances_are_adjusted_pixel_for_pixel_and_verified():
    earlier = segmentation(("bee", 10, 20, 100, 80), ("bee", 300, 200, 50, 60), instances=True)
    kind = task_types.get("AdjustmentInstanceSegmentation")
    content = kind.write_answer(kind.telling(earlier, False), size=earlier.size)
    left = kind.read_answer(content, labels=LABELS, size=earlier.size)
    assert left.modified is False and kind.marks(left) == ()
    found = label(kind, left, left, labels=LABELS, earlier=earlier)
    assert kind.alike(kind.read_value(found.value), earlier) and found.value["adjusted"] is False
    other = kind.telling(segmentation(("fly", 10, 20, 100, 80), instances=True), True)
    found = label(kind, left, other, labels=LABELS, earlier=earlier)
    assert written(kind, found)["a-metadata"]["adjustment-status"] == "adjusted"
    assert kind.compared(other, earlier, size=earlier.size).modified is True

    start = kind.shown(earlier, size=earlier.size).initial_value
    kwargs = {"initial_value": start, "labels": LABELS, "size": earlier.size}
    assert kind.simulated(other, truth=earlier, **kwargs).modified is False
    assert kind.simulated(other, truth=other, **kwargs) == other
    nothing = kind.simulated(other, truth=other, initial_value=None, labels=LABELS, size=earlier.size)
    assert nothing == other and nothing.modified is True

    held = overlay("InstanceSegmentation", earlier)["instanceSegmentation"]
    assert held["labels"] == ["bee"] and [one["label"] for one in held["instances"]] == ["bee", "bee"]
    assert held["src"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("medium", ["Image", "Text"])
def test_classes_to_verify_are_told(medium):
    assert overlay(f"{medium}MultiClass", Vote(("bee",))) == {"classification": {"labels": ["bee"]}}
    several = f"{medium}MultiClassMultiLabel"
    likely = Vote(("bee", "fly", "wasp"), (0.9, 0.2, 0.7))
    assert overlay(several, likely) == {"classification": {"labels": ["bee", "wasp"]}}
    assert overlay(several, Vote(())) == {"classification": {"labels": ["None of the above"]}}
    kind = task_types.get(f"Verification{several}")
    assert kind.medium == medium.lower() and kind.learner == ""


def test_entities_to_verify_are_marked_in_the_text():
    held = overlay("NamedEntityRecognition", (Span("wasp", 3, 8), Span("bee", 20, 31)))
    assert held == {
        "namedEntity": {
            "labels": ["bee", "wasp"],
            "value": [
                {"label": "wasp", "startOffset": 3, "endOffset": 8},
                {"label": "bee", "startOffset": 20, "endOffset": 31},
            ],
        }
    }
    assert overlay("NamedEntityRecognition", ())["namedEntity"]["value"] == []


def test_what_was_adjusted_can_be_looked_at_again():
    """A type that adjusts is one of the type that it adjusts, and verdicts are of none."""
    for kind in map(task_types.get, task_types.names()):
        if kind.audited is not None:
            assert kind.adjusts == isinstance(kind, type(kind.audited)) == kind.name.startswith("Adjustment")
