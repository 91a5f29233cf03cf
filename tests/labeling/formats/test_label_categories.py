"""Label category configuration files: every rule, named where it breaks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.formats import label_categories as categories
from labeling.formats.label_categories import CategoriesError, Label


def document(*labels: object, **more: object) -> str:
    return json.dumps({"document-version": "2018-11-28", "labels": list(labels)} | more)


def test_the_documented_file_is_written_back_equal():
    raw = b'{"document-version":"2018-11-28","labels":[{"label":"dog"},{"label":"cat"}]}'
    found = categories.parse(raw)
    assert found.names == ("dog", "cat") and categories.write(found) == raw
    assert categories.parse(b"\xef\xbb\xbf" + raw) == found


def test_unknown_members_are_kept():
    raw = document(
        {"label": "Date", "shortDisplayName": "dt"},
        {"label": "x", "categoryAttributes": [{"name": "a", "type": "string"}]},
        instructions={"shortInstruction": "<b>", "fullInstruction": "long"},
        auditLabelAttributeName="old",
    )
    found = categories.parse(raw)
    assert found.labels[0] == Label("Date", "dt") and found.short_instruction == "<b>"
    assert json.loads(categories.write(found)) == json.loads(raw)
    frames = raw.replace('"document-version": "2018-11-28"', '"documentVersion": "2020-03-01"')
    assert json.loads(categories.write(categories.parse(frames))) == json.loads(frames)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nope", "file: is not valid JSON (line 1, column 1)"),
        ("[]", "file: must be a JSON object"),
        ("{}", "document-version: must be '2018-11-28' or '2020-03-01', found None"),
        (document()[:-1] + ',"labels":5}', "labels: must be a list"),
        (document(), "labels: at least one label needed, found 0"),
        (document("dog"), 'labels[0]: must be an object such as {"label": "dog"}'),
        (document({"name": "dog"}), "labels[0].label: is missing"),
        (document({"label": 5}), "labels[0].label: must be a string"),
        (document({"label": " "}), "labels[0].label: is empty"),
        (document({"label": "x" * 257}), "labels[0].label: has 257 characters, at most 256 are allowed"),
        (document({"label": "a"}, {"label": "a"}), "labels[1].label: 'a' is already labels[0]"),
        (document({"label": "a\x00"}), "labels[0].label: holds the character U+0000, which files cannot carry"),
        (document({"label": "a", "shortDisplayName": 5}), "labels[0].shortDisplayName: must be a string"),
        (document({"label": "a"}, instructions=[]), "instructions: must be an object"),
        (
            document({"label": "a"}, instructions={"shortInstruction": "x" * 255}),
            "instructions.shortInstruction: has 255 characters, at most 254 are allowed",
        ),
        (
            document({"label": "a"}, instructions={"fullInstruction": "x" * 2048}),
            "instructions.fullInstruction: has 2048 characters, at most 2047 are allowed",
        ),
    ],
)
def test_mistakes_are_named(text, message):
    with pytest.raises(CategoriesError) as caught:
        categories.parse(text)
    assert str(caught.value) == message


def test_a_choice_needs_two_labels():
    with pytest.raises(CategoriesError, match="labels: at least two labels needed, found 1"):
        categories.parse(document({"label": "a"}), fewest=2)
    assert categories.from_names(["a"], fewest=1).names == ("a",)


def frames(**more: object) -> str:
    return json.dumps({"documentVersion": "2020-03-01", "labels": [{"label": "a"}]} | more)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (frames(annotationType="Box"), "annotationType: must be one of BoundingBox"),
        (frames(frameAttributes=[{"name": "x" * 17}]), r"frameAttributes\[0\].name: must be a string of 1 to 16"),
        (frames(frameAttributes=[{"name": "x", "type": "bool"}]), r"frameAttributes\[0\].type: must be 'string'"),
        (
            frames(frameAttributes=[{"name": "x", "type": "string"}] * 11),
            "frameAttributes: must be a list of at most 10",
        ),
        (frames(labels=[{"label": f"l{n}"} for n in range(31)]), "labels: at most 30 are allowed, found 31"),
    ],
)
def test_frame_files_have_more_rules(text, message):
    with pytest.raises(CategoriesError, match=message):
        categories.parse(text)


def test_an_adjustment_keeps_every_label():
    kept = categories.from_names(["a", "b", "c"])
    categories.check_keeps_labels(kept, ["b", "a"])
    with pytest.raises(CategoriesError, match="labels of the adjusted job are missing: 'x', 'y'"):
        categories.check_keeps_labels(kept, ["x", "a", "y"])


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5))
def test_any_labels_round_trip_or_are_refused(names):
    try:
        written = categories.write(categories.from_names(names))
    except CategoriesError:
        assert (
            len(set(names)) < len(names)
            or any(not name.strip() for name in names)
            or any(
                ord(sign) < 32 or 0xD800 <= ord(sign) < 0xE000 or ord(sign) in (0xFFFE, 0xFFFF)
                for sign in "".join(names)
            )
        )
        return
    assert categories.parse(written).names == tuple(names)
