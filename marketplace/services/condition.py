"""The parts of the installation and whether each works: as health checks, `doctor`, metrics and operators are told.

Whether it can keep what it is given depends on the database and the store alone: those are `needed`. They are looked at
every few seconds at most, because load balancers ask often and every look writes a little.
"""

import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from marketplace import storage
from marketplace.errors import DomainError, StoreFull
from marketplace.services import heartbeats

LOOK_SECONDS = 5
PROBE = "health"
OK, BROKEN, NONE = "ok", "broken", "none"

_lock = threading.Lock()
_seen: "tuple[float, list[Part]] | None" = None


@dataclass(frozen=True)
class Part:
    """A part of the installation; `state` is OK, BROKEN, or NONE for a process that this installation never had.

    `remedy` says what to do unless it is OK. Without a `needed` one nothing can be stored.
    """

    name: str
    state: str
    detail: str
    remedy: str = ""
    needed: bool = True


def parts() -> list[Part]:
    """Every part, the web first: that somebody answers this says that it works."""
    global _seen
    with _lock:
        now = time.monotonic()
        if _seen is None or now - _seen[0] > LOOK_SECONDS:
            _seen = now, [web(), database(), store(), *_processes()]
        return list(_seen[1])


def problems() -> list[str]:
    """What keeps the installation from storing anything, a line each; empty when all is well."""
    return [f"{part.name}: {part.detail}" for part in parts() if part.needed and part.state != OK]


def web() -> Part:
    """This process, and whether it has what browsers ask for."""
    folder = settings.BASE_DIR / "frontend" / "static" / "dist"
    if (folder / "portal.js").exists():
        return Part("web", OK, "answers")
    return Part("web", BROKEN, "the static bundle was not built", "run `make setup` (needs Node 20 or newer)", False)


def database() -> Part:
    """Whether the database takes what is written."""
    problem = _database()
    remedy = "start the server that WAGGLE_DATABASE_URL names, or look at its log and at the room on its disk"
    return Part("database", BROKEN if problem else OK, problem or "takes what is written", remedy)


def store() -> Part:
    """Whether the store takes a file, gives it back and deletes it."""
    problem = _store()
    remedy = "look at WAGGLE_STORE_URL and at the settings that begin with WAGGLE_S3_ (docs/settings.md)"
    return Part("store", BROKEN if problem else OK, problem or "reads and writes", remedy)


def _processes() -> list[Part]:
    kinds = [heartbeats.QUEUE, *([heartbeats.LEARNER] if settings.LEARNING_INSTALLED else [])]
    try:
        found = cluster() if settings.LEARNING_INSTALLED else None
        return [*map(process, kinds), *([found] if found else [])]
    except DatabaseError:
        return [
            Part(kind, BROKEN, "the database, which knows, does not answer", "see database", False) for kind in kinds
        ]


def process(kind: str) -> Part:
    """Whether a queue or a learner lives, on whatever machine. Raises DatabaseError."""
    now, rows = timezone.now(), heartbeats.every(kind)
    living = [row for row in rows if heartbeats.lives(row, now)]
    start = {heartbeats.QUEUE: "`manage.py qcluster`", heartbeats.LEARNER: "`manage.py run_programs`"}[kind]
    remedy = f"look at the log of {start}, and start it again"
    if living:
        silent = f", {len(rows) - len(living)} silent" if len(rows) > len(living) else ""
        return Part(kind, OK, f"{len(living)} at work{silent}", remedy, False)
    if rows:
        minutes = (now - rows[0].seen_at).total_seconds() / 60
        return Part(kind, BROKEN, f"{rows[0].place} was last heard of {minutes:.0f} min ago", remedy, False)
    return Part(kind, NONE, "none was heard of", f"start {start}", False)


def cluster() -> Part | None:
    """How the cluster is on which learners run programs, as they last told; None without any. Raises DatabaseError."""
    now = timezone.now()
    rows = [row for row in heartbeats.every(heartbeats.LEARNER) if heartbeats.lives(row, now)]
    told = [row.figures[heartbeats.CLUSTER] for row in rows if heartbeats.CLUSTER in row.figures]
    if not told:
        return None
    remedy = "look at the cluster's head and at WAGGLE_EXECUTOR (docs/ray.md)"
    if "problem" in told[0]:
        return Part(heartbeats.CLUSTER, BROKEN, told[0]["problem"], remedy, False)
    nodes, cpus, gpus = (told[0][name] for name in ("nodes", "cpus", "gpus"))
    detail = f"{nodes} nodes with {cpus:g} CPUs and {gpus:g} GPUs"
    return Part(heartbeats.CLUSTER, OK if nodes else BROKEN, detail, remedy, False)


def require_room(uri: str, size: int) -> None:
    """Raises StoreFull when `size` bytes more would leave less room on the disk of `uri` than is kept free.

    The database often lies on the same disk: it must still be able to write when uploads are refused.
    """
    path = storage.local_path(uri)
    if path is not None and (low := _too_little(path, size)):
        raise StoreFull(f"the store is full: {low}")


def _database() -> str:
    if not settings.SECRET_DATABASE_URL and (low := _too_little(settings.DATABASE_DIR)):
        return low
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only')")
            if cursor.fetchone() == ("on",):
                return "it is read-only"
            # A commit that has something to flush, and leaves no row.
            cursor.execute("SELECT pg_logical_emit_message(true, 'waggle', 'health')")
    except DatabaseError as error:
        return str(error).strip().splitlines()[0]
    return ""


def _store() -> str:
    uri = storage.join(settings.STORE_URL, PROBE, f"{PROBE}-{threading.get_native_id()}")
    try:
        require_room(uri, 0)
        storage.write(uri, b"here")
        found = storage.read(uri)
        storage.delete(uri)
    except DomainError as error:
        return error.message
    return "" if found == b"here" else "what was written was not what came back"


def _too_little(path: Path, size: int = 0) -> str:
    """Why so many bytes have no room on the disk of `path`, "" when they have."""
    place = next(folder for folder in (path, *path.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free - size >= settings.DISK_RESERVE:
        return ""
    return f"{free:,} bytes are free on its disk, {settings.DISK_RESERVE:,} are kept free (WAGGLE_DISK_RESERVE)"
