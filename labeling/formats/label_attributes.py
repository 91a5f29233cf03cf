"""Attributes of labels, as Ground Truth's label category configuration declares them: what is said of a shape beside
its label, such as whether a car is parked.

An attribute has a kind: a class (one of its choices), a number or a text. It must not know task types, files or jobs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

KEY = "label-category-attributes"
"""The member of a shape that holds its attributes, in answers and in manifests."""

Value = str | int | float
Values = tuple[tuple[str, Value], ...]
"""The attributes of a shape: names with what is said, in the order of the names."""

CLASS, NUMBER, TEXT = "class", "number", "text"
MAX_ATTRIBUTES = 10
"""Of a label; those that all labels have are counted by themselves."""
MAX_NAME = 16
MAX_FOREIGN_NAME = 128
"""Of an attribute in labels of others, which may have had no limit."""
MAX_DESCRIPTION = 500
MAX_CHOICES = 100
MAX_VALUE = 500
"""Characters of a value."""
MAX_VALUES = 2 * MAX_ATTRIBUTES
MAX_NUMBER = 1e12
_MEMBERS = ("name", "description", "type", "enum", "minimum", "maximum", "isRequired", "editsAllowed")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class AttributeProblem(ValueError):
    """What is wrong and where: `path` is such as 'categoryAttributes[1].type'."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Attribute:
    """One declared attribute; `choices` are those of a class, None for numbers and texts."""

    name: str
    type: str = "string"
    description: str = ""
    choices: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    editable: bool = True

    @property
    def kind(self) -> str:
        """CLASS, NUMBER or TEXT."""
        if self.choices is not None:
            return CLASS
        return NUMBER if self.type == "number" else TEXT

    @property
    def bounds(self) -> str:
        """ "at least 0 and at most 40", "" where nothing bounds it."""
        ends = (("at least", self.minimum), ("at most", self.maximum))
        return " and ".join(f"{said} {end:g}" for said, end in ends if end is not None)

    def refusal(self, value: Value) -> str:
        """Why this is no value of it, "" when it is one."""
        if self.choices is not None:
            return "" if self._chosen(value) else f"{value!r} found, one of {', '.join(self.choices)} expected"
        if self.type == "string":
            return "" if isinstance(value, str) and value else f"{value!r} found, a text expected"
        if isinstance(value, str):
            return f"{value!r} found, a number expected"
        low, high = self.minimum, self.maximum
        if (low is None or value >= low) and (high is None or value <= high):
            return ""
        return f"{value!r} found, {self.bounds} expected"

    def _chosen(self, value: Value) -> bool:
        if self.type == "string":
            return value in (self.choices or ())
        # Numbers are compared as such: the choice "1.0" comes back as 1.
        return not isinstance(value, str) and any(float(choice) == value for choice in self.choices or ())

    def document(self) -> dict[str, Any]:
        """As a label category configuration has it; `parse` reads it back equal."""
        given: dict[str, Any] = {"name": self.name, "type": self.type}
        for member, value in (
            ("description", self.description or None),
            ("enum", None if self.choices is None else list(self.choices)),
            ("minimum", self.minimum),
            ("maximum", self.maximum),
            ("isRequired", self.required or None),
            ("editsAllowed", None if self.editable else "none"),
        ):
            if value is not None:
                given[member] = value
        return given


