"""From messages that wait to objects of a streaming labeling job, in the order in which they came."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from labeling import task_types
from labeling.formats import augmented, manifest, stream_lines
from labeling.models import BadLine, DataObject, JobTopics, LabelingJob, ObjectState, StreamMessage
from labeling.services.intake import datasets, loading
from labeling.services.intake.rejected_lines import MOST_KEPT, RejectedLines
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.task_types.base import TEXT
from marketplace.services import boundaries

AT_ONCE = 500
"""Messages that become objects in one transaction."""


def take(job: LabelingJob) -> int:
    """Make objects of the messages that wait; returns how many messages it was.

    For the process that advances the job. What is no line of a manifest is reported as a bad line. Safe to kill.
    """
    done = 0
    while rows := list(StreamMessage.objects.filter(job=job, taken=False).order_by("pk")[:AT_ONCE]):
        _take(job, rows)
        done += len(rows)
    return done


def _take(job: LabelingJob, rows: list[StreamMessage]) -> None:
    first, rejected = _next_index(job), RejectedLines()
    reader = boundaries.Reader(job.account)
    lines = [datasets.readable(_line(job, row, first + place), reader) for place, row in enumerate(rows)]
    # Labels that are files are read here, before anything is locked.
    chunks = loading.chunks(job, lines, rejected)
    with transaction.atomic():
        added = loading.append(job, chunks)
        room = MOST_KEPT - BadLine.objects.filter(job=job).count()
        for bad in rejected.rows:
            bad.job = job
        BadLine.objects.bulk_create(rejected.rows[: max(0, room)])
        StreamMessage.objects.filter(pk__in=[row.pk for row in rows]).update(taken=True)
        LabelingJob.objects.filter(pk=job.pk).update(
            objects_total=F("objects_total") + added, bad_lines=F("bad_lines") + rejected.count
        )


def _next_index(job: LabelingJob) -> int:
    """The place of the next line: behind all objects, and behind all lines that were refused."""
    objects = DataObject.objects.filter(job=job).aggregate(n=Max("index"))["n"]
    refused = BadLine.objects.filter(job=job).aggregate(n=Max("number"))["n"]
    return max(-1 if objects is None else objects, (refused or 0) - 1) + 1


def _line(job: LabelingJob, row: StreamMessage, index: int) -> manifest.Line | manifest.BadLine:
    """The line of a message, with the members by which its object is known."""
    kinds = manifest.KINDS if task_types.get(job.task_type).medium == TEXT else (manifest.SOURCE_REF,)
    found = next(
        manifest.parse([row.line.encode()], label_attribute_name=job.label_attribute_name, kinds=kinds),
        manifest.BadLine(1, "is empty", ""),
    )
    found = _known_by(job, row, found)
    if isinstance(found, manifest.BadLine):
        found.number = index + 1
    else:
        found.index = index
    return found


def _known_by(
    job: LabelingJob, row: StreamMessage, line: manifest.Line | manifest.BadLine
) -> manifest.Line | manifest.BadLine:
    if isinstance(line, manifest.BadLine):
        return line
    try:
        if stream_lines.identity(line.attributes) is None:
            members = stream_lines.given(job.label_attribute_name, row.message_id)
            line.original = augmented.put_members(line.original, members)
    except OF_ONE_OBJECT as error:
        return manifest.BadLine(1, str(error), row.line[:120])
    return line


def idle(job: LabelingJob) -> bool:
    """Whether nothing has come for WAGGLE_STREAM_IDLE_DAYS, and nothing waits for people."""
    found = JobTopics.objects.get(pk=job.pk)
    since = found.last_message_at or job.status_changed_at or job.created_at
    if timezone.now() - since < timedelta(days=settings.STREAM_IDLE_DAYS):
        return False
    waiting = DataObject.objects.filter(job=job, state__in=[ObjectState.UNLABELED, ObjectState.PENDING])
    return not waiting.exists()
