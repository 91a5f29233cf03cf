"""Label imports: how images are found and measured, what labels become, what is reported, and what is refused."""

import csv
import io
import json

import pytest
from PIL import Image, ImageOps

from labeling import background
from labeling.formats.shapes import Box
from labeling.models import DataObject, Dataset, FailedAttempt, ImportedLine, Label, LabelImport
from labeling.services.attempts import MOST
from labeling.services.imports import advancing, creating, limits, reports
from labeling.services.jobs import advancing as jobs
from labeling.services.jobs import creation
from marketplace import storage
from marketplace.errors import Forbidden, ImportLimit, Invalid, NameTaken, WrongState
from tests import builders
from tests.labeling import label_files, stories
from tests.labeling.label_files import (
    BEE,
    a_job_over,
    a_named_dataset,
    an_import,
    boxes_of,
    coco,
    coco_of,
    images_of,
    lines_of,
    of_zip,
    report,
    said,
    stored,
    zipped,
)

pytestmark = pytest.mark.django_db
BEE_BOX = ("bee", 10, 10, 30, 30)
YOLO_LINE = "0 0.5 0.5 0.2 0.2\n"


@pytest.fixture
def account():
    return builders.an_account()


class TestFindingImages:
    def test_labels_meet_the_images_of_a_data_set_by_the_names_that_were_kept(self, account):
        images = a_named_dataset(account, images_of("train/a.jpg", "val/a.jpg", "猫/ü.jpg"))
        row = an_import(account, coco_of("val/a.jpg", "ü.jpg"), images=images)
        assert boxes_of(row) == {"val/a.jpg": [BEE_BOX], "猫/ü.jpg": [BEE_BOX]}
        # The whole data set is in the new one, in its order; what has no label yet is without one.
        assert list(lines_of(row.dataset)) == list(lines_of(images)) and row.counts["images"] == 3

    def test_what_fits_several_images_is_reported_and_never_guessed(self, account):
        images = a_named_dataset(account, images_of("train/a.jpg", "val/a.jpg", "b.jpg"))
        row = an_import(account, coco_of("a.jpg", "other/a.jpg", "b.jpg"), images=images)
        assert boxes_of(row) == {"b.jpg": [BEE_BOX]}
        fits = "'a.jpg' fits 2 images ('train/a.jpg', 'val/a.jpg'): name it with its folder"
        assert said(row, "skipped") == [f"images[0]: {fits}", f"images[1]: {fits}"]

    @pytest.mark.parametrize("name", ["C:\\pictures\\a.jpg", "/mnt/me/a.jpg", "./a.jpg", "set/a.jpg", "A.JPG"])
    def test_paths_of_other_machines_are_found_by_their_only_base_name(self, account, name):
        assert boxes_of(of_zip(account, {"i.json": coco_of(name), **images_of("x/a.jpg")})) == {"x/a.jpg": [BEE_BOX]}

    def test_the_splits_of_a_coco_set_are_kept(self, account):
        members = {
            "annotations/instances_train.json": coco_of("1.jpg"),
            "annotations/instances_val.json": coco_of("1.jpg"),
            **images_of("train/1.jpg", "val/1.jpg"),
        }
        assert boxes_of(of_zip(account, members)) == {"train/1.jpg": [BEE_BOX], "val/1.jpg": [BEE_BOX]}
        beside = {f"{split}/_annotations.coco.json": coco_of("1.jpg") for split in ("train", "valid")}
        row = of_zip(account, {**beside, **images_of("train/1.jpg", "valid/1.jpg"), "README.roboflow.txt": "hello"})
        assert boxes_of(row) == {"train/1.jpg": [BEE_BOX], "valid/1.jpg": [BEE_BOX]} and said(row, "skipped") == []

    @pytest.mark.parametrize(
        ("labels", "images"),
        [
            ("labels/train/1.txt", "images/train/1.jpg"),
            ("train/labels/1.txt", "train/images/1.jpg"),
            ("set/labels/train/deep/1.txt", "set/images/train/deep/1.jpg"),
            ("train/1.txt", "train/1.jpg"),
            ("labels\\train\\1.txt", "images\\train\\1.jpg"),
        ],
    )
    def test_the_layouts_of_yolo(self, account, labels, images):
        other = [path.replace("train", "val") for path in (labels, images)]
        members = {"data.yaml": "names: [bee]", labels: YOLO_LINE, other[0]: YOLO_LINE * 2, "README.dataset.txt": "x"}
        row = of_zip(account, {**members, **images_of(images, other[1])})
        found = {name: len(boxes) for name, boxes in boxes_of(row).items()}
        assert found == {images.replace("\\", "/"): 1, other[1].replace("\\", "/"): 2}
        assert said(row, "skipped") == []

    def test_the_layouts_of_voc(self, account):
        xml = (
            "<annotation><filename>{}</filename><size><width>100</width><height>50</height></size><object><name>bee"
            "</name><bndbox><xmin>10</xmin><ymin>10</ymin><xmax>30</xmax><ymax>30</ymax></bndbox></object></annotation>"
        )
        members = {
            "VOC/Annotations/train/1.xml": xml.format("1.jpg"),
            "VOC/Annotations/val/1.xml": xml.format("renamed.jpg"),
            "2.xml": xml.format("2"),
        }
        names = ["VOC/JPEGImages/train/1.jpg", "VOC/JPEGImages/val/1.jpg", "2.jpg"]
        assert boxes_of(of_zip(account, {**members, **images_of(*names)})) == {name: [BEE_BOX] for name in names}

    def test_an_image_that_is_labeled_twice_keeps_its_first_label(self, account):
        row = of_zip(account, {"i.json": coco_of("a.jpg", "a.jpg"), **images_of("a.jpg")})
        assert boxes_of(row) == {"a.jpg": [BEE_BOX]}
        assert said(row, "skipped") == ["images[1]: the image a.jpg has its label already, from images[0]"]

    def test_a_file_that_is_no_image_is_reported(self, account):
        members = {"i.json": coco_of("a.jpg", "b.jpg"), **images_of("a.jpg"), "b.jpg": b"\xff\xd8\xff nothing more"}
        row = of_zip(account, members)
        assert list(boxes_of(row)) == ["a.jpg"]
        assert said(row, "skipped")[0].startswith("images[1]: the image cannot be used: the image is damaged")


