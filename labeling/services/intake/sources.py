"""The sources of data sets: folder and prefix listings, zip files, manifests. Each yields manifest lines.

Knows neither selections nor jobs; names of files and archives are not trusted until checked.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO, Protocol, cast

import orjson

from labeling.models import Dataset
from labeling.services.intake import zips
from labeling.services.intake.rejected_lines import RejectedLines
from marketplace import storage
from marketplace.services import boundaries

KINDS = ("folder", "zip", "prefix", "manifest")
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
            return _write(zips.extract(archive, into=images_base(dataset), rejected=rejected, progress=progress), out)
    # A folder means everything below it, a prefix every address that starts with it.
    return _write(_listed(uri.rstrip("/") + "/" if kind == "folder" else uri, rejected, progress), out)


def _write(uris: Iterator[str | None], out: IO[bytes]) -> bool:
    for uri in uris:
        if uri is None:
            return False
        out.write(orjson.dumps({"source-ref": uri}) + b"\n")
    return True


def manifest_uri(dataset: Dataset) -> str:
    """Where the data set's manifest is stored, with the file name that Ground Truth uses; the source is not changed."""
    name = f"dataset-{dataset.created_at:%y%m%dT%H%M%S}.manifest"
    return storage.join(_base(dataset), name)


def images_base(dataset: Dataset) -> str:
    """Where images of an archive are unpacked."""
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


def _listed(uri: str, rejected: RejectedLines, progress: Progress) -> Iterator[str | None]:
    progress.start("find", total=0)
    for number, item in enumerate(storage.list(uri), start=1):
        progress.report(number)
        name = PurePosixPath(item.uri).name
        if hidden(name) or name.endswith(".manifest"):
            continue
        if not is_image_name(name):
            rejected.add(number, f"{name} is not an image by its name ({', '.join(sorted(zips.SUFFIXES))})", item.uri)
        elif item.size == 0:
            rejected.add(number, f"{name} is empty", item.uri)
        elif len(item.uri) > 1024:
            rejected.add(number, "the address is longer than 1,024 characters", item.uri)
        else:
            yield item.uri


def is_image_name(name: str) -> bool:
    """Whether a file may be an image, judged by its name; only decoding shows whether it is one."""
    return PurePosixPath(name).suffix.lower() in zips.SUFFIXES


def hidden(name: str) -> bool:
    """Whether a file is hidden or one that operating systems create on their own."""
    return name.startswith(".") or name in ("Thumbs.db", "desktop.ini")
