"""Deleting trainings, predictions and searches that have ended, with what is kept of them. Each is in the audit log.

A model outlives the training that made it, and its lineage keeps the training's name. Knows no pages.
"""

from typing import Any, TypeVar

from django.db import models, transaction

from labeling.models import Dataset, LabelingJob
from labeling.transitions import DATASET
from learning import transitions
from learning.models import HyperParameterTuningJob, ProgramRun, TrainingJob, TransformJob
from learning.models.training import LIVE
from learning.services import asked_outputs, run_records
from learning.services.tuning import definitions
from marketplace import storage
from marketplace.errors import InUse, WrongState
from marketplace.queue import enqueue
from marketplace.services import audit, resource_requests, stored_deletion, tags

DELETE_FILES = "learning.background.delete_files"
FORGET_STUDY = "learning.background.forget_study"
Row = TypeVar("Row", bound=models.Model)
_KINDS: dict[type[models.Model], str] = {
    TrainingJob: asked_outputs.TRAINING,
    TransformJob: asked_outputs.TRANSFORM,
    HyperParameterTuningJob: asked_outputs.TUNING,
}


def delete_training(*, training_job: TrainingJob, by: str) -> None:
    """Delete a training with its curves, its log and its samples; the model that it made stays.

    Raises WrongState unless it has ended, InUse naming the tuning job or the learning loop that it belongs to.
    """
    with transaction.atomic():
        run = _locked(training_job, transitions.TRAINING_JOB.final)
        _refuse_rounds(run, "training_job")
        search = HyperParameterTuningJob.objects.filter(trials__training_job=run, status__in=LIVE).first()
        if search is not None:
            raise InUse(f"the training job {run.name} is used by the tuning job {search.name}")
        _delete(run, by, run_records.uri(run))


def delete_transform(*, transform_job: TransformJob, by: str) -> None:
    """Delete a prediction with its output and its log.

    Raises WrongState unless it has ended, InUse naming the learning loop that it belongs to, or what reads its output.
    """
    with transaction.atomic():
        run = _locked(transform_job, transitions.TRANSFORM_JOB.final)
        _refuse_rounds(run, "transform_job")
        output = run.output_uri.rpartition("/")[0]
        if reader := _reader(run, f"{output}/"):
            raise InUse(f"the output of the transform job {run.name} is used by {reader}")
        # One that ended before addresses were kept has none.
        _delete(run, by, run_records.uri(run), *([output] if output else []))


def delete_tuning(*, tuning_job: HyperParameterTuningJob, by: str) -> None:
    """Delete a search and its trials; its trainings stay, as SageMaker's do, and are deleted one by one.

    Raises WrongState unless it has ended, InUse naming a tuning job that is about to learn from it.
    """
    with transaction.atomic():
        job = _locked(tuning_job, transitions.TUNING_JOB.final)
        live = HyperParameterTuningJob.objects.filter(account=job.account, status__in=LIVE)
        heir = live.filter(config__parents__contains=[job.name]).first()
        if heir is not None:
            raise InUse(f"the tuning job {job.name} is used by the tuning job {heir.name}")
        studies = definitions.studies(job)
        _delete(job, by)
        for study in studies:
            enqueue(FORGET_STUDY, study, tried_again=True)


def delete_files(uri: str) -> None:
    """Delete everything in a folder of the store, unless a prediction of the same name writes there again.

    It is asked for again in a minute while a backup is made.
    """
    folder = f"{uri.rstrip('/')}/"
    if any(row.output_uri.startswith(folder) for row in TransformJob.objects.filter(name=uri.rpartition("/")[2])):
        return
    with stored_deletion.allowed() as now:
        if not now:
            enqueue(DELETE_FILES, uri, tried_again=True, after=stored_deletion.PAUSE)
            return
        for item in storage.list(folder):
            storage.delete(item.uri)


def _locked(row: Row, final: frozenset[str]) -> Row:
    """The row, which nobody changes until the end of the transaction. Raises WrongState unless it has ended."""
    locked: Any = type(row)._default_manager.select_for_update(of=("self",)).select_related("account").get(pk=row.pk)
    if locked.status not in final:
        raise WrongState(f"{locked.name} is {locked.status}; only what has ended is deleted", field="status")
    return locked


def _refuse_rounds(run: ProgramRun, member: str) -> None:
    """What a loop has done is the evidence for the labels it gave, for as long as there is the labeling job."""
    job = LabelingJob.objects.filter(**{f"learning_loop__rounds__{member}": run.pk}).first()
    if job is not None:
        raise InUse(f"{run.name} is part of the learning loop of the labeling job {job.name}")


def _reader(run: TransformJob, folder: str) -> str:
    """Who reads a file below the folder right now, in words; "" for nobody."""
    for dataset in Dataset.objects.filter(account=run.account).exclude(status__in=DATASET.final):
        if str(dataset.source.get("uri", "")).startswith(folder):
            return f"the data set {dataset.name}"
    for job in LabelingJob.objects.filter(account=run.account, status="Initializing"):
        if job.input_manifest_uri.startswith(folder):
            return f"the labeling job {job.name}"
    for kind, noun in ((TrainingJob, "training"), (TransformJob, "transform"), (HyperParameterTuningJob, "tuning")):
        for row in kind._default_manager.filter(account=run.account, status__in=LIVE):
            uris = [str(uri) for given in row.channels.values() for uri in given.values()]
            if any(uri.startswith(folder) for uri in uris):
                return f"the {noun} job {row.name}"
    return ""


def _delete(row: Any, by: str, *folders: str) -> None:
    audit.record(row, by=by, because=f"deleted {row.name}")
    arn = asked_outputs.arn(row.account, _KINDS[type(row)], row.name)
    tags.forget(account=row.account, arn=arn)
    resource_requests.forget(account=row.account, arn=arn)
    row.delete()
    for folder in folders:
        # A store that does not answer is asked again later.
        enqueue(DELETE_FILES, folder, tried_again=True)
