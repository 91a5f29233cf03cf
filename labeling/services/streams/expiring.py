"""Objects of a streaming labeling job that nobody could be asked about in time: they expire, as in Ground Truth."""

from datetime import datetime, timedelta

import orjson
from django.conf import settings
from django.utils import timezone

from labeling.formats import stream_lines
from labeling.models import DataObject, LabelingJob, StreamMessage
from labeling.services.functions import waiting
from labeling.services.results import labels

AT_ONCE = 500
"""Objects that fail in one transaction."""


def expire(job: LabelingJob, *, now: datetime | None = None) -> int:
    """Fail the objects that came WAGGLE_STREAM_EXPIRY_DAYS ago and are not open to people yet; returns how many.

    Those of the manifest came when the job was made. For the process that advances the job. Safe to repeat.
    """
    before = (now or timezone.now()) - timedelta(days=settings.STREAM_EXPIRY_DAYS)
    if job.created_at > before:
        return 0
    reason = f"expired: it was not open to people within {settings.STREAM_EXPIRY_DAYS} days"
    # Nearly always there is none, which the oldest one tells.
    done, many = 0, 1
    while rows := _overdue(job, before, many):
        done += labels.fail_objects(job=job, reasons=dict.fromkeys(rows, reason))
        many = AT_ONCE
    return done


def _overdue(job: LabelingJob, before: datetime, many: int) -> list[int]:
    """The first of the objects that wait, as long as they came before this time: they wait in the order of coming."""
    rows = list(waiting.openable(job).select_related("line")[:many])
    digests = {row.pk: stream_lines.possible_digests(orjson.loads(row.line.text)) for row in rows}
    every = [digest for found in digests.values() for digest in found]
    came = dict(StreamMessage.objects.filter(job=job, digest__in=every).values_list("digest", "received_at"))

    def waits_since(row: DataObject) -> datetime:
        return max((came[digest] for digest in digests[row.pk] if digest in came), default=job.created_at)

    found = []
    for row in rows:
        if waits_since(row) > before:
            break
        found.append(row.pk)
    return found
