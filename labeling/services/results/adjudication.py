"""Adjudication: the requester's own answer becomes an object's label, and gold for the models of the workers."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from labeling import task_types
from labeling.formats.answers import AnswerError
from labeling.models import DataObject, Label, LabelingJob, LabelSource, ObjectState
from labeling.queries import class_names
from labeling.services.intake import audited, inspection
from labeling.services.queue import advance_requests
from labeling.services.results import answering, labels
from marketplace.errors import Invalid, WrongState

ALGORITHM = "adjudication/1"
SIDE_BY_SIDE = "the answers to a form stand side by side: none of them is decided on, and none is known to be right"
UNKNOWN_SIZE = "the size of this image is not known; it cannot be labeled"


def refusal(data_object: DataObject) -> str | None:
    """Why the requester cannot label the object now; None when they can. Needs `job` loaded."""
    if not task_types.get(data_object.job.task_type).merges:
        return SIDE_BY_SIDE
    if data_object.width is None or data_object.height is None:
        return UNKNOWN_SIZE
    if data_object.state == ObjectState.PENDING:
        return "people are working on this object; adjudicate it when they are done"
    if data_object.state == ObjectState.UNLABELED and not data_object.job.open:
        return "this object was never labeled and the job is over"
    return None


def _size(row: DataObject) -> tuple[int, int]:
    return row.width or 0, row.height or 0


def adjudicate(*, data_object: DataObject, content: Any, by: str) -> Label:
    """Store the requester's answer (the crowd element's JSON) as a new revision that recomputing never replaces.

    The output follows: an advance writes it, also when the job is over.

    Raises Invalid for a bad answer, WrongState for an object that people are working on or whose image failed.
    """
    job = data_object.job
    if not task_types.get(job.task_type).merges:
        raise WrongState(SIDE_BY_SIDE, field="object")
    inspection.inspect_labeled(data_object)
    if data_object.width is None or data_object.height is None:
        raise WrongState(UNKNOWN_SIZE, field="object")
    size = (data_object.width, data_object.height)
    try:
        answer = answering.read(
            content,
            task_type=job.task_type,
            labels=job.labels,
            size=size,
            earlier=job.earlier_labels,
            config=job.queue.label_category_config,
        )
    except AnswerError as error:
        raise Invalid(str(error), field=f"answer.{error.field}") from None
    kind = task_types.get(job.task_type)
    if (before := audited.of_objects(kind, [data_object.pk]).get(data_object.pk)) is not None:
        answer = kind.compared(answer, before, size=size)
    with transaction.atomic():
        _, earlier = class_names.locked(job.queue_id)
        value = kind.value(kind.certain(kind.renamed(answer, earlier) if earlier else answer))
        (locked,) = labels.lock_objects([data_object.pk])
        locked.job = job
        if reason := refusal(locked):
            raise WrongState(reason, field="object")
        revision = labels.Revision(locked.pk, value, 1.0, {"adjudicated_by": by})
        (label,) = labels.write_revisions([revision], source=LabelSource.ADJUDICATED, algorithm=ALGORITHM)
        advance_requests.request_advance(job.queue_id)
    return label


def adjudicate_many(*, job: LabelingJob, answers: Mapping[int, Any], explanation: dict[str, Any]) -> dict[int, str]:
    """Store typed answers of objects of the job as the requester's decisions; returns why some were not.

    An object whose label has this explanation already is left as it is, so a repeat adds no revisions.
    """
    kind = task_types.get(job.task_type)
    unmeasured = DataObject.objects.filter(pk__in=list(answers), job=job, width=None).order_by("pk")
    refused = inspection.inspect_objects(list(unmeasured.values_list("pk", flat=True)))
    with transaction.atomic():
        names, earlier = class_names.locked(job.queue_id)
        labels.lock_objects(list(answers))
        job.refresh_from_db(fields=["status"])
        revisions = []
        for row in DataObject.objects.filter(pk__in=list(answers), job=job).select_related("label").order_by("pk"):
            row.job = job
            answer = kind.renamed(answers[row.pk], earlier) if earlier else answers[row.pk]
            value = kind.value(kind.certain(answer))
            problem = kind.unwritable(answer, labels=names) or kind.misfit(answer, _size(row))
            if reason := refused.get(row.pk) or problem or refusal(row):
                refused[row.pk] = reason
            elif row.label is None or row.label.explanation != explanation or row.label.value != value:
                revisions.append(labels.Revision(row.pk, value, 1.0, explanation))
        labels.write_revisions(revisions, source=LabelSource.ADJUDICATED, algorithm=ALGORITHM)
        advance_requests.request_advance(job.queue_id)
    return refused
