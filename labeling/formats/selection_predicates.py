"""What the conditions of a selection mean: closures over the attributes of a manifest line, in SQL's three values.

A predicate answers True, False or None (unknown). It must not know the text of a query nor its grammar.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Truth = bool | None
Attributes = Mapping[str, Any]
Predicate = Callable[[Attributes], Truth]

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()
"""What a lookup finds where a line has no such field, as opposed to null."""

_KINDS = {bool: "boolean", int: "number", float: "number", str: "text"}
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison. `value` reads it from a line and gives MISSING for an absent field."""

    value: Callable[[Attributes], Any]
    is_field: bool


def constant(value: Any) -> Operand:
    """A literal of the query."""
    return Operand(lambda attributes: value, is_field=False)


def field(path: Sequence[str | int]) -> Operand:
    """The value at a path of object keys and list places."""
    first, rest = path[0], tuple(path[1:])
    if isinstance(first, int):
        return Operand(lambda attributes: MISSING, is_field=True)  # a line is an object, not a list
    if not rest:
        return Operand(lambda attributes: attributes.get(first, MISSING), is_field=True)

    def find(attributes: Attributes) -> Any:
        found: Any = attributes.get(first, MISSING)
        for part in rest:
            if isinstance(part, str):
                found = found.get(part, MISSING) if isinstance(found, dict) else MISSING
            else:
                found = found[part] if isinstance(found, list) and part < len(found) else MISSING
        return found

    return Operand(find, is_field=True)


def all_of(predicates: Sequence[Predicate]) -> Predicate:
    """False if one is false, else unknown if one is unknown, else true."""

    def holds(attributes: Attributes) -> Truth:
        answer: Truth = True
        for each in predicates:
            found = each(attributes)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return holds


def any_of(predicates: Sequence[Predicate]) -> Predicate:
    """True if one is true, else unknown if one is unknown, else false."""

    def holds(attributes: Attributes) -> Truth:
        answer: Truth = False
        for each in predicates:
            found = each(attributes)
            if found is True:
                return True
            if found is None:
                answer = None
        return answer

    return holds


def negation(predicate: Predicate) -> Predicate:
    """True for false and false for true; unknown stays unknown."""

    def holds(attributes: Attributes) -> Truth:
        found = predicate(attributes)
        return None if found is None else not found

    return holds


def comparison(left: Operand, sign: str, right: Operand) -> Predicate:
    """Values of one kind compare as usual. Across kinds nothing is equal, and which is larger is unknown.

    Null and missing make any comparison unknown, as do objects and lists, except that they differ from any literal.
    """
    get_left, get_right, relation = left.value, right.value, _RELATIONS[sign]
    across_kinds = {operator.eq: False, operator.ne: True}.get(relation)
    is_order = relation not in (operator.eq, operator.ne)

    def holds(attributes: Attributes) -> Truth:
        a, b = get_left(attributes), get_right(attributes)
        if a is None or b is None or a is MISSING or b is MISSING:
            return None
        kind = _KINDS.get(type(a))
        if kind is None or kind != _KINDS.get(type(b)):
            return across_kinds
        if is_order and kind == "boolean":
            return None
        return relation(a, b)

    return holds


def between(value: Operand, low: Operand, high: Operand) -> Predicate:
    """Both ends belong to the range."""
    return all_of([comparison(value, ">=", low), comparison(value, "<=", high)])


def membership(value: Operand, choices: Sequence[Operand]) -> Predicate:
    """Equal to one of the choices; unknown where none is equal and one is null."""
    return any_of([comparison(value, "=", choice) for choice in choices])


def is_missing(value: Operand) -> Predicate:
    """The line has no such field."""
    get = value.value
    return lambda attributes: get(attributes) is MISSING


def is_null(value: Operand) -> Predicate:
    """The field is null, or the line does not have it."""
    get = value.value

    def holds(attributes: Attributes) -> Truth:
        found = get(attributes)
        return found is MISSING or found is None

    return holds


def like(value: Operand, pattern: str, escape: str | None) -> Predicate:
    """SQL's LIKE; unknown for anything that is not a text. Raises ValueError for a pattern that ends in its escape."""
    get, matches = value.value, _pattern_matcher(pattern, escape)

    def holds(attributes: Attributes) -> Truth:
        found = get(attributes)
        return matches(found) if isinstance(found, str) else None

    return holds


def _pattern_matcher(pattern: str, escape: str | None) -> Callable[[str], bool]:
    """% is any text, _ any character. Pieces between % are searched left to right, so the cost stays linear."""
    pieces = [""]
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            escaped = next(characters, None)
            if escaped is None:
                raise ValueError("the pattern ends in its escape character")
            pieces[-1] += re.escape(escaped)
        elif character == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if character == "_" else re.escape(character)
    compiled = [re.compile(piece, re.DOTALL) for piece in pieces]
    if len(compiled) == 1:
        return lambda text: compiled[0].fullmatch(text) is not None
    ending = re.compile(f"(?:{pieces[-1]})\\Z", re.DOTALL)

    def matches(text: str) -> bool:
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

    return matches
