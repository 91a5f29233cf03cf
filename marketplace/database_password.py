"""The password of the embedded PostgreSQL: made here, kept in a file of its data folder that only the owner reads.

Programs are given the path of that file (libpq's `passfile`), never the password: so it stands in no environment, no
command line, no URL and no log.
"""

import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

FILE = "waggle.pgpass"
RULES = "pg_hba.conf"
USER = "postgres"
METHOD = "scram-sha-256"
RELOAD_SECONDS = 30

_TRUSTING = re.compile(r"^(?P<rule>\s*(?:local|host\w*)\s[^#\n]*?\s)trust(?=\s|$)", re.MULTILINE)
_OPENED = f"local all {USER} trust\n"


def require(directory: Path, *, socket_folder: Path, reload: Callable[[], None]) -> None:
    """See to it that the running server of `directory` asks everybody for the password. Safe to repeat and to kill.

    A folder of before there was one, or one whose password file is lost, gets a new one; its data stay as they are.
    `reload` makes the server read its rules again.
    """
    rules = directory / RULES
    trusting = _TRUSTING.search(rules.read_text()) is not None
    if not trusting and (directory / FILE).exists():
        return
    if not trusting:
        _write(rules, _OPENED + rules.read_text(), like=rules)
        reload()
    password = _kept(directory)
    with _connected(socket_folder) as connection:
        # Made here, so that the server never sees the password, and cannot log it.
        verifier = connection.pgconn.encrypt_password(password.encode(), USER.encode(), METHOD.encode()).decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(USER), sql.Literal(verifier)))
        asking = _TRUSTING.sub(rf"\g<rule>{METHOD}", rules.read_text().removeprefix(_OPENED))
        _write(rules, asking, like=rules)
        connection.execute("SELECT pg_reload_conf()")
    _until_asked(socket_folder)


def _kept(directory: Path) -> str:
    """The password in the file, or a new one that is kept in it."""
    path = directory / FILE
    if path.exists():
        return path.read_text().strip().rpartition(":")[2]
    password = secrets.token_hex(32)
    _write(path, f"*:*:*:{USER}:{password}\n", like=directory, mode=0o600)
    return password


def _write(path: Path, text: str, *, like: Path, mode: int | None = None) -> None:
    """Replace a file; it belongs to whom `like` belongs to, and has its mode unless one is given."""
    found = like.stat()
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        os.fchmod(descriptor, found.st_mode & 0o777 if mode is None else mode)
        if found.st_uid != os.geteuid():
            os.fchown(descriptor, found.st_uid, found.st_gid)
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    temporary.replace(path)


def _connect(socket_folder: Path) -> psycopg.Connection:
    # No file has the name; so no password of the caller's own is tried.
    return psycopg.connect(
        host=str(socket_folder), user=USER, dbname="postgres", autocommit=True, passfile=str(socket_folder / "none")
    )


def _connected(socket_folder: Path) -> psycopg.Connection:
    """A connection without a password; the server may need a moment to read rules that allow it."""
    deadline = time.monotonic() + RELOAD_SECONDS
    while True:
        try:
            return _connect(socket_folder)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _until_asked(socket_folder: Path) -> None:
    """Wait until the server refuses who gives no password."""
    deadline = time.monotonic() + RELOAD_SECONDS
    while time.monotonic() < deadline:
        try:
            _connect(socket_folder).close()
        except psycopg.OperationalError:
            return
        time.sleep(0.05)
