"""The images of an export, read ahead in a few threads and handed out in order, within the limits of size and time.

Labels that are files, the masks of images, are read through the same limits.

Knows no format. Threads read; only the caller's thread uses the database.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.conf import settings

from labeling.formats.masks import MAX_PNG_BYTES
from labeling.services.intake import decoding
from labeling.services.output.rows import Row
from marketplace import storage
from marketplace.errors import DomainError, Invalid
from marketplace.models import Account
from marketplace.services import boundaries

READ_AHEAD = 8
"""Images in memory at a time, each of at most IMAGE_MAX_BYTES."""

SHARE_OF_TIMEOUT = 0.6
"""Of the time that the queue gives a function; the rest is for storing the finished file."""

WAY_OUT = "export people's or the machine's labels alone, or the labels without the images"


@dataclass(frozen=True)
class Unreadable:
    """Why an image cannot be part of the export."""

    reason: str


class Images:
    """Reads the images of rows; `total` counts their bytes."""

    def __init__(self, account: Account):
        self._reader = boundaries.Reader(account)
        self._ends_at = time.monotonic() + settings.Q_CLUSTER["timeout"] * SHARE_OF_TIMEOUT
        self.total = 0

    def of(self, rows: Iterable[Row]) -> Iterator[tuple[Row, bytes | Unreadable]]:
        """Each row with its image as people saw it: upright, so that every reader counts its pixels as the boxes do.

        Raises Invalid when the images are larger together than is allowed or take too long to read, StoreUnavailable.
        """
        waiting: deque[tuple[Row, Future[bytes | Unreadable]]] = deque()
        with ThreadPoolExecutor(READ_AHEAD, thread_name_prefix="export") as pool:
            for row in rows:
                waiting.append((row, pool.submit(self._read, row)))
                if len(waiting) == READ_AHEAD:
                    yield self._next(waiting)
            while waiting:
                yield self._next(waiting)

    def _next(self, waiting: "deque[tuple[Row, Future[bytes | Unreadable]]]") -> tuple[Row, bytes | Unreadable]:
        row, reading = waiting.popleft()
        return row, self._counted(reading.result())

    def mask(self, uri: str) -> bytes | Unreadable:
        """A label's file. Raises as `of`."""
        return self._counted(self._content(uri, limit=MAX_PNG_BYTES, what="the mask"))

    def _counted(self, content: bytes | Unreadable) -> bytes | Unreadable:
        self.total += len(content) if isinstance(content, bytes) else 0
        if self.total > settings.EXPORT_IMAGES_MAX_BYTES:
            raise Invalid(
                f"the images have more than {settings.EXPORT_IMAGES_MAX_BYTES:,} bytes together, which is the limit of "
                f"one export (WAGGLE_EXPORT_IMAGES_MAX_BYTES): {WAY_OUT}"
            )
        if time.monotonic() > self._ends_at:
            minutes = settings.Q_CLUSTER["timeout"] * SHARE_OF_TIMEOUT / 60
            raise Invalid(
                f"the images could not be read within {minutes:.0f} minutes, which is the limit of one export (a part "
                f"of WAGGLE_QUEUE_TIMEOUT_SECONDS): {WAY_OUT}"
            )
        return content

    def _read(self, row: Row) -> bytes | Unreadable:
        uri = row.upright_uri or row.source_ref
        return self._content(uri, limit=decoding.limits().max_bytes, what="the image")

    def _content(self, uri: str, *, limit: int, what: str) -> bytes | Unreadable:
        try:
            self._reader.check(uri)
            return storage.read(uri, limit=limit)
        except storage.StoreUnavailable:
            raise
        except DomainError as error:
            return Unreadable(f"{what} cannot be read: {error.message}")
