"""Turns what a training is given as a channel into the manifest that programs read, whatever the format.

An augmented manifest stays as it is. RecordIO, `.lst` lists, SageMaker's image format and the formats that labels are
imported from become lines of the same form. Knows neither folders of jobs nor how images come into them.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from labeling.formats import images as image_files
from labeling.formats.images import ImageInfo
from labeling.formats.interchange import image_lists, kinds, recordio
from labeling.formats.interchange.items import BadItem
from labeling.formats.shapes import Box
from learning.contract import BadInput, write_atomically
from learning.services.programs.channel_images import ChannelImages
from marketplace import storage
from marketplace.errors import DomainError

MANIFEST_TYPE, LABELS_TYPE = "application/jsonlines", "application/zip"
IMAGE_TYPES = ("application/x-image", "image/jpeg", "image/png")
LABEL_FORMATS = tuple(name for name in kinds.FORMATS if name != kinds.MANIFEST)
CONTENT_TYPES = (MANIFEST_TYPE, recordio.CONTENT_TYPE, *IMAGE_TYPES, LABELS_TYPE, *LABEL_FORMATS)
"""What a channel may be. `application/zip` is labels of whatever import format they show to be."""

ANNOTATION = "_annotation"
"""The ending of the channel that has the JSON files of a channel's images."""

READS = 16
CHUNK = 256
HEAD_BYTES = 1 << 16
"""What the size of an image is looked for in, before the whole file is read for it."""

MAX_ANNOTATION = 5_000_000
MOST_SHARE = 2.0
"""A box may reach out of its image, yet shares of sides far above 1 are pixels."""


@dataclass
class Classes:
    """The classes by name, in the order in which they are met; kept in a file, so that all channels number alike.

    `given` (id as text -> name) rules when there is one.
    """

    path: Path
    given: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids = {name: int(number) for number, name in self.given.items()}
        if not self.given and self.path.exists():
            self._ids = json.loads(self.path.read_text())

    def number(self, name: str) -> int:
        """The class id of a name. Raises ValueError for a name that is not among given ones."""
        if name not in self._ids:
            if self.given:
                raise ValueError(f"{name!r} is not one of the classes ({', '.join(list(self._ids)[:20])})")
            self._ids[name] = len(self._ids)
        return self._ids[name]

    def keep(self) -> None:
        """Write the classes down for the channels to come."""
        write_atomically(self.path, json.dumps(self._ids))


@dataclass(frozen=True)
class Source:
    """One channel as it is to be read: where, of what form, and the label attribute to write."""

    channel: str
    uri: str
    content_type: str
    attribute: str
    images_uri: str = ""
    annotation_uri: str = ""

    def bad(self, file: str, where: str, reason: str) -> BadInput:
        """The error of one place in a file."""
        return BadInput(f"{self.channel} channel, {file.rpartition('/')[2] or file}, {where}: {reason}")


def is_manifest(source: Source) -> bool:
    """Whether the channel is an augmented manifest: AWS calls its content RecordIO, because it wraps the lines so."""
    if source.content_type == MANIFEST_TYPE:
        return True
    if source.content_type != recordio.CONTENT_TYPE or source.uri.endswith("/"):
        return False
    with storage.open(source.uri) as stream:
        return stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def lines(source: Source, images: ChannelImages) -> Iterator[bytes]:
    """The manifest lines of RecordIO, of a list, or of the image format. Raises BadInput naming file and place."""
    read: Callable[[Source, ChannelImages], Iterator[bytes]]
    if source.content_type == recordio.CONTENT_TYPE:
        read = _records
    elif source.uri.endswith(".lst"):
        read = _list
    else:
        read = _annotations
    found = read(source, images)
    first = next(found, None)
    if first is None:
        raise BadInput(f"{source.channel} channel: there is nothing to learn from at {source.uri}")
    yield first
    yield from found


def label_line(
    path: str,
    attribute: str,
    boxes: Iterable[tuple[int, Box]],
    size: tuple[int, int, int],
    class_map: Mapping[int, str],
) -> bytes:
    """The manifest line of an image with boxes in its displayed pixels, each with its class id."""
    annotations = [
        {"class_id": number, "left": box.left, "top": box.top, "width": box.width, "height": box.height}
        for number, box in boxes
    ]
    width, height, depth = size
    label = {"image_size": [{"width": width, "height": height, "depth": depth}], "annotations": annotations}
    metadata = {
        "class-map": {str(number): name for number, name in class_map.items()},
        "type": "groundtruth/object-detection",
    }
    return orjson.dumps({"source-ref": path, attribute: label, f"{attribute}-metadata": metadata})


