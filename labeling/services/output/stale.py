"""The running jobs whose output lacks labels. Written with the labels, so that finding these jobs reads no others."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from labeling.models import StaleOutput


def note(object_ids: Collection[int]) -> None:
    """Labels of these objects were decided, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO labeling_staleoutput (job_id, labeled_at)
               SELECT DISTINCT o.job_id, %s::timestamptz FROM labeling_dataobject o WHERE o.id = ANY (%s)
               ORDER BY o.job_id
               ON CONFLICT (job_id) DO UPDATE SET labeled_at = excluded.labeled_at""",
            [timezone.now(), list(object_ids)],
        )


def newest(job_id: int) -> datetime | None:
    """The note as it is before the output is written; None for none.

    Waits for whoever is deciding a label: the note is locked until that is committed, and then read by the writer.
    """
    with transaction.atomic():
        rows = StaleOutput.objects.select_for_update(no_key=True).filter(pk=job_id)
        return rows.values_list("labeled_at", flat=True).first()


def forget(job_id: int, noted: datetime | None) -> None:
    """The output was written with all labels of this note; one of a later label stays."""
    StaleOutput.objects.filter(pk=job_id, labeled_at=noted).delete()
