"""A labeling job advances: ingest its input, open batches, close them, end. `advance_job` takes whatever step is next.

Safe to run any number of times and to be killed anywhere: each step is one transaction or is found done the next time.
With automated labeling the learning room opens the batches and ends the job; everything else is the same.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from labeling import hooks, transitions
from labeling.models import Batch, DataObject, LabelingJob, ObjectState
from labeling.queries import spending
from labeling.services.intake import inspection, loading
from labeling.services.jobs import finishing
from labeling.services.jobs.batches import live_batch, open_batch
from labeling.services.jobs.status import move
from labeling.services.output import manifests
from labeling.services.queue import advance_requests, batches, due, leases
from labeling.services.queue.locking import advance_lock
from labeling.services.results import consolidating, labels
from marketplace import money
from marketplace.errors import DomainError, LimitExceeded
from marketplace.models import Crowd
from marketplace.services import wallets

# Ground Truth shows the public crowd ten objects first, to find a wrong set-up before it costs much.
PROBE = 10
LONGEST = timedelta(days=30)
BY = "system"
MOST_LOOKS = 10
"""How often one call looks for requests that came meanwhile; whatever comes after that has a message of its own, or
waits for the sweep."""


def advance_job(job_id: int) -> None:
    """Do everything that can be done for this job now; nothing happens for a job that is gone or over.

    While another process is at it this one leaves the work to it: the other looks for requests again after it has let
    go of the lock, so a request made meanwhile is either seen by it or made late enough to get the lock.
    """
    queue_id = LabelingJob.objects.filter(pk=job_id).values_list("queue_id", flat=True).first()
    if queue_id is None:
        return
    for _ in range(MOST_LOOKS):
        with advance_lock(queue_id) as mine:
            if not mine:
                return
            advance_requests.take_request(queue_id)
            job = LabelingJob.objects.select_related("account", "queue__workteam", "dataset").get(pk=job_id)
            while _step(job):
                job = LabelingJob.objects.select_related("account", "queue__workteam", "dataset").get(pk=job_id)
        if not advance_requests.is_requested(queue_id):
            return


def _step(job: LabelingJob) -> bool:
    """The next thing; True when there may be another one right after it."""
    if job.status == "Initializing":
        return _ingest(job)
    if job.status == "InProgress":
        return _work(job)
    if job.status == "Stopping":
        return _stop(job)
    return False


def _ingest(job: LabelingJob) -> bool:
    """Read the input manifest into objects; the job waits for a data set that is still being made."""
    if job.dataset is not None and job.dataset.status != "Completed":
        if job.dataset.status in transitions.DATASET.final:
            reason = f"the data set {job.dataset.name} is {job.dataset.status}: {job.dataset.failure_reason}"
            finishing.fail_job(job=job, reason=reason)
        return False
    try:
        loading.load_objects(job)
    except DomainError as error:
        finishing.fail_job(job=job, reason=f"the input could not be ingested: {error.message}")
        return False
    job.refresh_from_db()
    if not DataObject.objects.filter(job=job).exists():
        reason = f"the input manifest has no line that can be used ({job.bad_lines} were refused)"
        finishing.fail_job(job=job, reason=reason)
        return False
    with transaction.atomic():
        # Somebody may have stopped the job meanwhile: then the next step brings it to its end.
        locked = LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if locked.status == "Initializing":
            move(job, "InProgress", by=BY, because=f"{job.objects_total} objects ingested")
            hooks.send(hooks.job_ready, job.pk)
    return True


def _work(job: LabelingJob) -> bool:
    if timezone.now() - job.created_at > LONGEST:
        move(job, "Stopping", by=BY, because="a job ends after 30 days")
        return True
    live = live_batch(job)
    if live is None:
        return False if job.automated else _open_next(job)
    return _tend(job, live)


def _tend(job: LabelingJob, batch: Batch) -> bool:
    """Look after the live batch; True when it was closed."""
    now = timezone.now()
    leases.expire_overdue(queue_id=job.queue_id, now=now)
    batches.expire_batch(batch=batch, now=now)
    due.settle_due(job.queue)
    if batch.stopped_early:
        return batches.stop_batch(batch=batch, by=BY)
    if not batches.is_over(batch):
        consolidating.refit(job=job)
        return False
    consolidating.settle(job=job, batch=batch)
    closed = batches.close_batch(batch=batch, by=BY)
    if closed:
        manifests.refresh_or_say(job)
    return closed


def _stop(job: LabelingJob) -> bool:
    if (live := live_batch(job)) is not None:
        due.settle_due(job.queue)
        if not batches.stop_batch(batch=live, by=BY, grace_seconds=finishing.STOP_GRACE_SECONDS):
            return False
    # A place that cannot be written to does not keep a job from stopping: the labels are kept, and can be exported.
    written = manifests.refresh_or_say(job)
    attention = "" if written else LabelingJob.objects.values_list("attention", flat=True).get(pk=job.pk)
    if finishing.finish_stop(job=job, by=BY) and attention:
        _needs(job, attention)
    return False


# --- people only: which objects next --------------------------------------------------------------------------------


def _open_next(job: LabelingJob) -> bool:
    """Open the next wave; True when something changed."""
    if reason := _over(job):
        return _complete(job, reason)
    wave = _wave(job)
    if wave < 1:
        each = money.text(spending.object_micros(job))
        have = money.text(wallets.balance(job.account))
        return _needs(
            job, f"the wallet holds {have} dollars, one object needs {each}: deposit money and the job goes on"
        )
    if job.workteam.crowd != Crowd.PUBLIC and not job.workteam.memberships.exists():
        return _needs(job, f"the team {job.workteam.name} has no members: add some and the job goes on")
    ids = _sound_objects(job, wave)
    if not ids:
        return True
    try:
        open_batch(job=job, object_ids=ids, by=BY)
    except LimitExceeded as error:
        return _needs(job, f"{error.message}: deposit money and the job goes on")
    _needs(job, "")
    return False


def _over(job: LabelingJob) -> str:
    """Why no further object is opened, "" while there is more to do."""
    if reason := stopping_reason(job):
        return reason
    if not DataObject.objects.filter(job=job, state=ObjectState.UNLABELED).exists():
        return "every object is done"
    if spending.allowed_objects(job) < 1:
        return "the spending limit is reached"
    return ""


def stopping_reason(job: LabelingJob) -> str:
    """The stopping condition that holds (whichever is reached first ends the job), "" for none."""
    human, labeled = _labeled(job)
    if job.max_human_labeled_objects is not None and human >= job.max_human_labeled_objects:
        return f"{human} objects are labeled by people, the limit is {job.max_human_labeled_objects}"
    if job.max_percentage_labeled is not None and labeled >= _percentage_cap(job):
        return f"{labeled} of {job.objects_total} objects are labeled, the limit is {job.max_percentage_labeled} %"
    return ""


def _wave(job: LabelingJob) -> int:
    """How many objects may be opened now."""
    human, labeled = _labeled(job)
    probe = job.workteam.crowd == Crowd.PUBLIC and not Batch.objects.filter(queue=job.queue_id).exists()
    room = [PROBE if probe else job.max_concurrent_tasks, job.max_concurrent_tasks, spending.affordable_objects(job)]
    if job.max_human_labeled_objects is not None:
        room.append(job.max_human_labeled_objects - human)
    if job.max_percentage_labeled is not None:
        room.append(_percentage_cap(job) - labeled)
    return min(room)


def _labeled(job: LabelingJob) -> tuple[int, int]:
    human = DataObject.objects.filter(job=job, state=ObjectState.HUMAN).count()
    return human, human + DataObject.objects.filter(job=job, state=ObjectState.MACHINE).count()


def _percentage_cap(job: LabelingJob) -> int:
    """The number of labeled objects at which the percentage is reached."""
    return -(-job.objects_total * (job.max_percentage_labeled or 100) // 100)


def _sound_objects(job: LabelingJob, wanted: int) -> list[int]:
    """The next Unlabeled objects whose image can be shown; broken ones fail on the way, with their reason."""
    while True:
        some = DataObject.objects.filter(job=job, state=ObjectState.UNLABELED).order_by("index")[:wanted]
        rows = list(some.values_list("pk", "width"))
        unseen = [pk for pk, width in rows if width is None]
        if not unseen:
            return [pk for pk, _ in rows]
        labels.fail_objects(job=job, reasons=inspection.inspect_objects(unseen))
        left = DataObject.objects.filter(pk__in=unseen, width=None, state=ObjectState.UNLABELED)
        if left.exists():
            raise RuntimeError(
                f"inspecting {len(unseen)} objects of job {job.pk} neither measured nor failed {left[0].pk}"
            )


def _complete(job: LabelingJob, reason: str) -> bool:
    if not manifests.refresh_or_say(job):
        return False
    failed = DataObject.objects.filter(job=job, state=ObjectState.FAILED).order_by("index")
    if failed.count() == DataObject.objects.filter(job=job).count():
        finishing.fail_job(
            job=job, reason=f"all {failed.count()} objects failed; the first: {failed[0].failure_reason}"
        )
    else:
        finishing.complete_job(job=job, by=BY, because=reason)
    return False


def _needs(job: LabelingJob, attention: str) -> bool:
    """Say what somebody has to do before the job goes on ("" takes it back); always False."""
    if job.attention != attention:
        LabelingJob.objects.filter(pk=job.pk).update(attention=attention[:500])
    return False
