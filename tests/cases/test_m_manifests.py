"""Manifests as other programs write them: chained labels are checked and kept, files that are no manifest are named."""

import json
from pathlib import Path

import pytest

from labeling.models import DataObject
from tests.cases.conftest import put_pictures
from tests.cases.requesters import Requester, states

pytestmark = pytest.mark.django_db
BOXES = {"labels": ["bee"], "label_attribute_name": "boxes"}


def test_m01_rekognition_underscore_attribute(case: Path, requester: Requester, field: str) -> None:
    put_pictures(f"{field}/run2/m01/0.jpg", f"{field}/run2/m01/1.jpg")
    made = requester.manifest((case / "in.manifest").read_bytes())
    job = requester.job(made, labels=["bee"], label_attribute_name="garden_BB")
    assert states(job) == ["HumanLabeled", "PendingHuman"]
    job = requester.box_everything(job)
    assert job.status == "Completed"
    before, after = (case / "in.manifest").read_bytes().splitlines(), requester.output(job)
    assert after[0] == before[0]
    assert json.loads(after[1])["garden_BB"]["annotations"][0]["left"] == 50


def test_m03_pandas_null_label(case: Path, requester: Requester, field: str) -> None:
    put_pictures(f"{field}/run2/m03/0.jpg", f"{field}/run2/m03/1.jpg")
    job = requester.job(requester.manifest((case / "in.manifest").read_bytes()), **BOXES)
    assert (states(job), requester.refused_by(job)) == (["HumanLabeled", "PendingHuman"], [])
    refs = DataObject.objects.filter(job=job).order_by("index").values_list("source_ref", flat=True)
    assert list(refs) == [f"{field}/run2/m03/0.jpg", f"{field}/run2/m03/1.jpg"]
    requester.box_everything(job)
    assert json.loads(requester.output(job)[1])["boxes"]["annotations"][0]["left"] == 50


def test_m04_chained_label_is_rewritten(case: Path, requester: Requester, field: str) -> None:
    put_pictures(f"{field}/run2/m04/0.jpg", f"{field}/run2/m04/1.jpg")
    job = requester.job(
        requester.manifest((case / "in.manifest").read_bytes()),
        labels=["bear", "seal"],
        label_attribute_name="boxes",
    )
    box = {"left": 50, "top": 5, "width": 20, "height": 20, "label": "bear"}
    size = {"width": 120, "height": 80}
    job = requester.box_everything(job, {"boundingBox": {"boundingBoxes": [box], "inputImageProperties": size}})
    assert job.status == "Completed"
    before, after = (case / "in.manifest").read_bytes().splitlines(), requester.output(job)
    assert after[0] == before[0], "byte for byte"
    assert json.loads(after[1])["boxes-metadata"]["job-name"] == f"labeling-job/{job.name}"


def test_m05_dense_image_own_output_refused(case: Path, requester: Requester, field: str) -> None:
    put_pictures(f"{field}/run2/m05/shelf.jpg", size=(900, 700))
    content = (case / "output.manifest").read_bytes()
    made = requester.manifest(content)
    assert (made.row["objects_total"], made.refused) == (1, [])
    job = requester.job(made, labels=["bee", "item", *_classes(content)][-1:], **_chained("Completed"))
    assert states(job) == ["HumanLabeled"]
    assert requester.output(job) == content.splitlines()
    assert len(requester.export(job, "coco").coco["annotations"]) == 400


def _classes(content: bytes) -> list[str]:
    return list(json.loads(content)["boxes-metadata"]["class-map"].values())


def _chained(status: str) -> dict:
    return {"label_attribute_name": "boxes", "status": status}


def test_m06_image_size_zero_or_missing(case: Path, requester: Requester, field: str) -> None:
    put_pictures(*(f"{field}/run2/m06/{number}.jpg" for number in range(3)))
    job = requester.job(
        requester.manifest((case / "in.manifest").read_bytes()), labels=["bee"], **_chained("Completed")
    )
    assert states(job) == ["HumanLabeled"] * 3
    for kind in ("coco", "voc", "yolo"):
        exported = requester.export(job, kind)
        assert exported.left_out == []
    images = requester.export(job, "coco").coco["images"]
    assert [(image["width"], image["height"]) for image in images] == [(120, 80)] * 3


def test_m09_pretty_printed_manifest(case: Path, requester: Requester) -> None:
    made = requester.manifest((case / "in.manifest").read_bytes(), status="Failed")
    assert "one whole JSON object on each line (`jq -c . in.json > in.manifest`" in made.row["failure_reason"]
    assert "1 rejected" in made.row["failure_reason"], "one reason, not one for each line"


def test_m11_gzipped_manifest(case: Path, requester: Requester) -> None:
    made = requester.manifest((case / "in.manifest.gz").read_bytes(), name="in.manifest.gz", status="Failed")
    assert "the file is compressed (gzip): unpack it first" in made.row["failure_reason"]


def test_m12_same_image_twice(case: Path, requester: Requester, field: str) -> None:
    put_pictures(f"{field}/run2/m12/0.jpg")
    job = requester.job(
        requester.manifest((case / "in.manifest").read_bytes()), labels=["bee"], **_chained("Completed")
    )
    exported = requester.export(job, "coco")
    (told,) = exported.left_out
    assert told["object"] == "1" and told["used"] and "the same image as object 0" in told["reason"]
    names = [image["file_name"] for image in exported.coco["images"]]
    assert names[0] == "run2/m12/0.jpg" and len(set(names)) == 2
    assert requester.export(job, "yolo").files[0] == "labels/train/run2/m12/0.txt"


def test_m14_trailing_space_in_class_name(case: Path, requester: Requester, field: str) -> None:
    put_pictures(f"{field}/run2/m14/0.jpg")
    job = requester.job(
        requester.manifest((case / "in.manifest").read_bytes()), labels=["bee"], **_chained("Completed")
    )
    assert (states(job), requester.refused_by(job)) == (["HumanLabeled"], [])
    assert requester.output(job) == (case / "in.manifest").read_bytes().splitlines()


def test_m15_absurd_image_size(case: Path, requester: Requester, field: str) -> None:
    put_pictures(f"{field}/run2/m15/0.jpg", f"{field}/run2/m15/1.jpg")
    job = requester.job(
        requester.manifest((case / "in.manifest").read_bytes()), labels=["bee"], **_chained("Completed")
    )
    assert states(job) == ["HumanLabeled"]
    (refused,) = requester.refused_by(job)
    assert refused.number == 1 and "12000000000" in refused.reason.replace(",", "")
