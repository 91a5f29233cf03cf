"""Runs programs as jobs of a Ray cluster. The run's row is the authority: Ray only starts and ends what it is told.

The folder of a run travels through the store (depot.py), its log through Ray. A program whose node or cluster is lost
has ended like one that was killed: the supervisor starts it again, from its newest checkpoint. Long predictions are
divided (divided.py). Knows Ray and the depot; neither rows nor what the programs do.
"""

import functools
import hashlib
import logging
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import requests
from django.conf import settings

from learning.contract import JobFolder
from learning.nodes.parcels import EXIT, LIVE, ORDER_URL, RESULT, ROOT, Order, move_predictions
from learning.services.programs.cluster.depot import Depot
from learning.services.programs.cluster.divided import MOST_STARTS, Divided, Piece, pieces_of
from learning.services.programs.cluster.job_log import JobLog
from learning.services.programs.executor import LOG, NotRun, Program
from marketplace.errors import NotFound, StoreUnavailable
from marketplace.settings_cluster import Resources

log = logging.getLogger(__name__)

STATUS_SECONDS = 1.0
LIVE_SECONDS = 2.0
RENEWED_SECONDS = 6 * 3600.0
"""How often the links in an order are renewed; they are good for a week."""
STOP_SECONDS = 60.0
REQUEST_SECONDS = 15.0
TERMINAL = ("SUCCEEDED", "FAILED", "STOPPED")
UNKNOWN = "does not exist"
NO_ROOM = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"
TRIES = 3
HOLDER = Resources(cpus=0.1)
"""What a job needs whose work is done by others: it holds an application of Serve, or the members of a group."""
DIVIDED = "transformjob-"
"""How the runs are called that may be divided."""
CODE = ("learning", "labeling")
"""The rooms of which programs are made; they travel to the nodes, so that these always have the learner's version."""


