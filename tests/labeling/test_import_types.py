"""Labels of every task type leave a job in each of its formats and come back: as a data set's, and as golds."""

import io
import json
import zipfile
from dataclasses import asdict

import numpy as np
import pytest
import yaml

from labeling import task_types
from labeling.formats import masks, segments
from labeling.formats.shapes import Box, Drawing, Keypoint, Polygon, Segmentation, Span, Vote
from labeling.models import DataObject, Label, LabelingJob
from labeling.services.imports import creating
from labeling.services.intake import label_files as files_of_labels
from labeling.services.jobs import advancing as jobs
from labeling.services.jobs import creation
from labeling.services.output import exports
from labeling.services.results import adjudication
from labeling.task_types.base import TEXT
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories
from tests.labeling.label_files import a_named_dataset, an_import, images_of, of_zip, report, said

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = (100, 50)
CLASSES = ["bee", "007", "a|b", "null"]
NAMES = ["train/a.jpg", "val/a.jpg", "b.jpg"]
TEXTS = ["Ann ate in New York.", "Ann ate in New York.", "a\nb\r\n🐝 c"]


def masks_of(*values):
    """Stripes of the image's whole height, each of the class with this number; 0 is background."""
    pixels = np.repeat(np.asarray(values, np.uint8), SIZE[0] // len(values))[None].repeat(SIZE[1], axis=0)
    return segments.from_pixels(pixels, dict(enumerate(CLASSES, start=1)))


def outlines(closed):
    first = Polygon("bee", ((1.5, 2), (30, 2), (30, 20)), closed)
    return Drawing((first, Polygon("a|b", ((5, 5), (60.25, 5), (5, 40), (7, 9)), closed)), SIZE)


NOTHING = Drawing((), SIZE)
GIVEN = {
    "BoundingBox": ([Box("bee", 1, 2, 3.5, 4), Box("null", 5, 6, 7, 8)], []),
    "Polygon": (outlines(True), NOTHING),
    "Polyline": (outlines(False), NOTHING),
    "Keypoint": (Drawing((Keypoint("bee", 1, 2.5), Keypoint("007", 3, 4), Keypoint("bee", 5, 6)), SIZE), NOTHING),
    "SemanticSegmentation": (masks_of(0, 1, 3, 1, 2), Segmentation(SIZE)),
    "InstanceSegmentation": (masks_of(0, 1, 3, 0, 2), Segmentation(SIZE)),
    "ImageMultiClass": (Vote(("a|b",)), Vote(("null",))),
    "ImageMultiClassMultiLabel": (Vote(("a|b", "bee")), Vote(())),
    "TextMultiClass": (Vote(("a|b",)), Vote(("null",))),
    "TextMultiClassMultiLabel": (Vote(("a|b", "bee")), Vote(())),
    "NamedEntityRecognition": ((Span("bee", 0, 3), Span("a|b", 11, 19)), ()),
}
"""A label of the first object, and of the second; the third has none."""


def test_every_type_that_files_can_bring_is_here():
    assert set(GIVEN) == {kind.name for kind in creating.readable_types()}


def a_dataset_for(account, kind):
    if kind.medium != TEXT:
        return a_named_dataset(account, images_of(*NAMES))
    lines = [{"source": text, "source-name": f"{n}.txt"} for n, text in enumerate(TEXTS)]
    return builders.a_dataset(account=account, kind="manifest", uri=builders.a_manifest(account, lines))


def a_job_of(account, kind, dataset) -> LabelingJob:
    team = builders.a_team(account=account, workers=[])
    attribute = "found-ref" if kind.label_is_file else "found"
    changes = {"labels": CLASSES, "dataset": dataset, "task_type": kind.name, "label_attribute_name": attribute}
    job = creation.create_job(**stories.a_design(account, team, **changes) | {"input_manifest_uri": None})
    jobs.advance_job(job.pk)
    return LabelingJob.objects.get(pk=job.pk)


def a_labeled_job(account, kind, dataset) -> LabelingJob:
    job = a_job_of(account, kind, dataset)
    keys = DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True)
    answers = dict(zip(keys, GIVEN[kind.name], strict=False))
    assert adjudication.adjudicate_many(job=job, answers=answers, explanation={"adjudicated_by": "user:1"}) == {}
    return job


