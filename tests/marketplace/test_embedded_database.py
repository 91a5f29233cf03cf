"""The embedded PostgreSQL: restarted after crashes, whatever postmaster.pid says, and closed to other users."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from marketplace import database_password, postmaster
from marketplace.database import DatabaseUnavailable, parse_url, start_embedded, stop_embedded

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534


@pytest.fixture(scope="module")
def running():
    """The folder of a running server with a table in it; not pytest's, which PostgreSQL's user may not enter."""
    with tempfile.TemporaryDirectory(prefix="waggle embedded ", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        directory = Path(name).resolve() / "postgres"
        with psycopg.connect(start_embedded(directory), autocommit=True) as connection:
            connection.execute("CREATE TABLE bees AS SELECT 81 AS number")
        yield directory
        stop_embedded(directory)


@pytest.fixture
def directory(running) -> Path:
    start_embedded(running)
    return running


@pytest.fixture
def stranger(directory):
    """A living process of PostgreSQL's own user that has nothing to do with it: postgres cannot tell by itself."""
    owner = directory.stat().st_uid
    process = subprocess.Popen(["sleep", "600"], user=owner if owner != os.geteuid() else None)
    yield process
    assert process.poll() is None, "it was killed"
    process.kill()
    process.wait()


def main_process(directory: Path) -> psutil.Process:
    return psutil.Process(int((directory / postmaster.FILE).read_text().split()[0]))


