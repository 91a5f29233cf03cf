"""Channels in the formats that labels are imported from: COCO, VOC, YOLO and so on, a zip, a file or a folder.

Reads them as an import does (labeling/services/imports) and writes manifest lines, without making a data set. Knows
neither folders of jobs nor other formats.
"""

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, cast

from labeling import task_types
from labeling.formats import images as image_files
from labeling.formats.images import ImageInfo
from labeling.formats.interchange.archives import MAX_INDEX, MAX_MEMBER, ArchiveReader
from labeling.formats.interchange.items import BadItem, FoundImage
from labeling.formats.interchange.matching import ImageIndex, NoMatch
from labeling.formats.shapes import Box
from labeling.services.imports import label_files, placing
from labeling.services.imports.limits import AUTO
from labeling.services.intake import media
from labeling.task_types.base import IMAGE
from learning.contract import BadInput
from learning.services.programs.channel_formats import (
    CHUNK,
    LABELS_TYPE,
    READS,
    Classes,
    Source,
    label_line,
    measured,
)
from learning.services.programs.channel_images import ChannelImages
from marketplace import storage
from marketplace.errors import DomainError, Invalid
from marketplace.models import Account

KIND = task_types.get(task_types.DEFAULT)
SHOWN = 3


class StoredFolder(ArchiveReader):
    """A folder of the store with label files and images, read by the readers of archives."""

    def __init__(self, uri: str) -> None:
        self._base = uri.rstrip("/") + "/"
        self._sizes = {stored.uri[len(self._base) :]: stored.size for stored in storage.list(self._base)}
        self._members = dict.fromkeys(self._sizes)  # type: ignore[assignment]

    def size(self, name: str) -> int:
        """See ArchiveReader.size."""
        return self._sizes[name]

    def read(self, name: str, limit: int = MAX_MEMBER) -> bytes:
        """See ArchiveReader.read."""
        try:
            return storage.read(self._base + name, limit=min(limit, MAX_INDEX))
        except Invalid as error:
            raise ValueError(error.message) from None

    def start(self, name: str, most: int) -> bytes:
        """See ArchiveReader.start."""
        if not self._sizes[name]:
            return b""
        with storage.open(self._base + name, length=most) as stream:
            return stream.read()


@dataclass
class _Given:
    """A channel's labels with the images that they are for."""

    source: Source
    images: ChannelImages
    archive: ArchiveReader
    file: label_files.LabelFile
    classes: Classes
    index: ImageIndex = field(default_factory=ImageIndex)
    problems: list[str] = field(default_factory=list)
    count: int = 0

    def take(self, found: FoundImage | BadItem) -> tuple[FoundImage, str] | None:
        """The image and its name among those that are there; None, with the reason among the problems, if none is."""
        if isinstance(found, BadItem):
            self.problems.append(str(found))
            return None
        try:
            place = self.index.find(found)
        except NoMatch as error:
            self.problems.append(f"{found.where}: {error}")
            return None
        return (found, self.index.entries[place].name) if found.labeled else None

    def measure(self, name: str) -> tuple[str, ImageInfo]:
        """(path for the program, size) of an image."""
        if isinstance(self.archive, StoredFolder):
            uri = storage.join(self.source.uri, name)
            return self.images.of(uri), measured(uri, self.images)
        image = self.archive.read(name, image_files.Limits().max_bytes)
        return self.images.of_member(self.source.uri, name=name, image=image), image_files.measure(image)

    def line(self, found: FoundImage, path: str, info: ImageInfo) -> bytes | None:
        """The manifest line; None, with the reason among the problems, for an image that cannot be used."""
        if not info.ok:
            self.problems.append(f"{found.where}: the image {info.problem}")
            return None
        try:
            placed = placing.place(found, info)
        except ValueError as error:
            self.problems.append(f"{found.where}: {error}")
            return None
        self.problems += [str(problem) for problem in (*placed.problems, *placed.aside)]
        boxes = [part for part in placed.parts if isinstance(part, Box)]
        try:
            numbered = [(self.classes.number(box.label), box) for box in boxes]
        except ValueError as error:
            raise self.source.bad(self.source.uri, found.where, str(error)) from None
        self.count += 1
        names = {number: box.label for number, box in numbered}
        return label_line(path, self.source.attribute, numbered, placed.size, names)


def lines(source: Source, images: ChannelImages, *, account: Account, classes: Classes) -> Iterator[bytes | str]:
    """Manifest lines, and as text what could not be used as it stands. Raises BadInput when nothing can be.

    An image that occurs twice keeps its first label.
    """
    asked = AUTO if source.content_type == LABELS_TYPE else source.content_type
    with ExitStack() as stack:
        try:
            archive = _opened(source, images, stack)
            file = label_files.open_archive(archive, kind=KIND, account=account, asked=asked)
        except (ValueError, DomainError) as error:
            if isinstance(error, storage.StoreUnavailable):
                raise
            raise BadInput(f"{source.channel} channel, {source.uri}: {error}") from None
        given = _Given(source, images, archive, file, classes)
        for name in archive.names(""):
            if media.believed(name, IMAGE) and name not in file.others:
                given.index.add(name, name)
        if not given.index.entries:
            raise BadInput(f"{source.channel} channel, {source.uri}: there are no images beside the labels")
        for label in file.labels:
            if not classes.given:
                classes.number(label)
        yield from _each(given)
        if not given.count:
            said = "; ".join(given.problems[:SHOWN]) or "it has no labels"
            raise BadInput(f"{source.channel} channel, {source.uri}: not one image can be used: {said}")
        yield from given.problems


def _each(given: _Given) -> Iterator[bytes]:
    seen: set[str] = set()
    stream = iter(given.file.found())
    # The members of a zip are read one after the other.
    with ThreadPoolExecutor(READS if isinstance(given.archive, StoredFolder) else 1) as pool:
        while some := list(islice(stream, CHUNK)):
            fresh: list[tuple[FoundImage, str]] = []
            for taken in filter(None, map(given.take, some)):
                found, name = taken
                if name in seen:
                    given.problems.append(f"{found.where}: {name} has its label already")
                    continue
                seen.add(name)
                fresh.append(taken)
            for (found, _), (path, info) in zip(fresh, pool.map(given.measure, [n for _, n in fresh]), strict=True):
                if (line := given.line(found, path, info)) is not None:
                    yield line


def _opened(source: Source, images: ChannelImages, stack: ExitStack) -> ArchiveReader:
    """The folder, or the zip, which is copied to this machine for it. Raises ValueError for what is neither."""
    if source.uri.endswith("/"):
        return StoredFolder(source.uri)
    if images.streamed:
        raise ValueError("an archive is not streamed: use the input mode File, or give the folder of its files")
    local = storage.local_path(source.uri)
    if local is not None:
        return ArchiveReader(cast(BinaryIO, stack.enter_context(local.open("rb"))))
    copy = stack.enter_context(tempfile.TemporaryFile(dir=images.folder))  # noqa: SIM115 - the stack closes it
    with storage.open(source.uri) as stream:
        shutil.copyfileobj(stream, copy, 1 << 20)
    copy.seek(0)
    return ArchiveReader(cast(BinaryIO, copy))
