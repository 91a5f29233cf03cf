"""Manifests as other programs write them: chained labels are checked and kept, files that are no manifest are named."""

import bz2
import json
import lzma
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


# --- other inputs of the same kinds ---------------------------------------------------------------------------------


def chained(name: str, *, size=(120, 80), box=(5, 5, 20, 20), label="bee", **more) -> dict:
    """The line of a labeled picture in s3://field/m/."""
    left, top, width, height = box
    annotation = {"class_id": 0, "left": left, "top": top, "width": width, "height": height}
    sizes = [] if size is None else [{"width": size[0], "height": size[1], "depth": 3}]
    about = {"class-map": {"0": label}, "objects": [{"confidence": 0.9}], "human-annotated": "yes"}
    line = {"source-ref": f"s3://field/m/{name}", "boxes": {"image_size": sizes, "annotations": [annotation]}}
    return line | {"boxes-metadata": about | more}


def lines_of(*lines: dict | str) -> bytes:
    return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode() + b"\n"


@pytest.mark.parametrize("attribute", ["cats.v2", "my__labels", "a-_.b", "2024_01.boxes"])
def test_attributes_of_other_programs_are_continued(requester: Requester, field: str, attribute: str) -> None:
    put_pictures(f"{field}/m/0.jpg", f"{field}/m/1.jpg")
    first = chained("0.jpg")
    first = {"source-ref": first["source-ref"], attribute: first["boxes"], f"{attribute}-metadata": {}}
    first[f"{attribute}-metadata"] = {"class-map": {"0": "bee"}}
    content = lines_of(first, {"source-ref": f"{field}/m/1.jpg"})
    job = requester.job(requester.manifest(content), labels=["bee"], label_attribute_name=attribute)
    requester.box_everything(job)
    before, after = content.splitlines(), requester.output(job)
    assert after[0] == before[0] and json.loads(after[1])[attribute]["annotations"][0]["left"] == 50


def test_sizes_and_boxes_are_checked_against_the_measured_image_and_reported_by_line(
    requester: Requester, field: str
) -> None:
    names = ["whole", "size", "over", "outside", "nothing", "negative", "swapped"]
    put_pictures(*(f"{field}/m/{name}.jpg" for name in names))
    content = lines_of(
        chained("whole.jpg"),
        chained("size.jpg", size=(60, 40)),
        chained("over.jpg", box=(100, 70, 40, 40)),
        chained("outside.jpg", box=(500, 500, 20, 20)),
        chained("nothing.jpg", box=(5, 5, 0, 20)),
        chained("negative.jpg", size=(-120, -80)),
        chained("swapped.jpg", size=(80, 120)),
    )
    job = requester.job(requester.manifest(content), **_chained("Completed"), labels=["bee"])
    assert requester.output(job) == content.splitlines(), "byte for byte, whatever is in the labels"
    for kind in ("coco", "voc", "yolo"):
        told = {int(item["object"]): item for item in requester.export(job, kind).left_out}
        assert sorted(told) == [1, 2, 3, 4, 6] and all(item["used"] for item in told.values())
        assert "the label says 60 x 40 pixels, the image has 120 x 80" in told[1]["reason"]
        assert "it was clipped" in told[2]["reason"]
        assert "lies outside the image" in told[3]["reason"] and "has no area" in told[4]["reason"]
    document = requester.export(job, "coco").coco
    assert {(image["width"], image["height"]) for image in document["images"]} == {(120, 80)}
    boxes = {box["image_id"]: box["bbox"] for box in document["annotations"]}
    assert sorted(boxes) == [1, 2, 3, 6, 7] and boxes[3] == [100, 70, 20, 10]


@pytest.mark.parametrize("label", [" bee", "bee\t", "bee\r\n", "\n bee "])
def test_class_names_are_stripped_on_both_sides(requester: Requester, field: str, label: str) -> None:
    put_pictures(f"{field}/m/0.jpg")
    content = lines_of(chained("0.jpg", label=label))
    job = requester.job(requester.manifest(content), **_chained("Completed"), labels=[" bee "])
    assert job.labels == ["bee"] and requester.output(job) == content.splitlines()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"size": (0, 10**9)}, ""),
        ({"size": (70_000, 80)}, "image_size is 70000 x 80"),
        ({"box": (1e308, 5, 20, 20)}, "left"),
        ({"box": ("a", 5, 20, 20)}, "left"),
        ({"label": "wasp"}, "a class the job does not have: wasp"),
        ({"objects": "none"}, ""),
        ({"class-map": None}, "a class the job does not have: 0"),
    ],
)
def test_a_label_that_is_no_label_is_reported_by_line_and_the_rest_goes_on(
    requester: Requester, field: str, changes: dict, reason: str
) -> None:
    put_pictures(f"{field}/m/0.jpg", f"{field}/m/1.jpg")
    content = lines_of(chained("0.jpg", **changes), chained("1.jpg"))
    job = requester.job(requester.manifest(content), **_chained("Completed"), labels=["bee"])
    refused = requester.refused_by(job)
    assert [(line.number, reason in line.reason) for line in refused] == ([(1, True)] if reason else [])
    assert states(job) == ["HumanLabeled"] * (1 if reason else 2)


