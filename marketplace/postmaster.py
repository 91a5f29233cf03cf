"""Which processes are the PostgreSQL of a data folder, and where its socket lies. Ends no process, starts none.

PostgreSQL's main process writes postmaster.pid into its data folder: its number, the folder, its start time, the port,
the folder of the socket, the address, a shared memory key and its status, one a line.
"""

import hashlib
import logging
import os
import re
import tempfile
import time
from pathlib import Path

import psutil

FILE = "postmaster.pid"
LINES = 8
SOCKET_FOLDER, STATUS = 4, 7
"""The lines of the file that are read here, counted from 0; the process number is the first."""

SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 100
"""A longer path of a socket is refused by some systems."""

READY_SECONDS = 120
"""How long a server may take to start or stop, recovery after a crash included."""

LEFTOVER_SECONDS = 20
"""How long the children of a killed server get to notice it and end."""

log = logging.getLogger(__name__)


class DatabaseUnavailable(RuntimeError):
    """The database cannot be used; the message says what to change."""


def settle(directory: Path) -> bool:
    """Whether the PostgreSQL of `directory` (absolute, links resolved) runs and accepts connections.

    Waits for one that is starting or stopping. A postmaster.pid that is empty, damaged, or names a process that is not
    the PostgreSQL of this folder is removed: a number may belong to another program by now. Raises DatabaseUnavailable,
    saying what to do, when the server does not become ready or processes of an earlier one still use the folder.
    """
    path = directory / FILE
    deadline = time.monotonic() + READY_SECONDS
    while (lines := _lines(path)) is not None:
        named = _named(lines)
        if named is None or not belongs(named, directory):
            break
        if len(lines) >= LINES and lines[STATUS].strip() == "ready":
            return True
        if time.monotonic() > deadline:
            raise DatabaseUnavailable(
                f"{path}: PostgreSQL (process {named.pid}) did not get ready in {READY_SECONDS} s; "
                f"see {directory / 'log'}"
            )
        time.sleep(0.1)
    _wait_for_leftovers(directory)
    if lines is not None:
        log.warning("%s: no PostgreSQL of this folder runs under the number in it; removed", path)
        path.unlink(missing_ok=True)
    return False


def belongs(process: psutil.Process, directory: Path) -> bool:
    """Whether a process is the PostgreSQL whose data lies in `directory`, its main process or a child of it."""
    try:
        if process.name() != "postgres":
            return False
        try:
            return Path(process.cwd()) == directory
        except psutil.AccessDenied:
            # In a container root may not see another user's working directory, but its command line.
            words = process.cmdline()
        if words and not words[0].startswith("postgres:"):
            return str(directory) in words
        # A child does not name its folder. One whose main process is gone may be of this folder: count it.
        parent = process.parent()
        return parent is None or parent.name() != "postgres" or belongs(parent, directory)
    except psutil.NoSuchProcess:
        return False


def socket_folder(directory: Path) -> Path:
    """Where the PostgreSQL of `directory` listens now. Call it while the server is ready."""
    lines = _lines(directory / FILE)
    if lines is None or len(lines) < LINES:
        raise DatabaseUnavailable(f"{directory / FILE}: {LINES} lines expected, {len(lines or [])} found")
    return Path(lines[SOCKET_FOLDER].strip())


def own_socket_folder(directory: Path) -> Path:
    """A folder for the socket that its owner alone may enter: the data folder, or another if its path does not do.

    It must not be too long, and a comma would part it in two, for the server and for who connects. `directory` exists
    and belongs to the server's user. Raises DatabaseUnavailable when somebody else made the folder.
    """
    if len(os.fsencode(directory / SOCKET)) <= SOCKET_PATH_BYTES and "," not in str(directory):
        return directory
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"waggle-postgres-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    owner, found = directory.stat().st_uid, folder.lstat()
    if folder.is_symlink() or found.st_uid not in (owner, os.geteuid()):
        raise DatabaseUnavailable(
            f"{folder}: belongs to somebody else; remove it, or point WAGGLE_VAR at a shorter path without a comma"
        )
    close_to_others(folder, owner=owner)
    return folder


def close_to_others(path: Path, *, owner: int) -> None:
    """Let only the user with the number `owner` in: PostgreSQL trusts whoever reaches its socket."""
    if path.stat().st_uid != owner:
        os.chown(path, owner, -1)
    path.chmod(0o700)


def _lines(path: Path) -> list[str] | None:
    try:
        return path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None


def _named(lines: list[str]) -> psutil.Process | None:
    """The living process whose number stands in the first line."""
    if not lines or re.fullmatch(r"[1-9][0-9]{0,9}", lines[0].strip()) is None:
        return None
    try:
        return psutil.Process(int(lines[0]))
    except psutil.NoSuchProcess:
        return None


def _wait_for_leftovers(directory: Path) -> None:
    """Children of a killed server end by themselves; a second server beside them would destroy the data."""
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while left := [process.pid for process in psutil.process_iter() if belongs(process, directory)]:
        if time.monotonic() > deadline:
            numbers = " ".join(map(str, left))
            raise DatabaseUnavailable(
                f"{directory}: processes of an earlier PostgreSQL still use this folder; end them with "
                f"`kill -QUIT {numbers}` and start again"
            )
        time.sleep(0.1)
