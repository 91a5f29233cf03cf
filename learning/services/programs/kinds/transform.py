"""Predictions over a manifest: a file of predictions comes out."""

from collections.abc import Callable

from learning import families, transitions
from learning.contract import MODEL, JobFolder
from learning.models import TransformJob
from learning.services import asked_outputs, improvement_nudges, run_notices, transform_outputs
from learning.services.programs import staging
from learning.services.programs.kinds.interface import Fields, ProgramKind
from marketplace.queue import enqueue


class TransformKind(ProgramKind[TransformJob]):
    """Runs the program of the model's family on a transform job's manifest."""

    model = TransformJob
    machine = transitions.TRANSFORM_JOB
    module = "learning.serving.predict"
    # Before trainings: predictions are short, and people wait for what follows from them.
    priority = 10

    def arguments(self, run: TransformJob) -> list[str]:
        """See ProgramKind.arguments: each family of learners has a program of its own."""
        return ["-m", families.of_architecture(run.model.architecture).predict]

    def stage(self, run: TransformJob, folder: JobFolder) -> None:
        """See ProgramKind.stage."""
        staging.stage(run, folder, channels=run.channels | {MODEL: {"name": run.model.name}})

    def keep_result(self, run: TransformJob, folder: JobFolder) -> Callable[[], Fields]:
        """See ProgramKind.keep_result: the predictions go to the run's output address, labels beside them."""
        transform_outputs.keep(run, folder.predictions)
        asked_outputs.put_predictions(run)
        return dict

    def after_end(self, run: TransformJob) -> None:
        """See ProgramKind.after_end."""
        enqueue("learning.background.advance_loop_of_run", self.name, run.pk)
        improvement_nudges.waiting(run.account_id)
        run_notices.ended(run)
