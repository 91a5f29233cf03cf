"""Earlier labels: what the lines of a verification or an adjustment job already hold, for people to look at.

They are read from the lines each time and never stored again. Knows no answers.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from labeling import task_types
from labeling.models import LabelingJob, ObjectLine
from labeling.services import one_by_one
from labeling.services.intake import label_files
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.task_types.base import Shown, Size, TaskType
from marketplace.models import Account


def refusal(job: LabelingJob, attributes: Mapping[str, Any]) -> str:
    """Why people cannot be asked about the earlier label of this line, "" when they can or the job shows none."""
    kind = task_types.get(job.task_type)
    if kind.audited is None:
        return ""
    name = job.audit_label_attribute_name
    try:
        problem = kind.unauditable(_read(kind.audited, attributes, name, job.account), labels=job.labels)
    except OF_ONE_OBJECT as error:
        return f"it has no earlier label that can be shown: {one_by_one.reason_of(error)}"
    return f"its earlier label {name!r} cannot be shown: {problem}" if problem else ""


def of_objects(kind: TaskType[Any, Any], object_ids: Iterable[int]) -> dict[int, Any]:
    """The earlier label of each of these objects of jobs of this type; none, and no query, for types that show none."""
    if kind.audited is None:
        return {}
    lines = ObjectLine.objects.filter(data_object__in=list(object_ids)).select_related("data_object__job__account")
    found = {}
    for line in lines:
        job = line.data_object.job
        # What cannot be read has failed when the job was ingested.
        with suppress(*OF_ONE_OBJECT):
            name = job.audit_label_attribute_name
            found[line.pk] = _read(kind.audited, orjson.loads(line.text), name, job.account)
    return found


def shown(*, object_id: int, task_type: str, size: Size) -> Shown:
    """How the element of a task shows the earlier label of an object; nothing, and no query, where there is none."""
    kind = task_types.get(task_type)
    answer = of_objects(kind, [object_id]).get(object_id)
    return Shown() if answer is None else kind.shown(answer, size=size)


def of_line(
    kind: TaskType[Any, Any], attributes: Mapping[str, Any], name: str, *, size: Size, account: Account
) -> Shown:
    """How the element of a job of this type shows the label that a line has under `name`; nothing where it has none."""
    if kind.audited is None:
        return Shown()
    try:
        return kind.shown(_read(kind.audited, attributes, name, account), size=size)
    except OF_ONE_OBJECT:
        return Shown()


def _read(audited: TaskType[Any, Any], attributes: Mapping[str, Any], name: str, account: Account) -> Any:
    found = label_files.with_file(attributes, name, kind=audited, account=account)
    return audited.read_manifest(found, name).answer
