"""Boxes that a model proposes and people check: what that says, how sure the model is, and what checking is worth.

A model whose boxes people begin with is one more worker. Its skill is learned only where people did not see its boxes:
there their label is independent of it. People who began with its boxes are not independent of it. Of a proposed box
that is real they keep the share `keeps_real`, of one that is not `keeps_false` (workers/proposers.py: Checks); these
rates take the place of recall and false positive rate, so that keeping a box is as weak a sign as people are seldom
seen to delete one. How many of the proposed boxes are false is known from the model's skill and the boxes' scores, so
the rates can be learned where nobody knows the truth: if nobody ever deletes anything, keeping proves nothing. Things
that the model did not propose are drawn, and judged, as ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from labeling.consolidation.arrays import LOWEST_CHANCE, Bools, Floats, Ints, iou, logistic
from labeling.consolidation.boxes.answers import AnswerArrays, ImageAnswers
from labeling.consolidation.boxes.confidence import log_odds_weight
from labeling.consolidation.existence import Pairs
from labeling.consolidation.workers.models import WorkerModels

STRICT_IOU = 0.75
"""A box lies well when it overlaps the object by this much."""

COPY_PRECISION = 0.25
"""What a person who leaves a box as it was adds to the precision of its sides, in parts of the model's own. On
simulated people 0.25 gave better sides than 0 and 0.5, and to distrust boxes that others moved gave worse ones."""


def blind(images: Iterable[ImageAnswers]) -> Iterator[ImageAnswers]:
    """The images whose answers nobody began with a proposal."""
    return (image for image in images if image.shown is None)


def on_proposals(given: AnswerArrays, group: Ints, image: Ints, pair_group: Ints, pair_worker: Ints) -> Bools:
    """Which pairs (P,) of a candidate and a worker are about a proposed box and somebody who began with it.

    `group` (N,) is the candidate of each box, `image` (K,) the image of each candidate.
    """
    number_of_workers = len(given.workers) + 1
    proposed = np.bincount(group, given.proposer[given.worker], len(image)) > 0
    began = given.answer_image[given.began] * number_of_workers + given.answer_worker[given.began]
    found: Bools = proposed[pair_group] & np.isin(image[pair_group] * number_of_workers + pair_worker, began)
    return found


def where_proposed(
    given: AnswerArrays, group: Ints, pairs: Pairs, pair_worker: Ints, models: WorkerModels, *, otherwise: Floats
) -> Floats:
    """log P(real | answers) / P(distractor | answers) of each candidate (K,); of those not proposed it is `otherwise`.

    A box of a model is about an object with the chance that is known of the model's boxes of that score, whatever
    people have drawn that it has not; each of them then keeps or deletes it by the rates in `pairs`.
    The chance counts in full: what log-odds are weighed by (confidence.py) allows for people being less independent
    than they are taken to be.
    """
    mine = given.proposer[given.worker]
    prior = np.full(len(otherwise), np.nan)
    for number in np.unique(given.worker[mine]):
        its = mine & (given.worker == number)
        of_model = models.precision(given.workers[number]).log_odds(given.score[its])
        prior[group[its]] = of_model / log_odds_weight(models.calibration)
    if_real, if_false = (
        np.log(np.clip(np.where(pairs.drew, rate, 1 - rate), LOWEST_CHANCE, 1.0))
        for rate in (pairs.recall, pairs.false_positive_rate)
    )
    by_people = np.bincount(pairs.group, np.where(given.proposer[pair_worker], 0.0, if_real - if_false), len(otherwise))
    return np.where(np.isnan(prior), otherwise, prior + by_people)


def proposed_badly(given: AnswerArrays, group: Ints, fused: Floats, models: WorkerModels) -> Floats:
    """The chance that the model's box of each candidate (K,), if real, overlaps its object by less than STRICT_IOU;
    NaN for candidates that are not proposed.

    Where somebody has drawn the object too, the fused box (K, 4) tells. Where all have left the box as it was, how
    often boxes of that score lie badly, and how seldom people then leave one, tell.
    """
    own = given.proposer[given.worker]
    mine = np.flatnonzero(own)
    drawn = np.bincount(group, ~own, len(fused)) > 0
    left = np.bincount(group[given.copied[:, 0]], minlength=len(fused))
    badly = np.full(len(fused), np.nan)
    for number in np.unique(given.worker[mine]):
        boxes = mine[given.worker[mine] == number]
        at = group[boxes]
        odds = left[at] * np.log(models.checks.leaves_badly) - models.placing(given.workers[number]).log_odds(
            given.score[boxes]
        )
        badly[at] = np.where(drawn[at], iou(given.ltrb[boxes], fused[at]) < STRICT_IOU, logistic(odds))
    return badly


def proposed_doubt(given: AnswerArrays) -> Floats:
    """(N,) what the standard deviation of each box's sides is multiplied by: proposed boxes that people left as they
    were are surer."""
    left = np.bincount(given.copied[:, 0], minlength=len(given.ltrb))
    return np.asarray(1 / np.sqrt(1 + COPY_PRECISION * left))
