"""The fitted models of a job's workers, read for consolidation and for the page of a job's people."""

from typing import Any

from labeling.models import LabelingJob, WorkerModels


def fitted(job: LabelingJob) -> dict[str, Any] | None:
    """What the last fit has stored (see `WorkerModels.value`); None before the first one."""
    return WorkerModels.objects.filter(job=job).values_list("value", flat=True).first()
