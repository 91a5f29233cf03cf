"""A real Ray cluster of several nodes on this machine, and executors that run the tests' programs on it."""

import contextlib
import inspect
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
from learning.services.programs.cluster.ray_jobs import CODE, RayExecutor
from learning.services.programs.cluster.ray_serve import RayServeExecutor
from learning.services.programs.executor import Program
from marketplace.settings_cluster import Resources
from tests.object_stores import free_port

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("trainingjob", "transformjob", "modelimport", "endpointreplica")
MEMORY_BYTES = 100 << 20
PATIENCE_SECONDS = 240
TRIES = 3
AGENT_PORT = "dashboard_agent_listen_port"
PORTS = ("metrics_agent_port", "metrics_export_port", AGENT_PORT, "runtime_env_agent_port")
"""Of a node that chooses them itself Ray waits for 15 seconds only until it has."""


class Cluster:
    """A head that runs nothing itself, and `nodes` with one CPU each."""

    def __init__(self, folder: Path):
        from ray.cluster_utils import Cluster as Nodes

        _be_patient()
        self._nodes = Nodes()
        self.address = ""
        _again(self._start_head)
        self.folder, self.serve_port = folder, free_port()
        self.nodes: list[Any] = []

    @property
    def runs(self) -> int:
        """How many nodes there are that run something."""
        return len(self.nodes)

    def add(self, **options: Any) -> Any:
        """One more node."""
        self.nodes.append(_again(lambda: self._add({"num_cpus": 1} | options)))
        return self.nodes[-1]

    def _start_head(self) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._add({"num_cpus": 0, "include_dashboard": True, "dashboard_host": "127.0.0.1", "dashboard_port": port})

    def _add(self, options: dict[str, Any]) -> Any:
        given = {"object_store_memory": MEMORY_BYTES} | options
        return self._nodes.add_node(**given, **{name: free_port() for name in PORTS})

    def kill(self, node: Any) -> None:
        """The node is gone from one moment to the next, with all that runs on it."""
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        for process in [*raylet.children(recursive=True), raylet]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.nodes.remove(node)
        self._nodes.remove_node(node, allow_graceful=False)

    def kill_node_of(self, submission: str) -> None:
        """The node on which this job runs is gone."""
        from ray.job_submission import JobSubmissionClient

        job = JobSubmissionClient(self.address).get_job_info(submission)
        self.kill(next(node for node in self.nodes if node.node_id == job.driver_node_id))

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
    """Ray gives up nodes that are not there within half a minute, which a busy machine takes.

    Its raylet aborts when the agent has not written down its port within 15 seconds, even the one that it was given.
    """
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

    start = services.start_raylet

    def start_raylet(*about: Any, **more: Any) -> Any:
        given = inspect.signature(start).bind(*about, **more).arguments
        written = Path(given["session_dir"]) / f"{AGENT_PORT}_{given['node_id']}"
        written.write_text(str(given[AGENT_PORT]))
        return start(*about, **more)

    services.get_node, services.start_raylet = get_node, start_raylet


def _again(attempt: Callable[[], Any]) -> Any:
    """A node of Ray may give up while it starts on a busy machine: then another try, without what is left of it."""
    for number in range(TRIES):
        before = set(psutil.Process().children(recursive=True))
        try:
            return attempt()
        except Exception:  # noqa: BLE001 - Ray raises nothing more special
            if number == TRIES - 1:
                raise
            for process in set(psutil.Process().children(recursive=True)) - before:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
    return None


class _Instead(RayExecutor):
    """Runs one program, whichever was asked for."""

    running: list[str]

    def start(self, arguments: Sequence[str], folder: Path, *, number: int = 1, nodes: int = 1) -> Program:
        """See RayExecutor.start."""
        return super().start(self.running, folder, number=number, nodes=nodes)


def _code(folder: Path) -> list[Path]:
    """The rooms that programs come from, and the tests' own programs."""
    own = folder / "tests" / "learning"
    if not own.exists():
        programs = Path(tests.__file__).parent / "learning" / "programs"
        shutil.copytree(programs, own / "programs", ignore=shutil.ignore_patterns("__pycache__"))
        for package in (folder / "tests", own):
            (package / "__init__.py").touch()
    return [*(ROOT / name for name in CODE), folder / "tests"]


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A cluster without any node that runs something."""
    # Ray tells its makers of every cluster, unless it is told not to.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    pytest.importorskip("ray", reason="Ray is not installed: make ray")
    made = Cluster(folder)
    try:
        yield made
    finally:
        made.shut_down()
