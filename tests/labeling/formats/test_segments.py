"""Segmentations as runs: the same as arithmetic on their pixels, and what workers and manifests send of them."""

import base64
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from labeling.formats import mask_answers, mask_labels, masks, segments
from labeling.formats.answers import AnswerError
from labeling.formats.augmented_reading import MaskEntry, MaskLabel, read_masks
from labeling.formats.shapes import Segment, Segmentation

LABELS = ["bee", "wasp", "fly"]
SEMANTIC, INSTANCE = "crowd-semantic-segmentation", "crowd-instance-segmentation"
pixels = arrays.arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(0, 3))


@given(pixels)
@settings(deadline=None)
def test_pixels_become_runs_and_come_back(values):
    found = segments.from_pixels(values, dict(enumerate(LABELS, start=1)))
    segments.check(found)
    numbers = [LABELS.index(one.label) + 1 for one in found.segments]
    assert np.array_equal(segments.layout(found, numbers), values)
    for one, number in zip(found.segments, numbers, strict=True):
        inside = values == number
        assert one.counts == masks.encode_rle(inside)["counts"], "COCO's own text"
        assert segments.area(one) == inside.sum()
        rows, columns = np.nonzero(inside)
        assert segments.box(one, values.shape[0]) == (
            columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1
        ) or np.ptp(columns)  # fmt: skip


@given(pixels)
@settings(deadline=None)
def test_answers_and_labels_come_back_equal(values):
    found = segments.from_pixels(values, dict(enumerate(LABELS, start=1)))
    size = found.size
    said = mask_answers.semantic_content(found, element_name=SEMANTIC)
    assert mask_answers.parse_semantic_answer(said, labels=LABELS, size=size, element_name=SEMANTIC) == found
    said = mask_answers.instance_content(found, element_name=INSTANCE)
    assert mask_answers.parse_instance_answer(said, labels=LABELS, size=size, element_name=INSTANCE) == found
    numbers = mask_labels.class_numbers(found, LABELS)
    entries = {n: MaskEntry(name, color) for n, (name, color) in mask_labels.color_map(found, numbers).items()}
    file = mask_labels.png(found, numbers)
    assert mask_labels.read_classes(MaskLabel(file, entries), "a-ref") == found
    assert np.array_equal(masks.read_palette_png(file)[0], values), "the value of a pixel is the class index plus one"
    if entries.keys() - {0}:
        rgb = BytesIO()
        Image.open(BytesIO(file)).convert("RGB").save(rgb, "PNG")
        assert mask_labels.read_classes(MaskLabel(rgb.getvalue(), entries), "a-ref") == found, "by its colours"


def png(mode: str, size: tuple[int, int], color: object) -> str:
    out = BytesIO()
    Image.new(mode, size, color).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


BEE = {"bee": {"color": "#000000"}}
WHITE = png("RGB", (2, 2), "white")


@pytest.mark.parametrize(
    ("image", "mappings", "message"),
    [
        (None, {}, "labeledImage.pngImageData: is missing"),
        ("%%%", {}, "labeledImage.pngImageData"),
        (base64.b64encode(b"nope").decode(), {}, "not a readable PNG"),
        (png("RGB", (3, 2), "white"), {}, "is 3 x 2, but the image has 2 x 2"),
        (png("RGB", (2, 2), "#010203"), BEE, "holds the colour #010203, which nothing in the answer has"),
        (WHITE, {"cow": {"color": "#000000"}}, "'cow' is not one of the labels"),
        (WHITE, {"bee": {"color": "x"}}, "labelMappings.bee.color: a colour looks like"),
        (WHITE, {"bee": {"color": "#FFFFFF"}}, "labelMappings.bee.color: is white, which is the background"),
        (WHITE, BEE | {"fly": {"color": "#000000"}}, "labelMappings.fly: has the colour of another label"),
    ],
)
def test_answers_that_cannot_be_read_are_refused(image, mappings, message):
    content = {SEMANTIC: {"labelMappings": mappings, "labeledImage": {"pngImageData": image}}}
    with pytest.raises(AnswerError, match=message):
        mask_answers.parse_semantic_answer(content, labels=LABELS, size=(2, 2), element_name=SEMANTIC)


@pytest.mark.parametrize("mode, color", [("RGBA", (0, 0, 0, 0)), ("RGB", "white"), ("LA", (0, 0)), ("1", 1)])
def test_transparent_and_white_pixels_are_background_and_nothing_is_an_answer(mode, color):
    content = {SEMANTIC: {"labelMappings": BEE, "labeledImage": {"pngImageData": png(mode, (2, 2), color)}}}
    found = mask_answers.parse_semantic_answer(content, labels=LABELS, size=(2, 2), element_name=SEMANTIC)
    assert found == Segmentation((2, 2))


