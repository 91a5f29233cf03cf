"""One start of a run on a node: its order, its folder, and what is sent to the learner while it goes on.

Knows the links and the folder; neither what runs nor the cluster.
"""

import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from learning.contract import JobFolder
from learning.nodes import links, parcels
from learning.nodes.parcels import EXIT, INPUT, LIVE, ORDER, RESULT, ROOT, STATE, Order
from learning.services.programs.executor import end_working_in

LOOK_SECONDS = 2.0
"""The least time between two questions for the order, and between two parcels of the same kind."""
STATE_SECONDS = 5.0
WATCHED = ((LIVE, parcels.is_live, LOOK_SECONDS), (STATE, parcels.is_progress, STATE_SECONDS))
SHARE = 5.0
"""Sending takes at most one part in so many of the time."""
FOLDER = "WAGGLE_NODE_FOLDER"
"""Where an operator lets nodes keep the folders of the programs that they run."""


def begun() -> list[int]:
    """Say that the job has begun; gives a list that the signals which ask for its end are added to.

    The cluster ends what runs here at once: whoever wants an orderly end says so in the order.
    """
    asked: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, on_signal)
    print(parcels.BEGIN, flush=True)
    return asked


class Desk:
    """What a node holds of one start."""

    def __init__(self, url: str, root: Path):
        self.folder = root
        self._etag, self._asked_at = "", 0.0
        self._order = self._first(url)
        self._sent: dict[str, list[tuple[Path, int, int]]] = {}
        self._next: dict[str, float] = {}

    @property
    def order(self) -> Order:
        """The newest order that was read."""
        return self._order

    def _first(self, url: str) -> Order:
        with links.opened(url) as stream:
            return Order.from_json(stream.read())

    def fetch(self) -> None:
        """Fill the folder, with the state of an earlier start where there is one. Raises Gone, NotSent."""
        with links.opened(self.order.links[INPUT]) as stream:
            parcels.unpack(stream, self.folder)
        parcels.move_manifests(self.folder, self.order.root)
        if earlier := self.order.links.get("earlier"):
            with links.opened(earlier) as stream:
                texts = parcels.unpack(stream, self.folder)
            if there := texts.get(ROOT):
                parcels.move_predictions(self.folder, there)
        # How the earlier start ended must not be sent as if this one had.
        JobFolder(self.folder).start()

    def renew(self) -> bool:
        """Ask for the order now and then; returns whether it was read anew. Raises Gone when it was taken back."""
        if time.monotonic() < self._asked_at + LOOK_SECONDS:
            return False
        self._asked_at = time.monotonic()
        found = links.changed(self.order.links[ORDER], self._etag)
        if found is None:
            return False
        self._order, self._etag = Order.from_json(found[0]), found[1]
        return True

    def look(self) -> None:
        """Send what has changed since it was sent last: what there is to see, and the state. Never raises NotSent."""
        for name, wanted, seconds in WATCHED:
            began = time.monotonic()
            if began < self._next.get(name, 0.0):
                continue
            found = list(parcels.files(self.folder, wanted))
            if found and found != self._sent.get(name):
                try:
                    self._send(name)
                    self._sent[name] = found
                except links.NotSent as error:
                    say(f"{name} could not be sent: {error}")
            self._next[name] = time.monotonic() + max(seconds, SHARE * (time.monotonic() - began))

    def finish(self, status: int) -> None:
        """Send what the program has left, and its exit status. Raises NotSent."""
        if status or (self.folder / "output" / "stopped").exists():
            self._send(STATE)
        self._send(RESULT, **{EXIT: str(status)})

    def _send(self, name: str, **texts: str) -> None:
        wanted = {LIVE: parcels.is_live, STATE: parcels.is_state, RESULT: parcels.is_result}[name]
        with tempfile.NamedTemporaryFile(dir=self.folder.parent, prefix="parcel-") as spool:
            told = {ROOT: str(self.folder)} | texts if name != LIVE else {}
            parcels.pack(self.folder, wanted, parcels.as_file(spool), texts=told, gzip=name == LIVE)
            spool.flush()
            links.send(self.order.links[name], Path(spool.name))


@contextmanager
def place() -> Iterator[Path]:
    """A folder of its own on this node, removed at the end; what dead ones have left is removed before."""
    base = Path(os.environ.get(FOLDER) or Path(tempfile.gettempdir()) / f"waggle-node-{os.getuid()}")
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(base)
    own = base / f"run-{uuid.uuid4().hex[:12]}"
    # Held until this process ends, however it ends: then the folder is nobody's.
    with _lock(own).open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        folder = own / "job"
        folder.mkdir(mode=0o700, parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(own, ignore_errors=True)
            _lock(own).unlink(missing_ok=True)


def _lock(own: Path) -> Path:
    return own.with_name(f"{own.name}.lock")


def _sweep(base: Path) -> None:
    for lock in base.glob("run-*.lock"):
        own = lock.with_suffix("")
        with lock.open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            end_working_in(own / "job")
            shutil.rmtree(own, ignore_errors=True)
            lock.unlink(missing_ok=True)


def say(message: str) -> None:
    """A line of the run's log."""
    print(message, file=sys.stderr, flush=True)
