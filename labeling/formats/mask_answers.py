"""Workers' masks: the JSON of `<crowd-semantic-segmentation>` and `<crowd-instance-segmentation>` <-> Segmentation.

An answer is a PNG in the colours that the answer gives its labels or instances. It is untrusted: every error is an
AnswerError that names the field. It must not know tasks, workers' accounts or storage.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from labeling.formats import masks, segments
from labeling.formats.answers import AnswerError
from labeling.formats.shapes import Segment, Segmentation

WHITE = 0xFFFFFF


def parse_semantic_answer(
    content: Mapping[str, Any], *, labels: Sequence[str], size: tuple[int, int], element_name: str
) -> Segmentation:
    """One segment for each label that has pixels, in the order of `labels`.

    White and transparent pixels are background; any other colour has to be one of the answer's labelMappings. A label
    without pixels needs no colour, and a mask without any says that nothing is there.
    """
    element = _element(content, element_name, size)
    where = f"{element_name}.labelMappings"
    mappings = element.get("labelMappings")
    if not isinstance(mappings, Mapping):
        raise AnswerError(where, "is missing or not an object")
    place = {label: number for number, label in enumerate(labels, start=1)}
    colors: dict[int, int] = {}
    for label, mapping in mappings.items():
        if label not in place:
            raise AnswerError(where, f"{str(label)[:100]!r} is not one of the labels of this task")
        color = _color(mapping, f"{where}.{label}")
        if color in colors:
            raise AnswerError(f"{where}.{label}", "has the colour of another label")
        colors[color] = place[label]
    counts = _counts(element, element_name, size, colors)
    found = Segmentation(size, tuple(Segment(labels[number - 1], text) for number, text in sorted(counts.items())))
    return _checked(found, element_name)


def parse_instance_answer(
    content: Mapping[str, Any], *, labels: Collection[str], size: tuple[int, int], element_name: str
) -> Segmentation:
    """One segment for each instance that has pixels, in the answer's order.

    White and transparent pixels are background; any other colour has to be that of an instance. An instance all of
    whose pixels were painted over is left out.
    """
    element = _element(content, element_name, size)
    where = f"{element_name}.instances"
    given = element.get("instances")
    if not isinstance(given, list):
        raise AnswerError(where, "is missing or not a list")
    if len(given) > segments.MOST_SEGMENTS:
        raise AnswerError(where, f"holds {len(given)} items, at most {segments.MOST_SEGMENTS} are allowed")
    colors: dict[int, int] = {}
    for number, instance in enumerate(given, start=1):
        path = f"{where}[{number - 1}]"
        color = _color(instance, path)
        label = instance.get("label")
        if not isinstance(label, str) or label not in labels:
            said = repr(label[:100]) if isinstance(label, str) else type(label).__name__
            raise AnswerError(f"{path}.label", f"{said} is not one of the labels of this task")
        if color in colors:
            raise AnswerError(f"{path}.color", "is the colour of another instance")
        colors[color] = number
    counts = _counts(element, element_name, size, colors)
    found = tuple(Segment(given[number - 1]["label"], text) for number, text in sorted(counts.items()))
    return _checked(Segmentation(size, found), element_name)


def semantic_content(found: Segmentation, *, element_name: str) -> dict[str, Any]:
    """The answer that a worker's page would send for these masks of labels."""
    colors = masks.distinct_colors(len(found.segments))
    mappings = {one.label: {"color": color} for one, color in zip(found.segments, colors, strict=True)}
    return {element_name: {**_size(found), "labelMappings": mappings, "labeledImage": labeled_image(found, colors)}}


def instance_content(found: Segmentation, *, element_name: str) -> dict[str, Any]:
    """The answer that a worker's page would send for these instances."""
    colors = masks.distinct_colors(len(found.segments))
    listed = [{"color": color, "label": one.label} for one, color in zip(found.segments, colors, strict=True)]
    return {element_name: {**_size(found), "instances": listed, "labeledImage": labeled_image(found, colors)}}


def labeled_image(found: Segmentation, colors: Sequence[str]) -> dict[str, str]:
    """The masks as the base64 of a palette PNG, each segment in its colour, on white."""
    png = masks.write_palette_png(segments.layout(found, range(1, len(colors) + 1)), dict(enumerate(colors, start=1)))
    return {"pngImageData": base64.b64encode(png).decode("ascii")}


def data_url(found: Segmentation, colors: Sequence[str]) -> str:
    """The same as an address that holds it, for an element's initial value."""
    return f"data:image/png;base64,{labeled_image(found, colors)['pngImageData']}"


def _size(found: Segmentation) -> dict[str, Any]:
    return {"inputImageProperties": {"height": found.size[1], "width": found.size[0]}}


def _element(content: Any, name: str, size: tuple[int, int]) -> Mapping[str, Any]:
    element = content.get(name) if isinstance(content, Mapping) else None
    if not isinstance(element, Mapping):
        raise AnswerError(name, "is missing or not an object")
    said = element.get("inputImageProperties")
    if isinstance(said, Mapping) and said:
        for side, wanted in (("width", size[0]), ("height", size[1])):
            if said.get(side) != wanted or isinstance(said.get(side), bool):
                raise AnswerError(f"{name}.inputImageProperties.{side}", f"must be {wanted}, that of the image")
    elif said:
        raise AnswerError(f"{name}.inputImageProperties", "must be an object")
    return element


def _color(holder: Any, where: str) -> int:
    if not isinstance(holder, Mapping):
        raise AnswerError(where, "must be an object")
    try:
        color = int.from_bytes(masks.rgb(holder.get("color")), "big")
    except ValueError as error:
        raise AnswerError(f"{where}.color", str(error)) from None
    if color == WHITE:
        raise AnswerError(f"{where}.color", "is white, which is the background")
    return color


def _counts(element: Mapping[str, Any], name: str, size: tuple[int, int], colors: Mapping[int, int]) -> dict[int, str]:
    """The run lengths of each number of `colors` that has pixels. The PNG is decoded here, once."""
    where = f"{name}.labeledImage.pngImageData"
    holder = element.get("labeledImage")
    data = holder.get("pngImageData") if isinstance(holder, Mapping) else None
    if not isinstance(data, str):
        raise AnswerError(where, "is missing")
    try:
        starts, found = masks.color_runs(base64.b64decode(data, validate=True), size=size)
    except (ValueError, binascii.Error) as error:
        raise AnswerError(where, str(error)) from None
    if len(starts) > 2 * segments.MOST_RUNS:
        raise AnswerError(where, f"has {len(starts):,} runs of one colour, at most {2 * segments.MOST_RUNS:,} are read")
    used, inverse = np.unique(found, return_inverse=True)
    unknown = [color for color in used.tolist() if color != WHITE and color not in colors]
    if unknown:
        raise AnswerError(where, f"holds the colour #{unknown[0]:06x}, which nothing in the answer has")
    numbers = np.asarray([colors.get(color, 0) for color in used.tolist()], np.int64)
    return segments.segment_counts(starts, numbers[inverse], size[0] * size[1])


def _checked(found: Segmentation, name: str) -> Segmentation:
    try:
        segments.check(found)
    except ValueError as error:
        raise AnswerError(f"{name}.labeledImage.pngImageData", str(error)) from None
    return found
