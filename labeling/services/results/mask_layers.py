"""The masks of one layer of an object's picture: an answer's, a label's, or those of the earlier label."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from labeling import task_types
from labeling.models import Answer, DataObject
from labeling.queries import class_names
from labeling.services.intake import audited
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.task_types.base import TaskType
from marketplace.errors import NotFound


class MaskOf(IntEnum):
    """Whose masks."""

    ANSWER = 1
    LABEL = 2
    EARLIER = 3


def masks_of(row: DataObject, whose: int, key: int, revision: int) -> Mapping[str, Any]:
    """The masks of a layer as pages have them (formats/mask_previews.py). `row` is read with its job and queue.

    `key` is that of the assignment, whose answer has this `revision`, or of the label; the earlier label has none.
    Raises NotFound where the object has no such layer, or one without masks.
    """
    layer = _layer(row, task_types.get(row.job.task_type), whose, key, revision)
    found = layer.get("masks")
    if not isinstance(found, Mapping) or not found.get("segments"):
        raise NotFound("there are no such masks")
    return found


def _layer(row: DataObject, kind: TaskType[Any, Any], whose: int, key: int, revision: int) -> Mapping[str, Any]:
    if whose == MaskOf.EARLIER and kind.audited is not None:
        before = audited.of_objects(kind, [row.pk]).get(row.pk)
        return {} if before is None else kind.audited.layer(kind.audited.value(before))
    if whose == MaskOf.LABEL:
        label = row.labels.filter(pk=key).first()
        return {} if label is None else kind.layer(label.value)
    answers = Answer.objects.filter(assignment=key, revision=revision, assignment__task__data_object=row)
    if whose != MaskOf.ANSWER or (answer := answers.first()) is None:
        return {}
    size = (row.width or 0, row.height or 0)
    try:
        return kind.answer_layer(class_names.content_now(answer.content, queue=row.job.queue, size=size))
    except OF_ONE_OBJECT:
        return {}
