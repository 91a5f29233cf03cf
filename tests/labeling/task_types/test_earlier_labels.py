"""Verification and adjustment of boxes and masks: what people are shown of an earlier label, and what becomes of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.formats import segments
from labeling.formats.answers import AnswerError
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, ImageSize, Vote
from labeling.task_types.base import AnswersToImage

LABELS = ["bee", "wasp"]
SIZE = (200, 100)
EARLIER = [Box("bee", 10.4, 20.6, 30.3, 40.2), Box("wasp", 100.5, 5, 50, 60.75)]
MASKS = task_types.get("AdjustmentSemanticSegmentation")
VERIFY, ADJUST = task_types.get("VerificationBoundingBox"), task_types.get("AdjustmentBoundingBox")


def label(kind, *answers, labels, earlier=None):
    given = tuple(WorkerAnswer(f"w{n}", answer) for n, answer in enumerate(answers))
    seen = AnswersToImage(given, SIZE, earlier=earlier)
    (found,) = kind.consolidate_many([seen], labels=labels, workers=kind.load_workers(None))
    return found


def line(kind, found, labels):
    created = datetime(2018, 11, 20, 22, 18, 13, 527256, tzinfo=UTC)
    about = LabelContext(labels=labels, image_size=ImageSize(*SIZE), job_name="second-look", created=created)
    return kind.manifest_label(kind.read_value(found.value), about)


def kept():
    """The answer of a worker who changed nothing, as the element sends it."""
    start = ADJUST.shown(EARLIER, size=SIZE).initial_value
    content = {"boundingBox": {"boundingBoxes": start, "initialValueModified": False}}
    return ADJUST.read_answer(content, labels=LABELS, size=SIZE)


def test_a_verdict_is_written_as_ground_truth_writes_it():
    good, bad = Vote(("good",)), Vote(("bad",), comment="box too wide")
    found = label(VERIFY, bad, good, replace(bad, comment="  "), Vote(("bad",)), labels=["good", "bad"])
    value, metadata = line(VERIFY, found, ["good", "bad"])
    assert value == "1"
    assert 0.5 < metadata.pop("confidence") < 1
    assert json.dumps(metadata) == json.dumps(
        {
            "class-name": "bad",
            "type": "groundtruth/label-verification",
            "job-name": "labeling-job/second-look",
            "human-annotated": "yes",
            "creation-date": "2018-11-20T22:18:13.527256",
            "worker-feedback": [{"comment": "box too wide"}],
        }
    )
    assert list(line(VERIFY, found, ["good", "bad"])[1])[:3] == ["class-name", "confidence", "type"]
    read = VERIFY.read_manifest({"v": value, "v-metadata": metadata}, "v").answer
    assert read.label == "bad" and read.comments == ("box too wide",)


def test_a_verdict_without_words_has_no_feedback():
    found = label(VERIFY, Vote(("good",)), Vote(("good",)), labels=["good", "bad"])
    assert "worker-feedback" not in line(VERIFY, found, ["good", "bad"])[1]


def test_the_boxes_to_verify_lie_over_the_picture():
    shown = VERIFY.shown(EARLIER, size=SIZE)
    assert shown.initial_value is None
    assert json.loads(shown.attributes["overlay"]) == {
        "boundingBox": {
            "labels": ["bee", "wasp"],
            "value": [
                {"label": "bee", "left": 10.4, "top": 20.6, "width": 30.3, "height": 40.2},
                {"label": "wasp", "left": 100.5, "top": 5, "width": 50, "height": 60.75},
            ],
        }
    }
    assert json.loads(VERIFY.shown([], size=SIZE).attributes["overlay"])["boundingBox"]["value"] == []


def test_boxes_to_adjust_are_given_as_the_element_holds_them():
    start = ADJUST.shown([*EARLIER, Box("bee", 195, -3, 1, 200)], size=SIZE).initial_value
    assert start == [
        {"label": "bee", "left": 10, "top": 21, "width": 30, "height": 40},
        {"label": "wasp", "left": 101, "top": 5, "width": 50, "height": 61},
        {"label": "bee", "left": 195, "top": 0, "width": 3, "height": 100},
    ]


def test_what_nobody_changed_is_exactly_the_earlier_label():
    found = label(ADJUST, kept(), kept(), kept(), labels=LABELS, earlier=EARLIER)
    written, metadata = line(ADJUST, found, LABELS)
    assert [(b["left"], b["top"], b["width"], b["height"]) for b in written["annotations"]] == [
        (10.4, 20.6, 30.3, 40.2),
        (100.5, 5, 50, 60.75),
    ]
    assert metadata["adjustment-status"] == "unadjusted" and metadata["type"] == "groundtruth/object-detection"
    assert ADJUST.summary(found.value) == "2 boxes, as they were"
    read = ADJUST.read_manifest({"a": written, "a-metadata": metadata}, "a").answer
    assert ADJUST.value(read)["adjusted"] is False and read == ADJUST.read_value(found.value)


def test_only_the_box_that_was_changed_is_another_one():
    moved = type(kept())([kept()[0], Box("wasp", 110, 10, 50, 60)])
    found = label(ADJUST, moved, moved, moved, labels=LABELS, earlier=EARLIER)
    boxes = ADJUST.read_value(found.value)
    assert replace(boxes[0], confidence=None) == EARLIER[0]
    assert abs(boxes[1].left - 110) < 3 and boxes[1].left != EARLIER[1].left
    assert line(ADJUST, found, LABELS)[1]["adjustment-status"] == "adjusted"


def test_one_worker_who_changed_something_makes_it_adjusted():
    removed = type(kept())([kept()[0]])
    found = label(ADJUST, kept(), kept(), removed, labels=LABELS, earlier=EARLIER)
    assert len(found.value["boxes"]) == 2 and found.value["adjusted"] is True


def test_nothing_was_there_and_nothing_is():
    empty = ADJUST.read_answer(
        {"boundingBox": {"boundingBoxes": [], "initialValueModified": False}}, labels=LABELS, size=SIZE
    )
    written, metadata = line(ADJUST, label(ADJUST, empty, empty, labels=LABELS, earlier=[]), LABELS)
    assert written["annotations"] == [] and metadata["adjustment-status"] == "unadjusted"


def test_an_answer_says_whether_it_changed_anything():
    content = ADJUST.write_answer(kept(), size=SIZE)
    assert content["boundingBox"]["initialValueModified"] is False
    assert ADJUST.marks(kept()) == (), "who changes nothing has drawn nothing"
    content["boundingBox"]["initialValueModified"] = "no"
    with pytest.raises(AnswerError, match="initialValueModified"):
        ADJUST.read_answer(content, labels=LABELS, size=SIZE)


def test_a_simulated_worker_leaves_what_is_right_and_mends_the_rest():
    start = ADJUST.shown(EARLIER, size=SIZE).initial_value
    kwargs = {"initial_value": start, "labels": LABELS, "size": SIZE}
    left = ADJUST.simulated([Box("bee", 11, 22, 30, 40)], truth=EARLIER, **kwargs)
    assert left == kept() and left.modified is False
    truth = [EARLIER[0], Box("bee", 150, 50, 20, 20)]
    mended = ADJUST.simulated([Box("bee", 149, 51, 20, 20)], truth=truth, **kwargs)
    assert mended == [kept()[0], Box("bee", 149, 51, 20, 20)] and mended.modified is True


def test_a_job_without_a_class_of_the_earlier_label_cannot_adjust_it():
    assert ADJUST.unauditable(EARLIER, labels=["bee"]) == "it has a class that the job does not have: wasp"
    assert ADJUST.unauditable(EARLIER, labels=LABELS) == VERIFY.unauditable(EARLIER, labels=["good", "bad"]) == ""


def test_another_name_of_a_class_is_no_change():
    renamed = ADJUST.renamed(kept(), {"bee": "honeybee"})
    assert [box.label for box in renamed] == ["honeybee", "wasp"] and renamed.modified is False
    verdict = VERIFY.renamed(Vote(("bad",), comments=("too wide",)), {"bad": "wrong"})
    assert verdict.label == "wrong" and verdict.comments == ("too wide",)
    masks = MASKS.renamed(MASKS.certain(left_alone()), {"bee": "honeybee"})
    assert MASKS.classes(masks) == {"honeybee"} and MASKS.value(masks)["adjusted"] is False


def painted(left: int):
    pixels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    pixels[10:60, left : left + 40] = 1
    return segments.from_pixels(pixels, {1: "bee"})


def left_alone():
    """The masks of a worker who changed nothing, as the element sends them."""
    content = MASKS.write_answer(painted(20), size=SIZE)
    content["crowd-semantic-segmentation"]["initialValueModified"] = False
    return MASKS.read_answer(content, labels=LABELS, size=SIZE)


def test_masks_that_nobody_changed_are_the_same_pixels():
    found = label(MASKS, left_alone(), left_alone(), labels=LABELS, earlier=painted(20))
    assert MASKS.read_value(found.value).segments[0].counts == painted(20).segments[0].counts
    assert line(MASKS, found, LABELS)[1]["adjustment-status"] == "unadjusted"
    assert MASKS.marks(left_alone()) == ()
    changed = MASKS.read_answer(MASKS.write_answer(painted(30), size=SIZE), labels=LABELS, size=SIZE)
    found = label(MASKS, left_alone(), changed, labels=LABELS, earlier=painted(20))
    assert line(MASKS, found, LABELS)[1]["adjustment-status"] == "adjusted"
    assert MASKS.compared(left_alone(), painted(30), size=SIZE).modified is True
    assert MASKS.compared(changed, painted(30), size=SIZE).modified is False
    assert MASKS.unauditable(painted(20), labels=["wasp"]).endswith("does not have: bee")


def test_masks_to_verify_lie_over_the_picture():
    verify = task_types.get("VerificationSemanticSegmentation")
    overlay = json.loads(verify.shown(painted(20), size=SIZE).attributes["overlay"])["semanticSegmentation"]
    assert overlay["labels"] == ["bee"] and set(overlay["labelMappings"]) == {"bee"}
    assert overlay["src"].startswith("data:image/png;base64,")
    assert verify.shown(segments.from_pixels(np.zeros((100, 200), np.uint8), {}), size=SIZE).attributes == {}