class TestSizes:
    def test_boxes_are_clipped_at_the_border_of_the_measured_image(self, account):
        images = [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 300}]
        row = of_zip(account, {"i.json": coco({"bbox": [80, 10, 60, 20]}, images=images), **images_of("a.jpg")})
        assert boxes_of(row) == {"a.jpg": [("bee", 80, 10, 100, 30)]}
        assert "the file says 200 x 300, the image has 100 x 50" in said(row, "repaired")[0]
        assert "it was clipped" in said(row, "clipped")[0]

    def test_swapped_sides_are_reported_and_the_boxes_stay(self, account):
        images = [{"id": 1, "file_name": "a.jpg", "width": 50, "height": 100}]
        row = of_zip(account, {"i.json": coco({"bbox": [80, 10, 20, 20]}, images=images), **images_of("a.jpg")})
        assert boxes_of(row) == {"a.jpg": [("bee", 80, 10, 100, 30)]}
        assert "width and height are swapped" in said(row, "repaired")[0]

    @pytest.mark.parametrize("orientation", [1, 5, 6, 7, 8])
    def test_boxes_of_the_stored_pixels_are_turned_with_the_image(self, account, orientation):
        """One white rectangle is labeled where it lies in the file; the imported box lies on it where people see it."""
        stored_image = Image.new("RGB", (100, 50))
        stored_image.paste((255, 255, 255), (10, 5, 40, 25))
        exif = Image.Exif()
        exif[0x0112] = orientation
        out = io.BytesIO()
        stored_image.save(out, "PNG", exif=exif)
        row = of_zip(account, {"i.json": coco({"bbox": [10, 5, 30, 20]}), "a.jpg": out.getvalue()})
        shown = ImageOps.exif_transpose(Image.open(io.BytesIO(out.getvalue())))
        assert boxes_of(row)["a.jpg"] == [("bee", *shown.convert("L").getbbox())]

    def test_a_size_that_fits_says_nothing(self, account):
        row = of_zip(account, {"i.json": coco_of("a.jpg"), **images_of("a.jpg")})
        assert report(row) == [("images[0]", "imported", "a.jpg: 1 box")]
        assert row.counts == {
            "images": 1, "labeled": 1, "parts": 1, "imported": 1, "clipped": 0, "repaired": 0, "crowd": 0, "skipped": 0,
            "lines": 1,
        }  # fmt: skip


