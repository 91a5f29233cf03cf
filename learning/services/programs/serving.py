"""A claimed run of a program that serves: ready once it answers, started again whenever it ends without being asked.

Knows neither what is served nor who sends it requests. `progress` of such a run is 1 from the first time it was ready.
"""

import time
from typing import Any

from learning.contract import EXIT_BAD_INPUT
from learning.services.programs.executor import Executor, Program
from learning.services.programs.kinds.interface import ServingKind
from learning.services.programs.running import BY, Claim, Runner

# A program that has served for so long is started again at once; one that ends earlier waits longer every time.
STEADY_SECONDS = 60.0
MAX_PAUSE_SECONDS = 300.0


class ServingRunner(Runner):
    """Keeps one program serving until its owner stops it, the supervisor ends, or it never becomes ready."""

    def __init__(self, *, claim: Claim, executor: Executor):
        super().__init__(claim=claim, executor=executor)
        if not isinstance(claim.kind, ServingKind):
            raise TypeError(f"{claim.kind.name}: a kind that serves expected")
        self.kind: ServingKind[Any] = claim.kind
        self._started_at = 0.0
        self._ready_at: float | None = None
        self._late = False

    def _prepare(self, run: Any) -> None:
        # Its program is not running now, whatever a supervisor that was killed has left in the row.
        self._leave_ready("its program ended with its supervisor")
        self._started_at = time.monotonic()

    def _watch(self, run: Any, program: Program) -> None:
        if self._ready_at is not None:
            return
        if self.kind.is_ready(run, self.folder):
            with self._holding() as held:
                if held.status == self.kind.starting:
                    self.kind.machine.advance(held, self.kind.ready, by=BY, progress=1.0, failure_reason="")
            self._ready_at = time.monotonic()
        elif time.monotonic() - self._started_at > self.kind.start_seconds:
            self._late = True
            program.kill()

    def _gives_up(self, run: Any) -> bool:
        return run.progress < 1.0

    def _pause(self, run: Any) -> float:
        return min(2.0 ** min(run.attempts, 16), MAX_PAUSE_SECONDS)

    def _conclude(self, run: Any, status: int) -> None:
        if self._interrupted.is_set():
            self._release(attempts=max(run.attempts - 1, 0))
            return
        reason = self.folder.read_failure() or self._describe(status)
        if self._late:
            reason = f"the program was not ready within {self.kind.start_seconds:g} seconds"
        if self._ready_at is not None and time.monotonic() - self._ready_at >= STEADY_SECONDS:
            self.kind.model.objects.filter(pk=run.pk, claimed_by=self.claim.identity).update(attempts=0)
        self._leave_ready(reason)
        self._fail_attempt(reason, final=status == EXIT_BAD_INPUT and run.progress < 1.0)

    def _release(self, **changes: Any) -> None:
        self._leave_ready("its supervisor ends")
        super()._release(**changes)

    def _leave_ready(self, because: str) -> None:
        """Nobody is to send requests to a program that does not run; the reason stays until it is ready again."""
        with self._holding() as held:
            if held.status == self.kind.ready:
                self.kind.machine.advance(
                    held, self.kind.starting, by=BY, because=because[:500], failure_reason=because[:1024]
                )
