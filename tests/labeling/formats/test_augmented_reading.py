"""Labels that other tools and earlier jobs wrote: what is odd is repaired, or refused by its member."""

from __future__ import annotations

import pytest

from labeling.formats.augmented_reading import read_boxes, read_class
from labeling.formats.shapes import ImageSize


def box_line_with(changes: dict, *, label: dict | None = None, metadata: dict | None = None) -> dict:
    """A line with one box that has these members."""
    annotation = {"class_id": 0, "left": 0, "top": 0, "width": 1, "height": 1} | changes
    about = {"class-map": {"0": "bee"}, "objects": [{"confidence": 0.5}]} | (metadata or {})
    return {"b": {"annotations": [annotation]} | (label or {}), "b-metadata": about}


@pytest.mark.parametrize(
    "size", [{"width": 0, "height": 0, "depth": 3}, {"width": 50, "height": 0}, {"width": -1, "height": 5}]
)
def test_a_size_that_is_none_is_not_known(size):
    assert read_boxes(box_line_with({}, label={"image_size": [size]}), "b").image_size is None


@pytest.mark.parametrize("depth", [0, -1, 10**12])
def test_a_depth_that_is_none_is_three(depth):
    label = {"image_size": [{"width": 50, "height": 40, "depth": depth}]}
    assert read_boxes(box_line_with({}, label=label), "b").image_size == ImageSize(50, 40, 3)


@pytest.mark.parametrize("side", [10**12, 65_536, 1e300])
def test_an_absurd_size_is_refused(side):
    for size in ({"width": side, "height": 1}, {"width": 1, "height": side}):
        with pytest.raises(ValueError, match=r"at most (65,535 pixels a side are possible|9007199254740992)"):
            read_boxes(box_line_with({}, label={"image_size": [size]}), "b")


@pytest.mark.parametrize("member", ["left", "top", "width", "height"])
@pytest.mark.parametrize("value", [1e308, -1e308, 10**18, "1e9"])
def test_absurd_boxes_are_refused(member, value):
    bound = r"(at most 1,000,000 pixels|a finite number of at most 9007199254740992)"
    with pytest.raises(ValueError, match=rf"b.annotations\[0\].{member} must be {bound}"):
        read_boxes(box_line_with({member: value}), "b")


@pytest.mark.parametrize(("confidence", "expected"), [(-0.1, None), (95, None), (1, 1), ("0.5", 0.5)])
def test_a_confidence_that_is_no_chance_says_nothing(confidence, expected):
    line = box_line_with({}, metadata={"objects": [{"confidence": confidence}]})
    assert read_boxes(line, "b").boxes[0].confidence == expected
    assert read_class({"c": 0, "c-metadata": {"confidence": confidence}}, "c").vote.confidences == (
        None if expected is None else (expected,)
    )


def test_an_absurd_confidence_is_refused():
    with pytest.raises(ValueError, match=r"b-metadata.objects\[0\].confidence must be a finite number"):
        read_boxes(box_line_with({}, metadata={"objects": [{"confidence": 1e308}]}), "b")


def test_class_names_have_no_spaces_around_them():
    assert read_boxes(box_line_with({}, metadata={"class-map": {"0": " bee\n"}}), "b").boxes[0].label == "bee"
    assert read_class({"c": 0, "c-metadata": {"class-name": "bee "}}, "c").vote.label == "bee"
