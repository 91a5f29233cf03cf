"""A job's output in Ground Truth's layout: the augmented manifest, worker responses, consolidation files.

Everything is stored under `<output uri>/<job name>/`; writing it again gives the same files.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db.models import Q
from django.utils import timezone

from labeling import transitions
from labeling.formats import worker_responses
from labeling.formats.worker_responses import SubmittedAnswer
from labeling.models import (
    Batch,
    DataObject,
    FunctionStep,
    Label,
    LabelingJob,
    LabelSource,
    StaleOutput,
    Task,
    TaskStatus,
)
from labeling.services import one_by_one
from labeling.services.functions import waiting
from labeling.services.intake import texts
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.services.output import rows, stale, submitted
from labeling.services.results import labels
from marketplace import queue, storage
from marketplace.errors import DomainError

log = logging.getLogger(__name__)

CHUNK = 500
"""Tasks whose files are written together."""

MANIFEST = "manifests/output/output.manifest"
UNWRITABLE = "the output cannot be written"
"""How a job's attention begins while its output cannot be written."""

REFRESH = timedelta(minutes=5)
"""How old the output of a running job with new labels may become; it is checked every minute."""

REFRESHED_AT_ONCE = 100
"""Outputs that one sweep queues for a refresh."""

COMMIT = timedelta(minutes=1)
"""A label is visible to others only when its transaction commits, at most this long after its time."""


def root(job: LabelingJob) -> str:
    """The address under which the job's output is stored."""
    return storage.join(job.output_uri, job.name)


def manifest_uri(job: LabelingJob) -> str:
    """The output manifest, which is final when the job is over."""
    return storage.join(root(job), MANIFEST)


def refresh_output(job_id: int) -> None:
    """Write the manifest with the current labels and the files of tasks that ended. Safe to repeat and to kill."""
    job = LabelingJob.objects.select_related("account", "queue__workteam").get(pk=job_id)
    # The time before the first label is read: a label made while the files are written is newer than the output.
    started = timezone.now()
    noted = stale.newest(job.pk)
    write_responses(job)
    write_manifest(job)
    LabelingJob.objects.filter(pk=job.pk).update(output_written_at=started)
    stale.forget(job.pk, noted)


def refresh_or_report(job: LabelingJob) -> bool:
    """Write the output as `refresh_output` does; returns False, with the reason in the job's attention, on failure."""
    try:
        refresh_output(job.pk)
    except (DomainError, *OF_ONE_OBJECT) as error:
        if not isinstance(error, DomainError):
            log.exception("job %d: the output cannot be written", job.pk)
        report(job, one_by_one.reason_of(error))
        return False
    LabelingJob.objects.filter(pk=job.pk, attention__startswith=UNWRITABLE).update(attention="")
    return True


def report(job: LabelingJob, reason: str) -> None:
    """Show in the job's attention why its output cannot be written."""
    attention = f"{UNWRITABLE}, it is tried again every minute: {reason}"
    LabelingJob.objects.filter(pk=job.pk).update(attention=attention[:500])


def refresh_stale(*, now: datetime | None = None) -> None:
    """Queue a refresh of running jobs with new labels whose output is older than REFRESH, REFRESHED_AT_ONCE at most."""
    old = Q(job__output_written_at=None) | Q(job__output_written_at__lt=(now or timezone.now()) - REFRESH)
    StaleOutput.objects.filter(job__status__in=transitions.LABELING_JOB.final).delete()
    waiting_longest = StaleOutput.objects.filter(old, job__status="InProgress").order_by("job__output_written_at", "pk")
    for job_id in waiting_longest.values_list("pk", flat=True)[:REFRESHED_AT_ONCE]:
        queue.enqueue("labeling.background.refresh_output", job_id)


def has_newer_labels(job: LabelingJob) -> bool:
    """Whether a label may have been decided, or withdrawn by a review, after the output was written."""
    if job.output_written_at is None and Task.objects.filter(queue=job.queue_id, rejections_count__gt=0).exists():
        return True
    since = (job.output_written_at or job.created_at) - COMMIT
    return Label.objects.filter(data_object__job=job, created_at__gt=since).exists()


def write_manifest(job: LabelingJob) -> int:
    """Write the output manifest; returns its number of lines. Readers see the old file or the new one, never a part.

    An object whose label cannot be written has the line of a failed one, and is Failed from then on.
    """
    lines = 0
    unwritable: dict[int, str] = {}
    with storage.writer(manifest_uri(job), content_type="application/x-ndjson") as out:
        for row in rows.stream(job):
            line, reason = rows.line_or_failure(row, job)
            out.write(line + b"\n")
            lines += 1
            if reason and row.label_id is not None:
                unwritable[row.label_id] = reason
    if unwritable:
        log.warning("job %d: %d labels cannot be written", job.pk, labels.withdraw(job=job, reasons=unwritable))
    return lines