class TestNewDataset:
    def test_a_job_takes_the_labels_over_and_asks_people_for_the_rest(self, account):
        row = of_zip(account, {"i.json": coco_of("a.jpg"), **images_of("a.jpg", "b.jpg")})
        team = builders.a_team(account=account, workers=1)
        design = stories.a_design(account, team, labels=row.labels, dataset=row.dataset)
        job = creation.create_job(**design | {"input_manifest_uri": None}, label_attribute_name="labels")
        jobs.advance_job(job.pk)
        states = dict(DataObject.objects.filter(job=job).values_list("source_name", "state"))
        assert states == {"a.jpg": "HumanLabeled", "b.jpg": "PendingHuman"}
        label = Label.objects.get(data_object__job=job)
        assert label.value["boxes"][0] | {"confidence": 1.0} == label.value["boxes"][0]
        assert label.explanation["imported"]["job-name"] == f"label-import/{row.pk}"

    def test_images_without_boxes_show_nothing_or_were_never_looked_at(self, account):
        both = [{"id": n, "file_name": f"{n}.jpg", "width": 100, "height": 50} for n in (1, 2)]
        members = {"i.json": coco(BEE, images=both), **images_of("1.jpg", "2.jpg", "3.jpg")}
        assert boxes_of(of_zip(account, members)) == {"1.jpg": [BEE_BOX], "2.jpg": []}
        row = of_zip(account, members, without_boxes="unlabeled")
        assert boxes_of(row) == {"1.jpg": [BEE_BOX]} and len(lines_of(row.dataset)) == 3
        assert "is listed without boxes" in said(row, "skipped")[0]

    def test_an_image_of_which_no_box_is_usable_stays_without_a_label(self, account):
        members = {"i.json": coco({"bbox": [1, 2, 0, 0]}, {**BEE, "image_id": 2}, images=[
            {"id": n, "file_name": f"{n}.jpg", "width": 100, "height": 50} for n in (1, 2)
        ]), **images_of("1.jpg", "2.jpg")}  # fmt: skip
        row = of_zip(account, members)
        assert boxes_of(row) == {"2.jpg": [BEE_BOX]}
        assert [line.partition(": ")[2] for line in said(row, "skipped")] == [
            "none of its boxes could be used: it stays without a label",
            "the box has no area (0 x 0)",
        ]

    def test_other_attributes_of_the_lines_are_kept(self, account):
        uri = builders.tiny_images(1, account=account, size=(100, 50))[0]
        manifest = builders.a_manifest(account, [{"source-ref": uri, "split": "train", "source-name": "a.jpg"}])
        images = builders.a_dataset(account=account, kind="manifest", uri=manifest)
        row = an_import(account, coco_of("a.jpg"), images=images, label_attribute_name="truth")
        line = lines_of(row.dataset)["a.jpg"]
        assert line["split"] == "train" and line["truth-metadata"]["human-annotated"] == "yes"

    def test_a_manifest_brings_labels_of_its_own_images(self, account):
        """Two jobs have numbered their classes differently: the new data set has each class under one id."""
        uris = builders.tiny_images(3, account=account, size=(100, 50))
        lines = []
        for uri, (number, name) in zip(uris, [(0, "cat"), (0, "dog"), (3, "cat ")], strict=True):
            lines.append(
                {
                    "source-ref": uri,
                    "boxes": {
                        "image_size": [{"width": 100, "height": 50, "depth": 3}],
                        "annotations": [{"class_id": number, "left": 1, "top": 2, "width": 3, "height": 4}],
                    },
                    "boxes-metadata": {"class-map": {str(number): name}, "type": "groundtruth/object-detection"},
                }
            )
        content = "\n".join([*(json.dumps(line) for line in lines), "{broken", json.dumps({"source-ref": uris[0]})])
        row = an_import(account, content.encode())
        assert (row.format, row.labels, row.counts["labeled"]) == ("manifest", ["cat", "dog"], 3)
        found = [json.loads(line)["labels"] for line in storage.read(row.dataset.manifest_uri).splitlines()]
        assert [one["annotations"][0]["class_id"] for one in found] == [0, 1, 0]
        assert said(row, "skipped")[0].startswith("line 4: is not valid JSON")

    def test_a_manifest_may_not_name_images_of_another_account(self, account):
        other = builders.tiny_images(1, account=builders.an_account())[0]
        value = {"annotations": [], "image_size": [{"width": 1, "height": 1}]}
        row = an_import(account, json.dumps({"source-ref": other, "b": value, "b-metadata": {}}).encode())
        assert row.status == "Failed" and "belongs to another account" in row.failure_reason