@dataclass(frozen=True, slots=True)
class Declared:
    """The attributes of a job's labels: those of `all`, and of each label its own, which come before them."""

    all: tuple[Attribute, ...] = ()
    own: Mapping[str, tuple[Attribute, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.all) or any(self.own.values())

    def of(self, label: str) -> tuple[Attribute, ...]:
        """All attributes of shapes with this label."""
        own = self.own.get(label, ())
        names = {one.name for one in own}
        return (*(one for one in self.all if one.name not in names), *own)

    def problem(self, label: str, values: Values) -> tuple[str, str] | None:
        """The first attribute of a shape that is wrong, and why; None when they are as declared."""
        declared, given = {one.name: one for one in self.of(label)}, dict(values)
        for name, value in values:
            if name not in declared:
                known = ", ".join(declared) or "none"
                return name, f"is no attribute of {label!r}, which has {known}"
            if reason := declared[name].refusal(value):
                return name, reason
        lacking = next((one.name for one in declared.values() if one.required and one.name not in given), None)
        return None if lacking is None else (lacking, f"is missing: shapes of {label!r} need it")

    def known(self, label: str, values: Values) -> Values:
        """Those of the values that are declared for the label, and allowed."""
        declared = {one.name: one for one in self.of(label)}
        return tuple((name, value) for name, value in values if name in declared and not declared[name].refusal(value))


NONE = Declared()
"""Of a job whose labels have no attributes."""


def parse(raw: Any, where: str) -> tuple[Attribute, ...]:
    """A list of declared attributes; none for None. Raises AttributeProblem naming the member that is wrong."""
    if raw is None:
        return ()
    if not isinstance(raw, list) or len(raw) > MAX_ATTRIBUTES:
        raise AttributeProblem(where, f"must be a list of at most {MAX_ATTRIBUTES} attributes")
    found = tuple(_attribute(item, f"{where}[{place}]") for place, item in enumerate(raw))
    seen: set[str] = set()
    for place, one in enumerate(found):
        if one.name in seen:
            raise AttributeProblem(f"{where}[{place}].name", f"{one.name!r} appears twice")
        seen.add(one.name)
    return found


def read(shape: Mapping[str, Any]) -> Values:
    """The attributes that a shape of an answer or a label has. Raises AttributeProblem, whose path begins with KEY."""
    raw = shape.get(KEY)
    if raw is None:
        return ()
    if not isinstance(raw, Mapping) or len(raw) > MAX_VALUES:
        raise AttributeProblem(KEY, f"must be an object of at most {MAX_VALUES} attributes")
    for name, value in raw.items():
        where = f"{KEY}.{str(name)[:MAX_FOREIGN_NAME]}"
        if not isinstance(name, str) or not 1 <= len(name) <= MAX_FOREIGN_NAME or _UNWRITABLE.search(name):
            raise AttributeProblem(where, f"a name of 1 to {MAX_FOREIGN_NAME} characters expected")
        if isinstance(value, str):
            if len(value) > MAX_VALUE or _UNWRITABLE.search(value):
                raise AttributeProblem(where, f"a text of at most {MAX_VALUE} characters expected")
        elif not _is_number(value):
            raise AttributeProblem(where, "a text or a finite number expected")
    return tuple(sorted(raw.items()))


def written(values: Values) -> dict[str, Any]:
    """The member of a shape that `read` reads back; nothing for a shape without attributes."""
    return {KEY: dict(values)} if values else {}


def kept(row: Mapping[str, Any]) -> dict[str, Any]:
    """The member as a stored shape has it, for a copy of the shape."""
    return {KEY: row[KEY]} if row.get(KEY) else {}


def in_words(values: Values) -> str:
    """ "caste: queen, petals: 5"."""
    return ", ".join(f"{name}: {value}" for name, value in values)


def _attribute(item: Any, where: str) -> Attribute:
    if not isinstance(item, Mapping):
        raise AttributeProblem(where, 'must be an object such as {"name": "parked", "type": "string"}')
    if strange := sorted(set(map(str, item)) - set(_MEMBERS)):
        raise AttributeProblem(f"{where}.{strange[0][:100]}", f"is unknown; an attribute has {', '.join(_MEMBERS)}")
    name = item.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME or not name.strip() or _UNWRITABLE.search(name):
        raise AttributeProblem(f"{where}.name", f"must be a string of 1 to {MAX_NAME} characters")
    kind = item.get("type", "string")
    if kind not in ("string", "number"):
        raise AttributeProblem(f"{where}.type", f"must be 'string' or 'number', found {kind!r}")
    description = item.get("description") or ""
    if not isinstance(description, str) or len(description) > MAX_DESCRIPTION or _UNWRITABLE.search(description):
        raise AttributeProblem(f"{where}.description", f"must be a string of at most {MAX_DESCRIPTION} characters")
    required, edits = item.get("isRequired", False), item.get("editsAllowed", "any")
    if not isinstance(required, bool):
        raise AttributeProblem(f"{where}.isRequired", "must be true or false")
    if edits not in ("any", "none"):
        raise AttributeProblem(f"{where}.editsAllowed", f"must be 'any' or 'none', found {edits!r}")
    low, high = _bounds(item, kind, where)
    choices = _choices(item["enum"], kind, f"{where}.enum") if item.get("enum") is not None else None
    return Attribute(name, kind, description, choices, low, high, required, edits == "any")


def _bounds(item: Mapping[str, Any], kind: str, where: str) -> tuple[float | None, float | None]:
    for member in ("minimum", "maximum"):
        value = item.get(member)
        if value is not None and not _is_number(value):
            raise AttributeProblem(f"{where}.{member}", "must be a finite number")
        if value is not None and (kind != "number" or item.get("enum") is not None):
            raise AttributeProblem(f"{where}.{member}", "only numbers without an enum have one")
    low, high = item.get("minimum"), item.get("maximum")
    if low is not None and high is not None and low > high:
        raise AttributeProblem(f"{where}.maximum", f"is {high:g}, below the minimum {low:g}")
    return low, high


def _choices(raw: Any, kind: str, where: str) -> tuple[str, ...]:
    if not isinstance(raw, Sequence) or isinstance(raw, str) or not 1 <= len(raw) <= MAX_CHOICES:
        raise AttributeProblem(where, f"must be a list of 1 to {MAX_CHOICES} choices")
    for place, choice in enumerate(raw):
        text = str(choice) if _is_number(choice) else choice
        if not isinstance(text, str) or not 1 <= len(text) <= MAX_VALUE or _UNWRITABLE.search(text):
            raise AttributeProblem(f"{where}[{place}]", f"must be a text of 1 to {MAX_VALUE} characters")
        if kind == "number" and not _reads_as_number(text):
            raise AttributeProblem(f"{where}[{place}]", f"{text!r} is no number, as the attribute's type says")
    choices = tuple(map(str, raw))
    if len(set(choices)) < len(choices):
        raise AttributeProblem(where, "names a choice twice")
    return choices


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) <= MAX_NUMBER


def _reads_as_number(text: str) -> bool:
    try:
        return _is_number(float(text))
    except ValueError:
        return False
