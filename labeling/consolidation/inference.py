"""One pass over a stack of images: clusters, fused boxes, existence, classes, confidence, all as arrays.

The E step of the fit and the whole of a consolidation; judges with the worker models it is given and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.consolidation.clusters import Floats, Ints, absorb, iou, link, overlapping_pairs
from labeling.consolidation.existence import FEATURES, Pairs, existence_log_odds, usable_weights
from labeling.consolidation.fusion import BORDER, Fused, edge_sigma, extents, fuse, sums
from labeling.consolidation.odds import logistic
from labeling.consolidation.shape import log_ratio
from labeling.consolidation.stack import UNKNOWN, Stack
from labeling.consolidation.workers import Rates, WorkerModels

GATE_SHARE = 0.45
GATE_LOWEST, GATE_HIGHEST = 0.15, 0.4
OTHER_LABEL = 0.6
ABSORB_IOU = 0.4
"""A pair with two labels must be this much closer (1 / OTHER_LABEL) than a pair with one."""


@dataclass(frozen=True, slots=True)
class Inference:
    """`group` (N,) is the candidate of each box; K candidates with `image` (K,), `label` (K,) (UNKNOWN: none),
    `label_chance` (K,), `log_odds` (K,), `features` (K, F), `confidence` (K,). `pairs` (P,) are candidate x worker who
    answered there, `pair_worker` (P,) who that is; `next_hit` (K,) is how often a worker nobody has met would draw such
    an object. `member_iou` (N,) is each box's overlap with the fused one."""

    group: Ints
    image: Ints
    fused: Fused
    rates: Rates
    label: Ints
    label_chance: Floats
    log_odds: Floats
    features: Floats
    confidence: Floats
    pairs: Pairs
    pair_worker: Ints
    next_hit: Floats
    member_iou: Floats


def infer(stack: Stack, models: WorkerModels) -> Inference:
    """Everything the answers say about every image of `stack`, under `models`."""
    rates = models.rates(stack.workers)
    group = cluster(stack, rates, models)
    groups = int(group.max(initial=-1)) + 1
    image = np.zeros(groups, np.int64)
    image[group] = stack.image
    fused = fuse(stack.ltrb, stack.worker, group, groups, stack.size[image], rates, models.population)
    pair_group, pair_worker = _pairs(stack, image)
    who = len(stack.workers) + 1
    drew = np.isin(pair_group * who + pair_worker, group * who + stack.worker)
    label, label_chance = _labels(stack, group, groups, models)
    hit = models.class_hits(rates, stack.workers, stack.labels)
    pairs = Pairs(pair_group, hit[pair_worker, label[pair_group]], rates.false[pair_worker], drew)
    log_odds = existence_log_odds(pairs, models.population, groups)
    member_iou = iou(stack.ltrb, fused.ltrb[group])
    shape = log_ratio(fused.ltrb, label, stack.labels, models.population.shapes, models.population.slips)
    features = _features(stack, group, image, fused, log_odds, member_iou, shape)
    weights = usable_weights(models.calibration.weights)
    confidence = logistic(features @ weights) * label_chance
    return Inference(
        group, image, fused, rates, label, label_chance, log_odds, features, confidence, pairs, pair_worker,
        hit[-1, label], member_iou,
    )  # fmt: skip


def cluster(stack: Stack, rates: Rates, models: WorkerModels) -> Ints:
    """Candidate number of every box. Two boxes belong together when their IoU reaches a share of what their workers'
    spread makes two boxes of one object expect: E[IoU] ~ exp(-sum_s sqrt(2/pi) sqrt(d_as^2 + d_bs^2) / extent_s)."""
    a, b = overlapping_pairs(stack.ltrb, stack.image)
    extent = extents(stack.ltrb)
    deviation = rates.spread[stack.worker] * edge_sigma(extent, models.population) / extent
    apart = np.sqrt(2 / np.pi) * np.sqrt(deviation[a] ** 2 + deviation[b] ** 2).sum(axis=1)
    gate = np.clip(GATE_SHARE * np.exp(-apart), GATE_LOWEST, GATE_HIGHEST)
    same = (stack.label[a] == stack.label[b]) | (stack.label[a] == UNKNOWN) | (stack.label[b] == UNKNOWN)
    affinity = iou(stack.ltrb[a], stack.ltrb[b]) / gate * np.where(same, 1.0, OTHER_LABEL)
    group = link(stack.worker, a, b, affinity, 1.0)
    return absorb(group, stack.ltrb, stack.image, stack.worker, ABSORB_IOU)


