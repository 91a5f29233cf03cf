"""Submitted answers: valid ones are read exactly, invalid ones are refused with the name of the field."""

from __future__ import annotations

import copy
import math
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.formats import answers, worker_responses
from labeling.formats.answers import AnswerError
from labeling.formats.shapes import Box, Keypoint, Polygon, Span, Vote

LABELS = ["dog", "<img src=x onerror=alert(1)>", "a\n'\"é"]
SIZE = (500, 400)


def box(**changes: object) -> dict:
    return {"height": 20, "label": "dog", "left": 10, "top": 5, "width": 30} | changes


def submitted(*boxes: object, **more: object) -> dict:
    element = {"boundingBoxes": list(boxes), "inputImageProperties": {"height": 400, "width": 500}} | more
    return {"boundingBox": element}


def parsed(content: object, **options: object) -> list[Box]:
    return answers.parse_bounding_box_answer(content, labels=LABELS, image_size=SIZE, **options)


def refused(content: object, **options: object) -> AnswerError:
    with pytest.raises(AnswerError) as caught:
        parsed(content, **options)
    return caught.value


def test_boxes_are_read_as_they_were_drawn():
    found = parsed(submitted(box(), box(left=0.5, label=LABELS[1]), box(left=470, top=380)))
    assert found == [Box("dog", 10, 5, 30, 20), Box(LABELS[1], 0.5, 5, 30, 20), Box("dog", 470, 380, 30, 20)]


def test_an_empty_list_of_boxes_is_an_answer():
    assert parsed(submitted()) == []


def test_the_element_may_have_any_name_and_other_elements_beside_it():
    content = {"annotatedResult": submitted(box())["boundingBox"], "comment": "hello"}
    assert len(parsed(content, element_name="annotatedResult")) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"left": -1}, Box("dog", 0, 5, 29, 20)),
        ({"top": -0.25}, Box("dog", 10, 0, 30, 19.75)),
        ({"left": 471}, Box("dog", 471, 5, 29, 20)),
        ({"top": 380.5}, Box("dog", 10, 380.5, 30, 19.5)),
        ({"left": -1, "top": -1, "width": 502, "height": 402}, Box("dog", 0, 0, 500, 400)),
    ],
)
def test_a_box_up_to_a_pixel_outside_the_image_is_clipped(changes, expected):
    assert parsed(submitted(box(**changes))) == [expected]


FIRST = "boundingBox.boundingBoxes[0]"


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"left": -1.01}, ".left", "is -1.01, outside the image (0 to 500)"),
        ({"top": 400}, ".top", "is 400, outside the image (0 to 400)"),
        ({"left": 471.5}, ".width", "is 30: the box ends at 501.5, outside the image (0 to 500)"),
        ({"left": -0.5, "width": 0.25}, ".width", "is 0.25: the box ends at -0.25, outside the image (0 to 500)"),
        ({"width": 0}, ".width", "is 0, must be greater than 0"),
        ({"height": -3}, ".height", "is -3, must be greater than 0"),
        ({"label": "cow"}, ".label", "'cow' is not one of the labels of this task"),
        ({"label": 3}, ".label", "must be a string, found a number"),
        ({"label": ["dog"]}, ".label", "must be a string, found a list"),
        ({"left": True}, ".left", "must be a number, found a boolean"),
        ({"left": "10"}, ".left", "must be a number, found a string"),
        ({"left": None}, ".left", "must be a number, found null"),
        ({"left": math.nan}, ".left", "must be a finite number of pixels"),
        ({"width": math.inf}, ".width", "must be a finite number of pixels"),
        ({"width": 10**400}, ".width", "must be a finite number of pixels"),
        ({"top": -(10**12)}, ".top", "must be a finite number of pixels"),
    ],
)
def test_an_invalid_box_is_refused_with_the_name_of_the_field(changes, field, problem):
    error = refused(submitted(box(**changes)))
    assert (error.field, error.problem) == (FIRST + field, problem)
    assert str(error) == f"{FIRST}{field}: {problem}"


