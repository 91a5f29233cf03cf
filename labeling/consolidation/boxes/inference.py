"""What the answers say about every image, step by step: clusters, fused boxes, labels, existence, confidence.

The E step of the fit and the whole of a consolidation. Judges with the worker models it is given and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.consolidation.arrays import Floats, Ints, extents, group_sums, iou, overlapping_pairs
from labeling.consolidation.boxes.answers import UNKNOWN, AnswerArrays
from labeling.consolidation.boxes.confidence import judge
from labeling.consolidation.boxes.fusion import Fused, fuse
from labeling.consolidation.boxes.proposals import on_proposals, proposed_doubt, where_proposed
from labeling.consolidation.clustering import cluster
from labeling.consolidation.existence import Pairs, log_odds_and_error
from labeling.consolidation.workers.models import Population, Rates, WorkerModels

GATE_SHARE = 0.45
"""Boxes belong together from this share of the IoU that two boxes of one object are expected to have."""

GATE_LOWEST, GATE_HIGHEST = 0.15, 0.4
"""The IoU from which boxes belong together is always within these."""

OTHER_LABEL = 0.6
"""The IoU of two boxes with two labels counts only by this share."""

COPIED_VOTE = 0.5
"""What the class of a proposed box that somebody left as it was counts for, against one that they chose."""

JOIN_IOU = 0.4
"""Clusters that overlap by this much may be joined afterwards."""


@dataclass(frozen=True, slots=True)
class Inference:
    """N boxes and their K candidates (clusters), as arrays.

    `group` (N,) is the candidate of each box, `member_iou` (N,) its overlap with the fused box. Of each candidate:
    `image` (K,), `fused`, `label` (K,) (UNKNOWN: none), `label_chance` (K,), `log_odds` (K,) of existence, `features`
    (K, F), `real` (K,) the chance that it is an object, `confidence` (K,) the chance that it is right. `pairs` (P,) are
    candidates x workers who answered there, `pair_worker` (P,) are those workers. `confidence_low`, `confidence_high`
    (K,) are where the confidence lies nine times in ten by what is known of the workers. `next_recall` (K,) is how
    often a worker without a record would draw such an object. `rates` are the workers'.
    """

    group: Ints
    member_iou: Floats
    image: Ints
    fused: Fused
    label: Ints
    label_chance: Floats
    log_odds: Floats
    features: Floats
    real: Floats
    confidence: Floats
    confidence_low: Floats
    confidence_high: Floats
    pairs: Pairs
    pair_worker: Ints
    next_recall: Floats
    rates: Rates


def infer(given: AnswerArrays, models: WorkerModels) -> Inference:
    """Everything the answers say about every image of `given`, under `models`."""
    population = models.population
    rates = models.rates(given.workers, given.labels)

    group = _cluster(given, rates, population)
    groups = int(group.max(initial=-1)) + 1
    image = np.zeros(groups, np.int64)
    image[group] = given.image

    fused = fuse(
        given.ltrb,
        given.worker,
        group,
        groups,
        given.size[image],
        rates,
        population,
        doubt=proposed_doubt(given) if given.proposer.any() else None,
    )
    member_iou = iou(given.ltrb, fused.ltrb[group])

    label, label_chance = _vote_on_labels(given, group, groups, models)

    pair_group, pair_worker = _pairs(given, image)
    number_of_workers = len(given.workers) + 1
    copied = group[given.copied[:, 0]] * number_of_workers + given.copied[:, 1]
    drawn = np.append(group * number_of_workers + given.worker, copied)
    drew = np.isin(pair_group * number_of_workers + pair_worker, drawn)
    recall, false = rates.recall_by_class[pair_worker, label[pair_group]], rates.false_positive_rate[pair_worker]
    if given.proposer.any():
        checking = on_proposals(given, group, image, pair_group, pair_worker)
        recall = np.where(checking, models.checks.keeps_real, recall)
        false = np.where(checking, models.checks.keeps_false, false)
    pairs = Pairs(pair_group, recall, false, drew)
    chances, distractors = rates.chances[pair_worker], rates.distractors[pair_worker]
    log_odds, error = log_odds_and_error(pairs, population, groups, chances=chances, distractors=distractors)
    if given.proposer.any():
        log_odds = where_proposed(given, group, pairs, pair_worker, models, otherwise=log_odds)

    features, real, low, high = judge(given, models, group, image, label, fused, log_odds, error, member_iou)
    return Inference(
        group=group,
        member_iou=member_iou,
        image=image,
        fused=fused,
        label=label,
        label_chance=label_chance,
        log_odds=log_odds,
        features=features,
        real=real,
        confidence=real * label_chance,
        confidence_low=low * label_chance,
        confidence_high=high * label_chance,
        pairs=pairs,
        pair_worker=pair_worker,
        next_recall=rates.recall_by_class[-1, label],
        rates=rates,
    )


def _cluster(given: AnswerArrays, rates: Rates, population: Population) -> Ints:
    """Candidate number of every box (N,).

    Two boxes belong together when their IoU reaches a share of the IoU that two boxes of one object are expected to
    have, given their workers' spread: E[IoU] ~ exp(-sum_s sqrt(2/pi) sqrt(d_as^2 + d_bs^2) / extent_s).
    """
    a, b = overlapping_pairs(given.ltrb, given.image)
    extent = extents(given.ltrb)
    deviation = rates.spread[given.worker] * population.edges(extent)[0] / extent
    apart = np.sqrt(2 / np.pi) * np.sqrt(deviation[a] ** 2 + deviation[b] ** 2).sum(axis=1)
    gate = np.clip(GATE_SHARE * np.exp(-apart), GATE_LOWEST, GATE_HIGHEST)
    same = (given.label[a] == given.label[b]) | (given.label[a] == UNKNOWN) | (given.label[b] == UNKNOWN)
    affinity = iou(given.ltrb[a], given.ltrb[b]) / gate * np.where(same, 1.0, OTHER_LABEL)
    return cluster(given.image, given.worker, given.ltrb, (a, b), affinity, JOIN_IOU)


def _vote_on_labels(given: AnswerArrays, group: Ints, groups: int, models: WorkerModels) -> tuple[Ints, Floats]:
    """Most probable class of each candidate and its posterior, (groups,) each: Dawid & Skene (1979)."""
    # Who leaves a proposed box as it was has named its class too, but would rather have done so than name another.
    box = np.append(np.arange(len(given.label)), given.copied[:, 0])
    worker = np.append(given.worker, given.copied[:, 1])
    weight = np.append(np.ones(len(given.label)), np.full(len(given.copied), COPIED_VOTE))
    known = np.flatnonzero(given.label[box] != UNKNOWN)
    box, worker, weight = box[known], worker[known], weight[known]
    if not len(given.labels):
        return np.full(groups, UNKNOWN), np.zeros(groups)
    votes, index = np.unique(np.stack([worker, given.label[box]], axis=1), axis=0, return_inverse=True)
    prior, likelihood = models.label_chances(given.workers, given.labels, votes)
    log_chance = prior + group_sums(likelihood[index.ravel()] * weight[:, None], group[box], groups)
    chance = np.exp(log_chance - log_chance.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    any_vote = np.bincount(group[box], minlength=groups) > 0
    best = np.round(chance, 9).argmax(axis=1)
    return np.where(any_vote, best, UNKNOWN), np.where(any_vote, chance[np.arange(groups), best], 0.0)


def _pairs(given: AnswerArrays, image: Ints) -> tuple[Ints, Ints]:
    """Every (candidate, worker who answered its image), by candidate and then worker."""
    order = np.lexsort((given.answer_worker, given.answer_image))
    answered = np.bincount(given.answer_image, minlength=given.images)
    start = np.cumsum(answered) - answered
    count = answered[image]
    pair_group = np.repeat(np.arange(len(image)), count)
    step = np.arange(len(pair_group)) - np.repeat(np.cumsum(count) - count, count)
    return pair_group, given.answer_worker[order][start[image][pair_group] + step]