def exported(job, form, images=False) -> bytes:
    export = exports.create_export(job=job, kind=form, images=images, by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    assert (export.status, export.item_errors) == ("Completed", []), export.failure_reason
    return storage.read(export.uri)


def labels_of(kind, row):
    """The labels of the data set that was made, None for an object without one; in the order of its manifest."""
    assert row.status == "Completed", row.failure_reason
    lines = [json.loads(line) for line in storage.read(row.dataset.manifest_uri).splitlines()]
    attribute = row.label_attribute_name
    return [_label(kind, line, attribute, row.account) for line in lines]


def _label(kind, line, attribute, account):
    if line.get(attribute) is None:
        return None
    attributes = files_of_labels.with_file(line, attribute, kind=kind, account=account)
    return kind.read_manifest(attributes, attribute).answer


def plain(kind, label):
    """What is compared: the parts of a label in any order, with certainty."""
    return None if label is None else sorted(str(_rounded(asdict(part))) for part in kind.parts(kind.certain(label)))


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_rounded, value))
    return round(float(value), 6) if isinstance(value, int | float) else value


QUICK = ("Polygon", "ImageMultiClassMultiLabel", "NamedEntityRecognition")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in GIVEN]
)
def test_labels_come_back_from_each_format(name):
    kind, account = task_types.get(name), builders.an_account()
    dataset = a_dataset_for(account, kind)
    job = a_labeled_job(account, kind, dataset)
    wanted = [*(plain(kind, label) for label in GIVEN[name]), None]
    both_ways = [form for form in exports.formats(job) if form in kind.imports]
    assert "manifest" in both_ways and (len(both_ways) > 1 or name == "Polyline")
    for form in both_ways:
        content = exported(job, form)
        row = an_import(account, content, images=dataset, task_type=name)
        assert row.format == form and [plain(kind, one) for one in labels_of(kind, row)] == wanted, (form, report(row))
        other = a_job_of(account, kind, dataset)
        golds = an_import(account, content, job=other)
        assert golds.status == "Completed", (form, golds.failure_reason)
        found = {
            label.data_object.index: plain(kind, kind.read_value(label.value))
            for label in Label.objects.filter(data_object__job=other).select_related("data_object")
        }
        assert found == dict(enumerate(wanted[:2])), (form, report(golds))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("NamedEntityRecognition", "conll"),
        ("NamedEntityRecognition", "jsonl"),
        ("TextMultiClass", "csv"),
        ("TextMultiClassMultiLabel", "jsonl"),
    ],
)
def test_texts_come_with_their_labels(name, form):
    """The file has the texts themselves, so that it needs no data set of them; long ones become files."""
    kind, account = task_types.get(name), builders.an_account()
    long = "Ann " * 6000
    lines = [{"source": TEXTS[2]}, {"source-ref": _text_file(account, long), "source-name": "long.txt"}]
    dataset = builders.a_dataset(account=account, kind="manifest", uri=builders.a_manifest(account, lines))
    job = a_labeled_job(account, kind, dataset) if kind.part != "spans" else _with_spans(account, kind, dataset)
    other = builders.an_account()
    row = an_import(other, exported(job, form), task_type=name)
    made = [json.loads(line) for line in storage.read(row.dataset.manifest_uri).splitlines()]
    assert made[0]["source"] == TEXTS[2] and made[1]["source-name"] == "long.txt"
    assert storage.read(made[1]["source-ref"]).decode() == long
    labels = DataObject.objects.filter(job=job).order_by("index").values_list("label__value", flat=True)
    assert [plain(kind, one) for one in labels_of(kind, row)] == [plain(kind, kind.read_value(one)) for one in labels]
    again = a_job_of(other, kind, row.dataset)
    assert again.objects_total == 2, again.failure_reason


def _text_file(account, text):
    uri = storage.join(boundaries.base_of(account), "uploads", "texts", "long.txt")
    storage.write(uri, text.encode())
    return uri


def _with_spans(account, kind, dataset):
    job = a_job_of(account, kind, dataset)
    first, second = DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True)
    answers = {first: (Span("bee", 0, 1), Span("007", 5, 6)), second: (Span("a|b", 20_000, 20_003),)}
    assert adjudication.adjudicate_many(job=job, answers=answers, explanation={"adjudicated_by": "user:1"}) == {}
    return job


@pytest.mark.parametrize(
    ("name", "form"), [("SemanticSegmentation", "masks"), ("ImageMultiClass", "csv"), ("Keypoint", "coco")]
)
def test_an_archive_with_its_images_is_all_that_another_account_needs(name, form):
    kind, account = task_types.get(name), builders.an_account()
    job = a_labeled_job(account, kind, a_dataset_for(account, kind))
    row = an_import(builders.an_account(), exported(job, form, images=True), task_type=name)
    assert [plain(kind, one) for one in labels_of(kind, row)] == [plain(kind, one) for one in GIVEN[name]]
    assert row.dataset.objects_total == 2, "masks are no images"


