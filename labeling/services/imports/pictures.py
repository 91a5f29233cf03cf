"""The objects that labels can be for: those packed with them, those of a data set, or those of a job.

Unpacks, lists and measures them; knows no labels. A text without an address is known by what it says.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

import orjson

from labeling.formats import manifest, texts
from labeling.formats.images import ImageInfo
from labeling.formats.interchange.detection import LABEL_ENDINGS
from labeling.formats.interchange.items import BadItem, FoundImage, text_key
from labeling.formats.interchange.matching import ImageIndex
from labeling.models import DataObject, ImportOutcome, LabelImport
from labeling.services.imports.limits import GOLDS
from labeling.services.imports.reports import Report, base
from labeling.services.intake import inspection, source_names, sources, zips
from labeling.services.intake import texts as stored_texts
from labeling.services.intake.progress import Progress
from labeling.services.intake.rejected_lines import RejectedLines
from labeling.task_types.base import TEXT
from marketplace import storage
from marketplace.errors import DomainError

CHUNK = 5000
"""Objects of a job that are read at a time."""


class Occurrences:
    """Keys of texts that have no address: the second object with the same text has another one than the first."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def key(self, text: str) -> str:
        """The key of the next object with this text."""
        key = text_key(text)
        self._seen[key] += 1
        return key if self._seen[key] == 1 else f"{key}:{self._seen[key]}"


@dataclass
class Pictures:
    """Images, or texts, by name. `keys` are those of a job's objects, or line numbers of `manifest_uri`, in the order
    of the index."""

    index: ImageIndex = field(default_factory=ImageIndex)
    keys: list[int] = field(default_factory=list)
    manifest_uri: str = ""

    def add(self, name: str, uri: str, key: int) -> None:
        """An image by its name and address."""
        # A text without an address has a key of ours, which is no name.
        self.index.add(name or (manifest.path_of(uri) if "://" in uri else ""), uri)
        self.keys.append(key)


class _OtherFiles(RejectedLines):
    """What is in an archive beside pictures: labels are no news, everything else goes into the report."""

    def __init__(self, report: Report):
        super().__init__()
        self._report = report

    def add(self, number: int, reason: str, excerpt: str = "") -> None:
        """A member that is no picture."""
        if not excerpt.lower().endswith(LABEL_ENDINGS):
            self._report.add(excerpt, ImportOutcome.SKIPPED, reason)


def of_import(
    label_import: LabelImport,
    *,
    medium: str,
    archive: BinaryIO | None,
    others: frozenset[str] = frozenset(),
    report: Report,
    progress: Progress,
) -> Pictures | None:
    """The objects that the import's labels may be for; None when a later call must unpack the rest of the archive.

    `archive` is the zip that has the labels, if they came in one, and `others` its members that are no objects.
    """
    pictures = Pictures()
    if label_import.purpose == GOLDS:
        _of_job(label_import, pictures, medium)
    elif label_import.images is not None:
        pictures.manifest_uri = label_import.images.manifest_uri
        texts_of = Occurrences()
        with storage.open(pictures.manifest_uri) as stream:
            for line in manifest.parse(stream):
                if isinstance(line, manifest.Line) and (line.source_ref or (line.source and medium == TEXT)):
                    uri = line.source_ref or texts_of.key(line.source or "")
                    pictures.add(manifest.source_name(line.attributes), uri, line.number)
    elif archive is not None:
        into = storage.join(base(label_import), "images")
        for file in zips.extract(archive, into=into, rejected=_OtherFiles(report), progress=progress, medium=medium):
            if file is None:
                return None
            if file.name not in others:
                pictures.add(file.name, file.uri, len(pictures.keys))
    return pictures


def of_texts(label_import: LabelImport, found: Iterable[FoundImage | BadItem]) -> Pictures:
    """The texts that a label file has itself, stored as the manifest of a data set, known by their places there."""
    pictures = Pictures(manifest_uri=storage.join(base(label_import), "texts.manifest"))
    with storage.writer(pictures.manifest_uri, content_type="application/jsonl") as out:
        number = 0
        for one in found:
            if not isinstance(one, FoundImage) or one.text is None or _no_text(one.text):
                continue
            number += 1
            out.write(_text_line(label_import, one, number) + b"\n")
            pictures.add(one.names[0] if one.names else "", own_key(one), number)
    return pictures


def own_key(found: FoundImage) -> str:
    """By what a text is known that came with its label."""
    return f"place:{found.where}"


def _no_text(text: str) -> bool:
    try:
        texts.check(text)
    except texts.TextError:
        return True
    return False


def _text_line(label_import: LabelImport, found: FoundImage, number: int) -> bytes:
    """The manifest line of a text; one that does not fit into a line is a file of its own."""
    name = {manifest.SOURCE_NAME: source_names.storable(found.names[0])} if found.names else {}
    text = found.text or ""
    if len(text) <= manifest.MAX_ATTRIBUTE_CHARACTERS:
        return orjson.dumps({manifest.SOURCE: text, **name})
    uri = storage.join(base(label_import), "texts", f"{number:07d}{texts.SUFFIX}")
    storage.write(uri, text.encode(), content_type=texts.CONTENT_TYPE)
    return orjson.dumps({manifest.SOURCE_REF: uri, **name})


def originals(pictures: Pictures) -> Iterator[tuple[int, bytes]]:
    """(place in the index, manifest line) of every image, in the order in which the new data set has them."""
    if not pictures.manifest_uri:
        for place, entry in enumerate(pictures.index.entries):
            yield place, sources.SourceFile(entry.uri, entry.name).manifest_line()
        return
    places = {number: place for place, number in enumerate(pictures.keys)}
    with storage.open(pictures.manifest_uri) as stream:
        for line in manifest.parse(stream):
            if isinstance(line, manifest.Line) and line.number in places:
                yield places[line.number], line.original


def measured(uris: Sequence[str]) -> dict[str, ImageInfo | None]:
    """Size and orientation of stored images, several at once; None for those on other servers. StoreUnavailable."""
    stored = [uri for uri in dict.fromkeys(uris) if not uri.startswith(("http://", "https://"))]
    found: dict[str, ImageInfo | None] = dict.fromkeys(uris)
    with ThreadPoolExecutor(inspection.THREADS, thread_name_prefix="measure") as pool:
        found.update(zip(stored, pool.map(inspection.measure, stored), strict=True))
    return found


def text_at(uri: str) -> str:
    """The text of a stored file. Raises ValueError when it cannot be read, StoreUnavailable."""
    try:
        return stored_texts.stored(uri)
    except storage.StoreUnavailable:
        raise
    except DomainError as error:
        raise ValueError(f"the text cannot be read: {error.message}") from None


def _of_job(label_import: LabelImport, pictures: Pictures, medium: str) -> None:
    rows = DataObject.objects.filter(job=label_import.job).order_by("index")
    columns = rows.values_list("pk", "source_name", "source_ref").iterator(chunk_size=CHUNK)
    texts_of = Occurrences()
    while chunk := list(islice(columns, CHUNK)):
        inline = stored_texts.inline_texts([pk for pk, _, ref in chunk if not ref]) if medium == TEXT else {}
        for pk, name, ref in chunk:
            pictures.add(name, texts_of.key(inline[pk]) if pk in inline else ref, pk)
