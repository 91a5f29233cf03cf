"""Task files of Label Studio and CVAT: what is read of them, what is changed, and what is said of the rest."""

import io
import json
import math

import numpy as np
import pytest

from labeling.formats import masks, rasters
from labeling.formats.interchange import kinds
from labeling.formats.interchange.cvat import CvatFile
from labeling.formats.interchange.detection import of_file
from labeling.formats.interchange.items import REPAIRED, BadItem
from labeling.formats.interchange.label_studio import LabelStudioFile
from labeling.formats.shapes import Box, ImageSize, Keypoint, Polygon, Segment, Span, Tag

SIDES = {"original_width": 200, "original_height": 100, "image_rotation": 0}


def task(*results, data=None, **members):
    return {
        "data": data or {"image": "/data/upload/3/0a1b2c3d-a.jpg"},
        "annotations": [{"result": list(results)}],
        **members,
    }


def result(kind, value, **members):
    return {"type": kind, "value": value, **SIDES, **members}


def label_studio(*tasks, wanted, texts=False):
    raw = json.dumps(tasks).encode()
    assert of_file(io.BytesIO(raw)) == "labelstudio"
    return list(LabelStudioFile(raw, wanted=wanted, texts=texts).found())


def parts(found):
    return [one.part for one in found.parts]


