"""One area out of several workers' drawings of it: outlines are averaged, parts that some lack are decided as a whole.

Each worker's mask is smoothed by as much as outlines scatter. Near an outline the smoothed mask says how far outside or
inside of it a pixel lies, so that a weighted mean of smoothed masks, cut at zero, is a mean outline: it scatters less
than the middle one, which a vote by pixel would give. Deep inside a part that some painted and others did not there is
no outline to average: such a part is there or not (see parts.py), and those who were wrong about it have no say about
the outline round it. Pixels about which all agree are never looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from labeling.consolidation.arrays import Bools, Floats, Ints, logistic
from labeling.consolidation.masks import grids, parts
from labeling.consolidation.masks.grids import Cells, Grid
from labeling.consolidation.workers.masks import Edge, Traits
from labeling.formats import segments

SMOOTHING = 0.65
"""Standard deviation of the smoothing, in those of the outlines."""

CELL = 1.25
"""Cells a standard deviation of the smoothing, about."""

LEAST, MOST = 0.5, 200.0
"""Standard deviation of outlines, in pixels, at least and at most."""

THICKNESS = 0.4
"""The same at most, in pixels of the area for each pixel of its outline: a fifth of the radius of a disc."""

MOST_CELLS = 4_000_000
"""Cells of all workers together: larger grids get larger cells."""

MOST_WORKERS = 60
"""With more workers parts are not told apart (a part is known by who painted it, one bit each)."""

FAR, NEAR, PART = 0.9, 0.8, 0.97
"""Of smoothed masks, -1 far outside to 1 far inside: no more than FAR counts, what is less than NEAR is near an
outline, and what is more than PART for all workers, either way, is a part."""

RIM = 1.8
"""Who was wrong about a part has no say so many standard deviations round it."""

SHRUNK = {2: (0.71, 0.71), 3: (0.46, 0.71), 4: (0.68, 0.83), 5: (0.73, 0.83)}
"""By the number of workers: median and mean distance of normal outlines from their common one, which is one of them,
against their distance from the true one. Of more workers both are nearly 1 - 1 / workers."""

TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the workers of an image drew of one thing: whether each (W, n) has each span of pixels (first pixel and
    length, without gaps from the first to the last)."""

    inside: Bools
    starts: Ints
    lengths: Ints
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fused:
    """The area as ends of runs, and how many of its pixels are expected to be right, how many there are, and how many
    are expected to be missing."""

    ends: Ints
    right: float
    pixels: float
    missing: float

    @property
    def overlap(self) -> float:
        """Expected intersection over union with the truth."""
        whole = self.pixels + self.missing
        return self.right / whole if whole else 1.0


@dataclass(frozen=True, slots=True)
class View:
    """What all workers drew where they disagree: smoothed masks (W, columns, rows) on a grid, from -1 far outside to 1
    far inside, the standard deviation of outlines and the area's thickness in pixels, what of the deviation is this
    image's own, and in each part who painted it (codes, 0 elsewhere)."""

    grid: Grid
    smoothed: Cells
    deviation: float
    thickness: float
    own: float
    codes: Ints


def ends_of(inside: Bools, starts: Ints, lengths: Ints) -> Ints:
    """The pixels at which an area begins and ends, given the spans (n,) that it has."""
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    return np.append(starts, starts[-1] + lengths[-1])[edges] if len(starts) else np.zeros(0, np.int64)


def all_ends(inside: Bools, drawn: Drawn) -> tuple[Ints, Ints]:
    """The ends of several areas (W, n), one area after the other, and how many each of the areas has (W,)."""
    padded = np.zeros((len(inside), inside.shape[1] + 2), bool)
    padded[:, 1:-1] = inside
    area, edges = np.nonzero(padded[:, 1:] != padded[:, :-1])
    pixels = np.append(drawn.starts, drawn.starts[-1:] + drawn.lengths[-1:])
    return pixels[edges], np.bincount(area, minlength=len(inside))


def majority(drawn: Drawn, weights: Floats) -> Bools:
    """(n,): the spans that more than half of the weight has."""
    return np.asarray(2 * (weights @ drawn.inside) > weights.sum() + TIE)


def view(drawn: Drawn, weights: Floats, usual: float | None = None) -> View | None:
    """None where all workers agree. `usual` is how far outlines scatter in the whole job, where it is known."""
    contested = drawn.inside.any(axis=0) & ~drawn.inside.all(axis=0)
    if not contested.any():
        return None
    own, thickness = scatter(drawn, weights)
    deviation = own if usual is None else float(np.sqrt(own * max(usual * thickness, LEAST)))
    side = max(1, round(SMOOTHING * deviation / CELL))
    margin = int(np.ceil(3 * deviation)) + side
    starts, lengths = drawn.starts[contested], drawn.lengths[contested]
    grid = grids.over(drawn.size, starts, lengths, side=side, margin=margin)
    while grid.columns * grid.rows * len(drawn.inside) > MOST_CELLS:
        side *= 2
        grid = grids.over(drawn.size, starts, lengths, side=side, margin=margin)
    smoothed = _smoothed(grid, *all_ends(drawn.inside, drawn), deviation)
    codes = np.zeros(smoothed.shape[1:], np.int64)
    if len(smoothed) <= MOST_WORKERS:
        deep = np.abs(smoothed).min(axis=0) > PART
        for worker, mine in enumerate(smoothed):
            codes += (mine > 0).astype(np.int64) << worker
        codes[~deep] = 0
    return View(grid, smoothed, deviation, thickness, own, codes)


