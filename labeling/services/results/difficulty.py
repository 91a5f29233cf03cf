"""Stores how difficult each labeled object is, and where good workers disagree more than poor ones.

Looks at answers and labels and changes neither. The arithmetic is in consolidation/difficulty.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db.models import QuerySet

from labeling import task_types
from labeling.consolidation.difficulty import difficulties, guideline_gap
from labeling.consolidation.refitting import GROWTH
from labeling.models import Batch, DataObject, LabelingJob, LabelSource, WorkerModels
from labeling.queries import worker_models
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.services.results import consolidating
from labeling.task_types.base import AnswersToImage

CHUNK = 200


@dataclass
class _Seen:
    """Of the answers read so far: their object, their worker (each by number), and the agreement with the label."""

    objects: list[int] = field(default_factory=list)
    workers: list[int] = field(default_factory=list)
    agreement: list[float] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    gaps: list[float | None] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)


def settle(*, job: LabelingJob, batch: Batch) -> int:
    """Look at the objects of a batch that is over; returns how many are stored anew.

    All objects of the job are looked at whenever there are half as many more: a worker's part in a disagreement is
    known the better the more they have answered.
    """
    stored = WorkerModels.objects.filter(job=job).first()
    judged = _judged(job)
    count = judged.count()
    if stored is None or count < stored.value.get("rated", 0) * GROWTH:
        return record(job, judged.filter(tasks__batch=batch))
    written = record(job, judged)
    stored.value["rated"] = count
    stored.save(update_fields=["value"])
    return written


def record(job: LabelingJob, objects: QuerySet[DataObject] | None = None) -> int:
    """Store the difficulty of these objects (by default of all that people have labeled) where it has changed.

    Objects whose answers or label cannot be read are left as they are, and so are all of a type that does not merge
    answers. Returns how many were stored.
    """
    kind = task_types.get(job.task_type)
    if not kind.merges:
        return 0
    judged = _judged(job) if objects is None else objects
    seen, ids = _Seen(), list(judged.order_by("pk").values_list("pk", flat=True))
    found = worker_models.fitted(job)
    models = kind.load_workers(found["models"]) if found else None
    for start in range(0, len(ids), CHUNK):
        rows = DataObject.objects.filter(pk__in=ids[start : start + CHUNK]).select_related("label").order_by("pk")
        some = list(rows)
        read = consolidating.read_answers(job, some)
        skills = _skills(job, models, [one.image for one in read.values()])
        for row in some:
            if row.label is not None:
                _look(kind, seen, row.pk, row.label.value, read[row.pk].image, skills)
    return _store(seen)


def _judged(job: LabelingJob) -> QuerySet[DataObject]:
    by_people = [LabelSource.HUMAN, LabelSource.ADJUDICATED]
    return DataObject.objects.filter(job=job, label__source__in=by_people)


def _look(
    kind: Any,
    seen: _Seen,
    key: int,
    value: Mapping[str, Any],
    image: AnswersToImage[Any],
    skills: Mapping[str, float | None],
) -> None:
    answers = image.answers
    if not answers:
        return
    try:
        label = kind.read_value(value)
        agreement = [kind.agreement(answer.value, label) for answer in answers]
        gap = guideline_gap(
            [skills.get(answer.worker) for answer in answers],
            lambda i, j: kind.agreement(answers[i].value, answers[j].value),
        )
    except OF_ONE_OBJECT:
        # A label or an answer that cannot be read again says nothing about how difficult its object is.
        return
    number = len(seen.keys)
    seen.keys.append(key)
    seen.gaps.append(gap)
    for answer, share in zip(answers, agreement, strict=True):
        seen.objects.append(number)
        seen.workers.append(seen.names.setdefault(answer.worker, len(seen.names)))
        seen.agreement.append(share)


def _skills(job: LabelingJob, models: Any, images: Sequence[AnswersToImage[Any]]) -> dict[str, float | None]:
    """The first figure of each worker who answered, over all classes; nothing before the first fit."""
    kind = task_types.get(job.task_type)
    if models is None or not kind.skill_columns:
        return {}
    names = sorted({answer.worker for image in images for answer in image.answers})
    main = kind.skill_columns[0].key
    return {row.worker: row.figures[main] for row in kind.skills(models, names, labels=job.labels) if not row.label}


def _store(seen: _Seen) -> int:
    found = difficulties(
        np.array(seen.objects, np.int64), np.array(seen.workers, np.int64), np.array(seen.agreement, np.float64)
    )
    new = {
        key: (round(float(value), 4), None if gap is None else round(gap, 4))
        for key, value, gap in zip(seen.keys, found.difficulty, seen.gaps, strict=True)
    }
    old = dict[int, tuple[float | None, float | None]]()
    for key, *before in DataObject.objects.filter(pk__in=new).values_list("pk", "difficulty", "guideline_gap"):
        old[key] = (before[0], before[1])
    changed = [
        DataObject(pk=key, difficulty=difficulty, guideline_gap=gap)
        for key, (difficulty, gap) in new.items()
        if key in old and old[key] != (difficulty, gap)
    ]
    DataObject.objects.bulk_update(changed, ["difficulty", "guideline_gap"], batch_size=1000)
    return len(changed)
