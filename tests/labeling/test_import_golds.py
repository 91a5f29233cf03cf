"""Golds from label files: what becomes the requester's decision on an object, and what is left as it is."""

import pytest

from labeling.models import DataObject, Label, LabelImport
from labeling.services.imports import advancing
from tests import builders
from tests.labeling import stories
from tests.labeling.label_files import BEE, a_job_over, an_import, coco, coco_of, of_zip, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return builders.an_account()


def test_labels_become_golds_of_a_job(account):
    job = a_job_over(account, "a.jpg", "b.jpg", "c.jpg")
    row = of_zip(account, {"i.json": coco_of("a.jpg", "b.jpg", "gone.jpg")}, job=job)
    assert row.status == "Completed", row.failure_reason
    golds = Label.objects.filter(data_object__job=job).order_by("data_object__index")
    assert [(one.data_object.source_name, one.source, one.confidence) for one in golds] == [
        ("a.jpg", "adjudicated", 1.0),
        ("b.jpg", "adjudicated", 1.0),
    ]
    box = {"left": 10, "top": 10, "width": 20, "height": 20, "label": "bee", "confidence": 1.0}
    assert golds[0].value == {"boxes": [box]}
    assert "gone.jpg" in said(row, "skipped")[0] and row.counts["labeled"] == 2


def test_a_repeat_adds_no_revisions(account):
    job = a_job_over(account, "a.jpg")
    row = of_zip(account, {"i.json": coco_of("a.jpg")}, job=job)
    LabelImport.objects.filter(pk=row.pk).update(status="InProgress")
    advancing.advance_import(row.pk)
    assert Label.objects.filter(data_object__job=job).count() == 1
    assert said(row, "imported") == ["images[0]: a.jpg: 1 box"]


def test_a_gold_is_whole_or_none(account):
    """With a box missing, or a crowd, a worker who drew it would count as wrong; other classes do not matter."""
    job = a_job_over(account, "0.jpg", "1.jpg", "2.jpg")
    annotations = [
        {**BEE, "image_id": 0}, {"bbox": [1, 1, 0, 0], "image_id": 0},
        {**BEE, "image_id": 1}, {**BEE, "image_id": 1, "iscrowd": 1},
        {**BEE, "image_id": 2}, {**BEE, "image_id": 2, "category_id": 2},
    ]  # fmt: skip
    listed = [{"id": n, "file_name": f"{n}.jpg", "width": 100, "height": 50} for n in range(3)]
    classes = [{"id": 1, "name": "bee"}, {"id": 2, "name": "car"}]
    row = an_import(account, coco(*annotations, images=listed, categories=classes), job=job)
    named = Label.objects.filter(data_object__job=job).values_list("data_object__source_name", flat=True)
    assert list(named) == ["2.jpg"]
    assert sum("is no gold" in line for line in said(row, "skipped")) == 2
    assert any("'car' is not one of the job's labels" in line for line in said(row, "skipped"))


def test_objects_that_people_work_on_are_left_alone(account):
    job, _ = stories.an_open_job(objects=1)
    objects = DataObject.objects.filter(job=job)
    uri = builders.tiny_images(1, account=job.account, size=stories.SIZE)[0]
    objects.update(source_ref=uri, source_name="a.jpg")
    row = an_import(job.account, coco_of("a.jpg", width=640, height=480), job=job)
    assert row.status == "Failed" and "people are working on this object" in row.failure_reason
    assert not Label.objects.filter(data_object__job=job).exists()
