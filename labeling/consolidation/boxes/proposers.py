"""What is learned of models whose boxes people begin with, and of people who check them.

How good a model is, is learned only where people did not see its boxes; how people check, only where they did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from labeling.consolidation.answers import WorkerAnswer, chunks
from labeling.consolidation.arrays import Floats, iou
from labeling.consolidation.boxes.answers import AnswerArrays, ImageAnswers, flatten
from labeling.consolidation.boxes.fit import CHUNK, counts_of, known_truth
from labeling.consolidation.boxes.inference import Inference, infer
from labeling.consolidation.boxes.proposals import STRICT_IOU, on_proposals, proposed_badly
from labeling.consolidation.workers.models import WorkerModels
from labeling.consolidation.workers.proposers import UNPROVEN, Checks, Precision, fit_precisions
from labeling.consolidation.workers.skills import Skill
from labeling.formats.shapes import Box

CHECK_ROUNDS = 4
"""How often the rates of people who check are learned anew, each time with those of before."""


def learn_proposals(
    images: Iterable[ImageAnswers],
    labeled: Sequence[tuple[ImageAnswers, tuple[Box, ...]]],
    models: WorkerModels,
    labels: Sequence[str],
) -> None:
    """Put into `models` what `images` say of proposers and of checking.

    How good each model is, is found against the boxes of those that people `labeled` without seeing its own.
    """
    models.proposers = _unproven(sorted({one.model for image in images for one in image.proposals}))
    truths = [_with_models(image, boxes) for image, boxes in labeled]
    if truths:
        for name, skill in counts_of(truths, models, labels).items():
            if name in models.proposers:
                models.proposers[name].add(skill)
        models.precisions, models.placings = _precisions(truths, models, labels)
    checked = [image for image in images if image.shown is not None]
    for _ in range(CHECK_ROUNDS):
        models.checks = _checks(checked, models, labels)


def _with_models(image: ImageAnswers, boxes: tuple[Box, ...]) -> ImageAnswers:
    """An image that people have labeled without seeing the proposals: the models among those who answered, and the
    label of people as the truth."""
    models = (WorkerAnswer(one.model, one.value) for one in image.proposals)
    return ImageAnswers((*image.answers, *models), image.image_size, gold=boxes, key=image.key)


def _precisions(
    truths: Sequence[ImageAnswers], models: WorkerModels, labels: Sequence[str]
) -> tuple[dict[str, Precision], dict[str, Precision]]:
    """How many boxes of each model are about an object, and how many of these lie well, by their scores: of images
    `_with_models`."""
    rows: dict[str, list[Floats]] = {name: [] for name in models.proposers}
    for some in chunks(truths, CHUNK):
        given = flatten(some, labels)
        inference = infer(given, models)
        truth = known_truth(given, inference, [image.gold for image in some])
        well = iou(given.ltrb, truth.ltrb[inference.group]) >= STRICT_IOU
        table = np.stack([given.score, truth.real[inference.group], well.astype(float)], axis=1)
        for number, name in enumerate(given.workers):
            if name in rows:
                rows[name].append(table[given.worker == number])
    tables = {name: np.concatenate([*some, np.zeros((0, 3))]) for name, some in rows.items()}
    real = {name: table[table[:, 1] > 0.5] for name, table in tables.items()}
    return (
        fit_precisions({name: (table[:, 0], table[:, 1]) for name, table in tables.items()}),
        fit_precisions({name: (table[:, 0], table[:, 2]) for name, table in real.items()}),
    )


def _unproven(names: Iterable[str]) -> dict[str, Skill]:
    """A record to begin with for each of these models."""
    made = {name: Skill() for name in names}
    for skill in made.values():
        skill.add(UNPROVEN)
    return made


def _checks(images: Sequence[ImageAnswers], models: WorkerModels, labels: Sequence[str]) -> Checks:
    total = Checks()
    for some in chunks(images, CHUNK):
        given = flatten(some, labels)
        total = _add_checks(total, given, infer(given, models), models)
    return total


def _add_checks(total: Checks, given: AnswerArrays, inference: Inference, models: WorkerModels) -> Checks:
    """The counts with those of more images: what became of proposed boxes by people who began with them."""
    pairs, candidates = inference.pairs, len(inference.real)
    mine = on_proposals(given, inference.group, inference.image, pairs.group, inference.pair_worker)
    real, drew = inference.real[pairs.group[mine]], pairs.drew[mine]
    kept = np.bincount(pairs.group[mine], drew, candidates) * inference.real
    left = np.bincount(inference.group[given.copied[:, 0]], minlength=candidates) * inference.real
    badly = proposed_badly(given, inference.group, inference.fused.ltrb, models)
    badly, well = np.nan_to_num(badly), np.nan_to_num(1 - badly)
    return Checks(
        kept_real=total.kept_real + float((real * drew).sum()),
        real=total.real + float(real.sum()),
        kept_false=total.kept_false + float(((1 - real) * drew).sum()),
        false=total.false + float((1 - real).sum()),
        left_well=total.left_well + float((left * well).sum()),
        well=total.well + float((kept * well).sum()),
        left_badly=total.left_badly + float((left * badly).sum()),
        badly=total.badly + float((kept * badly).sum()),
    )
