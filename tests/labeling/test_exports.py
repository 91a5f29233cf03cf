"""Exports: what is in them, stopping them, and starting again after a crash."""

import io
import json
import zipfile

import pytest

from labeling.formats import manifest
from labeling.formats.shapes import Box
from labeling.models import DataObject, Export
from labeling.services.jobs.batches import open_batch
from labeling.services.output import exports
from labeling.services.queue import batches
from labeling.services.results import labels
from labeling.services.results.labels import ExternalLabel
from marketplace import storage
from marketplace.errors import ExportLimit, Invalid, WrongState
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def job():
    """A job with two objects labeled by people, one by a model, and one without a label."""
    job, (worker, *_) = stories.a_funded_job(workers=1, workers_per_object=1, objects=4, name="meadow")
    rows = list(DataObject.objects.filter(job=job).order_by("index"))
    labels.record_labels(
        job=job,
        rows=[ExternalLabel(rows[2].pk, [Box("wasp", 10, 20, 30, 40, 0.9)], 0.9)],
        source="machine",
        model_name="model-1",
        algorithm="test",
        by="system",
    )
    batch = open_batch(job=job, object_ids=[rows[0].pk, rows[1].pk], by="system")
    stories.work(worker, job)
    batches.stop_batch(batch=batch, by="system")
    return job


def made(job, kind: str, which: str = "all") -> tuple[Export, bytes]:
    export = exports.create_export(job=job, kind=kind, which=which, by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    assert (export.status, export.progress) == ("Completed", 1.0), export.failure_reason
    data = storage.read(export.uri)
    assert export.size_bytes == len(data)
    return export, data


@pytest.mark.parametrize(("which", "lines"), [("all", 4), ("human", 2), ("machine", 1)])
def test_a_manifest_of_all_labels_or_of_those_by_people_or_by_a_model(job, which, lines):
    _, data = made(job, "manifest", which)
    read = [json.loads(line) for line in data.splitlines()]
    assert len(read) == lines
    by = {"human": ["yes"] * 2, "machine": ["no"], "all": ["yes", "yes", "no", None]}[which]
    assert [line.get("meadow-metadata", {}).get("human-annotated") for line in read] == by
    assert all(isinstance(line, manifest.Line) for line in manifest.parse(io.BytesIO(data)))


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
def test_exports_with_a_file_per_image_are_zips(job, kind):
    export, data = made(job, kind)
    assert export.uri.endswith(".zip")
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    assert export.objects_done == 3
    assert export.item_errors == []


def test_coco_annotations_have_the_usual_file_name(job):
    _, data = made(job, "coco", "machine")
    coco = json.loads(zipfile.ZipFile(io.BytesIO(data)).read("annotations/instances_default.json"))
    (image,), (box,) = coco["images"], coco["annotations"]
    assert (image["coco_url"], image["width"], image["height"]) == ("s3://bees/2.png", *stories.SIZE)
    assert box["bbox"] == [10, 20, 30, 40]
    assert [c["name"] for c in coco["categories"] if c["id"] == box["category_id"]] == ["wasp"]


def test_the_answers_of_workers_are_one_line_each(job):
    _, data = made(job, "worker-answers")
    read = [json.loads(line) for line in data.splitlines()]
    assert [(line["objectId"], line["source-ref"]) for line in read] == [(0, "s3://bees/0.png"), (1, "s3://bees/1.png")]
    assert all(line["answerContent"] == stories.ONE_BEE for line in read)


def test_an_export_starts_again_after_a_crash_but_not_when_it_is_finished(job, monkeypatch):
    export = exports.create_export(job=job, kind="manifest", by="user:1")

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(exports.rows, "manifest_line", crash)
        exports.run_export(export.pk)
    export.refresh_from_db()
    assert (export.status, export.uri) == ("InProgress", "")
    exports.run_export(export.pk)
    export.refresh_from_db()
    first = (export.status, export.uri, export.status_changed_at)
    assert first[0] == "Completed"
    exports.run_export(export.pk)
    export.refresh_from_db()
    assert (export.status, export.uri, export.status_changed_at) == first


def test_a_stopped_export_writes_nothing_and_stays_stopped(job):
    export = exports.create_export(job=job, kind="manifest", by="user:1")
    exports.stop_export(export=export, by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    assert (export.status, export.uri) == ("Stopped", "")
    done, _ = made(job, "manifest")
    with pytest.raises(WrongState):
        exports.stop_export(export=done, by="user:1")


def test_what_cannot_be_exported_is_refused(job):
    for wrong in ({"kind": "tfrecord"}, {"kind": "coco", "which": "cats"}):
        with pytest.raises(Invalid):
            exports.create_export(job=job, by="user:1", **wrong)
    for _ in range(exports.MOST_AT_ONCE):
        exports.create_export(job=job, kind="manifest", by="user:1")
    with pytest.raises(ExportLimit):
        exports.create_export(job=job, kind="manifest", by="user:1")
    assert Export.objects.filter(job=job).count() == exports.MOST_AT_ONCE


def test_objects_that_do_not_fit_a_format_are_listed(job):
    DataObject.objects.filter(job=job, index=0).update(width=None)
    export, _ = made(job, "yolo")
    assert export.objects_done == 2
    assert export.item_errors == [{"object": "0", "reason": "the size of the image is not known"}]
