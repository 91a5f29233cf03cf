"""The demo's generated images: the same from the same seed, and boxes that frame what was drawn."""

import json

import numpy as np
import pytest
from PIL import Image, ImageChops

from frontend.demo import scenes, scenes_parts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("scenes")
    scenes.write_dataset(made, count=16, seed=3)
    return made


def test_annotations_fit_the_images(folder):
    coco = json.loads((folder / "annotations.coco.json").read_text())
    assert [c["name"] for c in coco["categories"]] == ["bee", "ladybird"]
    assert len(coco["images"]) == 16 == len(list((folder / "images").iterdir()))
    sizes = {}
    for record in coco["images"]:
        with Image.open(folder / "images" / record["file_name"]) as image:
            assert image.size == (record["width"], record["height"])
        assert 320 <= max(image.size) <= 480
        sizes[record["id"]] = image.size
    assert {a["category_id"] for a in coco["annotations"]} == {1, 2}
    for annotation in coco["annotations"]:
        x, y, w, h = annotation["bbox"]
        width, height = sizes[annotation["image_id"]]
        assert 0 <= x < x + w <= width and 0 <= y < y + h <= height and min(w, h) >= 5


def test_the_seed_decides(folder, tmp_path):
    scenes.write_dataset(tmp_path, count=2, seed=3)
    for name in ("scene_0001.jpg", "scene_0002.jpg"):
        assert (tmp_path / "images" / name).read_bytes() == (folder / "images" / name).read_bytes()


def test_a_box_frames_the_insect_and_nothing_else():
    """What landing an insect changes in the picture, shadow aside, lies inside its box and reaches its sides."""
    rng = np.random.default_rng(1)
    studio = scenes.open_studio(rng)
    for kind in (0, 1):
        image, owner = Image.new("RGB", (300, 300), (12, 14, 8)), np.zeros((300, 300), np.uint8)  # shadow-coloured
        before = image.copy()
        found = None
        while found is None:
            found = scenes._land(rng, image, owner, 1, studio.insects[kind], kind)
        (x, y, w, h), area = found
        difference = ImageChops.difference(image, before).convert("L").point(lambda v: 255 if v > 12 else 0)
        left, top, right, bottom = difference.getbbox()
        assert max(abs(left - x), abs(top - y), abs(right - x - w), abs(bottom - y - h)) <= 6
        assert (owner == 1).sum() <= area <= w * h * 1.6


def test_every_insect_can_be_told_from_nothing():
    rng = np.random.default_rng(2)
    for paint in scenes_parts.INSECTS.values():
        alpha = np.asarray(paint(rng).getchannel("A"))
        assert 0.05 < (alpha > 128).mean() < 0.6