@pytest.mark.parametrize("name", ["left", "top", "width", "height", "label"])
def test_a_missing_member_is_named(name):
    wrong = box()
    del wrong[name]
    error = refused(submitted(box(), wrong))
    assert str(error) == f"boundingBox.boundingBoxes[1].{name}: is missing"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "answer: must be an object, found null"),
        ([], "answer: must be an object, found a list"),
        ({}, "boundingBox: is missing"),
        ({"boundingBox": 3}, "boundingBox: must be an object, found a number"),
        ({"boundingBox": {}}, "boundingBox.boundingBoxes: is missing"),
        ({"boundingBox": {"boundingBoxes": {}}}, "boundingBox.boundingBoxes: must be a list, found an object"),
        ({"boundingBox": {"boundingBoxes": [7]}}, f"{FIRST}: must be an object, found a number"),
        (
            submitted(inputImageProperties={"width": 400, "height": 500}),
            "boundingBox.inputImageProperties.width: is 400, but the image has 500",
        ),
        (
            submitted(inputImageProperties={"width": 500}),
            "boundingBox.inputImageProperties.height: is missing",
        ),
        (submitted(inputImageProperties=[1]), "boundingBox.inputImageProperties: must be an object, found a list"),
    ],
)
def test_an_answer_of_another_form_is_refused(content, message):
    assert str(refused(content)) == message


def test_the_number_of_boxes_is_limited():
    assert len(parsed(submitted(*[box()] * 3), max_boxes=3)) == 3
    assert str(refused(submitted(*[box()] * 4), max_boxes=3)) == (
        "boundingBox.boundingBoxes: holds 4 items, at most 3 are allowed"
    )
    assert "at most 1000" in str(refused(submitted(*[box()] * 1001)))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(LABELS),
            st.floats(0, 499.5, allow_nan=False),
            st.floats(0, 399.5, allow_nan=False),
            st.floats(1e-3, 500, allow_nan=False),
            st.floats(1e-3, 400, allow_nan=False),
        ),
        max_size=4,
    )
)
def test_boxes_round_trip(rows):
    boxes = [Box(n, x, y, min(w, 500 - x), min(h, 400 - y)) for n, x, y, w, h in rows]
    content = orjson.loads(orjson.dumps(answers.bounding_box_content(boxes, image_size=SIZE)))
    for found, drawn in zip(parsed(content), boxes, strict=True):
        assert found.label == drawn.label
        assert found.corners == pytest.approx(drawn.corners, abs=1e-9)
        x1, y1, x2, y2 = found.corners
        assert 0 <= x1 < x2 <= 500 + 1e-9 and 0 <= y1 < y2 <= 400 + 1e-9


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("dog"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["boundingBoxes", "inputImageProperties", "left", "top", "width", "height", "label"]), inner
        )
    ),
    max_leaves=20,
)


@given(any_json)
def test_any_json_is_an_answer_or_an_answer_error(value):
    for content in (value, {"boundingBox": value}, {"boundingBox": {"boundingBoxes": [value]}}):
        try:
            for found in parsed(content):
                assert found.label in LABELS and found.width > 0 and found.height > 0
        except AnswerError as error:
            assert error.field


# --- other elements ------------------------------------------------------------------------------------------------


def polygons(content: dict, **options: object) -> list[Polygon]:
    return answers.parse_polygon_answer(content, labels=LABELS, image_size=SIZE, **options)


def test_outlines_round_trip():
    triangle = Polygon("dog", ((0, 0), (10.5, 0), (0, 10)))
    line = Polygon("dog", ((0, 0), (10.5, 0)), closed=False)
    content = answers.polygon_content([triangle], image_size=SIZE)
    assert content["annotatedResult"]["polygons"][0]["vertices"][1] == {"x": 10.5, "y": 0}
    assert polygons(content) == [triangle]
    for member in ("lines", "polylines"):
        content = answers.polygon_content([line], image_size=SIZE, member=member)
        assert polygons(content, member=member) == [line]


