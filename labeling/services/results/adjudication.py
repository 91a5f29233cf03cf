"""Adjudication: the requester's own answer becomes an object's label, and gold for the models of the workers."""

from typing import Any

from django.db import transaction

from labeling import task_types
from labeling.formats.answers import AnswerError
from labeling.models import DataObject, Label, LabelSource, ObjectState
from labeling.services.intake import inspection
from labeling.services.queue import advance_requests
from labeling.services.results import answering, labels
from marketplace.errors import Invalid, WrongState

ALGORITHM = "adjudication/1"
UNKNOWN_SIZE = "the size of this image is not known; it cannot be labeled"


def refusal(data_object: DataObject) -> str | None:
    """Why the requester cannot label the object now; None when they can. Needs `job` loaded."""
    if data_object.width is None or data_object.height is None:
        return UNKNOWN_SIZE
    if data_object.state == ObjectState.PENDING:
        return "people are working on this object; adjudicate it when they are done"
    if data_object.state == ObjectState.UNLABELED and not data_object.job.open:
        return "this object was never labeled and the job is over"
    return None


def adjudicate(*, data_object: DataObject, content: Any, by: str) -> Label:
    """Store the requester's answer (the crowd element's JSON) as a new revision that recomputing never replaces.

    The output follows: an advance writes it, also when the job is over.

    Raises Invalid for a bad answer, WrongState for an object that people are working on or whose image failed.
    """
    job = data_object.job
    inspection.inspect_labeled(data_object)
    if data_object.width is None or data_object.height is None:
        raise WrongState(UNKNOWN_SIZE, field="object")
    size = (data_object.width, data_object.height)
    try:
        answer = answering.read(content, task_type=job.task_type, labels=job.labels, size=size)
    except AnswerError as error:
        raise Invalid(str(error), field=f"answer.{error.field}") from None
    kind = task_types.get(job.task_type)
    value = kind.value(kind.certain(answer))
    with transaction.atomic():
        (locked,) = labels.lock_objects([data_object.pk])
        locked.job = job
        if reason := refusal(locked):
            raise WrongState(reason, field="object")
        revision = labels.Revision(locked.pk, value, 1.0, {"adjudicated_by": by})
        (label,) = labels.write_revisions([revision], source=LabelSource.ADJUDICATED, algorithm=ALGORITHM)
        advance_requests.request_advance(job.queue_id)
    return label
