"""Label revisions: the only writer of Label rows and of an object's labeled state. Knows no answers, no money."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from labeling import task_types
from labeling.models import DataObject, Label, LabelingJob, LabelSource, LabelWithdrawal, ObjectState
from labeling.queries import class_names
from labeling.services.output import stale
from labeling.services.queue import advance_requests
from marketplace.errors import Invalid, WrongState
from marketplace.services import audit

CHUNK = 500
STATE_OF = {
    LabelSource.HUMAN: ObjectState.HUMAN,
    LabelSource.ADJUDICATED: ObjectState.HUMAN,
    LabelSource.MACHINE: ObjectState.MACHINE,
}


@dataclass(frozen=True)
class ExternalLabel:
    """A label from outside this room; `answer` has the type into which the job's task type reads answers."""

    object_id: int
    answer: Any
    confidence: float | None = None
    explanation: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Revision:
    """A label about to be written."""

    object_id: int
    value: dict[str, Any]
    confidence: float | None
    explanation: dict[str, Any]
    # What a function made for the manifest line.
    content: dict[str, Any] | None = None


def record_labels(
    *,
    job: LabelingJob,
    rows: Iterable[ExternalLabel],
    source: str = LabelSource.MACHINE,
    model_name: str = "",
    algorithm: str,
    by: str,
) -> int:
    """Label objects that are Unlabeled, in chunks; others are left as they are, so a repeat does nothing.

    Returns how many were labeled. A label that could not be written out again (see TaskType.unwritable) fails its
    object instead. Raises Invalid for a class the job does not have, WrongState for a job that is over.
    """
    kind = task_types.get(job.task_type)
    done, stream = 0, iter(rows)
    while chunk := list(islice(stream, CHUNK)):
        with transaction.atomic():
            _must_run(job)
            # Whoever made the labels may have read the job's classes before one was renamed.
            names, earlier = class_names.locked(job.queue_id)
            if earlier:
                chunk = [replace(row, answer=kind.renamed(row.answer, earlier)) for row in chunk]
            for row in chunk:
                if unknown := kind.classes(row.answer) - set(names):
                    said = f"object {row.object_id}: {sorted(unknown)} are not labels of the job"
                    raise Invalid(said, field="answer")
            bad = {row.object_id: reason for row in chunk if (reason := kind.unwritable(row.answer, labels=names))}
            unlabeled = _lock_objects(job, [row.object_id for row in chunk], ObjectState.UNLABELED)
            if bad:
                fail_objects(job=job, reasons={pk: f"the label cannot be stored: {why}" for pk, why in bad.items()})
            unlabeled -= bad.keys()
            write_revisions(
                [
                    Revision(row.object_id, kind.value(row.answer), row.confidence, row.explanation)
                    for row in chunk
                    if row.object_id in unlabeled
                ],
                source=source,
                algorithm=algorithm,
                model_name=model_name,
            )
            advance_requests.request_advance(job.queue_id)
        done += len(unlabeled)
    return done


def fail_objects(*, job: LabelingJob, reasons: Mapping[int, str]) -> int:
    """Mark Unlabeled objects as failed, each with its reason; returns how many. Others are left as they are."""
    with transaction.atomic():
        unlabeled = _lock_objects(job, list(reasons), ObjectState.UNLABELED)
        rows = [
            DataObject(pk=pk, state=ObjectState.FAILED, failure_reason=reasons[pk][:500]) for pk in sorted(unlabeled)
        ]
        DataObject.objects.bulk_update(rows, ["state", "failure_reason"], batch_size=CHUNK)
    return len(unlabeled)


def fail_answered(reasons: Mapping[int, str]) -> None:
    """Fail objects whose answers give no label, each with its reason. Needs a transaction that has locked them."""
    rows = [
        DataObject(pk=pk, state=ObjectState.FAILED, failure_reason=reasons[pk][:500], label=None)
        for pk in sorted(reasons)
    ]
    DataObject.objects.bulk_update(rows, ["state", "failure_reason", "label"], batch_size=CHUNK)


def renew_failed(ids: Sequence[int]) -> None:
    """Make Failed objects that nobody was asked about Unlabeled again. Needs a transaction that has locked them."""
    failed = DataObject.objects.filter(pk__in=ids, state=ObjectState.FAILED)
    failed.update(state=ObjectState.UNLABELED, failure_reason="")


