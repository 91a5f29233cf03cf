"""Other names for the classes of shapes."""

import pytest

from labeling.formats.renaming import renamed
from labeling.formats.shapes import Box, Drawing, Keypoint, Polygon, Segment, Segmentation, Span, Vote

NAMES = {"wasp": "bee"}


def test_each_shape_gets_the_new_name():
    assert renamed(Box("wasp", 1, 2, 3, 4, 0.5), NAMES) == Box("bee", 1, 2, 3, 4, 0.5)
    assert renamed(Polygon("wasp", ((0, 0), (1, 1))), NAMES) == Polygon("bee", ((0, 0), (1, 1)))
    assert renamed([Keypoint("fly", 1, 2)], NAMES) == [Keypoint("fly", 1, 2)]
    assert renamed((Span("wasp", 0, 3),), NAMES) == (Span("bee", 0, 3),)


def test_what_becomes_equal_becomes_one_and_is_as_sure_as_the_surer():
    assert renamed(Vote(("bee", "wasp", "fly"), (0.4, 0.7, 0.1)), NAMES) == Vote(("bee", "fly"), (0.7, 0.1))
    assert renamed(Vote(("wasp",), comment="hm"), NAMES) == Vote(("bee",), comment="hm")
    boxes = [Box("bee", 1, 2, 3, 4, 0.5), Box("wasp", 1, 2, 3, 4, 0.8), Box("bee", 9, 2, 3, 4, 0.5)]
    assert renamed(boxes, NAMES) == [Box("bee", 1, 2, 3, 4, 0.8), Box("bee", 9, 2, 3, 4, 0.5)]


def test_what_somebody_gave_twice_stays_where_no_class_has_another_name():
    twice = [Box("fly", 1, 2, 3, 4), Box("fly", 1, 2, 3, 4)]
    assert renamed(twice, NAMES) == twice


def test_segments_and_the_shapes_of_a_drawing_get_the_new_name():
    two = Segmentation((4, 4), (Segment("bee", "0", 0.5), Segment("wasp", "1", 0.8)), 0.9)
    assert renamed(two, NAMES) == Segmentation((4, 4), (Segment("bee", "0", 0.5), Segment("bee", "1", 0.8)), 0.9)
    drawn = Drawing((Keypoint("wasp", 1, 2, 0.5), Keypoint("bee", 1, 2, 0.4)), (4, 4))
    assert renamed(drawn, NAMES) == Drawing((Keypoint("bee", 1, 2, 0.5),), (4, 4))


def test_what_is_no_shape_is_refused():
    with pytest.raises(TypeError, match="the classes of a dict cannot be renamed"):
        renamed({"label": "wasp"}, NAMES)
