"""What came of pre-labels that people do not see: how often the model is right, and how many people were asked with it
and without."""

from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from django.db.models import Count, QuerySet, Sum

from labeling import task_types
from labeling.models import DataObject, LabelingJob, ObjectState, PreLabel, PreLabelUse, Task
from labeling.services.one_by_one import OF_ONE_OBJECT

CHUNK = 500


@dataclass(frozen=True)
class Asked:
    """So many `objects` have people's labels by now, with so many `answers` each on average."""

    objects: int = 0
    answers: float = 0.0


def figures(job: LabelingJob) -> dict[str, Any]:
    """Of objects that people have labeled by now.

    `counted` and `blind` are the two groups into which objects were put by lot: on one the model counted, on the other
    it did not. `right` is the share of objects on which the model's label is that of people, of the `compared` ones on
    which it did not count, with its `standard_error`; None where there are none.
    """
    ours = DataObject.objects.filter(job=job, state=ObjectState.HUMAN).exclude(label=None)
    counted, blind = (ours.filter(prelabels__use=use).values("pk") for use in (PreLabelUse.COUNTED, PreLabelUse.BLIND))
    blind = blind.exclude(pk__in=counted)
    right = _right(job, PreLabel.objects.filter(data_object__in=ours).exclude(data_object__in=counted))
    share = sum(right) / len(right) if right else None
    return {
        "counted": asdict(_asked(job, counted)),
        "blind": asdict(_asked(job, blind)),
        "compared": len(right),
        "right": None if share is None else round(share, 4),
        "standard_error": None if share is None else round(sqrt(share * (1 - share) / len(right)), 4),
    }


def _asked(job: LabelingJob, objects: QuerySet[Any, Any]) -> Asked:
    tasks = Task.objects.filter(queue=job.queue_id, data_object__in=objects)
    found = tasks.aggregate(objects=Count("data_object", distinct=True), answers=Sum("answers_count"))
    return Asked(found["objects"], round((found["answers"] or 0) / max(found["objects"], 1), 4))


def _right(job: LabelingJob, rows: QuerySet[PreLabel]) -> list[bool]:
    """Of the newest pre-label of each object."""
    kind = task_types.get(job.task_type)
    if kind.proposing is None:
        return []
    newest = rows.order_by("data_object", "-created_at", "-pk").distinct("data_object")
    right = []
    for proposed, label in newest.values_list("value", "data_object__label__value").iterator(CHUNK):
        try:
            before = kind.renamed(kind.read_value(proposed), job.earlier_labels)
            after = kind.renamed(kind.read_value(label), job.earlier_labels)
        except OF_ONE_OBJECT:
            # One that cannot be read any more, after a change of classes, is not compared.
            continue
        right.append(not any(kind.proposing.mistakes(before, after)))
    return right
