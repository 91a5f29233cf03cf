"""The sources of data sets: folder and prefix listings, zip files, manifests, exports of iNaturalist. Each yields
manifest lines.

Knows neither selections nor jobs. The names decide the order, and whether a source holds images or texts (media.py);
the content decides what each file is.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO, Protocol, cast
from urllib.parse import unquote

from labeling.formats import file_kinds
from labeling.models import Dataset
from labeling.services.intake import inaturalist, media, source_names, zips
from labeling.services.intake.rejected_lines import RejectedLines
from labeling.services.intake.source_names import SourceFile
from labeling.task_types.base import TEXT
from marketplace import storage
from marketplace.errors import DomainError
from marketplace.services import boundaries

KINDS = ("folder", "zip", "prefix", "manifest", inaturalist.KIND)
COPY_BYTES = 1024 * 1024


class Progress(Protocol):
    """Receives the progress of the work; may raise to stop it."""

    def start(self, stage: str, *, total: int) -> None:
        """A stage of `total` units begins; 0 when the total is unknown."""

    def report(self, done: int, **counts: int) -> None:
        """`done` units of the stage are done."""


def write_lines(dataset: Dataset, out: IO[bytes], rejected: RejectedLines, progress: Progress) -> bool:
    """Write a manifest line for each object of the source to `out`, in order.

    Returns False when a later call must do the rest. Whatever cannot be an object is added to `rejected` with its place
    in the source.
    """
    kind, uri = dataset.source["kind"], dataset.source["uri"]
    if kind == "manifest":
        with storage.open(uri) as stream:
            _copy(stream, out, progress, storage.size(uri))
        return True
    if kind == "zip":
        with local_copy(uri) as archive:
            medium, into = media.of_names(zips.names(archive)), images_base(dataset)
            files = zips.extract(archive, into=into, rejected=rejected, progress=progress, medium=medium)
            return _write(files, out)
    if kind == inaturalist.KIND:
        with local_copy(uri) as export:
            return _write_raw(
                inaturalist.lines(
                    export,
                    into=images_base(dataset),
                    licenses=dataset.source["licenses"],
                    rejected=rejected,
                    progress=progress,
                ),
                out,
            )
    # A folder means everything below it, a prefix every address that starts with it.
    prefix = uri.rstrip("/") + "/" if kind == "folder" else uri
    named = uri.startswith(boundaries.base_of(dataset.account) + "/")
    # Read twice, so that what is listed need not be held: the first time to see what it is.
    medium = media.of_names(given or _last(item.uri) for item, given in _listed(prefix, named=named))
    return _write(_files(_listed(prefix, named=named), medium, rejected, progress), out)


def _write(files: Iterator[SourceFile | None], out: IO[bytes]) -> bool:
    return _write_raw((None if file is None else file.manifest_line() for file in files), out)


def _write_raw(lines: Iterator[bytes | None], out: IO[bytes]) -> bool:
    for line in lines:
        if line is None:
            return False
        out.write(line + b"\n")
    return True


def manifest_uri(dataset: Dataset) -> str:
    """Where the data set's manifest is stored, with the file name that Ground Truth uses; the source is not changed."""
    name = f"dataset-{dataset.created_at:%y%m%dT%H%M%S}.manifest"
    return storage.join(_base(dataset), name)


def images_base(dataset: Dataset) -> str:
    """Where the files of an archive are unpacked."""
    return storage.join(_base(dataset), "images")


@contextmanager
def local_copy(uri: str) -> Iterator[BinaryIO]:
    """The object as a seekable file: the file itself for file://, a temporary copy on disk for other stores."""
    if storage.local_path(uri) is not None:
        with storage.open(uri) as stream:
            yield stream
        return
    with tempfile.TemporaryFile() as spool, storage.open(uri) as stream:
        while block := stream.read(COPY_BYTES):
            spool.write(block)
        spool.seek(0)
        yield cast(BinaryIO, spool)


def _base(dataset: Dataset) -> str:
    return storage.join(boundaries.base_of(dataset.account), "datasets", str(dataset.pk))


def _copy(stream: Any, out: IO[bytes], progress: Progress, total: int) -> None:
    progress.start("find", total=total)
    done = 0
    while block := stream.read(COPY_BYTES):
        out.write(block)
        done += len(block)
        progress.report(done)


def _listed(prefix: str, *, named: bool) -> Iterator[tuple[storage.StoredObject, str]]:
    """Every file below the prefix, with the name it was uploaded under or "".

    Only the account's own part of the store has such names (`named`); its uploads are in the order of their names,
    because their keys have no order.
    """
    for folder, group in groupby(storage.list(prefix), key=lambda item: item.uri.rpartition("/")[0]):
        names = source_names.read_names(folder) if named else {}
        items = ((item, names.get(_last(item.uri), "")) for item in group if not source_names.is_names_file(item.uri))
        yield from sorted(items, key=lambda pair: (pair[1], pair[0].uri)) if names else items


def _files(
    listed: Iterator[tuple[storage.StoredObject, str]], medium: str, rejected: RejectedLines, progress: Progress
) -> Iterator[SourceFile | None]:
    progress.start("find", total=0)
    for number, (item, given) in enumerate(listed, start=1):
        progress.report(number)
        name = given or _last(item.uri)
        if source_names.hidden(name) or name.endswith(".manifest"):
            continue
        if item.size == 0:
            rejected.add(number, f"{name} is empty", item.uri)
        elif len(item.uri) > 1024:
            rejected.add(number, "the address is longer than 1,024 characters", item.uri)
        elif medium == TEXT and item.size > media.most_bytes(medium):
            said = f"{name} has {item.size:,} bytes, at most {media.most_bytes(medium):,} are allowed"
            rejected.add(number, said, item.uri)
        elif reason := _other(item.uri, name, medium):
            rejected.add(number, f"{name} {reason}", item.uri)
        else:
            yield SourceFile(item.uri, given)


def _other(uri: str, name: str, medium: str) -> str:
    """Why the file is none of the medium; its first bytes are read only if its name has no usual ending."""
    if media.believed(name, medium):
        return ""
    try:
        with storage.open(uri, length=file_kinds.START_BYTES) as stream:
            return media.refusal(name, stream.read(), medium)
    except storage.StoreUnavailable:
        raise
    except DomainError as error:
        return f"cannot be read ({error.message})"


def _last(uri: str) -> str:
    """The last segment of the address, as people read it."""
    name = PurePosixPath(uri).name
    return unquote(name) if uri.startswith("file://") else name
