"""Programs of AWS's users as child processes against a running installation, in an environment of their own.

The environment is made once from examples/notebooks/requirements.txt, which is too heavy for the product's.
"""

import fcntl
import hashlib
import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.journeys.system import COMMANDS, ROOT, System, free_port, running

NOTEBOOKS = ROOT / "examples" / "notebooks"
REQUIREMENTS = NOTEBOOKS / "requirements.txt"
SDK3 = Path(__file__).parent / "clients" / "requirements-sdk3.txt"
MEMBER = "requester@demo.example"
OURS = ("AWS_", "WAGGLE_", "DJANGO_")
"""How the variables begin that the environment of a test has and that of a user's shell has not."""

RUN = """
import sys, nbformat
from nbclient import NotebookClient
source, target = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
client = NotebookClient(notebook, timeout=1500, kernel_name="python3")
try:
    client.execute()
finally:
    nbformat.write(notebook, target)
"""


def python(requirements: Path = REQUIREMENTS) -> Path:
    """The interpreter of an environment under var/, made at the first call and whenever a pin has changed."""
    folder = ROOT / "var" / f"notebooks-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".installed").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "-r", str(requirements)]
            subprocess.run(pip, check=True)
            (folder / ".installed").touch()
    return folder / "bin" / "python"


class Installation:
    """A running system with its own S3 server, an account with money, and what its owner's shell exports."""

    def __init__(self, system: System):
        self.system = system
        self.crew: dict[str, Any] = system.people(workers=1, dollars=500)
        told = system.run("manage.py", "aws_env", "--new-key", MEMBER)
        exports = [shlex.split(line)[1] for line in told.splitlines() if line.startswith("export ")]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
            **dict(one.split("=", 1) for one in exports),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NOTEBOOK_SIZE": "tiny",
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(NOTEBOOKS / "sagemaker.yaml"),
            "MPLBACKEND": "agg",
            "PYTHONPATH": str(NOTEBOOKS),
        }

    def program(self, *arguments: str, folder: Path, requirements: Path | None = None) -> str:
        """Run a program of an environment in a folder; returns what it printed. Fails with what it printed else."""
        command = [str(python(requirements or REQUIREMENTS).with_name(arguments[0])), *arguments[1:]]
        done = subprocess.run(command, cwd=folder, env=self.environment, capture_output=True, text=True, timeout=1500)
        assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-6000:], self.system.logs())
        return done.stdout

    def notebook(self, name: str, *, folder: Path, crowd: str = "") -> list[dict[str, Any]]:
        """Run a notebook in a folder; its cells as they are after that. `crowd`: --job or --flow, whose tasks
        simulated people do meanwhile.
        """
        environment = {**self.environment, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
        target = folder / f"{name}.done.ipynb"
        command = [str(python()), "-c", RUN, str(NOTEBOOKS / f"{name}.ipynb"), str(target)]
        people = threading.Thread(target=self._crowd, args=(crowd, folder, stop := threading.Event()), daemon=True)
        people.start()
        try:
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1600)
        finally:
            stop.set()
        cells: list[dict[str, Any]] = json.loads(target.read_text())["cells"] if target.exists() else []
        assert done.returncode == 0, (last_words(cells), done.stderr[-1500:], self.system.logs())
        people.join(120)
        return cells

    def _crowd(self, option: str, folder: Path, stop: threading.Event) -> None:
        """Once the notebook has made its job or flow definition, let simulated people work on it."""
        table = {"--job": "labeling_labelingjob", "--flow": "labeling_flowdefinition"}.get(option)
        while table and not stop.wait(1):
            rows = self.system.query(f"SELECT name FROM {table} WHERE created_at > now() - interval '1 hour'")
            truth = sorted(folder.glob("pictures/*/annotations.coco.json"))
            named = [name for (name,) in rows if truth and name == truth[0].parent.name]
            if named:
                few = ["--workers", "3", "--spammers", "0", "--truth", str(truth[0])]
                ends = ["--idle-seconds", "90"] if option == "--flow" else []
                command = [sys.executable, "manage.py", "simulate_crowd", option, named[0], *few, *ends]
                with (folder / "crowd.log").open("wb") as log:
                    environment = self.system.environment
                    subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, timeout=1500, check=True)
                return


@contextmanager
def installed() -> Iterator[Installation]:
    """An installation as `make serve` with WAGGLE_LOCAL_S3 starts it, with a database of the tests."""
    local = {"WAGGLE_LOCAL_S3": "1", "WAGGLE_LOCAL_S3_PORT": str(free_port())}
    with running(only=tuple(COMMANDS), **local) as system:
        yield Installation(system)


def last_words(cells: list[dict[str, Any]]) -> str:
    """The end of what was printed in the last cell that has printed anything; libraries print tracebacks as such."""
    told = [json.dumps(cell["outputs"][-1]) for cell in cells if cell.get("outputs")]
    return told[-1][-3000:] if told else ""


def pictures(cell: dict[str, Any]) -> list[str]:
    """The pictures that a cell shows, in Base64."""
    shown = [one.get("data", {}) for one in cell["outputs"]]
    return [data["image/png"] for data in shown if "image/png" in data]
