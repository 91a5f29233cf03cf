"""COCO, VOC and YOLO: what goes out comes back, hostile names and files do no harm, memory stays flat."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.formats.augmented import box_line
from labeling.formats.augmented_reading import read_boxes
from labeling.formats.interchange.coco import read_coco, write_coco
from labeling.formats.interchange.items import BadItem, LabeledImage, from_manifest, to_manifest
from labeling.formats.interchange.member_names import Names, safe_name
from labeling.formats.interchange.voc import read_voc, write_voc
from labeling.formats.interchange.yolo import YoloArchive, write_yolo
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


def test_confidences_travel_with_coco():
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


# --- member names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("s3://bucket/images/a b-1_(2).jpg", "images/a b-1_(2).jpg"),
        ("file:///data/a.jpg", "data/a.jpg"),
        ("train/ä.jpg", "train/ä.jpg"),
    ],
)
def test_harmless_keys_keep_their_names(source, expected):
    assert safe_name(source) == expected


WILD = [
    "s3://b/../../etc/passwd",
    "s3://b//etc/passwd",
    "/etc/passwd",
    "s3://b/a/../../x",
    "..\\..\\x.jpg",
    "C:\\windows\\x",
    "s3://b/con.jpg",
    "s3://b/nul",
    "s3://b/.htaccess",
    "s3://b/-rf",
    "s3://b/a\x00b\n.jpg",
    "s3://b/" + "x" * 300 + ".jpg",
    "s3://b/" + "d/" * 300 + "x.jpg",
    "s3://b/",
    "s3://b/...",
    "s3://b/x. ",
    "s3://b/a:b*?.jpg",
    "",
    "s3://b/" + "🐝" * 100,
]


def harmless(name: str) -> None:
    assert name and not name.startswith(("/", "-")) and "\\" not in name and ":" not in name
    assert all(ord(sign) >= 32 and sign != "\x7f" for sign in name)
    for part in name.split("/"):
        assert part and part.strip(". ") and not part.startswith(".") and len(part.encode()) <= 110
        assert part.split(".")[0].lower() not in ("con", "nul", "prn", "aux", "com1")


@pytest.mark.parametrize("source", WILD)
def test_wild_keys_get_harmless_names(source):
    harmless(safe_name(source))
    harmless(Names().take(source, suffix=".txt"))
    assert safe_name(source) == safe_name(source)


@given(st.text(max_size=60), st.sampled_from(["", "s3://b/", "file:///"]))
def test_any_key_gets_a_harmless_name(key, scheme):
    harmless(safe_name(scheme + key))
    for name in Names().take_pair(scheme + key):
        harmless(name)


@given(
    st.lists(
        st.sampled_from(["s3://b/a.jpg", "s3://b/a.png", "s3://c/a.jpg", "s3://b/A.JPG", "s3://b/a", *WILD]),
        max_size=12,
    )
)
def test_names_are_unique_even_without_case_and_the_same_every_time(sources):
    given_out = [Names().take(source) for source in sources[:1]]
    first, second = Names(), Names()
    stems = [first.take_pair(source)[0] for source in sources]
    assert len({stem.casefold() for stem in stems}) == len(sources)
    assert stems == [second.take_pair(source)[0] for source in sources]
    assert given_out == [Names().take(source) for source in sources[:1]]


@pytest.mark.parametrize("write", [write_voc, write_yolo])
def test_no_archive_member_climbs_out(write, tmp_path):
    out = io.BytesIO()
    asked: list[str] = []

    def image_bytes(source: str) -> bytes:
        asked.append(source)
        return source.encode()

    images = [LabeledImage(source, SIZE, (Box("a", 0, 0, 1, 1),)) for source in [*WILD, *WILD]]
    write(images, out, labels=["a"], image_bytes=image_bytes)
    assert asked == [*WILD, *WILD]  # only what the objects name is ever read
    with zipfile.ZipFile(out) as archive:
        members = archive.namelist()
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    assert len({name.casefold() for name in members}) == len(members)
    for name in members:
        harmless(name)
        assert (tmp_path / name).resolve().is_relative_to(tmp_path)
    index = [json.loads(line) for line in zipfile.ZipFile(out).read("images.jsonl").splitlines()]
    assert [entry["source-ref"] for entry in index] == [*WILD, *WILD]
    assert all((tmp_path / entry["file"]).read_bytes() == entry["source-ref"].encode() for entry in index)


@pytest.mark.parametrize("write", [write_voc, write_yolo])
def test_archives_stream_into_anything_and_are_the_same_every_time(write):
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.parts.append(bytes(data))
            return len(self.parts[-1])

    images = [LabeledImage(f"s3://b/{n}.jpg", SIZE, (Box("a", 0, 0, 1, 1),)) for n in range(50)]
    pipes = [Pipe(), Pipe()]
    for pipe in pipes:
        write(iter(images), pipe, labels=["a"])
    first, second = (b"".join(pipe.parts) for pipe in pipes)
    assert first == second
    assert zipfile.ZipFile(io.BytesIO(first)).testzip() is None


# --- reading what others wrote -------------------------------------------------------------------------------------


def coco(**members: object) -> dict:
    base = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50}],
        "categories": [{"id": 7, "name": "dog"}],
        "annotations": [],
    }
    return base | members


def coco_problems(**members: object) -> list[str]:
    return [str(i) for i in read_coco(json.dumps(coco(**members)).encode()).items() if isinstance(i, BadItem)]


def annotation(**changes: object) -> dict:
    return {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]} | changes


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"annotations": [annotation(image_id=9)]}, "annotations[0]: there is no usable image with id 9"),
        ({"annotations": [annotation(category_id=9)]}, "annotations[0] (a.jpg): there is no category with id 9"),
        ({"annotations": [annotation(bbox=[1, 2, 3])]}, "annotations[0] (a.jpg): bbox must be four finite numbers"),
        ({"annotations": [annotation(bbox=[1, 2, True, 4])]}, "annotations[0] (a.jpg): bbox must be four"),
        ({"annotations": [annotation(bbox=[1, 2, 0, 4])]}, "annotations[0] (a.jpg): the box has no area (0 x 4)"),
        ({"annotations": [annotation(bbox=[1, 2, -3, 4])]}, "annotations[0] (a.jpg): the box has no area"),
        (
            {"annotations": [annotation(bbox=[90, 2, 30, 4])]},
            "annotations[0] (a.jpg): the box (90, 2) to (120, 6) lies outside the image (100 x 50)",
        ),
        ({"annotations": [5]}, "annotations[0]: image_id is missing"),
        ({"annotations": [annotation(image_id=[1])]}, "annotations[0]: image_id is missing"),
        ({"categories": [{"id": 7}]}, "categories[0]: name is missing"),
        ({"categories": [{"name": "x"}]}, "categories[0]: id is missing"),
        ({"categories": [{"id": 7, "name": "x"}] * 2}, "categories[1]: id 7 appears twice"),
        ({"images": [{"id": 1}]}, "images[0]: file_name is missing"),
        ({"images": [{"file_name": "x"}]}, "images[0]: id is missing"),
        (
            {"images": [{"id": 1, "file_name": "x", "width": "5", "height": 0}]},
            "images[0]: width and height must be positive whole numbers, found '5' x 0",
        ),
        ({"images": coco()["images"] * 2}, "images[1]: id 1 appears twice"),
    ],
)
def test_bad_coco_items_are_listed(members, problem):
    assert any(found.startswith(problem) for found in coco_problems(**members)), coco_problems(**members)


def test_good_coco_items_survive_bad_neighbours():
    document = coco(annotations=[annotation(bbox=[0]), annotation(bbox=[-0.5, 0, 100.9, 50])])
    image, problem = read_coco(json.dumps(document).encode()).items()
    assert image.boxes == (Box("dog", 0, 0, 100, 50),) and isinstance(problem, BadItem)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"x", r"the COCO file is not valid JSON \(line 1, column 1\)"),
        (b"[]", "this is not a COCO file: the list 'images' is missing"),
        (b'{"images":{}}', "this is not a COCO file"),
    ],
)
def test_files_that_are_not_coco(raw, message):
    with pytest.raises(ValueError, match=message):
        read_coco(raw)
    with pytest.raises(ValueError, match="more than 3 bytes"):
        read_coco(io.BytesIO(b"{    }"), max_bytes=3)


def zipped(**members: bytes | str) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out


VOC = (
    "<annotation><filename>a.jpg</filename><size><width>100</width><height>50</height><depth>3</depth></size>"
    "<object><name>dog</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>11.5</xmax><ymax>22</ymax></bndbox></object>"
    "</annotation>"
)


def test_voc_of_others():
    found = list(read_voc(zipped(**{"set/Annotations/a.xml": VOC, "__MACOSX/x.xml": "", "b.jpg": "", "ü.XML": VOC})))
    image = LabeledImage("a.jpg", ImageSize(100, 50), (Box("dog", 1, 2, 10.5, 20),))
    assert found == [image, image]


@pytest.mark.parametrize(
    ("xml", "problem"),
    [
        ("<annotation>", "a.xml: is not valid XML"),
        ("<root/>", "a.xml: is not a VOC file: the root is <root>, expected <annotation>"),
        (
            '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + VOC,
            "a.xml: declares a document type, which annotation files never need",
        ),
        (VOC.encode("utf-16"), "a.xml: is not UTF-8 text"),
        (VOC.replace("<width>100</width>", ""), "a.xml: size/width is missing"),
        (VOC.replace(">100<", ">0<"), "a.xml: size/width must be a positive whole number"),
        (VOC.replace("<name>dog</name>", ""), "a.xml object 1: name is missing"),
        (VOC.replace(">11.5<", ">x<"), "a.xml object 1: bndbox/xmax must be a number, found 'x'"),
        (VOC.replace(">11.5<", ">inf<"), "a.xml object 1: bndbox/xmax must be a finite number"),
        (VOC.replace(">11.5<", ">1<"), "a.xml object 1: the box has no area"),
        (VOC.replace(">11.5<", ">200<"), "a.xml object 1: the box (1, 2) to (200, 22) lies outside the image"),
        ("<annotation>" + "x" * 5_000_001 + "</annotation>", "a.xml: has more than 5,000,000 bytes"),
    ],
)
def test_bad_voc_files_are_listed(xml, problem):
    found = [str(item) for item in read_voc(zipped(**{"a.xml": xml, "b.xml": VOC})) if isinstance(item, BadItem)]
    assert len(found) == 1 and found[0].startswith(problem), found


def test_voc_cannot_carry_control_characters():
    with pytest.raises(ValueError, match=r"holds the character U\+0001, which XML cannot carry"):
        write_voc([LabeledImage("a", SIZE, (Box("a\x01", 0, 0, 1, 1),))], io.BytesIO(), labels=["a\x01"])


def yolo(lines: str, **more: str) -> YoloArchive:
    members = {"labels/train/a.txt": lines, "data.yaml": "names: [dog, cat]\nnc: 2\n"} | more
    return YoloArchive(zipped(**members), find_image=lambda stem: (f"{stem}.jpg", ImageSize(100, 50)))


def test_yolo_of_others():
    image = next(yolo("1 0.5 0.5 0.2 0.4\n\n0 0.1 0.2 0.1 0.1 0.75\n").items())
    assert image.source == "train/a.jpg"
    assert [box.label for box in image.boxes] == ["cat", "dog"]
    assert image.boxes[0].corners == pytest.approx((40, 15, 60, 35)) and image.boxes[1].confidence == 0.75


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("0 0.5 0.5 0.2", "labels/train/a.txt line 1: expected 'class cx cy width height', found 4 values"),
        ("x 0.5 0.5 0.2 0.2", "labels/train/a.txt line 1: expected 'class cx cy width height', found 'x 0.5"),
        ("2 0.5 0.5 0.2 0.2", "labels/train/a.txt line 1: class 2 has no name (there are 2)"),
        ("-1 0.5 0.5 0.2 0.2", "labels/train/a.txt line 1: class -1 has no name"),
        ("0 nan 0.5 0.2 0.2", "labels/train/a.txt line 1: values must be finite numbers"),
        ("0 0.5 0.5 0 0.2", "labels/train/a.txt line 1: the box has no area"),
        ("0 5 5 0.2 0.2", "labels/train/a.txt line 1: the box (490, 245) to (510, 255) lies outside the image"),
    ],
)
def test_bad_yolo_lines_are_listed(line, problem):
    problem_found, image = yolo(f"{line}\n0 0.5 0.5 0.1 0.1\n").items()
    assert str(problem_found).startswith(problem) and len(image.boxes) == 1


def test_yolo_names_come_in_several_forms():
    for text in (
        "names:\n  0: dog\n  1: cat\n",
        "names:\n- dog\n- cat\n",
        "names: {1: cat, 0: dog}",
        'names: ["dog", cat]',
    ):
        assert yolo("", **{"data.yaml": text}).labels == ("dog", "cat")
    assert YoloArchive(zipped(**{"classes.txt": "dog\ncat\n"})).labels == ("dog", "cat")
    for text, message in (
        ("names: {0: a, 2: b}", "must list the classes from 0 on"),
        ("names: [[1]]", "must list the classes from 0 on"),
        ("!!python/object/apply:os.system ['x']", "is not valid YAML"),
        (":\n:", "'names' must list|is not valid YAML"),
    ):
        with pytest.raises(ValueError, match=message):
            yolo("", **{"data.yaml": text})
    with pytest.raises(ValueError, match="the class names are missing"):
        YoloArchive(zipped(x=""))


def test_yolo_label_files_without_an_image_are_listed():
    archive = YoloArchive(zipped(**{"data.yaml": "names: [a]", "labels/x.txt": "", "train.txt": "images/x.jpg"}))
    assert [str(item) for item in archive.items()] == ["labels/x.txt: there is no image for it"]


@pytest.mark.parametrize("open_it", [lambda f: list(read_voc(f)), YoloArchive])
def test_things_that_are_not_zips(open_it):
    for raw in (b"", b"PK\x03\x04", b"nothing"):
        with pytest.raises(ValueError, match="not a readable zip file"):
            open_it(io.BytesIO(raw))


def test_a_zip_bomb_costs_nothing():
    bomb = zipped(**{"a.xml": b"\0" * 200_000_000})
    tracemalloc.start()
    (found,) = read_voc(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(found) == "a.xml: has more than 5,000,000 bytes" and peak < 30_000_000


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


def test_memory_is_flat_from_manifest_to_coco(tmp_path):
    boxes = [Box("a", 1.5, 2, 30, 40, 0.5), Box("b", 1.5, 2.25, 30, 40, 0.5), Box("a", 100, 200, 30, 40, 0.5)]
    options = {"image_size": SIZE, "labels": ["a", "b"], "human_annotated": True, "job_name": "j", "created": "x"}

    def lines(count: int):
        return (box_line(b'{"source-ref":"s3://b/%d.jpg"}' % n, "boxes", boxes, **options) for n in range(count))

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
def test_real_sets_round_trip_through_everything(name):
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
