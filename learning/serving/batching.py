"""Many callers, one model: pictures that come at the same time go through the network together.

A picture is decoded in a thread of a pool, then waits for the thread that runs the network. That one takes what is
there; it waits for more only while other pictures are being decoded, and never longer than the bound on latency. It
must not know HTTP.
"""

import contextlib
import logging
import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from labeling.formats.images import ImageError
from learning.serving.detector import Choice, Detection, Detector, detect_pictures
from learning.serving.images import Picture
from learning.serving.session import Heads

log = logging.getLogger(__name__)


class QueueFull(RuntimeError):
    """As many pictures as may wait are waiting."""


@dataclass
class _Request:
    answer: "Future[Detection]" = field(default_factory=Future)
    arrived: float = field(default_factory=time.monotonic)
    picture: Picture | ImageError | None = None


class Batcher:
    """Runs a detector for many callers, with a bounded number of pictures waiting."""

    def __init__(
        self,
        detector: Detector,
        *,
        choice: Choice,
        max_batch: int = 8,
        max_delay: float = 0.005,
        queue_size: int = 64,
        decoders: int = 2,
    ):
        """`max_delay` in seconds; `queue_size`: pictures that may be decoded, wait and be computed at a time."""
        self._detector, self._choice = detector, choice
        self._max_batch, self._max_delay, self._queue_size = max_batch, max_delay, queue_size
        self._pool = ThreadPoolExecutor(decoders, thread_name_prefix="decode")
        self._changed = threading.Condition()
        self._ready: deque[_Request] = deque()
        self._under_way = self._decoding = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="network", daemon=True)
        self._thread.start()

    def submit(self, image: bytes) -> "Future[Detection]":
        """The detection of one picture, later. Raises QueueFull at once, and RuntimeError when it is closed."""
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            if self._under_way >= self._queue_size:
                raise QueueFull(f"{self._queue_size} pictures are waiting")
            self._under_way += 1
            self._decoding += 1
        request = _Request()
        request.answer.add_done_callback(self._count_down)
        self._pool.submit(self._decode, request, image)
        return request.answer

    def close(self) -> None:
        """Finish what was submitted, then end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        self._pool.shutdown()

    def _count_down(self, _: object) -> None:
        with self._changed:
            self._under_way -= 1

    def _decode(self, request: _Request, image: bytes) -> None:
        try:
            (request.picture,) = self._detector.read([image])
        except Exception as error:
            log.exception("a picture could not be decoded")
            _fail(request, error)
        with self._changed:
            self._decoding -= 1
            if request.picture is not None:
                self._ready.append(request)
            self._changed.notify_all()

    def _work(self) -> None:
        while batch := self._next_batch():
            readable = [one.picture.pixels for one in batch if isinstance(one.picture, Picture)]
            try:
                heads = self._detector.session.run(np.stack(readable)) if readable else None
            except Exception as error:
                log.exception("a batch of %d failed", len(batch))
                for request in batch:
                    _fail(request, error)
            else:
                # In another thread, so that the next batch need not wait for it.
                self._pool.submit(self._finish, batch, heads)

    def _finish(self, batch: list[_Request], heads: Heads | None) -> None:
        pictures = [one.picture for one in batch if one.picture is not None]
        try:
            found = detect_pictures(pictures, lambda pixels: _given(heads), self._detector.config, self._choice)
        except Exception as error:
            log.exception("the boxes of a batch of %d could not be read", len(batch))
            for request in batch:
                _fail(request, error)
            return
        for request, detection in zip(batch, found, strict=True):
            with contextlib.suppress(InvalidStateError):  # its caller has given up
                request.answer.set_result(detection)

    def _next_batch(self) -> list[_Request]:
        """What goes through the network next; empty once the batcher is closed and everything is done."""
        with self._changed:
            while not self._ready:
                if self._closed and not self._decoding:
                    return []
                self._changed.wait()
            until = self._ready[0].arrived + self._max_delay
            while self._decoding and len(self._ready) < self._max_batch:
                if not self._changed.wait(until - time.monotonic()):
                    break
            return [self._ready.popleft() for _ in range(min(self._max_batch, len(self._ready)))]


def _given(heads: Heads | None) -> Heads:
    assert heads is not None  # there are some where a picture could be read
    return heads


def _fail(request: _Request, error: Exception) -> None:
    with contextlib.suppress(InvalidStateError):
        request.answer.set_exception(error)
