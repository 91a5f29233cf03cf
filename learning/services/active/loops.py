"""Automated labeling: people label some objects, a model is trained and labels what it is sure of, people the rest.

`advance_loop` takes whatever steps are next by the rows, and may be called at any time: a step that was interrupted is
taken again. Knows the loop as a whole; what happens in a round is the part of rounds.py.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling import task_types
from labeling.models import LabelingJob
from labeling.services import attempts
from labeling.services.jobs import finishing
from labeling.services.queue import batches, planned_advances
from labeling.services.queue.locking import advance_lock
from learning import families, transitions
from learning.models import LearningLoop, LoopAudit, Round, TransformJob
from learning.services import registry
from learning.services.active import auditing, lease, loop_settings, opening, rounds
from learning.services.active.loop_settings import LoopSettings
from learning.services.programs import kinds
from learning.services.programs.kinds.interface import ProgramKind
from learning.services.proposing import of_model
from marketplace.errors import DomainError, Invalid, NotFound
from marketplace.models import Account
from marketplace.queue import enqueue, enqueue_each

BY = "learning"
ADVANCE = "learning.background.advance_loop"
UNEXPECTED = "automated labeling met an unexpected error"
"""How the attention of a job begins whose loop could not be advanced."""


def check_settings(
    *, account: Account, automated_labeling: Mapping[str, Any], task_type: str = task_types.DEFAULT
) -> dict[str, Any]:
    """What a job's `automated_labeling` means, with the defaults. Raises Invalid or NotFound naming what is wrong."""
    found = loop_settings.read(automated_labeling, task_type=task_type)
    if given := automated_labeling.get("initial_model"):
        try:
            model = registry.trainable(account=account, model_arn=str(given))
        except (Invalid, NotFound) as error:
            raise type(error)(error.message, field="automated_labeling.initial_model") from None
        if (family := families.of_architecture(model.architecture)) != loop_settings.family_of(task_type):
            said = f"the model {model.name!r} is a {family.word} ({model.architecture}), which is not for these labels"
            raise Invalid(said, field="automated_labeling.initial_model")
    return asdict(found)


def _settings(job: LabelingJob) -> dict[str, Any]:
    return check_settings(account=job.account, automated_labeling=job.automated_labeling, task_type=job.task_type)


def start_loop(job: LabelingJob) -> LearningLoop | None:
    """The loop of a job with automated labeling, made at the first call; None for a job without.

    Safe to call as soon as the job exists: nothing happens before it is InProgress. Raises as `check_settings` does.
    """
    if not job.automated:
        return None
    return _start(job, _settings(job))


def _start(job: LabelingJob, settings: dict[str, Any]) -> LearningLoop:
    with transaction.atomic():
        loop, made = LearningLoop.objects.get_or_create(job=job, defaults={"settings": settings})
        if made:
            enqueue(ADVANCE, loop.pk)
    return loop


def _start_unchecked(job: LabelingJob) -> LearningLoop:
    """As `start_loop`, for a job whose settings may be wrong: then the first step fails it with the reason."""
    try:
        settings = _settings(job)
    except DomainError:
        settings = {}
    return _start(job, settings)


def advance_loop(*, loop_id: int) -> None:
    """Take every step that can be taken now.

    A loop that meets an unexpected error again and again says so in its job's attention; it is tried again every
    minute, because people have worked on the job, and its owner can stop it.
    """
    if attempts.attempt("advance_loop", loop_id, lambda: _advance(loop_id), give_up=partial(_report, loop_id)):
        _jobs_of(loop_id).filter(attention__startswith=UNEXPECTED).update(attention="")


def _report(loop_id: int, reason: str, passing: bool) -> None:
    _jobs_of(loop_id).update(attention=f"{UNEXPECTED}, it is tried again every minute: {reason}"[:500])


def _jobs_of(loop_id: int) -> QuerySet[LabelingJob]:
    return LabelingJob.objects.filter(learning_loop=loop_id)


def _advance(loop_id: int) -> None:
    """One caller at a time advances a loop; the others' requests are kept.

    The request is counted before the lease is asked for, and the lease is only given up if there has been no request
    since the last look. So whoever finds the lease taken can leave the request to its holder.
    """
    if not lease.request(loop_id):
        return
    with lease.advancing(loop_id) as held:
        if held is not None:
            # Whoever is killed meanwhile is followed by the next sweep.
            _look_at(loop_id, planned_advances.soon())
        while held is not None:
            seen = held.advance_requests()
            while held.renew() and _step(loop_id):
                pass
            _look_at(loop_id, _next_look(loop_id))
            if held.release(unless_requested_since=seen) or not held.renew():
                return


