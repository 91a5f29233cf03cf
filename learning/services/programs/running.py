"""One claimed row carried through: fill the folder, run the program, follow its metrics, keep its result.

Every write to the row is fenced by the claim: a supervisor that lost the row changes nothing any more. Knows neither
how rows are claimed nor what programs compute.
"""

import logging
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connections, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from learning import transitions
from learning.contract import (
    EXIT_BAD_INPUT,
    EXIT_DONE,
    MODEL_FILES,
    BadInput,
    JobFolder,
    Metric,
    ModelConfig,
    read_metrics,
)
from learning.models import ProgramRun, TrainingJob, TrainingMetric, TransformJob
from learning.services import registry
from learning.services.programs import staging
from learning.services.programs.executor import LOG, Executor, Program
from marketplace import storage
from marketplace.errors import DomainError, InUse
from marketplace.queue import enqueue

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
GRACE_SECONDS = 30.0
POLL_SECONDS = 0.25
# Progress that counts as getting further, so that a row which is interrupted often is still carried to its end.
STRIDE = 0.01
MODULES = {TrainingJob: "learning.vision.train", TransformJob: "learning.vision.predict"}
MACHINES = {TrainingJob: transitions.TRAINING_JOB, TransformJob: transitions.TRANSFORM_JOB}


@dataclass(frozen=True)
class Claim:
    """A row that this supervisor holds; `identity` is what the row's claimed_by says as long as it does."""

    kind: type[Any]
    pk: int
    identity: str
    folder: Path

    def __str__(self) -> str:
        return f"{self.kind._meta.verbose_name} {self.pk}"


class Lost(Exception):
    """The row is no longer ours."""