def crash(directory: Path) -> str:
    """SIGKILL the main process; returns what is left in its postmaster.pid."""
    process = main_process(directory)
    process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while any(postmaster.belongs(one, directory) for one in psutil.process_iter()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return (directory / postmaster.FILE).read_text()


def count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT number FROM bees").fetchone()
    assert row
    return row[0]


def first_line(left: str, number: object) -> str:
    return "\n".join([str(number), *left.splitlines()[1:]]) + "\n"


@pytest.mark.parametrize("kind", ["stale", "empty", "cut off", "not numbers", "missing", "another program", "huge"])
def test_the_server_starts_again_after_a_crash_whatever_is_left(directory, stranger, kind):
    left = crash(directory)
    texts = {
        "stale": left,
        "empty": "",
        "cut off": left[: len(left) // 3],
        "not numbers": "²\n-7\nnot a file of PostgreSQL\x00",
        "another program": first_line(left, stranger.pid),
        "huge": first_line(left, "9" * 40),
    }
    path = directory / postmaster.FILE
    if kind == "missing":
        path.unlink()
    else:
        path.write_text(texts[kind])
    assert count(start_embedded(directory)) == 81
    assert main_process(directory).name() == "postgres"
    assert main_process(directory).pid != stranger.pid


def test_stopping_ends_no_other_program(directory, stranger):
    path = directory / postmaster.FILE
    path.write_text(first_line(crash(directory), stranger.pid))
    stop_embedded(directory)
    assert stranger.poll() is None and not path.exists()


def test_another_postgres_is_not_taken_for_this_one(directory):
    with tempfile.TemporaryDirectory(prefix="waggle-embedded-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        other = Path(name).resolve() / "postgres"
        start_embedded(other)
        theirs = main_process(other)
        try:
            (directory / postmaster.FILE).write_text(first_line(crash(directory), theirs.pid))
            stop_embedded(directory)
            assert theirs.is_running()
            assert count(start_embedded(directory)) == 81
            assert theirs.is_running()
        finally:
            stop_embedded(other)
        assert not postmaster.belongs(theirs, other)


def test_a_running_server_is_found_and_not_started_twice(directory):
    before = main_process(directory)
    command = [sys.executable, "-c", "import sys, pathlib; from marketplace.database import start_embedded; "
               "print(start_embedded(pathlib.Path(sys.argv[1])))", str(directory)]  # fmt: skip
    several = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert {process.communicate(timeout=120)[0].strip() for process in several} == {start_embedded(directory)}
    assert main_process(directory) == before


def test_a_server_that_cannot_start_says_why(directory):
    stop_embedded(directory)
    configuration = directory / "postgresql.conf"
    kept = configuration.read_text()
    configuration.write_text(kept + "\nshared_buffers = many\n")
    try:
        with pytest.raises(DatabaseUnavailable, match=r"did not start; the end of .*log:[\s\S]*shared_buffers"):
            start_embedded(directory)
    finally:
        configuration.write_text(kept)


def closed(socket: Path) -> bool:
    """Whether others than its owner are kept from a socket, by its mode or by that of the folder it lies in."""
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (socket, socket.parent)]
    return all(mode & 0o077 == 0 for mode in modes)


@pytest.mark.parametrize("name", ["short", "a-long-name-" * 9, "a, b"])
def test_nobody_else_reaches_the_socket(name):
    elsewhere = name != "short"
    with tempfile.TemporaryDirectory(prefix="waggle-embedded-", ignore_cleanup_errors=True) as base:
        Path(base).chmod(0o755)
        directory = Path(base).resolve() / name / "postgres"
        url = start_embedded(directory)
        folder = Path(parse_url(url)["HOST"])
        try:
            assert (folder == directory) is not elsewhere
            assert closed(folder / postmaster.SOCKET)
            (folder / postmaster.SOCKET).chmod(0o777)
            folder.chmod(0o700 if folder == directory else 0o777)
            assert start_embedded(directory) == url
            assert closed(folder / postmaster.SOCKET), "one that an earlier version left open is closed"
            if os.geteuid() == 0:
                reached = subprocess.run(["/usr/bin/env", "test", "-r", str(folder / postmaster.SOCKET)], user=NOBODY)
                assert reached.returncode == 1
            psycopg.connect(url).close()
        finally:
            stop_embedded(directory)
            if elsewhere:
                folder.rmdir()


def test_a_socket_folder_of_somebody_else_is_not_used(monkeypatch):
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        directory = Path(name) / ("a-long-name-" * 9)
        directory.mkdir()
        folder = postmaster.own_socket_folder(directory)
        folder.rmdir()
        folder.symlink_to(directory)
        with pytest.raises(DatabaseUnavailable, match="belongs to somebody else"):
            postmaster.own_socket_folder(directory)
        if os.geteuid() == 0:
            folder.unlink()
            folder.mkdir()
            os.chown(folder, NOBODY, -1)
            with pytest.raises(DatabaseUnavailable, match="belongs to somebody else"):
                postmaster.own_socket_folder(directory)


def test_a_server_that_dies_is_started_again():
    """What `make serve` runs beside web and queue."""
    with tempfile.TemporaryDirectory(prefix="waggle-embedded-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        directory = Path(name).resolve() / "postgres"
        with psycopg.connect(start_embedded(directory), autocommit=True) as connection:
            connection.execute("CREATE TABLE bees AS SELECT 81 AS number")
        environment = {**os.environ, "WAGGLE_VAR": name, "WAGGLE_DATABASE_URL": "", "DATABASE_URL": ""}
        keeper = subprocess.Popen([sys.executable, "manage.py", "database", "keep"], cwd=ROOT, env=environment)
        try:
            for _ in range(2):
                before = main_process(directory)
                before.send_signal(signal.SIGKILL)
                assert until_counted(directory, before) == 81
            assert keeper.poll() is None
        finally:
            keeper.kill()
            keeper.wait()
            stop_embedded(directory)


def until_counted(directory: Path, dead: psutil.Process) -> int:
    """Connect, as the web does, until the server that follows `dead` answers."""
    deadline = time.monotonic() + 120
    while True:
        try:
            if main_process(directory) != dead:
                passfile = directory / database_password.FILE
                return count(f"postgresql://postgres@/postgres?host={directory}&passfile={passfile}")
        except (OSError, IndexError, psutil.Error, psycopg.OperationalError):
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)
