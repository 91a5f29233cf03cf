"""Telling an account that what somebody asked for is over: a run of a program, a search, a change of an endpoint."""

from learning import subjects
from learning.models import Endpoint, HyperParameterTuningJob, TrainingJob, TransformJob
from learning.services.tuning import describing
from marketplace.models import NoticeKind, Subject
from marketplace.services import notifications

BY_PERSON = "user:"
"""How the audit log's name of a person begins. Who starts many runs by itself, such as a loop, tells of its own end."""


def ended(run: TrainingJob | TransformJob) -> None:
    """The run has ended: its account is told, in the caller's transaction, if a person had started it."""
    if not run.created_by.startswith(BY_PERSON):
        return
    is_training = isinstance(run, TrainingJob)
    what = f"The {'training' if is_training else 'prediction'} {run.name}"
    _tell(run, subjects.TRAINING_JOB if is_training else subjects.TRANSFORM_JOB, f"{what} {_how(run)}.")


def tuning_ended(tuning: HyperParameterTuningJob) -> None:
    """The search has ended: its account is told how, and of its best training, in the caller's transaction."""
    how = {"Completed": "is completed", "Stopped": "was stopped"}.get(tuning.status)
    said = how or f"has failed: {tuning.failure_reason.rstrip('.')}"
    if (best := describing.best(tuning)) is not None:
        metric = tuning.config["metric"]
        said += f"; the best of its trainings is {best.name}, with {best.objective_value:.4g} of {metric}"
    _tell(tuning, subjects.TUNING_JOB, f"The tuning job {tuning.name} {said}.")


def endpoint_settled(endpoint: Endpoint, how: str) -> None:
    """A change of the endpoint has ended, `how` in words that follow its name: its account is told, as above."""
    _tell(endpoint, subjects.ENDPOINT, f"The endpoint {endpoint.name} {how.rstrip('.')}.")


def _tell(about: TrainingJob | TransformJob | HyperParameterTuningJob | Endpoint, kind: str, text: str) -> None:
    notifications.tell_account(
        account=about.account, kind=NoticeKind.JOB_DONE, text=text, subject=Subject(kind, about.pk)
    )


def _how(run: TrainingJob | TransformJob) -> str:
    if run.status == "Failed":
        return f"has failed: {run.failure_reason.rstrip('.')}"
    if run.status == "Stopped":
        return "was stopped"
    if isinstance(run, TrainingJob) and run.model is not None and "mAP_50" in run.model.metrics:
        return f"is completed, with a mAP of {run.model.metrics['mAP_50']:.3f} at IoU 0.5"
    return "is completed"
