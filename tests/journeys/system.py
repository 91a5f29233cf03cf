"""The whole system as real processes with a database of its own; a test can kill and restart each of them."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psycopg
import urllib3

from marketplace.database import start_embedded, stop_embedded
from tests.databases import copied

Seen = TypeVar("Seen")
ROOT = Path(__file__).resolve().parent.parent.parent
COMMANDS = {
    "web": ["-m", "frontend.server"],
    "queue": ["manage.py", "qcluster"],
    "learner": ["manage.py", "run_programs"],
    "s3": ["manage.py", "local_s3", "--serve"],
}
USUAL = ("web", "queue", "learner")
"""Those of an installation whose settings say nothing of S3."""

PEOPLE = """
import django, json, pathlib, sys
django.setup()
from frontend.demo import people
crew = people.gather(worker_count=int(sys.argv[1]), dollars=int(sys.argv[2]), passwords=pathlib.Path(sys.argv[3]))
logins = list(crew.logins.items())
print(json.dumps({"requester": crew.requester_token, "workers": [member.token for member in crew.workers],
                  "team": crew.team.pk, "account": crew.account.number,
                  "requester_login": logins[0], "operator_login": logins[1], "worker_login": logins[-1]}))
"""


def free_port() -> int:
    """A TCP port on which nothing listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class System:
    """Web, queue and learner, started as in the Procfile; no learner in an installation without the learning app.

    `only` some of them, with further settings. Without the address of a `database` it has a server of its own, which
    whoever made it stops.
    """

    def __init__(
        self,
        folder: Path,
        *,
        learning: bool = True,
        only: Sequence[str] = USUAL,
        database: str | None = None,
        **settings: str,
    ):
        self.folder = folder
        self.names = [name for name in only if learning or name != "learner"]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "WAGGLE_VAR": str(folder / "var"),
            "WAGGLE_DATABASE_URL": database or start_embedded(folder / "postgres"),
            "WAGGLE_PUBLIC_URL": self.url,
            "WAGGLE_BIND": f"127.0.0.1:{self.port}",
            "WAGGLE_WEB_WORKERS": "1",
            "WAGGLE_QUEUE_WORKERS": "2",
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT),
            "WAGGLE_API_RATE_PER_USER": "1000000/min",
            "WAGGLE_LEARNER_THREADS": "1",
            "WAGGLE_LEARNING": "yes" if learning else "no",
            **settings,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, *arguments: str) -> str:
        """Run a Python command in the system's environment until it ends; returns its output."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def people(self, *, workers: int, dollars: int = 200) -> dict:
        """Create an account with money and a team; returns the tokens of the requester and the workers."""
        passwords = self.folder / "var" / "passwords.json"
        return json.loads(self.run("-c", PEOPLE, str(workers), str(dollars), str(passwords)).strip().splitlines()[-1])

    def start(self, name: str) -> None:
        """Start one process."""
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, *COMMANDS[name]],
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()

    def kill(self, name: str) -> None:
        """Send SIGKILL to a process and to its process group."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)

    def wait_for_web(self) -> None:
        """Wait until the web server answers."""
        pool = urllib3.PoolManager(retries=False, timeout=2)
        deadline = time.monotonic() + 180
        while True:
            try:
                if pool.request("GET", f"{self.url}/health/").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)

    def until(self, read: Callable[[], Seen], wanted: Callable[[Seen], object], seconds: float = 120) -> Seen:
        """Poll until `wanted(read())`; returns what was read."""
        deadline = time.monotonic() + seconds
        while not wanted(seen := read()):
            assert time.monotonic() < deadline, (seen, self.logs())
            time.sleep(0.2)
        return seen

    def logs(self) -> str:
        """The last part of every log, for messages of failed tests."""
        return "\n".join(f"== {p.name}\n{p.read_text()[-3000:]}" for p in sorted(self.folder.glob("*.log")))

    def query(self, sql: str, *parameters: object) -> list[tuple]:
        """The rows of a query, read past the system's own code."""
        with psycopg.connect(self.environment["WAGGLE_DATABASE_URL"]) as connection:
            return connection.execute(sql, parameters).fetchall()  # type: ignore[arg-type]


@contextmanager
def running(
    *, learning: bool = True, only: Sequence[str] = USUAL, fresh: bool = False, **settings: str
) -> Iterator[System]:
    """A running system, with or without the learning app; at the end it is stopped and its folder removed.

    Its database is a copy of the tests' own, so that its tables are there (see tests/databases.py), or `fresh`: on a
    server of its own, and empty. Its folder is not pytest's tmp_path: PostgreSQL never runs as root, and its user may
    not enter root's tmp_path.
    """
    with tempfile.TemporaryDirectory(prefix="waggle-system-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _fresh(folder / "postgres") if fresh else copied() as address:
            yield from _up(System(folder, learning=learning, only=only, database=address, **settings))


@contextmanager
def _fresh(directory: Path) -> Iterator[str]:
    try:
        yield start_embedded(directory)
    finally:
        stop_embedded(directory)


def _up(system: System) -> Iterator[System]:
    try:
        system.run("manage.py", "bootstrap", "--verbosity", "0")
        for name in system.names:
            system.start(name)
        system.wait_for_web()
        yield system
    finally:
        # Not the whole group: the message queue never ends when its children are told to end as well.
        for process in system.processes.values():
            process.terminate()
        for process in system.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
