"""The wheel: built, installed into a fresh environment, started away from the checkout, its data in its own folder."""

import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import urllib3

from docs.release.__main__ import ROOT, build
from frontend.demo import scenes
from frontend.demo.stack import answers
from marketplace.database import stop_embedded
from tests.journeys.system import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("wheel")]


class Installed:
    """An environment with the wheel, whose dependencies are those of the tests."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self.home = folder / "home"
        self.home.mkdir()
        venv.create(folder / "venv", with_pip=False, symlinks=True)
        self.bin = folder / "venv" / "bin"
        python = self.bin / "python"
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
        subprocess.run([*pip, str(build(folder / "dist"))], check=True)
        (self.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("WAGGLE_", "PYTHON", "DJANGO"))
            },
            "HOME": str(self.home),
            "XDG_DATA_HOME": str(self.home / "data"),
            "WAGGLE_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "WAGGLE_BIND": f"127.0.0.1:{self.port}",
            "WAGGLE_WEB_WORKERS": "1",
            "WAGGLE_QUEUE_WORKERS": "2",
            "WAGGLE_LEARNER_THREADS": "1",
        }
        self.environment.pop("VIRTUAL_ENV", None)

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        (found,) = (self.folder / "venv" / "lib").glob("python3*/site-packages")
        return found

    @property
    def var(self) -> Path:
        """Where its data go when nothing is said."""
        return self.home / "data" / "waggle"

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `waggle ...` until it ends, in a folder without the checkout."""
        command = [str(self.bin / "waggle"), *arguments]
        return subprocess.run(
            command, cwd=self.home, env=self.environment, capture_output=True, text=True, timeout=600, check=False
        )

    def files(self) -> set[Path]:
        """What lies in site-packages, without what Python itself caches."""
        return {path for path in self.packages.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    # Not under pytest's folder, which PostgreSQL's own user may not enter when the tests run as root.
    with tempfile.TemporaryDirectory(prefix="waggle-wheel-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        made = Installed(Path(folder))
        before = made.files()
        yield made
        stop_embedded(made.var / "postgres")
        assert made.files() == before, "the program wrote into site-packages"


def test_it_serves_from_its_own_files(installed):
    process = subprocess.Popen(
        [installed.bin / "waggle", "serve"],
        cwd=installed.home,
        env=installed.environment,
        stdout=(installed.home / "serve.log").open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        base, pool = installed.environment["WAGGLE_PUBLIC_URL"], urllib3.PoolManager(retries=False, timeout=10)
        deadline = time.monotonic() + 500
        while not answers(f"{base}/health/"):
            log = (installed.home / "serve.log").read_text()
            assert process.poll() is None and time.monotonic() < deadline, log
            time.sleep(0.5)
        assert pool.request("GET", f"{base}/health/").status == 200
        assert pool.request("GET", f"{base}/static/dist/portal.css").status == 200
        assert "Sign in" in pool.request("GET", f"{base}/sign-in/").data.decode()
        programs = [one.cmdline() for one in psutil.Process(process.pid).children()]
        assert {Path(command[0]) for command in programs} == {installed.bin / "python"}, programs
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(60) == 0
    assert (installed.var / "postgres").is_dir()


def test_its_doctor_finds_everything_it_needs(installed):
    done = installed.run("manage", "doctor")
    assert "static bundle" in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_has_the_templates_to_start_from(installed):
    done = installed.run(
        "manage", "shell", "-c", "from frontend.requester.template_gallery import gallery; print(len(gallery()))"
    )
    assert int(done.stdout.split()[-1]) == len(list((ROOT / "examples/templates").glob("*.liquid.html")))


def test_a_whole_job_from_the_wheel(installed):
    images = installed.home / "few"
    scenes.write_dataset(images, count=12, seed=3)
    done = installed.run(
        "demo", "--exit", "--images", str(images), "--workers", "5", "--spammers", "0", "--train-seconds", "10"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (installed.var / "demo" / "summary.json").exists()


def test_what_it_does_not_know_is_said(installed):
    done = installed.run("labels")
    assert done.returncode == 2
    assert "waggle" in done.stderr and str(installed.var) in done.stderr
    wrong = subprocess.run(
        [installed.bin / "waggle", "serve"],
        env=installed.environment | {"WAGGLE_LEARNING": "perhaps"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert wrong.returncode == 1
    assert "WAGGLE_LEARNING: 'perhaps' found" in wrong.stderr
