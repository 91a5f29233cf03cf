"""Telling an account that a run of a program which somebody asked for is over."""

from learning import subjects
from learning.models import TrainingJob, TransformJob
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
    notifications.tell_account(
        account=run.account,
        kind=NoticeKind.JOB_DONE,
        text=f"{what} {_how(run)}.",
        subject=Subject(subjects.TRAINING_JOB if is_training else subjects.TRANSFORM_JOB, run.pk),
    )


def _how(run: TrainingJob | TransformJob) -> str:
    if run.status == "Failed":
        return f"has failed: {run.failure_reason.rstrip('.')}"
    if run.status == "Stopped":
        return "was stopped"
    if isinstance(run, TrainingJob) and run.model is not None and "mAP_50" in run.model.metrics:
        return f"is completed, with a mAP of {run.model.metrics['mAP_50']:.3f} at IoU 0.5"
    return "is completed"
