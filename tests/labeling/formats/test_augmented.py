"""Label attributes in manifest lines: lines of the real service round-trip, and ours have exactly AWS's form."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.formats import augmented
from labeling.formats.augmented_reading import (
    BLANKS,
    failure_reason,
    label_state,
    read_boxes,
    read_class,
    read_classes,
    read_spans,
)
from labeling.formats.label_context import LabelContext
from labeling.formats.manifest import parse_line
from labeling.formats.shapes import Box, ImageSize, Span, Vote

BIRD = (
    b'{"source-ref":"s3://b/1.jpg","birds":9,"birds-metadata":{"confidence":0.95,"job-name":"labeling-job/birds",'
    b'"class-name":"Canary","human-annotated":"yes","creation-date":"2019-04-18T16:40:59.217995",'
    b'"type":"groundtruth/image-classification"}}'
)
TAGS = (
    b'{"source-ref":"s3://b/1.jpg","tags":[1,0,8],"tags-metadata":{"job-name":"labeling-job/tags",'
    b'"class-map":{"1":"bicycle","0":"person","8":"clothing"},"human-annotated":"yes",'
    b'"creation-date":"2020-02-27T21:36:25.000201","confidence-map":{"1":0.95,"0":0.77,"8":0.2},'
    b'"type":"groundtruth/image-classification-multilabel"}}'
)
BOXES = (
    b'{"source-ref":"s3://b/1.png","boxes":{"image_size":[{"width":500,"height":400,"depth":3}],"annotations":'
    b'[{"class_id":0,"left":111,"top":134,"width":61,"height":128}]},"boxes-metadata":{"objects":'
    b'[{"confidence":0.8}],"class-map":{"0":"dog","5":"bone"},"type":"groundtruth/object-detection",'
    b'"human-annotated":"yes","creation-date":"2018-10-18T22:18:13.527256","job-name":"labeling-job/boxes"}}'
)
SPANS = (
    '{"source":"é…","ner":{"annotations":{"labels":[{"label":"Date","shortDisplayName":"dt"}],"entities":'
    '[{"label":"Date","startOffset":75,"endOffset":88}]}},"ner-metadata":{"job-name":"labeling-job/ner",'
    '"type":"groundtruth/text-span","creation-date":"2020-10-29T00:40:39.398470","human-annotated":"yes",'
    '"entities":[{"confidence":0}]}}'
).encode()
VERIFIED = (
    b'{"source-ref":"s3://b/1.png","verify-boxes":"1","verify-boxes-metadata":{"class-name":"bad",'
    b'"confidence":0.93,"type":"groundtruth/label-verification","job-name":"labeling-job/verify-boxes",'
    b'"human-annotated":"yes","creation-date":"2018-11-20T22:18:13.527256","worker-feedback":'
    b'[{"comment":"box too wide"}]}}'
)
MASK = (
    b'{"source-ref":"s3://b/1.png","city-ref":"s3://out/0_2020.png","city-ref-metadata":{"internal-color-map":'
    b'{"0":{"class-name":"BACKGROUND","confidence":0.9,"hex-color":"#ffffff"},"1":{"class-name":"buildings",'
    b'"confidence":0.9,"hex-color":"#2acf59"}},"type":"groundtruth/semantic-segmentation",'
    b'"human-annotated":"yes","creation-date":"2018-10-18T22:18:13.527256","job-name":"labeling-job/city"}}'
)
FAILURE = (
    "ClientError: Annotation tasks expired.  Probable Reasons are 1) TaskAvailabilityLifetimeInSeconds parameter "
    "is too small.  2) Reward is too low for workers to work on the task.  3) If you use a custom html template, "
    "your template may be broken.  4) Data (image/video/text) sent for annotation is broken or too big, "
    "preventing completion.  5) All workers declined the tasks."
)


def attributes(line: bytes) -> dict:
    return parse_line(line).attributes


def of_boxes(**more: Any) -> LabelContext:
    base: dict[str, Any] = {
        "image_size": ImageSize(500, 400),
        "labels": ["dog", "cat"],
        "job_name": "boxes",
        "created": "2018-10-18T22:18:13.527256",
    }
    return LabelContext(**base | more)


# --- the lines quoted from the real service come back the same -----------------------------------------------------


def test_the_real_classification_line():
    label = read_class(attributes(BIRD), "birds")
    assert label.vote == Vote(("Canary",), (0.95,)) and label.class_map == {9: "Canary"}
    assert label.origin.human_annotated is True and label.origin.job_name == "labeling-job/birds"
    names = [f"class {n}" for n in range(9)] + ["Canary"]
    value, metadata = augmented.class_label(
        label.vote, LabelContext(labels=names, job_name="birds", created=label.origin.creation_date)
    )
    assert augmented.label_line(b'{"source-ref":"s3://b/1.jpg"}', "birds", value, metadata) == BIRD


def test_the_documented_classification_line_has_a_string():
    label = read_class({"x": "0", "x-metadata": {"class-name": "cat"}}, "x")
    assert label.vote.label == "cat" and label.class_map == {0: "cat"} and label.vote.confidences is None


def test_the_multi_label_line():
    label = read_classes(attributes(TAGS), "tags")
    assert label.vote == Vote(("bicycle", "person", "clothing"), (0.95, 0.77, 0.2))
    names = ["person", "bicycle", *"cdefgh", "clothing"]
    value, metadata = augmented.multi_class_label(
        label.vote, LabelContext(labels=names, job_name="tags", created=label.origin.creation_date)
    )
    assert augmented.label_line(b'{"source-ref":"s3://b/1.jpg"}', "tags", value, metadata) == TAGS


def test_the_box_line():
    label = read_boxes(attributes(BOXES), "boxes")
    assert label.boxes == (Box("dog", 111, 134, 61, 128, 0.8),)
    assert label.image_size == ImageSize(500, 400, 3) and label.class_map == {0: "dog", 5: "bone"}
    line = augmented.box_line(b'{"source-ref":"s3://b/1.png"}', "boxes", label.boxes, of_boxes())
    written, real = json.loads(line), json.loads(BOXES)
    # only the classes used: the documentation's own example lists one more
    del real["boxes-metadata"]["class-map"]["5"]
    assert written == real
    assert list(written["boxes-metadata"]) == list(real["boxes-metadata"])


def test_the_span_line():
    label = read_spans(attributes(SPANS), "ner")
    assert label.spans == (Span("Date", 75, 88, 0),) and label.labels == ("Date",)
    value, metadata = augmented.span_label(
        label.spans,
        LabelContext(labels=["Date"], job_name="ner", created=label.origin.creation_date),
        short_names={"Date": "dt"},
    )
    written = augmented.label_line('{"source":"é…"}', "ner", value, metadata)
    assert json.loads(written) == json.loads(SPANS)


def test_the_verification_line():
    label = read_class(attributes(VERIFIED), "verify-boxes")
    assert label.vote == Vote(("bad",), (0.93,), "box too wide")
    value, metadata = augmented.verification_label(
        Vote(("bad",), (0.93,)),
        LabelContext(labels=["good", "bad"], job_name="verify-boxes", created="2018-11-20T22:18:13.527256"),
        comments=["", "box too wide", "  "],
    )
    assert augmented.label_line(b'{"source-ref":"s3://b/1.png"}', "verify-boxes", value, metadata) == VERIFIED
    assert (
        "worker-feedback"
        not in augmented.verification_label(Vote(("bad",)), LabelContext(labels=["bad"], job_name="j"))[1]
    )


def test_the_segmentation_line():
    value, metadata = augmented.mask_label(
        "s3://out/0_2020.png",
        LabelContext(labels=["buildings"], job_name="city", created="2018-10-18T22:18:13.527256"),
        colors={0: ("BACKGROUND", "#ffffff"), 1: ("buildings", "#2acf59")},
        confidence=0.9,
    )
    assert augmented.label_line(b'{"source-ref":"s3://b/1.png"}', "city-ref", value, metadata) == MASK


def test_the_failure_line():
    line = augmented.failure_line(b'{"source-ref":"s3://b/1.png","split":"x"}', "boxes")
    assert line == (
        b'{"source-ref":"s3://b/1.png","split":"x","boxes-metadata":{"retry-count":1,"failure-reason":'
        + json.dumps(FAILURE).encode()
        + b',"human-annotated":"true"}}'
    )
    assert label_state(attributes(line), "boxes") == "failed"
    assert failure_reason(attributes(line), "boxes") == FAILURE
    with pytest.raises(ValueError, match="'boxes' is missing .the object failed: ClientError"):
        read_boxes(attributes(line), "boxes")


def test_a_failure_removes_an_old_label_and_keeps_the_reason_it_was_given():
    line = augmented.failure_line(BOXES, "boxes", reason="the image is damaged", retry_count=0)
    assert "boxes" not in json.loads(line)
    assert failure_reason(json.loads(line), "boxes") == "ClientError: the image is damaged"
    assert label_state({"source": "t"}, "boxes") == "unlabeled"
    assert label_state(json.loads(BOXES), "boxes") == "labeled"


# --- what real files vary in ---------------------------------------------------------------------------------------


def test_production_boxes_are_floats_in_another_key_order():
    line = {
        "b": {
            "annotations": [{"class_id": "0", "top": 164.60000000000002, "left": 632.4, "height": 9.5, "width": 1}],
            "image_size": [{"width": 1024, "height": 768}],
        },
        "b-metadata": {"class-map": {"0": "Bird"}, "objects": [{"confidence": 0.09}]},
    }
    label = read_boxes(line, "b")
    assert label.boxes == (Box("Bird", 632.4, 164.60000000000002, 1, 9.5, 0.09),)
    assert label.image_size == ImageSize(1024, 768) and label.origin.job_name is None


def test_boxes_without_metadata_objects_or_size():
    annotations = [{"class_id": 3, "left": 0, "top": 0, "width": 1, "height": 1}] * 2
    label = read_boxes({"b": {"annotations": annotations}}, "b")
    assert [box.label for box in label.boxes] == ["3", "3"] and label.image_size is None
    shorter = read_boxes(
        {"b": {"annotations": annotations}, "b-metadata": {"objects": [{"confidence": "0.5"}], "class-map": {}}}, "b"
    )
    assert [box.confidence for box in shorter.boxes] == [0.5, None]
    assert label.origin.human_annotated is None


@pytest.mark.parametrize(("said", "meaning"), [("yes", True), ("true", True), ("no", False), (None, None), ("?", None)])
def test_human_annotated_variants(said, meaning):
    line = {"b": {"annotations": []}, "b-metadata": {"human-annotated": said}}
    assert read_boxes(line, "b").origin.human_annotated is meaning


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "'b' is not a bounding-box label: 'annotations' is missing"),
        ({"annotations": {}}, "'annotations' is missing"),
        ({"annotations": [5]}, r"b.annotations\[0\] must be an object"),
        ({"annotations": [{"class_id": 0}]}, r"b.annotations\[0\].left must be a number, found None"),
        ({"annotations": [{"class_id": True}]}, r"b.annotations\[0\].class_id must be a number"),
        ({"annotations": [{"class_id": 0.5}]}, r"b.annotations\[0\].class_id must be a whole number"),
        (
            {"annotations": [{"class_id": 0, "left": "nan", "top": 0, "width": 1, "height": 1}]},
            r"b.annotations\[0\].left must be a finite number",
        ),
    ],
)
def test_unreadable_box_labels_name_the_member(value, message):
    with pytest.raises(ValueError, match=message):
        read_boxes({"b": value}, "b")


def test_unreadable_labels_of_other_kinds():
    for read, value in ((read_class, [1]), (read_classes, 1), (read_spans, {}), (read_class, None)):
        with pytest.raises(ValueError, match="'x' is not a"):
            read({"x": value}, "x")
    with pytest.raises(ValueError, match="'x' is missing"):
        read_class({}, "x")


# --- what we write -------------------------------------------------------------------------------------------------


def test_boxes_have_the_key_order_of_production_and_confidences():
    value, metadata = augmented.box_label([Box("cat", 1.5, 2, 3, 4.0, 0.123456)], of_boxes())
    assert list(value["annotations"][0].items()) == [
        ("class_id", 1),
        ("top", 2),
        ("left", 1.5),
        ("height", 4),
        ("width", 3),
    ]
    assert metadata["objects"] == [{"confidence": 0.1235}] and metadata["class-map"] == {"1": "cat"}
    assert list(value) == ["image_size", "annotations"]
    assert value["image_size"] == [{"width": 500, "height": 400, "depth": 3}]


def test_the_metadata_of_machine_labels_name_the_model():
    _, metadata = augmented.box_label([], of_boxes(human_annotated=False, model_name="ssd-3"))
    assert metadata["human-annotated"] == "no" and list(metadata)[-1] == "model-name"
    line = {"b": {"annotations": []}, "b-metadata": metadata}
    assert read_boxes(line, "b").origin.model_name == "ssd-3"
    assert read_boxes(line, "b").origin.human_annotated is False


def test_an_empty_answer_is_a_label_too():
    value, metadata = augmented.box_label([], of_boxes())
    assert value["annotations"] == [] and metadata["objects"] == [] and metadata["class-map"] == {}


@pytest.mark.parametrize(
    ("boxes", "more", "message"),
    [
        ([Box("cow", 0, 0, 1, 1)], {}, "box 0: 'cow' is not one of the labels"),
        ([Box("dog", 0, 0, 1, float("nan"))], {}, "box 0: nan is not a finite number"),
        ([Box("dog", 0, 0, 1, 1, 1.5)], {}, "box 0: confidence must be between 0 and 1, found 1.5"),
        ([Box("dog", 0, 0, 1, 1, float("nan"))], {}, "confidence must be between 0 and 1"),
        ([Box("dog", 0, 0, 1, 1)], {"confidences": []}, "1 boxes but 0 confidences"),
        ([], {"labels": ["a", "a"]}, "labels must be unique"),
    ],
)
def test_labels_that_cannot_be_written(boxes, more, message):
    with pytest.raises(ValueError, match=message):
        augmented.box_label(boxes, of_boxes(labels=more.pop("labels", ["dog", "cat"])), **more)


def test_a_span_must_end_after_its_start():
    with pytest.raises(ValueError, match="span 0: needs 0 <= start < end, found 5 to 5"):
        augmented.span_label([Span("a", 5, 5)], LabelContext(labels=["a"], job_name="j"))


def test_creation_dates_are_utc_without_a_zone():
    noon = datetime(2026, 1, 2, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    assert augmented.creation_date(noon) == "2026-01-02T10:00:00.000005"
    assert augmented.creation_date(datetime(2026, 1, 2)) == "2026-01-02T00:00:00.000000"
    now = datetime.fromisoformat(augmented.creation_date())
    assert abs(now.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=1)


# --- the rest of a line keeps its bytes ----------------------------------------------------------------------------

ODD = b' { "source-ref" : "s3://b/\\u00e9.jpg" ,"n": 1.10,"big":123456789012345678901234567890, "u":"\xc3\xa9" } '


def test_unusual_but_valid_lines_keep_every_byte_of_their_members():
    line = augmented.put_members(ODD, {"x": 1})
    assert line == (
        b'{"source-ref":"s3://b/\\u00e9.jpg","n":1.10,"big":123456789012345678901234567890,"u":"\xc3\xa9","x":1}'
    )


def test_new_members_are_appended_and_all_other_bytes_stay():
    original = b'{"source-ref": "s3://b/k.jpg",  "n": 1.10}'
    assert augmented.put_members(original, {"x": [1]}) == original[:-1] + b',"x":[1]}'


def test_an_old_value_is_replaced_in_place():
    assert augmented.put_members(b'{"a":1,"x":2,"b":3}', {"x": 9, "y": 8}) == b'{"a":1,"x":9,"b":3,"y":8}'
    assert augmented.put_members(rb'{"a":1,"\u0078":2}', {"x": 9}) == rb'{"a":1,"\u0078":9}'
    assert augmented.put_members(b'{"a":1,"x":2}', {}, remove=["x"]) == b'{"a":1}'
    assert augmented.put_members(b'{"a":{"x":2}}', {"x": 1}) == b'{"a":{"x":2},"x":1}'
    assert augmented.put_members(b"{}", {"x": 1}) == b'{"x":1}'
    assert augmented.put_members(b"{ }", {"x": 1}) == b'{"x":1}'


@pytest.mark.parametrize("line", [b"[1]", b'{"x"}', b'{"x":1', b"", b'{"x":1,,"y":2}', b'{"x":1 "y":2}', b'{"x":1}{}'])
def test_a_line_that_is_no_object_is_refused(line):
    with pytest.raises(ValueError):
        augmented.put_members(line, {"x": 1})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=6), json_values, max_size=5),
    st.sampled_from(["x", "é", 'q"', "a-metadata"]),
    json_values,
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_setting_a_member_is_like_setting_it_in_the_object(record, name, value, ascii_only, indent):
    text = json.dumps(record, ensure_ascii=ascii_only, indent=indent)
    try:
        expected = record | {name: orjson.loads(orjson.dumps(value))}
        line = augmented.put_members(text, {name: value})
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        return  # lone surrogates have no UTF-8
    assert json.loads(line) == expected
    assert list(json.loads(line)) == list(expected)


coordinates = st.floats(0, 4000, allow_nan=False)
names = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=20)
names = names.map(lambda name: name.strip(BLANKS)).filter(bool)


@given(
    st.lists(st.tuples(names, coordinates, coordinates, coordinates, coordinates, st.integers(0, 10_000)), max_size=5)
)
def test_boxes_round_trip_exactly_whatever_their_labels(rows):
    boxes = tuple(Box(n, left, top, w, h, c / 10_000) for n, left, top, w, h, c in rows)
    labels = list(dict.fromkeys(box.label for box in boxes))
    line = augmented.box_line(b'{"source-ref":"s3://b/k"}', "b", boxes, of_boxes(labels=labels))
    assert read_boxes(attributes(line), "b").boxes == boxes