class Runner(threading.Thread):
    """Carries one claimed row to its end, or to where it is stopped, interrupted or lost."""

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
        """The supervisor goes; another will go on from here."""
        self._interrupted.set()

    def lose(self) -> None:
        """Another supervisor has the row: end the program and touch nothing."""
        self._lost.set()

    def run(self) -> None:
        """The thread's work."""
        try:
            # Never two programs in one folder: what an earlier supervisor left there ends first.
            self.executor.clear(self.claim.folder)
            self._work()
        except Lost:
            log.warning("%s: given up, it is another's now", self.claim)
        except (DomainError, OSError, BadInput) as error:
            self._fail_attempt(str(error), final=isinstance(error, BadInput))
        except Exception as error:
            log.exception("%s: unexpected", self.claim)
            self._fail_attempt(f"{type(error).__name__}: {error}", final=False)
        finally:
            connections.close_all()

    def _work(self) -> None:
        run = self.claim.kind.objects.select_related("account").get(pk=self.claim.pk)
        if run.status == "Stopping":
            self._finish_stopped(run)
            return
        if run.attempts > MAX_ATTEMPTS:
            reason = self.folder.read_failure() or "the program was interrupted"
            self._end(run, "Failed", failure_reason=f"gave up after {MAX_ATTEMPTS} attempts: {reason}"[:1024])
            return
        staging.stage(run, self.folder)
        log.info("%s (%s): attempt %d", self.claim, run.name, run.attempts)
        status = self._follow(self.executor.start(["-m", MODULES[self.claim.kind]], self.claim.folder))
        self._store_metrics()
        self._judge(run, status)

    def _follow(self, program: Program) -> int:
        """Wait for the end of the program while passing on its metrics and our owner's wishes."""
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
            except BaseException:
                program.kill()
                raise
        return status

    def _judge(self, run: ProgramRun, status: int) -> None:
        run.refresh_from_db()
        if run.status == "Stopping":
            self._finish_stopped(run)
        elif status == EXIT_DONE and not self.folder.stopped.exists():
            self._finish_completed(run)
        elif self._interrupted.is_set() or (status == EXIT_DONE and self.folder.stopped.exists()):
            self._release(attempts=max(run.attempts - 1, 0))
        elif status < 0 and run.progress >= run.attempt_progress + STRIDE:
            # Killed from outside (short of memory, or by hand), but it had got further: no mark against it.
            log.warning("%s: %s", self.claim, self._describe(status))
            self._release(attempts=0)
        else:
            reason = self.folder.read_failure() or self._describe(status)
            self._fail_attempt(reason, final=status == EXIT_BAD_INPUT)

    def _describe(self, status: int) -> str:
        words = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        path = self.folder.output / LOG
        last = path.read_text(errors="replace").strip().splitlines()[-1:] if path.exists() else []
        return f"the program ended with {words}" + (f": {last[0][-300:]}" if last else "")

    # --- results ----------------------------------------------------------------------------------------------------

    def _finish_completed(self, run: ProgramRun) -> None:
        changes = self._keep_model(run) if isinstance(run, TrainingJob) else self._keep_predictions(run)
        self._end(run, "Completed", progress=1.0, failure_reason="", **changes)

    def _finish_stopped(self, run: ProgramRun) -> None:
        self._store_metrics()
        whole = all((self.folder.model / name).exists() for name in MODEL_FILES)
        changes = self._keep_model(run) if isinstance(run, TrainingJob) and whole else {}
        self._end(run, "Stopped", **changes)

    def _keep_model(self, run: ProgramRun) -> dict[str, Any]:
        config = ModelConfig.read(self.folder.model)
        artifact, parts = registry.upload(account=run.account, name=run.name, folder=self.folder.model)
        return {
            "model": lambda: registry.register(
                account=run.account, name=run.name, config=config, artifact_uri=artifact, parts_uri=parts
            )
        }

    def _keep_predictions(self, run: ProgramRun) -> dict[str, Any]:
        with self.folder.predictions.open("rb") as stream:
            storage.write(run.output_uri, stream, content_type="application/jsonl")
        return {}

    # --- the row ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _holding(self) -> Iterator[Any]:
        """The row, locked and still ours; raises Lost when it is not."""
        with transaction.atomic():
            rows = self.claim.kind.objects.select_for_update(of=("self",))
            run = rows.filter(pk=self.claim.pk, claimed_by=self.claim.identity).first()
            if run is None:
                raise Lost
            yield run

    def _end(self, run: ProgramRun, to: str, **changes: Any) -> None:
        with self._holding() as held:
            if held.status == "Stopping" and to == "Completed":
                to = "Stopped"
            values = {name: value() if callable(value) else value for name, value in changes.items()}
            MACHINES[self.claim.kind].advance(
                held,
                to,
                by="learner",
                because=changes.get("failure_reason", "")[:500],
                claimed_by="",
                ended_at=timezone.now(),
                **values,
            )
            enqueue("learning.background.advance_loop_of_run", self.claim.kind._meta.model_name, held.pk)
        log.info("%s (%s): %s", self.claim, run.name, to)
        # A failed row keeps its folder for who wants to know why.
        if to != "Failed":
            shutil.rmtree(self.claim.folder, ignore_errors=True)

    def _fail_attempt(self, reason: str, *, final: bool) -> None:
        """Count a failure: the row is taken up again after a pause, or has failed for good."""
        log.warning("%s: %s", self.claim, reason)
        try:
            run = self.claim.kind.objects.get(pk=self.claim.pk)
            if final or run.attempts >= MAX_ATTEMPTS:
                self._end(run, "Failed", failure_reason=reason[:1024])
            else:
                self._release(not_before=timezone.now() + timedelta(seconds=2.0**run.attempts))
        except Lost:
            log.warning("%s: it is another's now", self.claim)
        except InUse as error:
            log.warning("%s: %s", self.claim, error)

    def _release(self, **changes: Any) -> None:
        with self._holding() as held:
            for name, value in ({"claimed_by": "", "heartbeat_at": None} | changes).items():
                setattr(held, name, value)
            held.save(update_fields=["claimed_by", "heartbeat_at", *changes])

    def _store_metrics(self) -> None:
        """Pass on what the program wrote since; a repeated point takes the newer value."""
        found, offset = read_metrics(self.folder.metrics, offset=self._offset)
        if not found:
            return
        progress = max((m.value for m in found if m.name.endswith(":progress")), default=None)
        with transaction.atomic():
            rows = self.claim.kind.objects.filter(pk=self.claim.pk, claimed_by=self.claim.identity)
            if progress is not None:
                rows.update(progress=Greatest(F("progress"), min(max(progress, 0.0), 1.0)))
            if self.claim.kind is TrainingJob:
                _upsert(self.claim.pk, found)
        self._offset = offset


def _upsert(training_id: int, found: list[Metric]) -> None:
    # Two points of one name and step in one statement would be refused; the later one counts.
    newest = {(metric.name, metric.step): metric for metric in found}
    TrainingMetric.objects.bulk_create(
        [
            TrainingMetric(
                training_job_id=training_id,
                name=metric.name[:60],
                step=metric.step,
                epoch=metric.epoch,
                value=metric.value,
                at=datetime.fromisoformat(metric.time),
            )
            for metric in newest.values()
        ],
        update_conflicts=True,
        unique_fields=["training_job", "name", "step"],
        update_fields=["value", "epoch", "at"],
    )
