"""The demo's generated images: reproducible from a seed, with boxes that fit what was drawn."""

import json

import pytest
from PIL import Image

from frontend.demo import scenes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("scenes")
    scenes.write_dataset(made, count=6, seed=3)
    return made


def test_annotations_match_the_images(folder):
    coco = json.loads((folder / "annotations.coco.json").read_text())
    assert [c["name"] for c in coco["categories"]] == ["bee", "ladybird"]
    assert len(coco["images"]) == 6 == len(list((folder / "images").iterdir()))
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


@pytest.mark.slow
def test_the_same_seed_gives_the_same_images_and_another_seed_others(folder, tmp_path):
    scenes.write_dataset(tmp_path, count=2, seed=3)
    for name in ("scene_0001.jpg", "scene_0002.jpg"):
        assert (tmp_path / "images" / name).read_bytes() == (folder / "images" / name).read_bytes()
