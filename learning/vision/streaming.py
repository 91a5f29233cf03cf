"""Images that are read while a training runs, instead of being copied before: the loader's side of fetcher.py.

It must not know models, labels or where the addresses come from.
"""

import json
import mmap
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Client, Connection
from pathlib import Path

import numpy as np

from labeling.formats.images import ImageError, Limits
from learning.contract import JobFolder
from learning.serving.images import Picture, load_picture
from learning.vision.fetcher import AWAY, UNREADABLE
from learning.vision.manifests import Item
from learning.vision.reading_order import READ_AHEAD
from learning.vision.remote import StoreAway

START_SECONDS = 60.0
RECORD_HEADS = 1 << 20
"""What a record may have beside its image."""

MOST_AHEAD = 4 * READ_AHEAD
"""Pictures that are decoded ahead; those announced the longest ago are forgotten."""

_UNKNOWN, _DECODED, _LEFT_OUT = 0, 1, 2


class Stream:
    """The process that reads ahead, and connections to it from any process and thread."""

    def __init__(self, folder: JobFolder, *, cache_bytes: int, max_bytes: int) -> None:
        # Short, because the path of a socket may have only about a hundred characters.
        self._socket = tempfile.mkdtemp(prefix="waggle-") + "/reads"
        command = [sys.executable, "-m", "learning.vision.fetcher", str(folder.root), self._socket]
        self._process = subprocess.Popen(
            [*command, str(cache_bytes), str(max_bytes + RECORD_HEADS)],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            # Standard output is for metrics.
            stdout=sys.stderr,
        )
        self._local, self._owner = threading.local(), os.getpid()

    def read(self, name: str, *, keep: bool) -> bytes:
        """The bytes of a picture, kept on the disk if asked to. Raises ImageError for it, StoreAway for all."""
        answer = self._ask({"get": name, "keep": keep}, answered=True)
        if answer[:1] == UNREADABLE:
            raise ImageError(answer[1:].decode())
        if answer[:1] == AWAY:
            raise StoreAway(answer[1:].decode())
        return answer[1:]

    def soon(self, names: Sequence[str]) -> None:
        """Announce pictures that will be asked for."""
        if names:
            self._ask({"soon": list(names)}, answered=False)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        # The process removes it, unless it was killed.
        shutil.rmtree(Path(self._socket).parent, ignore_errors=True)

    def _ask(self, message: dict[str, object], *, answered: bool) -> bytes:
        connection = self._connection()
        try:
            connection.send_bytes(json.dumps(message).encode())
            return connection.recv_bytes() if answered else b""
        except (EOFError, ConnectionError) as error:
            raise StoreAway("the process that reads the images has ended") from error

    def _connection(self) -> Connection:
        # A forked process inherits its parent's connection, which two processes must not use.
        if getattr(self._local, "process", None) != os.getpid():
            self._local.connection, self._local.process = self._connect(), os.getpid()
        return self._local.connection

    def _connect(self) -> Connection:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return Client(self._socket, family="AF_UNIX")
            except OSError as error:
                if time.monotonic() > deadline or not self._runs():
                    raise StoreAway(f"the process that reads the images does not answer: {error}") from error
                time.sleep(0.02)

    def _runs(self) -> bool:
        if os.getpid() == self._owner:
            return self._process.poll() is None
        try:
            os.kill(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def __getstate__(self) -> dict[str, object]:
        raise TypeError("loaders of streamed images are forked, not spawned")


class SharedPictures:
    """Decoded pictures of one size in memory that forked processes share, for the first so many places."""

    def __init__(self, places: int, size: int, max_bytes: int) -> None:
        self._size, one = size, size * size * 3
        self.slots = min(places, max_bytes // one)
        self._pixels = np.frombuffer(mmap.mmap(-1, max(1, self.slots * one)), np.uint8)[: self.slots * one]
        self._pixels = self._pixels.reshape(self.slots, size, size, 3)
        self._sides = np.frombuffer(mmap.mmap(-1, max(12, self.slots * 12)), np.int32)[: self.slots * 3]
        self._sides = self._sides.reshape(self.slots, 3)
        self.marks = np.frombuffer(mmap.mmap(-1, max(1, places)), np.uint8)[:places]

    def get(self, place: int) -> Picture | None:
        """The picture, None when it is not there."""
        if self.marks[place] != _DECODED:
            return None
        width, height, depth = (int(side) for side in self._sides[place])
        pixels = self._pixels[place]
        pixels.flags.writeable = False
        return Picture(pixels, width, height, depth)

    def put(self, place: int, picture: Picture) -> None:
        """Keep the picture if the place has a slot. Two processes may do so at once: they write the same."""
        if place < self.slots:
            self._pixels[place] = picture.pixels
            self._sides[place] = picture.width, picture.height, picture.depth
            self.marks[place] = _DECODED


class StreamedCache:
    """What data.Cache is for files: the pictures of a channel, read by a stream and decoded when they are needed.

    Those that fit into `max_bytes` stay decoded, for all of the loader's processes. A picture that cannot be read is
    said once and left out from then on. With `threads`, for a training whose own process loads, pictures that are
    announced are also decoded ahead.
    """

    full = True  # nothing is decoded before the training starts

    def __init__(
        self,
        stream: Stream,
        items: Sequence[Item],
        *,
        channel: str,
        size: int,
        max_bytes: int,
        limits: Limits,
        log: Callable[[str], None],
        threads: int = 0,
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode") if threads else None
        self._ahead: OrderedDict[str, Future[Picture]] = OrderedDict()
        self._stream, self._channel, self._limits, self._log = stream, channel, limits, log
        self._shared = SharedPictures(len(items), size, max_bytes)
        self._size = size
        self._places = {str(item.path): (place, item.number) for place, item in enumerate(items)}

    @property
    def slots(self) -> int:
        """How many pictures stay decoded."""
        return self._shared.slots

    def get(self, path: str, size: int) -> Picture:
        """The picture stretched to size x size; raises ImageError, StoreAway."""
        place, _ = self._places[path]
        if size == self._size and (known := self._shared.get(place)) is not None:
            return known
        if self._shared.marks[place] == _LEFT_OUT:
            raise ImageError("was left out before")
        if size == self._size and (coming := self._ahead.pop(path, None)) is not None:
            return coming.result()
        return self._load(path, size)

    def _load(self, path: str, size: int) -> Picture:
        place, number = self._places[path]
        try:
            picture = load_picture(self._bytes(path, place), size=size, limits=self._limits)
        except ImageError as error:
            if self._shared.marks[place] != _LEFT_OUT:
                self._shared.marks[place] = _LEFT_OUT
                self._log(f"{self._channel} channel, line {number}: left out: {error}")
            raise
        if size == self._size:
            self._shared.put(place, picture)
        return picture

    def soon(self, paths: Iterable[str]) -> None:
        """Announce what will be needed."""
        unknown = (path for path in paths if self._shared.marks[self._places[path][0]] == _UNKNOWN)
        wanted = [path for path in unknown if path not in self._ahead]
        self._stream.soon([Path(path).name for path in wanted if not Path(path).exists()])
        if self._pool is None:
            return
        for path in wanted:
            self._ahead[path] = self._pool.submit(self._load, path, self._size)
        while len(self._ahead) > MOST_AHEAD:
            self._ahead.popitem(last=False)

    def _bytes(self, path: str, place: int) -> bytes:
        # A store on this machine's disk is read where it is.
        if Path(path).exists():
            return Path(path).read_bytes()
        return self._stream.read(Path(path).name, keep=place >= self._shared.slots)
