"""Reading input and augmented manifests: JSON Lines, one data object a line, streamed whatever their size.

A bad line does not stop the reading: it becomes a BadLine with its number and reason. It must not know storage, jobs
or the database; label values inside a line are read and written by `augmented`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, BinaryIO
from urllib.parse import unquote

import orjson

from labeling.formats import manifest_hints, stream_lines

MAX_LINE_CHARACTERS = 100_000
MAX_ATTRIBUTE_CHARACTERS = 20_000
MAX_DEPTH = 100
"""How deep lists and objects may lie in each other: from 250 on, not every tool can read or write them."""
SOURCE_REF = "source-ref"
SOURCE = "source"
SOURCE_NAME = "source-name"
"""Holds the name that an object had before it was stored under a key of ours, for example "street/a.jpg"."""

KINDS = (SOURCE_REF, SOURCE)
SCHEMES = ("s3", "file", "http", "https")

_EXCERPT = 120
_BOM = b"\xef\xbb\xbf"
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://[^\x00-\x1f\x7f]+")


@dataclass(slots=True)
class Line:
    """One good line. `index` is its zero-based place in the file (AWS's object id), blank and bad lines counted."""

    index: int
    source_ref: str | None
    source: str | None
    attributes: dict[str, Any]
    original: bytes
    labeled: bool = False

    @property
    def number(self) -> int:
        """The 1-based line number an editor shows."""
        return self.index + 1


@dataclass(slots=True)
class BadLine:
    """One line that cannot be used; `number` is 1-based."""

    number: int
    reason: str
    excerpt: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


def source_name(attributes: Mapping[str, Any]) -> str:
    """The name that the object of a line had before it was stored under a key of ours, "" when the line has none."""
    name = attributes.get(SOURCE_NAME)
    return name if isinstance(name, str) else ""


def path_of(source_ref: str) -> str:
    """The path in an address, as people read it: without scheme and bucket, percent signs of file:// undone."""
    scheme, found, rest = source_ref.partition("://")
    if not found:
        return source_ref
    path = rest.partition("/")[2]
    return unquote(path) if scheme.lower() == "file" else path


class _Refused(ValueError):
    """Raised by the checks of one line, with the reason."""


def parse(
    stream: BinaryIO | Iterable[bytes | str],
    *,
    label_attribute_name: str | None = None,
    kinds: Collection[str] = KINDS,
    schemes: Collection[str] | None = SCHEMES,
    max_line: int = MAX_LINE_CHARACTERS,
    max_attribute: int = MAX_ATTRIBUTE_CHARACTERS,
) -> Iterator[Line | BadLine]:
    """Read a manifest from a binary file or an iterable of lines, in constant memory.

    `label_attribute_name`: lines that already have it get `labeled` True (job chaining skips them); one that is null is
    no label. `kinds`: which of 'source-ref' and 'source' this job can use. `schemes`: URI schemes allowed in
    'source-ref', None for any text. `max_line` and `max_attribute` (characters) limit what a user sends; label
    attributes, which have metadata beside them, only have to fit into a line of 4 * max_line bytes, because many boxes
    make long labels. A UTF-8 byte order mark is dropped; blank lines are skipped but counted. A file that is no
    manifest at all, such as a compressed one, is one BadLine.
    """
    byte_limit = 4 * max_line
    begun = False
    for number, raw in _numbered(stream, byte_limit):
        if not raw or raw.isspace():
            continue
        if not begun and (reason := manifest_hints.of_the_file(raw)):
            yield BadLine(number, reason, _excerpt(raw))
            return
        begun = True
        try:
            attributes = _decode(raw, max_line, max_attribute)
            source_ref, source = _check(attributes, kinds, schemes)
        except _Refused as refused:
            yield BadLine(number, str(refused), _excerpt(raw))
            continue
        labeled = label_attribute_name is not None and attributes.get(label_attribute_name) is not None
        yield Line(number - 1, source_ref, source, attributes, raw, labeled)


def parse_line(raw: bytes | str, *, number: int = 1, **options: Any) -> Line:
    """One line on its own; raises ValueError('line N: ...') when it is bad. Options as for `parse`."""
    encoded = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
    for item in parse([encoded.rstrip(b"\r\n")], **options):
        if isinstance(item, BadLine):
            raise ValueError(str(BadLine(number, item.reason, item.excerpt)))
        item.index = number - 1
        return item
    raise ValueError(f"line {number}: is empty")


def _numbered(stream: BinaryIO | Iterable[bytes | str], byte_limit: int) -> Iterator[tuple[int, bytes]]:
    """(1-based number, line without its line end); an over-long line is cut at the limit plus one byte."""
    for number, raw in enumerate(_raw_lines(stream, byte_limit + 3), start=1):
        line = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
        if number == 1 and line.startswith(_BOM):
            line = line[3:]
        if line.endswith(b"\n"):
            line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
        yield number, line


def _raw_lines(stream: Any, byte_limit: int) -> Iterator[bytes | str]:
    if not hasattr(stream, "readline"):
        yield from stream
        return
    readline = stream.readline
    while line := readline(byte_limit):
        if len(line) >= byte_limit and line[-1:] not in (b"\n", "\n"):
            # The rest of a line that is too long is read and dropped in pieces, in constant memory.
            while (rest := readline(byte_limit)) and rest[-1:] not in (b"\n", "\n"):
                continue
        yield line


def _decode(raw: bytes, max_line: int, max_attribute: int) -> dict[str, Any]:
    if len(raw) > 4 * max_line:
        raise _Refused(f"is longer than {max_line:,} characters")
    try:
        attributes = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _Refused(_why_not_json(raw, error)) from None
    if type(attributes) is not dict:
        way_out = f": {manifest_hints.BY_LINE}" if type(attributes) is list else ""
        raise _Refused(f"must be a JSON object, found {_json_kind(attributes)}{way_out}")
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _deeper_than(MAX_DEPTH, attributes):
        raise _Refused(f"holds lists or objects more than {MAX_DEPTH} deep in each other")
    for name in attributes:
        if not name or (name[0] == "$" and not stream_lines.is_given(name)):
            raise _Refused(f"attribute name {name!r} must not be empty or start with '$'")
        if raw.count(b'"' + name.encode() + b'"') > 1 or b"\\" in raw:
            _refuse_duplicates(raw)
            break
    if len(raw) > max_attribute:
        _check_lengths(raw, attributes, max_line, max_attribute)
    return attributes


def _check_lengths(raw: bytes, attributes: dict[str, Any], max_line: int, max_attribute: int) -> None:
    """The limits of what a user sends; labels do not count, so that our own output can be read again."""
    labels = {name for name in attributes if f"{name}-metadata" in attributes}
    labels |= {f"{name}-metadata" for name in labels}
    texts = {name: v if isinstance(v, str) else orjson.dumps(v).decode() for name, v in attributes.items()}
    if _characters(raw) - sum(len(texts[name]) for name in labels) > max_line:
        raise _Refused(f"is longer than {max_line:,} characters")
    for name, text in texts.items():
        if name not in labels and len(text) > max_attribute:
            raise _Refused(f"attribute {name!r} is longer than {max_attribute:,} characters")


def _deeper_than(most: int, value: Any) -> bool:
    """Whether lists and objects lie more than `most` deep in each other. Level by level, because recursion may fail."""
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _characters(raw: bytes) -> int:
    # Code points are the bytes that do not continue one; this also holds for text that is not valid UTF-8.
    return len(raw.decode("utf-8", "replace"))


def _why_not_json(raw: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as not_text:
        return f"is not UTF-8 text (byte {not_text.start + 1}): save the file as UTF-8"
    return f"is not valid JSON (column {error.colno}: {error.msg}){manifest_hints.of_the_line(raw)}"


def _refuse_duplicates(raw: bytes) -> None:
    """orjson keeps the last of two equal names; another reader may keep the first and see another object."""
    pairs: list[tuple[str, Any]] = []

    def remember(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs[:] = found
        return {}

    try:
        json.loads(raw, object_pairs_hook=remember)
    except (RecursionError, ValueError) as error:
        # orjson has read the line; this reader refuses, for example, numbers of more than 4,300 digits.
        raise _Refused(f"cannot be read by every reader of JSON: {error}") from None
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _Refused(f"attribute {name!r} appears twice")
        seen.add(name)


def _check(
    attributes: dict[str, Any], kinds: Collection[str], schemes: Collection[str] | None
) -> tuple[str | None, str | None]:
    has_ref, has_text = SOURCE_REF in attributes, SOURCE in attributes
    if has_ref and has_text:
        raise _Refused("has both 'source-ref' and 'source', exactly one is needed")
    kind = SOURCE_REF if has_ref else SOURCE if has_text else None
    if kind is None or kind not in kinds:
        wanted = " or ".join(repr(k) for k in KINDS if k in kinds)
        found = manifest_hints.of_the_names(attributes)
        if kind is not None:
            found = f" (found {kind!r}, which this job cannot use)"
        raise _Refused(f"{wanted} is missing{found}")
    value = attributes[kind]
    if not isinstance(value, str):
        raise _Refused(f"{kind!r} must be a string, found {_json_kind(value)}")
    if not value.strip():
        raise _Refused(f"{kind!r} is empty")
    if kind == SOURCE:
        return None, value
    if schemes is not None:
        match = _URI.fullmatch(value)
        if match is None or match[1].lower() not in schemes:
            allowed = ", ".join(f"{scheme}://" for scheme in schemes)
            raise _Refused(f"'source-ref' must be a URI starting with {allowed}; found {value[:_EXCERPT]!r}")
    return value, None


def _json_kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _excerpt(raw: bytes) -> str:
    text = raw[: 4 * _EXCERPT].decode("utf-8", "replace")
    return text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"


# --- choosing objects ----------------------------------------------------------------------------------------------


def sample(
    lines: Iterable[Line | BadLine], *, percent: float, seed: int, total: int | None = None
) -> Iterator[Line | BadLine]:
    """A random part of the lines, the same for the same seed, in file order; bad lines always pass (to be reported).

    With `total` (the number of good lines) exactly round(total * percent / 100) lines are chosen, at least one:
    Knuth, TAOCP 2, 3.4.2, algorithm S. Without it each line is chosen independently, by a random number that depends
    only on the seed and its index.
    """
    if not 0 < percent <= 100:
        raise ValueError(f"percent must be above 0 and at most 100, found {percent}")
    return _sample_exactly(lines, percent, seed, total) if total is not None else _toss(lines, percent, seed)


def _toss(lines: Iterable[Line | BadLine], percent: float, seed: int) -> Iterator[Line | BadLine]:
    threshold = int(percent / 100 * 2**64)
    for line in lines:
        if isinstance(line, BadLine):
            yield line
            continue
        coin = blake2b(f"{seed}:{line.index}".encode(), digest_size=8).digest()
        if int.from_bytes(coin, "big") < threshold:
            yield line


def _sample_exactly(lines: Iterable[Line | BadLine], percent: float, seed: int, total: int) -> Iterator[Line | BadLine]:
    generator = random.Random(seed)
    needed = max(1, round(total * percent / 100))
    left = total
    for line in lines:
        if isinstance(line, BadLine):
            yield line
            continue
        if left > 0 and generator.random() * left < needed:
            needed -= 1
            yield line
        left -= 1


def select(lines: Iterable[Line | BadLine], matches: Callable[[dict[str, Any]], bool]) -> Iterator[Line | BadLine]:
    """The lines whose attributes satisfy `matches` (see `selection_query.compile_where`); bad lines always pass."""
    for line in lines:
        if isinstance(line, BadLine) or matches(line.attributes):
            yield line
