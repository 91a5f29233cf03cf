"""Earlier labels: what the lines of a verification or an adjustment job already hold, for people to look at.

They are read from the lines each time and never stored again. Knows no answers.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from labeling import task_types
from labeling.models import DataObject, LabelingJob, ObjectLine
from labeling.services import one_by_one
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.task_types.base import Shown, Size, TaskType


def refusal(job: LabelingJob, attributes: Mapping[str, Any]) -> str:
    """Why people cannot be asked about the earlier label of this line, "" when they can or the job shows none."""
    kind = task_types.get(job.task_type)
    if kind.audited is None:
        return ""
    name = job.audit_label_attribute_name
    try:
        problem = kind.unauditable(kind.audited.read_manifest(attributes, name).answer, labels=job.labels)
    except OF_ONE_OBJECT as error:
        return f"it has no earlier label that can be shown: {one_by_one.reason_of(error)}"
    return f"its earlier label {name!r} cannot be shown: {problem}" if problem else ""


def of_objects(job: LabelingJob, object_ids: Iterable[int]) -> dict[int, Any]:
    """The earlier label of each of these objects of the job; none for jobs that show none, and no query then."""
    kind = task_types.get(job.task_type)
    if kind.audited is None:
        return {}
    lines = ObjectLine.objects.filter(data_object__in=list(object_ids)).values_list("data_object", "text")
    found = {pk: _read(kind, text, job.audit_label_attribute_name) for pk, text in lines}
    return {pk: answer for pk, answer in found.items() if answer is not None}


def shown(*, object_id: int, task_type: str, size: Size) -> Shown:
    """How the element of a task shows the earlier label of an object; nothing, and no query, where there is none."""
    kind = task_types.get(task_type)
    if kind.audited is None:
        return Shown()
    row = DataObject.objects.select_related("line", "job").filter(pk=object_id).first()
    answer = _read(kind, row.line.text, row.job.audit_label_attribute_name) if row is not None else None
    return Shown() if answer is None else kind.shown(answer, size=size)


def of_line(kind: TaskType[Any, Any], attributes: Mapping[str, Any], name: str, *, size: Size) -> Shown:
    """How the element of a job of this type shows the label that a line has under `name`; nothing where it has none."""
    if kind.audited is None:
        return Shown()
    try:
        return kind.shown(kind.audited.read_manifest(attributes, name).answer, size=size)
    except OF_ONE_OBJECT:
        return Shown()


def _read(kind: TaskType[Any, Any], text: str, name: str) -> Any:
    """The earlier label of a line, None where it cannot be read; the object has failed then."""
    assert kind.audited is not None
    try:
        return kind.audited.read_manifest(orjson.loads(text), name).answer
    except OF_ONE_OBJECT:
        return None
