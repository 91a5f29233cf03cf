"""What the learner asks of a kind of program: how its runs are staged, started, watched and concluded.

Knows neither how runs are claimed (supervisor.py) nor how a child process is watched (running.py, serving.py).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.db import transaction
from django.utils import timezone

from learning.contract import JobFolder, Metric
from learning.models import ProgramRun
from marketplace.states import Machine

Run = TypeVar("Run", bound=ProgramRun)
Fields = dict[str, Any]


class ProgramKind(ABC, Generic[Run]):
    """A kind of program that ends by itself; see ServingKind for one that does not.

    `model` has the runs as rows, `machine` the moves of their status. `module` is what `python -m` starts, with the
    run's folder as the last argument. Waiting runs of a kind with a smaller `priority` are started first.
    """

    model: type[Run]
    machine: Machine
    module: str
    priority: int
    serves: ClassVar[bool] = False
    # The states in which a run is asked to end, has ended on request, has ended by itself, and cannot go on.
    stopping, stopped, completed, failed = "Stopping", "Stopped", "Completed", "Failed"

    @property
    def name(self) -> str:
        """Names the kind in messages and in the names of folders."""
        return str(self.model._meta.model_name)

    @property
    def live(self) -> tuple[str, ...]:
        """The states in which a run needs a supervisor."""
        return tuple(state for state in self.machine.states if state not in self.machine.final)

    def arguments(self, run: Run) -> list[str]:
        """What is started: the arguments of the Python interpreter, before the folder."""
        return ["-m", self.module]

    def nodes(self, run: Run) -> int:
        """On how many machines the program runs at once, where there are so many."""
        return 1

    @abstractmethod
    def stage(self, run: Run, folder: JobFolder) -> None:
        """Fill the folder with all that the program reads. Safe to repeat; `run` has its account loaded.

        Raises BadInput when the run can never start, a DomainError when it may be tried again.
        """

    def store_metrics(self, run_id: int, metrics: Sequence[Metric]) -> None:
        """Keep what the program measured. Called while it runs; the same points may come again. Nothing by default."""

    def keep_result(self, run: Run, folder: JobFolder) -> Callable[[], Fields]:
        """Put the result of a completed run where it stays; may be slow, safe to repeat.

        Returns a function that is called in the transaction that ends the run and gives the fields written with it.
        """
        return dict

    def keep_partial_result(self, run: Run, folder: JobFolder) -> Callable[[], Fields]:
        """As keep_result, for a run that was stopped. Nothing is kept by default."""
        return dict

    def after_end(self, run: Run) -> None:
        """Called in the transaction that ends the run, whatever its end, to enqueue what follows from it."""

    def stop(self, run: Run, *, by: str) -> None:
        """Ask a run to end. One that no supervisor holds has ended at once; one that is over stays as it is."""
        with transaction.atomic():
            locked = self.model.objects.select_for_update().get(pk=run.pk)
            if locked.status in self.live and locked.status != self.stopping:
                self.machine.advance(locked, self.stopping, by=by, because="stopped")
            if locked.status == self.stopping and not locked.claimed_by:
                self.machine.advance(locked, self.stopped, by=by, ended_at=timezone.now())
        run.refresh_from_db()


class ServingKind(ProgramKind[Run]):
    """A kind of program that serves until it is told to stop.

    A run is in the state `starting` until `is_ready` says so, then in `ready`. When its program ends without having
    been asked to, the run goes back to `starting`, and the program is started again after a pause.
    """

    serves = True
    starting: str
    ready: str
    # A program that is not ready after so many seconds is ended, and counts as one that has failed to start.
    start_seconds = 300.0

    @abstractmethod
    def is_ready(self, run: Run, folder: JobFolder) -> bool:
        """Whether the program answers. Asked several times a second until it does: quick, and never raises OSError."""
