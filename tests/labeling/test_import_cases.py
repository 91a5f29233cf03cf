"""Label files as people have them are imported: each kind once as a small copy, and as the field case it stands for."""

import json

import pytest

from tests import builders
from tests.labeling import label_files
from tests.labeling.label_files import boxes_of, case, coco, of_zip, picture, report, said

pytestmark = pytest.mark.django_db

VOC = (
    "<annotation><folder>x</folder><filename>a.jpg</filename>"
    "<size><width>100</width><height>50</height><depth>3</depth></size>"
    "<object><name>dog</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>11</xmax><ymax>22</ymax></bndbox></object>"
    "</annotation>"
)
YAML = "names: [dog, cat]"
BEE = {"bbox": [10, 10, 20, 20]}
WHOLE = {"bbox": [0, 0, 100, 50]}
BEE_BOX = ("bee", 10, 10, 30, 30)
DOG_BOX = ("dog", 1, 2, 11, 22)


@pytest.fixture
def account():
    return builders.an_account()


def imported(account, members, **options):
    """The import of these members beside the image a.jpg of 100 x 50 pixels."""
    return of_zip(account, {"a.jpg": picture(form="JPEG"), **members}, **options)


def both(kind, name):
    """Parameters: the small copy of a kind and the field case, each a function that gives the members."""
    return pytest.mark.parametrize("members", [lambda: kind, lambda: case(name)], ids=["kind", "case"])


@both(
    {"i.json": coco(BEE, {**WHOLE, "iscrowd": 1, "segmentation": {"counts": [0, 5000], "size": [50, 100]}})},
    "R01-coco-crowd-region",
)
def test_a_crowd_region_is_kept_apart_and_is_no_box(account, members):
    row = imported(account, members())
    assert boxes_of(row) == {"a.jpg": [BEE_BOX]}
    (said_of_crowd,) = said(row, "crowd")
    assert "annotations[1] (a.jpg): is a region of many objects (iscrowd 1)" in said_of_crowd
    metadata = label_files.lines_of(row.dataset)["a.jpg"]["labels-metadata"]
    assert metadata["crowd-regions"] == [{"class_id": 0, "left": 0, "top": 0, "width": 100, "height": 50}]


NO_SIZE = [{"id": 1, "file_name": "a.jpg"}]


@both({"i.json": coco(BEE, images=NO_SIZE)}, "R02-coco-without-image-size")
def test_the_size_of_a_coco_image_comes_from_the_image(account, members):
    row = imported(account, members())
    assert boxes_of(row) == {"a.jpg": [BEE_BOX]}
    assert said(row, "repaired") == [
        "images[0]: a.jpg: 1 box; the file has no usable size (width and height must be positive whole numbers, "
        "found None x None): the image has 100 x 50"
    ]


FLOATS = [{"id": 1, "file_name": "a.jpg", "width": 100.0, "height": 50.0}]


@both({"i.json": coco({**BEE, "image_id": "1"}, BEE, images=FLOATS)}, "R03-coco-float-size-and-ids")
def test_floats_and_texts_are_ids_and_sizes(account, members):
    row = imported(account, members())
    assert boxes_of(row) == {"a.jpg": [BEE_BOX, BEE_BOX]}
    assert report(row) == [("images[0]", "imported", "a.jpg: 2 boxes")]


@both(
    {"i.json": coco(BEE, {**BEE, "area": float("nan")}, {"bbox": [1, 2, float("nan"), 4]})},
    "R04-coco-nan",
)
def test_a_nan_spoils_no_more_than_its_annotation(account, members):
    row = imported(account, members())
    assert boxes_of(row) == {"a.jpg": [BEE_BOX, BEE_BOX]}
    assert [line.split(": ")[0] for line in said(row, "skipped")] in ([], ["annotations[2] (a.jpg)"])


