"""Texts with their spans or classes as JSON Lines, out and in: one object a line.

Offsets count Unicode code points, the end is exclusive. Read are also the lines of doccano, spaCy and Prodigy. It must
not know jobs or storage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import orjson

from labeling.formats.augmented_reading import BLANKS
from labeling.formats.interchange import kinds
from labeling.formats.interchange.items import BadItem, FoundImage, FoundPart, LabeledText, found_text
from labeling.formats.shapes import Span, Tag

MAX_LINE = 4_000_000
"""Bytes of a line: the longest text and as many spans as anybody marks in it."""

_SPANS = ("entities", "spans", "label", "labels")
_STARTS, _ENDS = ("start", "start_offset", "startOffset"), ("end", "end_offset", "endOffset")
_NAMES = ("label", "tag", "type")


def write_jsonl(objects: Iterable[LabeledText], out: BinaryIO, *, wanted: str, several: bool = False) -> int:
    """Write a line for each text and return their number; `wanted` is SPANS or CLASSES."""
    count = 0
    for one in objects:
        line: dict[str, Any] = {"text": one.text}
        if wanted == kinds.SPANS:
            line["entities"] = [
                _sure({"start": span.start, "end": span.end, "label": span.label}, span.confidence)
                for span in one.spans
            ]
        elif several:
            line["labels"] = [tag.label for tag in one.tags]
            if any(tag.confidence is not None for tag in one.tags):
                line["confidences"] = [tag.confidence for tag in one.tags]
        else:
            line |= _sure({"label": one.tags[0].label}, one.tags[0].confidence)
        known = {"name": one.name, "address": one.source}
        out.write(orjson.dumps(line | {key: value for key, value in known.items() if value}) + b"\n")
        count += 1
    return count


def _sure(record: dict[str, Any], confidence: float | None) -> dict[str, Any]:
    return record if confidence is None else {**record, "confidence": confidence}


def find_jsonl(stream: BinaryIO, *, wanted: str, name: str = "") -> Iterator[FoundImage | BadItem]:
    """Every line as it is, streamed; `name` stands before the lines in messages."""
    stream.seek(0)
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        where = f"{name}line {number}"
        if len(raw) > MAX_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(MAX_LINE)
            yield BadItem(where, f"has more than {MAX_LINE:,} bytes")
        elif line := raw.removeprefix(b"\xef\xbb\xbf").strip():
            yield _found(line, where, wanted)


def _found(raw: bytes, where: str, wanted: str) -> FoundImage | BadItem:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return BadItem(where, f"is no JSON: {error}")
    text = line.get("text") if isinstance(line, dict) else None
    if not isinstance(text, str):
        return BadItem(where, "'text' is missing" if isinstance(line, dict) else "is no JSON object")
    parts, problems, labeled = (_spans if wanted == kinds.SPANS else _tags)(line, where)
    given = {key: line[key] for key in ("name", "address") if isinstance(line.get(key), str)}
    return found_text(where, text, parts, problems=problems, labeled=labeled, **given)


Read = tuple[list[FoundPart], list[BadItem], bool]


def _spans(line: Mapping[str, Any], where: str) -> Read:
    member = next((name for name in _SPANS if isinstance(line.get(name), list)), None)
    parts: list[FoundPart] = []
    problems: list[BadItem] = []
    for place, one in enumerate(line[member] if member else ()):
        at = f"{where} {member}[{place}]"
        try:
            parts.append(FoundPart(at, span_of(one)))
        except ValueError as error:
            problems.append(BadItem(at, str(error)))
    return parts, problems, member is not None


def span_of(one: Any) -> Span:
    """The span of [start, end, label] or of an object with such members. Raises ValueError."""
    if isinstance(one, list) and len(one) == 3:
        start, end, label = one
        sure = None
    elif isinstance(one, Mapping):
        start, end, label = (next((one[n] for n in names if n in one), None) for names in (_STARTS, _ENDS, _NAMES))
        sure = one.get("confidence")
    else:
        raise ValueError("a span is [start, end, label] or an object with these members")
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in (start, end)):
        raise ValueError(f"start and end must be whole numbers, found {start!r} and {end!r}")
    if not isinstance(label, str) or not label.strip(BLANKS):
        raise ValueError("label is missing")
    return Span(label.strip(BLANKS), start, end, _confidence(sure))


def _tags(line: Mapping[str, Any], where: str) -> Read:
    given = line.get("labels", line.get("label"))
    if given is None:
        return [], [], False
    listed = given if isinstance(given, list) else [given]
    if not all(isinstance(label, str) and label.strip(BLANKS) for label in listed):
        return [], [BadItem(where, "label must be a text, labels a list of texts")], True
    several = line.get("confidences")
    sure: list[Any] = several if isinstance(several, list) else [line.get("confidence")]
    sure = sure if len(sure) == len(listed) else [None] * len(listed)
    tags = [Tag(label.strip(BLANKS), _confidence(one)) for label, one in zip(listed, sure, strict=True)]
    return [FoundPart(where, tag) for tag in tags], [], True


def _confidence(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number and 0 <= value <= 1 else None
