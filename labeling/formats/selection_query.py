"""Choosing objects by their metadata: the WHERE part of a small SQL, in the spirit of S3 Select over a manifest.

    "animals-metadata"."confidence" > 0.8 AND split IN ('train', 'val') AND NOT note LIKE '%blur%'

A parser of its own, no eval. Knows only dictionaries: a field that is not there is NULL, and a comparison with NULL is
neither true nor false (SQL's unknown), so the object is not chosen. A number never equals a text; which of the two is
larger is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_LENGTH = 4000
MAX_DEPTH = 40

Truth = bool | None
Value = Callable[[Mapping[str, Any]], Any]
Test = Callable[[Mapping[str, Any]], Truth]


class QueryError(ValueError):
    """What is wrong with an expression and at which character (1-based)."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(f"position {position}: {problem}")
        self.problem = problem
        self.position = position


def compile_where(expression: str) -> Callable[[Mapping[str, Any]], bool]:
    """A predicate over the attributes of a line. Raises QueryError with the position of the first mistake.

    Fields: `name`, `"name with anything"`, paths with dots and `[0]`; a leading `s.` or `s3object.` is dropped.
    Operators: = == != <> < <= > >=, AND OR NOT, IN (...), LIKE '%_' [ESCAPE 'c'], BETWEEN a AND b, IS [NOT] NULL or
    MISSING. Literals: numbers, 'text' ('' for a quote), TRUE, FALSE, NULL.
    """
    if len(expression) > MAX_LENGTH:
        raise QueryError(f"an expression has at most {MAX_LENGTH} characters", MAX_LENGTH + 1)
    test = _Parser(_tokens(expression)).parse()
    return lambda attributes: test(attributes) is True


