"""Small copies of masks: the same segments from a PNG and from run lengths, and never more than so many bytes."""

import base64

import numpy as np
import pytest

from labeling.formats import mask_answers, masks, segments
from labeling.formats.mask_previews import SIDE, legend, small
from labeling.formats.shapes import Segmentation

LABELS = {1: "bee", 2: "wasp"}


def painted(width: int, height: int) -> Segmentation:
    values = np.zeros((height, width), np.uint8)
    values[height // 4 : height // 2, width // 4 : width // 2] = 1
    values[height // 2 :, width // 2 :] = 2
    return segments.from_pixels(values, LABELS)


def by_png(found: Segmentation, colors: list[str]) -> dict:
    image = mask_answers.labeled_image(found, colors)
    named = [{"label": one.label, "color": color} for one, color in zip(found.segments, colors, strict=True)]
    return {"png": image["pngImageData"], "segments": named}


def by_runs(found: Segmentation) -> dict:
    width, height = found.size
    return {
        "width": width,
        "height": height,
        "segments": [{"label": one.label, "counts": one.counts} for one in found.segments],
    }


@pytest.mark.parametrize("size", [(1920, 1280), (48, 32), (1, 1000), (481, 480)])
def test_a_copy_has_the_same_segments_wherever_they_come_from(size):
    found = painted(*size)
    # The second one has the colour that the first one has in the copy: colours of answers mean nothing there.
    colors = ["#123456", masks.distinct_colors(1)[0]][: len(found.segments)]
    copies = [masks.read_palette_png(small(given))[0] for given in (by_png(found, colors), by_runs(found))]
    # Where a middle falls on the edge of two pixels they may take either.
    assert copies[0].shape == copies[1].shape and (copies[0] != copies[1]).mean() < 0.01
    height, width = copies[0].shape
    assert max(height, width) == min(SIDE, max(size)) and (width, height) == masks.fitted(*size, SIDE)
    if min(size) > 1:
        assert copies[0][height * 3 // 8, width * 3 // 8] == 1 and copies[0][-1, -1] == 2 and copies[0][0, 0] == 0
        shown = masks.read_palette_png(small(by_runs(found)))[1]
        assert [one["color"] for one in legend(by_runs(found)["segments"])] == [shown[1], shown[2]]


def test_a_copy_of_the_worst_masks_is_bounded():
    noise = np.random.default_rng(1).integers(0, 256, (2000, 3000)).astype(np.uint8)
    colors = masks.distinct_colors(255)
    png = masks.write_palette_png(noise, dict(enumerate(colors, start=1)))
    given = {
        "png": base64.b64encode(png).decode(),
        "segments": [{"label": str(n), "color": color} for n, color in enumerate(colors)],
    }
    assert len(png) > 5_000_000 and len(small(given)) < SIDE * SIDE + 5_000


def test_unknown_colours_and_what_is_transparent_are_background():
    found = painted(40, 40)
    given = by_png(found, ["#123456", "#654321"])
    given["segments"] = given["segments"][:1]
    assert set(np.unique(masks.read_palette_png(small(given))[0])) == {0, 1}


@pytest.mark.parametrize(
    "given",
    [
        {"png": "§", "segments": [{"label": "bee", "color": "#123456"}]},
        {"png": "aGVsbG8=", "segments": [{"label": "bee", "color": "#123456"}]},
        {"width": 4, "height": 4, "segments": [{"label": "bee", "counts": "\x7f"}]},
        {"width": 4, "height": 4, "segments": [{"label": "bee", "counts": "01"}]},
    ],
)
def test_masks_that_cannot_be_read_are_refused(given):
    with pytest.raises(ValueError):
        small(given)