class RayExecutor:
    """Starts a job for each program at the dashboard of a cluster, such as http://head:8265.

    `resources`: what a program of a kind (the first part of its folder's name) needs. `lost_seconds`: after how long
    without an answer the cluster counts as lost. `code`: the folders of packages that programs import. A prediction
    over more than `lines` lines of a manifest (0: none) is divided into jobs, of which at most `jobs` run at once.
    """

    def __init__(
        self,
        address: str,
        *,
        resources: Mapping[str, Resources],
        lost_seconds: float = 60.0,
        niceness: int = 0,
        threads: int = 0,
        inherited: Sequence[str] = (),
        python: str = "python",
        code: Sequence[Path] | None = None,
        lines: int = 0,
        jobs: int = 8,
    ):
        self.address, self.resources, self.lost_seconds = address, resources, lost_seconds
        self.lines, self.jobs = lines, jobs
        self.niceness, self.threads, self.inherited = niceness, threads, list(inherited)
        self.python = python
        # Several installations may share a cluster.
        self.prefix = f"waggle-{hashlib.sha256(settings.STORE_URL.encode()).hexdigest()[:8]}"
        root = Path(__file__).resolve().parents[4]
        self._code = code or [root / name for name in CODE]
        self._lock = threading.Lock()
        self._client: Any = None
        self._package = ""

    def start(self, arguments: Sequence[str], folder: Path, *, number: int = 1, nodes: int = 1) -> Program:
        """See Executor.start. A job that was submitted before with the same number is followed, not run again."""
        run, here = run_of(folder), JobFolder(folder)
        # The program does that first; what it does not leave on its node must not be left here by an earlier start.
        here.failure.unlink(missing_ok=True)
        here.stopped.unlink(missing_ok=True)
        order = Order(
            arguments=list(arguments),
            root=str(folder),
            links={},
            niceness=self.niceness,
            threads=self.threads,
            inherited=self.inherited,
            serving=self.serving(folder, number),
            nodes=nodes,
            needs=asdict(self.needs(folder)),
        )
        if run.startswith(DIVIDED) and (pieces := pieces_of(folder, self.lines)):
            return Divided(self, folder, pieces, order=order, run=run, number=number)
        depot = Depot(run)
        submission, put = f"{self.prefix}-{run}-{number}", functools.partial(depot.put_input, number, folder)
        return self._started(submission, folder, order, depot=depot, number=number, put_input=put)

    def start_piece(self, piece: Piece, folder: Path, order: Order, *, run: str, number: int) -> "RayProgram":
        """Start the job of one piece of the run in `folder`, as `start` does; the piece has its results in its own."""
        depot = Depot(f"{run}/pieces/{piece.key}")
        submission = f"{self.prefix}-{run}-{number}-{piece.number}-{piece.starts}"
        # Greater with every start of the piece, as parcels are numbered.
        parcel = number * MOST_STARTS + piece.starts

        def put() -> None:
            wanted, texts = piece.input()
            depot.put_input(parcel, folder, wanted=wanted, texts=texts)

        own = replace(order, links={})
        return self._started(submission, piece.folder, own, depot=depot, number=parcel, put_input=put)

    def _started(
        self, submission: str, folder: Path, order: Order, *, depot: Depot, number: int, put_input: Callable[[], object]
    ) -> "RayProgram":
        client = self.client()
        if not self._is_known(submission):
            put_input()
            depot.put_order(number, order)
            link = depot.link_to_order(number)
            needs = HOLDER if order.nodes > 1 or order.serving else Resources(**order.needs)
            self.submit(client, submission, needs, module=self.module(order), environment={ORDER_URL: link})
        program = RayProgram(self, client, submission, depot=depot, number=number, order=order, folder=folder)
        program.log.start()
        return program

    def kept_piece(self, piece: Piece, *, run: str) -> None:
        """Fetch what an earlier start of the piece has left in the store, if it has ended. Raises StoreUnavailable."""
        depot = Depot(f"{run}/pieces/{piece.key}")
        if (number := depot.newest(RESULT)) is not None:
            texts = depot.take(number, RESULT, piece.folder)
            move_predictions(piece.folder, texts[ROOT], to=str(piece.root))

    def clear(self, folder: Path) -> int:
        """See Executor.clear: jobs of earlier starts of the run, by whatever supervisor.

        One that waits for room cannot be ended by Ray: it gives up when it starts, for its order is gone then.
        """
        run = run_of(folder)
        client = self.client()
        found = [one for one in _jobs(client) if one.startswith(f"{self.prefix}-{run}-")]
        self.end(client, found)
        return len(found)

    def end(self, client: Any, submissions: Sequence[str]) -> None:
        """End these jobs at once, and wait until none runs. Raises NotRun when one does not end."""
        for submission in submissions:
            ask(functools.partial(client.stop_job, submission))
        deadline = time.monotonic() + STOP_SECONDS
        while left := set(submissions) & set(_jobs(client, "RUNNING")):
            if time.monotonic() > deadline:
                raise NotRun(f"the cluster does not end {', '.join(sorted(left))}")
            time.sleep(STATUS_SECONDS)

    def forget(self, folder: Path) -> None:
        """See Executor.forget. A store that does not answer keeps a little more than it has to."""
        try:
            Depot(run_of(folder)).remove()
        except StoreUnavailable as error:
            log.warning("%s: what nodes were sent stays in the store: %s", folder.name, error)

    def condition(self) -> dict[str, Any]:
        """See Executor.condition."""
        nodes = [one for one in ask(self.client().nodes) if one["state"] == "ALIVE"]
        working = [one["resources_total"] for one in nodes if one["resources_total"].get("CPU")]
        return {
            "nodes": len(working),
            "cpus": sum(one["CPU"] for one in working),
            "gpus": sum(one.get("GPU", 0.0) for one in working),
        }

    def serving(self, folder: Path, number: int) -> dict[str, Any] | None:
        """What a program that serves is told; None for programs that end."""
        return None

    def module(self, order: Order) -> str:
        """What runs on the node in front of the program."""
        return "learning.nodes.gang" if order.nodes > 1 else "learning.nodes.run"

    def client(self) -> Any:
        """The cluster's client. Raises NotRun when the cluster does not answer."""
        with self._lock:
            if self._client is None:
                from learning.services.programs.cluster.ray_client import connect

                self._client = ask(lambda: connect(self.address, seconds=REQUEST_SECONDS))
            return self._client

    def needs(self, folder: Path) -> Resources:
        """What a program of the folder's kind needs."""
        return self.resources[folder.name.split("-")[0]]

    def submit(
        self,
        client: Any,
        submission: str,
        needs: Resources,
        *,
        module: str,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str],
    ) -> None:
        """Submit a job; one that was submitted before under this id is there already. Raises NotRun."""
        for attempt in range(TRIES):
            try:
                client.submit_job(
                    entrypoint=" ".join((self.python, "-m", module, *arguments)),
                    submission_id=submission,
                    runtime_env={"working_dir": str(self._staged_code()), "env_vars": dict(environment)},
                    entrypoint_num_cpus=needs.cpus,
                    entrypoint_num_gpus=needs.gpus or None,
                    entrypoint_memory=int(needs.memory_gib * 2**30) or None,
                    entrypoint_resources=dict(needs.others) or None,
                )
                return
            except (RuntimeError, ValueError, OSError, requests.RequestException) as error:
                # The answer to a request that was taken may be lost: then the job is there.
                if self._is_known(submission):
                    return
                if attempt == TRIES - 1:
                    raise NotRun(f"the cluster at {self.address} took no job: {_brief(error)}") from error
                time.sleep(1.0)

    def _is_known(self, submission: str) -> bool:
        try:
            self.client().get_job_info(submission)
        except (RuntimeError, OSError, requests.RequestException):
            return False
        return True

    def _staged_code(self) -> Path:
        """A folder with the code alone; the cluster knows it by its content and fetches it once."""
        with self._lock:
            if not self._package:
                self._package = tempfile.mkdtemp(prefix="waggle-code-")
                skipped = shutil.ignore_patterns("__pycache__", "*.pyc", "migrations")
                for place in self._code:
                    shutil.copytree(place, Path(self._package) / place.name, ignore=skipped)
            return Path(self._package)


