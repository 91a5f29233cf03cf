"""Labels that are files: written once into the output, read back from another job's, refused where they cannot be."""

import io
import json
import zipfile

import numpy as np
import pytest
from django.db import connection

from labeling import background, task_types
from labeling.formats import mask_answers, segments
from labeling.formats.masks import decode_rle, read_palette_png, write_palette_png
from labeling.formats.shapes import Segmentation
from labeling.models import BadLine, DataObject, LabelingJob, ObjectState
from labeling.services.jobs import creation
from labeling.services.output import exports, manifests
from labeling.services.queue import due
from labeling.services.results import adjudication
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)

KIND = task_types.get("SemanticSegmentation")
LABELS = ["bee", "wasp"]
SIZE = (48, 32)
ATTRIBUTE = "insects-ref"


def painted(number: int, *, size: tuple[int, int] = SIZE) -> Segmentation:
    pixels = np.zeros((size[1], size[0]), np.uint8)
    pixels[4:20, 6:30] = number
    return segments.from_pixels(pixels, dict(enumerate(LABELS, start=1)))


def sent(found: Segmentation) -> dict:
    return mask_answers.semantic_content(found, element_name=KIND.element.name)


def a_job(account, lines, **changes) -> LabelingJob:
    """A job of these lines for a team of one; its objects are loaded."""
    team = changes.pop("team", None) or builders.a_team(account=account, workers=stories.a_crowd(1))
    design = {
        "labels": LABELS,
        "task_type": KIND.name,
        "label_attribute_name": ATTRIBUTE,
        "workers_per_object": 1,
        "input_manifest_uri": builders.a_manifest(account, lines),
    }
    job = creation.create_job(**stories.a_design(account, team, **design | changes))
    background.advance_job(job.pk)
    job.refresh_from_db()
    return job


def finished(account, kind=KIND) -> LabelingJob:
    """A job of two images: bees on the first, nothing on the second."""
    (worker,) = stories.a_crowd(1)
    lines = [{"source-ref": uri} for uri in builders.tiny_images(2, account=account)]
    job = a_job(account, lines, team=builders.a_team(account=account, workers=[worker]), task_type=kind.name)
    for answer in (painted(1), Segmentation(SIZE)):
        stories.work(worker, job, kind.write_answer(answer, size=SIZE), most=1)
    due.settle_due(job.queue)
    for _ in range(3):
        background.advance_job(job.pk)
    manifests.refresh_output(job.pk)
    return job


def output(job) -> list[dict]:
    return [json.loads(line) for line in storage.read(manifests.manifest_uri(job)).splitlines()]


def test_a_label_is_written_once_and_anew_when_it_was_decided_anew():
    account = stories.an_account()
    job = finished(account)
    first, second = output(job)
    assert read_palette_png(storage.read(first[ATTRIBUTE]))[1] == {0: "#ffffff", 1: "#2ca02c"}
    entries = first[f"{ATTRIBUTE}-metadata"]["internal-color-map"]
    assert entries["1"] == {"class-name": "bee", "confidence": 0.0, "hex-color": "#2ca02c"}, "one worker, as AWS has it"
    assert second[f"{ATTRIBUTE}-metadata"]["internal-color-map"].keys() == {"0"}
    storage.write(first[ATTRIBUTE], b"kept")
    manifests.refresh_output(job.pk)
    assert output(job)[0] == first and storage.read(first[ATTRIBUTE]) == b"kept"

    row = DataObject.objects.get(job=job, index=0)
    adjudication.adjudicate(data_object=row, content=sent(painted(2)), by="user:1")
    manifests.refresh_output(job.pk)
    (decided, _) = output(job)
    assert decided[ATTRIBUTE] != first[ATTRIBUTE]
    values, colors = read_palette_png(storage.read(decided[ATTRIBUTE]))
    assert colors == {0: "#ffffff", 2: "#1f77b4"} and (values == 2).sum() == 16 * 24
    folder = f"{manifests.root(job)}/annotations/"
    answers = [json.loads(storage.read(one.uri)) for one in storage.list(folder) if "/worker-response/" in one.uri]
    given = [one["answers"][0]["answerContent"]["crowd-semantic-segmentation"] for one in answers]
    assert all(set(one) == {"inputImageProperties", "labelMappings", "labeledImage"} for one in given)


