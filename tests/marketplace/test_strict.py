"""What texts, whole numbers and JSON from outside may be."""

import re
from pathlib import Path

import pytest

from marketplace import strict
from marketplace.errors import Invalid
from tests.architecture.test_lengths import ROOT


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), (str(2**63 - 1), 2**63 - 1)])
def test_a_whole_number_is_read(text, number):
    assert strict.whole_number(text) == number


@pytest.mark.parametrize("text", ["", "²", "٣", "1.0", "1e3", " 1", "+1", "1_0", "0", "-1", str(2**63), "9" * 5000])
def test_what_is_no_key_is_none(text):
    assert strict.whole_number(text) is None


@pytest.mark.parametrize("document", ["[]", "null", '{"a": [1, -9223372036854775808, 1e300, "\\ud83d\\ude00"]}'])
def test_a_document_is_read(document):
    assert strict.read_json(document) == strict.read_json(document.encode())


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "Expecting value"),
        ("NaN", "NaN"),
        ("[-Infinity]", "-Infinity"),
        (b'"\xff"', "not UTF-8"),
        ('"a'.encode("utf-16"), "not UTF-8"),
        ("9" * 5000, "more digits"),
        ("[" * 33 + "]" * 33, "deeper than 32"),
        ("[" * 100_000, "deeper than 32"),
    ],
)
def test_what_is_no_json_is_refused_with_the_reason(document, reason):
    with pytest.raises(strict.NotJson, match=reason):
        strict.read_json(document)


@pytest.mark.parametrize(
    ("document", "field", "reason"),
    [
        ('{"a": {"b": [0, "x\\u0000"]}}', "a.b.1", "NUL"),
        ('["\\ud800"]', "0", "surrogate"),
        ('{"a": {"\\udc00": 1}}', "a", "a name holds half of a surrogate"),
        ('{"a": 9223372036854775808}', "a", "64 bits"),
        ('{"a": 1e999}', "a", "too large"),
    ],
)
def test_a_bad_value_is_refused_by_the_path_to_it(document, field, reason):
    with pytest.raises(Invalid, match=reason) as refused:
        strict.read_json(document)
    assert refused.value.field == field


def test_no_other_check_of_digits_is_used():
    """`isdigit` and its like take digits of other scripts and superscripts, of which `int` refuses some."""
    found = [
        str(path.relative_to(ROOT))
        for room in ("marketplace", "frontend")
        for path in Path(ROOT, room).glob("**/*.py")
        if "node_modules" not in path.parts and re.search(r"\.is(digit|decimal|numeric)\(", path.read_text())
    ]
    assert found == []
