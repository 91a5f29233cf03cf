"""The crowd that a job is forecast with: how many people, how fast, how much of the time at work, and how they err.

Pure: what is known of a crowd is given to it. Times are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from labeling.consolidation.arrays import Bools, Floats
from labeling.simulation.base import PRESETS, SPAMMERS, Simulation

MOST_PEOPLE = 100
"""Of a larger crowd so many people are simulated; their number then counts for all."""

ASSUMED_PRESENCE = (0.25, 0.9)
"""Share of the time that a worker of an assumed crowd is at work while the job runs: somewhere between these."""

ASSUMED_DOUBT = 0.25
"""How far the real seconds a task may be from those expected (standard deviation of the logarithm)."""

PACE_SPREAD = 0.35
"""How different the workers of a crowd are in speed (standard deviation of the logarithm)."""

SPAMMER_SECONDS = 0.3
"""Who answers at random takes this share of the time."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """`rates` are the task type's (see Simulation), `seconds` the mean of an ordinary worker's task. `presence` are the
    bounds of the share of the time that a worker is at work. `seconds_doubt` and `pace_spread` are standard deviations
    of logarithms: how well the seconds are known, and how different workers are."""

    name: str
    rates: Any
    workers: int
    seconds: float
    spammers: float = 0.0
    seconds_doubt: float = ASSUMED_DOUBT
    pace_spread: float = PACE_SPREAD
    presence: tuple[float, float] = ASSUMED_PRESENCE


@dataclass(frozen=True, slots=True)
class People:
    """Who works on each of D simulated jobs, as arrays (D, w): seconds a task, share of the time at work, whether they
    answer at random. Each stands for `times` workers of the crowd."""

    seconds: Floats
    presence: Floats
    spammer: Bools
    times: float


def assumed(simulation: Simulation[Any, Any, Any], name: str, *, workers: int, seconds: float) -> Crowd:
    """One of the crowds of PRESETS. Raises KeyError for another name."""
    if name not in PRESETS:
        raise KeyError(name)
    return Crowd(name, simulation.presets[name], workers, seconds, spammers=SPAMMERS[name])


def draw_people(crowd: Crowd, rng: np.random.Generator, draws: int) -> People:
    """So many crowds that `crowd` may turn out to be. How fast and how often at work they are differs between them."""
    number = min(crowd.workers, MOST_PEOPLE)
    low, high = crowd.presence
    typical = crowd.seconds * np.exp(rng.normal(0.0, crowd.seconds_doubt, (draws, 1)))
    # The mean of a lognormal variable is above its median: `seconds` is the mean.
    pace = rng.normal(-(crowd.pace_spread**2) / 2, crowd.pace_spread, (draws, number))
    share = np.exp(rng.uniform(np.log(low), np.log(high), (draws, 1)))
    spammer = rng.random((draws, number)) < crowd.spammers
    return People(
        seconds=typical * np.exp(pace) * np.where(spammer, SPAMMER_SECONDS, 1.0),
        presence=np.clip(rng.beta(4 * share, np.maximum(4 * (1 - share), 0.01), (draws, number)), 0.01, 0.99),
        spammer=spammer,
        times=crowd.workers / number,
    )
