"""The shards of one prediction: ranges of a manifest's lines, each with a file of its own in output/shards.

Who works on a shard holds its file's lock, and continues after its last whole line: after kill -9 no image is
predicted twice and none is left out. It must not know what is predicted.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from learning.contract import BadInput, JobFolder, cut_half_line, write_atomically

MOST_LINES = 256
"""Of one shard: small enough for the processes to end at about the same time."""
LOCK_SECONDS = 60.0


@dataclass(frozen=True)
class Plan:
    """`total` lines in shards of `size`; fixed when the prediction begins, so that a later start continues it."""

    folder: Path
    total: int
    size: int

    @property
    def count(self) -> int:
        """The number of shards."""
        return -(-self.total // self.size)

    def lines(self, shard: int) -> tuple[int, int]:
        """The first line of a shard and the one after its last, from zero."""
        return shard * self.size, min((shard + 1) * self.size, self.total)

    def path(self, shard: int) -> Path:
        """Where its predictions are written."""
        return self.folder / f"{shard:06d}.jsonl"

    def done(self) -> int:
        """How many lines are predicted. Half lines are not cut here: a process of an earlier start may be ending."""
        return sum(count_lines(self.path(shard)) for shard in range(self.count) if self.path(shard).exists())

    @contextmanager
    def opened(self, shard: int) -> Iterator[tuple[BinaryIO, int]]:
        """The shard's file, ours alone, and how many of its lines are there. Raises TimeoutError when it is taken."""
        with self.path(shard).open("ab") as stream:
            deadline = time.monotonic() + LOCK_SECONDS
            while not _locked(stream):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"another process works on {self.path(shard).name}")
                time.sleep(0.05)
            done = cut_half_line(self.path(shard))
            stream.seek(0, os.SEEK_END)
            yield stream, done

    def join(self, target: Path) -> None:
        """Write all shards, in order, into one file, and remove them. Raises BadInput when lines are missing."""
        beside = target.with_name(f".{target.name}.tmp")
        with beside.open("wb") as out:
            for shard in range(self.count):
                with self.path(shard).open("rb") as stream:
                    shutil.copyfileobj(stream, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        if (found := count_lines(beside)) != self.total:
            raise BadInput(f"the shards have {found} lines of {self.total}: start in a fresh folder")
        beside.replace(target)
        shutil.rmtree(self.folder, ignore_errors=True)


def plan(folder: JobFolder, *, total: int, processes: int, channel: str) -> Plan:
    """The plan that an earlier start in this folder made, or a new one. Raises BadInput for one of another manifest."""
    shards = folder.output / "shards"
    shards.mkdir(parents=True, exist_ok=True)
    content = _content(folder, channel)
    kept = shards / "plan.json"
    if kept.exists():
        body = json.loads(kept.read_text())
        # An earlier version has left no name of the content: such a prediction begins anew.
        if "content" not in body:
            shutil.rmtree(shards)
            return plan(folder, total=total, processes=processes, channel=channel)
        if body["content"] != content:
            raise BadInput("output/shards has predictions of another manifest: start in a fresh folder")
        return Plan(shards, body["total"], body["size"])
    # Four a process at least, so that none waits long for the last one.
    size = max(1, min(MOST_LINES, -(-total // (4 * processes))))
    write_atomically(kept, json.dumps({"content": content, "total": total, "size": size}))
    return Plan(shards, total, size)


def _content(folder: JobFolder, channel: str) -> str:
    """What the manifest says: a program may go on on another machine, in a folder with another name."""
    with folder.manifest(channel).open("rb") as stream:
        return content_of(stream, folder.root)


def content_of(lines: Iterable[bytes], root: Path) -> str:
    """A name for what lines of a manifest in the folder `root` say, wherever that lies: hexadecimal SHA-256."""
    digest = hashlib.sha256()
    # As it stands inside a JSON text.
    own = json.dumps(f"{root}/", ensure_ascii=False)[1:-1].encode()
    for line in lines:
        digest.update(line.replace(own, b""))
    return digest.hexdigest()


def count_lines(path: Path) -> int:
    """The number of line ends in a file."""
    with path.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))


def _locked(stream: BinaryIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
