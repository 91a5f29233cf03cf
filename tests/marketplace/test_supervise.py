"""The supervisor of `make serve`: what dies is started again, and nothing that was killed leaves processes behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]

# A master with a worker that holds the port, as web servers and message queues are.
SERVER = """
import os, signal, socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        accepted = listener.accept()[0]
        accepted.sendall(str(os.getppid()).encode())
        accepted.close()
signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))
print("ready", flush=True)
while True:
    time.sleep(60)
"""
RUN = """
import pathlib, sys
from marketplace import supervise
supervise.PROCFILE = pathlib.Path(sys.argv[1])
sys.exit(supervise.main(sys.argv[2:]))
"""


def until(condition, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def supervised(tmp_path, port):
    """A function that starts a supervisor of these lines; all it started is ended afterwards."""
    (tmp_path / "server.py").write_text(SERVER)
    procfile = tmp_path / "Procfile"
    started = []

    def start(*lines: str, names: tuple[str, ...] = ()) -> subprocess.Popen:
        server = f"server: {sys.executable} {tmp_path / 'server.py'} {port}"
        procfile.write_text("\n".join(lines or [server]) + "\n")
        command = [sys.executable, "-c", RUN, str(procfile), *names]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        log = (tmp_path / "log").open("wb")
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.kill()
        process.wait()
        for child in children:
            if child.is_running():
                child.kill()


def answer(port: int) -> int:
    """The number of the master whose worker answers on the port, 0 when nobody does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return int(connection.recv(100) or b"0")
    except (OSError, ValueError):
        return 0


def test_a_killed_master_is_started_again_and_its_children_free_the_port(supervised, port):
    supervised()
    first = until(lambda: answer(port))
    for _ in range(2):
        worker = psutil.Process(first).children()[0]
        os.kill(first, signal.SIGKILL)
        # The orphan of a killed master would answer with another number than that of a supervised process.
        second = until(lambda before=first: (found := answer(port)) not in (0, 1, before) and found)
        assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
        assert psutil.Process(second).cmdline()[-1] == str(port)
        first = second


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_stays_when_the_supervisor_ends_or_is_killed(supervised, port, number):
    process = supervised()
    master = until(lambda: answer(port))
    family = [psutil.Process(master), *psutil.Process(master).children(recursive=True)]
    process.send_signal(number)
    assert process.wait(30) == (0 if number != signal.SIGKILL else -9)
    until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family))
    assert answer(port) == 0


def test_what_cannot_start_ends_everything_with_its_exit_code(supervised, port, tmp_path):
    server = f"server: {sys.executable} {tmp_path / 'server.py'} {port}"
    process = supervised(server, f"wrong: {sys.executable} -c 'import sys; print(81); sys.exit(3)'")
    assert process.wait(60) == 3
    said = (tmp_path / "log").read_text()
    assert "wrong  | 81" in said and "wrong  | ended (exit code 3)" in said
    assert answer(port) == 0


def test_an_unknown_name_is_refused_with_those_that_exist(supervised, tmp_path):
    assert supervised(names=("web",)).wait(60) == 1
    assert "has no web; there are server" in (tmp_path / "log").read_text()


PATIENT = """
import os, signal, sys, time
signal.signal(signal.SIGHUP, lambda *_: print("renews its own", flush=True))
signal.signal(signal.SIGTERM, lambda *_: (print("ends well", flush=True), sys.exit(0)))
print("up", os.getpid(), flush=True)
while True:
    time.sleep(60)
"""


def test_what_serves_and_works_is_renewed_and_the_database_goes_on(supervised, tmp_path):
    (tmp_path / "patient.py").write_text(PATIENT)
    script = tmp_path / "patient.py"
    process = supervised(*(f"{name}: {sys.executable} {script}" for name in ("database", "web", "queue")))
    log = tmp_path / "log"

    def said(text: str, times: int) -> bool:
        return sum(text in line for line in log.read_text().splitlines()) == times

    until(lambda: said("| up", 3))
    process.send_signal(signal.SIGHUP)
    # The queue ends and is started again, however short it ran; the others are the processes that they were.
    until(lambda: said("| up", 4))
    until(lambda: said("renews its own", 1))
    lines = log.read_text()
    assert "web      | renews its own" in lines and "queue    | ends well" in lines
    assert process.poll() is None
    process.terminate()
    assert process.wait(60) == 0
    assert said("ends well", 4)