def _smoothed(grid: Grid, ends: Ints, counts: Ints, deviation: float) -> Cells:
    return 2 * grids.smoothed(grids.covered(grid, ends, counts), max(SMOOTHING * deviation / grid.side, 0.3)) - 1


def scatter(drawn: Drawn, weights: Floats) -> tuple[float, float]:
    """By how many pixels outlines scatter, a standard deviation, and the thickness: pixels for each of the outline.

    From the lengths, along columns, of the stretches in which a worker differs from it: the median, which a few great
    parts that somebody left out do not move; no more than the pixels that differ make for the outline's length, and no
    more than a share of how thick the area is.
    """
    common = majority(drawn, weights)
    width, height = drawn.size
    area = float((drawn.lengths * common).sum())
    crossings = len(ends_of(common, drawn.starts, drawn.lengths))
    if not crossings:
        return LEAST, 1.0
    lengths, weight, differing = [], [], []
    every, counts = all_ends(drawn.inside != common, drawn)
    each = np.split(every, counts.cumsum()[:-1])
    for ends, worth in zip(each, weights.tolist(), strict=True):
        found = np.zeros(max(len(ends) // 2, crossings), np.int64)
        found[: len(ends) // 2] = ends[1::2] - ends[::2]
        lengths.append(found)
        weight.append(np.full(len(found), worth / len(found)))
        differing.append(found.sum())
    down = min(2 * area / crossings, width, height)
    around = np.pi / 4 * (crossings + 2 * down)
    workers = len(drawn.inside)
    by_median, by_mean = SHRUNK.get(workers, (1 - 1 / workers, 1 - 1 / workers))
    # Of two workers one may be the common outline all along.
    pixels = _median(np.array(differing), weights) if workers > 2 else float(np.mean(differing))
    usual = 1.2533 * pixels / around / by_mean
    if workers > 2:
        usual = min(usual, _median(np.concatenate(lengths), np.concatenate(weight)) / 0.6745 / by_median)
    return float(np.clip(min(usual, THICKNESS * area / around), LEAST, MOST)), area / around


def _median(values: Ints, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    running = np.cumsum(weights[order])
    return float(values[order[min(int(np.searchsorted(running, running[-1] / 2)), len(order) - 1)]])


def fused(drawn: Drawn, traits: Traits) -> Fused:
    """The area that several workers together draw."""
    common = majority(drawn, traits.trust)
    seen = view(drawn, traits.trust, traits.scatter) if len(drawn.inside) > 1 else None
    anybody, unanimous = np.asarray(drawn.inside.any(axis=0)), np.asarray(drawn.inside.all(axis=0))
    sure = float(logistic(parts.log_odds(np.ones((1, len(drawn.inside)), bool), traits)[0]))
    if seen is None:
        pixels = float(drawn.lengths[common].sum())
        return Fused(ends_of(common, drawn.starts, drawn.lengths), sure * pixels, pixels, 0.0)
    field, odds = decided(seen, traits)
    inner = grids.ends_where_positive(seen.grid, field)
    first, last = int(drawn.starts[0]), int(drawn.starts[-1] + drawn.lengths[-1])
    starts = segments.distinct(np.concatenate([drawn.starts, inner[(inner > first) & (inner < last)]]))
    at = np.searchsorted(drawn.starts, starts, side="right") - 1
    whole = unanimous[at] | (anybody[at] & segments.within(inner, starts))
    lengths = np.diff(starts, append=last)
    pixels = float(lengths[whole].sum())
    areas = seen.grid.areas()
    chance = logistic(odds)
    claimed = field > 0
    here = float(areas[claimed].sum())
    right = float((areas * chance)[claimed].sum())
    # What lies outside of the grid is what all workers painted.
    right = right * min(1.0, pixels / here) + max(pixels - here, 0.0) * sure if here else pixels * sure
    missing = float((areas * chance)[~claimed].sum())
    return Fused(ends_of(whole, starts, lengths), right, pixels, missing)


def decided(seen: View, traits: Traits) -> tuple[Cells, Floats]:
    """The field whose zero is the outline, (columns, rows), and the log-odds of each cell being inside."""
    decision, odds, absent = _of_parts(seen, traits)
    bias = erf(traits.bias * seen.thickness / (np.sqrt(2) * SMOOTHING * seen.deviation)).astype(np.float32)
    weights = (traits.trust / traits.spread**2).astype(np.float32)
    total = np.zeros(seen.codes.shape, np.float32)
    heavy, squares = np.zeros_like(total), np.zeros_like(total)
    for worker, (mine, weight) in enumerate(zip(seen.smoothed, weights, strict=True)):
        away = absent[worker]
        say = np.asarray(weight if away is None else weight * ~away)
        total += say * np.clip(mine - bias[worker], -FAR, FAR)
        heavy += say
        squares += say * weight
    mean = total / np.maximum(heavy, 1e-6)
    # A mean outline scatters by one over the root of how many it is the mean of, and the smoothed mask rises by .9 in
    # a standard deviation: the log-odds are those of a normal distribution, nearly.
    near = 2.0 * mean * heavy / np.sqrt(np.maximum(squares, 1e-9))
    beyond = seen.smoothed.max(axis=0) < -PART
    odds = np.where(decision != 0, odds, np.where(beyond, -np.inf, near))
    return np.where(decision != 0, decision, mean).astype(np.float32), odds


def _of_parts(seen: View, traits: Traits) -> tuple[Cells, Floats, list[Bools | None]]:
    """Of each cell of a part whether it is there (1, -1; 0 for others) and its log-odds; and where each worker, wrong
    about a part, has no say."""
    workers = len(seen.smoothed)
    painted, _pixels, which = parts.grouped(seen.codes, np.ones(seen.codes.shape), workers)
    table = np.zeros(len(painted) + 1)
    table[1:] = parts.log_odds(painted, traits)
    odds = table[which]
    there = np.where(odds > 0, 1.0, -1.0) * (which > 0)
    absent: list[Bools | None] = []
    reach = int(np.ceil(RIM * seen.deviation / seen.grid.side))
    for worker in range(workers):
        wrong_about = np.append(False, painted[:, worker] != (table[1:] > 0))
        wrong = wrong_about[which]
        absent.append(grids.widened(wrong, reach) if wrong_about.any() else None)
    return there.astype(np.float32), odds, absent


def things(label: str, workers: Sequence[str], drawn: Drawn, gold: Bools | None) -> Iterator[parts.Thing]:
    """The parts of one thing on one image, from which the rates of workers are learned. `gold` are its true spans."""
    weights = np.ones(len(workers))
    seen = view(drawn, weights)
    if gold is not None and gold.any() and not drawn.inside[:, gold].any():
        yield parts.Thing(label, tuple(workers), np.zeros(len(workers), bool), 1.0, True)
    common = drawn.inside.all(axis=0)
    if seen is None:
        there = None if gold is None else bool((drawn.lengths * gold)[common].sum() * 2 > drawn.lengths[common].sum())
        if common.any():
            yield parts.Thing(label, tuple(workers), np.ones(len(workers), bool), 1.0, there)
        return
    areas = seen.grid.areas()
    painted, pixels, which = parts.grouped(seen.codes, areas, len(workers))
    whole = float(pixels.sum())
    true = np.zeros(len(pixels))
    if gold is not None:
        share = grids.covered(seen.grid, *all_ends(gold[None], drawn))[0]
        true = np.bincount(which.ravel(), (share * areas).ravel(), len(pixels) + 1)[1:] / pixels
    least = 3 * seen.deviation**2 + 0.03 * whole
    for row, area, share in zip(painted, pixels.tolist(), true.tolist(), strict=True):
        there = None if gold is None else share > 0.5
        yield parts.Thing(label, tuple(workers), row, area / (area + least), there)


def edges(drawn: Drawn, traits: Traits, truth: Ints | None) -> list[Edge]:
    """Where each worker drew the outline, against that of the label or of the true area; nothing where all agree."""
    seen = view(drawn, traits.trust, traits.scatter)
    ends = np.zeros(0, np.int64)
    if seen is not None:
        ends = fused(drawn, traits).ends if truth is None else truth
    if seen is None or not len(ends):
        return [Edge() for _ in drawn.inside]
    label = _smoothed(seen.grid, ends, np.array([len(ends)]), seen.deviation)[0]
    band = np.abs(label) < NEAR
    around = seen.grid.side * float(np.hypot(*np.gradient(label)).sum()) / 2 if min(label.shape) > 1 else 0.0
    reach = int(np.ceil(RIM * seen.deviation / seen.grid.side))
    near = grids.widened(band, reach) if around else band
    areas = seen.grid.areas() / 2
    made = []
    for mine in seen.smoothed:
        here = band & (np.abs(mine) < 0.95)
        if np.count_nonzero(here) * 5 <= np.count_nonzero(band) * 2 or np.count_nonzero(here) < 8 or not around:
            made.append(Edge())
            continue
        off = float((areas * (mine - label))[near].sum()) / around / seen.thickness
        waver = float((mine - label)[here].var(dtype=np.float64))
        made.append(Edge(1.0, off, waver, float(np.log(seen.own / seen.thickness))))
    return made
