"""The steps of a labeling job: ingest its input, open batches, close them, end. `advance_job` takes whichever is next.

Safe to run any number of times and to be killed anywhere: each step is one transaction, or repeating it does no harm.
With automated labeling the learning room opens the batches and ends the job; everything else is the same.
"""

from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from labeling import hooks, transitions
from labeling.models import Batch, DataObject, LabelingJob, ObjectState, Pause
from labeling.queries import spending
from labeling.services import attempts
from labeling.services.functions import preparing, waiting
from labeling.services.golds import mixing, scoring, sources
from labeling.services.intake import inspection, loading
from labeling.services.jobs import finishing, most_likely_wrong, next_look, pacing, pausing, probe
from labeling.services.jobs.batches import open_batch
from labeling.services.jobs.status import move
from labeling.services.output import manifests
from labeling.services.prelabels import anchoring, showing
from labeling.services.queue import advance_requests, batches, due, leases
from labeling.services.results import class_changes, consolidating, difficulty, labels, likely_errors
from labeling.services.streams import expiring, sending, taking, topics
from marketplace import queue
from marketplace.errors import DomainError, InsufficientFunds, Invalid

FIRST_PUBLIC_BATCH = 10
"""Objects in the first batch for the public crowd: as in Ground Truth, a wrong set-up shows before it costs much."""

LONGEST_RUN = timedelta(days=30)
"""A job that takes longer is stopped."""

UNEXPECTED = "an unexpected error"
"""How a job's attention begins while it cannot go on because of an error that nobody has foreseen."""

BY = "system"
"""The actor in the audit log for steps that no person took."""

NO_LOOP = "automated labeling is not installed here any more: stop the job, or run it where it is installed"
"""What a job says whose learning loop nothing continues."""

NOBODY_ASSIGNED = "the vendor has assigned nobody to the contract yet: the job goes on when it has"
"""What a job says while its vendor has no people on it."""


def advance_job(job_id: int) -> None:
    """Take every step that is possible now; does nothing for a job that is deleted or over.

    Returns at once while another process advances it, see advance_requests.advance.
    """
    queue_id = LabelingJob.objects.filter(pk=job_id).values_list("queue_id", flat=True).first()
    if queue_id is not None:
        advance_requests.advance(queue_id, partial(_take_steps, job_id), partial(next_look.of_job, job_id))


def _take_steps(job_id: int) -> None:
    rows = LabelingJob.objects.select_related("account", "queue__workteam", "dataset")
    while _step(rows.get(pk=job_id)):
        pass


def advance_or_give_up(job_id: int) -> None:
    """`advance_job`; a job that meets an unexpected error again and again ends, or says so in its attention.

    A job without objects yet becomes Failed. A later one is kept, because people have worked on it: it is tried again
    every minute, and its owner is shown the reason and can stop it.
    """
    if attempts.attempt("advance_job", job_id, lambda: advance_job(job_id), give_up=partial(_give_up, job_id)):
        LabelingJob.objects.filter(pk=job_id, attention__startswith=UNEXPECTED).update(attention="")


def _give_up(job_id: int, reason: str, passing: bool) -> None:
    job = LabelingJob.objects.get(pk=job_id)
    if job.status == "Initializing" and not passing:
        finishing.fail_job(job=job, reason=f"the job could not be prepared, {attempts.MOST} times: {reason}")
    else:
        _set_attention(job, f"{UNEXPECTED}, it is tried again every minute: {reason}")


def _step(job: LabelingJob) -> bool:
    """Take the next step; returns True when another one may follow at once."""
    if job.status != "Initializing":
        # Also of batches that are over: a review may have taken an answer away, or an appeal brought one back.
        # First, so that nothing is judged by what was learned under other names.
        class_changes.settle(job)
        due.settle_due(job.queue)
        scoring.score_new(job)
        waiting.request_due(job)
        sending.send_new(job)
    if job.status in finishing.FINAL:
        if not _rewrite(job):
            likely_errors.renew(job)
        return False
    if job.status == "Initializing":
        return _ingest(job)
    if job.status == "InProgress":
        return _work(job)
    if job.status == "Stopping":
        return _stop(job)
    return False


