"""The moves of a policy's run from state to state, each kept as a step, and the notices that go with them.

Knows nothing of what is done in a state.
"""

from typing import Any

from django.db import transaction
from django.utils import timezone

from learning import subjects, transitions
from learning.models import FOLLOWED_RUNS, ImprovementPolicy, Model, PolicyRun, RunStep
from learning.services.programs import kinds
from marketplace.models import NoticeKind, Subject
from marketplace.services import notifications

BY = "improvement"
"""The actor of the audit log in all that a policy does by itself."""


def begin(policy: ImprovementPolicy, live: Model, *, images: int) -> PolicyRun:
    """A new run, because so many images have gathered. Needs a transaction; one whose model is watched ends."""
    watched = policy.runs.filter(status="Watching").order_by("number").last()
    if watched is not None:
        move(watched, "Completed", "a new training begins; nothing was found against the model until now")
    number = (policy.runs.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    run = PolicyRun.objects.create(
        policy=policy, number=number, live_model=live, images=images, status_changed_at=timezone.now()
    )
    transitions.POLICY_RUN.begin(run)
    because = f"{images} untrained images have gathered"
    RunStep.objects.create(run=run, state=run.status, because=because, at=timezone.now())
    tell(policy, f"begins the training {number}: {because}")
    return run


def move(run: PolicyRun, to: str, because: str = "", **changes: Any) -> bool:
    """Bring the run into a state and keep the step; its last state has an end and a reason. Needs a transaction."""
    if to in transitions.POLICY_RUN.final:
        changes |= {"ended_at": timezone.now(), "reason": because[:1024]}
    moved = transitions.POLICY_RUN.advance(run, to, by=BY, because=because[:500], **changes)
    if moved:
        RunStep.objects.create(run=run, state=to, because=because[:500], at=timezone.now())
    return moved


def fail(run: PolicyRun, reason: str) -> None:
    """The run cannot go on; its images count as untrained again."""
    with transaction.atomic():
        if move(run, "Failed", reason):
            release(run)
            tell(run.policy, f"could not finish the training {run.number}: {reason}")


def release(run: PolicyRun) -> None:
    """Let the images of a run be picked by the next one."""
    run.detections.update(run=None, use="")


def set_aside(run: PolicyRun) -> int:
    """Keep the images of a run from later trainings; returns how many there are."""
    return run.detections.update(set_aside=True)


def stop(run: PolicyRun, *, by: str) -> None:
    """End a run where it is, and its training; an update of the endpoint goes on. Needs a transaction."""
    if move(run, "Stopped", "stopped with its policy") and run.model is None:
        release(run)
        if run.training_job is not None:
            kinds.of(run.training_job).stop(run.training_job, by=by)


def tell(policy: ImprovementPolicy, what: str) -> None:
    """Tell the account what the policy does, in words that follow its name; in the caller's transaction."""
    notifications.tell_account(
        account=policy.account,
        kind=NoticeKind.IMPROVEMENT,
        text=f"The improvement policy {policy.name} {what.rstrip('.')}.",
        subject=Subject(subjects.IMPROVEMENT_POLICY, policy.pk),
    )


def current(policy: ImprovementPolicy) -> PolicyRun | None:
    """The run that is followed, else the one whose model is watched."""
    rows = policy.runs.select_related("policy__account", "training_job__model", "model", "live_model", "deployment")
    followed = rows.filter(status__in=FOLLOWED_RUNS).first()
    return followed or rows.filter(status="Watching").order_by("number").last()
