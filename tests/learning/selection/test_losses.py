"""How wrong the label of an image is: by the image, and by its objects."""

import pytest

from learning.selection.losses import counts, loss, losses
from learning.selection.quality import Detections

BEE, FLOWER = 0, 1


def boxes(*rows: tuple[int, float]) -> Detections:
    """Boxes of ten by ten pixels: (class, left)."""
    return Detections.of([(number, left, 0.0, 10.0, 10.0, 1.0) for number, left in rows])


@pytest.mark.parametrize(
    ("predicted", "truth", "expected"),
    [
        (boxes(), boxes(), (0, 0)),
        (boxes((BEE, 0), (BEE, 50)), boxes((BEE, 1), (BEE, 51)), (0, 2)),
        (boxes((BEE, 0)), boxes(), (1, 1)),
        (boxes(), boxes((BEE, 0)), (1, 1)),
        (boxes((BEE, 0)), boxes((FLOWER, 0)), (1, 1)),
        (boxes((BEE, 0)), boxes((BEE, 4)), (2, 2)),  # an IoU of 6/14: one false, one missed
        (boxes((BEE, 0), (FLOWER, 0)), boxes((FLOWER, 0), (BEE, 1)), (0, 2)),
        (boxes((BEE, 0), (BEE, 1)), boxes((BEE, 0)), (1, 2)),  # the same object twice
    ],
)
def test_objects_are_right_missed_false_or_of_the_wrong_class(
    predicted: Detections, truth: Detections, expected: tuple[int, int]
) -> None:
    """Each counts once."""
    assert counts(predicted, truth) == expected
    assert loss(predicted, truth) == float(expected[0] > 0)
    assert loss(predicted, truth, kind="objects") == (expected[0] / expected[1] if expected[1] else 0.0)


def test_the_overlap_can_be_set_and_is_checked() -> None:
    """At a lower overlap the same box is right."""
    assert losses([boxes((BEE, 0))], [boxes((BEE, 4))], iou=0.4).tolist() == [0.0]
    with pytest.raises(ValueError, match="overlap 0 must"):
        loss(boxes(), boxes(), iou=0)
    with pytest.raises(ValueError, match="1 predictions for 0"):
        losses([boxes()], [])
    with pytest.raises(ValueError, match="'pixels' is no loss"):
        loss(boxes(), boxes(), kind="pixels")  # type: ignore[arg-type]
