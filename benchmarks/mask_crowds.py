"""Generated crowds that draw masks: true areas of several parts, and people who draw their outlines in their own ways.

A true area is made of blobs (a radius as a Fourier series of the angle), some with a hole. A worker draws each blob by
clicking some two dozen points along an outline that is moved as a whole, wavers along its way, and lies outside or
inside of the true one as the worker is used to. Each kind of crowd makes one of these errors great.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Blob = tuple[Floats, Floats, bool]
"""Centre (2,), radius at each of ANGLES, and whether it is a hole."""

ANGLES = 360
WAVES = 24
"""Waves of a wavering outline at most; the more there are, the shorter the waves."""


@dataclass(frozen=True)
class Crowd:
    """Lengths are shares of the usual radius of a blob; `spammers` is a share of the workers, `missed` and `filled` the
    chances that a blob, a hole, is left out, `false` that a blob is added. `loose` is the spread among workers of how
    far outside they draw, `loose_all` what all have in common; `clicks` how many points they set."""

    workers: int = 12
    waver: float = 0.05
    shift: float = 0.02
    loose: float = 0.02
    loose_all: float = 0.0
    skill: float = 0.4
    spammers: float = 0.0
    missed: float = 0.02
    filled: float = 0.05
    false: float = 0.03
    clicks: int = 24
    parts: int = 2
    holes: float = 0.3


KINDS = {
    "jitter": Crowd(waver=0.1, shift=0.04),
    "careful": Crowd(waver=0.03, shift=0.01, clicks=40),
    "over_and_under": Crowd(loose=0.12),
    "mixed_skill": Crowd(waver=0.08, skill=1.0),
    "spammers": Crowd(spammers=0.35),
    "missed_parts": Crowd(missed=0.35, parts=4),
    "false_parts": Crowd(false=0.6, missed=0.1),
    "holes": Crowd(holes=1.0, filled=0.4),
    "everything": Crowd(waver=0.08, shift=0.03, loose=0.08, spammers=0.2, missed=0.2, filled=0.3, false=0.2, parts=3),
}


@dataclass(frozen=True)
class Picture:
    """The true mask, and the worker and mask of each answer, in order of arrival."""

    truth: Mask
    answers: tuple[tuple[str, Mask], ...]


def pictures(crowd: Crowd, *, count: int, answers: int, size: tuple[int, int], seed: int) -> list[Picture]:
    """`count` pictures of `size` (width, height), each answered by `answers` of the crowd's workers."""
    rng = np.random.default_rng([seed, count, answers])
    skill = rng.lognormal(0, crowd.skill, crowd.workers)
    loose = rng.normal(0, crowd.loose, crowd.workers) + crowd.loose_all
    spammer = np.zeros(crowd.workers, bool)
    spammer[rng.permutation(crowd.workers)[: round(crowd.spammers * crowd.workers)]] = True
    made = []
    for _ in range(count):
        truth = _scene(rng, crowd, size)
        given = []
        for worker in rng.permutation(crowd.workers)[:answers].tolist():
            if spammer[worker]:
                drawn = _anything(rng, truth, crowd, size)
            else:
                drawn = _read(rng, truth, crowd, float(skill[worker]), float(loose[worker]), size)
            given.append((f"w{worker:02d}", _painted(drawn, size)))
        made.append(Picture(_painted(truth, size, crowd.clicks * 20), tuple(given)))
    return made


def _scene(rng: np.random.Generator, crowd: Crowd, size: tuple[int, int]) -> list[Blob]:
    blobs: list[Blob] = []
    usual = min(size)
    for _ in range(1 + int(rng.integers(0, 2 * crowd.parts - 1)) if crowd.parts > 1 else 1):
        radius = usual * rng.uniform(0.08, 0.2)
        centre = rng.uniform(radius, np.array(size) - radius)
        outline = radius * _wave(rng, 5, 0.18)
        blobs.append((centre, outline, False))
        if rng.random() < crowd.holes:
            blobs.append((centre + rng.normal(0, 0.1, 2) * radius, outline * rng.uniform(0.3, 0.5), True))
    return blobs


def _read(
    rng: np.random.Generator, truth: Sequence[Blob], crowd: Crowd, skill: float, loose: float, size: tuple[int, int]
) -> list[Blob]:
    drawn: list[Blob] = []
    unit = min(size) * 0.14
    moved = rng.normal(0, crowd.shift * skill, 2) * unit
    dropped = False
    for centre, radius, hole in truth:
        if not hole:
            dropped = bool(rng.random() < crowd.missed)
        if dropped or (hole and rng.random() < crowd.filled):
            continue
        outside = (-loose if hole else loose) * unit
        waver = (_wave(rng, WAVES, crowd.waver * skill) - 1) * unit
        drawn.append((centre + moved, np.maximum(radius + outside + waver, 1.0), hole))
    if rng.random() < crowd.false:
        drawn += [blob for blob in _scene(rng, crowd, size)[:1]]
    clicked = []
    for centre, radius, hole in drawn:
        clicks = max(6, int(rng.poisson(crowd.clicks)))
        at = np.sort(rng.permutation(ANGLES)[:clicks])
        clicked.append((centre, _between(radius, at), hole))
    return clicked


def _anything(rng: np.random.Generator, truth: Sequence[Blob], crowd: Crowd, size: tuple[int, int]) -> list[Blob]:
    """A spammer's: nothing, one blob somewhere, a great circle, or what is there in the wrong place."""
    how = rng.integers(4)
    if how == 0:
        return []
    if how == 1:
        return _scene(rng, crowd, size)[:1]
    if how == 2:
        return [(np.array(size) / 2, np.full(ANGLES, min(size) * rng.uniform(0.3, 0.5)), False)]
    off = rng.normal(0, 0.15, 2) * min(size)
    return [(centre + off, radius, hole) for centre, radius, hole in truth]


def _wave(rng: np.random.Generator, waves: int, spread: float) -> Floats:
    """1 and a random wave round the circle whose standard deviation is `spread`; short waves are lower."""
    turn = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    order = np.arange(1, waves + 1)
    height = 1 / np.sqrt(order) if waves > 5 else 1 / order
    height = spread * height / np.sqrt((height**2).sum())
    phase = rng.normal(size=(2, waves)) * height
    return np.asarray(1 + phase[0] @ np.cos(np.outer(order, turn)) + phase[1] @ np.sin(np.outer(order, turn)))


def _between(radius: Floats, at: NDArray[np.int64]) -> Floats:
    """The radius at every angle of the straight lines (nearly) between the angles `at`."""
    found: Floats = np.interp(np.arange(ANGLES), at, radius[at], period=ANGLES)
    return found


def _painted(blobs: Sequence[Blob], size: tuple[int, int], clicks: int = 0) -> Mask:
    picture = Image.new("1", size)
    pen = ImageDraw.Draw(picture)
    turn = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    for wanted in (False, True):
        for centre, radius, hole in blobs:
            if hole == wanted:
                points = centre + (radius * np.stack([np.cos(turn), np.sin(turn)])).T
                pen.polygon([tuple(point) for point in points.tolist()], fill=0 if hole else 1)
    return np.asarray(picture, bool)
