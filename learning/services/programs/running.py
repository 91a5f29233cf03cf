"""One claimed run from its start to its end: fill the folder, start the program, store its metrics, keep its result.

Every write to the row requires that the claim still holds: a supervisor that lost the run changes nothing any more.
Knows neither how runs are claimed nor what kinds of program there are.
"""

import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from learning.contract import EXIT_BAD_INPUT, EXIT_DONE, BadInput, JobFolder, read_metrics
from learning.services.programs.executor import LOG, Executor, NotRun, Program
from learning.services.programs.kinds.interface import Fields, ProgramKind
from learning.services.programs.recording import Recorder
from marketplace import logs, metrics, tracing
from marketplace.errors import DomainError, InUse

log = logging.getLogger(__name__)

BY = "learner"
MAX_ATTEMPTS = 4
GRACE_SECONDS = 30.0
POLL_SECONDS = 0.25
# What could not be run because the cluster was away is tried again after so long.
UNAVAILABLE_SECONDS = 10.0
# A run that has progressed by so much since its last start is tried again, however often it is killed.
MIN_PROGRESS = 0.01


@dataclass(frozen=True)
class Claim:
    """A run that this supervisor holds; `identity` is what the row's claimed_by says as long as it does."""

    kind: ProgramKind[Any]
    pk: int
    identity: str
    folder: Path

    def __str__(self) -> str:
        return f"{self.kind.model._meta.verbose_name} {self.pk}"


class Lost(Exception):
    """The run is no longer ours."""


