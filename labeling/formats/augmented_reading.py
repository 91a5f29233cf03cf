"""Reading label attributes of augmented manifests into typed values, leniently, because real files vary.

Seen in production files and third-party ones: class ids as strings, integer or float pixels, no depth, no metadata,
`objects` missing or shorter than `annotations`, single-choice labels as "0" or 0. What no image or label can have (a
side of 10^12 pixels) is an error. It must not know storage or jobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Literal

from labeling.formats import label_attributes
from labeling.formats.shapes import Box, ImageSize, Span, Vote

MAX_SIDE = 65_535
"""Pixels of a side of an image: what images.Limits allows. A larger size is no size."""

MAX_DEPTH = 16
"""Channels of an image; another depth is read as three."""

MAX_COORDINATE = 1_000_000
"""Pixels of a box's side or place, far beyond any image; numbers above it only do harm later."""

BLANKS = " \t\r\n"
"""What is cut off around class names."""

_NUMBERS = (int, float)
_SIDES = ("left", "top", "width", "height")
_LARGEST_NUMBER = 2**53
"""Up to here every whole number has a float of its own; ids and offsets are far smaller."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the metadata say about where a label came from; None where the file does not say."""

    type: str | None = None
    human_annotated: bool | None = None
    job_name: str | None = None
    creation_date: str | None = None
    model_name: str | None = None


@dataclass(frozen=True, slots=True)
class BoxLabel:
    """A bounding-box label: boxes with class names and confidences; `class_map` as the file has it, by integer id."""

    boxes: tuple[Box, ...]
    image_size: ImageSize | None
    class_map: dict[int, str] = field(default_factory=dict)
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class ClassLabel:
    """A single- or multi-choice label."""

    vote: Vote
    class_map: dict[int, str] = field(default_factory=dict)
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class SpanLabel:
    """A named-entity label; `labels` lists all classes of the job in their order."""

    spans: tuple[Span, ...]
    labels: tuple[str, ...]
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class MaskLabel:
    """A segmentation label: the content of its PNG, and of each index in it what it stands for, None where unsaid."""

    png: bytes
    entries: dict[int, MaskEntry]
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class MaskEntry:
    """One line of an 'internal-color-map'; the class name of the background is BACKGROUND."""

    label: str
    color: str | None = None
    confidence: float | None = None


def label_state(attributes: Mapping[str, Any], attr: str) -> Literal["labeled", "failed", "unlabeled"]:
    """Whether a line carries a label, the reason of a failure, or neither under `attr`."""
    if failure_reason(attributes, attr) is not None:
        return "failed"
    return "unlabeled" if attributes.get(attr) is None else "labeled"


def failure_reason(attributes: Mapping[str, Any], attr: str) -> str | None:
    """The failure reason in `<attr>-metadata`, None when the object did not fail."""
    reason = label_metadata(attributes, attr).get("failure-reason")
    return None if reason is None else _said(reason)


def read_boxes(attributes: Mapping[str, Any], attr: str) -> BoxLabel:
    """The boxes under `attr`. Raises ValueError naming the member that is missing or of the wrong kind."""
    value = label_value(attributes, attr)
    if not isinstance(value, Mapping) or not isinstance(value.get("annotations"), list):
        raise ValueError(f"{attr!r} is not a bounding-box label: 'annotations' is missing")
    metadata = label_metadata(attributes, attr)
    class_map = _class_map(metadata)
    objects = metadata.get("objects")
    objects = objects if isinstance(objects, list) else []
    boxes = []
    for place, annotation in enumerate(value["annotations"]):
        class_id, left, top, width, height = _box_numbers(annotation, f"{attr}.annotations[{place}]")
        known = objects[place] if place < len(objects) else None
        confidence = known.get("confidence") if isinstance(known, Mapping) else None
        if type(confidence) is not float or not 0 <= confidence <= 1:
            confidence = read_confidence(confidence, f"{attr}-metadata.objects[{place}].confidence")
        said = label_attributes.read(annotation) if label_attributes.KEY in annotation else ()
        boxes.append(Box(class_map.get(class_id, str(class_id)), left, top, width, height, confidence, said))
    return BoxLabel(tuple(boxes), _image_size(value.get("image_size"), attr), class_map, read_origin(metadata))


def _box_numbers(annotation: Any, where: str) -> tuple[int, float, float, float, float]:
    if not isinstance(annotation, Mapping):
        raise ValueError(f"{where} must be an object")
    class_id = annotation.get("class_id")
    sides: list[Any] = [annotation.get(name) for name in _SIDES]
    # Millions of boxes are read here: the path for an error message is built only when a value is wrong.
    if type(class_id) is not int:
        class_id = read_whole(class_id, f"{where}.class_id")
    if not all(type(side) in _NUMBERS and -MAX_COORDINATE <= side <= MAX_COORDINATE for side in sides):
        sides = [read_coordinate(side, f"{where}.{name}") for name, side in zip(_SIDES, sides, strict=True)]
    left, top, width, height = sides
    return class_id, left, top, width, height


