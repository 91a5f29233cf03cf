"""Reads pictures by HTTP from addresses that carry their own permission: whole objects, or ranges of them.

What the server refuses for good concerns one picture; a server that is away concerns the run. It must not know jobs,
pictures' formats or keys.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError

from labeling.formats.images import ImageError

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
ATTEMPTS = 6
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
AWAY_SECONDS = 180.0
"""A store of which nothing could be read for so long is away."""

PIECE = 1 << 16
_GONE = {404: "there is no such object", 410: "the object is gone", 416: "the object is shorter than the index says"}
_REFUSED = (401, 403)


class StoreAway(RuntimeError):
    """The store cannot be reached, or its addresses have expired: a later start of the run, with new ones, may work."""


class _Again(Exception):
    """The server asks to come again later."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the bytes of one picture are: `length` of them from `offset` on, 0 for all that follow."""

    url: str
    offset: int = 0
    length: int = 0


class RemoteReader:
    """Reads addresses for several threads over connections that are kept open.

    `expires` is when the addresses lose their permission (seconds since 1970). A read that fails is tried again after a
    pause that doubles, and goes on at the byte where it broke off.
    """

    def __init__(
        self, *, connections: int, max_bytes: int, expires: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(num_pools=4, maxsize=connections, timeout=timeout, retries=False)
        self._max_bytes, self._expires, self._sleep = max_bytes, expires, sleep
        self._succeeded = time.monotonic()
        self._lock = threading.Lock()

    def read(self, address: Address) -> bytes:
        """The bytes. Raises ImageError when this picture cannot be read, StoreAway when nothing can."""
        data, failures, began = bytearray(), 0, time.monotonic()
        while True:
            had = len(data)
            try:
                self._go_on(address, data)
            except (HTTPError, _Again) as error:
                failures = 1 if len(data) > had else failures + 1
                self._give_up_on(error, failures, began)
                pause = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
                self._sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - so that threads do not come all at once
                continue
            with self._lock:
                self._succeeded = time.monotonic()
            return bytes(data)

    def _go_on(self, address: Address, data: bytearray) -> None:
        """Append what is missing; raises HTTPError where the connection breaks, _Again where the server says so."""
        first = address.offset + len(data)
        headers = {}
        if first or address.length:
            last = str(address.offset + address.length - 1) if address.length else ""
            headers["Range"] = f"bytes={first}-{last}"
        answer = self._pool.request("GET", address.url, headers=headers, preload_content=False, redirect=False)
        try:
            self._check(answer.status)
            # A server that knows no ranges sends the object from its beginning.
            skip = first if headers and answer.status == 200 else 0
            for piece in answer.stream(PIECE):
                skipped = min(skip, len(piece))
                skip -= skipped
                data += piece[skipped:]
                if address.length and len(data) >= address.length:
                    del data[address.length :]
                    break
                if len(data) > self._max_bytes:
                    raise ImageError(f"has more than {self._max_bytes:,} bytes")
        finally:
            # A connection whose answer was not read to its end would have the rest of it before the next one.
            if answer.length_remaining != 0:
                answer.close()
            answer.release_conn()
        if address.length and len(data) < address.length:
            raise ImageError(f"has {len(data):,} bytes where the index says {address.length:,}")

    def _check(self, status: int) -> None:
        if status in (200, 206):
            return
        if status in _GONE:
            raise ImageError(f"{_GONE[status]} (HTTP {status})")
        if status in _REFUSED:
            if time.time() >= self._expires:
                raise StoreAway("the addresses of the images have expired: the run goes on with new ones")
            raise ImageError(f"the store refuses access (HTTP {status})")
        if status == 429 or status >= 500:
            raise _Again(f"HTTP {status}")
        raise ImageError(f"the store answered HTTP {status}")

    def _give_up_on(self, error: Exception, failures: int, began: float) -> None:
        """Raises when there is no point in trying again."""
        with self._lock:
            succeeded = self._succeeded
        if succeeded > began and failures >= ATTEMPTS:
            raise ImageError(f"cannot be read, tried {failures} times: {error}") from error
        if time.monotonic() - max(succeeded, began) > AWAY_SECONDS:
            raise StoreAway(f"nothing could be read for {AWAY_SECONDS:g} seconds: {error}") from error
