"""Which objects of a loop people label next, and the split of each.

Calibration objects are always a random sample of the unlabeled ones, never chosen by what a model thinks of them:
otherwise nothing would follow from them for the others. Training objects are chosen by selection/next_batch.py. Knows
predictions and sizes; neither money nor the states of rounds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from learning.contract import Prediction
from learning.models import LearningLoop, Round, Split
from learning.selection import next_batch
from learning.selection.next_batch import Pool
from learning.selection.quality import Floats
from learning.services.active import evaluation, learners, loop_objects
from learning.services.active.loop_settings import LoopSettings

KNOWN = 2000
"""Labeled objects of each split that the next ones are compared with; of more the first are taken."""


@dataclass(frozen=True)
class Chosen:
    """The split of each chosen object, and the figures of the round that tell how they were chosen."""

    splits: dict[int, str]
    figures: dict[str, Any] = field(default_factory=dict)


def seed(loop: LearningLoop, settings: LoopSettings, *, number: int, count: int) -> Chosen:
    """`count` random unlabeled objects; for the share of calibration see LoopSettings.validation_size."""
    selected = _shuffled(loop, settings, number)[:count]
    before = loop_objects.selected_count(loop)
    after = before + len(selected)
    # Each batch has the same share of validation objects when the seed is labeled in several batches.
    share = settings.validation_size() / max(settings.seed_size, 1)
    aside = round(after * share) - round(before * share)
    splits = {pk: str(Split.VALIDATION if place < aside else Split.TRAIN) for place, pk in enumerate(selected)}
    return Chosen(splits, {"selection": {"random": len(selected) - aside, "calibration": aside}})


def rest(loop: LearningLoop, settings: LoopSettings, *, number: int, count: int) -> Chosen:
    """`count` random unlabeled objects when no model will be trained any more."""
    selected = _shuffled(loop, settings, number)[:count]
    return Chosen(dict.fromkeys(selected, str(Split.TRAIN)), {"selection": {"rest": len(selected)}})


def next_objects(
    loop: LearningLoop, settings: LoopSettings, *, number: int, count: int, calibration: int | None = None
) -> Chosen:
    """`count` unlabeled objects: at most `calibration` random ones for validation, the most instructive for training.

    `calibration` None: as many as the settings allow. With settings.batch_boxes there may be fewer: objects are
    expected to have no more boxes together. Objects without a prediction are chosen at random, after the others.
    """
    rng = np.random.default_rng([settings.seed, number, 1])
    shuffled = _shuffled(loop, settings, number)
    most = settings.calibration_size(count)
    aside = shuffled[: min(most if calibration is None else min(calibration, most), len(shuffled))]
    free, wanted = shuffled[len(aside) :], min(count, len(shuffled)) - len(aside)
    newest = _newest(loop)
    view = None if newest is None else _view(loop, newest, set(shuffled))
    if newest is None or view is None or not wanted:
        splits = dict.fromkeys(aside, str(Split.VALIDATION)) | dict.fromkeys(free[:wanted], str(Split.TRAIN))
        return Chosen(splits, {"selection": {"random": wanted, "calibration": len(aside)}})
    seen = [pk for pk in free if pk in view.place]
    pool = view.pool.take(np.array([view.place[pk] for pk in seen], dtype=np.int64))
    expected_aside = sum(view.boxes(pk) for pk in aside)
    found = next_batch.training_batch(
        pool,
        looks=_looks(loop, newest, seen),
        images=wanted,
        labeled=view.labeled,
        precision=view.precision,
        rng=rng,
        boxes=settings.batch_boxes - expected_aside if settings.batch_boxes else np.inf,
        box_cost=settings.box_cost,
        known=_embeddings_of(loop, newest, view.known),
    )
    chosen = [seen[place] for place in found.places.tolist()]
    full = bool(settings.batch_boxes) and len(chosen) < min(wanted, len(seen))
    unseen = [] if full else [pk for pk in free if pk not in view.place][: wanted - len(chosen)]
    splits = dict.fromkeys(aside, str(Split.VALIDATION)) | dict.fromkeys([*chosen, *unseen], str(Split.TRAIN))
    explored = round(min(wanted, len(seen)) * next_batch.EXPLORED)
    told = {
        "calibration": len(aside),
        "random": explored + len(unseen),
        "uncertain": len(chosen) - explored,
        "expected_boxes": round(found.boxes + expected_aside, 1),
    }
    return Chosen(splits, {"selection": told})


def _shuffled(loop: LearningLoop, settings: LoopSettings, number: int) -> list[int]:
    """The unlabeled objects in the random order of a round."""
    ids = np.array(list(loop_objects.unlabeled(loop.job).values_list("pk", flat=True)), dtype=np.int64)
    found: list[int] = np.random.default_rng([settings.seed, number]).permutation(ids).tolist()
    return found


# --- what the newest model says -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """The predictions of the newest model: `pool` of the objects, at the `place` of each in its arrays.

    `labeled` (c,) is the number of objects of each class in the labels of the `known` objects, `precision` (c,) how
    well the model finds each class.
    """

    pool: Pool
    place: dict[int, int]
    labeled: Floats
    precision: Floats
    known: set[int]

    def boxes(self, pk: int) -> float:
        """The boxes that an object is expected to hold; 0 where there is no prediction of it."""
        return float(self.pool.boxes[self.place[pk]].sum()) if pk in self.place else 0.0


def _newest(loop: LearningLoop) -> Round | None:
    """The newest round that has predictions."""
    rows = loop.rounds.filter(transform_job__status="Completed").order_by("-number")
    return rows.select_related("transform_job__model").first()


def _view(loop: LearningLoop, newest: Round, wanted: set[int]) -> View | None:
    """What the newest model says of these objects; None where it says nothing of any."""
    job, learner = loop.job, learners.of(loop.job)
    labeled: dict[int, Floats] = {}
    aside: set[int] = set()
    for split in (Split.TRAIN, Split.VALIDATION):
        for row in loop_objects.human_labeled(loop, split).select_related("label")[:KNOWN]:
            labeled[row.pk] = learner.amounts(loop_objects.truth(job, row), job.labels)
            aside |= {row.pk} if split == Split.VALIDATION else set()
    place: dict[int, int] = {}
    doubts: list[Floats] = []
    expected: list[Floats] = []
    sums: list[Floats] = []
    truths: list[Floats] = []
    for one in _usable(loop, newest):
        if one.object_id in wanted:
            place[one.object_id] = len(doubts)
            doubts.append(learner.doubts(one, job.labels))
            expected.append(learner.expected(one, job.labels))
        elif one.object_id in aside:
            # Only of objects that the model has not learned from: of the others it is too sure.
            sums.append(learner.expected(one, job.labels))
            truths.append(labeled[one.object_id])
    if not place:
        return None
    width = len(job.labels)
    rates = next_batch.box_rates(np.reshape(sums, (-1, width)), np.reshape(truths, (-1, width)))
    total = np.sum(list(labeled.values()), axis=0) if labeled else np.zeros(width)
    pool = Pool(np.array(doubts), np.array(expected) * rates)
    return View(pool, place, total, _precision(loop, newest), set(labeled))


def _usable(loop: LearningLoop, newest: Round) -> Iterator[Prediction]:
    for one in evaluation.predictions(loop.job, newest.transform_job):
        if one.object_id is not None and one.error is None:
            yield one


def _precision(loop: LearningLoop, newest: Round) -> Floats:
    """(c,) how well the newest model finds each class, by its names of today; NaN where that is not known."""
    job, prefix = loop.job, learners.of(loop.job).class_figure
    places = {label: place for place, label in enumerate(job.labels)}
    found = np.full(len(job.labels), np.nan)
    for name, value in newest.transform_job.model.metrics.items():
        label = name.removeprefix(prefix)
        if name.startswith(prefix) and (place := places.get(job.earlier_labels.get(label, label))) is not None:
            found[place] = value
    return found


def _looks(loop: LearningLoop, newest: Round, ids: list[int]) -> Callable[[Any], Floats | None]:
    """The embeddings of the objects at places of `ids`; None when one of them has none."""

    def looks(places: Any) -> Floats | None:
        asked = [ids[place] for place in places.tolist()]
        found = dict(_embeddings(loop, newest, set(asked)))
        if any(pk not in found for pk in asked):
            return None
        return np.array([found[pk] for pk in asked], dtype=np.float64)

    return looks


def _embeddings_of(loop: LearningLoop, newest: Round, ids: Iterable[int]) -> Floats | None:
    """The embeddings of those of the objects that have one; None for none."""
    found = [vector for _, vector in _embeddings(loop, newest, set(ids))]
    return np.array(found, dtype=np.float64) if found else None


def _embeddings(loop: LearningLoop, newest: Round, wanted: set[int]) -> Iterator[tuple[int, list[float]]]:
    for one in _usable(loop, newest):
        if one.object_id in wanted and one.embedding:
            yield one.object_id, one.embedding
