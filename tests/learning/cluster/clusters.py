"""A real Ray cluster of several nodes on this machine, and executors that run the tests' programs on it."""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

import tests
from learning.services.programs.cluster.ray_jobs import CODE, RayExecutor, RayProgram
from learning.services.programs.cluster.ray_serve import RayServeExecutor
from marketplace.settings_cluster import Resources
from tests.object_stores import free_port

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("trainingjob", "transformjob", "modelimport", "endpointreplica")
MEMORY_BYTES = 100 << 20
PATIENCE_SECONDS = 90
TRIES = 5
PORTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
"""Of a node that chooses them itself Ray waits for 15 seconds only until it has."""


class Cluster:
    """A head that runs nothing itself, and nodes with one CPU each; `runs`: how many of these there are."""

    def __init__(self, folder: Path):
        from ray.cluster_utils import Cluster as Nodes

        _be_patient()
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        head = {
            "num_cpus": 0,
            "include_dashboard": True,
            "dashboard_host": "127.0.0.1",
            "dashboard_port": port,
        }
        self._nodes = Nodes()
        self._add(head)
        self.folder, self.serve_port, self.runs = folder, free_port(), 0

    def add(self, **options: Any) -> Any:
        """One more node."""
        self.runs += 1
        return self._add({"num_cpus": 1} | options)

    def _add(self, options: dict[str, Any]) -> Any:
        given = {"object_store_memory": MEMORY_BYTES} | options
        return _again(lambda: self._nodes.add_node(**given, **{name: free_port() for name in PORTS}))

    def kill(self, node: Any) -> None:
        """The node is gone from one moment to the next, with all that runs on it."""
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        for process in [*raylet.children(recursive=True), raylet]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.runs -= 1
        self._nodes.remove_node(node, allow_graceful=False)

    def shut_down(self) -> None:
        """End everything."""
        self._nodes.shutdown()

    def executor(self, *, running: Sequence[str] = (), **options: Any) -> RayExecutor:
        """An executor on this cluster; `running`: what is run whatever was asked for."""
        if not running:
            return RayExecutor(self.address, **self._given(options))
        executor = _Instead(self.address, **self._given(options))
        executor.running = list(running)
        return executor

    def serving(self, **options: Any) -> RayServeExecutor:
        """An executor of endpoints' instances; Serve listens at a port of its own."""
        url = f"http://127.0.0.1:{self.serve_port}"
        return RayServeExecutor(self.address, url=url, most=1, **self._given(options))

    def _given(self, options: dict[str, Any]) -> dict[str, Any]:
        resources = dict.fromkeys(KINDS, Resources(cpus=0.5))
        return {
            "resources": resources,
            "lost_seconds": 60.0,
            "python": sys.executable,
            "code": _code(self.folder),
        } | options


def _be_patient() -> None:
    """Ray gives up nodes that are not there within half a minute, which a busy machine takes."""
    from ray._private import ray_constants, services

    ray_constants.RAY_DASHBOARD_STARTUP_TIMEOUT_S = PATIENCE_SECONDS
    ask = services.get_node

    def get_node(*about: Any, **more: Any) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return ask(*about, **more)
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    services.get_node = get_node


def _again(attempt: Callable[[], Any]) -> Any:
    """A node of Ray may give up while it starts on a busy machine: then another try."""
    for number in range(TRIES):
        try:
            return attempt()
        except Exception:  # noqa: BLE001 - Ray raises nothing more special
            if number == TRIES - 1:
                raise
    return None


class _Instead(RayExecutor):
    """Runs one program, whichever was asked for."""

    running: list[str]

    def start(self, arguments: Sequence[str], folder: Path, *, number: int = 1) -> RayProgram:
        """See RayExecutor.start."""
        return super().start(self.running, folder, number=number)


def _code(folder: Path) -> list[Path]:
    """The rooms that programs come from, and the tests' own programs."""
    own = folder / "tests" / "learning"
    if not own.exists():
        programs = Path(tests.__file__).parent / "learning" / "programs"
        shutil.copytree(programs, own / "programs", ignore=shutil.ignore_patterns("__pycache__"))
        for package in (folder / "tests", own):
            (package / "__init__.py").touch()
    return [*(ROOT / name for name in CODE), folder / "tests"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster without any node that runs something."""
    # Ray tells its makers of every cluster, unless it is told not to.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    pytest.importorskip("ray", reason="Ray is not installed: make ray")
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield made
    finally:
        made.shut_down()
