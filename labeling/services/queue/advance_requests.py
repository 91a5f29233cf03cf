"""At most one message "advance this job" waits in the queue, however many answers arrive. Knows only job ids."""

from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from labeling.models import AdvanceRequest
from marketplace import queue

ADVANCE = "labeling.background.advance_job"
# A request older than this lost its message (the queue was emptied): the sweep advances the job itself.
STALE = timedelta(minutes=2)


def request_advance(job_id: int) -> None:
    """Ask for the job to be advanced, in the caller's transaction. Nothing happens while such a request waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(hashtext('labeling_advance_request'), %s::integer)", [job_id]
        )
        cursor.execute(
            "INSERT INTO labeling_advancerequest (job_id, requested_at) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [job_id, timezone.now()],
        )
        new = cursor.rowcount == 1
    if new:
        queue.enqueue(ADVANCE, job_id)


def take_request(job_id: int) -> None:
    """Take the request out, before looking at the job: whatever happens from here on asks again.

    Who saw the request and so sent none holds the lock shared until it commits: this waits for them.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('labeling_advance_request'), %s::integer)", [job_id])
        AdvanceRequest.objects.filter(job_id=job_id).delete()