def write_responses(job: LabelingJob) -> int:
    """Write the answers of every task that ended and was not written yet, with the consolidation files of its batch.

    Returns how many tasks were written. A task is marked after its file is stored, so after a crash the same file is
    written again.
    """
    written = 0
    for batch in Batch.objects.filter(queue=job.queue_id).order_by("number"):
        ended = (
            Task.objects.filter(batch=batch, responses_written=False)
            .exclude(state=TaskStatus.OPEN)
            .select_related("data_object__label")
            .order_by("pk")
        )
        last = 0
        while chunk := list(ended.filter(pk__gt=last)[:CHUNK]):
            last = chunk[-1].pk
            _write_tasks(job, batch, chunk)
            Task.objects.filter(pk__in=[task.pk for task in chunk]).update(responses_written=True)
            written += len(chunk)
    return written


def _write_tasks(job: LabelingJob, batch: Batch, tasks: list[Task]) -> None:
    answers = answers_of_tasks(job, tasks)
    inline = texts.inline_texts([task.data_object.pk for task in tasks if not task.data_object.source_ref])
    requests, responses = [], []
    latest: datetime | None = None
    for task in tasks:
        submitted = answers.get(task.pk, [])
        if not submitted:
            continue
        moment = max(answer.submitted for answer in submitted)
        latest = moment if latest is None else max(latest, moment)
        index = task.data_object.index
        key = worker_responses.worker_response_key(iteration=batch.number, object_id=index, moment=moment)
        uri = storage.join(root(job), key)
        storage.write(uri, worker_responses.write_worker_response(submitted), content_type="application/json")
        requests.append(_consolidation_request(task.data_object, submitted, inline.get(task.data_object.pk)))
        responses.append(_consolidation_response(job, task.data_object))
    # A function of the job's own was given the request, and gave the response, in files of its own.
    if latest is not None and not waiting.has(job, FunctionStep.POST):
        moment = _free_moment(job, batch, latest, {request["datasetObjectId"] for request in requests})
        for key_of, document in (
            (worker_responses.consolidation_request_key, requests),
            (worker_responses.consolidation_response_key, responses),
        ):
            uri = storage.join(root(job), key_of(iteration=batch.number, moment=moment))
            storage.write(uri, orjson.dumps(document), content_type="application/json")


def _free_moment(job: LabelingJob, batch: Batch, moment: datetime, ids: set[str]) -> datetime:
    """The first second from `moment` on whose consolidation files do not hold other objects of the batch.

    The key has whole seconds, as AWS's, and two chunks of tasks may end in the same one. A file with one of the same
    objects was left by a process that was killed before it could mark them, and is written again.
    """
    while True:
        key = worker_responses.consolidation_request_key(iteration=batch.number, moment=moment)
        uri = storage.join(root(job), key)
        if not storage.exists(uri):
            return moment
        if ids & {request["datasetObjectId"] for request in orjson.loads(storage.read(uri))}:
            return moment
        moment += timedelta(seconds=1)


def answers_of_tasks(job: LabelingJob, tasks: Iterable[Task]) -> dict[int, list[SubmittedAnswer]]:
    """The newest revision of every answer that counts to these tasks, by task, in order of submission."""
    sizes = {task.pk: (task.data_object.width or 0, task.data_object.height or 0) for task in tasks}
    return submitted.answers_of(job.queue, sizes)


def _consolidation_request(row: DataObject, answers: list[SubmittedAnswer], inline: str | None) -> dict[str, Any]:
    annotations = [
        {"workerId": a.worker_id, "annotationData": {"content": orjson.dumps(dict(a.content)).decode()}}
        for a in answers
    ]
    shown = {"s3Uri": row.source_ref} if inline is None else {"content": inline}
    return {"datasetObjectId": str(row.index), "dataObject": shown, "annotations": annotations}


def _consolidation_response(job: LabelingJob, row: DataObject) -> dict[str, Any]:
    label: Label | None = row.label
    content = None
    if label is not None and label.source != LabelSource.MACHINE:
        # As in Ground Truth, the content is what the manifest line gets; the explanation is only in the API.
        try:
            content = rows.members(rows.from_object(row), job)
        except OF_ONE_OBJECT as error:
            # The manifest, which is written next, says the reason.
            log.warning("object %d: its label cannot be written: %s", row.pk, one_by_one.reason_of(error))
    return {
        "datasetObjectId": str(row.index),
        "consolidatedAnnotation": {"content": content},
    }