def test_labels_of_another_job_are_kept_and_its_failures_labeled():
    account = stories.an_account()
    lines = output(finished(account))
    fresh = {"source-ref": builders.tiny_images(1, account=account)[0]}
    chained = a_job(account, [*lines, fresh])
    rows = list(DataObject.objects.filter(job=chained).select_related("label").order_by("index"))
    assert [row.state for row in rows[:2]] == [ObjectState.HUMAN] * 2 and rows[2].label is None
    assert KIND.read_value(rows[0].label.value).segments[0].counts == painted(1).segments[0].counts
    assert KIND.read_value(rows[1].label.value).segments == () and (rows[0].width, rows[0].height) == SIZE
    manifests.refresh_output(chained.pk)
    assert output(chained)[:2] == lines, "lines that came with their label go out as they came in"


def test_label_files_are_read_before_the_transaction_that_loads_the_objects(monkeypatch):
    account = stories.an_account()
    lines = output(finished(account))
    read, seen = storage.read, []

    def watched(uri, **options):
        seen.append((uri, connection.in_atomic_block))
        return read(uri, **options)

    monkeypatch.setattr(storage, "read", watched)
    chained = a_job(account, lines)
    assert chained.objects_total == 2 and chained.bad_lines == 0
    verify = {"label_attribute_name": "checked", "audit_label_attribute_name": ATTRIBUTE, "labels": ["good", "bad"]}
    audits = a_job(account, lines, task_type="VerificationSemanticSegmentation", **verify)
    assert audits.objects_total == 2
    assert [uri for uri, _ in seen].count(lines[0][ATTRIBUTE]) == 2
    assert not any(inside for uri, inside in seen if uri in [line[ATTRIBUTE] for line in lines])


def test_files_that_cannot_be_read_leave_their_line_out():
    account, stranger = stories.an_account(), stories.an_account()
    ours, theirs = (boundaries.base_of(one) for one in (account, stranger))
    (line, _) = output(finished(account))
    for uri in (storage.join(ours, "uploads", "noise.png"), storage.join(theirs, "uploads", "0.png")):
        storage.write(uri, b"noise" if uri.startswith(ours) else storage.read(line[ATTRIBUTE]))
    two = storage.join(ours, "uploads", "two.png")
    storage.write(two, write_palette_png(np.full((32, 48), 2), {2: "#1f77b4"}))
    addresses = [storage.join(ours, "uploads", name) for name in ("noise.png", "gone.png", "two.png")]
    addresses += [storage.join(theirs, "uploads", "0.png"), 5]
    chained = a_job(account, [line, *({**line, ATTRIBUTE: address} for address in addresses)])
    assert chained.objects_total == 1 and chained.bad_lines == 5
    reasons = BadLine.objects.filter(job=chained).order_by("number").values_list("reason", flat=True)
    for reason, said in zip(
        reasons,
        ("not a readable PNG", "gone.png", "pixel value 2", "0.png", "the address of a PNG was expected"),
        strict=True,
    ):
        assert ATTRIBUTE in reason and said in reason