# --- tokens --------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?(?![\w]))
      | (?P<text>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")+")
      | (?P<word>[^\W\d][\w-]*)
      | (?P<sign><=|>=|<>|!=|==|[=<>(),.\[\]])""",
    re.VERBOSE,
)
_KEYWORDS = frozenset(
    "AND OR NOT IN LIKE ESCAPE BETWEEN IS NULL MISSING TRUE FALSE WHERE".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, text, field, word (a bare name), keyword, sign, end
    value: Any
    position: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.value)


def _tokens(expression: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            unclosed = {"'": "a text that is not closed", '"': "a field name that is not closed"}
            raise QueryError(unclosed.get(expression[at], f"unexpected {expression[at]!r}"), at + 1)
        text, kind, position = match[0], match.lastgroup, at + 1
        at = match.end()
        if kind == "number":
            found.append(_Token("number", float(text) if re.search(r"[.eE]", text) else int(text), position))
        elif kind == "text":
            found.append(_Token("text", text[1:-1].replace("''", "'"), position))
        elif kind == "quoted":
            found.append(_Token("field", text[1:-1].replace('""', '"'), position))
        elif kind == "word":
            upper = text.upper()
            found.append(_Token("keyword", upper, position) if upper in _KEYWORDS else _Token("word", text, position))
        elif kind == "sign":
            found.append(_Token("sign", text, position))
    found.append(_Token("end", None, len(expression) + 1))
    return found


# --- grammar -------------------------------------------------------------------------------------------------------

_SIGNS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class _Parser:
    """Recursive descent: or -> and -> not -> predicate -> operand."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def parse(self) -> Test:
        self._accept("keyword", "WHERE")
        test = self._or()
        if self._next.kind != "end":
            raise QueryError(f"expected AND, OR or the end, found {self._next}", self._next.position)
        return test

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _accept(self, kind: str, *values: str) -> _Token | None:
        token = self._next
        if token.kind == kind and (not values or token.value in values):
            self._at += 1
            return token
        return None

    def _expect(self, kind: str, value: str) -> None:
        if self._accept(kind, value) is None:
            raise QueryError(f"expected {value!r}, found {self._next}", self._next.position)

    def _or(self) -> Test:
        tests = [self._and()]
        while self._accept("keyword", "OR"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else _any(tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._accept("keyword", "AND"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else _all(tests)

    def _not(self) -> Test:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise QueryError(f"nested deeper than {MAX_DEPTH} levels", self._next.position)
        if self._accept("keyword", "NOT"):
            test = _negate(self._not())
        elif self._accept("sign", "("):
            test = self._or()
            self._expect("sign", ")")
        else:
            test = self._predicate()
        self._depth -= 1
        return test

    def _predicate(self) -> Test:
        position = self._next.position
        left, missing = self._operand()
        if self._accept("keyword", "IS"):
            return self._is(missing, position)
        negated = self._accept("keyword", "NOT") is not None
        if self._accept("keyword", "IN"):
            test = _one_of(left, self._list())
        elif self._accept("keyword", "LIKE"):
            test = self._like(left)
        elif self._accept("keyword", "BETWEEN"):
            low, _ = self._operand()
            self._expect("keyword", "AND")
            high, _ = self._operand()
            test = _all([_compare(left, ">=", low), _compare(left, "<=", high)])
        else:
            sign = None if negated else self._accept("sign", *_SIGNS)
            if sign is None:
                wanted = "IN, LIKE or BETWEEN" if negated else "a comparison"
                raise QueryError(f"expected {wanted}, found {self._next}", self._next.position)
            right, _ = self._operand()
            test = _compare(left, _SIGNS[sign.value], right)
        return _negate(test) if negated else test

    def _is(self, lookup: Value | None, position: int) -> Test:
        negated = self._accept("keyword", "NOT") is not None
        token = self._accept("keyword", "NULL", "MISSING")
        if token is None:
            raise QueryError(f"expected NULL or MISSING, found {self._next}", self._next.position)
        if lookup is None:
            raise QueryError(f"IS {token.value} needs a field on its left", position)
        test: Test
        if token.value == "NULL":
            test = lambda attributes: lookup(attributes) is _ABSENT or lookup(attributes) is None  # noqa: E731
        else:
            test = lambda attributes: lookup(attributes) is _ABSENT  # noqa: E731
        return _negate(test) if negated else test

    def _list(self) -> list[Value]:
        self._expect("sign", "(")
        values = [self._operand()[0]]
        while self._accept("sign", ","):
            values.append(self._operand()[0])
        self._expect("sign", ")")
        return values

    def _like(self, left: Value) -> Test:
        pattern = self._accept("text")
        if pattern is None:
            raise QueryError(f"LIKE needs a text in single quotes, found {self._next}", self._next.position)
        escape = None
        if self._accept("keyword", "ESCAPE"):
            token = self._accept("text")
            if token is None or len(token.value) != 1:
                raise QueryError("ESCAPE needs one character in single quotes", self._next.position)
            escape = token.value
        match = _like_matcher(pattern.value, escape, pattern.position)

        def test(attributes: Mapping[str, Any]) -> Truth:
            value = left(attributes)
            return match(value) if isinstance(value, str) else None

        return test

    def _operand(self) -> tuple[Value, Value | None]:
        """(its value with NULL as None, a look-up that tells missing from null; None for a literal)."""
        if token := self._accept("number") or self._accept("text"):
            constant = token.value
            return (lambda attributes: constant), None
        if token := self._accept("keyword", "TRUE", "FALSE", "NULL"):
            literal = {"TRUE": True, "FALSE": False, "NULL": None}[token.value]
            return (lambda attributes: literal), None
        path = self._path()
        lookup = _lookup(path)

        def value(attributes: Mapping[str, Any]) -> Any:
            found = lookup(attributes)
            return None if found is _ABSENT else found

        return value, lookup

    def _path(self) -> list[str | int]:
        token = self._accept("field") or self._accept("word")
        if token is None:
            raise QueryError(f"expected a field, a number or a 'text', found {self._next}", self._next.position)
        path: list[str | int] = [token.value]
        while True:
            if self._accept("sign", "."):
                part = self._accept("field") or self._accept("word") or self._accept("keyword")
                if part is None:
                    raise QueryError(f"expected a field name after '.', found {self._next}", self._next.position)
                path.append(part.value)
            elif self._accept("sign", "["):
                place = self._accept("number")
                if place is None or not isinstance(place.value, int) or place.value < 0:
                    found = place or self._next
                    raise QueryError(f"expected a place such as [0], found {found}", found.position)
                path.append(place.value)
                self._expect("sign", "]")
            else:
                break
        if token.kind == "word" and token.value.lower() in ("s", "s3object") and len(path) > 1:
            path = path[1:]
        return path


# --- meaning -------------------------------------------------------------------------------------------------------

_ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "MISSING"})()


def _lookup(path: list[str | int]) -> Value:
    def find(attributes: Mapping[str, Any]) -> Any:
        found: Any = attributes
        for part in path:
            in_object = isinstance(part, str) and isinstance(found, Mapping) and part in found
            if in_object or (isinstance(part, int) and isinstance(found, list) and part < len(found)):
                found = found[part]
            else:
                return _ABSENT
        return found

    return find


def _all(tests: list[Test]) -> Test:
    def test(attributes: Mapping[str, Any]) -> Truth:
        results = [each(attributes) for each in tests]
        return False if False in results else None if None in results else True

    return test


def _any(tests: list[Test]) -> Test:
    def test(attributes: Mapping[str, Any]) -> Truth:
        results = [each(attributes) for each in tests]
        return True if True in results else None if None in results else False

    return test


def _negate(test: Test) -> Test:
    def negated(attributes: Mapping[str, Any]) -> Truth:
        result = test(attributes)
        return None if result is None else not result

    return negated


def _one_of(left: Value, values: list[Value]) -> Test:
    return _any([_compare(left, "=", value) for value in values])


def _compare(left: Value, sign: str, right: Value) -> Test:
    def test(attributes: Mapping[str, Any]) -> Truth:
        a, b = left(attributes), right(attributes)
        if a is None or b is None:
            return None
        comparable = _kind(a) is not None and _kind(a) == _kind(b)
        if not comparable:
            return {"=": False, "!=": True}.get(sign)
        if sign == "=":
            return bool(a == b)
        if sign == "!=":
            return bool(a != b)
        if isinstance(a, bool):
            return None
        if sign == "<":
            return bool(a < b)
        if sign == "<=":
            return bool(a <= b)
        return bool(a > b) if sign == ">" else bool(a >= b)

    return test


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else None


def _like_matcher(pattern: str, escape: str | None, position: int) -> Callable[[str], bool]:
    """% is any text, _ any character. Pieces between % are searched left to right, so the cost stays linear."""
    pieces: list[str] = [""]
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == escape:
            at += 1
            if at == len(pattern):
                raise QueryError("the pattern ends in its escape character", position)
            pieces[-1] += re.escape(pattern[at])
        elif sign == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if sign == "_" else re.escape(sign)
        at += 1
    compiled = [re.compile(piece, re.DOTALL) for piece in pieces]
    if len(compiled) == 1:
        return lambda text: compiled[0].fullmatch(text) is not None
    ending = re.compile(f"(?:{pieces[-1]})\\Z", re.DOTALL)

    def match(text: str) -> bool:
        first = compiled[0].match(text)
        if first is None:
            return False
        at = first.end()
        for piece in compiled[1:-1]:
            found = piece.search(text, at)
            if found is None:
                return False
            at = found.end()
        return ending.search(text, at) is not None

    return match
