"""Exports that hold the images: every format with its tools' layout, names as uploaded, within limits of size."""

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from django.db import transaction
from faster_coco_eval import COCO
from PIL import Image

from labeling.formats import manifest
from labeling.formats.interchange.coco_reading import read_coco
from labeling.formats.interchange.voc import read_voc
from labeling.formats.interchange.yolo import YoloArchive
from labeling.formats.shapes import Box
from labeling.models import DataObject, Export
from labeling.services.intake import inspection, loading
from labeling.services.jobs import creation, status
from labeling.services.output import exports
from labeling.services.results import labels
from labeling.services.results.labels import ExternalLabel
from marketplace import storage
from marketplace.errors import Invalid
from tests import builders
from tests.labeling import stories
from tests.labeling.test_source_names import pictures, zipped

pytestmark = pytest.mark.django_db

NAMES = ["a.png", "street/b.png", "street/c.d.png", "A.PNG", "a.png", "蜂 巢.png", "run 12:30/x.png", "noending"]
KINDS = ["manifest", "coco", "voc", "yolo"]
BOX = Box("bee", 4, 5, 10, 12, 0.9)


def a_labeled_job(files):
    """A job on an uploaded archive of these files, whose every object has one box of a model."""
    account = stories.an_account()
    dataset = builders.a_dataset(account=account, kind="zip", uri=zipped(account, files))
    return labeled(account, dataset=dataset, input_manifest_uri="")


def labeled(account, **design):
    """A job of this design whose every usable object has one box of a model."""
    team = builders.a_team(account=account, workers=0)
    job = creation.create_job(**stories.a_design(account, team, name="meadow", **design))
    loading.load_objects(job)
    with transaction.atomic():
        status.move(job, "InProgress", by="system")
    rows = DataObject.objects.filter(job=job).order_by("index")
    inspection.inspect_objects(rows.values_list("pk", flat=True))
    labels.record_labels(
        job=job,
        rows=[ExternalLabel(row.pk, [BOX], 0.9) for row in rows.exclude(width=None)],
        source="machine",
        model_name="model-1",
        algorithm="test",
        by="system",
    )
    return job


