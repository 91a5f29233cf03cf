"""The images that labels can be for: those packed with them, those of a data set, or the objects of a job.

Unpacks, lists and measures them; knows no labels.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import BinaryIO

from labeling.formats import manifest
from labeling.formats.images import ImageInfo
from labeling.formats.interchange.detection import LABEL_ENDINGS
from labeling.formats.interchange.matching import ImageIndex
from labeling.models import DataObject, ImportOutcome, LabelImport
from labeling.services.imports.limits import GOLDS
from labeling.services.imports.reports import Report, base
from labeling.services.intake import inspection, sources, zips
from labeling.services.intake.progress import Progress
from labeling.services.intake.rejected_lines import RejectedLines
from marketplace import storage

CHUNK = 5000
"""Objects of a job that are read at a time."""


@dataclass
class Pictures:
    """Images by name. `keys` are those of a job's objects, or line numbers of `manifest_uri`, in the index's order."""

    index: ImageIndex = field(default_factory=ImageIndex)
    keys: list[int] = field(default_factory=list)
    manifest_uri: str = ""

    def add(self, name: str, uri: str, key: int) -> None:
        """An image by its name and address."""
        self.index.add(name or manifest.path_of(uri), uri)
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
    label_import: LabelImport, *, archive: BinaryIO | None, report: Report, progress: Progress
) -> Pictures | None:
    """The images that the import's labels may be for; None when a later call must unpack the rest of the archive.

    `archive` is the zip that has the labels, if they came in one.
    """
    pictures = Pictures()
    if label_import.purpose == GOLDS:
        _of_job(label_import, pictures)
    elif label_import.images is not None:
        pictures.manifest_uri = label_import.images.manifest_uri
        with storage.open(pictures.manifest_uri) as stream:
            for line in manifest.parse(stream):
                if isinstance(line, manifest.Line) and line.source_ref:
                    pictures.add(manifest.source_name(line.attributes), line.source_ref, line.number)
    elif archive is not None:
        into = storage.join(base(label_import), "images")
        for file in zips.extract(archive, into=into, rejected=_OtherFiles(report), progress=progress):
            if file is None:
                return None
            pictures.add(file.name, file.uri, len(pictures.keys))
    return pictures


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


def _of_job(label_import: LabelImport, pictures: Pictures) -> None:
    rows = DataObject.objects.filter(job=label_import.job).order_by("index")
    columns = rows.values_list("pk", "source_name", "source_ref")
    for pk, name, ref in columns.iterator(chunk_size=CHUNK):
        pictures.add(name, ref, pk)
