"""What came of the pre-labels of a job: how they compare with people's labels where people saw them and where not."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from django.db.models import Count, Sum

from labeling import task_types
from labeling.models import LabelingJob, ObjectState, PreLabel, PreLabelUse, Task
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.services.prelabels import counting, options

CHUNK = 500


@dataclass(frozen=True)
class Errors:
    """Of `objects` that have people's labels by now: how many things the pre-label of one `missed` on average, and how
    many of its own were `false`, taking people's label for right; with the standard error of their sum."""

    objects: int = 0
    missed: float = 0.0
    false: float = 0.0
    standard_error: float = 0.0


def record(job: LabelingJob) -> None:
    """Store the figures of a job that has pre-labels, see `figures`, or counting.py where people do not see them; it is
    done as each batch ends."""
    if job.prelabels:
        found = counting.figures if options.counts(task_types.get(job.task_type)) else figures
        LabelingJob.objects.filter(pk=job.pk).update(prelabel_figures=found(job))


def figures(job: LabelingJob) -> dict[str, Any]:
    """How far people who check are led by what they are shown, and what checking has saved.

    The objects were put into the two groups by lot, so the pre-labels of both have the same errors on average. What
    people who saw them have corrected less than people who did not see them, `left_missed` and `left_false` an object,
    is an effect of seeing them. `corrected`: of the errors that they are expected to have, the share that was
    corrected, None where they have none. `answers` were given by checking, which saved `saved_micros` with fees.
    """
    checked, blind = (_errors(job, use) for use in (PreLabelUse.SHOWN, PreLabelUse.BLIND))
    known = bool(checked.objects and blind.objects)
    there = blind.missed + blind.false
    tasks = Task.objects.filter(queue=job.queue_id, checks=True)
    answers = tasks.aggregate(n=Sum("answers_count"))["n"] or 0
    queue = job.queue
    return {
        "checked": asdict(checked),
        "blind": asdict(blind),
        "left_missed": round(blind.missed - checked.missed, 4) if known else None,
        "left_false": round(blind.false - checked.false, 4) if known else None,
        "corrected": round((checked.missed + checked.false) / there, 4) if known and there else None,
        "tasks": tasks.aggregate(n=Count("id"))["n"],
        "answers": answers,
        "saved_micros": answers * (queue.answer_micros(checks=False) - queue.answer_micros(checks=True)),
    }


def _errors(job: LabelingJob, use: str) -> Errors:
    missed, false = 0, 0
    sums = []
    for one in _mistakes(job, use):
        missed, false = missed + one[0], false + one[1]
        sums.append(sum(one))
    count = len(sums)
    if not count:
        return Errors()
    mean = sum(sums) / count
    spread = sum((one - mean) ** 2 for one in sums) / max(count - 1, 1)
    return Errors(count, round(missed / count, 4), round(false / count, 4), round(sqrt(spread / count), 4))


def _mistakes(job: LabelingJob, use: str) -> Iterator[tuple[int, int]]:
    kind = task_types.get(job.task_type)
    if kind.proposing is None:
        return
    rows = PreLabel.objects.filter(data_object__job=job, use=use, data_object__state=ObjectState.HUMAN)
    values = rows.exclude(data_object__label=None).order_by("pk").values_list("value", "data_object__label__value")
    for proposed, label in values.iterator(CHUNK):
        try:
            before = kind.renamed(kind.read_value(proposed), job.earlier_labels)
            after = kind.renamed(kind.read_value(label), job.earlier_labels)
        except OF_ONE_OBJECT:
            # One that cannot be read any more, after a change of classes, counts in neither group.
            continue
        yield kind.proposing.mistakes(before, after)