@pytest.mark.parametrize(
    ("member", "vertices", "message"),
    [
        ("polygons", [{"x": 1, "y": 1}] * 2, "vertices: must be a list of 3 to 5000 points"),
        ("polygons", "abc", "vertices: must be a list"),
        ("polygons", [{"x": 1, "y": 1}] * 5001, "vertices: must be a list of 3 to 5000 points"),
        ("lines", [{"x": 1, "y": 1}] * 3, "vertices: must hold 2 points, found 3"),
        ("polygons", [{"x": 1, "y": 1}, {"x": 1, "y": 1}, {"x": 502, "y": 0}], r"vertices\[2\].x: is 502, outside"),
        ("polygons", [{"x": 1, "y": 1}, {"x": 1}, {"x": 5, "y": 0}], r"vertices\[1\].y: is missing"),
    ],
)
def test_invalid_outlines_are_refused(member, vertices, message):
    with pytest.raises(AnswerError, match=message):
        polygons({"annotatedResult": {member: [{"label": "dog", "vertices": vertices}]}}, member=member)


def test_points_round_trip_and_are_clipped():
    points = [Keypoint("dog", 1.5, 2), Keypoint("dog", 500, 400)]
    content = answers.keypoint_content(points, image_size=SIZE)
    options = {"labels": LABELS, "image_size": SIZE}
    assert answers.parse_keypoint_answer(content, **options) == points
    content["annotatedResult"]["keypoints"][0]["x"] = -1
    assert answers.parse_keypoint_answer(content, **options)[0].x == 0
    content["annotatedResult"]["keypoints"][0]["x"] = -1.5
    with pytest.raises(AnswerError, match=r"annotatedResult.keypoints\[0\].x: is -1.5, outside the image"):
        answers.parse_keypoint_answer(content, **options)


def test_spans_round_trip_in_code_points():
    text = "🐝 a bee"
    spans = [Span("dog", 0, 1), Span("dog", 2, 7)]
    content = answers.entity_content(spans)
    assert answers.parse_entity_answer(content, labels=LABELS, text_length=len(text)) == spans


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (-1, 3, "startOffset: is -1, outside the text"),
        (7, 8, "startOffset: is 7, outside the text"),
        (3, 3, "endOffset: is 3, must be above 3 and at most 7"),
        (3, 8, "endOffset: is 8, must be above 3 and at most 7"),
        (0.5, 3, "startOffset: must be a whole number"),
        (True, 3, "startOffset: must be a number, found a boolean"),
    ],
)
def test_invalid_spans_are_refused(start, end, message):
    content = {"crowd-entity-annotation": {"entities": [{"label": "dog", "startOffset": start, "endOffset": end}]}}
    with pytest.raises(AnswerError, match=message):
        answers.parse_entity_answer(content, labels=LABELS, text_length=7)


def test_single_choices_with_comments():
    content = answers.class_content(Vote(("dog",), comment="blurred"))
    assert content == {"crowd-image-classifier": {"label": "dog", "workerComment": "blurred"}}
    assert answers.parse_class_answer(content, labels=LABELS) == Vote(("dog",), comment="blurred")
    with pytest.raises(AnswerError, match="crowd-image-classifier.label: 'cow' is not one of the labels"):
        answers.parse_class_answer({"crowd-image-classifier": {"label": "cow"}}, labels=LABELS)
    with pytest.raises(AnswerError, match="workerComment: must be a string"):
        answers.parse_class_answer({"crowd-image-classifier": {"label": "dog", "workerComment": 5}}, labels=LABELS)


