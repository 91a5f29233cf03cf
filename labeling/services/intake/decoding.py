"""Whose turn it is to decode a large image: one at a time in each process, because each takes hundreds of megabytes.

Every place where a process of the portal decodes images goes through here. One lock for each process is enough: what
all of them take at most is known from their number, and no process waits for another's thread or keeps a connection.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from labeling.formats import images
from marketplace.errors import Unavailable

LARGE_PIXELS = 12_000_000
"""Larger images are decoded one at a time: eight of 100 megapixels at once would take gigabytes."""
WAIT_SECONDS = 15
"""How long a request waits for its turn."""


class Busy(Unavailable):
    """Other large images are being decoded; come again in a moment."""

    kind = "busy"


class _Turns:
    """A lock with a queue that has room for half of the threads of a web process, so that the others go on serving."""

    def __init__(self, waiting: int) -> None:
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(waiting)

    @contextmanager
    def one(self, *, patient: bool) -> Iterator[None]:
        if patient:
            with self._lock:
                yield
            return
        with self._place():
            taken = self._lock.acquire(timeout=WAIT_SECONDS)
        if not taken:
            raise Busy(f"large images are being decoded; none was done within {WAIT_SECONDS} seconds")
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise Busy("large images are being decoded and others wait for that; come again in a moment")
        try:
            yield
        finally:
            self._room.release()


_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
_turns = _Turns(waiting=max(1, settings.WEB_THREADS // 2))


@contextmanager
def turn(data: bytes, *, patient: bool = False) -> Iterator[bool]:
    """Decode the image `data` inside the block. Whether it is a large one, which only one thread decodes at a time.

    A request waits WAIT_SECONDS at most; `patient`, for background work, waits as long as it takes. Raises Busy.
    """
    if images.pixels(data) <= LARGE_PIXELS:
        yield False
        return
    with _turns.one(patient=patient):
        try:
            yield True
        finally:
            _return_memory()


def inspect(data: bytes, *, patient: bool = False) -> images.ImageInfo:
    """What the image is, by decoding it within the operator's limits. Raises Busy."""
    with turn(data, patient=patient):
        return images.inspect(data, limits())


def measure(data: bytes, *, patient: bool = False) -> images.ImageInfo:
    """Size and orientation of the image, by its header where that is enough. Raises Busy."""
    with turn(data, patient=patient):
        return images.measure(data, limits())


def upright(data: bytes, *, patient: bool = False) -> bytes:
    """The file with its pixels turned upright. Raises ImageError, Busy."""
    with turn(data, patient=patient):
        return images.normalise(data, limits())


def _return_memory() -> None:
    """Give what was freed back to the system: glibc keeps a heap for each thread, so that each would keep an image."""
    if _trim is not None:
        _trim(0)


def limits() -> images.Limits:
    """The operator's limits on images, for every image that people are shown."""
    return images.Limits(max_bytes=settings.IMAGE_MAX_BYTES, max_pixels=settings.IMAGE_MAX_PIXELS)