def test_transparent_entries_of_a_palette_are_background():
    """What the element sends: entry 0 is transparent, the others have the labels' colours."""
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    out = BytesIO()
    image.save(out, "PNG", transparency=b"\x00")
    content = {
        INSTANCE: {
            "instances": [{"label": "fly", "color": "#000000"}, {"label": "bee", "color": "#ff0000"}],
            "labeledImage": {"pngImageData": base64.b64encode(out.getvalue()).decode()},
        }
    }
    found = mask_answers.parse_instance_answer(content, labels=LABELS, size=(2, 2), element_name=INSTANCE)
    assert [one.label for one in found.segments] == ["fly"], "an instance without pixels is none"
    assert segments.layout(found, [1]).tolist() == [[0, 1], [1, 0]]


def test_a_mask_of_more_runs_than_anybody_paints_is_refused():
    noise = np.random.default_rng(1).integers(0, 2, (900, 1000), np.uint8)
    out = BytesIO()
    Image.fromarray(255 * noise).save(out, "PNG")
    content = {
        SEMANTIC: {
            "labelMappings": BEE,
            "labeledImage": {"pngImageData": base64.b64encode(out.getvalue()).decode()},
        }
    }
    with pytest.raises(AnswerError, match=r"runs of one colour, at most 400,000 are read"):
        mask_answers.parse_semantic_answer(content, labels=LABELS, size=(1000, 900), element_name=SEMANTIC)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Segmentation((0, 3)), "a mask of 0 x 3 pixels"),
        (Segmentation((20_000, 20_000)), "a mask of 20000 x 20000 pixels"),
        (Segmentation((2, 2), (Segment("bee", masks.pack([1, 2])),)), "segment 0 covers 3 pixels, the image has 2 x 2"),
        (Segmentation((2, 2), (Segment("bee", "\x7f"),)), "damaged at character 1"),
        (Segmentation((1, 1), (Segment("bee", masks.pack([0, 1])),) * 256), "256 segments, at most 255"),
    ],
)
def test_segmentations_that_no_file_could_hold_are_refused(found, message):
    with pytest.raises(ValueError, match=message):
        segments.check(found)


def test_colours_are_ground_truths_first_and_all_different():
    assert masks.distinct_colors(2) == ["#2ca02c", "#1f77b4"]
    many = masks.distinct_colors(255)
    assert len(set(many)) == 255 and masks.BACKGROUND not in many


def test_colours_on_screen_are_those_of_the_elements():
    """frontend/elements/test/labels.test.ts has the same."""
    assert masks.screen_colors(10) == [
        *("#ffb000", "#56b4e9", "#00c48c", "#f0568c", "#ff7043", "#b39dff", "#f0e442", "#29b6c9"),
        *("#e78655", "#8beec9"),
    ]
    assert len(set(masks.screen_colors(255))) == 255


def test_the_file_of_a_label_is_read_by_its_colour_map():
    """Ground Truth's own line, and one whose first class has index 0, as other tools write it."""
    color_map = {
        "0": {"class-name": "BACKGROUND", "confidence": 0.8, "hex-color": "#ffffff"},
        "2": {"class-name": "wasp", "confidence": 0.8, "hex-color": "#1f77b4"},
    }
    file = masks.write_palette_png(np.array([[0, 2]]), {2: "#1f77b4"})
    line = {"city-ref": file, "city-ref-metadata": {"internal-color-map": color_map, "human-annotated": "yes"}}
    label = read_masks(line, "city-ref")
    found = mask_labels.read_classes(label, "city-ref")
    assert [(one.label, one.confidence) for one in found.segments] == [("wasp", 0.8)] and found.size == (2, 1)
    zero = MaskLabel(file, {0: MaskEntry("bee"), 2: MaskEntry("wasp")})
    assert [one.label for one in mask_labels.read_classes(zero, "a").segments] == ["bee", "wasp"]
    with pytest.raises(ValueError, match="'a': the PNG has the pixel value 2, which its internal-color-map lacks"):
        mask_labels.read_classes(MaskLabel(file, {0: MaskEntry("BACKGROUND")}), "a")
    with pytest.raises(ValueError, match="'a': not a readable PNG"):
        mask_labels.read_classes(MaskLabel(b"GIF89a", {}), "a")
    with pytest.raises(ValueError, match="city-ref-metadata.internal-color-map is missing"):
        read_masks({"city-ref": file}, "city-ref")
    with pytest.raises(ValueError, match="the address of a PNG was expected"):
        read_masks({"city-ref": "s3://b/0.png", "city-ref-metadata": {"internal-color-map": color_map}}, "city-ref")


def test_segments_of_one_label_are_joined():
    rng = np.random.default_rng(0)
    for _ in range(50):
        pixels = rng.integers(0, 4, (7, 5)).astype(np.uint8)
        three = segments.from_pixels(pixels, {1: "bee", 2: "bee", 3: "wasp"})
        pixels[pixels == 2] = 1
        two = segments.from_pixels(pixels, {1: "bee", 3: "wasp"})
        assert set(segments.joined(three).segments) == set(two.segments)
