"""The mean of several outlines of one thing: a reference is moved, point by point, by how far the others lie from it.

Vertices of two outlines are not the same places and cannot be averaged; the places on the others that are nearest to a
point of the reference can. Far ones count less (Huber). Knows no labels and no workers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeling.consolidation.arrays import Bools, Floats

POINTS = 96
"""Points along the reference, beside its own vertices, about."""

ROUNDS = 2

HUBER = 2.0
"""Distances from the middle beyond so many usual ones count less."""

FINEST, COARSEST = 0.3, 0.5
"""A vertex is left out that lies nearer to the line without it than so many pixels, or than this share of how far the
outlines lie apart."""


def mean_outline(reference: Floats, others: Sequence[Floats], *, closed: bool) -> Floats:
    """The vertices (V, 2) of the mean of a reference and others, each (V, 2); the reference itself if all are alike."""
    points = _along(reference, closed)
    lines = [_closed(one) if closed else one for one in (reference, *others)]
    apart = 0.0
    for _ in range(ROUNDS):
        off = np.stack([_nearest(points, line) - points for line in lines])
        apart = max(apart, float(np.sqrt((off**2).sum(axis=2).mean())))
        points = points + robust_mean(off)
    if apart < 1e-9:
        return reference
    found = simplified(points, max(FINEST, COARSEST * apart), closed=closed)
    return np.asarray(np.round(found, 2) + 0.0)


def robust_mean(values: Floats, weights: Floats | None = None) -> Floats:
    """The mean over the first axis of vectors (M, ..., 2), those far from the median counting less; `weights` (M,)."""
    middle = np.median(values, axis=0)
    distance = np.hypot(*np.moveaxis(values - middle, -1, 0))
    usual = float(np.median(distance)) if len(values) > 2 else float(distance.max())
    weight = 1 / np.maximum(1.0, distance / max(HUBER * usual, 1e-9))
    if weights is not None:
        weight = weight * weights.reshape(-1, *[1] * (weight.ndim - 1))
    return np.asarray((values * weight[..., None]).sum(axis=0) / weight.sum(axis=0)[..., None])


def simplified(points: Floats, tolerance: float, *, closed: bool) -> Floats:
    """Fewer of these points, so that none that is left out lies farther than `tolerance` from the rest (Douglas and
    Peucker). A closed outline keeps at least three."""
    if not closed:
        return points[_kept(points, tolerance)]
    far = int(np.hypot(*(points - points[0]).T).argmax())
    halves = points[: far + 1], np.concatenate([points[far:], points[:1]])
    kept = [half[_kept(half, tolerance)][:-1] for half in halves]
    found = np.concatenate(kept)
    return found if len(found) >= 3 else points


def _kept(points: Floats, tolerance: float) -> Bools:
    kept = np.zeros(len(points), bool)
    kept[[0, -1]] = True
    open_ = [(0, len(points) - 1)]
    while open_:
        first, last = open_.pop()
        if last - first < 2:
            continue
        inner = points[first + 1 : last]
        distance = np.hypot(*(_nearest(inner, points[[first, last]]) - inner).T)
        worst = int(distance.argmax())
        if distance[worst] > tolerance:
            kept[first + 1 + worst] = True
            open_ += [(first, first + 1 + worst), (first + 1 + worst, last)]
    return kept


def _closed(points: Floats) -> Floats:
    return np.concatenate([points, points[:1]])


def _along(vertices: Floats, closed: bool) -> Floats:
    """The vertices and points at about equal distances between them."""
    line = _closed(vertices) if closed else vertices
    if len(line) < 2:
        return line
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    places = np.unique(np.concatenate([run, np.linspace(0.0, run[-1], POINTS)]))
    places = places[:-1] if closed and len(places) > 1 else places
    return np.stack([np.interp(places, run, line[:, axis]) for axis in (0, 1)], axis=1)


def _nearest(points: Floats, line: Floats) -> Floats:
    """For each point (P, 2) the nearest place on a line through vertices: (P, 2)."""
    if len(line) < 2:
        return np.broadcast_to(line[:1], points.shape).astype(np.float64)
    start, way = line[:-1], np.diff(line, axis=0)
    length = np.maximum((way**2).sum(axis=1), 1e-12)
    share = np.clip(((points[:, None] - start) * way).sum(axis=2) / length, 0.0, 1.0)
    place = start + share[..., None] * way
    nearest = ((points[:, None] - place) ** 2).sum(axis=2).argmin(axis=1)
    return np.asarray(place[np.arange(len(points)), nearest])
