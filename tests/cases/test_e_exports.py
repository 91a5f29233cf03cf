"""Exports name the files as their owner does, keep folders, and can hold the pictures."""

import json
from pathlib import Path

import pytest

from labeling.models import LabelingJob
from tests.cases.conftest import put_pictures
from tests.cases.requesters import Requester

pytestmark = pytest.mark.django_db
BOXES = {"labels": ["bee"], "label_attribute_name": "boxes", "status": "Completed"}


def files_of(requester: Requester, job: LabelingJob) -> dict[str, list[str]]:
    """What YOLO, VOC and COCO exports call the files of a job."""
    found = {kind: requester.export(job, kind) for kind in ("yolo", "voc", "coco")}
    return {
        "yolo": sorted(name.removeprefix("labels/train/") for name in found["yolo"].files),
        "voc": sorted(name.removeprefix("Annotations/") for name in found["voc"].files),
        "coco": sorted(image["file_name"] for image in found["coco"].coco["images"]),
    }


def test_e01_label_file_names_of_an_uploaded_zip(case: Path, requester: Requester) -> None:
    made = requester.zipped((case / "pics.zip").read_bytes())
    labels = [json.loads(line) for line in (case / "in.manifest").read_text().splitlines()]
    lines = [given | label | given for label, given in zip(labels, made.lines, strict=True)]
    chained = requester.manifest(b"\n".join(json.dumps(line).encode() for line in lines))
    job = requester.job(chained, **BOXES)
    assert files_of(requester, job) == {
        "yolo": ["a.txt", "street/b.txt", "street/c.d.txt"],
        "voc": ["a.xml", "street/b.xml", "street/c.d.xml"],
        "coco": ["a.jpg", "street/b.jpg", "street/c.d.jpg"],
    }


def test_e03_deep_folders(case: Path, requester: Requester, field: str) -> None:
    key = "run2/e03/site=a/year=2024/month=01/day=30/camera=7/raw/left/0001"
    put_pictures(f"{field}/{key}.jpg")
    job = requester.job(requester.manifest((case / "in.manifest").read_bytes()), **BOXES)
    assert files_of(requester, job) == {"yolo": [f"{key}.txt"], "voc": [f"{key}.xml"], "coco": [f"{key}.jpg"]}


def test_e07_images_in_the_export(case: Path, requester: Requester, field: str) -> None:
    put_pictures(f"{field}/run2/e07/a.jpg")
    job = requester.job(requester.manifest((case / "in.manifest").read_bytes()), **BOXES)
    exported = requester.export(job, "yolo", images=True)
    assert exported.files == ["labels/train/run2/e07/a.txt", "images/train/run2/e07/a.jpg"]
    assert exported.archive.read("train.txt") == b"./images/train/run2/e07/a.jpg\n"
    (line,) = requester.output(job)
    assert json.loads(line)["source-ref"] == f"{field}/run2/e07/a.jpg"
