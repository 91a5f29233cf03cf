"""How a labeling job ends: completed, stopped, failed. The unspent money is always returned first.

Callers hold the advance lock (locking.advance_lock) or are the only process working on the job.
"""

from django.utils import timezone

from labeling import transitions
from labeling.models import LabelingJob, ObjectState
from labeling.services.jobs.status import move
from labeling.services.queue import advance_requests, batches
from marketplace.errors import WrongState

STOP_GRACE_SECONDS = 60
"""How long after a stop a worker may still submit, and be paid for, a task whose lease was running."""

FINAL = transitions.LABELING_JOB.final


def complete_job(*, job: LabelingJob, by: str, because: str = "every object is done") -> None:
    """End a job whose work is done. Raises WrongState while a batch is open. Safe to repeat."""
    if live := batches.live_batches(job.queue):
        raise WrongState(f"batch {live[0].number} of the job is still open", field="batch")
    _end(job, "Completed", by=by, because=because)


def fail_job(*, job: LabelingJob, reason: str, by: str = "system") -> None:
    """End a job that cannot go on; its owner is shown the reason. Open tasks are cancelled."""
    job.refresh_from_db()
    if job.status in FINAL:
        return
    for live in batches.live_batches(job.queue):
        # No seat of the batch is free from here on, so nobody can claim before the status changes.
        batches.stop_batch(batch=live, by=by)
    _release_pending(job)
    _end(job, "Failed", by=by, because=reason, failure_reason=reason[:1024])


def finish_stop(*, job: LabelingJob, by: str = "system") -> bool:
    """Move a Stopping job to Stopped once no lease is running; returns whether it is Stopped."""
    if not stop_batches(job, by=by):
        return False
    _release_pending(job)
    _end(job, "Stopped", by=by, because="stopped; what was done is kept")
    return True


def stop_batches(job: LabelingJob, *, by: str) -> bool:
    """Stop every batch that is open; whether all are over, which they are not while a lease runs."""
    return all(
        [
            batches.stop_batch(batch=live, by=by, grace_seconds=STOP_GRACE_SECONDS)
            for live in batches.live_batches(job.queue)
        ]
    )


def _end(job: LabelingJob, to: str, *, by: str, because: str, failure_reason: str = "") -> None:
    over = {"finished_at": timezone.now(), "failure_reason": failure_reason, "attention": "", "paused": ""}
    move(job, to, by=by, because=because, **over)
    # What is done with the labels of a job that is over follows in the background.
    advance_requests.request_advance(job.queue_id)


def _release_pending(job: LabelingJob) -> None:
    """Objects that were open to people and got no label are unlabeled again."""
    job.objects_of_job.filter(state=ObjectState.PENDING).update(state=ObjectState.UNLABELED)
