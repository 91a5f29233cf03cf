"""The answers to finished tasks in the form in which Ground Truth and A2I hand them over."""

from collections import defaultdict
from collections.abc import Mapping

from django.conf import settings
from django.db.models import TextField
from django.db.models.functions import Cast

from labeling.formats.worker_responses import Identity, SubmittedAnswer
from labeling.models import Answer, AssignmentStatus, WorkQueue
from labeling.services.results import answering
from marketplace.models import Worker


def answers_of(queue: WorkQueue, sizes: Mapping[int, tuple[int, int]]) -> dict[int, list[SubmittedAnswer]]:
    """The newest revision of every answer that counts to these tasks of the queue, by task, in order of submission.

    `sizes`: the width and height of the picture of each task in pixels, zeros for one without.
    """
    # The content is read as text, so that an answer that is no readable JSON does not fail the query.
    revisions = (
        Answer.objects.filter(assignment__task__in=list(sizes), assignment__state=AssignmentStatus.SUBMITTED)
        .defer("content")
        .annotate(text=Cast("content", TextField()))
        .select_related("assignment__worker__panel")
        .order_by("assignment_id", "revision")
    )
    newest = {row.assignment_id: row for row in revisions}
    crowd = queue.workteam.crowd.removesuffix("-crowd")
    by_task: dict[int, list[SubmittedAnswer]] = defaultdict(list)
    for row in sorted(newest.values(), key=lambda r: (r.created_at, r.pk)):
        seat = row.assignment
        by_task[seat.task_id].append(
            SubmittedAnswer(
                worker_id=f"{crowd}.{settings.REGION}.{seat.worker.public_id}",
                content=answering.as_stored(
                    row.text,
                    task_type=queue.task_type,
                    labels=queue.labels,
                    earlier=queue.earlier_labels,
                    size=sizes[seat.task_id],
                ),
                submitted=row.created_at,
                accepted=seat.accepted_at,
                seconds=seat.seconds_spent,
                identity=_identity(seat.worker) if crowd == "private" else None,
            )
        )
    return by_task


def _identity(worker: Worker) -> Identity:
    """Who a private worker is; of a panel's participant the id that its provider, and the panel's account, know."""
    if worker.panel is not None:
        return Identity(worker.panel.provider, worker.participant, "Panel")
    return Identity(settings.PUBLIC_URL, worker.public_id, "Oidc")
