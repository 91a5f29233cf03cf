"""Labels that are sent to the output topic of their job: one message an object, its line of the output manifest.

Sent once, when the object is done: a label that changes later is in the manifest only.
"""

import uuid

from django.db import transaction

from labeling.models import DataObject, JobTopics, LabelingJob, ObjectState, SentLabel
from labeling.services.intake import loading
from labeling.services.output import rows
from labeling.services.streams import topics as job_topics
from marketplace.models import EventDestination, Subject
from marketplace.services import event_destinations

OBJECT = "labeling-object"
"""The type of the subject of these messages. Stored, so never changed."""

AT_ONCE = 200
_DONE = (ObjectState.HUMAN, ObjectState.MACHINE, ObjectState.FAILED)
_NAMESPACE = uuid.UUID("6f1b5ad5-5f53-4c93-9f5c-6f6b1a0d6c35")
_GONE = "the event destination of the output topic is gone or disabled: labels wait until there is one again"


def send_new(job: LabelingJob) -> int:
    """Hand over the labels of objects that are done and were not sent yet; returns how many.

    For the process that advances the job. Safe to repeat and to kill.
    """
    found = JobTopics.objects.filter(pk=job.pk).exclude(output_topic="").first()
    done = 0
    while found is not None and (ids := _waiting(job)):
        destination = event_destinations.topic_of(job.account, found.output_topic)
        if destination is None:
            job_topics.note_problem(found, _GONE)
            break
        _send(job, destination, ids)
        done += len(ids)
    if found is not None and done and found.problem == _GONE:
        job_topics.note_problem(found, "")
    return done


def _waiting(job: LabelingJob) -> list[int]:
    done = DataObject.objects.filter(job=job, state__in=_DONE, sent_label=None)
    # Those that came with their label are not this job's work.
    made = done.exclude(label__algorithm=loading.IMPORTED)
    return list(made.order_by("index").values_list("pk", flat=True)[:AT_ONCE])


def _send(job: LabelingJob, destination: EventDestination, ids: list[int]) -> None:
    # Labels that are files are written first, outside the transaction.
    lines = [(row.pk, rows.line_or_failure(row, job)[0].decode()) for row in rows.of_ids(job, ids)]
    with transaction.atomic():
        for pk, line in lines:
            event_destinations.post_text(
                destination=destination,
                kind=job_topics.LABELS,
                message_id=str(uuid.uuid5(_NAMESPACE, f"{job.reference_code}/{pk}")),
                subject=Subject(OBJECT, pk),
                text=line,
            )
        SentLabel.objects.bulk_create([SentLabel(data_object_id=pk) for pk, _ in lines], ignore_conflicts=True)
