"""Boxes of two models that have no partner in the other."""

import pytest

from learning.selection.model_differences import unmatched
from learning.selection.quality import Detections


def boxes(*rows):
    return Detections.of([(kind, left, 0, 10, 10, 0.9) for kind, left in rows])


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([], [], 0),
        ([(0, 0)], [(0, 0)], 0),
        ([(0, 0)], [(1, 0)], 2),
        ([(0, 0)], [(0, 3)], 0),  # IoU 7 / 13
        ([(0, 0)], [(0, 4)], 2),  # IoU 6 / 14
        ([(0, 0), (0, 0)], [(0, 0)], 1),
        # The first overlaps both, and best the one that the second needs.
        ([(0, 2), (0, 5)], [(0, 0), (0, 2.5)], 0),
    ],
)
def test_boxes_without_a_partner_are_counted(left, right, expected):
    assert unmatched(boxes(*left), boxes(*right)) == expected
    assert unmatched(boxes(*right), boxes(*left)) == expected
