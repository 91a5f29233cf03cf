"""The WHERE language over manifest attributes: what it means, and where it says an expression is wrong."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.formats.selection_query import MAX_LENGTH, QueryError, compile_where

LINE = {
    "source-ref": "s3://b/a.jpg",
    "split": "train",
    "n": 3,
    "ok": True,
    "none": None,
    "it's": 'q"x',
    "animals-metadata": {"confidence": 0.9, "class-map": {"0": "cat"}, "objects": [{"confidence": 0.2}]},
    "s": {"x": 1},
}


def holds(expression: str) -> bool:
    return compile_where(expression)(LINE)


@pytest.mark.parametrize(
    "expression",
    [
        """"animals-metadata"."confidence" > 0.8 AND "split" = 'train'""",
        "where split = 'train'",
        "s3object.split = 'train' and S.n = 3",
        "animals-metadata.confidence >= .9",
        "animals-metadata.objects[0].confidence <= 2e-1",
        """"animals-metadata"."class-map"."0" = 'cat'""",
        "n <> 4 AND n != 4 AND n == 3 AND n > -1 AND n < +4",
        "n IN (1, 2, 3) AND n NOT IN (4, 'x')",
        "n BETWEEN 3 AND 3 AND n NOT BETWEEN 4 AND 9",
        "split LIKE 'tr%' AND split LIKE '_rain' AND split LIKE 'train' AND split NOT LIKE 'tr'",
        "split LIKE '%a%n' AND split LIKE '%' AND split LIKE 't%r%a%i%n'",
        "ok = TRUE AND NOT ok = false",
        "none IS NULL AND none IS NOT MISSING AND absent IS NULL AND absent IS MISSING AND n IS NOT NULL",
        """"it's" = 'q"x'""",
        "NOT (n = 4 OR split = 'val') AND (n = 3)",
        "n = 9 OR n = 3 AND split = 'train'",
        "'train' = split",
        "n <> '3' AND animals-metadata <> 1",
        "n = 3.0",
        "animals-metadata.objects[7].confidence IS MISSING",
    ],
)
def test_true(expression):
    assert holds(expression) is True


@pytest.mark.parametrize(
    "expression",
    [
        "n = '3'",
        "n > '2'",
        "n < '4'",
        "absent = 1",
        "absent <> 1",
        "NOT absent = 1",
        "none = NULL",
        "n NOT IN (4, NULL)",
        "absent LIKE '%'",
        "n LIKE '3'",
        "ok > FALSE",
        "ok = 1",
        "animals-metadata > 1",
        "animals-metadata.objects = 1",
        "n[0] = 3",
        "split.x = 1",
        "split LIKE 'Train'",
        "split LIKE 'trai'",
        "n BETWEEN 4 AND 2",
        "n = 3 AND absent = 1",
    ],
)
def test_not_true(expression):
    assert holds(expression) is False


def test_unknown_or_true_is_true():
    assert holds("absent = 1 OR n = 3")
    assert not holds("NOT (absent = 1 AND n = 3)")
    assert holds("NOT (absent = 1 AND n = 4)")


def test_a_keyword_after_a_dot_is_a_name_as_it_is_written():
    assert compile_where("a.is = 1 AND a.Like = 2")({"a": {"is": 1, "Like": 2}})
    assert not compile_where("a.is = 1")({"a": {"IS": 1}})


def test_quotes_and_escapes():
    assert compile_where("x = 'it''s'")({"x": "it's"})
    assert compile_where('"a""b" = 1')({'a"b': 1})
    assert compile_where(r"x LIKE '100\%' ESCAPE '\'")({"x": "100%"})
    assert not compile_where(r"x LIKE '100\%' ESCAPE '\'")({"x": "1000"})
    assert compile_where("x LIKE 'a%.*'")({"x": "a\n(.*"})


@pytest.mark.parametrize(
    ("expression", "position", "problem"),
    [
        ("", 1, "expected a field, a number or a 'text', found the end"),
        ("n", 2, "expected a comparison, found the end"),
        ("n =", 4, "expected a field, a number or a 'text', found the end"),
        ("n = 3 split", 7, "expected AND, OR or the end, found 'split'"),
        ("n = 3 AND", 10, "expected a field, a number or a 'text', found the end"),
        ("(n = 3", 7, "expected ')', found the end"),
        ("n = 3)", 6, "expected AND, OR or the end, found ')'"),
        ("n NOT = 3", 7, "expected IN, LIKE or BETWEEN, found '='"),
        ("n = 'abc", 5, "a text that is not closed"),
        ('"abc = 3', 1, "a field name that is not closed"),
        ("n = 3; DROP TABLE x", 6, "unexpected ';'"),
        ("n IN 3", 6, "expected '(', found 3"),
        ("n IN ()", 7, "expected a field, a number or a 'text', found ')'"),
        ("n IN (1", 8, "expected ')', found the end"),
        ("n LIKE 3", 8, "LIKE needs a text in single quotes, found 3"),
        ("n LIKE 'a' ESCAPE 'xy'", 23, "ESCAPE needs one character in single quotes"),
        ("n LIKE 'a!' ESCAPE '!'", 8, "the pattern ends in its escape character"),
        ("n IS 3", 6, "expected NULL or MISSING, found 3"),
        ("3 IS NULL", 1, "IS NULL needs a field on its left"),
        ("a. = 3", 4, "expected a field name after '.', found '='"),
        ("a[-1] = 3", 3, "expected a place such as [0], found -1"),
        ("a[x] = 3", 3, "expected a place such as [0], found 'x'"),
        ("n BETWEEN 1 OR 2", 13, "expected 'AND', found 'OR'"),
        ("3abc = 1", 1, "unexpected '3'"),
        ("n = __import__('os')", 15, "expected AND, OR or the end, found '('"),
    ],
)
def test_mistakes_are_named_with_their_position(expression, position, problem):
    with pytest.raises(QueryError) as caught:
        compile_where(expression)
    assert (caught.value.position, caught.value.problem) == (position, problem)
    assert str(caught.value) == f"position {position}: {problem}"


def test_limits():
    with pytest.raises(QueryError, match="at most 4000 characters"):
        compile_where("n" * (MAX_LENGTH + 1))
    with pytest.raises(QueryError, match="nested deeper than 40 levels"):
        compile_where("(" * 60 + "n = 3" + ")" * 60)
    with pytest.raises(QueryError, match="nested deeper than 40 levels"):
        compile_where("NOT " * 60 + "n = 3")
    assert compile_where(" AND ".join(["n = 3"] * 300))(LINE)


def test_a_hostile_pattern_stays_cheap():
    matches = compile_where("x LIKE '" + "%a" * 500 + "%b'")
    assert not matches({"x": "a" * 20_000})


@given(st.text("ab%_\n.", max_size=6), st.text("ab\n.", max_size=6))
def test_like_is_what_it_says(pattern, text):
    expected = re.fullmatch("".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern), text, re.DOTALL)
    assert compile_where(f"x LIKE '{pattern}'")({"x": text}) is (expected is not None)


@given(st.text(max_size=40))
def test_any_text_compiles_or_is_refused_with_a_position(text):
    try:
        compile_where(text)(LINE)
    except QueryError as error:
        assert 1 <= error.position <= len(text) + 1


WORDS = "n split ( ) AND OR NOT IN LIKE , = < 3 'x' IS NULL BETWEEN . [ 0 ]"


@given(st.lists(st.sampled_from(WORDS.split()), max_size=12))
def test_any_tokens_compile_or_are_refused(words):
    try:
        result = compile_where(" ".join(words))(LINE)
    except QueryError:
        return
    assert result in (True, False)