def _packed_line(path: str, source: Source, labels: tuple[float, ...], info: ImageInfo) -> bytes:
    """The line of an image with labels as im2rec packs them: one is a class, more are boxes. Raises ValueError."""
    if len(labels) == 1:
        if labels[0] != int(labels[0]) or labels[0] < 0:
            raise ValueError(f"the class is {labels[0]:g}, expected a whole number from 0 on")
        kind = int(labels[0])
        metadata = {"class-name": f"class {kind}", "confidence": 1.0, "type": "groundtruth/image-classification"}
        line = {"source-ref": path, source.attribute: kind, f"{source.attribute}-metadata": metadata}
        return orjson.dumps(line)
    # The program says for its line that an image cannot be read.
    width, height = info.width or 1, info.height or 1
    boxes = []
    for place, box in enumerate(recordio.boxes(labels), start=1):
        sides = (box.left, box.top, box.right, box.bottom)
        if max(map(abs, sides)) > MOST_SHARE:
            said = ", ".join(f"{side:g}" for side in sides)
            raise ValueError(f"box {place}: its sides are shares of the image's, from 0 to 1; found {said}")
        extent = ((box.right - box.left) * width, (box.bottom - box.top) * height)
        boxes.append((box.class_id, Box("", box.left * width, box.top * height, *extent)))
    return label_line(path, source.attribute, boxes, (width, height, info.depth or 3), {})


# --- RecordIO --------------------------------------------------------------------------------------------------------


def _records(source: Source, images: ChannelImages) -> Iterator[bytes]:
    """One .rec file, or all of a folder, each read once from its beginning."""
    uris = [source.uri] if not source.uri.endswith("/") else _files(source.uri, ".rec")
    for uri in uris:
        with storage.open(uri) as stream:
            records = recordio.read_records(stream)
            while True:
                try:
                    record = next(records, None)
                except ValueError as error:
                    raise BadInput(f"{source.channel} channel, {uri.rpartition('/')[2]}, {error}") from None
                if record is None:
                    break
                try:
                    packed = recordio.unpack(record.data)
                    path = images.of_record(
                        uri, number=record.number, offset=record.offset, length=record.length, image=packed.image
                    )
                    yield _packed_line(path, source, packed.labels, image_files.measure(packed.image))
                except ValueError as error:
                    raise source.bad(uri, f"record {record.number}", str(error)) from None


# --- lists and the image format --------------------------------------------------------------------------------------


def _list(source: Source, images: ChannelImages) -> Iterator[bytes]:
    folder = source.images_uri or source.uri.rpartition("/")[0]

    def line(listed: image_lists.ListedImage | BadItem) -> bytes:
        if isinstance(listed, BadItem):
            raise source.bad(source.uri, listed.where, listed.reason)
        try:
            uri = storage.join(folder, listed.path)
            return _packed_line(images.of(uri), source, listed.labels, measured(uri, images))
        except (ValueError, DomainError) as error:
            if isinstance(error, storage.StoreUnavailable):
                raise
            raise source.bad(source.uri, f"line {listed.number}", str(error)) from None

    with storage.open(source.uri) as stream:
        yield from _together(line, image_lists.read_list(stream))


def _annotations(source: Source, images: ChannelImages) -> Iterator[bytes]:
    folder = source.uri.rstrip("/")

    def line(uri: str) -> bytes:
        try:
            images.check(uri)
            found = image_lists.read_annotation(storage.read(uri, limit=MAX_ANNOTATION))
            path = images.of(storage.join(folder, found.path))
        except (ValueError, DomainError) as error:
            if isinstance(error, storage.StoreUnavailable):
                raise
            raise BadInput(f"{source.channel}{ANNOTATION} channel, {uri.rpartition('/')[2]}: {error}") from None
        boxes = [(int(box.label), box) for box in found.boxes]
        return label_line(path, source.attribute, boxes, found.size, found.class_map)

    yield from _together(line, _files(source.annotation_uri, ".json"))


def _files(folder: str, ending: str) -> list[str]:
    """The files in a folder with an ending, in the order of their names."""
    found = storage.list(f"{folder.rstrip('/')}/")
    return [stored.uri for stored in found if stored.uri.lower().endswith(ending)]


def _together(work: Callable[[Any], bytes], items: Iterable[Any]) -> Iterator[bytes]:
    """The results in order, several at a time."""
    source = iter(items)
    with ThreadPoolExecutor(READS) as pool:
        while some := list(islice(source, CHUNK)):
            yield from pool.map(work, some)


def measured(uri: str, images: ChannelImages) -> ImageInfo:
    """The size of a stored image, as a rule from its first bytes; a problem for one that may not be read."""
    if not images.may_read(uri):
        return ImageInfo(problem="the account may not read it")
    try:
        with storage.open(uri, length=HEAD_BYTES) as stream:
            info = image_files.measure(stream.read())
        return info if info.ok else image_files.measure(storage.read(uri, limit=image_files.Limits().max_bytes))
    except storage.StoreUnavailable:
        raise
    except DomainError as error:
        return ImageInfo(problem=error.message)