@both({"i.json": coco({"segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]]})}, "R07-coco-no-bbox-but-polygon")
def test_a_polygon_is_read_as_its_box(account, members):
    assert boxes_of(imported(account, members())) == {"a.jpg": [BEE_BOX]}


def test_run_lengths_are_read_as_their_box(account):
    # Column by column: 10 columns of 50, then 20 columns of 10 background, 20 mask, 20 background, then the rest.
    plain = {"size": [50, 100], "counts": [500, *([10, 20, 20] * 20)]}
    counts, run = [], 0
    for place, length in enumerate([500, *([10, 20, 20] * 20), 3500]):
        mask = place > 0 and (place - 1) % 3 == 1 and place <= 60
        if mask:
            counts += [run, length]
            run = 0
        else:
            run += length
    plain["counts"] = [*counts, run]
    row = imported(account, {"i.json": coco({"segmentation": plain}, {"segmentation": {"size": [5], "counts": "?"}})})
    assert boxes_of(row) == {"a.jpg": [BEE_BOX]}
    assert "the run lengths of segmentation cannot be read" in said(row, "skipped")[0]


@both({"a.xml": VOC.replace("100", "0").replace(">50<", ">0<")}, "R11-voc-size-zero")
def test_the_size_of_a_voc_image_comes_from_the_image(account, members):
    row = imported(account, members())
    assert boxes_of(row) == {"a.jpg": [DOG_BOX]}
    assert (
        "the file has no usable size (size/width must be a positive whole number): the image has 100 x 50"
        in (said(row, "repaired")[0])
    )


@both({"a.xml": VOC.replace("dog", "\n   dog \n")}, "R13-voc-name-with-whitespace")
def test_class_names_are_stripped(account, members):
    row = imported(account, members())
    assert boxes_of(row) == {"a.jpg": [DOG_BOX]} and row.labels == ["dog"]


PART = "<part><name>head</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>5</xmax><ymax>6</ymax></bndbox></part>"


@both(
    {
        "a.xml": VOC.replace("<bndbox>", PART + "<bndbox>", 1)
        .replace(">11<", ">60.25<").replace(">1<", ">45.7000007<"),
        "over.xml": VOC.replace("a.jpg", "over.jpg").replace(">1<", ">-2<").replace(">11<", ">105<"),
        "swapped.xml": VOC.replace("a.jpg", "swapped.jpg")
        .replace(">1<", ">30<").replace(">2<", ">40<").replace(">11<", ">10<").replace(">22<", ">20<"),
    },
    "R14-voc-parts-decimals-swapped",
)  # fmt: skip
def test_parts_decimals_and_corners_in_any_order(account, members):
    files = members()
    # All three files of the case name a.jpg: each gets an image of its own name here, as its own file name says.
    named = {
        name: xml if isinstance(xml, str) else xml.replace(b"a.jpg", name.replace(".xml", ".jpg").encode())
        for name, xml in files.items()
    }
    pictures = {name: picture(form="JPEG") for name in ("over.jpg", "swapped.jpg")}
    row = imported(account, {**named, **pictures})
    assert boxes_of(row) == {
        "a.jpg": [("dog", 45.700001, 2, 60.25, 22)],
        "over.jpg": [("dog", 0, 2, 100, 22)],
        "swapped.jpg": [("dog", 10, 20, 30, 40)],
    }
    (clipped,) = said(row, "clipped")
    assert clipped.startswith("over.xml object 1: the box (-2, 2) to (105, 22) lies outside the image (100 x 50)")


@both(
    {"data.yaml": "names: [dog]", "labels/a.txt": "0 0.1 0.1 0.5 0.1 0.5 0.6 0.1 0.6\n0 0.5 0.5 0.2 0.2\n"},
    "R21-yolo-polygons-in-a-box-set",
)
def test_yolo_polygons_among_boxes(account, members):
    assert boxes_of(imported(account, members())) == {"a.jpg": [("dog", 10, 5, 50, 30), ("dog", 40, 20, 60, 30)]}


@both(
    {"data.yaml": YAML, "labels/a.txt": "1.000000000000000000e+00 5.0e-01 5.0e-01 2.0e-01 2.0e-01\n"},
    "R22-yolo-class-as-decimal",
)
def test_a_yolo_class_may_be_written_as_a_decimal(account, members):
    assert boxes_of(imported(account, members())) == {"a.jpg": [("cat", 40, 20, 60, 30)]}


ODD = ["no", "yes", "on", "007", "1e3", "1.50", "1_000", "0x1F", "12:30"]


@both(
    {
        "data.yaml": "names:\n" + "".join(f"  {n}: {name}\n" for n, name in enumerate(ODD)),
        "labels/a.txt": "".join(f"{n} 0.5 0.5 0.2 0.2\n" for n in range(len(ODD))),
    },
    "R24-yolo-names-that-yaml-changes",
)
def test_yolo_names_are_the_text_of_the_file(account, members):
    files = dict(members())
    files["labels/a.txt"] = "".join(f"{n} 0.5 0.5 0.2 0.2\n" for n in range(len(ODD)))
    row = imported(account, files)
    assert row.labels == ODD
    assert [box[0] for box in boxes_of(row)["a.jpg"]] == ODD


@both(
    {"data.yaml": "names: [dog, null, 2024-01-30]", "labels/a.txt": "2 0.5 0.5 0.2 0.2\n"},
    "R25-yolo-null-and-date-names",
)
def test_yolo_names_null_and_a_date_are_texts(account, members):
    files = dict(members())
    files["labels/a.txt"] = "1 0.5 0.5 0.2 0.2\n2 0.5 0.5 0.2 0.2\n"
    row = imported(account, files)
    assert row.labels == ["dog", "null", "2024-01-30"]
    assert [box[0] for box in boxes_of(row)["a.jpg"]] == ["null", "2024-01-30"]


@both(
    {"labels/classes.txt": "dog\n\ncat \n", "labels/a.txt": "2 0.5 0.5 0.2 0.2\n"},
    "R26-yolo-classes-txt-of-labelimg",
)
def test_classes_txt_is_no_label_file_and_a_blank_line_shifts_no_class(account, members):
    row = imported(account, members())
    assert boxes_of(row) == {"a.jpg": [("cat", 40, 20, 60, 30)]}
    assert report(row) == [("labels/a.txt", "imported", "a.jpg: 1 box")]


@both(
    {
        "obj.names": "dog\ncat\n",
        "obj.data": "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
        "train.txt": "data/obj_train_data/a.jpg\n",
        "valid.txt": "data/obj_valid_data/b.jpg\n",
        "obj_train_data/a.txt": "1 0.5 0.5 0.2 0.2\n",
    },
    "R27-yolo-cvat-1-1-layout",
)
def test_the_layout_of_cvat_is_read_and_its_folders_are_kept(account, members):
    row = of_zip(
        account, {**members(), "obj_train_data/a.jpg": picture(form="JPEG"), "obj_valid_data/b.jpg": picture()}
    )
    assert boxes_of(row) == {"obj_train_data/a.jpg": [("cat", 40, 20, 60, 30)]}
    assert sorted(label_files.lines_of(row.dataset)) == ["obj_train_data/a.jpg", "obj_valid_data/b.jpg"]
    assert said(row, "skipped") == []


@both({"data.yaml": "names: [dog]", "labels/a.txt": "0 0.97 0.5 0.1 0.2\n"}, "R28-yolo-box-1-percent-outside")
def test_a_yolo_box_over_the_border_is_clipped_and_reported(account, members):
    row = imported(account, members())
    assert boxes_of(row) == {"a.jpg": [("dog", 92, 20, 100, 30)]}
    (clipped,) = said(row, "clipped")
    assert clipped.startswith("labels/a.txt line 1: the box (92, 20) to (102, 30) lies outside the image (100 x 50)")


def roboflow(**members):
    """A COCO file whose first category is the set itself, with names in folders."""
    return coco(
        BEE,
        images=[
            {"id": 1, "file_name": "train/a.jpg", "width": 100, "height": 50},
            {"id": 2, "file_name": "valid/a.jpg", "width": 100, "height": 50},
        ],
        categories=[
            {"id": 0, "name": "bees", "supercategory": "none"},
            {"id": 1, "name": "bee", "supercategory": "bees"},
        ],
        **members,
    )


@both({"annotations.coco.json": roboflow()}, "G01-truth-with-subfolders-and-root-category")
def test_folders_are_kept_and_a_root_category_is_no_class(account, members):
    files = members()
    listed = json.loads(next(iter(files.values())))["images"]
    sizes = {image["file_name"]: (image["width"], image["height"]) for image in listed}
    row = of_zip(account, {**files, **{name: picture(size) for name, size in sizes.items()}})
    assert sorted(label_files.lines_of(row.dataset)) == sorted(sizes)
    assert [box[0] for boxes in boxes_of(row).values() for box in boxes].count("bee") == row.counts["parts"] > 0
    assert row.counts["labeled"] == len(sizes)


def test_a_category_that_is_only_the_parent_of_others_is_no_class(account):
    images = {"train/a.jpg": picture(), "valid/a.jpg": picture()}
    assert of_zip(account, {"i.json": roboflow(), **images}).labels == ["bee"]


BOM = b"\xef\xbb\xbf"
TWO = [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50}, {"id": 2, "file_name": "gone.jpg"}]


@both({"annotations.coco.json": BOM + coco(BEE, images=TWO)}, "G02-truth-with-bom-and-missing-image")
def test_a_byte_order_mark_and_a_missing_image(account, members):
    files = members()
    listed = json.loads(next(iter(files.values())).removeprefix(BOM))["images"]
    present = {one["file_name"]: picture((one["width"], one["height"])) for one in listed[:1]}
    row = of_zip(account, {**files, **present})
    assert row.status == "Completed" and sorted(boxes_of(row)) == sorted(present)
    missing = [f"there is no image for it: none has the name {one['file_name']!r}" for one in listed[1:]]
    assert [line.partition(": ")[2] for line in said(row, "skipped")] == missing