def test_multi_choices():
    def chosen(*labels: object, **options: object) -> Vote:
        content = {"crowd-image-classifier-multi-select": {"labels": list(labels)}}
        return answers.parse_classes_answer(content, labels=LABELS, **options)

    assert chosen("dog", LABELS[1]) == Vote(("dog", LABELS[1]))
    assert chosen() == Vote(())
    assert chosen("None", exclusion="None") == Vote(())
    with pytest.raises(AnswerError, match=r"labels\[1\]: 'dog' is chosen twice"):
        chosen("dog", "dog")
    with pytest.raises(AnswerError, match=r"labels\[0\]: 'None' cannot be combined"):
        chosen("None", "dog", exclusion="None")
    with pytest.raises(AnswerError, match=r"labels\[0\]: 'None' is not one of the labels"):
        chosen("None")
    with pytest.raises(AnswerError, match=r"labels\[0\]: must be a string"):
        chosen({"a": 1})
    content = answers.classes_content(Vote(("dog",)))
    assert answers.parse_classes_answer(content, labels=LABELS) == Vote(("dog",))


# --- worker response files -----------------------------------------------------------------------------------------

RESPONSE = {
    "answers": [
        {
            "acceptanceTime": "2020-12-28T18:59:15.191Z",
            "submissionTime": "2020-12-28T18:59:58.321Z",
            "timeSpentInSeconds": 40.543,
            "answerContent": {"crowd-image-classifier": {"label": "Falcon"}},
            "workerId": "private.us-east-1.ea05a03fcd679cbb",
            "workerMetadata": {
                "identityData": {
                    "identityProviderType": "Cognito",
                    "issuer": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_123456789",
                    "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
                }
            },
        }
    ]
}


def test_the_documented_response_file_is_written_back_equal():
    raw = orjson.dumps(RESPONSE)
    read = worker_responses.read_worker_response(raw)
    assert read[0].accepted == datetime(2020, 12, 28, 18, 59, 15, 191000, UTC)
    assert worker_responses.write_worker_response(read) == raw


def test_answers_of_public_workers_and_of_old_files_lack_some_members():
    old = copy.deepcopy(RESPONSE)
    for name in ("acceptanceTime", "timeSpentInSeconds", "workerMetadata"):
        del old["answers"][0][name]
    raw = orjson.dumps(old)
    assert worker_responses.write_worker_response(worker_responses.read_worker_response(raw)) == raw


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"workerId": None}, r"answers\[0\].workerId is missing"),
        ({"answerContent": []}, r"answers\[0\].answerContent is missing"),
        ({"submissionTime": "yesterday"}, r"answers\[0\].submissionTime is not a time: 'yesterday'"),
    ],
)
def test_invalid_members_of_response_files_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        worker_responses.read_worker_response(orjson.dumps({"answers": [RESPONSE["answers"][0] | change]}))


def test_other_files_and_times_without_a_zone_are_refused():
    for raw in (b"", b"[]", b"{}"):
        with pytest.raises(ValueError, match="worker response"):
            worker_responses.read_worker_response(raw)
    with pytest.raises(ValueError, match="has no time zone"):
        worker_responses.instant(datetime(2020, 1, 1))


def test_keys_of_output_files():
    moment = datetime(2020, 4, 21, 13, 48, 0, 91190, UTC)
    assert worker_responses.worker_response_key(iteration=2, object_id=17, moment=moment) == (
        "annotations/worker-response/iteration-2/17/2020-04-21_13:48:00.json"
    )
    assert worker_responses.consolidation_request_key(iteration=1, moment=moment) == (
        "annotations/consolidated-annotation/consolidation-request/iteration-1/2020-04-21_13:48:00.json"
    )
    assert worker_responses.consolidation_response_key(iteration=1, moment=moment) == (
        "annotations/consolidated-annotation/consolidation-response/iteration-1/2020-04-21_13:48:00.json"
    )
    assert worker_responses.mask_key(object_id=0, moment=moment) == (
        "annotations/consolidated-annotation/output/0_2020-04-21T13:48:00.091190.png"
    )
    assert worker_responses.OUTPUT_MANIFEST == "manifests/output/output.manifest"