def read_class(attributes: Mapping[str, Any], attr: str) -> ClassLabel:
    """A single-choice label: integer or string value, class name from the metadata where there is one."""
    value = label_value(attributes, attr)
    metadata = label_metadata(attributes, attr)
    if isinstance(value, (list, dict)) or value is None:
        raise ValueError(f"{attr!r} is not a single-choice label")
    if isinstance(value, int | float):
        value = read_whole(value, attr)
    name = metadata.get("class-name")
    class_map = _class_map(metadata)
    if isinstance(name, str):
        label = name = name.strip(BLANKS)
        if isinstance(value, int | float) or (isinstance(value, str) and value.isdecimal()):
            class_map = class_map | {read_whole(value, attr): name}
    else:
        label = str(value).strip(BLANKS)
    confidence = read_confidence(metadata.get("confidence"), f"{attr}-metadata.confidence")
    vote = Vote((label,), None if confidence is None else (confidence,), _comment(metadata))
    return ClassLabel(vote, class_map, read_origin(metadata))


def read_verification(attributes: Mapping[str, Any], attr: str) -> ClassLabel:
    """The verdict on an earlier label, with what each worker wrote; `comment` is None."""
    found = read_class(attributes, attr)
    feedback = label_metadata(attributes, attr).get("worker-feedback")
    written = (
        [item.get("comment") for item in feedback if isinstance(item, Mapping)] if isinstance(feedback, list) else []
    )
    comments = tuple(one for one in written if isinstance(one, str) and one.strip())
    return replace(found, vote=replace(found.vote, comment=None, comments=comments))


def read_classes(attributes: Mapping[str, Any], attr: str) -> ClassLabel:
    """A multi-choice label: an array of class ids with class-map and confidence-map."""
    value = label_value(attributes, attr)
    if not isinstance(value, list):
        raise ValueError(f"{attr!r} is not a multi-choice label: an array was expected")
    metadata = label_metadata(attributes, attr)
    class_map = _class_map(metadata)
    ids = [read_whole(item, f"{attr}[{place}]") for place, item in enumerate(value)]
    scores = metadata.get("confidence-map")
    confidences = None
    if isinstance(scores, Mapping) and all(str(number) in scores for number in ids):
        confidences = tuple(read_real(scores[str(n)], f"{attr}-metadata.confidence-map.{n}") for n in ids)
    names = tuple(class_map.get(number, str(number)) for number in ids)
    return ClassLabel(Vote(names, confidences), class_map, read_origin(metadata))


def read_spans(attributes: Mapping[str, Any], attr: str) -> SpanLabel:
    """A named-entity label."""
    value = label_value(attributes, attr)
    annotations = value.get("annotations") if isinstance(value, Mapping) else None
    if not isinstance(annotations, Mapping) or not isinstance(annotations.get("entities"), list):
        raise ValueError(f"{attr!r} is not a text-span label: 'annotations.entities' is missing")
    metadata = label_metadata(attributes, attr)
    scores = metadata.get("entities")
    scores = scores if isinstance(scores, list) else []
    spans = []
    for place, entity in enumerate(annotations["entities"]):
        where = f"{attr}.annotations.entities[{place}]"
        if not isinstance(entity, Mapping) or not isinstance(entity.get("label"), str):
            raise ValueError(f"{where}.label is missing")
        start, end = (read_whole(entity.get(name), f"{where}.{name}") for name in ("startOffset", "endOffset"))
        known = scores[place] if place < len(scores) and isinstance(scores[place], Mapping) else {}
        confidence = read_confidence(known.get("confidence"), f"{attr}-metadata.entities[{place}].confidence")
        spans.append(Span(entity["label"], start, end, confidence))
    listed = annotations.get("labels")
    labels = tuple(
        item["label"]
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, Mapping) and isinstance(item.get("label"), str)
    )
    return SpanLabel(tuple(spans), labels, read_origin(metadata))


