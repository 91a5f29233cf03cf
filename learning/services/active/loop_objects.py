"""The objects of a loop: which are unlabeled, which people labeled, and the split and expected quality of each.

An object of the validation split stays in it and keeps the label people gave it. Knows neither rounds nor money, nor
how objects are chosen (choosing.py).
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Func, IntegerField, QuerySet, Sum

from labeling import task_types
from labeling.models import DataObject, LabelingJob, ObjectState
from labeling.services.functions import waiting
from learning.models import LearningLoop, LoopObject, Round, Split
from learning.services.active import learners
from learning.services.active.learners.boxes import Boxes

CHUNK = 1000


def unlabeled(job: LabelingJob) -> QuerySet[DataObject]:
    """The objects of the job that have no label yet, neither of people nor of a machine.

    Those that need none, by the job's pre-annotation function, are left out.
    """
    return waiting.openable(job)


def pool(loop: LearningLoop) -> QuerySet[DataObject]:
    """The unlabeled objects that the machine may label: without those of a round that waits to be opened to people."""
    waiting_rounds = loop.rounds.filter(batch=None).values("number")
    theirs = LoopObject.objects.filter(loop=loop, round_number__in=waiting_rounds).exclude(split="")
    return unlabeled(loop.job).exclude(pk__in=theirs.values("data_object"))


def human_labeled(loop: LearningLoop, split: str) -> QuerySet[DataObject]:
    """The objects of a split that people labeled; to the training split belong those that the input had labels of."""
    rows = DataObject.objects.filter(job_id=loop.job_id, state=ObjectState.HUMAN).order_by("index")
    validation = LoopObject.objects.filter(loop=loop, split=Split.VALIDATION).values("data_object")
    return rows.filter(pk__in=validation) if split == Split.VALIDATION else rows.exclude(pk__in=validation)


def selected_count(loop: LearningLoop) -> int:
    """The number of objects that were selected for people to label so far."""
    return LoopObject.objects.filter(loop=loop).exclude(split="").count()


def selected(loop: LearningLoop, round_: Round) -> dict[int, str]:
    """The objects that a round selected for people, each with its split."""
    rows = LoopObject.objects.filter(loop=loop, round_number=round_.number).exclude(split="")
    return dict(rows.order_by("pk").values_list("data_object", "split"))


def drawn(job: LabelingJob) -> dict[str, int]:
    """{"human_boxes": how many boxes the labels by people have}; nothing for labels that are not of boxes."""
    if not isinstance(learners.of(job), Boxes):
        return {}
    boxes = Func(F("label__value__boxes"), function="jsonb_array_length", output_field=IntegerField())
    rows = DataObject.objects.filter(job=job, state=ObjectState.HUMAN)
    return {"human_boxes": rows.aggregate(n=Sum(boxes))["n"] or 0}


# --- what is recorded of an object ---------------------------------------------------------------------------------


def record_selection(loop: LearningLoop, splits: dict[int, str], *, number: int) -> None:
    """Store the split of each object that round `number` selected."""
    LoopObject.objects.bulk_create(
        [LoopObject(loop=loop, data_object_id=pk, split=split, round_number=number) for pk, split in splits.items()],
        update_conflicts=True,
        unique_fields=["data_object"],
        update_fields=["split", "round_number"],
        batch_size=CHUNK,
    )


def record_scores(loop: LearningLoop, rows: Iterable[tuple[int, float]]) -> None:
    """Store the newest expected quality of each object; 1 minus it is its uncertainty."""
    LoopObject.objects.bulk_create(
        [LoopObject(loop=loop, data_object_id=pk, score=score, uncertainty=1.0 - score) for pk, score in rows],
        update_conflicts=True,
        unique_fields=["data_object"],
        update_fields=["score", "uncertainty"],
        batch_size=CHUNK,
    )


# --- labels --------------------------------------------------------------------------------------------------------


def label(job: LabelingJob, row: DataObject) -> Any:
    """The typed values of an object's label, which has to be loaded."""
    if row.label is None:
        raise ValueError(f"object {row.pk} of job {job.pk} has no label to learn from")
    return task_types.get(job.task_type).read_value(row.label.value)


def truth(job: LabelingJob, row: DataObject) -> Any:
    """The label that people gave an object, as selection reads it; needs `label` loaded."""
    return learners.of(job).truth(label(job, row), job.labels)