def test_an_image_folder_has_a_card_its_rows_and_its_images():
    kind, account = task_types.get("BoundingBox"), builders.an_account()
    job = a_labeled_job(account, kind, a_dataset_for(account, kind))
    archive = zipfile.ZipFile(io.BytesIO(exported(job, "huggingface", images=True)))
    card = yaml.safe_load(archive.read("README.md").decode().split("---")[1])
    (objects,) = [one for one in card["dataset_info"]["features"] if one["name"] == "objects"]
    categories = next(one for one in objects["struct"] if one["name"] == "categories")
    assert categories["sequence"]["dtype"]["class_label"]["names"] == dict(zip("0123", CLASSES, strict=True))
    rows = [json.loads(line) for line in archive.read("data/train/metadata.jsonl").splitlines()]
    assert [row["objects"]["bbox"] for row in rows] == [[[1, 2, 3.5, 4], [5, 6, 7, 8]], []]
    assert rows[0]["objects"]["categories"] == [0, 3]
    assert all(archive.read(f"data/train/{row['file_name']}") for row in rows)


def test_spans_that_tags_cannot_say_are_told_with_their_object():
    kind, account = task_types.get("NamedEntityRecognition"), builders.an_account()
    job = a_job_of(account, kind, a_dataset_for(account, kind))
    key = DataObject.objects.filter(job=job).order_by("index").last().pk
    nested = {key: (Span("bee", 0, 3), Span("007", 0, 1))}
    adjudication.adjudicate_many(job=job, answers=nested, explanation={"adjudicated_by": "user:1"})
    export = exports.create_export(job=job, kind="conll", by="user:1")
    exports.run_export(export.pk)
    export.refresh_from_db()
    (told,) = export.item_errors
    assert (told["object"], told["used"]) == ("2", True) and "shares characters" in told["reason"]


class TestWhatCannotBeTaken:
    def test_a_format_that_cannot_hold_the_labels(self):
        account = builders.an_account()
        with pytest.raises(Invalid, match="labels of the type Polyline are read from cvat, manifest, not from voc"):
            an_import(account, b"", task_type="Polyline", format="voc")
        with pytest.raises(Invalid, match="'VerificationBoundingBox' found, one of BoundingBox"):
            an_import(account, b"", task_type="VerificationBoundingBox")
        row = an_import(account, b"file,label\na.jpg,bee\n")
        assert row.status == "Failed" and "is a csv file, but labels of the type BoundingBox" in row.failure_reason

    def test_images_need_a_data_set_of_images(self):
        account = builders.an_account()
        texts = a_dataset_for(account, task_types.get("TextMultiClass"))
        with pytest.raises(Invalid, match="holds no images, which BoundingBox is about"):
            an_import(account, b"", images=texts)

    def test_two_classes_where_one_is_expected_and_masks_over_each_other(self):
        account = builders.an_account()
        row = of_zip(account, {"l.csv": "file,labels\na.jpg,x|y\nb.jpg,x\n", **images_of("a.jpg", "b.jpg")},
                     task_type="ImageMultiClass")  # fmt: skip
        assert row.labels == ["x", "y"] and "l.csv line 2: has 2 classes (x, y), expected one" in said(row, "skipped")
        square = [[0, 0, 20, 0, 20, 20, 0, 20]]
        annotations = [
            {"id": n, "image_id": 1, "category_id": n, "segmentation": square, "bbox": [0, 0, 20, 20]} for n in (1, 2)
        ]
        document = {
            "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50}],
            "categories": [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}],
            "annotations": annotations,
        }
        content = {"c.json": json.dumps(document), **images_of("a.jpg")}
        row = of_zip(account, content, task_type="SemanticSegmentation")
        kind = task_types.get("SemanticSegmentation")
        (label,) = labels_of(kind, row)
        assert [one.label for one in label.segments] == ["y"] and segments.area(label.segments[0]) == 400
        assert "400 pixels lie in several masks" in said(row, "clipped")[0]

    def test_masks_of_another_size_than_the_image(self):
        account = builders.an_account()
        shape = masks.encode_rle(np.ones((100, 50)))
        document = {
            "images": [{"id": 1, "file_name": "a.jpg", "width": 50, "height": 100}],
            "categories": [{"id": 1, "name": "x"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": shape}],
        }
        row = of_zip(account, {"c.json": json.dumps(document), **images_of("a.jpg")}, task_type="InstanceSegmentation")
        assert row.status == "Failed"
        assert "its masks are of 50 x 100 pixels, the image has 100 x 50" in row.failure_reason
