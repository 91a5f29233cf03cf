"""Every rule of an input manifest, its message and its line number; streaming, sampling and label names."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import tracemalloc

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.formats import manifest_hints
from labeling.formats.attribute_names import validate_label_attribute_name
from labeling.formats.augmented import box_label
from labeling.formats.augmented_reading import label_state, read_boxes
from labeling.formats.label_context import LabelContext
from labeling.formats.manifest import BadLine, Line, parse, parse_line, sample, select
from labeling.formats.shapes import Box, ImageSize


def good(*lines: bytes, **options: object) -> list[Line]:
    found = list(parse(lines, **options))
    assert all(isinstance(line, Line) for line in found), found
    return found


def reason(line: bytes | str, **options: object) -> str:
    found = list(parse([line], **options))
    assert len(found) == 1 and isinstance(found[0], BadLine), found
    return found[0].reason


def test_reads_references_and_texts_with_their_other_keys():
    first, second = good(b'{"source-ref":"s3://b/1.jpg","split":"train"}\n', b'{"source":"a text"}\r\n')
    assert (first.index, first.number, first.source_ref, first.source) == (0, 1, "s3://b/1.jpg", None)
    assert first.attributes == {"source-ref": "s3://b/1.jpg", "split": "train"}
    assert first.original == b'{"source-ref":"s3://b/1.jpg","split":"train"}'
    assert (second.index, second.source, second.original) == (1, "a text", b'{"source":"a text"}')


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"a":1}', "'source-ref' or 'source' is missing"),
        (b"{}", "'source-ref' or 'source' is missing"),
        (
            b'{"source":"t","source-ref":"s3://b/k"}',
            "has both 'source-ref' and 'source', exactly one is needed",
        ),
        (b'{"source-ref":5}', "'source-ref' must be a string, found a number"),
        (b'{"source-ref":null}', "'source-ref' must be a string, found null"),
        (b'{"source":["x"]}', "'source' must be a string, found an array"),
        (b'{"source":true}', "'source' must be a string, found a boolean"),
        (b'{"source":"  "}', "'source' is empty"),
        (b'{"source-ref":""}', "'source-ref' is empty"),
        (b"[1]", "must be a JSON object, found an array: " + manifest_hints.BY_LINE),
        (b'"s3://b/k"', "must be a JSON object, found a string"),
        (b"null", "must be a JSON object, found null"),
        (b'{"source":"t","$x":1}', "attribute name '$x' must not be empty or start with '$'"),
        (b'{"source":"t","":1}', "attribute name '' must not be empty or start with '$'"),
        (b'{"source":"a","source":"b"}', "attribute 'source' appears twice"),
        (rb'{"source":"a","so\u0075rce":"b"}', "attribute 'source' appears twice"),
        (rb'{"source":"a","q\"":1,"q\"":2}', "attribute 'q\"' appears twice"),
        (b'{"source":"\xff"}', "is not UTF-8 text (byte 12): save the file as UTF-8"),
        ('{"source":"x"}'.encode("utf-16"), "the file is not UTF-8 text (it looks like UTF-16): save it as UTF-8"),
        (b'{"source":"' + b"y" * 20_001 + b'"}', "attribute 'source' is longer than 20,000 characters"),
        (b'{"source":"' + b"y" * 100_000 + b'"}', "is longer than 100,000 characters"),
    ],
)
def test_names_what_is_wrong_with_a_line(line, expected):
    assert reason(line) == expected


@pytest.mark.parametrize("line", [b'{"source":"x"', b'{"source":NaN}', b"hello", b'{"source":"x"} {"source":"y"}'])
def test_broken_json_names_the_column(line):
    assert reason(line).startswith("is not valid JSON (column ")


@pytest.mark.parametrize("uri", ["1.jpg", "/etc/passwd", "s3:/b/k", "javascript://x/y", "s3://", "s3://b/\\u0000"])
def test_references_must_be_uris_of_a_known_scheme(uri):
    assert reason(b'{"source-ref":"%s"}' % uri.encode()).startswith(
        "'source-ref' must be a URI starting with s3://, file://, http://, https://; found "
    )


def test_schemes_and_kinds_can_be_narrowed():
    assert "starting with s3://; found" in reason(b'{"source-ref":"file:///x"}', schemes=("s3",))
    assert good(b'{"source-ref":"x.jpg"}', schemes=None)[0].source_ref == "x.jpg"
    assert reason(b'{"source":"t"}', kinds=("source-ref",)) == (
        "'source-ref' is missing (found 'source', which this job cannot use)"
    )


def test_lengths_count_characters_not_bytes():
    assert good(('{"source":"' + "é" * 20_000 + '"}').encode())[0].source == "é" * 20_000
    assert reason(('{"source":"' + "é" * 20_001 + '"}').encode()) == (
        "attribute 'source' is longer than 20,000 characters"
    )
    many = {f"k{n}": "y" * 9_000 for n in range(11)}
    assert len(json.dumps(many)) < 100_000
    assert good(orjson.dumps({"source": "t"} | many))


def test_a_duplicate_value_is_no_duplicate_name():
    assert good(b'{"source":"source","x":{"source":1}}')[0].source == "source"


def test_deep_nesting_is_a_bad_line_not_a_crash():
    deep = b'{"source":"t\\n","x":' + b"[" * 1000 + b"]" * 1000 + b"}"
    found = list(parse([deep]))
    assert len(found) == 1
    deeper = b'{"source":"t","x":' + b"[" * 40_000 + b"]" * 40_000 + b"}"
    assert isinstance(next(iter(parse([deeper]))), BadLine)


def test_numbers_count_blank_and_bad_lines():
    stream = io.BytesIO(b'\xef\xbb\xbf{"source":"a"}\r\n\n  \nbroken\n{"source":"b"}')
    first, bad, last = parse(stream)
    assert (first.index, first.original) == (0, b'{"source":"a"}')
    assert (bad.number, str(bad)[:8], bad.excerpt) == (4, "line 4: ", "broken")
    assert (last.index, last.source) == (4, "b")


def test_a_bad_line_is_described_with_its_number():
    lines = [b'{"source":"x"}'] * 811 + [b'{"split":"train"}']
    bad = [str(line) for line in parse(lines, kinds=("source-ref",)) if isinstance(line, BadLine)]
    assert bad[-1] == "line 812: 'source-ref' is missing"


def test_excerpts_are_short():
    assert len(next(iter(parse([b"x" * 5000]))).excerpt) == 120


def test_already_labeled_lines_are_marked():
    labeled, failed, fresh = good(
        b'{"source":"a","bee":1,"bee-metadata":{}}',
        b'{"source":"b","bee-metadata":{"failure-reason":"x"}}',
        b'{"source":"c","wasp":1}',
        label_attribute_name="bee",
    )
    assert (labeled.labeled, failed.labeled, fresh.labeled) == (True, False, False)
    assert not good(b'{"source":"a","bee":1}')[0].labeled


@pytest.mark.parametrize("metadata", [b"", b',"bee-metadata":null', b',"bee-metadata":{"class-map":{}}'])
def test_a_label_that_is_null_is_no_label(metadata):
    """Tables written as JSON Lines have null where a column is absent, and slashes with a backslash."""
    (line,) = good(rb'{"source-ref":"s3:\/\/b\/1.jpg","bee":null' + metadata + b"}", label_attribute_name="bee")
    assert (line.source_ref, line.labeled) == ("s3://b/1.jpg", False)
    assert label_state(line.attributes, "bee") == "unlabeled"


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lambda raw: b"PK\x03\x04" + raw])
def test_a_compressed_file_is_one_bad_line_that_says_so(packed):
    raw = b"".join(b'{"source":"%d"}\n' % number for number in range(500))
    (bad,) = parse(io.BytesIO(packed(raw)))
    assert bad.number == 1 and bad.reason.startswith("the file is compressed (") and "unpack it first" in bad.reason


@pytest.mark.parametrize("indent", [2, "\t"])
@pytest.mark.parametrize("record", [{"source": "x", "a": {"b": [1]}}, [{"source": "x"}, {"source": "y"}]])
def test_json_over_several_lines_is_one_bad_line_that_says_the_way_out(record, indent):
    (bad,) = parse(io.BytesIO(b"\n" + json.dumps(record, indent=indent).encode()))
    assert bad.number == 2
    assert "one whole JSON object on each line" in bad.reason and "jq -c" in bad.reason


def test_labels_may_be_longer_than_what_a_user_writes():
    """An image with a thousand boxes makes a long label; what we write we can read."""
    boxes = [Box("bee", n / 3, n / 7, 10 / 3, 20 / 7, 0.1234) for n in range(1000)]
    about = LabelContext(labels=["bee"], image_size=ImageSize(9000, 9000), job_name="x", created="2026-01-01")
    value, metadata = box_label(boxes, about)
    line = orjson.dumps({"source-ref": "s3://b/1.jpg", "boxes": value, "boxes-metadata": metadata})
    assert len(line) > 100_000
    (found,) = good(line, label_attribute_name="boxes")
    assert len(read_boxes(found.attributes, "boxes").boxes) == 1000
    assert "attribute 'other' is longer" in reason(line[:-1] + b',"other":"' + b"y" * 20_001 + b'"}')
    assert reason(line[:-1] + b"".join(b',"k%d":"%s"' % (n, b"y" * 9_990) for n in range(11)) + b"}") == (
        "is longer than 100,000 characters"
    )


def test_text_lines_are_read_too():
    assert good('{"source":"é"}\n')[0].original == '{"source":"é"}'.encode()
    assert [line.source for line in parse(io.StringIO('{"source":"a"}\n{"source":"b"}'))] == ["a", "b"]
    assert "UTF-8" in reason('{"source":"\ud800"}')


def test_one_line_alone():
    assert parse_line('{"source":"x"}\n', number=7).index == 6
    with pytest.raises(ValueError, match="^line 7: 'source-ref' or 'source' is missing$"):
        parse_line(b"{}", number=7)
    with pytest.raises(ValueError, match="^line 1: is empty$"):
        parse_line(b"  ")


def test_memory_stays_constant_for_huge_lines_and_files():
    class EndlessLine(io.RawIOBase):
        """Two hundred megabytes without a line end, made as they are read, then one good line."""

        def __init__(self) -> None:
            self.left = 200_000_000
            self.tail = io.BytesIO(b'\n{"source":"after"}\n')

        def readable(self) -> bool:
            return True

        def readinto(self, buffer) -> int:
            if self.left <= 0:
                return self.tail.readinto(buffer)
            size = min(len(buffer), self.left)
            buffer[:size] = b"x" * size
            self.left -= size
            return size

    tracemalloc.start()
    found = list(parse(io.BufferedReader(EndlessLine())))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(line) for line in found] == [BadLine, Line]
    assert found[0].reason == "is longer than 100,000 characters"
    assert (found[1].number, found[1].source) == (2, "after")
    assert peak < 5_000_000


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(raw):
    for line in parse(io.BytesIO(raw)):
        assert isinstance(line, Line | BadLine)


@given(st.lists(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=9)), max_size=5))
def test_lines_keep_their_bytes(records):
    lines = [json.dumps(record | {"source": "t"}).encode() for record in records]
    for item, line in zip(parse(io.BytesIO(b"\n".join(lines))), lines, strict=True):
        if isinstance(item, Line):
            assert item.original == line
        else:
            assert "attribute name" in item.reason or "not valid JSON" in item.reason


# --- choosing ------------------------------------------------------------------------------------------------------


def numbered(count: int) -> list[Line | BadLine]:
    return list(parse(b'{"source":"%d"}' % n for n in range(count)))


def test_a_sample_is_the_same_for_the_same_seed_and_about_as_large_as_asked():
    lines = numbered(5000)
    first = [line.index for line in sample(lines, percent=20, seed=7)]
    assert first == [line.index for line in sample(lines, percent=20, seed=7)] == sorted(first)
    assert 900 < len(first) < 1100
    assert first != [line.index for line in sample(lines, percent=20, seed=8)]
    assert [line.index for line in sample(lines[:2500], percent=20, seed=7)] == [n for n in first if n < 2500]


@pytest.mark.parametrize(("total", "percent", "expected"), [(1000, 10, 100), (7, 50, 4), (3, 1, 1), (9, 100, 9)])
def test_an_exact_sample_has_exactly_its_size(total, percent, expected):
    assert len(list(sample(numbered(total), percent=percent, seed=1, total=total))) == expected


def test_an_exact_sample_is_fair():
    chosen = [0] * 20
    for seed in range(2000):
        for line in sample(numbered(20), percent=25, seed=seed, total=20):
            chosen[line.index] += 1
    assert all(400 < count < 600 for count in chosen), chosen


def test_bad_lines_are_never_filtered_out():
    lines = list(parse([b"x", b'{"source":"t"}']))
    assert [type(x) for x in select(lines, lambda attributes: False)] == [BadLine]
    assert BadLine in [type(x) for x in sample(lines, percent=0.001, seed=1)]


@pytest.mark.parametrize("percent", [0, -1, 101, float("nan")])
def test_a_percentage_out_of_range_is_refused(percent):
    with pytest.raises(ValueError, match="percent must be above 0 and at most 100"):
        sample([], percent=percent, seed=1)


# --- label attribute names -----------------------------------------------------------------------------------------


FILES = ("SemanticSegmentation", "AdjustmentVideoObjectTracking")  # types whose label is the URI of a file


def test_good_names():
    assert validate_label_attribute_name("my-boxes-2", "BoundingBox") == "my-boxes-2"
    assert validate_label_attribute_name("city-ref", "SemanticSegmentation", is_file=True) == "city-ref"
    assert validate_label_attribute_name("a" * 127, "ImageMultiClass")


@pytest.mark.parametrize(
    ("name", "task_type", "message"),
    [
        ("", "BoundingBox", "1 to 127 characters"),
        ("a" * 128, "BoundingBox", "1 to 127 characters"),
        ("-a", "BoundingBox", "must start and end with a letter or digit"),
        ("a-", "BoundingBox", "must start and end with a letter or digit"),
        ("a b", "BoundingBox", "letters, digits and inner hyphens"),
        ("_a", "BoundingBox", "must start and end"),
        ("a.", "BoundingBox", "must start and end"),
        ("bienenstöcke", "BoundingBox", "letters, digits and inner hyphens"),
        ("a\n", "BoundingBox", "letters, digits and inner hyphens"),
        ("boxes-metadata", "BoundingBox", "must not end in '-metadata'"),
        ("boxes-ref", "BoundingBox", "must not end in '-ref' for BoundingBox"),
        ("boxes-ref", "VerificationSemanticSegmentation", "must not end in '-ref'"),
        ("city", "SemanticSegmentation", "must end in '-ref' for SemanticSegmentation"),
        ("city", "AdjustmentVideoObjectTracking", "must end in '-ref'"),
        ("source", "BoundingBox", "name of the input itself"),
        ("source-ref", "SemanticSegmentation", "name of the input itself"),
    ],
)
def test_bad_names(name, task_type, message):
    with pytest.raises(ValueError, match=message):
        validate_label_attribute_name(name, task_type, is_file=task_type in FILES)


def test_a_review_needs_a_name_of_its_own():
    with pytest.raises(ValueError, match="must differ from the label it reviews"):
        validate_label_attribute_name("boxes", "AdjustmentBoundingBox", reviewed="boxes")
    assert validate_label_attribute_name("boxes-2", "AdjustmentBoundingBox", reviewed="boxes") == "boxes-2"
