"""The functions of this room that the message queue calls. Each is given ids and is safe to run twice."""

from django.utils import timezone

from labeling.models import AdvanceRequest, LabelingJob, WorkQueue
from labeling.services.intake import datasets
from labeling.services.jobs import advancing
from labeling.services.output import exports, manifests
from labeling.services.queue import advance_requests, leases, owners


def advance_queue(queue_id: int) -> None:
    """Let the owner of a work queue take its next steps; does nothing for a deleted queue."""
    queue = WorkQueue.objects.filter(pk=queue_id).first()
    if queue is not None:
        owners.owner_of(queue).advance()


def advance_job(job_id: int) -> None:
    """Take the next steps of a labeling job. Only messages that earlier versions sent name a job."""
    advancing.advance_job(job_id)


def refresh_output(job_id: int) -> None:
    """Write a job's output manifest with its current labels."""
    job = LabelingJob.objects.filter(pk=job_id, status="InProgress").first()
    if job is not None:
        manifests.refresh_or_report(job)


def sweep() -> None:
    """Run every minute: end overdue leases and request an advance of every queue's owner that is not finished.

    So a lost message delays a queue by a minute at most.
    """
    leases.expire_overdue()
    AdvanceRequest.objects.filter(requested_at__lt=timezone.now() - advance_requests.STALE).delete()
    for queue_id in owners.unfinished_queues():
        advance_requests.request_advance(queue_id)
    datasets.sweep()
    manifests.refresh_stale(now=timezone.now())


def run_export(export_id: int) -> None:
    """Write the file of an export."""
    exports.run_export(export_id)


def advance_dataset(dataset_id: int) -> None:
    """Create a data set, or continue."""
    datasets.advance_dataset(dataset_id)