class TestFormats:
    def test_an_archive_with_labels_of_two_formats_asks_which(self, account):
        members = {"i.json": coco_of("a.jpg"), "data.yaml": "names: [wasp]", "a.txt": YOLO_LINE, **images_of("a.jpg")}
        row = of_zip(account, members)
        assert row.status == "Failed"
        assert "labels of several formats, coco (i.json) and yolo (a.txt): choose the one" in row.failure_reason
        assert of_zip(account, members, format="yolo").labels == ["wasp"]
        assert of_zip(account, members, format="coco").labels == ["bee"]
        assert (
            "holds no labels of the format voc; it has coco, yolo"
            in of_zip(account, members, format="voc").failure_reason
        )

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"<annotation/>", "is a single XML file: pack the XML files"),
            (b"\x1f\x8b\x08", "is compressed with gzip: unpack it first"),
            (b"0 0.5 0.5 0.1 0.1\n", "YOLO and VOC labels are sent as one zip"),
            (b"", "is neither a zip, a COCO file (JSON) nor a manifest"),
            (b"PK\x03\x04 nothing", "not a readable zip file"),
            (
                zipped({"notes.txt": "x"}),
                "holds no COCO, VOC, YOLO, Label Studio or CVAT labels, or a manifest. COCO is a .json",
            ),
            (b'{"images": 5}', "this is not a COCO file"),
            (b'{"images": [', "the COCO file is not valid JSON (line 1"),
            (zipped({"i.json": coco_of("a.jpg")}), "the zip holds no images: choose the data set that has them"),
            (coco_of("a.jpg"), "the file has labels only: choose the data set that has the images"),
            (zipped({"i.json": coco_of("x.jpg"), **images_of("a.jpg")}), "no image got a label (1 lines were skipped"),
        ],
    )
    def test_what_is_no_label_file_fails_with_the_way_out(self, account, content, message):
        row = an_import(account, content)
        assert row.status == "Failed" and message in row.failure_reason
        assert not Dataset.objects.filter(name=row.name).exists()
        assert row.has_report is ImportedLine.objects.exists() is ("no image got a label" in message)

    def test_a_manifest_with_labels_under_several_attributes_asks_which(self, account):
        uri = builders.tiny_images(1, account=account)[0]
        value = {"annotations": [{"class_id": 0, "left": 1, "top": 1, "width": 2, "height": 2}]}
        line = json.dumps({"source-ref": uri, "one": value, "two": value}).encode()
        assert "has boxes under several attributes (one, two)" in an_import(account, line).failure_reason
        assert an_import(account, line, read_attribute="two").counts["labeled"] == 1


class TestReport:
    def test_it_can_be_downloaded_as_json_lines_and_as_a_table(self, account):
        row = of_zip(account, {"i.json": coco_of("a.jpg", "=cmd()"), **images_of("a.jpg")})
        lines = [json.loads(line) for line in storage.read(reports.uri(row, "jsonl")).splitlines()]
        assert [(line["place"], line["outcome"]) for line in lines] == [
            ("images[0]", "imported"),
            ("images[1]", "skipped"),
        ]
        table = list(csv.DictReader(io.StringIO(storage.read(reports.uri(row, "csv")).decode())))
        assert [line["reason"] for line in table] == [line["reason"] for line in lines]

    def test_no_cell_of_the_table_is_a_formula(self, account):
        row = of_zip(account, {"=cmd.exe": b"x", "i.json": coco_of("a.jpg"), **images_of("a.jpg")})
        places = {line["place"] for line in csv.DictReader(io.StringIO(storage.read(reports.uri(row, "csv")).decode()))}
        assert places == {"images[0]", "'=cmd.exe"}

    def test_lines_beyond_the_most_are_counted(self, account, monkeypatch):
        monkeypatch.setattr(reports, "MOST_LINES", 2)
        names = [f"{n}.jpg" for n in range(5)]
        row = of_zip(account, {"i.json": coco_of(*names), **images_of(*names)})
        assert row.counts["imported"] == 5 and len(report(row)) == 2


