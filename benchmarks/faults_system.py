"""A whole installation as `make serve` runs it, on a disk of its own where that is permitted, to kill parts of."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import urllib3

from benchmarks.stack import ROOT, free_port

DISK_MIB = 1024
READY_SECONDS = 120


class Installation:
    """Database, web, queue and learner under their supervisor, in a new folder.

    Sets the environment of this process, which reads the same database. `disk` says why no disk of its own could be
    mounted, "" when one was.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="waggle-faults-")).resolve()
        self.folder.chmod(0o755)
        self.var, self.port = self.folder / "var", free_port()
        self.var.mkdir()
        self.disk = self._mount()
        self.url = f"http://127.0.0.1:{self.port}"
        os.environ |= {
            "WAGGLE_VAR": str(self.var),
            "WAGGLE_DATABASE_URL": "",
            "DATABASE_URL": "",
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "WAGGLE_BIND": f"127.0.0.1:{self.port}",
            "WAGGLE_PUBLIC_URL": self.url,
            "WAGGLE_API_RATE_PER_USER": "1000000/min",
            "WAGGLE_LOG_LEVEL": "WARNING",
            # Its clients answer as robots do.
            "WAGGLE_CONDUCT_RULES": "no",
            # Small enough that the database meets the full disk itself.
            "WAGGLE_DISK_RESERVE": "0",
            "PYTHONUNBUFFERED": "1",
        }
        self.supervisor: subprocess.Popen[bytes] | None = None
        self._http = urllib3.PoolManager(retries=False, timeout=5)

    def _mount(self) -> str:
        options = f"size={DISK_MIB}m,mode=755"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.var)], capture_output=True, text=True
        )
        return done.stderr.strip() if done.returncode else ""

    def start(self) -> None:
        """Set up the database, start everything, wait until it is healthy."""
        subprocess.run([sys.executable, "manage.py", "bootstrap", "--verbosity", "0"], cwd=ROOT, check=True)
        with (self.folder / "log").open("ab") as log:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "marketplace.supervise", "database", "web", "queue", "learner"],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_until_healthy()

    def healthy(self) -> bool:
        """Whether /health/ says so."""
        try:
            return self._http.request("GET", f"{self.url}/health/").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def wait_until_healthy(self) -> None:
        """Raises SystemExit with the end of the log when it takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        while not self.healthy():
            if time.monotonic() > deadline:
                raise SystemExit(f"not healthy within {READY_SECONDS} s:\n{self.log()[-3000:]}")
            time.sleep(0.05)

    def log(self) -> str:
        """What all processes have written."""
        return (self.folder / "log").read_text(errors="replace")

    def process(self, name: str) -> psutil.Process:
        """The process that runs under this name of the Procfile now; raises psutil.NoSuchProcess between two."""
        found = re.findall(rf"^{name} *\| started \(process (\d+)\)$", self.log(), re.MULTILINE)
        return psutil.Process(int(found[-1]))

    def children(self, name: str) -> list[psutil.Process]:
        """All that a process of the Procfile has started."""
        return self.process(name).children(recursive=True)

    def postgres(self) -> psutil.Process:
        """The main process of the database."""
        return psutil.Process(int((self.var / "postgres" / "postmaster.pid").read_text().split()[0]))

    def fill_disk(self) -> Path:
        """Write a file until the disk is full; returns it."""
        filler = self.var / "filler"
        block = b"x" * 2**20
        with filler.open("ab", buffering=0) as stream:
            try:
                while True:
                    stream.write(block)
            except OSError:
                block = b"x"
            try:
                while True:
                    stream.write(block * 512)
            except OSError:
                return filler

    def stop(self) -> None:
        """End everything that was started, and remove the folder."""
        from marketplace.database import stop_embedded

        if self.supervisor is not None:
            self.supervisor.send_signal(signal.SIGTERM)
            self.supervisor.wait(60)
        stop_embedded(self.var / "postgres")
        if not self.disk:
            subprocess.run(["umount", "--lazy", str(self.var)], check=True)
        subprocess.run(["rm", "-rf", str(self.folder)], check=False)
