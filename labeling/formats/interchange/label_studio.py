"""Label Studio's JSON, in: tasks with their annotations, as its export "JSON" writes them.

Coordinates are per cent of the image. Read are RectangleLabels, PolygonLabels, KeyPointLabels, BrushLabels, Choices,
and Labels of texts. It must not know jobs or storage.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeGuard
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from labeling.formats.augmented_reading import BLANKS
from labeling.formats.interchange import brush, kinds
from labeling.formats.interchange.items import REPAIRED, BadItem, FoundImage, FoundPart, found_text
from labeling.formats.shapes import Box, ImageSize, Keypoint, Part, Polygon, Segment, Span, Tag

_UPLOAD = re.compile(r"[0-9a-f]{8}-")
"""What Label Studio puts before the name of an uploaded file."""

Read = tuple[list[Part], str]
"""Parts, and what had to be changed of them, else ""."""


class LabelStudioFile:
    """A file of tasks that was read; `wanted` is one of `kinds`, `texts` whether its objects are texts.

    Of several annotations of a task the one marked as ground truth counts, else the first that was not cancelled.
    """

    _members: ClassVar[dict[str, str]] = {
        kinds.BOXES: "rectanglelabels",
        kinds.POLYGONS: "polygonlabels",
        kinds.POINTS: "keypointlabels",
        kinds.MASKS: "brushlabels",
        kinds.OBJECTS: "brushlabels",
        kinds.CLASSES: "choices",
        kinds.SPANS: "labels",
    }

    def __init__(self, raw: bytes, *, wanted: str, texts: bool = False, name: str = "") -> None:
        try:
            document = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError as error:
            raise ValueError(f"is no JSON: {error}") from None
        self._tasks = document if isinstance(document, list) else [document]
        if not is_tasks(self._tasks):
            raise ValueError("is no list of Label Studio tasks with 'data' and 'annotations': export it as JSON")
        self._member, self._texts = self._members[wanted], texts
        self._name = f"{name} " if name else ""
        self.total = len(self._tasks)
        self.labels: tuple[str, ...] = ()  # the file lists no classes; they come as they are used

    def found(self) -> Iterator[FoundImage | BadItem]:
        """Every task in the order of the file."""
        for place, task in enumerate(self._tasks):
            yield self._task(task, f"{self._name}tasks[{place}]")

    def _task(self, task: Any, where: str) -> FoundImage | BadItem:
        data = task.get("data") if isinstance(task, Mapping) else None
        if not isinstance(data, Mapping):
            return BadItem(where, "'data' is missing")
        listed = task.get("annotations")
        listed = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
        given = [one for one in listed if not one.get("was_cancelled")]
        chosen = next((one for one in given if one.get("ground_truth") is True), given[0] if given else None)
        results = chosen.get("result") if chosen is not None else []
        problems = []
        if len(given) > 1:
            problems.append(BadItem(where, f"has {len(given)} annotations: one of them is used", REPAIRED))
        parts, size = self._results(results if isinstance(results, list) else [], data, where, problems)
        if self._texts:
            text, name = _text_of(data)
            if text is None:
                return BadItem(where, f"has no text in 'data' ({', '.join(map(str, data))[:100]})")
            given_name = name if name != text else ""
            return found_text(where, text, parts, name=given_name, problems=problems, labeled=chosen is not None)
        names, uri = _names(_value(data, "$image", "image"))
        if not names:
            return BadItem(where, f"names no image in 'data' ({', '.join(map(str, data))[:100]})")
        return FoundImage(
            where,
            names,
            uri=uri,
            size=size,
            size_problem="original_width and original_height are missing",
            parts=tuple(parts),
            problems=tuple(problems),
            relative=self._member in ("rectanglelabels", "polygonlabels", "keypointlabels"),
            labeled=chosen is not None,
        )

    def _results(
        self, results: Sequence[Any], data: Mapping[str, Any], where: str, problems: list[BadItem]
    ) -> tuple[list[FoundPart], ImageSize | None]:
        parts: list[FoundPart] = []
        size: ImageSize | None = None
        for place, result in enumerate(results):
            at = f"{where} result[{place}]"
            if not isinstance(result, Mapping):
                problems.append(BadItem(at, "is no object"))
                continue
            kind = str(result.get("type", "")).lower()
            if kind != self._member:
                problems.append(BadItem(at, f"is of the type {kind[:40]!r}, not {self._member}", aside=True))
                continue
            size = size or _size(result)
            try:
                found, said = self._read(result, data)
            except (ValueError, KeyError, TypeError, OverflowError) as error:
                said = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
                problems.append(BadItem(at, said))
                continue
            parts += [FoundPart(at, part) for part in found]
            if said:
                problems.append(BadItem(at, said, REPAIRED))
        return parts, size

    def _read(self, result: Mapping[str, Any], data: Mapping[str, Any]) -> Read:
        value = result["value"]
        if not isinstance(value, Mapping):
            raise ValueError("'value' is no object")
        if result.get("image_rotation") not in (None, 0):
            raise ValueError("the image was turned in Label Studio (image_rotation), which is not taken over")
        labels = value.get(self._member)
        labels = labels if isinstance(labels, list) else []
        if not labels or not all(isinstance(label, str) and label.strip(BLANKS) for label in labels):
            raise ValueError(f"names no class in '{self._member}'")
        labels = [label.strip(BLANKS) for label in labels]
        score = result.get("score")
        sure = float(score) if _is_number(score) and 0 <= score <= 1 else None
        if self._member == "choices":
            return [Tag(label, sure) for label in labels], ""
        read: Callable[[str], Read] = {
            "rectanglelabels": lambda label: _rectangle(label, value, _size(result), sure),
            "polygonlabels": lambda label: _polygon(label, value, sure),
            "keypointlabels": lambda label: _point(label, value, sure),
            "brushlabels": lambda label: _brush(label, value, _size(result), sure),
            "labels": lambda label: _span(label, value, data, sure),
        }[self._member]
        found, said = read(labels[0])
        more = f"has {len(labels)} classes: {labels[0]!r} is used" if len(labels) > 1 else ""
        return found, "; ".join(filter(None, [said, more]))


def is_tasks(document: Any) -> bool:
    """Whether these are tasks of Label Studio, judged by the first one."""
    tasks = document if isinstance(document, list) else [document]
    first = tasks[0] if tasks else None
    return (
        isinstance(first, Mapping)
        and isinstance(first.get("data"), Mapping)
        and ("annotations" in first or "predictions" in first)
    )


def _size(result: Mapping[str, Any]) -> ImageSize | None:
    given = [result.get("original_width"), result.get("original_height")]
    sides = [int(side) for side in given if _is_number(side) and side >= 1]
    return ImageSize(*sides) if len(sides) == 2 else None


def _shares(value: Mapping[str, Any], *names: str) -> list[float]:
    """Per cents as shares. Raises ValueError for what is no finite number."""
    found = [value.get(name) for name in names]
    if not all(_is_number(one) for one in found):
        raise ValueError(f"{', '.join(names)} must be finite numbers")
    return [one / 100 for one in found if one is not None]


def _rectangle(label: str, value: Mapping[str, Any], size: ImageSize | None, sure: float | None) -> Read:
    """A turned rectangle becomes the box around it: it turns clockwise about its first corner, in pixels."""
    x, y, width, height = _shares(value, "x", "y", "width", "height")
    angle = value.get("rotation") or 0
    if not _is_number(angle) or angle % 360 == 0:
        return [Box(label, x, y, width, height, sure)], ""
    if size is None:
        raise ValueError("is a turned rectangle, of which the size of the image must be known (original_width)")
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    w, h = width * size.width, height * size.height
    corners = [(0.0, 0.0), (w * cos, w * sin), (w * cos - h * sin, w * sin + h * cos), (-h * sin, h * cos)]
    xs = [x + dx / size.width for dx, _ in corners]
    ys = [y + dy / size.height for _, dy in corners]
    box = Box.from_corners(label, min(xs), min(ys), max(xs), max(ys), sure)
    return [box], f"is turned by {angle:g} degrees: the box around it is used"


def _point(label: str, value: Mapping[str, Any], sure: float | None) -> Read:
    x, y = _shares(value, "x", "y")
    return [Keypoint(label, x, y, sure)], ""


def _polygon(label: str, value: Mapping[str, Any], sure: float | None) -> Read:
    points = value["points"]
    flat = isinstance(points, list) and all(isinstance(one, list) and len(one) == 2 for one in points)
    if not flat or len(points) < 3 or not all(_is_number(part) for one in points for part in one):
        raise ValueError("points must be at least three pairs of finite numbers")
    return [Polygon(label, tuple((px / 100, py / 100) for px, py in points), True, sure)], ""


def _brush(label: str, value: Mapping[str, Any], size: ImageSize | None, sure: float | None) -> Read:
    if size is None:
        raise ValueError("original_width and original_height are missing")
    if value.get("format") != "rle" or not isinstance(value.get("rle"), list):
        raise ValueError("a mask is expected in the format 'rle'")
    return [Segment(label, brush.counts_of(value["rle"], (size.width, size.height)), sure)], ""


def _span(label: str, value: Mapping[str, Any], data: Mapping[str, Any], sure: float | None) -> Read:
    start, end = value.get("start"), value.get("end")
    if "startOffset" in value or not isinstance(start, int) or not isinstance(end, int):
        raise ValueError("start and end must be whole numbers: places in HTML are not taken over")
    text, _ = _text_of(data)
    if text is not None and isinstance(value.get("text"), str):
        return _by_words(Span(label, start, end, sure), text, value["text"])
    return [Span(label, start, end, sure)], ""


def _by_words(span: Span, text: str, words: str) -> Read:
    """Label Studio counts UTF-16, as browsers do: where the words are at other characters, they are recounted."""
    if text[span.start : span.end] == words:
        return [span], ""
    units = text.encode("utf-16-le", "surrogatepass")
    before, inside = units[: 2 * span.start], units[2 * span.start : 2 * span.end]
    start = len(before.decode("utf-16-le", "replace"))
    end = start + len(inside.decode("utf-16-le", "replace"))
    if text[start:end] != words:
        raise ValueError(f"{words[:40]!r} does not stand at {span.start} to {span.end} of the text")
    return [Span(span.label, start, end, span.confidence)], ""


def _text_of(data: Mapping[str, Any]) -> tuple[str | None, str]:
    """(the text of a task, its name where it has one)."""
    name = next((data[key] for key in ("name", "file", "filename", "title") if isinstance(data.get(key), str)), "")
    return _value(data, "text"), name


def _value(data: Mapping[str, Any], *names: str) -> str | None:
    """The value under one of the names, or the only text there is."""
    for name in names:
        if isinstance(data.get(name), str):
            return str(data[name])
    found = [value for value in data.values() if isinstance(value, str)]
    return found[0] if len(found) == 1 else None


def _names(address: str | None) -> tuple[tuple[str, ...], str]:
    """(the names that an image may have, its address): uploads have a mark before theirs, local files a query."""
    if not address:
        return (), ""
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d")
    path = local[0] if local else unquote(parts.path).lstrip("/")
    if not path:
        return (), address
    folder, _, base = path.rpartition("/")
    plain = _UPLOAD.sub("", base, count=1) if "upload" in folder else base
    return tuple(dict.fromkeys((path, plain) if plain != base else (path,))), address


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
