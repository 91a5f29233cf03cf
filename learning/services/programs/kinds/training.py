"""Trainings: a model comes out, and the metrics are kept while it learns."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings

from learning import families, transitions
from learning.contract import JobFolder, Metric, ModelConfig, files_of
from learning.family_hyperparameters import known
from learning.models import TrainingJob, TrainingMetric
from learning.services import registry
from learning.services.programs import staging
from learning.services.programs.kinds.interface import Fields, ProgramKind
from marketplace.queue import enqueue


class TrainingKind(ProgramKind[TrainingJob]):
    """Runs the program of the architecture's family on a training job's channels."""

    model = TrainingJob
    machine = transitions.TRAINING_JOB
    module = "learning.vision.train"
    priority = 20

    def arguments(self, run: TrainingJob) -> list[str]:
        """See ProgramKind.arguments: each family of learners has a program of its own."""
        return ["-m", families.of_training(run.hyperparameters).train]

    def stage(self, run: TrainingJob, folder: JobFolder) -> None:
        """See ProgramKind.stage."""
        own = {"weights_dir": settings.WEIGHTS_DIR} if settings.WEIGHTS_DIR else {}
        own = known(families.of_training(run.hyperparameters), own)
        staging.stage(run, folder, channels=run.channels, own_hyperparameters=own)

    def store_metrics(self, run_id: int, metrics: Sequence[Metric]) -> None:
        """See ProgramKind.store_metrics. A point that comes again takes the newer value."""
        # Two points of one name and step in one statement would be refused; the later one counts.
        newest = {(metric.name, metric.step): metric for metric in metrics}
        TrainingMetric.objects.bulk_create(
            [
                TrainingMetric(
                    training_job_id=run_id,
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

    def keep_result(self, run: TrainingJob, folder: JobFolder) -> Callable[[], Fields]:
        """See ProgramKind.keep_result: the model goes into the store, and into the registry with the run's end."""
        config = ModelConfig.read(folder.model)
        artifact, parts = registry.upload(account=run.account, name=run.name, folder=folder.model)
        return lambda: {
            "model": registry.register(
                account=run.account, name=run.name, config=config, artifact_uri=artifact, parts_uri=parts
            )
        }

    def keep_partial_result(self, run: TrainingJob, folder: JobFolder) -> Callable[[], Fields]:
        """See ProgramKind.keep_partial_result: a stopped training leaves what it has learned so far."""
        whole = all((folder.model / name).exists() for name in files_of(folder.model))
        return self.keep_result(run, folder) if whole else dict

    def after_end(self, run: TrainingJob) -> None:
        """See ProgramKind.after_end."""
        enqueue("learning.background.advance_loop_of_run", self.name, run.pk)
