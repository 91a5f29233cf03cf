"""Queue entry points of this room. Each takes ids, is short, and is safe to run twice."""

from django.utils import timezone

from labeling.models import AdvanceRequest, LabelingJob
from labeling.services import advancing, datasets, exports, leases, nudging, output


def advance_job(job_id: int) -> None:
    """Take the next steps of a labeling job."""
    advancing.advance_job(job_id)


def refresh_output(job_id: int) -> None:
    """Write a job's output manifest as it stands."""
    job = LabelingJob.objects.filter(pk=job_id, status="InProgress").first()
    if job is not None:
        output.refresh_or_say(job)


def sweep() -> None:
    """Every minute: end leases that ran out and ask for every job that is not over to be looked at.

    A message that was lost costs at most this minute.
    """
    leases.expire_overdue()
    AdvanceRequest.objects.filter(requested_at__lt=timezone.now() - nudging.STALE).delete()
    live = LabelingJob.objects.filter(status__in=["Initializing", "InProgress", "Stopping"])
    for job_id in live.order_by("pk").values_list("pk", flat=True):
        nudging.nudge(job_id)
    datasets.sweep()
    output.refresh_stale(now=timezone.now())


def run_export(export_id: int) -> None:
    """Write a download."""
    exports.run_export(export_id)


def advance_dataset(dataset_id: int) -> None:
    """Make a data set, or go on making it."""
    datasets.advance_dataset(dataset_id)
