"""The index of sample predictions: what was written is read again, and what does not fit is named."""

import json

import numpy as np
import pytest

from labeling.formats import segments
from learning.samples import (
    CLASSES,
    MASKS,
    MOST_EVALUATIONS,
    Evaluation,
    SampleBox,
    SampleClass,
    SampleImage,
    SampleMask,
    Samples,
    surest,
)

IMAGE = SampleImage("0.jpg", 640, 480, [SampleBox("bee", 1, 2, 30, 40)])
FOUND = [SampleBox("bee", 1.5, 2, 30, 39.5, score=0.9)]


def some(*steps):
    samples = Samples([IMAGE])
    for step in steps:
        samples.add(Evaluation(step, step // 10, [FOUND]))
    return samples


def test_an_index_is_read_as_it_was_written():
    samples = some(10, 20)
    assert Samples.from_json(samples.to_json()) == samples
    assert Samples.from_json(Samples().to_json()) == Samples()


def of_classes():
    shown = SampleImage("0.jpg", 640, 480, [SampleClass("bee")])
    return Samples([shown], [Evaluation(10, 1, [[SampleClass("wasp", 0.75)]])], CLASSES)


def of_masks():
    values = np.zeros((3, 4), np.uint8)
    values[1:, 2:] = 1
    (mask,) = segments.from_pixels(values, {1: "bee"}).segments
    masks = [SampleMask(mask.label, mask.counts)]
    return Samples([SampleImage("0.jpg", 4, 3, masks)], [Evaluation(10, 1, [masks])], MASKS)


@pytest.mark.parametrize("make", [of_classes, of_masks])
def test_classes_and_masks_are_read_as_they_were_written(make):
    assert Samples.from_json(make().to_json()) == make()


@pytest.mark.parametrize(
    ("make", "member", "value", "said"),
    [
        (of_classes, "score", float("inf"), r"found\[0\]\[0\].score: a number"),
        (of_masks, "counts", 7, r"found\[0\]\[0\].counts: a text expected"),
        (of_masks, "counts", "\x00", r"found\[0\]\[0\].counts: "),
        (of_masks, "counts", "ooooo5", r"found\[0\]\[0\].counts: "),
    ],
)
def test_classes_and_masks_that_do_not_fit_are_refused_with_the_place(make, member, value, said):
    body = json.loads(make().to_json())
    body["evaluations"][0]["found"][0][0][member] = value
    with pytest.raises(ValueError, match=said):
        Samples.from_json(json.dumps(body))


def test_the_newest_evaluations_are_kept_and_a_repeated_one_replaces_what_followed():
    assert [one.step for one in some(10, 20, 30, 20).evaluations] == [10, 20]
    kept = some(*range(MOST_EVALUATIONS + 5)).evaluations
    assert [one.step for one in kept] == list(range(5, MOST_EVALUATIONS + 5))


def test_weak_boxes_are_left_out_and_the_surest_come_first():
    boxes = [SampleBox("bee", 0, 0, 1, 1, score=score) for score in (0.1, 0.3, 0.9)]
    assert [box.score for box in surest(boxes)] == [0.9, 0.3]
    assert len(surest(boxes[1:] * 100)) == 50


def changed(path, value):
    body = json.loads(some(10).to_json())
    at = body
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    return json.dumps(body)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("kind",), "sounds", "kind: one of boxes, classes, masks expected, found 'sounds'"),
        (("images",), {}, "images: a list"),
        (("images",), [{}] * 9, "at most 8"),
        (("images", 0, "file"), "../../secret", r"images\[0\].file"),
        (("images", 0, "width"), -1, r"images\[0\].width: a whole number expected, found '-1'"),
        (("images", 0, "truth", 0, "left"), "x", r"images\[0\].truth\[0\].left: a number"),
        (("images", 0, "truth", 0, "label"), None, r"images\[0\].truth\[0\].label: a text"),
        (("evaluations", 0, "found"), [], "0 lists of boxes for 1 images"),
        (("evaluations", 0, "found", 0, 0, "score"), None, r"found\[0\]\[0\].score: a number"),
        (("evaluations", 0, "step"), True, r"evaluations\[0\].step: a whole number"),
    ],
)
def test_an_index_that_does_not_fit_is_refused_with_the_place(path, value, said):
    with pytest.raises(ValueError, match=said):
        Samples.from_json(changed(path, value))


def test_what_is_no_index_is_refused():
    for text in ("[]", "{", " " * (5 << 20), '{"images": [], "evaluations": [{"found": null}]}', "[" * 100_000):
        with pytest.raises(ValueError):
            Samples.from_json(text)