class TestLabelStudio:
    def test_boxes_are_shares_and_a_turned_one_becomes_the_box_around_it(self):
        straight = result("rectanglelabels", {"x": 10, "y": 20, "width": 30, "height": 40, "rectanglelabels": ["bee"]})
        turned = result(
            "rectanglelabels",
            {"x": 50, "y": 50, "width": 20, "height": 10, "rotation": 90, "rectanglelabels": ["bee", "fly"]},
        )
        (found,) = label_studio(task(straight, turned), wanted=kinds.BOXES)
        assert found.names == ("data/upload/3/0a1b2c3d-a.jpg", "a.jpg")
        assert found.relative and found.size == ImageSize(200, 100)
        first, second = parts(found)
        assert first == Box("bee", 0.1, 0.2, 0.3, 0.4)
        # 40 x 10 pixels turned about (100, 50) by a quarter lie at 90..100 and 50..90.
        assert second.corners == pytest.approx((0.45, 0.5, 0.5, 0.9))
        (said,) = found.problems
        assert said.done == REPAIRED and "turned by 90 degrees" in said.reason and "has 2 classes" in said.reason

    def test_polygons_points_brushes_and_choices(self):
        polygon = result("polygonlabels", {"points": [[0, 0], [50, 0], [50, 100]], "polygonlabels": ["bee"]})
        point = result("keypointlabels", {"x": 25, "y": 50, "width": 1, "keypointlabels": ["eye"]}, score=0.5)
        choice = result("choices", {"choices": ["day", "sun"]})
        one = task(polygon, point, choice)
        (found,) = label_studio(one, wanted=kinds.POLYGONS)
        assert parts(found) == [Polygon("bee", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0)))]
        assert [problem.aside for problem in found.problems] == [True, True]
        (found,) = label_studio(one, wanted=kinds.POINTS)
        assert parts(found) == [Keypoint("eye", 0.25, 0.5, 0.5)]
        (found,) = label_studio(one, wanted=kinds.CLASSES)
        assert parts(found) == [Tag("day"), Tag("sun")]

    def test_the_mask_of_a_brush(self):
        # 2 x 1 pixels, the second covered: 8 values, written one by one in two blocks of 3 and 5.
        bits = f"{8:032b}" + "00111" + "0010" * 4 + "0" + "00" + f"{7:03b}" + "00000000" * 7 + "11111111"
        bits += "0" * (-len(bits) % 8)
        rle = [int(bits[n : n + 8], 2) for n in range(0, len(bits), 8)]
        value = {"format": "rle", "rle": rle, "brushlabels": ["bee"]}
        covered = {"type": "brushlabels", "value": value, "original_width": 2, "original_height": 1}
        (found,) = label_studio(task(covered), wanted=kinds.MASKS)
        assert parts(found) == [Segment("bee", masks.encode_rle(np.array([[0, 1]]))["counts"])]
        broken = covered | {"value": value | {"rle": rle[:6]}}
        (found,) = label_studio(task(broken), wanted=kinds.OBJECTS)
        assert not found.parts and "cut off" in found.problems[0].reason

    def test_spans_are_counted_in_characters(self):
        data = {"text": "🐝 Ann ate"}
        spans = [
            result("labels", {"start": 3, "end": 6, "text": "Ann", "labels": ["P"]}),  # as browsers count
            result("labels", {"start": 2, "end": 5, "text": "Ann", "labels": ["P"]}),
            result("labels", {"start": 0, "end": 4, "text": "Ann", "labels": ["P"]}),
            result("labels", {"start": "/p[1]", "end": "/p[1]", "startOffset": 0, "endOffset": 2, "labels": ["P"]}),
        ]
        (found,) = label_studio(task(*spans, data=data), wanted=kinds.SPANS, texts=True)
        assert parts(found) == [Span("P", 2, 5)] * 2 and found.text == data["text"]
        assert ["does not stand" in found.problems[0].reason, "HTML" in found.problems[1].reason] == [True, True]

    def test_which_annotation_counts_and_what_nobody_labeled(self):
        box = result("rectanglelabels", {"x": 0, "y": 0, "width": 10, "height": 10, "rectanglelabels": ["bee"]})
        several = task() | {
            "annotations": [
                {"result": [], "was_cancelled": True},
                {"result": []},
                {"result": [box], "ground_truth": True},
            ]
        }
        nothing, unlabeled = task(), task() | {"annotations": []}
        one, two, three = label_studio(several, nothing, unlabeled, wanted=kinds.BOXES)
        assert len(one.parts) == 1 and "has 2 annotations" in one.problems[0].reason
        assert (two.labeled, two.parts, three.labeled) == (True, (), False)

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ({"x": 1, "y": 2, "width": "3", "height": 4, "rectanglelabels": ["a"]}, "finite numbers"),
            ({"x": 1, "y": 2, "width": 3, "height": 4, "rectanglelabels": []}, "names no class"),
            ({"x": 1, "y": 2, "width": 3, "height": 4, "rectanglelabels": "a"}, "names no class"),
            ([], "'value' is no object"),
        ],
    )
    def test_a_bad_result_is_named_and_the_others_stay(self, value, reason):
        good = result("rectanglelabels", {"x": 0, "y": 0, "width": 10, "height": 10, "rectanglelabels": ["bee"]})
        (found,) = label_studio(task(result("rectanglelabels", value), good), wanted=kinds.BOXES)
        assert len(found.parts) == 1
        assert found.problems[0].where == "tasks[0] result[0]" and reason in found.problems[0].reason

    def test_addresses_and_bad_tasks(self):
        local = task(data={"image": "/data/local-files/?d=street/b.jpg"})
        store = task(data={"image": "s3://bucket/x/c.jpg"})
        one, two, bad, nameless = label_studio(local, store, {"data": 5}, task(data={"a": 1}), wanted=kinds.BOXES)
        assert one.names == ("street/b.jpg",) and two.uri == "s3://bucket/x/c.jpg" and two.names == ("x/c.jpg",)
        assert isinstance(bad, BadItem) and "'data' is missing" in bad.reason and "names no image" in nameless.reason


IMAGE = '<image id="0" name="x/a.jpg" width="200" height="100">{}</image>'


def cvat(*images, wanted, meta="", head=""):
    text = f"<?xml version='1.0'?>{head}<annotations><version>1.1</version>{meta}{''.join(images)}</annotations>"
    stream = io.BytesIO(text.encode())
    assert of_file(stream) == "cvat"
    document = CvatFile(stream, wanted=wanted)
    return document.labels, list(document.found())


