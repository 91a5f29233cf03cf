"""The objects of a loop: which to ask people for next, what each is used for, and the manifests made of them.

Once an object is set aside for validation it stays so, and keeps people's label. Knows neither rounds' state nor money.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import orjson
from django.db.models import QuerySet

from labeling.formats.augmented import box_line
from labeling.formats.shapes import Box, ImageSize
from labeling.models import DataObject, LabelingJob, ObjectState
from labeling.services.intake import images
from learning.contract import OBJECT_ID_KEY
from learning.models import LearningLoop, LoopObject, Role
from learning.selection.diversity import spread
from learning.selection.quality import Detections
from learning.services.active.loop_settings import LoopSettings
from marketplace import storage

CHUNK = 1000
# The most uncertain so many times as are wanted are spread out.
CANDIDATES = 3


def unlabeled(job: LabelingJob) -> QuerySet[DataObject]:
    """Objects nobody has decided about."""
    return DataObject.objects.filter(job=job, state=ObjectState.UNLABELED).order_by("index")


def human_labeled(loop: LearningLoop, role: str) -> QuerySet[DataObject]:
    """Objects with people's labels: those set aside for validation, or all others (the input's own too)."""
    rows = DataObject.objects.filter(job_id=loop.job_id, state=ObjectState.HUMAN).order_by("index")
    aside = LoopObject.objects.filter(loop=loop, role=Role.VALIDATION).values("data_object")
    return rows.filter(pk__in=aside) if role == Role.VALIDATION else rows.exclude(pk__in=aside)


def asked(loop: LearningLoop) -> int:
    """How many objects people were asked for so far."""
    return LoopObject.objects.filter(loop=loop).exclude(role="").count()


# --- choosing ------------------------------------------------------------------------------------------------------


def choose_seed(loop: LearningLoop, plan: LoopSettings, *, number: int, count: int) -> dict[int, str]:
    """`count` random Unlabeled objects -> what each is used for; part of them, spread over the seed, for validation."""
    ids = np.array(list(unlabeled(loop.job).values_list("pk", flat=True)), dtype=np.int64)
    chosen = np.random.default_rng([plan.seed, number]).permutation(ids)[:count].tolist()
    before, after = asked(loop), asked(loop) + len(chosen)
    # So that a seed asked for in several batches has its share in each.
    share = plan.validation_size() / max(plan.seed_size, 1)
    aside = round(after * share) - round(before * share)
    return {pk: Role.VALIDATION if place < aside else Role.TRAIN for place, pk in enumerate(chosen)}


def choose_next(
    loop: LearningLoop, plan: LoopSettings, *, number: int, count: int, embeddings: Iterable[tuple[int, list[float]]]
) -> dict[int, str]:
    """`count` Unlabeled objects -> what each is used for: a random slice for validation, then the most uncertain ones.

    `embeddings` (object id, vector) are those of the newest predictions; objects never predicted are chosen at random.
    """
    rng = np.random.default_rng([plan.seed, number])
    ids = np.array(list(unlabeled(loop.job).values_list("pk", flat=True)), dtype=np.int64)
    mixed = rng.permutation(ids)
    aside = min(round(count * plan.random_share), count, len(mixed))
    random_part, rest = mixed[:aside], mixed[aside:]
    known = dict(
        LoopObject.objects.filter(loop=loop, data_object__state=ObjectState.UNLABELED)
        .exclude(uncertainty=None)
        .values_list("data_object", "uncertainty")
    )
    wanted = count - aside
    candidates = sorted((pk for pk in rest.tolist() if pk in known), key=lambda pk: (-known[pk], pk))
    candidates = candidates[: wanted * CANDIDATES]
    chosen = _spread(candidates, known, wanted, embeddings)
    missing = [pk for pk in rest.tolist() if pk not in known][: wanted - len(chosen)]
    roles = dict.fromkeys(random_part.tolist(), str(Role.VALIDATION))
    return roles | dict.fromkeys([*chosen, *missing], str(Role.TRAIN))


def _spread(
    candidates: Sequence[int], known: dict[int, float], wanted: int, embeddings: Iterable[tuple[int, list[float]]]
) -> list[int]:
    among = set(candidates)
    vectors = {pk: vector for pk, vector in embeddings if pk in among and vector}
    usable = [pk for pk in candidates if pk in vectors]
    if len(usable) < len(candidates) or not candidates:
        return list(candidates[:wanted])
    order = spread([vectors[pk] for pk in usable], [known[pk] + 1e-6 for pk in usable], wanted)
    return [usable[place] for place in order]


def assign(loop: LearningLoop, roles: dict[int, str], *, number: int) -> None:
    """Write down what was asked for in round `number`; an object that is set aside for validation stays so."""
    LoopObject.objects.bulk_create(
        [LoopObject(loop=loop, data_object_id=pk, role=role, round_number=number) for pk, role in roles.items()],
        update_conflicts=True,
        unique_fields=["data_object"],
        update_fields=["role", "round_number"],
        batch_size=CHUNK,
    )


def note_scores(loop: LearningLoop, rows: Iterable[tuple[int, float]]) -> None:
    """Keep the newest expected quality of each object; 1 minus it is its uncertainty."""
    LoopObject.objects.bulk_create(
        [LoopObject(loop=loop, data_object_id=pk, score=score, uncertainty=1.0 - score) for pk, score in rows],
        update_conflicts=True,
        unique_fields=["data_object"],
        update_fields=["score", "uncertainty"],
        batch_size=CHUNK,
    )


# --- manifests -------------------------------------------------------------------------------------------------------


def write_labeled(uri: str, *, job: LabelingJob, objects: QuerySet[DataObject]) -> int:
    """An augmented manifest of labeled objects at `uri`; returns the number of lines."""
    return _write(uri, (_labeled_line(job, row) for row in objects.select_related("label").iterator(CHUNK)))


def write_unlabeled(uri: str, *querysets: QuerySet[DataObject]) -> int:
    """A manifest of images only; returns the number of lines."""
    return _write(uri, (orjson.dumps(_bare(row)) for rows in querysets for row in rows.iterator(CHUNK)))


def _write(uri: str, lines: Iterator[bytes]) -> int:
    count = 0
    with storage.writer(uri, content_type="application/jsonlines") as out:
        for line in lines:
            out.write(line + b"\n")
            count += 1
    return count


def _bare(row: DataObject) -> dict[str, Any]:
    return {"source-ref": images.image_uri(row), OBJECT_ID_KEY: row.pk}


def _labeled_line(job: LabelingJob, row: DataObject) -> bytes:
    return box_line(
        orjson.dumps(_bare(row)),
        job.label_attribute_name,
        _boxes(row),
        image_size=ImageSize(row.width or 0, row.height or 0, row.depth or 3),
        labels=job.labels,
        human_annotated=True,
        job_name=job.name,
    )


def _boxes(row: DataObject) -> list[Box]:
    value = row.label.value if row.label else {"boxes": []}
    return [
        Box(box["label"], box["left"], box["top"], box["width"], box["height"], box.get("confidence"))
        for box in value["boxes"]
    ]


def truth(job: LabelingJob, row: DataObject) -> Detections:
    """People's label of an object, as selection reads it; needs `label` loaded."""
    place = {label: number for number, label in enumerate(job.labels)}
    return Detections.of([(place[box.label], box.left, box.top, box.width, box.height, 1.0) for box in _boxes(row)])