def _pairs(stack: Stack, image: Ints) -> tuple[Ints, Ints]:
    """Every (candidate, worker who answered its image), by candidate and then worker."""
    order = np.lexsort((stack.answer_worker, stack.answer_image))
    answered = np.bincount(stack.answer_image, minlength=stack.images)
    start = np.cumsum(answered) - answered
    count = answered[image]
    pair_group = np.repeat(np.arange(len(image)), count)
    step = np.arange(len(pair_group)) - np.repeat(np.cumsum(count) - count, count)
    return pair_group, stack.answer_worker[order][start[image][pair_group] + step]


def _labels(stack: Stack, group: Ints, groups: int, models: WorkerModels) -> tuple[Ints, Floats]:
    """Most probable class of each candidate and its posterior: Dawid & Skene (1979)."""
    known = np.flatnonzero(stack.label != UNKNOWN)
    if not len(stack.labels):
        return np.full(groups, UNKNOWN), np.zeros(groups)
    votes, index = np.unique(np.stack([stack.worker[known], stack.label[known]], axis=1), axis=0, return_inverse=True)
    table = models.label_likelihood(stack.workers, stack.labels, votes)
    log_chance = models.label_prior(stack.labels) + sums(table[index.ravel()], group[known], groups)
    chance = np.exp(log_chance - log_chance.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    any_vote = np.bincount(group[known], minlength=groups) > 0
    best = np.round(chance, 9).argmax(axis=1)
    return np.where(any_vote, best, UNKNOWN), np.where(any_vote, chance[np.arange(groups), best], 0.0)


def _features(
    stack: Stack, group: Ints, image: Ints, fused: Fused, log_odds: Floats, member_iou: Floats, shape: Floats
) -> Floats:
    """(K, F) in the order of existence.FEATURES, each roughly within -3..3."""
    groups = len(image)
    members = np.bincount(group, minlength=groups)
    answered = np.bincount(stack.answer_image, minlength=stack.images)[image]
    agreement = sums(member_iou, group, groups) / np.maximum(members, 1)
    wh = fused.ltrb[:, 2:] - fused.ltrb[:, :2]
    size = stack.size[image]
    small = -np.log(np.sqrt(wh.prod(axis=1) / size.prod(axis=1)) / 0.1)
    border = (fused.ltrb[:, :2] <= BORDER).any(axis=1) | (fused.ltrb[:, 2:] >= size - BORDER).any(axis=1)
    columns = {
        "bias": np.ones(groups),
        "log_odds": np.clip(log_odds, -12, 12),
        "share": np.log((members + 0.5) / (answered - members + 0.5)),
        "agreement": np.where(members > 1, (agreement - 0.75) / 0.15, 0.0),
        "small": np.clip(small, -2.0, 2.0),
        "border": border.astype(float),
        "shadowed": _shadowed(fused.ltrb, image, log_odds),
        "shape": shape,
    }
    return np.stack([columns[name] for name in FEATURES], axis=1)


def _shadowed(ltrb: Floats, image: Ints, log_odds: Floats) -> Floats:
    """Greatest IoU with a more certain candidate of the same image: a duplicate, or half of a wrongly split object."""
    a, b = overlapping_pairs(ltrb, image)
    overlap = iou(ltrb[a], ltrb[b])
    out = np.zeros(len(ltrb))
    weaker = np.where(log_odds[a] <= log_odds[b], a, b)
    np.maximum.at(out, weaker, overlap)
    return out
