"""What a job exports is imported again: the same boxes, classes and image names, in every format."""

import io
import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeling.formats.augmented_reading import read_boxes
from labeling.formats.shapes import Box
from labeling.models import DataObject, LabelingJob
from labeling.services.imports import advancing, creating
from labeling.services.jobs import advancing as jobs
from labeling.services.jobs import creation
from labeling.services.output import exports, manifests
from labeling.services.results import adjudication
from marketplace import storage
from tests import builders
from tests.labeling import label_files, stories
from tests.labeling.label_files import a_named_dataset, an_import, picture, stored

pytestmark = pytest.mark.django_db(transaction=True)
CLASSES = ["bee", "null", "no", "007", "ä <&> \"'", "猫", "a,b"]
NAMES = ["train/a.jpg", "val/a.jpg", "b.jpg", "deep/er/ü 1.jpg", "deep/ü 1.jpg", "c.png"]
SIZE = (100, 50)

sides = st.tuples(st.integers(0, 980), st.integers(0, 480), st.integers(1, 1000), st.integers(1, 500))


@st.composite
def labels_of_images(draw):
    """{image name: boxes within 100 x 50 pixels, to a tenth of a pixel}; some images have none, some no label."""
    found = {}
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        found[name] = [
            Box(draw(st.sampled_from(CLASSES)), x / 10, y / 10, min(w, 1000 - x) / 10, min(h, 500 - y) / 10)
            for x, y, w, h in draw(st.lists(sides, max_size=3))
        ]
    return found


@pytest.fixture(scope="module")
def pictures():
    return {name: picture(SIZE) for name in NAMES}


def a_finished_job(account, dataset, labels) -> LabelingJob:
    """A job over the data set whose objects have these labels."""
    design = stories.a_design(account, builders.a_team(account=account, workers=[]), labels=CLASSES, dataset=dataset)
    job = creation.create_job(**design | {"input_manifest_uri": None, "label_attribute_name": "found"})
    jobs.advance_job(job.pk)
    keys = dict(DataObject.objects.filter(job=job).values_list("source_name", "pk"))
    answers = {keys[name]: boxes for name, boxes in labels.items()}
    assert adjudication.adjudicate_many(job=job, answers=answers, explanation={"adjudicated_by": "user:1"}) == {}
    return LabelingJob.objects.get(pk=job.pk)


def exported(job: LabelingJob, kind: str) -> str:
    """The address of an export that was written."""
    export = exports.create_export(job=job, kind=kind, by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    assert export.status == "Completed", export.failure_reason
    return export.uri


def imported(account, uri, name, **options):
    """{image name: boxes} of the data set that the file became."""
    row = creating.create_import(account=account, by="user:1", uri=uri, name=name, **options)
    advancing.advance_import(row.pk)
    row.refresh_from_db()
    assert row.status == "Completed", row.failure_reason
    lines = [json.loads(line) for line in storage.read(row.dataset.source["uri"]).splitlines()]
    assert [line["source-name"] for line in lines] == NAMES
    attribute = row.label_attribute_name
    return row, {
        line["source-name"]: read_boxes(line, attribute).boxes for line in lines if line.get(attribute) is not None
    }


def same(found, labels):
    assert sorted(found) == sorted(labels)
    for name, boxes in labels.items():
        assert [box.label for box in found[name]] == [box.label for box in boxes]
        for back, box in zip(found[name], boxes, strict=True):
            assert back.corners == pytest.approx(box.corners, abs=1e-6)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(labels=labels_of_images())
def test_every_export_of_a_job_is_imported_equal(pictures, labels):
    account = builders.an_account()
    dataset = a_named_dataset(account, pictures)
    job = a_finished_job(account, dataset, labels)
    for kind in ("coco", "voc", "yolo", "manifest"):
        row, found = imported(account, exported(job, kind), f"from-{kind}", images=dataset)
        assert row.format == kind
        same(found, labels)


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
def test_an_export_moves_to_another_account_with_its_images(pictures, kind):
    """The files name their images by names, which the other account's images have, too."""
    labels = {"train/a.jpg": [Box("bee", 1, 2, 30, 20)], "val/a.jpg": [Box("no", 5.5, 2, 30, 20)], "b.jpg": []}
    account, other = builders.an_account(), builders.an_account()
    job = a_finished_job(account, a_named_dataset(account, pictures), labels)
    content = storage.read(exported(job, kind))
    there = a_named_dataset(other, pictures)
    same(imported(other, stored(other, content), f"from-{kind}", images=there)[1], labels)
    # The images laid beside the labels, in the folders that they had.
    packed = io.BytesIO(content)
    with zipfile.ZipFile(packed, "a") as archive:
        for name, data in pictures.items():
            archive.writestr(name, data)
    row = an_import(other, packed.getvalue())
    found = {name: boxes for name, boxes in label_files.boxes_of(row).items() if boxes or name in labels}
    assert {name: [box[0] for box in boxes] for name, boxes in found.items()} == {
        name: [box.label for box in boxes] for name, boxes in labels.items()
    }


def test_the_output_manifest_is_imported_equal(pictures):
    labels = {"train/a.jpg": [Box("猫", 1.5, 2, 30, 20)], "b.jpg": []}
    account = builders.an_account()
    dataset = a_named_dataset(account, pictures)
    job = a_finished_job(account, dataset, labels)
    manifests.refresh_output(job.pk)
    same(imported(account, manifests.manifest_uri(job), "again")[1], labels)
