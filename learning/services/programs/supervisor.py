"""The learner's supervisor: claims trainings and predictions, keeps them alive, and lets go of what it loses.

One row of work is held by at most one supervisor (claimed_by, renewed by heartbeats); what it does with a row it holds
is running.py's part. Knows rows, claims and slots; never imports torch.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import shutil
import socket
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.db.models import Q
from django.utils import timezone

from learning.models import ProgramRun, TrainingJob, TransformJob
from learning.services.programs.executor import Executor
from learning.services.programs.running import STRIDE, Claim, Runner
from marketplace.errors import InUse

log = logging.getLogger(__name__)

LIVE = ("InProgress", "Stopping")
# A supervisor that has not been heard of for so long has lost its rows; it notices and ends its programs.
SILENCE = timedelta(seconds=60)
# Predictions first: they are short, and people wait for what follows from them.
KINDS: tuple[type[ProgramRun], ...] = (TransformJob, TrainingJob)


class Supervisor:
    """Holds up to `slots` rows at once; `place` names this machine and folder, `identity` this very process."""

    def __init__(self, *, executor: Executor, slots: int, root: Path | None = None, silence: timedelta = SILENCE):
        self.executor, self.slots, self.silence = executor, slots, silence
        self.root = root or Path(settings.VAR_DIR) / "programs"
        self.place = f"{socket.gethostname()[:60]}:{hashlib.sha256(str(self.root).encode()).hexdigest()[:12]}"
        self.identity = f"{self.place}#{uuid.uuid4().hex[:12]}"
        self.runners: dict[tuple[type[ProgramRun], int], Runner] = {}
        self.stopping = threading.Event()

    def run(self, *, pause: float = 0.5) -> None:
        """Work until `stopping` is set, then let programs save themselves and give the rows back.

        Raises InUse when another supervisor of the same folder runs: two must never write one job folder.
        """
        with self._alone():
            self.tidy()
            while not self.stopping.wait(pause):
                try:
                    self.step()
                except (OperationalError, InterfaceError):
                    log.exception("the database does not answer; trying again")
                    close_old_connections()
            self.shut_down()

    def step(self) -> None:
        """Renew what is held, let go of what is lost, reap what has ended, take up what is waiting."""
        for key, runner in list(self.runners.items()):
            if not runner.is_alive():
                del self.runners[key]
            else:
                self._renew(runner)
        while len(self.runners) < self.slots and (claim := self._claim()) is not None:
            runner = Runner(claim=claim, executor=self.executor)
            self.runners[claim.kind, claim.pk] = runner
            runner.start()

    def shut_down(self) -> None:
        """Ask every program to save itself and stop; the rows are free for the next supervisor."""
        for runner in self.runners.values():
            runner.interrupt()
        for runner in self.runners.values():
            runner.join()
        self.runners.clear()

    def tidy(self) -> None:
        """Remove the folders of rows that are over (a kill between the end of a row and the removal leaves one)."""
        self.root.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            live = {name for name in kind.objects.filter(status__in=LIVE).values_list("folder", flat=True) if name}
            for folder in self.root.glob(f"{kind._meta.model_name}-*"):
                if str(folder) not in live and self._is_over(kind, folder):
                    self.executor.clear(folder)
                    shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def _is_over(kind: type[ProgramRun], folder: Path) -> bool:
        number = folder.name.split("-")[1]
        if not number.isdigit():
            return False
        status = kind.objects.filter(pk=int(number)).values_list("status", flat=True).first()
        # A folder of a failed row is kept: its log says more than the reason. A row that is gone needs none.
        return status is None or status in ("Completed", "Stopped")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
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
        held = claim.kind.objects.filter(pk=claim.pk, claimed_by=self.identity)
        if not held.update(heartbeat_at=timezone.now()):
            # Not ours any more: either the runner has just ended it, or somebody else holds it.
            if claim.kind.objects.filter(pk=claim.pk).exclude(claimed_by="").exists():
                log.warning("%s was taken over by another supervisor", claim)
                runner.lose()
        elif held.filter(status="Stopping").exists():
            runner.stop()

    def _claim(self) -> Claim | None:
        for kind in KINDS:
            with transaction.atomic():
                run = self._waiting(kind)
                if run is not None:
                    return self._take(kind, run)
        return None

    def _waiting(self, kind: type[ProgramRun]) -> ProgramRun | None:
        now = timezone.now()
        mine = [pk for held, pk in self.runners if held is kind]
        # Nobody else works in this place (the lock): what is claimed here and is not mine is a dead process's.
        free = Q(claimed_by="") | Q(claimed_by__startswith=f"{self.place}#") | Q(heartbeat_at__lt=now - self.silence)
        rows = kind.objects.select_for_update(skip_locked=True, of=("self",))
        due = Q(not_before=None) | Q(not_before__lte=now)
        return rows.filter(free, due, status__in=LIVE).exclude(pk__in=mine).order_by("pk").first()

    def _take(self, kind: type[ProgramRun], run: ProgramRun) -> Claim:
        interrupted = bool(run.claimed_by)
        further = run.progress >= run.attempt_progress + STRIDE
        run.attempts = 1 if interrupted and further else run.attempts + 1
        run.attempt_progress = run.progress
        run.folder = str(self._folder(kind, run))
        run.claimed_by, run.heartbeat_at = self.identity, timezone.now()
        run.started_at = run.started_at or timezone.now()
        run.save(
            update_fields=[
                "attempts",
                "attempt_progress",
                "folder",
                "claimed_by",
                "heartbeat_at",
                "started_at",
            ]
        )
        return Claim(kind=kind, pk=run.pk, identity=self.identity, folder=Path(run.folder))

    def _folder(self, kind: type[ProgramRun], run: ProgramRun) -> Path:
        """Its folder of before, if that is ours to clear of programs; else a new one, begun from the start."""
        if run.folder and run.claimed_by.startswith(f"{self.place}#"):
            return Path(run.folder)
        if (
            run.folder
            and not run.claimed_by
            and Path(run.folder).is_relative_to(self.root)
            and Path(run.folder).exists()
        ):
            return Path(run.folder)
        plain = self.root / f"{kind._meta.model_name}-{run.pk}"
        return plain if not run.folder else self.root / f"{plain.name}-{uuid.uuid4().hex[:6]}"
