"""The learner's supervisor: claims runs of programs, renews its claims, and gives up the runs that it loses.

A run is held by at most one supervisor (claimed_by, renewed by heartbeats); what is done with a run that is held is the
part of running.py and serving.py. Knows rows, claims and slots; neither the kinds of program nor torch.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.db.models import Q
from django.utils import timezone

from learning.models import ProgramRun
from learning.services import gpus
from learning.services.programs.executor import Executor, NotRun
from learning.services.programs.kinds import KINDS
from learning.services.programs.kinds.interface import ProgramKind
from learning.services.programs.running import MIN_PROGRESS, Claim, Runner
from learning.services.programs.serving import ServingRunner
from learning.services.programs.sharing import in_fair_order
from marketplace.errors import InUse
from marketplace.services import heartbeats
from marketplace.storage_files import private_folder

log = logging.getLogger(__name__)

# A supervisor whose last heartbeat is older loses its runs to others; when it notices, it ends its programs.
CLAIM_TIMEOUT = timedelta(seconds=60)
# How often it tells that it works, and what of its GPUs.
BEAT_SECONDS = 10.0


class Supervisor:
    """Holds up to `slots` runs at once, and `serving_slots` of those that serve until they are stopped.

    `place` names this machine and folder, `identity` this very process. `serving` runs the programs that serve, which
    have people waiting for them; without it `executor` runs them too.
    """

    def __init__(
        self,
        *,
        executor: Executor,
        slots: int,
        serving: Executor | None = None,
        serving_slots: int = 16,
        root: Path | None = None,
        claim_timeout: timedelta = CLAIM_TIMEOUT,
        kinds: Sequence[ProgramKind[Any]] = KINDS,
    ):
        self.kinds = sorted(kinds, key=lambda kind: kind.priority)
        self.executor, self.slots, self.claim_timeout = executor, slots, claim_timeout
        self.serving, self.serving_slots = serving or executor, serving_slots
        self.root = root or Path(settings.VAR_DIR) / "programs"
        self.place = f"{socket.gethostname()[:60]}:{hashlib.sha256(str(self.root).encode()).hexdigest()[:12]}"
        self.identity = f"{self.place}#{uuid.uuid4().hex[:12]}"
        self.runners: dict[tuple[str, int], Runner] = {}
        self.stopping = threading.Event()
        self._beat_at: float | None = None

    def run(self, *, pause: float = 0.5) -> None:
        """Work until `stopping` is set, then let programs save their state and give the runs back.

        Raises InUse when another supervisor of the same folder runs: two must never write one job folder.
        """
        with self._alone():
            self.tidy()
            watched = gpus.Gpus()
            while not self.stopping.wait(pause):
                try:
                    self._beat(watched)
                    self.step()
                except (OperationalError, InterfaceError):
                    log.exception("the database does not answer; trying again")
                    close_old_connections()
            self.shut_down()
            try:
                heartbeats.leave(heartbeats.LEARNER, place=self.place)
            except (OperationalError, InterfaceError) as error:
                log.warning("the database does not answer, and will miss this learner: %s", error)

    def _beat(self, watched: gpus.Gpus) -> None:
        now = time.monotonic()
        if self._beat_at is None or now - self._beat_at >= BEAT_SECONDS:
            running = {"slots": self.slots, "serving_slots": self.serving_slots, "running": len(self.runners)}
            figures = {**running, "gpus": watched.read(), **self._cluster()}
            heartbeats.note(heartbeats.LEARNER, place=self.place, figures=figures)
            self._beat_at = now

    def _cluster(self) -> dict[str, Any]:
        try:
            found = self.executor.condition()
        except NotRun as error:
            return {heartbeats.CLUSTER: {"problem": str(error)}}
        return {heartbeats.CLUSTER: found} if found is not None else {}

    def step(self) -> None:
        """Renew the claims, forget the runs that have ended, and start waiting ones while slots are free."""
        for key, runner in list(self.runners.items()):
            if not runner.is_alive():
                del self.runners[key]
            else:
                self._renew(runner)
        while (claim := self._claim(self._with_room())) is not None:
            serves = claim.kind.serves
            runner_class = ServingRunner if serves else Runner
            runner = runner_class(claim=claim, executor=self.serving if serves else self.executor)
            self.runners[claim.kind.name, claim.pk] = runner
            runner.start()

    def shut_down(self) -> None:
        """Ask every program to save its state and to end; the runs are free for the next supervisor."""
        for runner in self.runners.values():
            runner.interrupt()
        for runner in self.runners.values():
            runner.join()
        self.runners.clear()

    def tidy(self) -> None:
        """Remove the folders of runs that are over (a kill between the end of a run and the removal leaves one)."""
        private_folder(self.root)
        for kind in self.kinds:
            rows = kind.model.objects.filter(status__in=kind.live)
            live = {self.root / name for name in rows.values_list("folder", flat=True) if name}
            for folder in self.root.glob(f"{kind.name}-*"):
                if folder not in live and self._is_over(kind, folder):
                    self._remove(kind, folder)

    def _remove(self, kind: ProgramKind[Any], folder: Path) -> None:
        executor = self.serving if kind.serves else self.executor
        try:
            executor.clear(folder)
        except NotRun as error:
            log.warning("%s stays for now: %s", folder, error)
            return
        executor.forget(folder)
        shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def _is_over(kind: ProgramKind[Any], folder: Path) -> bool:
        number = folder.name.split("-")[1]
        if not number.isdigit():
            return False
        status = kind.model.objects.filter(pk=int(number)).values_list("status", flat=True).first()
        # The folder of a failed run is kept: its log says more than the reason. A run that is gone needs none.
        return status is None or (status not in kind.live and status != kind.failed)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        private_folder(self.root)
        with (self.root / "supervisor.lock").open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUse(
                    f"another run_programs works in {self.root}; give this one a WAGGLE_VAR of its own"
                ) from None
            # The kernel drops the lock with the process, however it dies; children do not inherit the descriptor.
            os.set_inheritable(stream.fileno(), False)
            yield

    def _renew(self, runner: Runner) -> None:
        claim = runner.claim
        held = claim.kind.model.objects.filter(pk=claim.pk, claimed_by=self.identity)
        if not held.update(heartbeat_at=timezone.now()):
            # Not ours any more: either the runner has just ended it, or somebody else holds it.
            if claim.kind.model.objects.filter(pk=claim.pk).exclude(claimed_by="").exists():
                log.warning("%s was taken over by another supervisor", claim)
                runner.lose()
        elif held.filter(status=claim.kind.stopping).exists():
            runner.stop()

    def _with_room(self) -> list[ProgramKind[Any]]:
        """The kinds of which one more run may be started."""
        names = {kind.name for kind in self.kinds if kind.serves}
        serving = sum(name in names for name, _ in self.runners)
        free = {True: self.serving_slots - serving, False: self.slots - (len(self.runners) - serving)}
        return [kind for kind in self.kinds if free[kind.serves] > 0]

    def _claim(self, kinds: Sequence[ProgramKind[Any]] | None = None) -> Claim | None:
        for kind in self.kinds if kinds is None else kinds:
            with transaction.atomic():
                run = self._waiting(kind)
                if run is not None:
                    return self._take(kind, run)
        return None

    def _waiting(self, kind: ProgramKind[Any]) -> Any:
        """The run of this kind that is to be started next, locked; None when none is waiting."""
        now = timezone.now()
        mine = [pk for name, pk in self.runners if name == kind.name]
        # Only this process works in this place (the lock): another identity of it in a claim is a dead process's.
        dead = Q(claimed_by__startswith=f"{self.place}#") & ~Q(claimed_by=self.identity)
        held = ~Q(claimed_by="") & ~dead & Q(heartbeat_at__gte=now - self.claim_timeout)
        free = (
            Q(claimed_by="") | Q(claimed_by__startswith=f"{self.place}#") | Q(heartbeat_at__lt=now - self.claim_timeout)
        )
        # The pause before the next attempt does not hold for a run that is to be stopped.
        due = Q(not_before=None) | Q(not_before__lte=now) | Q(status=kind.stopping)
        rows = kind.model.objects.select_for_update(skip_locked=True, of=("self",))
        rows = rows.filter(free, due, status__in=kind.live).exclude(pk__in=mine)
        # What serves has slots of its own, and is no reason to let an account wait for the others.
        alike = [one for one in self.kinds if one.serves == kind.serves]
        return in_fair_order(rows, kinds=alike, held=held).first()

    def _take(self, kind: ProgramKind[Any], run: ProgramRun) -> Claim:
        interrupted = bool(run.claimed_by)
        further = run.progress >= run.attempt_progress + MIN_PROGRESS
        run.attempts = 1 if interrupted and further else run.attempts + 1
        run.attempt_progress = run.progress
        run.starts += 1
        folder = self._folder(kind, run)
        run.folder = str(folder.relative_to(self.root))
        run.claimed_by, run.heartbeat_at = self.identity, timezone.now()
        run.started_at = run.started_at or timezone.now()
        run.save(
            update_fields=[
                "attempts",
                "attempt_progress",
                "starts",
                "folder",
                "claimed_by",
                "heartbeat_at",
                "started_at",
            ]
        )
        return Claim(kind=kind, pk=run.pk, identity=self.identity, folder=folder)

    def _folder(self, kind: ProgramKind[Any], run: ProgramRun) -> Path:
        """The run's earlier folder, if no other supervisor can have a program in it; else a new one."""
        earlier = self.root / run.folder
        if run.folder and earlier.is_relative_to(self.root):
            mine = run.claimed_by.startswith(f"{self.place}#")
            if mine or (not run.claimed_by and earlier.exists()):
                return earlier
        plain = self.root / f"{kind.name}-{run.pk}"
        return plain if not run.folder else self.root / f"{plain.name}-{uuid.uuid4().hex[:6]}"
