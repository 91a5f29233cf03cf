"""Exports name the files as their owner does, keep folders, and can hold the pictures."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from labeling.models import LabelingJob
from tests import builders
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


# --- other exports of the same kinds --------------------------------------------------------------------------------


def a_job_of(requester: Requester, *names: str) -> LabelingJob:
    """A job on uploaded pictures that a worker has labeled."""
    files = [(name, builders.image_bytes(number=number, size=(120, 80))) for number, name in enumerate(names)]
    job = requester.box_everything(requester.job(requester.uploaded(files), workers_per_object=1))
    assert job.status == "Completed"
    return job


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "street/a.png", "street/deep/er/a.png"],
        ["a.png", "a.jpg", "a.jpeg", "a"],
        ["a.png", "A.png", "Street/b.png", "street/B.png"],
        ["蜜蜂/一.png", "蜜蜂/二.png", "新しい\u3000画像.png"],
        ["a.png", "a.png", "a.png"],
        ["c.d.png", "c.e.png", "c.png", "c"],
        ["a", "a/b.png", "a.txt", "a.xml", "a.txt/c.png"],
        ["photo.jfif", "photo.jpe", "photo.jpg"],
    ],
)
def test_labels_and_pictures_go_together(requester: Requester, names: list[str], tmp_path: Path) -> None:
    job = a_job_of(requester, *names)
    for kind in ("manifest", "coco", "voc", "yolo"):
        go_together(requester, job, kind, names, tmp_path / kind)


def go_together(requester: Requester, job: LabelingJob, kind: str, names: list[str], folder: Path) -> None:
    """Every picture is in the archive, and what says something of it names that very file."""
    exported = requester.export(job, kind, images=True)
    exported.archive.extractall(folder)
    index = [json.loads(line)["file"] for line in exported.archive.read("images.jsonl").splitlines()]
    assert len(set(index)) == len(names) and not any("accounts" in name for name in exported.archive.namelist())
    assert all((folder / file).is_file() for file in index)
    if kind == "yolo":
        labels = [(folder / file.replace("images/", "labels/", 1)).with_suffix(".txt") for file in index]
        assert all(path.is_file() for path in labels)
    if kind == "voc":
        documents = [ElementTree.parse(path) for path in (folder / "Annotations").rglob("*.xml") if path.is_file()]
        assert sorted(f"JPEGImages/{document.findtext('filename')}" for document in documents) == sorted(index)
    if kind == "coco":
        assert [f"images/{image['file_name']}" for image in exported.coco["images"]] == index
    if kind == "manifest":
        lines = exported.archive.read(f"{job.name}.manifest").splitlines()
        assert [json.loads(line)["source-ref"] for line in lines] == index
        assert sorted(json.loads(line)["source-name"] for line in lines) == sorted(names)


def test_an_export_of_labels_alone_names_the_files_as_one_with_the_pictures(requester: Requester) -> None:
    job = a_job_of(requester, "a.png", "street/a.png", "蜂 巢.png", "run 12:30/a.png")
    for kind in ("coco", "voc", "yolo"):
        alone, both = requester.export(job, kind), requester.export(job, kind, images=True)
        labels = [name for name in both.files if not name.startswith(("images/", "JPEGImages/"))]
        assert labels == alone.files
        if kind == "coco":
            assert both.coco["images"] == alone.coco["images"]


def test_a_chain_of_jobs_keeps_the_names(requester: Requester) -> None:
    """The output of one job is the input of the next; its exports still name the files as they were uploaded."""
    first = a_job_of(requester, "蜂 巢.png", "street/b.png")
    made = requester.manifest(b"\n".join(requester.output(first)))
    again = requester.job(made, label_attribute_name=first.label_attribute_name, status="Completed")
    assert files_of(requester, again)["coco"] == ["street/b.png", "蜂 巢.png"]
    assert sorted(requester.export(again, "yolo", images=True).files) == [
        "images/train/street/b.png",
        "images/train/蜂 巢.png",
        "labels/train/street/b.txt",
        "labels/train/蜂 巢.txt",
    ]
