"""The objects of a loop: which of them people label next, and the split of each.

An object of the validation split stays in it and keeps the label people gave it. Knows neither rounds nor money.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from django.db.models import F, Func, IntegerField, QuerySet, Sum

from labeling import task_types
from labeling.models import DataObject, LabelingJob, ObjectState
from labeling.services.functions import waiting
from learning.models import LearningLoop, LoopObject, Round, Split
from learning.selection.diversity import spread
from learning.services.active import learners
from learning.services.active.learners.boxes import Boxes
from learning.services.active.loop_settings import LoopSettings

CHUNK = 1000
# Of so many of the most uncertain objects for each one that is wanted, those that differ most are selected.
CANDIDATES = 3


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


# --- selecting -----------------------------------------------------------------------------------------------------


def select_seed(loop: LearningLoop, settings: LoopSettings, *, number: int, count: int) -> dict[int, str]:
    """The split of each of `count` random unlabeled objects; see LoopSettings.validation_size."""
    ids = np.array(list(unlabeled(loop.job).values_list("pk", flat=True)), dtype=np.int64)
    selected = np.random.default_rng([settings.seed, number]).permutation(ids)[:count].tolist()
    before, after = selected_count(loop), selected_count(loop) + len(selected)
    # Each batch has the same share of validation objects when the seed is labeled in several batches.
    share = settings.validation_size() / max(settings.seed_size, 1)
    validation = round(after * share) - round(before * share)
    return {pk: Split.VALIDATION if place < validation else Split.TRAIN for place, pk in enumerate(selected)}


def select_next(
    loop: LearningLoop,
    settings: LoopSettings,
    *,
    number: int,
    count: int,
    embeddings: Iterable[tuple[int, list[float]]],
) -> dict[int, str]:
    """The split of each of `count` unlabeled objects: random ones for validation, the most uncertain for training.

    `embeddings` (object id, vector) are those of the newest predictions; objects without a prediction are selected at
    random, after the others.
    """
    rng = np.random.default_rng([settings.seed, number])
    ids = np.array(list(unlabeled(loop.job).values_list("pk", flat=True)), dtype=np.int64)
    shuffled = rng.permutation(ids)
    validation = min(round(count * settings.random_share), count, len(shuffled))
    random_part, rest = shuffled[:validation], shuffled[validation:]
    uncertainty = dict(
        LoopObject.objects.filter(loop=loop, data_object__state=ObjectState.UNLABELED)
        .exclude(uncertainty=None)
        .values_list("data_object", "uncertainty")
    )
    wanted = count - validation
    candidates = sorted((pk for pk in rest.tolist() if pk in uncertainty), key=lambda pk: (-uncertainty[pk], pk))
    selected = _most_diverse(candidates[: wanted * CANDIDATES], uncertainty, wanted, embeddings)
    unscored = [pk for pk in rest.tolist() if pk not in uncertainty][: wanted - len(selected)]
    splits = dict.fromkeys(random_part.tolist(), str(Split.VALIDATION))
    return splits | dict.fromkeys([*selected, *unscored], str(Split.TRAIN))


def _most_diverse(
    candidates: Sequence[int], uncertainty: dict[int, float], count: int, embeddings: Iterable[tuple[int, list[float]]]
) -> list[int]:
    """`count` of the candidates that differ most; the most uncertain ones when an embedding is missing."""
    wanted = set(candidates)
    vectors = {pk: vector for pk, vector in embeddings if pk in wanted and vector}
    if not candidates or any(pk not in vectors for pk in candidates):
        return list(candidates[:count])
    order = spread([vectors[pk] for pk in candidates], [uncertainty[pk] + 1e-6 for pk in candidates], count)
    return [candidates[place] for place in order]


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
