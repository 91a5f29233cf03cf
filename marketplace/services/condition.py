"""Whether the installation can keep what it is given: the store and the database can be written, with some room left.

Looked at every few seconds at most, because load balancers ask often and every look writes a little.
"""

import shutil
import threading
import time
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from marketplace import storage
from marketplace.errors import DomainError, StoreFull

LOOK_SECONDS = 5
PROBE = "health"

_lock = threading.Lock()
_seen: tuple[float, list[str]] | None = None


def problems() -> list[str]:
    """What keeps the installation from storing anything, a line each; empty when all is well."""
    global _seen
    with _lock:
        now = time.monotonic()
        if _seen is None or now - _seen[0] > LOOK_SECONDS:
            _seen = now, [problem for problem in (_database(), _store()) if problem]
        return list(_seen[1])


def require_room(uri: str, size: int) -> None:
    """Raises StoreFull when `size` bytes more would leave less room on the disk of `uri` than is kept free.

    The database often lies on the same disk: it must still be able to write when uploads are refused.
    """
    path = storage.local_path(uri)
    if path is not None and (low := _too_little(path, size)):
        raise StoreFull(f"the store is full: {low}")


def _database() -> str:
    if not settings.SECRET_DATABASE_URL and (low := _too_little(settings.DATABASE_DIR)):
        return f"database: {low}"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only')")
            if cursor.fetchone() == ("on",):
                return "database: it is read-only"
            # A commit that has something to flush, and leaves no row.
            cursor.execute("SELECT pg_logical_emit_message(true, 'waggle', 'health')")
    except DatabaseError as error:
        return f"database: {str(error).strip().splitlines()[0]}"
    return ""


def _store() -> str:
    uri = storage.join(settings.STORE_URL, PROBE, f"{PROBE}-{threading.get_native_id()}")
    try:
        require_room(uri, 0)
        storage.write(uri, b"here")
        storage.delete(uri)
    except DomainError as error:
        return f"store: {error.message}"
    return ""


def _too_little(path: Path, size: int = 0) -> str:
    """Why so many bytes have no room on the disk of `path`, "" when they have."""
    place = next(folder for folder in (path, *path.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free - size >= settings.DISK_RESERVE:
        return ""
    return f"{free:,} bytes are free on its disk, {settings.DISK_RESERVE:,} are kept free (WAGGLE_DISK_RESERVE)"
