"""Augmentation: boxes stay on their objects, whatever the preset does to the picture."""

import numpy as np
import pytest

from learning.vision.augment import PRESETS, train_transform

SIDE = 96


def picture(boxes):
    """A white rectangle in each box, on the grey that fills up around an image seen from farther away."""
    pixels = np.full((SIDE, SIDE, 3), 114, np.uint8)
    for x1, y1, x2, y2 in boxes:
        pixels[y1:y2, x1:x2] = 255
    return pixels, np.array(boxes, np.float32), np.arange(1, len(boxes) + 1)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_boxes_move_with_their_objects(preset):
    transform = train_transform(preset)
    for seed in range(60):
        pixels, boxes, labels = transform(*picture([(30, 40, 62, 58)]), np.random.default_rng(seed))
        assert pixels.shape == (SIDE, SIDE, 3) and pixels.dtype == np.uint8
        assert labels.tolist() == [1] and boxes.shape == (1, 4)
        assert boxes.min() >= 0 and boxes.max() <= SIDE
        bright = pixels.astype(int).sum(2)
        seen = bright > (int(bright.min()) + int(bright.max())) / 2
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert np.abs(boxes[0] - found).max() <= 2, (seed, boxes, found)


def test_none_changes_nothing_and_the_input_is_left_alone():
    pixels, boxes, labels = picture([(10, 10, 30, 30), (50, 50, 70, 80)])
    kept = pixels.copy(), boxes.copy()
    out = train_transform("none")(pixels, boxes, labels, np.random.default_rng(0))
    assert all(np.array_equal(a, b) for a, b in zip(out, (pixels, boxes, labels), strict=True))
    for seed in range(20):
        train_transform("strong")(pixels, boxes, labels, np.random.default_rng(seed))
    assert np.array_equal(pixels, kept[0]) and np.array_equal(boxes, kept[1])


def test_the_same_seed_gives_the_same_changes():
    first, second = (train_transform("strong")(*picture([(5, 5, 60, 60)]), np.random.default_rng(4)) for _ in "ab")
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_every_orientation_occurs():
    corners = set()
    for seed in range(80):
        pixels, boxes, _ = train_transform("any_way_up")(*picture([(0, 0, 40, 20)]), np.random.default_rng(seed))
        width, height = boxes[0, 2:] - boxes[0, :2]
        corners.add((bool(boxes[0, 0] < 20), bool(boxes[0, 1] < 20), bool(width > height)))
    assert len(corners) >= 6


def test_images_without_boxes_stay_without():
    for seed in range(20):
        empty = (np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
        _, boxes, labels = train_transform("strong")(picture([])[0], *empty, np.random.default_rng(seed))
        assert boxes.shape == (0, 4) and labels.shape == (0,)


def test_an_unknown_preset_is_named():
    with pytest.raises(ValueError, match="'heavy'.*standard"):
        train_transform("heavy")
