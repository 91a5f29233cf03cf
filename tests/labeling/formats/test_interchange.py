"""COCO, VOC and YOLO: exports can be imported again, in constant memory."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.formats.augmented import box_line
from labeling.formats.augmented_reading import read_boxes
from labeling.formats.interchange.coco import write_coco
from labeling.formats.interchange.coco_reading import read_coco
from labeling.formats.interchange.items import BadItem, LabeledImage, from_manifest, to_manifest
from labeling.formats.interchange.member_names import safe_name
from labeling.formats.interchange.voc import read_voc, write_voc
from labeling.formats.interchange.yolo import YoloArchive, write_yolo
from labeling.formats.label_context import LabelContext
from labeling.formats.manifest import parse
from labeling.formats.shapes import Box, ImageSize

SIZE = ImageSize(640, 480)
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "a\nb\r\n\tc",
    "'\"&amp;]]>",
    "日本 🐝\u2028\u0085",
    "{{ x }}",
    "- yes",
    "null",
    "1",
]
SHARED = Path(__file__).resolve().parents[4] / "shared" / "datasets"

names = st.sampled_from(HOSTILE)
rectangles = st.tuples(st.integers(0, 6300), st.integers(0, 4700), st.integers(1, 6400), st.integers(1, 4800))


@st.composite
def image_lists(draw: st.DrawFn) -> list[LabeledImage]:
    images = []
    for n in range(draw(st.integers(0, 4))):
        boxes = tuple(
            Box(draw(names), x / 10, y / 10, min(w, 6400 - x) / 10, min(h, 4800 - y) / 10)
            for x, y, w, h in draw(st.lists(rectangles, max_size=3))
        )
        key = draw(
            st.sampled_from(["a.jpg", "dir/a.png", "../../etc/passwd", "labels/x.jpg", "ä ö.jpg", "a.b/c", "con"])
        )
        images.append(LabeledImage(f"s3://bucket/{n}/{key}", SIZE, boxes))
    return images


def same(found: list, expected: list[LabeledImage], tolerance: float) -> None:
    assert [image.source for image in found] == [image.source for image in expected]
    for back, image in zip(found, expected, strict=True):
        assert back.image_size == image.image_size
        assert [box.label for box in back.boxes] == [box.label for box in image.boxes]
        for a, b in zip(back.boxes, image.boxes, strict=True):
            assert a.corners == pytest.approx(b.corners, abs=tolerance)


@given(image_lists())
def test_coco_round_trips(images):
    out = io.BytesIO()
    assert write_coco(images, out, labels=HOSTILE, info={"description": "x"}) == len(images)
    document = json.loads(out.getvalue())
    assert [c["name"] for c in document["categories"]] == HOSTILE and document["categories"][0]["id"] == 1
    assert [image["coco_url"] for image in document["images"]] == [image.source for image in images]
    found = list(read_coco(out.getvalue()).items())
    assert [image.source for image in found] == [safe_name(image.source) for image in images]
    same([LabeledImage(i.source, f.image_size, f.boxes) for i, f in zip(images, found, strict=True)], images, 0)


@given(image_lists())
def test_voc_round_trips(images):
    out = io.BytesIO()
    assert write_voc(images, out, labels=HOSTILE) == len(images)
    same(list(read_voc(out)), images, 1e-9)


@given(image_lists())
def test_yolo_round_trips(images):
    out = io.BytesIO()
    assert write_yolo(images, out, labels=HOSTILE) == len(images)
    archive = YoloArchive(out)
    assert archive.labels == tuple(HOSTILE)
    same(list(archive.items()), images, 1e-9)


def test_coco_keeps_confidences():
    out = io.BytesIO()
    write_coco([LabeledImage("s3://b/a.jpg", SIZE, (Box("a", 1, 2, 3, 4, 0.25),))], out, labels=["a"])
    record = json.loads(out.getvalue())["annotations"][0]
    assert record == {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [1, 2, 3, 4],
        "area": 12,
        "iscrowd": 0,
        "segmentation": [],
        "score": 0.25,
    }
    assert next(read_coco(out.getvalue()).items()).boxes[0].confidence == 0.25


@pytest.mark.parametrize("write", [write_coco, write_voc, write_yolo])
def test_an_unknown_class_is_refused_by_name(write):
    image = LabeledImage("s3://b/a.jpg", SIZE, (Box("cow", 1, 2, 3, 4),))
    with pytest.raises(ValueError, match="s3://b/a.jpg: 'cow' is not one of the labels"):
        write([image], io.BytesIO(), labels=["dog"])
    with pytest.raises(ValueError, match="labels must be unique"):
        write([], io.BytesIO(), labels=["dog", "dog"])


# --- manifests -----------------------------------------------------------------------------------------------------


def test_to_and_from_manifest():
    images = [LabeledImage("a.jpg", SIZE, (Box("dog", 1, 2, 3, 4),)), BadItem("x", "y"), LabeledImage("lost", SIZE)]
    resolve = {"a.jpg": "s3://b/a.jpg"}.get
    line, bad, lost = to_manifest(images, "boxes", labels=["dog"], job_name="import", resolve=resolve)
    assert bad == BadItem("x", "y") and str(lost) == "lost: there is no such image"
    record = json.loads(line)
    assert record["source-ref"] == "s3://b/a.jpg" and read_boxes(record, "boxes").boxes[0].label == "dog"
    more = [
        line,
        b'{"source-ref":"s3://b/x.jpg"}',
        b'{"source-ref":"s3://b/x.jpg","boxes-metadata":{"failure-reason":"x"}}',
        b'{"source-ref":"s3://b/x.jpg","boxes":5}',
        b'{"source-ref":"s3://b/x.jpg","boxes":{"annotations":[]}}',
        b'{"source":"x","boxes":{"annotations":[]}}',
        b"broken",
    ]
    found = list(from_manifest(parse(more), "boxes"))
    assert found[0] == LabeledImage("s3://b/a.jpg", SIZE, (Box("dog", 1, 2, 3, 4, 0.0),))
    assert [item.where for item in found[1:]] == ["line 4", "line 5", "line 6", "line 7"]
    assert found[2].reason == "'boxes' has no image_size" and found[3].reason == "'source-ref' is missing"
    (unknown,) = to_manifest(images[:1], "boxes", labels=["cat"], job_name="import", resolve=resolve)
    assert str(unknown) == "a.jpg: box 0: 'dog' is not one of the labels"


def test_exporting_to_coco_needs_constant_memory(tmp_path):
    boxes = [Box("a", 1.5, 2, 30, 40, 0.5), Box("b", 1.5, 2.25, 30, 40, 0.5), Box("a", 100, 200, 30, 40, 0.5)]
    about = LabelContext(image_size=SIZE, labels=["a", "b"], job_name="j", created="x")

    def lines(count: int):
        return (box_line(b'{"source-ref":"s3://b/%d.jpg"}' % n, "boxes", boxes, about) for n in range(count))

    peaks = []
    for count in (300, 3000):
        with (tmp_path / "coco.json").open("wb") as out:
            tracemalloc.start()
            assert write_coco(from_manifest(parse(lines(count)), "boxes"), out, labels=["a", "b"]) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    # the annotations wait in memory only up to the spool's eight megabytes
    assert peaks[1] - peaks[0] < 4_000_000


@pytest.mark.datasets
@pytest.mark.parametrize("name", ["bccd", "cards", "raccoon"])
def test_real_data_sets_round_trip_through_every_format(name):
    path = SHARED / name / "annotations.coco.json"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    real = read_coco(path.read_bytes())
    images = [item for item in real.items() if isinstance(item, LabeledImage)]
    problems = [item for item in real.items() if isinstance(item, BadItem)]
    truth = json.loads(path.read_bytes())
    assert len(images) == len(truth["images"])
    assert sum(len(image.boxes) for image in images) + len(problems) == len(truth["annotations"])
    assert len(problems) <= 0.01 * len(truth["annotations"]), problems[:5]
    labels = real.labels
    manifest = list(to_manifest(images, "boxes", labels=labels, job_name="import", resolve=lambda n: f"s3://b/{n}"))
    out = list(from_manifest(parse(manifest), "boxes"))
    expected = [LabeledImage(f"s3://b/{image.source}", image.image_size, image.boxes) for image in images]
    same(out, expected, 0)
    for write, read, tolerance in (
        (write_coco, lambda f: list(read_coco(f.getvalue()).items()), 0),
        (write_voc, lambda f: list(read_voc(f)), 1e-9),
        (write_yolo, lambda f: list(YoloArchive(f).items()), 1e-9),
    ):
        file = io.BytesIO()
        write(out, file, labels=labels)
        back = read(file)
        wanted = [LabeledImage(b.source, e.image_size, e.boxes) for b, e in zip(back, expected, strict=True)]
        same(back, wanted, tolerance)
