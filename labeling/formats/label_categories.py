"""The label category configuration file: the list of labels of a job (its order is the class index) and instructions.

It must not know the job that the file belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from labeling.formats import label_attributes
from labeling.formats.label_attributes import AttributeProblem, Declared

VERSION = "2018-11-28"
FRAME_VERSION = "2020-03-01"  # video frames and 3D point clouds
MAX_LABEL = 256
MAX_SHORT_INSTRUCTION = 254
MAX_FULL_INSTRUCTION = 2047
MAX_FRAME_LABELS = 30
_ANNOTATION_TYPES = ("BoundingBox", "Polyline", "Polygon", "Keypoint")
UNWRITABLE_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""Characters that XML 1.0 or a line-based format cannot hold, and lone surrogates, which UTF-8 cannot encode."""


class CategoriesError(ValueError):
    """What is wrong with the file and where: `field` is a path such as 'labels[3].label'."""

    def __init__(self, field_name: str, problem: str) -> None:
        super().__init__(f"{field_name}: {problem}")
        self.field = field_name
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Label:
    """One label; `extra` keeps the members this file does not interpret (categoryAttributes and so on)."""

    name: str
    short_name: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Categories:
    """The whole file. `names` in order give the class indices."""

    labels: tuple[Label, ...]
    short_instruction: str | None = None
    full_instruction: str | None = None
    version: str = VERSION
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Label names in class order."""
        return tuple(label.name for label in self.labels)


def parse(text: bytes | str, *, fewest: int = 1) -> Categories:
    """Read and check a configuration file; raises CategoriesError naming the member.

    `fewest` is how many labels the job's task type needs at least.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    try:
        document = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise CategoriesError("file", f"is not valid JSON (line {error.lineno}, column {error.colno})") from None
    if not isinstance(document, dict):
        raise CategoriesError("file", "must be a JSON object")
    version = document.get("document-version", document.get("documentVersion"))
    if version not in (VERSION, FRAME_VERSION):
        raise CategoriesError("document-version", f"must be {VERSION!r} or {FRAME_VERSION!r}, found {version!r}")
    listed = document.get("labels")
    if not isinstance(listed, list):
        raise CategoriesError("labels", "must be a list")
    labels = tuple(_label(item, f"labels[{place}]") for place, item in enumerate(listed))
    instructions = document.get("instructions", {})
    if not isinstance(instructions, dict):
        raise CategoriesError("instructions", "must be an object")
    short, full = (_text(instructions, name, "instructions") for name in ("shortInstruction", "fullInstruction"))
    known = ("document-version", "documentVersion", "labels", "instructions")
    extra = {name: value for name, value in document.items() if name not in known}
    categories = Categories(labels, short, full, version, extra)
    validate(categories, fewest=fewest)
    return categories


def from_names(names: Iterable[str], *, fewest: int = 1) -> Categories:
    """A configuration of plain labels; raises CategoriesError."""
    categories = Categories(tuple(Label(name) for name in names))
    validate(categories, fewest=fewest)
    return categories


def validate(categories: Categories, *, fewest: int = 1) -> None:
    """Raise CategoriesError for the first rule that is broken."""
    if len(categories.labels) < fewest:
        needed = {1: "at least one label", 2: "at least two labels"}.get(fewest, f"at least {fewest} labels")
        raise CategoriesError("labels", f"{needed} needed, found {len(categories.labels)}")
    seen: dict[str, int] = {}
    for place, label in enumerate(categories.labels):
        where = f"labels[{place}].label"
        _check_name(label.name, where)
        if label.name in seen:
            raise CategoriesError(where, f"{label.name!r} is already labels[{seen[label.name]}]")
        seen[label.name] = place
    if categories.version == FRAME_VERSION:
        _check_frames(categories)
    _parsed(categories.extra.get("frameAttributes"), "frameAttributes")
    declared(categories)
    for name, text, limit in (
        ("shortInstruction", categories.short_instruction, MAX_SHORT_INSTRUCTION),
        ("fullInstruction", categories.full_instruction, MAX_FULL_INSTRUCTION),
    ):
        if text is not None and len(text) > limit:
            raise CategoriesError(f"instructions.{name}", f"has {len(text)} characters, at most {limit} are allowed")


def declared(categories: Categories) -> Declared:
    """The attributes of the labels. Raises CategoriesError naming the member that is wrong."""
    own = {
        label.name: found
        for place, label in enumerate(categories.labels)
        if (found := _parsed(label.extra.get("categoryAttributes"), f"labels[{place}].categoryAttributes"))
    }
    return Declared(_parsed(categories.extra.get("categoryGlobalAttributes"), "categoryGlobalAttributes"), own)


def write(categories: Categories) -> bytes:
    """The file as AWS writes it; a file that `parse` has read is written back equal."""
    frames = categories.version == FRAME_VERSION
    document: dict[str, Any] = {"documentVersion" if frames else "document-version": categories.version}
    document["labels"] = [
        {"label": label.name}
        | ({} if label.short_name is None else {"shortDisplayName": label.short_name})
        | dict(label.extra)
        for label in categories.labels
    ]
    instructions = {
        name: text
        for name, text in (
            ("shortInstruction", categories.short_instruction),
            ("fullInstruction", categories.full_instruction),
        )
        if text is not None
    }
    if instructions:
        document["instructions"] = instructions
    return orjson.dumps(document | dict(categories.extra))


def check_keeps_labels(categories: Categories, earlier: Iterable[str]) -> None:
    """An adjustment job has to keep every label of the job it adjusts; raises CategoriesError naming the lost ones."""
    lost = [name for name in earlier if name not in set(categories.names)]
    if lost:
        raise CategoriesError("labels", f"labels of the adjusted job are missing: {', '.join(map(repr, lost))}")


def _label(item: Any, where: str) -> Label:
    if not isinstance(item, dict):
        raise CategoriesError(where, 'must be an object such as {"label": "dog"}')
    if "label" not in item:
        raise CategoriesError(f"{where}.label", "is missing")
    extra = {name: value for name, value in item.items() if name not in ("label", "shortDisplayName")}
    return Label(item["label"], _text(item, "shortDisplayName", where), extra)


def _check_name(name: Any, where: str) -> None:
    if not isinstance(name, str):
        raise CategoriesError(where, "must be a string")
    if not name.strip():
        raise CategoriesError(where, "is empty")
    if len(name) > MAX_LABEL:
        raise CategoriesError(where, f"has {len(name)} characters, at most {MAX_LABEL} are allowed")
    if unwritable := UNWRITABLE_CHARACTERS.search(name):
        raise CategoriesError(where, f"holds the character U+{ord(unwritable[0]):04X}, which files cannot carry")


def _check_frames(categories: Categories) -> None:
    if len(categories.labels) > MAX_FRAME_LABELS:
        raise CategoriesError("labels", f"at most {MAX_FRAME_LABELS} are allowed, found {len(categories.labels)}")
    kind = categories.extra.get("annotationType")
    if kind is not None and kind not in _ANNOTATION_TYPES:
        raise CategoriesError("annotationType", f"must be one of {', '.join(_ANNOTATION_TYPES)}, found {kind!r}")


def _parsed(raw: Any, where: str) -> tuple[label_attributes.Attribute, ...]:
    try:
        return label_attributes.parse(raw, where)
    except AttributeProblem as error:
        raise CategoriesError(error.path, error.problem) from None


def _text(holder: Mapping[str, Any], name: str, where: str) -> str | None:
    value = holder.get(name)
    if value is not None and not isinstance(value, str):
        raise CategoriesError(f"{where}.{name}", "must be a string")
    return value
