"""Boxes, outlines and masks: against arithmetic done by hand, pixel by pixel, and COCO's own code where it is there."""

from __future__ import annotations

import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from labeling.formats import geometry, masks
from labeling.formats.shapes import Box

whole = st.integers(0, 12)
rectangles = st.lists(st.tuples(whole, whole, whole, whole), max_size=4)


def pixels(x1: int, y1: int, x2: int, y2: int) -> set[tuple[int, int]]:
    return {(x, y) for x in range(x1, x2) for y in range(y1, y2)}


@given(rectangles, rectangles)
def test_iou_and_area_count_pixels(first, second):
    matrix = geometry.iou_matrix(np.array(first).reshape(-1, 4), np.array(second).reshape(-1, 4))
    assert matrix.shape == (len(first), len(second))
    for i, a in enumerate(first):
        assert geometry.areas([a])[0] == len(pixels(*a))
        for j, b in enumerate(second):
            union = pixels(*a) | pixels(*b)
            expected = len(pixels(*a) & pixels(*b)) / len(union) if union else 0
            assert matrix[i, j] == pytest.approx(expected)


def test_corners_of_boxes_and_back():
    boxes = [Box("a", 1, 2, 3, 4), Box("b", 0.5, 0, 10, 1)]
    assert geometry.corners(boxes).tolist() == [[1, 2, 4, 6], [0.5, 0, 10.5, 1]]
    assert geometry.corners([]).shape == (0, 4)
    rows = [[1, 2, 3, 4], [0.5, 0, 10, 1]]
    assert geometry.to_ltwh(geometry.from_ltwh(rows)).tolist() == rows
    assert Box.from_corners("a", *boxes[0].corners) == boxes[0]


def test_clip_moves_corners_into_the_image():
    assert geometry.clip([[-5, -1, 30, 8]], width=20, height=10).tolist() == [[0, 0, 20, 8]]


def test_outlines():
    square = [(0, 0), (0, 4), (4, 4), (4, 0)]
    assert geometry.polygon_area(square) == geometry.polygon_area(square[::-1]) == 16
    assert geometry.polygon_area([(0, 0), (1, 1)]) == 0
    assert geometry.bounds([(3, 1), (0, 9)]) == (0, 1, 3, 9)
    with pytest.raises(ValueError, match="at least one point"):
        geometry.bounds([])
    mask = geometry.polygon_mask([(1, 1), (1, 3), (3, 3), (3, 1)], width=6, height=5)
    assert mask.shape == (5, 6) and mask.sum() == 9 and mask[1:4, 1:4].all()


def test_mask_iou():
    a, b = np.zeros((2, 3)), np.zeros((2, 3))
    assert geometry.mask_iou(a, b) == 0
    a[0] = 1
    b[:, 0] = 7
    assert geometry.mask_iou(a, b) == 1 / 4
    with pytest.raises(ValueError, match="differ in shape"):
        geometry.mask_iou(a, np.zeros((3, 2)))


# --- run lengths ---------------------------------------------------------------------------------------------------

binary = arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 1))


@given(binary)
def test_run_lengths_round_trip(mask):
    rle = masks.encode_rle(mask)
    assert rle["size"] == list(mask.shape)
    assert (masks.decode_rle(rle) == mask).all()


@given(binary)
def test_run_lengths_are_those_of_pycocotools(mask):
    coco = pytest.importorskip("faster_coco_eval.core.mask")
    theirs = coco.encode(np.asfortranarray(mask))
    counts = theirs["counts"]
    assert masks.encode_rle(mask)["counts"] == (counts.decode() if isinstance(counts, bytes) else counts)


def test_long_runs_and_plain_counts():
    mask = np.zeros((500, 700), dtype=np.uint8)
    mask[20:480, 3:650] = 1
    assert (masks.decode_rle(masks.encode_rle(mask)) == mask).all()
    assert masks.decode_rle({"size": [2, 2], "counts": [1, 2, 1]}).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("size", "counts", "message"),
    [
        ([2, 2], [1, 2], "cover 3 pixels, expected 2 x 2"),
        ([2, 2], [-1, 5], "cover 4 pixels"),
        ([10**6, 10**6], [1], "at most 100,000,000"),
        ([-1, -4], [4], "describe -1 x -4"),
        ([2, 2], "\x7f", "damaged at character 1"),
        ([2, 2], "o", "damaged at character 2"),
        ([2, 2], "é", "damaged at character 1"),
    ],
)
def test_damaged_run_lengths(size, counts, message):
    with pytest.raises(ValueError, match=message):
        masks.decode_rle({"size": size, "counts": counts})


# --- palette PNG ---------------------------------------------------------------------------------------------------


def chunk(png: bytes, name: bytes) -> bytes:
    at = png.index(name)
    return png[at + 4 : at + 4 + int.from_bytes(png[at - 4 : at], "big")]


def test_a_palette_png_has_the_indices_and_colours():
    indices = np.array([[0, 1, 2], [2, 1, 0]], dtype=np.uint8)
    png = masks.write_palette_png(indices, {0: "#ffffff", 1: "#2ca02c", 2: "#1F77B4"})
    header, palette = chunk(png, b"IHDR"), chunk(png, b"PLTE")
    assert header[8] == 8 and header[9] == 3  # eight bits, palette
    assert palette == b"\xff\xff\xff\x2c\xa0\x2c\x1f\x77\xb4" + b"\xff" * (253 * 3)
    # the pixel values as they are stored, read without an image library
    image = Image.open(BytesIO(png))
    assert image.mode == "P" and np.array_equal(np.asarray(image), indices)
    assert zlib.decompress(chunk(png, b"IDAT"))
    assert image.convert("RGB").getpixel((1, 0)) == (0x2C, 0xA0, 0x2C)
    back, colors = masks.read_palette_png(png)
    assert np.array_equal(back, indices) and colors == {0: "#ffffff", 1: "#2ca02c", 2: "#1f77b4"}


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 8))))
def test_palette_png_round_trips_every_index(indices):
    colors = {index: f"#{index:02x}{255 - index:02x}77" for index in range(256)}
    back, found = masks.read_palette_png(masks.write_palette_png(indices, colors))
    assert np.array_equal(back, indices)
    assert found == {index: colors[index] for index in np.unique(indices).tolist()}


def test_other_pngs_are_refused():
    with pytest.raises(ValueError, match=r"class indices without a colour: \[3\]"):
        masks.write_palette_png(np.full((2, 2), 3), {1: "#000000"})
    with pytest.raises(ValueError, match="a colour looks like '#2ca02c', found 'red'"):
        masks.write_palette_png(np.zeros((1, 1)), {1: "red"})
    with pytest.raises(ValueError, match="class index 256"):
        masks.write_palette_png(np.zeros((1, 1)), {256: "#000000"})
    with pytest.raises(ValueError, match="not a readable PNG"):
        masks.read_palette_png(b"GIF89a")
    out = BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG")
    with pytest.raises(ValueError, match="a palette PNG was expected, found mode RGB"):
        masks.read_palette_png(out.getvalue())
    with pytest.raises(ValueError, match="not a readable PNG"):
        masks.read_palette_png(masks.write_palette_png(np.zeros((50, 50)), {})[:-20])
