"""Changes the status of a labeling job and of its work queue together; nothing else changes either."""

from typing import Any

from django.db import transaction

from labeling import transitions
from labeling.models import LabelingJob
from labeling.services import notices
from labeling.services.queue import queues


def move(job: LabelingJob, to: str, *, by: str, because: str = "", **changes: Any) -> bool:
    """Move the job to `to`, and open or close its queue with it; returns whether it moved. Safe to repeat.

    `changes` are further fields written with the move. Raises WrongState for a move that is not allowed.
    """
    with transaction.atomic():
        moved = transitions.LABELING_JOB.advance(job, to, by=by, because=because[:500], **changes)
        if to == "InProgress":
            queues.open_queue(job.queue, by=by, because=because[:500])
        else:
            queues.close_queue(job.queue, by=by, because=because[:500])
        if moved and to in transitions.LABELING_JOB.final:
            notices.job_ended(job, because)
    return moved