def _look_at(loop_id: int, at: datetime) -> None:
    LearningLoop.objects.filter(pk=loop_id).update(look_at=at)


def _next_look(loop_id: int) -> datetime:
    """Seldom while people work on a batch, whose end requests an advance; else soon, as some things tell nobody."""
    job = LabelingJob.objects.get(learning_loop=loop_id)
    for_people = job.status == "InProgress" and not job.attention and batches.live_batch(job.queue) is not None
    return planned_advances.seldom() if for_people else planned_advances.soon()


def advance_for_batch(*, batch_id: int) -> None:
    """Advance the loop that a batch belongs to, if it belongs to one."""
    rounds_, audits = Round.objects.filter(batch=batch_id), LoopAudit.objects.filter(batch=batch_id)
    for pk in [*rounds_.values_list("loop", flat=True), *audits.values_list("loop", flat=True)]:
        advance_loop(loop_id=pk)


def advance_for_job(*, job_id: int) -> None:
    """A job is ready for work: start its loop, and take the first steps."""
    job = LabelingJob.objects.filter(pk=job_id).first()
    if job is not None and job.automated:
        advance_loop(loop_id=_start_unchecked(job).pk)


def advance_for_run(*, kind: str, run_id: int) -> None:
    """A run of this kind ended: advance the loop that it belongs to, or the job that waits for its pre-labels."""
    if kinds.get(kind).model is TransformJob:
        of_model.advance_for_run(run_id=run_id)
    for field in _fields_of(kinds.get(kind)):
        for pk in Round.objects.filter(**{field: run_id}).values_list("loop", flat=True):
            advance_loop(loop_id=pk)


def sweep() -> None:
    """Every minute: request an advance of the loops that are due."""
    enqueue_each(ADVANCE, _take_due())


def _take_due() -> list[int]:
    """The loops that are due, those that have been for longest, which are due again soon unless they are advanced."""
    now = timezone.now()
    with transaction.atomic():
        rows = LearningLoop.objects.select_for_update(no_key=True, skip_locked=True)
        due = rows.filter(status="InProgress", look_at__lte=now).order_by("look_at")
        found = list(due.values_list("pk", flat=True)[: planned_advances.AT_ONCE])
        LearningLoop.objects.filter(pk__in=found).update(look_at=now + planned_advances.SOON)
    return found


def _step(loop_id: int) -> bool:
    """Take the next step; True when another one may follow at once."""
    loop = LearningLoop.objects.select_related("job__account", "job__queue__workteam").get(pk=loop_id)
    job = loop.job
    if loop.status != "InProgress" or job.status == "Initializing":
        return False
    if job.status != "InProgress":
        return _end_with_job(loop)
    try:
        given = LoopSettings(**_settings(job))
    except (Invalid, NotFound) as error:
        return fail(loop, f"automated labeling cannot start: {error.message}")
    settings = given.with_sizes(objects=job.objects_total, largest_batch=job.max_concurrent_tasks)
    if loop.settings != asdict(settings):
        LearningLoop.objects.filter(pk=loop.pk).update(settings=asdict(settings))
    try:
        return rounds.step(loop, settings)
    except opening.LoopFailed as reason:
        return fail(loop, str(reason))


def fail(loop: LearningLoop, reason: str) -> bool:
    """Fail the job with this reason, and its loop with it."""
    with advance_lock(loop.job.queue_id) as held:
        if not held:
            return opening.try_again(loop)
        finishing.fail_job(job=loop.job, reason=reason, by=BY)
    loop.job.refresh_from_db()
    return _end_with_job(loop)


def _end_with_job(loop: LearningLoop) -> bool:
    """The job was stopped by its owner, or failed: end the programs that run for it, the rounds and the loop."""
    for kind in kinds.KINDS:
        for field in _fields_of(kind):
            for run in kind.model.objects.filter(pk__in=loop.rounds.values(field), status__in=kind.live):
                kind.stop(run, by=BY)
    if loop.job.status == "Stopping":
        return False
    to = "Failed" if loop.job.status == "Failed" else "Stopped"
    with transaction.atomic():
        for round_ in loop.rounds.exclude(status__in=transitions.ROUND.final):
            transitions.ROUND.advance(round_, to, by=BY, because=f"the job is {loop.job.status}")
        auditing.stop(loop, because=f"the job is {loop.job.status}")
        transitions.LOOP.advance(
            loop,
            to,
            by=BY,
            because=f"the job is {loop.job.status}",
            failure_reason=loop.job.failure_reason,
            final_model=opening.newest_model(loop),
        )
    return False


def _fields_of(kind: ProgramKind[Any]) -> list[str]:
    """The fields of a round that refer to runs of this kind."""
    return [field.name for field in Round._meta.fields if field.related_model is kind.model]
