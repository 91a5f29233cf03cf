"""Writing label attributes into manifest lines, exactly as AWS's augmented manifests have them.

Only `<attr>` and `<attr>-metadata` are added or replaced; all other bytes of a line stay. `augmented_reading` reads
them. It must not know storage, jobs or where labels come from.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from labeling.formats import label_attributes
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import LARGEST_SIDE, Box, Span, Vote

JOB_PREFIX = "labeling-job/"
TYPE_BOXES = "groundtruth/object-detection"
TYPE_IMAGE_CLASS = "groundtruth/image-classification"
TYPE_TEXT_CLASS = "groundtruth/text-classification"
TYPE_IMAGE_CLASSES = "groundtruth/image-classification-multilabel"
TYPE_TEXT_CLASSES = "groundtruth/text-classification-multilabel"
TYPE_SEGMENTATION = "groundtruth/semantic-segmentation"
TYPE_INSTANCES = "groundtruth/instance-segmentation"  # AWS has no such job; see docs/task-types.md
TYPE_SPANS = "groundtruth/text-span"
TYPE_VERIFICATION = "groundtruth/label-verification"
TYPE_CUSTOM = "groundtruth/custom"

EXPIRED = (
    "ClientError: Annotation tasks expired.  Probable Reasons are 1) TaskAvailabilityLifetimeInSeconds parameter is "
    "too small.  2) Reward is too low for workers to work on the task.  3) If you use a custom html template, your "
    "template may be broken.  4) Data (image/video/text) sent for annotation is broken or too big, preventing "
    "completion.  5) All workers declined the tasks."
)

_CONFIDENCE_DIGITS = 4


def put_members(original: bytes | str, members: Mapping[str, Any], *, remove: Iterable[str] = ()) -> bytes:
    """The line with `members` set: known names are replaced in place, new ones appended; the rest keeps its bytes.

    Returns UTF-8 without a line end. `original` is a line that was parsed before; ValueError when it is no object.
    """
    raw = (original if isinstance(original, bytes) else original.encode()).strip()
    removed = set(remove)
    encoded = {name: orjson.dumps(value) for name, value in members.items()}
    # A name that does not occur in quotes, in a line without escapes, is new: it is appended without parsing the line.
    fresh = not any(b'"' + name.encode() + b'"' in raw for name in (*members, *removed)) and b"\\" not in raw
    if fresh and raw[:1] == b"{" and raw[-1:] == b"}" and raw[1:-1].strip():
        added = b",".join(orjson.dumps(name) + b":" + value for name, value in encoded.items())
        return raw[:-1].rstrip() + (b"," + added if added else b"") + b"}"
    parts: list[bytes] = []
    for name, key_text, value_text in _top_level(raw.decode()):
        if name in encoded:
            parts.append(key_text.encode() + b":" + encoded.pop(name))
        elif name not in removed:
            parts.append(key_text.encode() + b":" + value_text.encode())
    parts.extend(orjson.dumps(name) + b":" + value for name, value in encoded.items())
    return b"{" + b",".join(parts) + b"}"


_SPACE = " \t\r\n"
_decoder = json.JSONDecoder()


def _top_level(text: str) -> list[tuple[str, str, str]]:
    """(name, its JSON text, the value's JSON text) of each member of an object, spelled exactly as in `text`."""

    def skip(at: int) -> int:
        while at < len(text) and text[at] in _SPACE:
            at += 1
        return at

    members: list[tuple[str, str, str]] = []
    at = skip(0)
    if text[at : at + 1] != "{":
        raise ValueError("a manifest line must be a JSON object")
    at = skip(at + 1)
    while text[at : at + 1] != "}":
        start = at
        name, at = _value_at(text, at)
        key_text = text[start:at]
        at = skip(at)
        if not isinstance(name, str) or text[at : at + 1] != ":":
            raise ValueError(f"a manifest line must be a JSON object (column {at + 1})")
        start = skip(at + 1)
        _, at = _value_at(text, start)
        members.append((name, key_text, text[start:at]))
        at = skip(at)
        if text[at : at + 1] == ",":
            at = skip(at + 1)
        elif text[at : at + 1] != "}":
            raise ValueError(f"a manifest line must be a JSON object (column {at + 1})")
    if text[at + 1 :].strip():
        raise ValueError(f"a manifest line holds one JSON object and nothing after it (column {at + 2})")
    return members


def _value_at(text: str, at: int) -> tuple[Any, int]:
    try:
        return _decoder.raw_decode(text, at)
    except RecursionError:
        raise ValueError("a manifest line is nested too deeply") from None


def label_line(original: bytes | str, attr: str, value: Any, metadata: Mapping[str, Any]) -> bytes:
    """The line with `<attr>` and `<attr>-metadata` set to any label value (custom tasks, exports, imports)."""
    return put_members(original, {attr: value, f"{attr}-metadata": metadata})


def failure_line(original: bytes | str, attr: str, *, reason: str = EXPIRED, retry_count: int = 1) -> bytes:
    """A failed object's line: input keys, no `<attr>`, and the reason, with 'ClientError: ' in front."""
    reason = reason if "Error: " in reason else f"ClientError: {reason}"
    # "true", not "yes": that is what the real service writes here
    metadata = {"retry-count": retry_count, "failure-reason": reason, "human-annotated": "true"}
    return put_members(original, {f"{attr}-metadata": metadata}, remove=(attr,))


# --- metadata common to every kind ---------------------------------------------------------------------------------


def creation_date(moment: datetime | str | None = None) -> str:
    """ISO date without a zone, with microseconds, in UTC: '2018-10-18T22:18:13.527256'. Default: now."""
    if isinstance(moment, str):
        return moment
    moment = moment or datetime.now(UTC)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds")


def job_of(about: LabelContext) -> str:
    """The job's name with its kind before it."""
    return about.job_name if "/" in about.job_name else JOB_PREFIX + about.job_name


def yes_no(about: LabelContext) -> str:
    """Whether people made the label, in the service's words."""
    return "yes" if about.human_annotated else "no"


def checked_confidence(value: float | None, where: str) -> float:
    """A chance as it is written, 0 for None. Raises ValueError naming `where`."""
    # AWS's documentation has 0 for one worker, whom there is nothing to compare with.
    number = 0.0 if value is None else float(value)
    if not (math.isfinite(number) and 0 <= number <= 1):
        raise ValueError(f"{where}: confidence must be between 0 and 1, found {value}")
    return round(number, _CONFIDENCE_DIGITS)


def class_index(labels: Sequence[str]) -> dict[str, int]:
    """The class id of each label. Raises ValueError for labels that repeat."""
    index = {label: position for position, label in enumerate(labels)}
    if len(index) != len(labels):
        raise ValueError("labels must be unique")
    return index


def id_of_class(index: Mapping[str, int], label: str, where: str) -> int:
    """The class id of a label. Raises ValueError naming `where` for one that the job does not have."""
    try:
        return index[label]
    except KeyError:
        raise ValueError(f"{where}: {label!r} is not one of the labels") from None


def with_model(metadata: dict[str, Any], about: LabelContext) -> dict[str, Any]:
    """Keys beyond AWS's own come last, so that readers of the AWS form see what they expect."""
    return metadata if about.model_name is None else {**metadata, "model-name": about.model_name}


def checked_pixels(value: float, where: str) -> int | float:
    """Whole pixels as integers, as the documentation prints them; others unrounded, as the service writes them."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{where}: {value} is not a finite number")
    if abs(number) > LARGEST_SIDE:
        raise ValueError(f"{where}: {number:g} is farther than {LARGEST_SIDE:,} pixels")
    return int(number) if number.is_integer() else number


# --- boxes ---------------------------------------------------------------------------------------------------------


def box_label(
    boxes: Sequence[Box],
    about: LabelContext,
    *,
    confidences: Sequence[float] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(value, metadata) of a bounding-box label; class ids are indices into the job's labels.

    class-map has the ids in use. Confidences come from the boxes unless given. Raises ValueError naming the box and
    what is wrong.
    """
    if confidences is not None and len(confidences) != len(boxes):
        raise ValueError(f"{len(boxes)} boxes but {len(confidences)} confidences")
    size = about.image_size
    index = class_index(about.labels)
    annotations, objects, used = [], [], {}
    for place, box in enumerate(boxes):
        where = f"box {place}"
        class_id = id_of_class(index, box.label, where)
        used[class_id] = box.label
        # the key order is the one real production output has
        annotations.append(
            {
                "class_id": class_id,
                "top": checked_pixels(box.top, where),
                "left": checked_pixels(box.left, where),
                "height": checked_pixels(box.height, where),
                "width": checked_pixels(box.width, where),
            }
            | label_attributes.written(box.attributes)
        )
        given = confidences[place] if confidences is not None else box.confidence
        objects.append({"confidence": checked_confidence(given, where)})
    value = {
        "image_size": [{"width": size.width, "height": size.height, "depth": size.depth}],
        "annotations": annotations,
    }
    metadata = {
        "objects": objects,
        "class-map": {str(class_id): used[class_id] for class_id in sorted(used)},
        "type": TYPE_BOXES,
        "human-annotated": yes_no(about),
        "creation-date": creation_date(about.created),
        "job-name": job_of(about),
    }
    return value, with_model(metadata, about)


def box_line(original: bytes | str, attr: str, boxes: Sequence[Box], about: LabelContext) -> bytes:
    """The manifest line with these boxes under `attr`."""
    value, metadata = box_label(boxes, about)
    return label_line(original, attr, value, metadata)


# --- classes, spans, reviews ---------------------------------------------------------------------------------------


def class_label(vote: Vote, about: LabelContext, *, text: bool = False) -> tuple[int, dict[str, Any]]:
    """(value, metadata) of a single-choice label; the value is an integer, as production writes it."""
    class_id = id_of_class(class_index(about.labels), vote.label, "class")
    metadata = {
        "confidence": checked_confidence(vote.confidences[0] if vote.confidences else None, "class"),
        "job-name": job_of(about),
        "class-name": vote.label,
        "human-annotated": yes_no(about),
        "creation-date": creation_date(about.created),
        "type": TYPE_TEXT_CLASS if text else TYPE_IMAGE_CLASS,
    }
    return class_id, with_model(metadata, about)


def multi_class_label(vote: Vote, about: LabelContext, *, text: bool = False) -> tuple[list[int], dict[str, Any]]:
    """(value, metadata) of a multi-choice label: every class chosen by at least one worker, each with a confidence."""
    index = class_index(about.labels)
    ids = [id_of_class(index, label, f"class {place}") for place, label in enumerate(vote.labels)]
    confidences = vote.confidences or (None,) * len(ids)
    if len(confidences) != len(ids):
        raise ValueError(f"{len(ids)} classes but {len(confidences)} confidences")
    metadata = {
        "job-name": job_of(about),
        "class-map": {str(class_id): label for class_id, label in zip(ids, vote.labels, strict=True)},
        "human-annotated": yes_no(about),
        "creation-date": creation_date(about.created),
        "confidence-map": {
            str(class_id): checked_confidence(value, f"class {class_id}")
            for class_id, value in zip(ids, confidences, strict=True)
        },
        "type": TYPE_TEXT_CLASSES if text else TYPE_IMAGE_CLASSES,
    }
    return ids, with_model(metadata, about)


def span_label(
    spans: Sequence[Span], about: LabelContext, *, short_names: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(value, metadata) of a named-entity label; all labels of the job are listed, offsets are code points."""
    index = class_index(about.labels)
    for place, span in enumerate(spans):
        id_of_class(index, span.label, f"span {place}")
        if not 0 <= span.start < span.end:
            raise ValueError(f"span {place}: needs 0 <= start < end, found {span.start} to {span.end}")
    names = short_names or {}
    listed = [
        {"label": label} | ({"shortDisplayName": names[label]} if label in names else {}) for label in about.labels
    ]
    value = {
        "annotations": {
            "labels": listed,
            "entities": [{"label": s.label, "startOffset": s.start, "endOffset": s.end} for s in spans],
        }
    }
    metadata = {
        "job-name": job_of(about),
        "type": TYPE_SPANS,
        "creation-date": creation_date(about.created),
        "human-annotated": yes_no(about),
        "entities": [{"confidence": checked_confidence(s.confidence, f"span {n}")} for n, s in enumerate(spans)],
    }
    return value, with_model(metadata, about)


def verification_label(vote: Vote, about: LabelContext, *, comments: Iterable[str] = ()) -> tuple[str, dict[str, Any]]:
    """(value, metadata) of people's review of an earlier label; empty comments are dropped, and the list when none is
    left."""
    class_id = id_of_class(class_index(about.labels), vote.label, "class")
    metadata: dict[str, Any] = {
        "class-name": vote.label,
        "confidence": checked_confidence(vote.confidences[0] if vote.confidences else None, "class"),
        "type": TYPE_VERIFICATION,
        "job-name": job_of(about),
        "human-annotated": "yes",
        "creation-date": creation_date(about.created),
    }
    feedback = [{"comment": comment} for comment in comments if comment and comment.strip()]
    if feedback:
        metadata["worker-feedback"] = feedback
    return str(class_id), metadata


def mask_label(
    uri: str,
    about: LabelContext,
    *,
    colors: Mapping[int, tuple[str, str]],
    confidence: float | None,
    of_each: Mapping[int, float | None] | None = None,
    kind: str = TYPE_SEGMENTATION,
) -> tuple[str, dict[str, Any]]:
    """(value, metadata) of a segmentation label: the URI of the palette PNG and {index: (class name, '#rrggbb')}.

    `confidence` is about the whole image, as AWS has it; `of_each` has that of an index where it differs.
    """
    of_each = of_each or {}
    metadata = {
        "internal-color-map": {
            str(number): {
                "class-name": name,
                "confidence": checked_confidence(of_each.get(number, confidence), f"mask {number}"),
                "hex-color": color,
            }
            for number, (name, color) in sorted(colors.items())
        },
        "type": kind,
        "human-annotated": yes_no(about),
        "creation-date": creation_date(about.created),
        "job-name": job_of(about),
    }
    return uri, with_model(metadata, about)