def test_masks_are_exported_to_coco_by_their_run_lengths():
    job = finished(stories.an_account())
    export = exports.create_export(job=job, kind="coco", by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    archive = zipfile.ZipFile(io.BytesIO(storage.read(export.uri)))
    document = json.loads(archive.read("annotations/instances_default.json"))
    assert export.item_errors == [] and len(document["images"]) == 2
    (one,) = document["annotations"]
    assert (one["category_id"], one["bbox"], one["area"], one["iscrowd"]) == (1, [6, 4, 24, 16], 384, 0)
    pixels = decode_rle(one["segmentation"])
    assert pixels.shape == (32, 48) and pixels[4:20, 6:30].all() and pixels.sum() == 384


def exported(job) -> tuple[zipfile.ZipFile, list[dict], list[dict]]:
    """The archive of images and masks, its manifest's lines, and what is said of single objects."""
    export = exports.create_export(job=job, kind="manifest", images=True, by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    assert export.status == "Completed", export.failure_reason
    archive = zipfile.ZipFile(io.BytesIO(storage.read(export.uri)))
    assert archive.testzip() is None
    return archive, [json.loads(line) for line in archive.read(f"{job.name}.manifest").splitlines()], export.item_errors


@pytest.mark.parametrize("name", ["SemanticSegmentation", "InstanceSegmentation"])
def test_an_archive_with_images_holds_the_masks_that_its_manifest_names(name):
    account = stories.an_account()
    job = finished(account, kind=task_types.get(name))
    archive, lines, errors = exported(job)
    assert errors == [] and len(lines) == 2
    for number, (line, stored) in enumerate(zip(lines, output(job), strict=True)):
        assert line[ATTRIBUTE] == f"annotations/consolidated-annotation/output/{number}.png"
        assert archive.read(line[ATTRIBUTE]) == storage.read(stored[ATTRIBUTE])
        assert line[f"{ATTRIBUTE}-metadata"] == stored[f"{ATTRIBUTE}-metadata"]
        assert archive.read(line["source-ref"])
    assert (read_palette_png(archive.read(lines[0][ATTRIBUTE]))[0] == 1).sum() == 16 * 24
    assert len(archive.read("images.jsonl").splitlines()) == 2, "masks are no images"


def test_masks_that_came_with_the_input_are_in_the_archive_and_one_that_is_gone_keeps_its_address():
    account = stories.an_account()
    earlier = output(finished(account))
    chained = a_job(account, earlier)
    archive, lines, errors = exported(chained)
    assert [archive.read(line[ATTRIBUTE]) for line in lines] == [storage.read(one[ATTRIBUTE]) for one in earlier]
    assert errors == []
    storage.delete(earlier[0][ATTRIBUTE])
    archive, lines, errors = exported(chained)
    assert lines[0][ATTRIBUTE] == earlier[0][ATTRIBUTE] and lines[1][ATTRIBUTE].endswith("/output/1.png")
    assert [(one["object"], one["reason"].partition(":")[0]) for one in errors] == [("0", "the mask cannot be read")]


def test_masks_count_as_bytes_of_the_export(settings):
    job = finished(stories.an_account())
    images = sum(len(storage.read(row.source_ref)) for row in DataObject.objects.filter(job=job))
    settings.EXPORT_IMAGES_MAX_BYTES = images + 1
    export = exports.create_export(job=job, kind="manifest", images=True, by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    assert export.status == "Failed" and "more than" in export.failure_reason


def test_the_name_of_the_attribute_ends_in_ref():
    account = stories.an_account()
    lines = [{"source-ref": uri} for uri in builders.tiny_images(1, account=account)]
    assert a_job(account, lines, name="streets", label_attribute_name=None).label_attribute_name == "streets-ref"
    with pytest.raises(Invalid) as refused:
        a_job(account, lines, label_attribute_name="streets")
    assert "must end in '-ref'" in str(refused.value.errors)
    with pytest.raises(Invalid) as refused:
        a_job(account, lines, labels=["bee", "BACKGROUND"])
    assert "labels[1]" in str(refused.value.errors)


def test_a_mask_of_another_size_is_no_label_of_the_image():
    job = finished(stories.an_account())
    row = DataObject.objects.get(job=job, index=0)
    refused = adjudication.adjudicate_many(job=job, answers={row.pk: painted(1, size=(40, 32))}, explanation={})
    assert refused == {row.pk: "the mask has 40 x 32 pixels, but the image has 48 x 32"}
    row.refresh_from_db()
    assert row.label.source == "human"
