"""The demo's comparison of labels with the truth: false positives and missed boxes lower the quality."""

import json
from pathlib import Path

import pytest
from PIL import Image

from frontend.demo.summary import quality
from frontend.demo.truth import Truth
from labeling.formats import images
from tests import builders
from tests.labeling import label_files

BEE = {"left": 10, "top": 10, "width": 20, "height": 20, "label": "bee"}
WASP = {"left": 50, "top": 50, "width": 20, "height": 10, "label": "wasp"}


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    """One image with a bee and a wasp, one without insects."""
    (tmp_path / "images").mkdir()
    images = [{"id": n, "file_name": f"{n}.png", "width": 100, "height": 100} for n in (1, 2)]
    for image in images:
        Image.new("RGB", (100, 100), (0, 0, 40 * image["id"])).save(tmp_path / "images" / image["file_name"])
    annotations = [
        {"id": n, "image_id": 1, "category_id": n, "bbox": [b["left"], b["top"], b["width"], b["height"]]}
        for n, b in ((1, BEE), (2, WASP))
    ]
    categories = [{"id": 1, "name": "bee"}, {"id": 2, "name": "wasp"}]
    path = tmp_path / "annotations.coco.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return Truth(path)


def rows(*labels: list[dict]) -> list[dict]:
    return [{"source_ref": f"s3://b/{n}.png", "label": {"boxes": boxes}} for n, boxes in enumerate(labels, start=1)]


def test_labels_equal_to_the_truth_have_quality_1(truth):
    found = quality(rows([BEE, WASP], []), truth)
    assert (found["objects"], found["mean_iou"], found["promised_iou"], found["f1_50"]) == (2, 1.0, 1.0, 1.0)


def test_a_missed_box_and_a_false_positive_lower_the_quality_of_their_class(truth):
    missed = quality(rows([BEE], []), truth)
    assert (missed["mean_iou"], missed["promised_iou"], missed["recall"]) == (1.0, 0.5, 0.5)
    false = quality(rows([BEE, WASP], [WASP]), truth)
    assert (false["mean_iou"], false["promised_iou"], false["precision"]) == (1.0, 0.75, 0.6667)


def test_without_labels_there_is_no_quality(truth):
    found = quality([], truth)
    assert (found["objects"], found["mean_iou"], found["promised_iou"], found["f1_50"]) == (0, None, None, 0.0)


def test_names_are_found_with_and_without_their_folders(tmp_path):
    path = a_truth(tmp_path, ["train/a.png", "val/a.png", "b.png"])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())  # as editors on Windows save it
    truth = Truth(path)
    for address, name in (
        ("s3://bucket/set/train/a.png", "train/a.png"),
        ("val/a.png", "val/a.png"),
        ("file:///store/x/b.png", "b.png"),
        ("street/b.png", "b.png"),
    ):
        assert truth.at(address).name == name
    assert truth.at("s3://bucket/set/a.png") is None


def test_a_photo_that_is_shown_upright_is_found(tmp_path):
    truth = Truth(a_truth(tmp_path, ["turned.jpg"], form="JPEG", orientation=6))
    stored = (tmp_path / "images" / "turned.jpg").read_bytes()
    shown = images.normalise(stored)
    assert shown != stored
    assert truth.find(shown) == truth.find(stored) == truth.by_name["turned.jpg"]


def a_truth(folder: Path, names: list[str], **options) -> Path:
    """A truth file about images of these names, and the images."""
    for number, name in enumerate(names):
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(builders.image_bytes(number=number, **options))
    listed = [{"id": n, "file_name": name, "width": 48, "height": 32} for n, name in enumerate(names)]
    path = folder / "annotations.coco.json"
    path.write_text(json.dumps({"images": listed, "annotations": [], "categories": [{"id": 1, "name": "bee"}]}))
    return path


@pytest.mark.parametrize(
    "name", ["G01-truth-with-subfolders-and-root-category", "G02-truth-with-bom-and-missing-image"]
)
def test_the_truth_of_a_field_case_is_read(tmp_path, name):
    """Folders in names, a byte order mark; an image that is not there is named."""
    (content,) = label_files.case(name).values()
    path = tmp_path / "annotations.coco.json"
    path.write_bytes(content)
    listed = [image["file_name"] for image in json.loads(content.removeprefix(b"\xef\xbb\xbf"))["images"]]
    with pytest.raises(ValueError, match=f"the image {listed[0]} is not in"):
        Truth(path)
    for number, image in enumerate(listed):
        (tmp_path / "images" / image).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / image).write_bytes(builders.image_bytes(number=number))
    truth = Truth(path)
    assert [truth.at(f"s3://bucket/set/{image}").name for image in listed] == listed
    assert [truth.find(builders.image_bytes(number=n)).name for n in range(len(listed))] == listed
