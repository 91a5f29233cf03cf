"""Which labels of a job are likely wrong: the only writer of LikelyError rows.

What the answers say comes from the task type, what a model says from the room above, if there is one. Both are put
together here, in the background, whenever the labels of a job that is over have changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from labeling import hooks, task_types
from labeling.consolidation import likely_errors
from labeling.models import DataObject, Label, LabelingJob, LabelSource, LikelyError

CHUNK = 1000
"""Rows that are written at a time."""
COMMIT = timedelta(minutes=1)
"""How long a transaction may take that has decided a label: its time is that of its beginning."""

Evidence = Mapping[int, tuple[str, Mapping[str, float]]]


class Ranked(NamedTuple):
    """An object of a job whose label may be wrong, by its place among the lines of the job's output."""

    place: int
    chance: float
    kinds: dict[str, float]
    model_name: str


def renew(job: LabelingJob) -> bool:
    """Estimate anew how likely the labels of a job are wrong, if any was decided since; returns whether it did."""
    if not _stale(job):
        return False
    started = timezone.now()
    evidence: dict[int, tuple[str, Mapping[str, float]]] = {}
    for of_models in hooks.model_evidence:
        evidence |= of_models(job.pk)
    usual = _usual(evidence)
    with transaction.atomic():
        LikelyError.objects.filter(data_object__job=job).delete()
        rows = _estimates(job, evidence, usual)
        while chunk := list(islice(rows, CHUNK)):
            LikelyError.objects.bulk_create(chunk, ignore_conflicts=True)
        LabelingJob.objects.filter(pk=job.pk).update(errors_estimated_at=started)
    return True


def _stale(job: LabelingJob) -> bool:
    estimated = LabelingJob.objects.values_list("errors_estimated_at", flat=True).get(pk=job.pk)
    if estimated is None:
        return True
    return Label.objects.filter(data_object__job=job, created_at__gt=estimated - COMMIT).exists()


def _usual(evidence: Evidence) -> dict[str, float]:
    """The mean chance of each kind of error, over all labels that a model says something of."""
    total: dict[str, float] = {}
    for _, kinds in evidence.values():
        for kind, chance in kinds.items():
            total[kind] = total.get(kind, 0.0) + chance
    return {kind: chance / len(evidence) for kind, chance in total.items()}


def _estimates(job: LabelingJob, evidence: Evidence, usual: Mapping[str, float]) -> Iterator[LikelyError]:
    """One row for each label of which anything is known. What the requester decided is taken to be right."""
    kind = task_types.get(job.task_type)
    rows = DataObject.objects.filter(job=job, label__isnull=False).exclude(label__source=LabelSource.ADJUDICATED)
    columns = rows.values_list("pk", "label__confidence", "label__explanation")
    for pk, confidence, explanation in columns.iterator(chunk_size=CHUNK):
        model_name, by_model = evidence.get(pk, ("", {}))
        kinds = likely_errors.combined(kind.likely_errors(confidence, explanation), by_model, usual)
        if kinds:
            rounded = {name: round(chance, 4) for name, chance in kinds.items()}
            chance = round(likely_errors.any_of(list(kinds.values())), 4)
            yield LikelyError(data_object_id=pk, chance=chance, kinds=rounded, model_name=model_name)


def ranking(job: LabelingJob, count: int | None = None) -> dict[int, Ranked]:
    """The labels of a job by the places of their lines in its output: the `count` most likely wrong, or all.

    With `count` None also those of which nothing is known. Estimates first what has not been estimated yet.
    """
    renew(job)
    rows = DataObject.objects.filter(job=job).order_by("index")
    columns = rows.values_list("likely_error__chance", "likely_error__kinds", "likely_error__model_name")
    found = [Ranked(place, *row) for place, row in enumerate(columns.iterator(chunk_size=CHUNK)) if row[0] is not None]
    found.sort(key=lambda one: (-one.chance, one.place))
    return {one.place: one for one in found[:count]}


def hand_on(job: LabelingJob, ranked: Mapping[int, Ranked]) -> None:
    """Store the estimates with the objects of a job that looks at these labels; `ranked` by their lines' places."""
    objects = DataObject.objects.filter(job=job).values_list("pk", "index")
    LikelyError.objects.bulk_create(
        [
            LikelyError(data_object_id=pk, chance=one.chance, kinds=one.kinds, model_name=one.model_name)
            for pk, index in objects
            if (one := ranked.get(index)) is not None
        ],
        batch_size=CHUNK,
    )


def document(row: DataObject) -> dict[str, Any] | None:
    """What is known of an object that was read with its `likely_error`: chance, kinds, reason, model; else None."""
    found: LikelyError | None = getattr(row, "likely_error", None)
    if found is None:
        return None
    return {
        "chance": found.chance,
        "kinds": found.kinds,
        "reason": likely_errors.in_words(found.kinds),
        "model_name": found.model_name or None,
    }


def any_found(jobs: Sequence[int]) -> bool:
    """Whether anything is known of the labels of one of these jobs."""
    return LikelyError.objects.filter(data_object__job__in=jobs).exists()
