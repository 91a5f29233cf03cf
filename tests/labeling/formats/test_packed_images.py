"""RecordIO, image lists and the JSON files of the image format, each against bytes written as the tools write them."""

import io
import json
import struct

import pytest

from labeling.formats.interchange import image_lists, recordio
from labeling.formats.interchange.items import BadItem
from tests.learning import packed_records
from tests.learning.packed_records import MAGIC, boxes, packed, record

BEE = (1.0, 0.25, 0.5, 0.75, 1.0)


def test_records_come_back_whole_also_those_packed_in_parts():
    awkward = b"abcd" + MAGIC + b"efgh" + MAGIC + b"end"
    datas = [packed([3.0], b"one"), packed(boxes(BEE), awkward, 7), packed([2.0], b"")]
    stream = b"".join(map(record, datas))
    assert len(record(datas[1])) > len(datas[1]) + 8, "it was packed in parts"
    found = list(recordio.read_records(io.BytesIO(stream)))
    assert [one.data for one in found] == datas and [one.number for one in found] == [1, 2, 3]
    for one in found:
        place = stream[one.offset : one.offset + one.length]
        assert recordio.picture_of(place) == recordio.unpack(one.data).image
    unpacked = recordio.unpack(found[1].data)
    assert (unpacked.id, unpacked.image) == (7, awkward)
    assert recordio.boxes(unpacked.labels) == [recordio.PackedBox(1, 0.25, 0.5, 0.75, 1.0)]


def test_the_bytes_are_those_of_mxnet():
    """As mx.recordio.pack(IRHeader(0, [2, 5, 0, .1, .2, .3, .4], 9, 0), b"img") and MXRecordIO.write make them."""
    written = bytes.fromhex(
        "0a23d7ce37000000070000000000000009000000000000000000000000000000"
        "000000400000a04000000000cdcccc3dcdcc4c3e9a99993ecdcccc3e696d6700"
    )
    assert record(packed([2, 5, 0, 0.1, 0.2, 0.3, 0.4], b"img", 9)) == written
    (found,) = recordio.read_records(io.BytesIO(written))
    (box,) = recordio.boxes(recordio.unpack(found.data).labels)
    assert box.class_id == 0 and box.right == pytest.approx(0.3) and recordio.picture_of(written) == b"img"


def test_longer_headers_and_boxes_are_read_and_padding_is_not():
    labels = boxes((1, 0.1, 0.2, 0.3, 0.4, 1), (-1, -1, -1, -1, -1, -1), extra=(300, 200), width=6)
    assert [box.class_id for box in recordio.boxes(labels)] == [1]
    assert recordio.boxes([2, 5]) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04abcd", "record 1: does not begin with the magic number (this is no RecordIO file)"),
        (record(b"x" * 40) + b"junkjunk", "record 2: does not begin with the magic number (the file is damaged)"),
        (record(b"x" * 40)[:-8], "record 1: the file ends in it"),
        (record(b"x" * 40) + MAGIC, "record 2: the file ends in it"),
        (MAGIC + struct.pack("<I", 2 << 29 | 4) + b"abcd", "record 1: begins with the middle of a record"),
        (MAGIC + struct.pack("<I", 1 << 29 | 4) + b"abcd" + record(b"x"), "record 1: a part of it is missing"),
        (MAGIC + struct.pack("<I", (1 << 29) - 1), "record 1: has more than 100,000,000 bytes"),
    ],
)
def test_damage_is_named_by_its_record(data, message):
    with pytest.raises(ValueError) as raised:
        list(recordio.read_records(io.BytesIO(data)))
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1.0], "has one label, a class"),
        ([1.0, 5.0], "the length of its label header is 1, expected 2 to 2"),
        ([2.0, 4.0, 0, 0, 0, 1], "the length of its boxes is 4, expected 5 or more"),
        ([2.0, 5.0, 0, 0, 0, 1], "has 4 numbers after its label header, no multiple of 5"),
        (boxes((0.5, 0, 0, 1, 1)), "box 1: the class is 0.5"),
        (boxes(BEE, (0, 0.5, 0, 0.5, 1)), "box 2: has no area (0.5, 0 to 0.5, 1)"),
        (boxes((0, float("nan"), 0, 1, 1)), "no finite number"),
    ],
)
def test_wrong_labels_are_named(labels, message):
    with pytest.raises(ValueError) as raised:
        recordio.boxes(labels)
    assert message in str(raised.value)
    with pytest.raises(ValueError, match="its data ends before"):
        recordio.unpack(packed_records.packed(boxes(BEE), b"")[:30])


def test_lines_of_a_list_are_read_and_bad_ones_named():
    text = "0\t2\t5\t1\t0.1\t0.2\t0.3\t0.4\ta b/ü.jpg\r\n\n7\t3\tc.png\nno numbers\n1\tx\td.png\n4\tc.png\n"
    first, second, *bad = image_lists.read_list(io.BytesIO(text.encode()))
    assert (first.path, first.number, first.labels) == ("a b/ü.jpg", 1, (2, 5, 1, 0.1, 0.2, 0.3, 0.4))
    assert (second.path, second.number, second.labels) == ("c.png", 3, (3,))
    assert all(isinstance(one, BadItem) for one in bad)
    assert [one.where for one in bad] == ["line 4", "line 5", "line 6"]


ANNOTATION = {
    "file": "a.jpg",
    "image_size": [{"width": 500, "height": 400, "depth": 3}],
    "annotations": [{"class_id": 1, "left": 111, "top": 134, "width": 61, "height": 128}],
    "categories": [{"class_id": 0, "name": "dog"}, {"class_id": 1, "name": "cat"}],
}


def test_the_json_of_the_image_format_is_read():
    found = image_lists.read_annotation(json.dumps(ANNOTATION).encode())
    assert (found.path, found.size, found.class_map) == ("a.jpg", (500, 400, 3), {0: "dog", 1: "cat"})
    assert found.boxes[0].corners == (111, 134, 172, 262)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": 3}, "'file' must be the name of the image"),
        ({"image_size": []}, "'image_size' must be a list"),
        ({"image_size": [{"width": 0, "height": 2}]}, "image_size[0].width must be a whole number from 1 on, found 0"),
        ({"annotations": {}}, "'annotations' must be a list"),
        ({"annotations": [{"class_id": "1"}]}, "annotations[0].class_id must be a whole number from 0 on, found '1'"),
        ({"annotations": [{"class_id": 1, "left": None}]}, "annotations[0].left must be a number, found None"),
        ({"categories": [{"class_id": 0}]}, "categories[0].name must be a text"),
    ],
)
def test_wrong_json_is_named_by_its_member(change, message):
    with pytest.raises(ValueError) as raised:
        image_lists.read_annotation(json.dumps(ANNOTATION | change).encode())
    assert message in str(raised.value)