def _ingest(job: LabelingJob) -> bool:
    """Read the input manifest into objects; the job waits until its data set is completed."""
    if job.dataset is not None and job.dataset.status != "Completed":
        if job.dataset.status in transitions.DATASET.final:
            reason = f"the data set {job.dataset.name} is {job.dataset.status}: {job.dataset.failure_reason}"
            finishing.fail_job(job=job, reason=reason)
        return False
    streaming = topics.is_stream(job)
    try:
        if job.dataset is not None or job.input_manifest_uri or not streaming:
            loading.load_objects(job, ranked=most_likely_wrong.of_input(job))
    except DomainError as error:
        finishing.fail_job(job=job, reason=f"the input could not be ingested: {error.message}")
        return False
    job.refresh_from_db()
    if not streaming and not DataObject.objects.filter(job=job).exists():
        reason = f"the input manifest has no line that can be used ({job.bad_lines} were rejected)"
        finishing.fail_job(job=job, reason=reason)
        return False
    try:
        sources.take_from_manifest(job)
    except Invalid as error:
        finishing.fail_job(job=job, reason=f"there are no golds: {error.message}")
        return False
    with transaction.atomic():
        # If the job was stopped meanwhile, the next step ends it.
        locked = LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if locked.status == "Initializing":
            move(job, "InProgress", by=BY, because=f"{job.objects_total} objects ingested")
            hooks.send(hooks.job_ready, job.pk)
            if streaming:
                queue.enqueue(topics.ADVANCE, job.pk)
    return True


def _work(job: LabelingJob) -> bool:
    if topics.is_stream(job):
        return _work_stream(job)
    if timezone.now() - job.created_at > LONGEST_RUN:
        move(job, "Stopping", by=BY, because="a job ends after 30 days")
        return True
    owes = pausing.follow_debt(job)
    live = batches.live_batch(job.queue)
    if live is None:
        if owes or waiting.merging(job):
            return False
        return _wait_for_loop(job) if job.automated else _open_next(job)
    return _advance_batch(job, live)


def _work_stream(job: LabelingJob) -> bool:
    """Take what has come, and open it beside what is open already: no object waits for the end of another's batch."""
    if taking.idle(job):
        move(job, "Stopping", by=BY, because=f"no object has come for {settings.STREAM_IDLE_DAYS} days")
        return True
    owes = pausing.follow_debt(job)
    taking.take(job)
    leases.expire_overdue(queue_id=job.queue_id, now=timezone.now())
    if any([_advance_batch(job, one) for one in batches.to_end(job.queue, now=timezone.now())]):
        return True
    consolidating.refit(job=job)
    expiring.expire(job)
    if owes or waiting.merging(job):
        return False
    return _open_next(LabelingJob.objects.get(pk=job.pk), streaming=True)


def _wait_for_loop(job: LabelingJob) -> bool:
    """With automated labeling another app opens the batches: say so while no such app is installed."""
    if not hooks.job_ready:
        return _set_attention(job, NO_LOOP)
    if next_look.unheard(job):
        hooks.send(hooks.job_ready, job.pk)
    return _set_attention(job, "") if job.attention == NO_LOOP else False


def _advance_batch(job: LabelingJob, batch: Batch) -> bool:
    """Expire, settle and close what is due in the live batch; returns True when the batch was closed."""
    now = timezone.now()
    leases.expire_overdue(queue_id=job.queue_id, now=now)
    batches.expire_batch(batch=batch, now=now)
    mixing.end_with_work(batch)
    due.settle_due(job.queue)
    if batch.stopped_early:
        return batches.stop_batch(batch=batch, by=BY)
    if not batches.is_over(batch):
        consolidating.refit(job=job)
        pacing.raise_if_slow(job)
        return False
    if waiting.merging(job):
        return False
    consolidating.settle(job=job, batch=batch)
    difficulty.settle(job=job, batch=batch)
    sources.mint(job=job, batch=batch)
    anchoring.record(job)
    closed = batches.close_batch(batch=batch, by=BY)
    # That of a streaming job, which closes a batch for every few objects, is written every few minutes.
    if closed and batch.exclusive:
        manifests.refresh_or_report(job)
    return closed


def _stop(job: LabelingJob) -> bool:
    if not finishing.stop_batches(job, by=BY):
        return False
    if waiting.merging(job):
        return False
    # A job stops even if its output cannot be written: its labels are kept and can be exported.
    written = manifests.refresh_or_report(job)
    attention = "" if written else LabelingJob.objects.values_list("attention", flat=True).get(pk=job.pk)
    if finishing.finish_stop(job=job, by=BY) and attention:
        _set_attention(job, attention)
    return False


def _rewrite(job: LabelingJob) -> bool:
    """Write the output of a job that is over again, when a label was decided since or it could not be written."""
    if job.attention.startswith(manifests.UNWRITABLE) or manifests.has_newer_labels(job):
        manifests.refresh_or_report(job)
    return False


# --- jobs without automated labeling: which objects are next --------------------------------------------------------


