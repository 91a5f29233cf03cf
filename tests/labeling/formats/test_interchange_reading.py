"""COCO, VOC and YOLO files of other tools: invalid items are listed with their reasons, valid ones are read."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile

import pytest

from labeling.formats.interchange.coco_reading import read_coco
from labeling.formats.interchange.items import BadItem, LabeledImage
from labeling.formats.interchange.voc import read_voc, write_voc
from labeling.formats.interchange.yolo import YoloArchive
from labeling.formats.shapes import Box, ImageSize

SIZE = ImageSize(640, 480)


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


def test_valid_coco_items_are_read_beside_invalid_ones():
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


@pytest.mark.parametrize("bbox", [[90, 2, 30, 4], [-5, 2, 30, 4], [-5, -5, 500, 500]])
def test_a_box_that_reaches_out_of_its_image_is_clipped_and_reported(bbox):
    image, report = read_coco(json.dumps(coco(annotations=[annotation(bbox=bbox)])).encode()).items()
    x1, y1, x2, y2 = image.boxes[0].corners
    assert 0 <= x1 < x2 <= 100 and 0 <= y1 < y2 <= 50
    assert report.used and "lies outside the image (100 x 50): it was clipped" in report.reason


def test_a_region_of_a_crowd_is_reported_and_no_box():
    rle = {"counts": [1, 2, 3], "size": [50, 100]}
    crowd = [annotation(), annotation(iscrowd=1, bbox=[0, 0, 100, 50], segmentation=rle)]
    image, report = read_coco(json.dumps(coco(annotations=crowd)).encode()).items()
    assert len(image.boxes) == 1 and not report.used
    assert "annotations[1] (a.jpg): is a region of many objects (iscrowd 1)" in str(report)


@pytest.mark.parametrize("size", [{}, {"width": 0, "height": 0}, {"width": None, "height": "x"}, {"width": -1.5}])
def test_the_size_comes_from_the_image_when_the_coco_file_has_none(size):
    raw = json.dumps(coco(images=[{"id": 1, "file_name": "a.jpg"} | size], annotations=[annotation()])).encode()
    assert any("width and height must be positive" in str(item) for item in read_coco(raw).items())
    (image,) = read_coco(raw, find_size={"a.jpg": ImageSize(100, 50)}.get).items()
    assert image == LabeledImage("a.jpg", ImageSize(100, 50), (Box("dog", 1, 2, 3, 4),))


@pytest.mark.parametrize("one", [1, 1.0, "1"])
@pytest.mark.parametrize("other", [1, 1.0, "1"])
def test_ids_and_sizes_may_be_numbers_of_any_kind(one, other):
    images = [{"id": one, "file_name": "a.jpg", "width": 100.0, "height": 50.0}]
    categories = [{"id": other, "name": " dog\n"}]
    found = annotation(image_id=other, category_id=one)
    (image,) = read_coco(json.dumps(coco(images=images, categories=categories, annotations=[found])).encode()).items()
    assert image == LabeledImage("a.jpg", ImageSize(100, 50), (Box("dog", 1, 2, 3, 4),))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_have_spoils_its_annotation_only(number):
    raw = json.dumps(coco(annotations=[annotation(area="?"), annotation(bbox=[1, 2, "?", 4])])).replace('"?"', number)
    image, problem = read_coco(raw.encode()).items()
    assert len(image.boxes) == 1 and "bbox must be four finite numbers" in problem.reason


@pytest.mark.parametrize(
    "polygons", [[[1, 2, 4, 2, 4, 6]], [1, 2, 4, 2, 4, 6], [[1, 2, 2, 2, 2, 3], [3, 5, 4, 6, 4, 5]]]
)
@pytest.mark.parametrize("bbox", [{}, {"bbox": None}, {"bbox": []}])
def test_a_polygon_without_a_box_is_read_as_its_box(polygons, bbox):
    found = {"id": 1, "image_id": 1, "category_id": 7, "segmentation": polygons} | bbox
    (image,) = read_coco(json.dumps(coco(annotations=[found])).encode()).items()
    assert image.boxes == (Box("dog", 1, 2, 3, 4),)


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


def test_voc_files_of_other_tools():
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
        (VOC.encode("utf-16") + b"x", "a.xml: is not UTF-16 text, as its byte order mark says"),
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


def test_the_size_comes_from_the_image_when_the_voc_file_has_none():
    for xml in (VOC.replace(">100<", ">0<"), VOC.replace("<width>100</width>", "")):
        (image,) = read_voc(zipped(**{"a.xml": xml}), find_size={"a.jpg": ImageSize(100, 50)}.get)
        assert image == LabeledImage("a.jpg", ImageSize(100, 50), (Box("dog", 1, 2, 10.5, 20),))
        assert isinstance(next(iter(read_voc(zipped(**{"a.xml": xml}), find_size=lambda name: None))), BadItem)


def test_voc_files_as_tools_write_them():
    part = "<part><name>head</name><bndbox><xmin>3</xmin><ymin>3</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></part>"
    for xml in (
        VOC.replace(">dog<", ">\n\t  dog \r\n<"),
        VOC.replace("</object>", part + "</object>"),
        VOC.replace(">1<", ">?<").replace(">11.5<", ">1<").replace(">?<", ">11.5<"),
        VOC.replace(">2<", ">?<").replace(">22<", ">2<").replace(">?<", ">22<"),
    ):
        (image,) = read_voc(zipped(**{"a.xml": xml}))
        assert image.boxes == (Box("dog", 1, 2, 10.5, 20),)
    report, image = read_voc(zipped(**{"a.xml": VOC.replace(">11.5<", ">105<")}))
    assert image.boxes == (Box("dog", 1, 2, 99, 20),) and report.used and "it was clipped" in report.reason


@pytest.mark.parametrize(("encoding", "word"), [("gb2312", "狗"), ("ISO-8859-1", "Bär"), ("windows-1252", "Bär")])
def test_voc_files_are_read_in_the_encoding_they_declare(encoding, word):
    declared = f'<?xml version="1.0" encoding="{encoding}"?>' + VOC.replace(">dog<", f">{word}<")
    (image,) = read_voc(zipped(**{"a.xml": declared.encode(encoding)}))
    assert image.boxes[0].label == word
    for name in ("utf-16", "UTF-16LE"):
        raw = declared.replace(encoding, name).encode("utf-16")
        assert [item.boxes[0].label for item in read_voc(zipped(**{"a.xml": raw}))] == [word]
    for other in ("utf-7", "rot13", "idna", "nothing"):
        (problem,) = read_voc(
            zipped(**{"a.xml": declared.replace(encoding, other).encode("latin-1", "replace") + b"\xff"})
        )
        assert problem.reason == "is not UTF-8 text"


def test_voc_cannot_carry_control_characters():
    with pytest.raises(ValueError, match=r"holds the character U\+0001, which XML cannot carry"):
        write_voc([LabeledImage("a", SIZE, (Box("a\x01", 0, 0, 1, 1),))], io.BytesIO(), labels=["a\x01"])


def yolo(lines: str, **more: str) -> YoloArchive:
    members = {"labels/train/a.txt": lines, "data.yaml": "names: [dog, cat]\nnc: 2\n"} | more
    return YoloArchive(zipped(**members), find_image=lambda stem: (f"{stem}.jpg", ImageSize(100, 50)))


def test_yolo_files_of_other_tools():
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


@pytest.mark.parametrize(
    ("line", "corners"),
    [
        ("1 0.2 0.2 0.6 0.2 0.4 0.8", (20, 10, 60, 40)),
        ("1 0.2 0.2 0.6 0.2 0.6 0.8 0.2 0.8", (20, 10, 60, 40)),
        ("1.000000000000000000e+00 5.0e-01 5.0e-01 2.0e-01 2.0e-01", (40, 20, 60, 30)),
        ("1\t0.5 0.5\t0.2 0.2 ", (40, 20, 60, 30)),
    ],
)
def test_yolo_lines_as_tools_write_them(line, corners):
    (image,) = yolo(line + "\n").items()
    assert image.boxes[0].label == "cat" and image.boxes[0].corners == pytest.approx(corners)


def test_a_yolo_box_that_reaches_out_of_its_image_is_clipped_and_reported():
    report, image = yolo("0 0.97 0.5 0.1 0.2\n").items()
    assert image.boxes[0].corners == pytest.approx((92, 20, 100, 30))
    assert report.used and str(report).startswith(
        "labels/train/a.txt line 1: the box (92, 20) to (102, 30) lies outside"
    )


NAMES_OF_YAML = ["no", "yes", "on", "007", "1e3", "1.50", "1_000", "0x1F", "12:30", "null", "~", "2024-01-30", "1.0"]


def test_yolo_names_are_the_text_in_the_file():
    for text in (
        "names:\n" + "".join(f"- {name}\n" for name in NAMES_OF_YAML),
        "names:\n" + "".join(f"  {number}: {name}\n" for number, name in enumerate(NAMES_OF_YAML)),
        f"names: [{', '.join(NAMES_OF_YAML)}]",
    ):
        assert yolo("", **{"data.yaml": text}).labels == tuple(NAMES_OF_YAML)


def test_a_blank_line_of_classes_txt_shifts_no_class():
    members = {"labels/a.txt": "2 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n", "labels/classes.txt": "dog\n\ncat \n\n"}
    archive = YoloArchive(zipped(**members), find_image=lambda stem: (f"{stem}.jpg", ImageSize(100, 50)))
    assert archive.labels == ("dog", "cat")
    problem, image = archive.items()
    assert str(problem) == "labels/a.txt line 2: class 1 has no name (there are 2)"
    assert [box.label for box in image.boxes] == ["cat"]


def test_the_layout_of_yolo_1_1_is_read():
    members = {
        "obj.names": "dog\ncat\n",
        "obj.data": "classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\n",
        "train.txt": "data/obj_train_data/a.jpg\n",
        "valid.txt": "data/obj_valid_data/b.jpg\n",
        "obj_train_data/a.txt": "1 0.5 0.5 0.2 0.2\n",
    }
    archive = YoloArchive(zipped(**members), find_image=lambda stem: (f"{stem}.jpg", ImageSize(100, 50)))
    (image,) = archive.items()
    assert image.source == "obj_train_data/a.jpg" and image.boxes[0].label == "cat"


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
def test_files_that_are_not_zips_are_refused(open_it):
    for raw in (b"", b"PK\x03\x04", b"nothing"):
        with pytest.raises(ValueError, match="not a readable zip file"):
            open_it(io.BytesIO(raw))


def test_a_zip_bomb_is_refused_without_unpacking_it():
    bomb = zipped(**{"a.xml": b"\0" * 200_000_000})
    tracemalloc.start()
    (found,) = read_voc(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(found) == "a.xml: has more than 5,000,000 bytes" and peak < 30_000_000


def test_names_files_have_a_limit_of_their_own():
    with pytest.raises(ValueError, match="has more than 256,000 bytes"):
        YoloArchive(zipped(**{"data.yaml": "x" * 256_001}))
    with pytest.raises(ValueError, match="data.yaml is not valid YAML"):
        YoloArchive(zipped(**{"data.yaml": "names: " + "[" * 2000}))


def test_deep_nesting_crashes_no_reader():
    deep = "<annotation>" + "<a>" * 100_000 + "</a>" * 100_000 + "</annotation>"
    assert [str(item) for item in read_voc(zipped(**{"a.xml": deep}))] == ["a.xml: size/width is missing"]
    with pytest.raises(ValueError, match="the COCO file is not valid JSON"):
        read_coco(b'{"images":' + b"[" * 5000 + b"]" * 5000 + b"}")