class Runner(threading.Thread):
    """Works on one claimed run until it ends, is interrupted, or is lost to another supervisor."""

    def __init__(self, *, claim: Claim, executor: Executor):
        super().__init__(name=str(claim), daemon=True)
        self.claim, self.executor = claim, executor
        self.folder = JobFolder(claim.folder)
        self._stopped, self._interrupted, self._lost = threading.Event(), threading.Event(), threading.Event()
        self._offset = 0

    def stop(self) -> None:
        """Its owner wants it to end."""
        self._stopped.set()

    def interrupt(self) -> None:
        """The supervisor ends; another one will continue the run."""
        self._interrupted.set()

    def lose(self) -> None:
        """Another supervisor has the run: end the program and touch nothing."""
        self._lost.set()

    def run(self) -> None:
        """The thread's work."""
        kind, pk = self.claim.kind.name, self.claim.pk
        with (
            logs.alone(program=f"{kind}-{pk}"),
            tracing.span(
                f"program {kind}",
                on=settings.TRACED,
                process="learner",
                attributes={"waggle.kind": kind, "waggle.program": pk},
            ) as span,
        ):
            logs.bind(trace=tracing.trace_id(span))
            self._run()

    def _run(self) -> None:
        try:
            # Never two programs in one folder: what an earlier supervisor left there ends first.
            self.executor.clear(self.claim.folder)
            self._work()
        except Lost:
            log.warning("%s: given up, another supervisor has it", self.claim)
        except NotRun as error:
            self._wait(str(error))
        except (DomainError, OSError, BadInput) as error:
            self._fail_attempt(str(error), final=isinstance(error, BadInput))
        except Exception as error:
            log.exception("%s: unexpected", self.claim)
            self._fail_attempt(f"{type(error).__name__}: {error}", final=False)
        finally:
            connections.close_all()

    def _work(self) -> None:
        kind = self.claim.kind
        run = kind.model.objects.select_related("account").get(pk=self.claim.pk)
        logs.bind(account=run.account_id)
        if run.status == kind.stopping:
            self._finish_stopped(run)
            return
        if run.attempts > MAX_ATTEMPTS and self._gives_up(run):
            reason = self.folder.read_failure() or "the program was interrupted"
            self._end(run, kind.failed, failure_reason=f"gave up after {MAX_ATTEMPTS} attempts: {reason}")
            return
        self._prepare(run)
        kind.stage(run, self.folder)
        log.info("%s (%s): attempt %d", self.claim, run.name, run.attempts)
        recorder = Recorder(run, self.folder)
        program = self.executor.start(kind.arguments(run), self.claim.folder, number=run.starts, nodes=kind.nodes(run))
        status = self._follow(run, program, recorder)
        recorder.keep()
        self._store_metrics()
        run.refresh_from_db()
        if run.status == kind.stopping:
            self._finish_stopped(run)
        else:
            self._conclude(run, status)

    def _follow(self, run: Any, program: Program, recorder: Recorder) -> int:
        """Wait for the end of the program; store its metrics and its log meanwhile, and end it when that is asked."""
        asked_at: float | None = None
        while (status := program.poll()) is None:
            time.sleep(POLL_SECONDS)
            if self._lost.is_set():
                program.kill()
                raise Lost
            if asked_at is None and (self._stopped.is_set() or self._interrupted.is_set()):
                asked_at = time.monotonic()
                program.terminate()
            if asked_at is not None and time.monotonic() - asked_at > GRACE_SECONDS:
                program.kill()
            try:
                self._store_metrics()
                recorder.carry()
                if asked_at is None:
                    self._watch(run, program)
            except BaseException:
                program.kill()
                raise
        return status

    # --- where programs that end and programs that serve differ (serving.py) ---------------------------------------

    def _prepare(self, run: Any) -> None:
        """Called before the folder is filled and the program is started."""

    def _watch(self, run: Any, program: Program) -> None:
        """Called several times a second while the program runs and has not been asked to end."""

    def _gives_up(self, run: Any) -> bool:
        """Whether a run that failed MAX_ATTEMPTS times without any progress has failed for good."""
        return True

    def _pause(self, run: Any) -> float:
        """Seconds before the next attempt of a run whose program failed."""
        return 2.0**run.attempts

    def _conclude(self, run: Any, status: int) -> None:
        """The program ended with `status`, and its owner had not asked it to."""
        whole = status == EXIT_DONE and not self.folder.stopped.exists()
        if whole:
            kept = self.claim.kind.keep_result(run, self.folder)
            self._end(run, self.claim.kind.completed, fields=kept, progress=1.0, failure_reason="")
        elif self._interrupted.is_set() or status == EXIT_DONE:
            self._release(attempts=max(run.attempts - 1, 0))
        elif status < 0 and run.progress >= run.attempt_progress + MIN_PROGRESS:
            # Killed from outside (out of memory, or by hand) after it had got further: no failure of the program.
            log.warning("%s: %s", self.claim, self._describe(status))
            self._release(attempts=0)
        else:
            reason = self.folder.read_failure() or self._describe(status)
            self._fail_attempt(reason, final=status == EXIT_BAD_INPUT)

    def _finish_stopped(self, run: Any) -> None:
        self._store_metrics()
        self._end(run, self.claim.kind.stopped, fields=self.claim.kind.keep_partial_result(run, self.folder))

    def _describe(self, status: int) -> str:
        words = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        path = self.folder.output / LOG
        last = path.read_text(errors="replace").strip().splitlines()[-1:] if path.exists() else []
        return f"the program ended with {words}" + (f": {last[0][-300:]}" if last else "")

    # --- the row ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _holding(self) -> Iterator[Any]:
        """The row, locked and still ours; raises Lost when it is not."""
        with transaction.atomic():
            rows = self.claim.kind.model.objects.select_for_update(of=("self",))
            run = rows.filter(pk=self.claim.pk, claimed_by=self.claim.identity).first()
            if run is None:
                raise Lost
            yield run

    def _end(self, run: Any, to: str, *, fields: Callable[[], Fields] = dict, **changes: Any) -> None:
        """The run is over in state `to`; `fields` gives more fields to write, in the same transaction."""
        kind = self.claim.kind
        if "failure_reason" in changes:
            changes["failure_reason"] = changes["failure_reason"][:1024]
        with self._holding() as held:
            if held.status == kind.stopping and to == kind.completed:
                to = kind.stopped
            kind.machine.advance(
                held,
                to,
                by=BY,
                because=changes.get("failure_reason", "")[:500],
                claimed_by="",
                ended_at=timezone.now(),
                **(changes | fields()),
            )
            kind.after_end(held)
        log.info("%s (%s): %s", self.claim, run.name, to)
        self.executor.forget(self.claim.folder)
        metrics.count_program(kind.name, to)
        # The folder of a failed run is kept for whoever looks for the reason.
        if to != kind.failed:
            shutil.rmtree(self.claim.folder, ignore_errors=True)

    def _fail_attempt(self, reason: str, *, final: bool) -> None:
        """Count a failure: the run is tried again after a pause, or has failed for good."""
        log.warning("%s: %s", self.claim, reason)
        try:
            run = self.claim.kind.model.objects.get(pk=self.claim.pk)
            if final or (run.attempts >= MAX_ATTEMPTS and self._gives_up(run)):
                self._end(run, self.claim.kind.failed, failure_reason=reason)
            else:
                self._release(not_before=timezone.now() + timedelta(seconds=self._pause(run)))
        except Lost:
            log.warning("%s: another supervisor has it", self.claim)
        except InUse as error:
            log.warning("%s: %s", self.claim, error)

    def _wait(self, reason: str) -> None:
        """The program was not run: that is no failure of it, and it is tried again a little later."""
        log.warning("%s: %s", self.claim, reason)
        try:
            run = self.claim.kind.model.objects.get(pk=self.claim.pk)
            not_before = timezone.now() + timedelta(seconds=UNAVAILABLE_SECONDS)
            self._release(attempts=max(run.attempts - 1, 0), not_before=not_before)
        except Lost:
            log.warning("%s: another supervisor has it", self.claim)

    def _release(self, **changes: Any) -> None:
        """Give the run back unfinished, for the next attempt."""
        with self._holding() as held:
            for name, value in ({"claimed_by": "", "heartbeat_at": None} | changes).items():
                setattr(held, name, value)
            held.save(update_fields=["claimed_by", "heartbeat_at", *changes])

    def _store_metrics(self) -> None:
        """Store the metrics that the program has written since the last call."""
        found, offset = read_metrics(self.folder.metrics, offset=self._offset)
        if not found:
            return
        progress = max((m.value for m in found if m.name.endswith(":progress")), default=None)
        with transaction.atomic():
            rows = self.claim.kind.model.objects.filter(pk=self.claim.pk, claimed_by=self.claim.identity)
            if progress is not None:
                rows.update(progress=Greatest(F("progress"), min(max(progress, 0.0), 1.0)))
            self.claim.kind.store_metrics(self.claim.pk, found)
        self._offset = offset
