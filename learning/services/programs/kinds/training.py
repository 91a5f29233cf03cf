"""Trainings: a model comes out, and the metrics are kept while it learns."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import F, Func, JSONField, Q, Value

from learning import families, transitions
from learning.contract import JobFolder, Metric, ModelConfig, files_of
from learning.family_hyperparameters import known, parse_training
from learning.models import TrainingJob, TrainingMetric, TuningTrial
from learning.services import asked_outputs, improvement_nudges, lineage, registry, run_notices
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

    def nodes(self, run: TrainingJob) -> int:
        """See ProgramKind.nodes: as many as are asked for and allowed."""
        return min(getattr(parse_training(run.hyperparameters), "num_nodes", 1), settings.RAY_TRAINING_NODES)

    def stage(self, run: TrainingJob, folder: JobFolder) -> None:
        """See ProgramKind.stage."""
        ours = {"weights_dir": settings.WEIGHTS_DIR, "max_processes": settings.TRAINING_PROCESSES}
        own = {name: str(value) for name, value in ours.items() if value}
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
        if self._is_watched(run_id, {name for name, _ in newest}):
            enqueue("learning.background.advance_tuning_of_run", run_id)
        last = {m.name[:60]: [m.value, m.step, m.time] for m in sorted(newest.values(), key=lambda m: m.step)}
        merged = Func(F("newest"), Value(last, JSONField()), template="(%(expressions)s)", arg_joiner=" || ")
        TrainingJob.objects.filter(pk=run_id).update(newest=merged)

    def keep_result(self, run: TrainingJob, folder: JobFolder) -> Callable[[], Fields]:
        """See ProgramKind.keep_result: the model goes into the store, and into the registry with the run's end."""
        config = ModelConfig.read(folder.model)
        artifact, parts = registry.upload(account=run.account, name=run.name, folder=folder.model)
        asked_outputs.put_model(run, artifact)
        origin, parent = lineage.of_training(run), lineage.parent(run)
        group_name = asked_outputs.group_name(run)
        return lambda: {
            "model": registry.register(
                account=run.account,
                name=run.name,
                config=config,
                artifact_uri=artifact,
                parts_uri=parts,
                group_name=group_name,
                parent=parent,
                lineage=origin,
            )
        }

    def keep_partial_result(self, run: TrainingJob, folder: JobFolder) -> Callable[[], Fields]:
        """See ProgramKind.keep_partial_result: a stopped training leaves what it has learned so far."""
        whole = all((folder.model / name).exists() for name in files_of(folder.model))
        return self.keep_result(run, folder) if whole else dict

    def after_end(self, run: TrainingJob) -> None:
        """See ProgramKind.after_end."""
        enqueue("learning.background.advance_loop_of_run", self.name, run.pk)
        if TuningTrial.objects.filter(training_job=run).exists():
            enqueue("learning.background.advance_tuning_of_run", run.pk)
        improvement_nudges.waiting(run.account_id)
        run_notices.ended(run)

    def _is_watched(self, run_id: int, names: set[str]) -> bool:
        """Whether a tuning job that may end this training early looks at one of these metrics."""
        # The progress alone comes most often, and is looked at by none.
        if not any(name.startswith("validation:") for name in names):
            return False
        may_end = ~Q(tuning_job__config__early_stopping="Off") | Q(tuning_job__config__strategy="Hyperband")
        trials = TuningTrial.objects.filter(training_job=run_id, tuning_job__config__metric__in=sorted(names))
        return trials.filter(may_end).exists()