def withdraw(*, job: LabelingJob, reasons: Mapping[int, str]) -> int:
    """Fail the objects whose current label, by its key, cannot be written out; returns how many. Revisions are kept."""
    with transaction.atomic():
        rows = list(
            DataObject.objects.select_for_update(no_key=True).filter(job=job, label__in=list(reasons)).order_by("pk")
        )
        for row in rows:
            row.state = ObjectState.FAILED
            row.failure_reason, row.label_id = reasons[row.label_id][:500], None
        DataObject.objects.bulk_update(rows, ["state", "failure_reason", "label"], batch_size=CHUNK)
    return len(rows)


def take_back(*, job: LabelingJob, ids: Sequence[int], reason: str, by: str) -> int:
    """Make MachineLabeled objects Unlabeled again, and note why with their revisions, which are kept.

    In chunks, and others are left as they are, so a repeat does nothing. Returns how many it was. Raises WrongState
    for a job that is over.
    """
    done, stream = 0, iter(ids)
    while chunk := list(islice(stream, CHUNK)):
        with transaction.atomic():
            _must_run(job)
            machine = [row for row in lock_objects(chunk) if row.job_id == job.pk and row.state == ObjectState.MACHINE]
            LabelWithdrawal.objects.bulk_create(
                [LabelWithdrawal(label_id=row.label_id, reason=reason[:500]) for row in machine]
            )
            for row in machine:
                row.state, row.label_id = ObjectState.UNLABELED, None
            DataObject.objects.bulk_update(machine, ["state", "label"])
            if machine:
                audit.record(job, by=by, because=f"the labels of {len(machine)} objects taken back: {reason}")
        done += len(machine)
    return done


def write_revisions(revisions: Sequence[Revision], *, source: str, algorithm: str, model_name: str = "") -> list[Label]:
    """Append a revision to each object and make it current. Needs a transaction that has locked the objects."""
    ids = [revision.object_id for revision in revisions]
    newest = dict(
        Label.objects.filter(data_object__in=ids).values_list("data_object").annotate(n=Max("revision")).order_by()
    )
    written = Label.objects.bulk_create(
        [
            Label(
                data_object_id=revision.object_id,
                revision=newest.get(revision.object_id, 0) + 1,
                source=source,
                algorithm=algorithm,
                model_name=model_name,
                confidence=revision.confidence,
                value=revision.value,
                explanation=revision.explanation,
                content=revision.content,
            )
            for revision in revisions
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE labeling_dataobject o SET label_id = n.label, state = %s, failure_reason = ''
               FROM unnest(%s::bigint[], %s::bigint[]) AS n(id, label) WHERE o.id = n.id""",
            [str(STATE_OF[LabelSource(source)]), ids, [label.pk for label in written]],
        )
    stale.note(ids)
    return written


def reopen_objects(ids: Sequence[int]) -> frozenset[int]:
    """Make objects PendingHuman again whose label by people loses an answer; returns those that are PendingHuman now.

    Labels of the requester and of a model stay, and their objects with them. Revisions are kept. Needs a transaction.
    """
    rows = lock_objects(ids)
    by_people = frozenset(
        DataObject.objects.filter(pk__in=ids, label__source=LabelSource.HUMAN).values_list("pk", flat=True)
    )
    reopened = [row for row in rows if row.state == ObjectState.FAILED or row.pk in by_people]
    for row in reopened:
        row.state, row.failure_reason, row.label_id = ObjectState.PENDING, "", None
    DataObject.objects.bulk_update(reopened, ["state", "failure_reason", "label"])
    return frozenset(row.pk for row in rows if row.state == ObjectState.PENDING)


def lock_objects(ids: Sequence[int]) -> list[DataObject]:
    """The objects, locked in id order."""
    return list(DataObject.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))


def _lock_objects(job: LabelingJob, ids: Sequence[int], state: ObjectState | str) -> set[int]:
    return {row.pk for row in lock_objects(ids) if row.job_id == job.pk and row.state == state}


def _must_run(job: LabelingJob) -> None:
    status = LabelingJob.objects.values_list("status", flat=True).get(pk=job.pk)
    if status != "InProgress":
        raise WrongState(f"the labeling job is {status}; labels are recorded while it is InProgress", field="status")
