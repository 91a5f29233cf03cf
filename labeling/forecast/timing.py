"""How long a job takes and how long a task takes on average, given the people and the number of answers.

Workers come and go: each is at work for a while, then away, and answers at the own rate while at work, each object once
at most, until all answers are in. Time goes in ever longer steps, so that a job of a month costs little more than one
of an hour. Knows nothing of what is answered. Times are in seconds.
"""

from __future__ import annotations

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.forecast.crowds import People

SESSION = 1800.0
"""How long a worker stays at work at a time, on average: in short jobs, who happens to be there matters."""

TASK_SPREAD = 0.5
"""How different the tasks of one worker are (standard deviation of the logarithm of their seconds)."""

FIRST_STEP, GROWTH, STEPS = 5.0, 1.1, 200
"""Seconds of the first step, by how much steps grow, and how many there are at most: more than ten years."""


def timing(people: People, objects: int, answers: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Of D jobs of so many objects that get `answers` (D,) each on average: seconds from the launch to the last answer,
    and seconds a task on average over all answers. Both (D,)."""
    wanted = objects * np.minimum(answers, people.seconds.shape[1] * people.times) / people.times
    draws = len(wanted)
    duration, given = np.full(draws, np.inf), np.zeros_like(people.seconds)
    here = rng.random(people.presence.shape) < people.presence
    at_work, now, step = np.zeros_like(people.seconds), 0.0, FIRST_STEP
    for _ in range(STEPS):
        spent, here = _step(people.presence, here, step, rng)
        before = np.minimum(objects, at_work / people.seconds)
        at_work = at_work + spent
        after = np.minimum(objects, at_work / people.seconds)
        low, high = before.sum(axis=1), after.sum(axis=1)
        ends = np.isinf(duration) & (high >= wanted)
        part = ((wanted - low) / np.maximum(high - low, 1e-9))[ends]
        duration[ends] = now + step * part
        given[ends] = before[ends] + part[:, None] * (after - before)[ends]
        if not np.isinf(duration).any():
            break
        now, step = now + step, step * GROWTH
    duration = np.minimum(duration, now)
    given[given.sum(axis=1) == 0] = 1.0
    seconds = (given * people.seconds).sum(axis=1) / given.sum(axis=1)
    luck = np.exp(rng.normal(0.0, TASK_SPREAD / np.sqrt(np.maximum(wanted * people.times, 1.0))))
    # The last task is still under way when its worker has begun all others.
    return duration * luck + seconds, seconds * luck


def presence_of_job(people: People, objects: int, answers: float, rng: np.random.Generator) -> Floats:
    """The share of such a job's time that each worker is there (D, w): in a short one nearly all of it or nothing."""
    wanted = objects * answers / people.times
    expected = wanted / (people.presence / people.seconds).sum(axis=1, keepdims=True)
    sessions = expected / SESSION + 0.2
    return np.maximum(rng.beta(people.presence * sessions, (1 - people.presence) * sessions), 0.01)


def _step(presence: Floats, here: Floats, step: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Seconds at work of each worker in a step, and who is there at its end: a two-state Markov process with sessions
    of SESSION on average, seen at the ends of the step."""
    change = step / (SESSION * (1 - presence))
    stays = np.exp(-change)
    after = rng.random(presence.shape) < presence + (here - presence) * stays
    # What the ends say of the time between them fades as the step gets longer.
    told = (1 - stays) / change
    return step * (told * (here.astype(float) + after) / 2 + (1 - told) * presence), after