def run(job, kind: str) -> Export:
    export = exports.create_export(job=job, kind=kind, images=True, by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    return export


def opened(job, kind: str) -> zipfile.ZipFile:
    export = run(job, kind)
    assert (export.status, export.item_errors) == ("Completed", []), export.failure_reason
    archive = zipfile.ZipFile(io.BytesIO(storage.read(export.uri)))
    assert archive.testzip() is None
    return archive


@pytest.fixture
def job():
    return a_labeled_job(pictures(NAMES))


@pytest.mark.parametrize("kind", KINDS)
def test_every_image_is_in_the_archive_once_under_its_own_name(job, kind, tmp_path):
    archive = opened(job, kind)
    index = [json.loads(line) for line in archive.read("images.jsonl").splitlines()]
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    assert [entry["source-ref"] for entry in index] == [row.source_ref for row in rows]
    assert [archive.read(entry["file"]) for entry in index] == [storage.read(row.source_ref) for row in rows]
    folder = {"voc": "JPEGImages/", "yolo": "images/train/"}.get(kind, "images/")
    files = [entry["file"].removeprefix(folder) for entry in index]
    assert files[:3] == NAMES[:3] and files[5] == NAMES[5]
    assert len({file.casefold() for file in files}) == len(NAMES)
    assert not any("accounts" in name for name in archive.namelist())
    archive.extractall(tmp_path)  # no file stands where another one has its folder


def test_coco_tools_find_every_image(job, tmp_path):
    opened(job, "coco").extractall(tmp_path)
    document = tmp_path / "annotations" / "instances_default.json"
    coco = COCO(str(document))
    for image in coco.loadImgs(coco.getImgIds()):
        with Image.open(tmp_path / "images" / image["file_name"]) as picture:
            assert picture.size == (image["width"], image["height"])
        (box,) = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        assert box["bbox"] == [4, 5, 10, 12]
    read = [item for item in read_coco(document.read_bytes()).items() if item.boxes == (BOX,)]
    assert len(read) == len(NAMES)


def test_voc_tools_find_every_image(job, tmp_path):
    archive = opened(job, "voc")
    archive.extractall(tmp_path)
    listed = (tmp_path / "ImageSets/Main/default.txt").read_text().splitlines()
    assert len(listed) == len(NAMES)
    for name in listed:
        root = ElementTree.parse(tmp_path / "Annotations" / f"{name}.xml").getroot()
        with Image.open(tmp_path / "JPEGImages" / root.findtext("filename")) as picture:
            assert [str(side) for side in picture.size] == [root.findtext("size/width"), root.findtext("size/height")]
    assert all(item.boxes[0].corners == BOX.corners for item in read_voc(archive.fp))


def test_yolo_trainers_find_every_image_wherever_they_are_started(job, tmp_path):
    archive = opened(job, "yolo")
    archive.extractall(tmp_path)
    data = yaml.safe_load((tmp_path / "data.yaml").read_text())
    # As Ultralytics does: folders beside this file if it names no other, images by their endings, labels by the path.
    assert "path" not in data and data["names"] == {0: "bee", 1: "wasp"}
    found = [p for p in (tmp_path / data["train"]).rglob("*.*") if p.suffix[1:].lower() in ("jpg", "jpeg", "png")]
    assert len(found) == len(NAMES)
    for path in found:
        text = str(path).replace("/images/", "/labels/")
        line = Path(text).with_suffix(".txt").read_text()
        number, cx, cy, width, height = (float(word) for word in line.split())
        assert (number, cx * 48, cy * 32, width * 48, height * 32) == pytest.approx((0, 9, 11, 10, 12))
    assert sorted((tmp_path / line).resolve() for line in (tmp_path / "train.txt").read_text().splitlines()) == sorted(
        path.resolve() for path in found
    )
    assert len(list(YoloArchive(archive.fp).items())) == len(NAMES)


def test_the_lines_of_the_manifest_name_the_files_beside_it(job):
    archive = opened(job, "manifest")
    lines = list(manifest.parse(archive.open("meadow.manifest"), schemes=None))
    assert [line.attributes["source-name"] for line in lines] == NAMES
    for line, row in zip(lines, DataObject.objects.filter(job=job).order_by("index"), strict=True):
        assert archive.read(line.source_ref) == storage.read(row.source_ref)
        assert line.attributes["meadow"]["annotations"][0]["left"] == 4
    assert lines[1].source_ref == "images/street/b.png"


@pytest.mark.parametrize("kind", KINDS)
def test_a_turned_photo_is_in_the_archive_as_people_saw_it(kind):
    job = a_labeled_job([("turned.jpg", builders.image_bytes(form="JPEG", orientation=6))])
    archive = opened(job, kind)
    (name,) = [name for name in archive.namelist() if name.endswith(".jpg")]
    with Image.open(archive.open(name)) as picture:
        assert (picture.size, picture.getexif().get(0x0112, 1)) == ((32, 48), 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_that_cannot_be_read_any_more_is_listed_with_its_reason(job, kind):
    row = DataObject.objects.get(job=job, index=1)
    storage.delete(row.source_ref)
    export = run(job, kind)
    assert export.status == "Completed"
    ((wrong),) = export.item_errors
    assert wrong["object"] == "1" and wrong["reason"].startswith("the image cannot be read: ")
    archive = zipfile.ZipFile(io.BytesIO(storage.read(export.uri)))
    assert len(archive.read("images.jsonl").splitlines()) == len(NAMES) - 1
    if kind == "manifest":
        lines = archive.read("meadow.manifest").splitlines()
        assert len(lines) == len(NAMES) and json.loads(lines[1])["source-ref"] == row.source_ref
    else:
        assert not any("street/b." in name for name in archive.namelist())


def test_an_image_that_the_account_may_not_read_any_more_stays_out(settings, tmp_path):
    (tmp_path / "a.png").write_bytes(builders.image_bytes())
    settings.STORE_FILE_ROOTS = [tmp_path]
    account = stories.an_account()
    uri = builders.a_manifest(account, [{"source-ref": (tmp_path / "a.png").as_uri()}])
    job = labeled(account, input_manifest_uri=uri)
    settings.STORE_FILE_ROOTS = []
    export = run(job, "yolo")
    assert export.status == "Completed" and export.objects_done == 0
    assert "WAGGLE_STORE_FILE_ROOTS" in export.item_errors[0]["reason"]


def test_a_name_that_was_never_given_is_the_address_below_our_own_folders():
    account = stories.an_account()
    uris = builders.tiny_images(2, account=account)
    job = labeled(account, input_manifest_uri=builders.a_manifest(account, [{"source-ref": uri} for uri in uris]))
    names = opened(job, "yolo").namelist()
    wanted = uris[0].rpartition(f"/accounts/{account.number}/")[2]
    assert f"images/train/{wanted}" in names and not any(account.number in name for name in names)


def test_images_above_the_limit_fail_the_export_with_the_limit_and_the_way_out(job, settings):
    settings.EXPORT_IMAGES_MAX_BYTES = 300
    export = run(job, "coco")
    assert (export.status, export.uri) == ("Failed", "")
    assert "300 bytes together" in export.failure_reason and "without the images" in export.failure_reason


def test_images_that_take_longer_than_the_queue_allows_fail_the_export_with_the_limit(job, settings):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "timeout": 0}
    export = run(job, "voc")
    assert export.status == "Failed" and "WAGGLE_QUEUE_TIMEOUT_SECONDS" in export.failure_reason


def test_answers_of_workers_hold_no_images(job):
    with pytest.raises(Invalid, match="cannot hold images"):
        exports.create_export(job=job, kind="worker-answers", images=True, by="user:1")
    assert not Export.objects.filter(job=job).exists()


def test_the_images_are_never_in_memory_together():
    noise = Image.effect_noise((1000, 1000), 90)
    buffer = io.BytesIO()
    noise.save(buffer, "BMP")
    one = len(buffer.getvalue())
    job = a_labeled_job([(f"{n}.bmp", buffer.getvalue()) for n in range(40)])
    export = exports.create_export(job=job, kind="yolo", images=True, by="user:1")
    tracemalloc.start()
    exports.run_export(export.pk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    export.refresh_from_db()
    assert export.size_bytes > 40 * one and peak < 14 * one
