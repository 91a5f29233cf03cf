"""How long a job takes and how long a task takes on average, given the people and the number of answers.

Workers come and go: each is at work for a while, then away, and answers at the own rate while at work, each object once
at most, until all answers are in. Time goes in ever longer steps, so that a job of a month costs little more than one
of an hour. Knows nothing of what is answered. Times are in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeling.consolidation.arrays import Bools, Floats
from labeling.forecast.crowds import People

SESSION = 1800.0
"""How long a worker stays at work at a time, on average: in short jobs, who happens to be there matters."""

TASK_SPREAD = 0.5
"""How different the tasks of one worker are (standard deviation of the logarithm of their seconds)."""

SHARES = (0.0, 0.05, 0.2, 0.5)
"""Shares of the objects, those with most answers first, whose demands are looked at beside that of all; 0 is one."""

FIRST_STEP, GROWTH, STEPS = 5.0, 1.1, 200
"""Seconds of the first step, by how much steps grow, and how many there are at most: more than ten years."""


@dataclass(frozen=True, slots=True)
class Demand:
    """The `objects` that need most answers need `answers` (D,) in all, at most one of each worker: enough workers must
    have been there for them, too. By Gale and Ryser the whole job can be done when each such demand is met."""

    objects: int
    answers: Floats


def demands(counts: Floats, objects: int, answers: Floats) -> list[Demand]:
    """Of a job of so many objects that get `answers` (D,) each on average; `counts` (n,) are the answers of simulated
    objects, which say how uneven they are. The last demand is that of all objects."""
    ordered = np.sort(counts)[::-1]
    most, factor = float(ordered[0]), answers / counts.mean()
    found = []
    for share in SHARES if ordered[0] > ordered[-1] else ():
        top = max(1, round(share * objects))
        usual = float(ordered[: max(1, round(share * len(ordered)))].mean())
        found.append(Demand(top, top * np.minimum(usual * factor, most)))
    return [*found, Demand(objects, objects * answers)]


def timing(people: People, wanted: Sequence[Demand], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Of D jobs with these demands, the last of them for all objects: seconds from the launch to the last answer, and
    seconds a task on average over all answers. Both (D,)."""
    crowd = people.seconds.shape[1]
    needed = [np.minimum(one.answers / people.times, one.objects * crowd) for one in wanted]
    met = [np.full(len(people.seconds), np.inf) for _ in wanted]
    given = np.zeros_like(people.seconds)
    here: Bools = np.asarray(rng.random(people.presence.shape) < people.presence)
    able, now, step = np.zeros_like(people.seconds), 0.0, FIRST_STEP
    for _ in range(STEPS):
        spent, here = _step(people.presence, here, step, rng)
        before, able = able, able + spent / people.seconds
        for one, need, when in zip(wanted, needed, met, strict=True):
            low, high = np.minimum(one.objects, before), np.minimum(one.objects, able)
            start, end = low.sum(axis=1), high.sum(axis=1)
            ends = np.isinf(when) & (end >= need)
            part = np.clip((need - start) / np.maximum(end - start, 1e-9), 0.0, 1.0)[ends]
            when[ends] = now + step * part
            if one is wanted[-1]:
                given[ends] = low[ends] + part[:, None] * (high - low)[ends]
        now, step = now + step, step * GROWTH
        if not any(np.isinf(when).any() for when in met):
            break
    duration = np.minimum(np.max(met, axis=0), now)
    given[given.sum(axis=1) == 0] = 1.0
    seconds = (given * people.seconds).sum(axis=1) / given.sum(axis=1)
    luck = np.exp(rng.normal(0.0, TASK_SPREAD / np.sqrt(np.maximum(wanted[-1].answers, 1.0))))
    # The last task is still under way when its worker has begun all others.
    return duration * luck + seconds, seconds * luck


def presence_of_job(people: People, objects: int, answers: float, rng: np.random.Generator) -> Floats:
    """The share of such a job's time that each worker is there (D, w): in a short one nearly all of it or nothing."""
    wanted = objects * answers / people.times
    expected = wanted / (people.presence / people.seconds).sum(axis=1, keepdims=True)
    sessions = expected / SESSION + 0.2
    return np.maximum(rng.beta(people.presence * sessions, (1 - people.presence) * sessions), 0.01)


def _step(presence: Floats, here: Bools, step: float, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """Seconds at work of each worker in a step, and who is there at its end: a two-state Markov process with sessions
    of SESSION on average, seen at the ends of the step."""
    change = step / (SESSION * (1 - presence))
    stays = np.exp(-change)
    after: Bools = np.asarray(rng.random(presence.shape) < presence + (here - presence) * stays)
    # What the ends say of the time between them fades as the step gets longer.
    told = (1 - stays) / change
    return step * (told * (here.astype(float) + after) / 2 + (1 - told) * presence), after
