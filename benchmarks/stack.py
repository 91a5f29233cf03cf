"""The embedded database, one of several web servers and, if wanted, one message queue, in a folder of their own.

The web server is the production one, or another that runs the same portal with as many processes and threads, to
measure ours against; those are installed into var/servers on first use and are no part of the product.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree

from marketplace import settings_declared as declared

ROOT = Path(__file__).resolve().parent.parent
RIVALS = ROOT / "var" / "servers"
PINS = {"gunicorn": "gunicorn==27.0.1", "waitress": "waitress==3.0.2"}


def _gunicorn(port: int, workers: int, threads: int) -> list[str]:
    return [
        *("gunicorn", "marketplace.wsgi", "--worker-class=gthread", f"--bind=127.0.0.1:{port}"),
        *(f"--workers={workers}", f"--threads={threads}", "--timeout=120", "--keep-alive=15"),
    ]


def _waitress(port: int, workers: int, threads: int) -> list[str]:
    # It has one process.
    options = [f"--listen=127.0.0.1:{port}", f"--threads={workers * threads}", "--connection-limit=4000"]
    return ["waitress", *options, "--asyncore-use-poll", "marketplace.wsgi:application"]


def _granian_wsgi(port: int, workers: int, threads: int) -> list[str]:
    return [
        *("granian", "marketplace.wsgi:application", "--interface=wsgi", "--http=1", f"--port={port}", "--no-ws"),
        *(f"--workers={workers}", f"--blocking-threads={threads}", "--http1-header-read-timeout=15000"),
    ]


SERVERS: dict[str, Callable[[int, int, int], list[str]]] = {
    "portal": lambda port, workers, threads: ["frontend.server"],
    "granian-wsgi": _granian_wsgi,
    "gunicorn": _gunicorn,
    "waitress": _waitress,
}
"""Arguments of `python -m` by name, of the port, the processes and the threads of each; `portal` is ours."""


class Stack:
    """Started when it is made; `stop` ends everything."""

    def __init__(self, var: Path, *, server: str = "portal", queue: bool = True) -> None:
        self.var, self.port = var, free_port()
        os.environ |= {
            "WAGGLE_VAR": str(var),
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "WAGGLE_BIND": f"127.0.0.1:{self.port}",
            # One client alone is faster than the rate limit of a user.
            "WAGGLE_API_RATE_PER_USER": "1000000/min",
            "WAGGLE_LOG_LEVEL": "WARNING",
            # Its clients send the same boxes at once, as robots do. What they send is noted for the rules all the same.
            "WAGGLE_CONDUCT_RULES": "no",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            for setting in ("fsync", "synchronous_commit"):
                cursor.execute(f"SHOW {setting}")
                if cursor.fetchone()[0] != "on":
                    raise SystemExit(f"the database runs with {setting} off: the figures would be too good")
        self.processes: list[subprocess.Popen[bytes]] = []
        try:
            self.serve(server)
            if queue:
                self.processes.append(subprocess.Popen([sys.executable, "manage.py", "qcluster"], cwd=ROOT))
        except BaseException:
            self.stop()
            raise

    def serve(self, server: str) -> None:
        """Start a web server, in place of the one that runs."""
        if self.processes:
            _end(self.processes.pop(0))
        _install(server)
        make = SERVERS[server]
        arguments = make(self.port, declared.WEB_WORKERS.read(os.environ), declared.WEB_THREADS.read(os.environ))
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(RIVALS)])}
        self.processes.insert(0, subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT, env=environment))
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=10) as client:
                client.sendall(b"GET /health/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if client.recv(100).startswith(b"HTTP/1.1 200"):
                    return
            time.sleep(0.2)
        raise SystemExit("the server did not start within two minutes")

    def cpu_seconds(self) -> float:
        """CPU time of web server and database so far; unlike elapsed time it hardly depends on other processes."""
        web = self.processes[0].pid
        parents = {web, int((self.var / "postgres" / "postmaster.pid").read_text().split()[0])}
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                counts = int(fields[1]) in parents or path.parent.name == str(web)
                ticks += sum(map(int, fields[11:13])) if counts else 0
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """Stop everything that was started."""
        from marketplace.database import stop_embedded

        for process in self.processes:
            process.terminate()
        for process in self.processes:
            _end(process)
        stop_embedded(self.var / "postgres")


@contextlib.contextmanager
def running(*, server: str = "portal", queue: bool = True) -> Iterator[Stack]:
    """A stack in a folder that is removed with it, also when this program is terminated."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    var = Path(tempfile.mkdtemp(prefix="waggle-bench-"))
    var.chmod(0o755)
    try:
        stack = Stack(var, server=server, queue=queue)
        try:
            yield stack
        finally:
            stack.stop()
    finally:
        rmtree(var, ignore_errors=True)


def free_port() -> int:
    """A free TCP port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _install(server: str) -> None:
    if server in PINS and not (RIVALS / server).is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(RIVALS), PINS[server]]
        subprocess.run(command, check=True)