def read_masks(attributes: Mapping[str, Any], attr: str) -> MaskLabel:
    """The masks under `attr`, whose value has to be the content of the file, as bytes, in place of its address.

    Raises ValueError naming the member that is missing or of the wrong kind.
    """
    png = label_value(attributes, attr)
    if not isinstance(png, bytes):
        raise ValueError(f"{attr!r} is not a segmentation label: the address of a PNG was expected")
    metadata = label_metadata(attributes, attr)
    where = f"{attr}-metadata.internal-color-map"
    given = metadata.get("internal-color-map")
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} is missing or not an object")
    entries = {}
    for key, entry in given.items():
        index, path = read_whole(key, where), f"{where}.{str(key)[:20]}"
        if not isinstance(entry, Mapping) or not isinstance(entry.get("class-name"), str):
            raise ValueError(f"{path}.class-name is missing")
        if not 0 <= index <= 255:
            raise ValueError(f"{path}: an index of a palette is 0 to 255")
        confidence = read_confidence(entry.get("confidence"), f"{path}.confidence")
        entries[index] = MaskEntry(entry["class-name"].strip(BLANKS), _text(entry.get("hex-color")), confidence)
    return MaskLabel(png, entries, read_origin(metadata))


# --- parts ---------------------------------------------------------------------------------------------------------


def label_value(attributes: Mapping[str, Any], attr: str) -> Any:
    """The value under `attr`. Raises ValueError, with the reason of a failure, where there is none."""
    if attr not in attributes:
        reason = failure_reason(attributes, attr)
        raise ValueError(f"{attr!r} is missing" + (f" (the object failed: {reason})" if reason else ""))
    return attributes[attr]


def label_metadata(attributes: Mapping[str, Any], attr: str) -> Mapping[str, Any]:
    """The metadata of `attr`, empty where there are none."""
    metadata = attributes.get(f"{attr}-metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _class_map(metadata: Mapping[str, Any]) -> dict[int, str]:
    found = metadata.get("class-map")
    if not isinstance(found, Mapping):
        return {}
    return {read_whole(key, "class-map"): _said(name).strip(BLANKS) for key, name in found.items()}


def read_origin(metadata: Mapping[str, Any]) -> Origin:
    """What the metadata say about where the label came from."""
    said = metadata.get("human-annotated")
    human = {"yes": True, "true": True, True: True, "no": False, "false": False, False: False}
    return Origin(
        type=_text(metadata.get("type")),
        human_annotated=human.get(said) if isinstance(said, str | bool) else None,
        job_name=_text(metadata.get("job-name")),
        creation_date=_text(metadata.get("creation-date")),
        model_name=_text(metadata.get("model-name")),
    )


def _image_size(found: Any, attr: str) -> ImageSize | None:
    if isinstance(found, Sequence) and not isinstance(found, str) and found:
        found = found[0]
    if not isinstance(found, Mapping) or "width" not in found or "height" not in found:
        return None
    width, height = (read_whole(found[side], f"{attr}.image_size.{side}") for side in ("width", "height"))
    if width < 1 or height < 1:
        return None  # Some tools write 0 x 0 for what they do not know.
    if max(width, height) > MAX_SIDE:
        raise ValueError(f"{attr}.image_size is {width} x {height}, at most {MAX_SIDE:,} pixels a side are possible")
    depth = found.get("depth")
    channels = 3 if depth is None else read_whole(depth, f"{attr}.image_size.depth")
    return ImageSize(width, height, channels if 1 <= channels <= MAX_DEPTH else 3)


def _comment(metadata: Mapping[str, Any]) -> str | None:
    feedback = metadata.get("worker-feedback")
    if not isinstance(feedback, list):
        return None
    comments = [item.get("comment") for item in feedback if isinstance(item, Mapping)]
    return "\n".join(_said(comment) for comment in comments if comment) or None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def read_real(value: Any, where: str) -> float:
    """A finite number, or text that says one. Raises ValueError naming `where`."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise ValueError(f"{where} must be a number, found {value[:40]!r}") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where} must be a number, found {_said(value)}")
    # Integers are compared before anything makes a float of them, which fails for large ones.
    if abs(value) > _LARGEST_NUMBER or not isfinite(value):
        raise ValueError(f"{where} must be a finite number of at most {_LARGEST_NUMBER}")
    return value


def read_confidence(value: Any, where: str) -> float | None:
    """A chance between 0 and 1; any other number is no chance and says nothing."""
    if value is None:
        return None
    number = read_real(value, where)
    return number if 0 <= number <= 1 else None


def read_coordinate(value: Any, where: str) -> float:
    """A number of pixels that an image can have. Raises ValueError naming `where`."""
    number = read_real(value, where)
    if abs(number) > MAX_COORDINATE:
        raise ValueError(f"{where} must be at most {MAX_COORDINATE:,} pixels, found {value!r}")
    return number


def read_whole(value: Any, where: str) -> int:
    """A whole number, also written as text or as 1.0. Raises ValueError naming `where`."""
    number = read_real(value, where)
    if number != int(number):
        raise ValueError(f"{where} must be a whole number, found {number:g}")
    return int(number)


def _said(value: Any) -> str:
    """A value as text; of a list or an object only the kind, because text of a deeply nested one cannot be made."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return str(value)