def _open_next(job: LabelingJob, *, streaming: bool = False) -> bool:
    """Open the next batch; returns True when another step may follow at once.

    In a streaming job others may be open; it is not done when no object is left.
    """
    if reason := _completion_reason(job, streaming=streaming):
        return False if batches.live_batches(job.queue) else _complete(job, reason)
    if streaming and not waiting.openable(job).exists():
        return False
    if streaming and _probe_runs(job):
        return False
    if not probe.passes(job):
        return False
    if streaming and _room(job) < 1:
        return False
    size = _batch_size(job)
    if size < 1:
        pausing.wait_for_funds(job)
        return False
    team = job.workteam
    # A panel's participants come when there is something to do.
    if not team.public and not team.memberships.exists() and not team.is_panel:
        return _set_attention(job, NOBODY_ASSIGNED if team.of_vendor else _nobody(job))
    ids = _showable_objects(job, size)
    if not ids:
        return True
    ids = preparing.ready(job, ids)
    if not ids or not showing.prepare(job, ids):
        return False
    try:
        open_batch(job=job, object_ids=ids, exclusive=not streaming, by=BY)
    except InsufficientFunds as error:
        pausing.wait(job, Pause.FUNDS, error.message)
        return False
    _set_attention(job, "")
    return False


def _probe_runs(job: LabelingJob) -> bool:
    """Whether the first batch of a public streaming job is open: nothing else is before it was looked at."""
    return bool(job.workteam.public and not job.probe and batches.live_batches(job.queue))


def _nobody(job: LabelingJob) -> str:
    return f"the team {job.workteam.name} has no members: add some and the job goes on"


def _completion_reason(job: LabelingJob, *, streaming: bool) -> str:
    """Why the job is complete; "" while there are objects left to open, or further ones may come."""
    if reason := stopping_reason(job):
        return reason
    if not streaming and not waiting.openable(job).exists():
        return "every object is done"
    if spending.allowed_objects(job) < 1:
        return "the spending limit is reached"
    return ""


def stopping_reason(job: LabelingJob) -> str:
    """The stopping condition that is met, "" for none; the job ends at the first one it meets."""
    human, labeled = _labeled(job)
    if job.max_human_labeled_objects is not None and human >= job.max_human_labeled_objects:
        return f"{human} objects are labeled by people, the limit is {job.max_human_labeled_objects}"
    if job.max_percentage_labeled is not None and labeled >= _percentage_cap(job):
        return f"{labeled} of {job.objects_total} objects are labeled, the limit is {job.max_percentage_labeled} %"
    return ""


def _batch_size(job: LabelingJob) -> int:
    """How many objects may be opened now."""
    _, labeled = _labeled(job)
    first_public = job.workteam.public and not Batch.objects.filter(queue=job.queue_id).exists()
    bounds = [_room(job), spending.affordable_objects(job)]
    if first_public:
        bounds.append(FIRST_PUBLIC_BATCH)
    if job.max_percentage_labeled is not None:
        bounds.append(_percentage_cap(job) - labeled)
    return min(bounds)


def _room(job: LabelingJob) -> int:
    """How many more objects may be open to people beside those that are, by the job's own numbers."""
    opened = DataObject.objects.filter(job=job, state=ObjectState.PENDING).count()
    room = job.max_concurrent_tasks - opened
    if job.max_human_labeled_objects is not None:
        room = min(room, job.max_human_labeled_objects - _labeled(job)[0] - opened)
    return room


def _labeled(job: LabelingJob) -> tuple[int, int]:
    human = DataObject.objects.filter(job=job, state=ObjectState.HUMAN).count()
    return human, human + DataObject.objects.filter(job=job, state=ObjectState.MACHINE).count()


def _percentage_cap(job: LabelingJob) -> int:
    """The number of labeled objects at which the percentage is reached."""
    return -(-job.objects_total * (job.max_percentage_labeled or 100) // 100)


def _showable_objects(job: LabelingJob, count: int) -> list[int]:
    """The next Unlabeled objects whose image can be shown; those with an unusable image are marked as failed."""
    while True:
        rows = list(waiting.openable(job).values_list("pk", "width")[:count])
        uninspected = [pk for pk, width in rows if width is None]
        if not uninspected:
            return [pk for pk, _ in rows]
        labels.fail_objects(job=job, reasons=inspection.inspect_objects(uninspected))
        unresolved = DataObject.objects.filter(pk__in=uninspected, width=None, state=ObjectState.UNLABELED)
        if unresolved.exists():
            raise RuntimeError(
                f"job {job.pk}: after inspection object {unresolved[0].pk} has neither a size nor a failure reason"
            )


def _complete(job: LabelingJob, reason: str) -> bool:
    if not manifests.refresh_or_report(job):
        return False
    failed = DataObject.objects.filter(job=job, state=ObjectState.FAILED).order_by("index")
    if failed.count() == DataObject.objects.filter(job=job).count():
        finishing.fail_job(
            job=job, reason=f"all {failed.count()} objects failed; the first: {failed[0].failure_reason}"
        )
    else:
        finishing.complete_job(job=job, by=BY, because=reason)
    return False


def _set_attention(job: LabelingJob, attention: str) -> bool:
    """Store what somebody has to do before the job can go on, "" to clear it; returns False: no step follows."""
    if job.attention != attention:
        LabelingJob.objects.filter(pk=job.pk).update(attention=attention[:500])
    return False