class TestCvat:
    def test_boxes_with_turned_ones_and_attributes(self):
        meta = "<meta><job><labels><label><name>bee</name></label><label><name>fly</name></label></labels></job></meta>"
        boxes = (
            '<box label="bee" xtl="10" ytl="20" xbr="30" ybr="40" z_order="1"><attribute name="age">3</attribute></box>'
            '<box label="fly" xtl="0" ytl="0" xbr="20" ybr="10" rotation="45" z_order="0"/>'
            '<tag label="day"/>'
        )
        labels, (found,) = cvat(IMAGE.format(boxes), wanted=kinds.BOXES, meta=meta)
        assert labels == ("bee", "fly") and found.names == ("x/a.jpg",) and found.size == ImageSize(200, 100)
        half = 15 / math.sqrt(2)
        fly, bee = parts(found)
        assert fly.corners == pytest.approx((10 - half, 5 - half, 10 + half, 5 + half)) and bee == Box(
            "bee", 10, 20, 20, 20
        )
        said = [(one.done, one.aside) for one in found.problems]
        assert said == [(REPAIRED, False), ("skipped", True), ("skipped", True)]
        assert "the attributes age are not taken over" in found.problems[-1].reason

    def test_outlines_lines_points_and_skeletons(self):
        shapes = (
            '<polygon label="a" points="0,0;10,0;10.5,10"/><polyline label="b" points="0,0;5,5"/>'
            '<points label="c" points="1,2;3,4"/><skeleton label="man"><points label="nose" points="7,8"/>'
            '<points label="ear" points="0,0" outside="1"/></skeleton>'
        )
        image = IMAGE.format(shapes)
        assert parts(cvat(image, wanted=kinds.POLYGONS)[1][0]) == [Polygon("a", ((0, 0), (10, 0), (10.5, 10)))]
        assert parts(cvat(image, wanted=kinds.LINES)[1][0]) == [Polygon("b", ((0, 0), (5, 5)), False)]
        found = parts(cvat(image, wanted=kinds.POINTS)[1][0])
        assert found == [Keypoint("c", 1, 2), Keypoint("c", 3, 4), Keypoint("nose", 7, 8)]

    def test_masks_and_outlines_are_masks_and_tags_are_classes(self):
        shapes = (
            '<polygon label="a" points="0,0;10,0;10,10;0,10" z_order="1"/>'
            '<mask label="b" rle="1, 2, 3" left="5" top="6" width="3" height="2"/><tag label="day"/>'
        )
        below, above = parts(cvat(IMAGE.format(shapes), wanted=kinds.MASKS)[1][0])
        cut = np.array([[0, 1, 1], [0, 0, 0]], np.uint8)
        assert below == Segment("b", rasters.mask_at(cut, 5, 6, (200, 100))) and above.label == "a"
        assert parts(cvat(IMAGE.format(shapes), wanted=kinds.CLASSES)[1][0]) == [Tag("day")]

    def test_a_bad_shape_is_named_and_an_image_without_any_was_looked_at(self):
        bad = (
            '<box label="bee" xtl="1" ytl="2" xbr="x" ybr="4"/><box xtl="1" ytl="2" xbr="3" ybr="4"/>'
            '<box label="bee" xtl="1" ytl="2" xbr="3" ybr="4"/>'
        )
        _, (one, two, nameless) = cvat(IMAGE.format(bad), IMAGE.format(""), '<image id="3"/>', wanted=kinds.BOXES)
        assert len(one.parts) == 1 and [p.where for p in one.problems] == [
            "image[0] (x/a.jpg) box[0]",
            "image[0] (x/a.jpg) box[1]",
        ]
        assert (two.labeled, two.parts, two.problems) == (True, (), ()) and "name is missing" in nameless.reason

    def test_what_follows_damage_is_left_out_with_a_reason(self):
        stream = io.BytesIO(f"<annotations>{IMAGE.format('')}<image name='b' <".encode())
        found = list(CvatFile(stream, wanted=kinds.BOXES).found())
        assert found[0].names == ("x/a.jpg",) and "is not valid XML" in found[1].reason

    @pytest.mark.parametrize(
        ("head", "reason"),
        [
            ('<!DOCTYPE a [<!ENTITY b "c">]>', "document type"),
            ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>', "document type"),
        ],
    )
    def test_documents_with_entities_are_refused(self, head, reason):
        with pytest.raises(ValueError, match=reason):
            cvat(IMAGE.format(""), wanted=kinds.BOXES, head=head)

    def test_videos_are_refused(self):
        with pytest.raises(ValueError, match="for videos"):
            cvat("<track id='0' label='a'/>", wanted=kinds.BOXES)
