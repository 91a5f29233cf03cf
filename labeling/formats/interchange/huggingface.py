"""The layout of Hugging Face's `datasets` library, out: a card (README.md) that says the features, and the rows.

With the images it is an image folder with a `metadata.jsonl`; without them, and for texts, the rows are JSON Lines. It
must not know jobs or storage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from posixpath import splitext
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

import orjson
import yaml

from labeling.formats.images import SIGNATURE_BYTES, format_by_signature
from labeling.formats.interchange import kinds
from labeling.formats.interchange.archives import ArchiveWriter
from labeling.formats.interchange.items import LabeledImage, LabeledText, class_order, class_place
from labeling.formats.interchange.member_names import Names

FOLDER = "data/train/"
ROWS, METADATA = "data/train.jsonl", f"{FOLDER}metadata.jsonl"
_KNOWN_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Endings by which an image folder finds its images."""

_NUMBER = {"dtype": "float64"}
_PLAIN = re.compile(r"[^A-Za-z0-9._ -]+")


def write_huggingface(
    objects: Iterable[LabeledImage | LabeledText],
    out: BinaryIO,
    *,
    labels: Sequence[str],
    part: str,
    several: bool = False,
    texts: bool = False,
    images: bool = False,
    title: str = "",
) -> int:
    """Write the zip and return the number of rows; `part` is one of `kinds`, `several`: an object has several classes.

    Raises ValueError for a class that is not in `labels`.
    """
    order, names, count = class_order(labels), Names(), 0
    with ArchiveWriter(out) as archive, SpooledTemporaryFile(max_size=8_000_000) as rows:
        for one in objects:
            row: dict[str, Any]
            if isinstance(one, LabeledText):
                row = {"text": one.text, "name": one.name}
            else:
                stem, file = names.take_pair(one.file_name, label=".jsonl", ending=_ending(one))
                row = {"file_name" if images else "file": file, "width": one.image_size.width}
                row |= {"height": one.image_size.height, "source_ref": one.source}
                archive.add_image(f"{FOLDER}{file}", one)
            rows.write(orjson.dumps({**row, **_label(one, part, several, order)}) + b"\n")
            count += 1
        archive.add("README.md", _card(labels, part, several, texts, images, count, title).encode())
        archive.add_stream(METADATA if images else ROWS, rows)
    return count


def _ending(image: LabeledImage) -> str | None:
    """The ending of the image's file by its content, when an image folder would pass over its own."""
    if image.content is None or splitext(image.file_name)[1].lower() in _KNOWN_ENDINGS:
        return None
    return f".{(format_by_signature(image.content[:SIGNATURE_BYTES]) or 'jpeg').lower()}"


def _label(one: LabeledImage | LabeledText, part: str, several: bool, order: dict[str, int]) -> dict[str, Any]:
    def place(label: str) -> int:
        return class_place(order, label, one.source)

    if part == kinds.CLASSES:
        found = [place(tag.label) for tag in one.tags]
        return {"labels": found} if several else {"label": found[0]}
    if isinstance(one, LabeledText):
        spans = one.spans
        return {
            "entities": {
                "start": [span.start for span in spans],
                "end": [span.end for span in spans],
                "categories": [place(span.label) for span in spans],
                "scores": [span.confidence or 0.0 for span in spans],
            }
        }
    shapes: Sequence[Any]
    if part == kinds.BOXES:
        shapes = one.boxes
        drawn: dict[str, Any] = {"bbox": [[box.left, box.top, box.width, box.height] for box in one.boxes]}
    elif part == kinds.POINTS:
        shapes = one.points
        drawn = {"points": [[point.x, point.y] for point in one.points]}
    elif part in (kinds.MASKS, kinds.OBJECTS):
        shapes = one.masks
        drawn = {"rle": [mask.counts for mask in one.masks]}
    else:
        shapes = one.outlines
        drawn = {"vertices": [[list(vertex) for vertex in outline.vertices] for outline in one.outlines]}
    categories = [place(shape.label) for shape in shapes]
    return {"objects": {**drawn, "categories": categories, "scores": [shape.confidence or 0.0 for shape in shapes]}}


# --- the card ------------------------------------------------------------------------------------------------------


def _card(labels: Sequence[str], part: str, several: bool, texts: bool, images: bool, count: int, title: str) -> str:
    """YAML that the library reads, then a few words for people."""
    folder = {"data_dir": "data"} if images else {"data_files": [{"split": "train", "path": ROWS}]}
    head = {
        "dataset_info": {"features": _features(labels, part, several, texts, images)},
        "configs": [{"config_name": "default", **folder}],
        "size_categories": [_size_category(count)],
    }
    said = _PLAIN.sub(" ", title).strip() or "Labels"
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    what = f"{count} objects with labels ({kinds.WORDS[part][1]}). {_words(part, texts)}"
    # An image folder takes the features of its rows, so that the library shows numbers there instead of names.
    return f"---\n{text}---\n\n# {said}\n\n{what} The names of the classes stand in `dataset_info` above.\n"


def _words(part: str, texts: bool) -> str:
    if part == kinds.BOXES:
        return "A box is [left, top, width, height] in pixels, as in COCO."
    if part in (kinds.MASKS, kinds.OBJECTS):
        return "A mask is COCO's compressed run lengths of the image's size, column by column."
    if texts and part == kinds.SPANS:
        return "Offsets count Unicode code points; the end is exclusive."
    return "Coordinates are pixels from the top left." if part != kinds.CLASSES else "Classes are numbered from 0."


def _features(labels: Sequence[str], part: str, several: bool, texts: bool, images: bool) -> list[dict[str, Any]]:
    of_class = {"class_label": {"names": {str(place): label for place, label in enumerate(labels)}}}
    whole = {"dtype": "int64"}
    features: list[dict[str, Any]] = [_text("text"), _text("name")] if texts else []
    if not texts:
        features.append({"name": "image", "dtype": "image"} if images else _text("file"))
        features += [{"name": "width", **whole}, {"name": "height", **whole}, _text("source_ref")]
    if part == kinds.CLASSES:
        named = {"name": "labels", "sequence": {"dtype": of_class}} if several else {"name": "label", "dtype": of_class}
        return [*features, named]
    fields: dict[str, dict[str, Any]] = {
        kinds.BOXES: {"bbox": _list(_list(_NUMBER))},
        kinds.POINTS: {"points": _list(_list(_NUMBER))},
        kinds.MASKS: {"rle": _list({"dtype": "string"})},
        kinds.OBJECTS: {"rle": _list({"dtype": "string"})},
        kinds.SPANS: {"start": _list(whole), "end": _list(whole)},
    }.get(part, {"vertices": _list(_list(_list(_NUMBER)))})
    fields |= {"categories": _list({"dtype": of_class}), "scores": _list(_NUMBER)}
    struct = [{"name": name, **kind} for name, kind in fields.items()]
    return [*features, {"name": "entities" if texts else "objects", "struct": struct}]


def _text(name: str) -> dict[str, Any]:
    return {"name": name, "dtype": "string"}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"sequence": of if len(of) > 1 or "dtype" not in of or isinstance(of["dtype"], dict) else of["dtype"]}


def _size_category(count: int) -> str:
    """The word that the hub has for this many rows."""
    for most, said in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")):
        if count < most:
            return said
    return "n>1M"