class RayProgram:
    """A job that was submitted. It has ended once its result is in the store, or is known to be lost."""

    def __init__(
        self,
        executor: RayExecutor,
        client: Any,
        submission: str,
        *,
        depot: Depot,
        number: int,
        order: Order,
        folder: Path,
    ):
        self._executor, self._client, self.submission = executor, client, submission
        self._depot, self._number, self._order, self._folder = depot, number, order, folder
        self.log = JobLog(client, submission, folder / "output" / LOG)
        self._status: int | None = None
        self._live, self._live_at, self._asked_at = "", 0.0, 0.0
        self._answered_at = self._renewed_at = time.monotonic()

    def poll(self) -> int | None:
        """See Program.poll; brings what there is to see of the program into its folder meanwhile. Raises NotRun."""
        if self._status is not None:
            return self._status
        now = time.monotonic()
        if now >= self._live_at + LIVE_SECONDS:
            self._live_at = now
            self._fetch_live()
        if now >= self._renewed_at + RENEWED_SECONDS:
            self._renewed_at = now
            self._write_order()
        if now >= self._asked_at + STATUS_SECONDS:
            self._asked_at = now
            self._status = self._look()
        return self._status

    def terminate(self) -> None:
        """See Program.terminate: the node reads it in the order, within seconds."""
        self._order.stop = True
        self._write_order()

    def kill(self) -> None:
        """See Program.kill."""
        # Of this start alone: another supervisor may have started the run again.
        try:
            self._executor.end(self._client, [self.submission])
        except NotRun as error:
            # It is ended before the run is started again, and its node gives up when its order is gone.
            log.warning("%s cannot be ended now: %s", self.submission, error)
        if self._status is None:
            self._status = self._ended("it was ended by the learner")

    def _look(self) -> int | None:
        try:
            info = self._client.get_job_info(self.submission)
        except (RuntimeError, OSError, requests.RequestException) as error:
            if UNKNOWN in str(error):
                return self._ended("the cluster was started anew and does not know the job any more")
            silent = time.monotonic() - self._answered_at
            if silent < self._executor.lost_seconds:
                return None
            return self._ended(f"the cluster has not answered for {silent:.0f} seconds: {_brief(error)}")
        self._answered_at = time.monotonic()
        status = str(info.status)
        if status not in TERMINAL:
            return None
        if NO_ROOM in str(info.error_type):
            self.log.finish()
            raise NotRun("the cluster has had no room for it")
        return self._ended(f"the cluster lost the program ({status}): {' '.join((info.message or '').split())[:300]}")

    def _ended(self, otherwise: str) -> int:
        """The exit status in the result; that of a program that was killed, and the reason in the log, without one."""
        self._fetch_live()
        try:
            texts = self._depot.take(self._number, RESULT, self._folder)
        except (NotFound, StoreUnavailable) as error:
            reason = otherwise if isinstance(error, NotFound) else f"{otherwise}; and {error.message}"
            self.log.finish(reason)
            return -signal.SIGKILL
        move_predictions(self._folder, texts[ROOT], to=self._order.root)
        self.log.finish()
        return int(texts[EXIT])

    def _fetch_live(self) -> None:
        try:
            version = self._depot.version(self._number, LIVE)
            if version and version != self._live:
                self._depot.take(self._number, LIVE, self._folder)
                self._live = version
        except (StoreUnavailable, NotFound) as error:
            log.warning("%s: what it has measured comes later: %s", self.submission, error.message)

    def _write_order(self) -> None:
        try:
            self._depot.put_order(self._number, self._order)
        except StoreUnavailable as error:
            log.warning("%s: its order stays as it is for now: %s", self.submission, error.message)
            self._renewed_at = time.monotonic() - RENEWED_SECONDS + REQUEST_SECONDS


def run_of(folder: Path) -> str:
    """The run whose folder it is, as the supervisor names folders: kind-pk, or kind-pk-letters."""
    kind, pk, *_ = folder.name.split("-")
    return f"{kind}-{pk}"


def _jobs(client: Any, *states: str) -> list[str]:
    """The submissions in these states; all that have not ended without any."""
    wanted = states or ("PENDING", "RUNNING")
    return [one.submission_id for one in ask(client.list_jobs) if one.submission_id and str(one.status) in wanted]


def ask(question: Any) -> Any:
    """What the cluster answers. Raises NotRun when it does not."""
    try:
        return question()
    except (RuntimeError, OSError, requests.RequestException) as error:
        raise NotRun(f"the cluster does not answer: {_brief(error)}") from error


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