def test_empty_and_failed_labels_are_told_apart_from_none(requester: Requester, field: str) -> None:
    put_pictures(*(f"{field}/m/{number}.jpg" for number in range(4)))
    empty = chained("0.jpg")
    empty["boxes"]["annotations"] = []
    failed = {"source-ref": f"{field}/m/2.jpg", "boxes-metadata": {"failure-reason": "expired", "retry-count": 1}}
    content = lines_of(empty, {"source-ref": f"{field}/m/1.jpg", "boxes": None}, failed, chained("3.jpg"))
    job = requester.job(requester.manifest(content), **BOXES)
    assert states(job) == ["HumanLabeled", "PendingHuman", "PendingHuman", "HumanLabeled"]


@pytest.mark.parametrize("count", [400, 1000])
def test_what_we_write_of_a_dense_image_we_read(requester: Requester, field: str, count: int) -> None:
    put_pictures(f"{field}/m/shelf.jpg", size=(1200, 900))
    made = requester.manifest(lines_of({"source-ref": f"{field}/m/shelf.jpg"}))
    job = requester.job(made, labels=["bottle of something with a long name"], label_attribute_name="boxes")
    boxes = [
        {"left": n % 50 * 24, "top": n // 50 * 40, "width": 20, "height": 30, "label": job.labels[0]}
        for n in range(count)
    ]
    size = {"width": 1200, "height": 900}
    job = requester.box_everything(job, {"boundingBox": {"boundingBoxes": boxes, "inputImageProperties": size}})
    assert job.status == "Completed"
    written = requester.output(job)
    again = requester.job(requester.manifest(b"\n".join(written)), labels=job.labels, **_chained("Completed"))
    assert requester.output(again) == written
    assert len(requester.export(again, "coco").coco["annotations"]) == count


PICTURES = b'{"source-ref": "s3://field/m/0.jpg"}\n{"source-ref": "s3://field/m/1.jpg"}\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bz2.compress(PICTURES), "the file is compressed (bzip2): unpack it first"),
        (lzma.compress(PICTURES), "the file is compressed (xz): unpack it first"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(40), "the file is compressed (7-Zip): unpack it first"),
        (PICTURES.decode().encode("utf-16"), "it looks like UTF-16): save it as UTF-8"),
        (PICTURES.decode().encode("utf-16-le"), "it looks like UTF-16): save it as UTF-8"),
        ('{"source-ref": "s3://field/ä.png"}'.encode("latin-1"), "save the file as UTF-8"),
        (b'[{"source-ref": "s3://field/m/0.jpg"}]', "for a list `jq -c '.[]'`"),
        (b'[{"source-ref": "s3://field/m/0.jpg"},\n{"source-ref": "s3://field/m/1.jpg"}]', "the file is one JSON list"),
        (PICTURES.replace(b"\n", b",\n"), "no commas between its lines"),
        (PICTURES.replace(b"\n", b" "), "one whole JSON object on each line"),
        (PICTURES.replace(b"\n", b"\r"), "save them with LF or CRLF"),
        (PICTURES.replace(b'"', b"'"), "JSON has double quotes"),
        (b'{"source-ref": "s3://field/m/0.jpg", "score": NaN}\n', "write null instead"),
        (b"source-ref\ns3://field/m/0.jpg\n", 'such as {"source-ref": "s3://bucket/1.jpg"}'),
        (b'{"sourceRef": "s3://field/m/0.jpg"}\n', "(found 'sourceRef')"),
        (b'{"images": [], "annotations": [], "categories": []}', "is a COCO document of labels"),
        (b"<!DOCTYPE html>\n<html></html>", "the file is an HTML page"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\n\n", "the file is a JPEG image"),
    ],
)
def test_a_file_that_is_no_manifest_is_named_with_the_way_out(requester: Requester, content: bytes, said: str) -> None:
    made = requester.manifest(content, name="list of pictures.jsonl", status="Failed")
    reason = made.row["failure_reason"]
    assert said in reason
    assert reason.startswith("list of pictures.jsonl: ") and "accounts" not in reason


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + PICTURES,
        PICTURES.replace(b"\n", b"\r\n"),
        PICTURES.rstrip(),
        b"\n\n" + PICTURES.replace(b"\n", b"\n\n"),
        PICTURES.replace(b"/", b"\\/"),
        PICTURES.replace(b"0.jpg", b"\\u0030.jpg"),
        b"  " + PICTURES.replace(b": ", b"\t:\t"),
    ],
)
def test_spellings_of_a_manifest_are_read(requester: Requester, field: str, content: bytes) -> None:
    made = requester.manifest(content)
    assert ([line["source-ref"] for line in made.lines], made.refused) == (
        [f"{field}/m/0.jpg", f"{field}/m/1.jpg"],
        [],
    )
