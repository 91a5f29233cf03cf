"""Garden scenes: boxes frame the insects, and insects can be seen."""

import numpy as np
from PIL import Image, ImageChops

from learning.scenes import garden, garden_parts


def test_a_box_frames_the_insect_and_nothing_else():
    """What landing an insect changes in the picture, shadow aside, lies inside its box and reaches its sides."""
    rng = np.random.default_rng(1)
    studio = garden.open_studio(rng)
    for kind in (0, 1):
        image, owner = Image.new("RGB", (300, 300), (12, 14, 8)), np.zeros((300, 300), np.uint8)  # shadow-coloured
        before = image.copy()
        found = None
        while found is None:
            found = garden._land(rng, image, owner, 1, studio.insects[kind], kind)
        (x, y, right, bottom), area = found
        difference = ImageChops.difference(image, before).convert("L").point(lambda v: 255 if v > 12 else 0)
        left, top, shown_right, shown_bottom = difference.getbbox()
        assert max(abs(left - x), abs(top - y), abs(shown_right - right), abs(shown_bottom - bottom)) <= 6
        assert (owner == 1).sum() <= area <= (right - x) * (bottom - y) * 1.6


def test_every_insect_can_be_told_from_nothing():
    rng = np.random.default_rng(2)
    for paint in garden_parts.INSECTS.values():
        alpha = np.asarray(paint(rng).getchannel("A"))
        assert 0.05 < (alpha > 128).mean() < 0.6
