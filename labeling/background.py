"""Queue entry points of this room. Each takes ids, is short, and is safe to run twice."""

from django.utils import timezone

from labeling.models import AdvanceRequest, LabelingJob, WorkQueue
from labeling.services.intake import datasets
from labeling.services.jobs import advancing
from labeling.services.output import exports, manifests
from labeling.services.queue import advance_requests, leases, owners


def advance_queue(queue_id: int) -> None:
    """Let the owner of a work queue take its next steps; nothing happens for a queue that is gone."""
    queue = WorkQueue.objects.filter(pk=queue_id).first()
    if queue is not None:
        owners.owner_of(queue).advance()


def advance_job(job_id: int) -> None:
    """Take the next steps of a labeling job. Messages name the queue; those sent by earlier versions name the job."""
    advancing.advance_job(job_id)


def refresh_output(job_id: int) -> None:
    """Write a job's output manifest as it stands."""
    job = LabelingJob.objects.filter(pk=job_id, status="InProgress").first()
    if job is not None:
        manifests.refresh_or_report(job)


def sweep() -> None:
    """Every minute: end leases that ran out and ask for every job that is not over to be looked at.

    A message that was lost costs at most this minute.
    """
    leases.expire_overdue()
    AdvanceRequest.objects.filter(requested_at__lt=timezone.now() - advance_requests.STALE).delete()
    live = LabelingJob.objects.filter(status__in=["Initializing", "InProgress", "Stopping"])
    for queue_id in live.order_by("pk").values_list("queue", flat=True):
        advance_requests.request_advance(queue_id)
    datasets.sweep()
    manifests.refresh_stale(now=timezone.now())


def run_export(export_id: int) -> None:
    """Write a download."""
    exports.run_export(export_id)


def advance_dataset(dataset_id: int) -> None:
    """Make a data set, or go on making it."""
    datasets.advance_dataset(dataset_id)
