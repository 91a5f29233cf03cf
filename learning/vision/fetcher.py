"""The process that reads a training's images ahead: python -m learning.vision.fetcher FOLDER SOCKET.

Serves the loader's processes over a Unix socket (streaming.py is the other side). Apart from them, so that hundreds of
reads a second take no time from a training step. Ends when its standard input closes, with whoever started it. It must
not know pixels, labels or torch.
"""

import json
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection, Listener
from pathlib import Path

from labeling.formats.images import ImageError
from labeling.formats.interchange import recordio
from learning.contract import JobFolder
from learning.vision.remote import Address, RemoteReader, StoreAway

READS = 32
AHEAD_BYTES = 256 << 20
"""What may lie in memory read ahead; beyond it pictures are read when they are asked for."""

STALE = 4096
"""After so many further announcements a picture that was never asked for is forgotten."""

DATA, UNREADABLE, AWAY = b"+", b"-", b"!"
"""The first byte of an answer."""


class Places:
    """Where each picture is, by its file name: the lines of the channels' address files, read when they are needed."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.expires = float("inf")
        self._lines: dict[str, tuple[int, int, int]] = {}
        self._files: list[int] = []
        for number, path in enumerate(files):
            with path.open("rb") as stream:
                head = json.loads(stream.readline())
                self.expires = min(self.expires, head["expires"])
                at = stream.tell()
                for line in stream:
                    self._lines[json.loads(line)["name"]] = (number, at, len(line))
                    at += len(line)
            self._files.append(os.open(path, os.O_RDONLY))

    def find(self, name: str) -> tuple[Address, bool]:
        """(address, whether a RecordIO record lies there). Raises ImageError for a name that is not known."""
        if name not in self._lines:
            raise ImageError("there is no such object, or the account may not read it")
        number, at, length = self._lines[name]
        line = json.loads(os.pread(self._files[number], length, at))
        return Address(line["url"], line.get("offset", 0), line.get("length", 0)), line.get("record", False)


class Shelf:
    """Files kept on this machine's disk, up to a number of bytes; what was kept by an earlier start is found again.

    A full shelf stays as it is. Every image is read once an epoch in a random order: to replace one that is kept by
    one that was just read only makes the next epoch miss it (with room for half of the images, keeping finds half of
    them, replacing the oldest a fifth).
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._left, self._lock = folder, max_bytes, threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._kept: set[str] = set()
        for path in sorted(folder.iterdir()):
            size = path.stat().st_size
            # Half-written files, and what a lower limit has no room for.
            if path.name.startswith(".") or size > self._left:
                path.unlink()
            else:
                self._kept.add(path.name)
                self._left -= size

    def get(self, name: str) -> bytes | None:
        """The bytes; None when they are not kept."""
        if name not in self._kept:
            return None
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def has(self, name: str) -> bool:
        return name in self._kept

    def put(self, name: str, data: bytes) -> None:
        """Keep the bytes if there is room."""
        with self._lock:
            if name in self._kept or len(data) > self._left:
                return
            self._left -= len(data)
        beside = self._folder / f".{name}"
        try:
            beside.write_bytes(data)
            beside.replace(self._folder / name)
        except OSError as error:
            # A full disk only means that the image is read again in the next epoch.
            print(f"an image could not be kept on the disk: {error}", file=sys.stderr, flush=True)
            with suppress(OSError):
                beside.unlink()
            with self._lock:
                self._left = 0
            return
        self._kept.add(name)


class Fetcher:
    """Pictures by name, those announced read ahead by several threads."""

    def __init__(self, places: Places, reader: RemoteReader, shelf: Shelf, *, ahead_bytes: int = AHEAD_BYTES) -> None:
        self._places, self._reader, self._shelf, self._most = places, reader, shelf, ahead_bytes
        self._pool = ThreadPoolExecutor(READS, thread_name_prefix="read")
        self._ahead: OrderedDict[str, tuple[int, Future[bytes]]] = OrderedDict()
        self._announced = 0
        self._lock = threading.Lock()

    def soon(self, names: Iterable[str]) -> None:
        """Begin to read these, unless as much as is allowed waits to be asked for."""
        with self._lock:
            for name in names:
                self._announced += 1
                if name in self._ahead or self._shelf.has(name) or self._waiting() > self._most:
                    continue
                self._ahead[name] = self._announced, self._pool.submit(self._load, name)

    def get(self, name: str, *, keep: bool) -> bytes:
        """The picture's bytes; with `keep` they go onto the shelf. Raises ImageError, StoreAway."""
        found = self._shelf.get(name)
        if found is not None:
            return found
        with self._lock:
            _, coming = self._ahead.pop(name, (0, None))
        data = self._load(name) if coming is None else coming.result()
        if keep:
            self._shelf.put(name, data)
        return data

    def _waiting(self) -> int:
        """Bytes that were read ahead and not asked for yet; what nobody asked for in a long time is forgotten."""
        for name, (number, future) in list(self._ahead.items()):
            if self._announced - number <= STALE:
                break
            future.cancel()
            del self._ahead[name]
        futures = [future for _, future in self._ahead.values()]
        return sum(len(f.result()) for f in futures if f.done() and not f.cancelled() and f.exception() is None)

    def _load(self, name: str) -> bytes:
        address, record = self._places.find(name)
        data = self._reader.read(address)
        if not record:
            return data
        try:
            return recordio.picture_of(data)
        except ValueError as error:
            raise ImageError(str(error)) from None


def serve(listener: Listener, fetcher: Fetcher) -> None:
    """Answer every connection in a thread of its own, for ever."""
    while True:
        connection = listener.accept()
        threading.Thread(target=_answer, args=(connection, fetcher), daemon=True).start()


def _answer(connection: Connection, fetcher: Fetcher) -> None:
    try:
        while True:
            asked = json.loads(connection.recv_bytes())
            if "soon" in asked:
                fetcher.soon(asked["soon"])
                continue
            try:
                connection.send_bytes(DATA + fetcher.get(asked["get"], keep=asked["keep"]))
            except ImageError as error:
                connection.send_bytes(UNREADABLE + str(error).encode())
            except StoreAway as error:
                connection.send_bytes(AWAY + str(error).encode())
    except (EOFError, ConnectionError):
        # A loader's process has ended.
        connection.close()


def main(arguments: list[str]) -> None:
    """`arguments`: the job folder, the socket to listen at, and the limits in bytes of the disk and of one image."""
    folder, socket = JobFolder(Path(arguments[0])), arguments[1]
    with Listener(socket, family="AF_UNIX", backlog=128) as listener:
        places = Places(sorted(folder.root.glob("input/data/*/addresses.jsonl")))
        reader = RemoteReader(connections=READS * 2, max_bytes=int(arguments[3]), expires=places.expires)
        fetcher = Fetcher(places, reader, Shelf(folder.stream_cache, int(arguments[2])))
        threading.Thread(target=serve, args=(listener, fetcher), daemon=True).start()
        sys.stdin.buffer.read()
    Path(socket).parent.rmdir()


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)  # threads that wait for a server would keep the process until they have an answer