class TestLife:
    def test_only_so_many_run_at_once(self, account):
        uri = stored(account, b"x")
        rows = [
            creating.create_import(account=account, by="user:1", uri=uri, name=f"n{n}")
            for n in range(limits.MOST_AT_ONCE)
        ]
        with pytest.raises(ImportLimit, match="3 label imports are running"):
            creating.create_import(account=account, by="user:1", uri=uri, name="more")
        creating.stop_import(label_import=rows[0], by="user:1")
        creating.create_import(account=account, by="user:1", uri=uri, name="more")

    def test_a_stopped_import_makes_nothing(self, account):
        content = zipped({"i.json": coco_of("a.jpg"), **images_of("a.jpg")})
        row = creating.create_import(account=account, by="user:1", uri=stored(account, content), name="never")
        creating.stop_import(label_import=row, by="user:1")
        advancing.advance_import(row.pk)
        row.refresh_from_db()
        assert row.status == "Stopped" and not Dataset.objects.filter(name="never").exists()
        done = of_zip(account, {"i.json": coco_of("a.jpg"), **images_of("a.jpg")})
        with pytest.raises(WrongState):
            creating.stop_import(label_import=done, by="user:1")

    def test_one_that_is_over_is_left_as_it_is(self, account):
        row = of_zip(account, {"i.json": coco_of("a.jpg"), **images_of("a.jpg")})
        advancing.advance_import(row.pk)
        assert Dataset.objects.filter(name=row.name).count() == 1

    def test_a_name_that_is_taken_meanwhile_fails_it(self, account):
        content = zipped({"i.json": coco_of("a.jpg"), **images_of("a.jpg")})
        row = creating.create_import(account=account, by="user:1", uri=stored(account, content), name="twice")
        builders.a_dataset(account=account, name="twice")
        advancing.advance_import(row.pk)
        row.refresh_from_db()
        assert row.status == "Failed" and "has a data set 'twice' already" in row.failure_reason
        assert not ImportedLine.objects.exists()

    def test_an_unexpected_error_again_and_again_fails_it(self, account, monkeypatch):
        row = creating.create_import(account=account, by="user:1", uri=stored(account, b"x"), name="broken")
        monkeypatch.setattr(advancing, "_import", lambda row: 1 // 0)
        for _ in range(MOST - 1):
            with pytest.raises(ZeroDivisionError):
                background.advance_import(row.pk)
        background.advance_import(row.pk)
        row.refresh_from_db()
        assert row.status == "Failed" and "division" in row.failure_reason
        assert FailedAttempt.objects.filter(work="advance_import").exists()

    def test_one_that_takes_too_long_fails_with_the_way_out(self, account, settings):
        """The queue would end it before it is done, and begin it again, for ever."""
        settings.Q_CLUSTER = settings.Q_CLUSTER | {"timeout": 0}
        row = of_zip(account, {"i.json": coco_of("a.jpg"), **images_of("a.jpg")})
        assert row.status == "Failed"
        assert "1 of 1 images were read in 0 minutes" in row.failure_reason
        assert "divide the file by images" in row.failure_reason

    def test_what_cannot_be_asked_for_is_refused(self, account):
        job = a_job_over(account, "a.jpg")
        dataset = a_named_dataset(account, images_of("a.jpg"))
        uri = stored(account, b"x")
        for error, options in (
            (Invalid, {"name": "no name!"}),
            (Invalid, {"name": "a", "purpose": "labels"}),
            (Invalid, {"name": "a", "format": "csv"}),
            (Invalid, {"name": "a", "without_boxes": "x"}),
            (Invalid, {"name": "a", "label_attribute_name": "source-ref"}),
            (Invalid, {"name": "a", "job": job}),
            (NameTaken, {"name": dataset.name}),
            (Invalid, {"purpose": "golds"}),
            (Invalid, {"purpose": "golds", "job": job, "images": dataset}),
            (Forbidden, {"name": "a", "uri": stored(builders.an_account(), b"x")}),
            (WrongState, {"name": "a", "images": builders.a_dataset(account=account, made=False)}),
        ):
            with pytest.raises(error):
                creating.create_import(account=account, by="user:1", **{"uri": uri, **options})
        assert not LabelImport.objects.exists()


def test_a_box_keeps_its_confidence(account):
    row = of_zip(account, {"i.json": coco({**BEE, "score": 0.25}), **images_of("a.jpg")})
    assert label_files.read_boxes(lines_of(row.dataset)["a.jpg"], "labels").boxes == (Box("bee", 10, 10, 20, 20, 0.25),)
