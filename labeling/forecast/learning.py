"""The crowd of earlier jobs: its errors from their worker models, its pace and presence from their times.

Pure: what is stored of those jobs is given to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeling.forecast.crowds import PACE_SPREAD, Crowd
from labeling.simulation.base import Simulation

LEARNED = "learned"
"""The name of such a crowd."""

ASSUMED_JOBS = 2.0
"""How differences between jobs are taken to be, with a weight of so many jobs: few jobs cannot show it."""

SECONDS_BETWEEN_JOBS, PRESENCE_BETWEEN_JOBS = 0.2, 0.4
"""Standard deviations, between jobs, of the logarithms of seconds a task and of the share of the time at work."""

PRESENCE = (0.01, 0.95)
"""A worker's share of the time at work is always within these."""


MOSTLY = 0.8
"""The share of the answers over which presence is measured: the last ones wait for whoever has not had that object."""


FEWEST_ANSWERS = 1.5
"""Answers an object of an earlier job must have had on average: a single one says nothing of how good it is."""

EXHAUSTED = 0.9
"""A worker who has answered this share of the objects was soon without work, and is measured until the last answer."""


@dataclass(frozen=True, slots=True)
class WorkerTimes:
    """Of one worker in one job: number of answers, mean seconds of one, and seconds from the job's first claim until
    the worker's last answer."""

    answers: int
    seconds: float
    until: float


@dataclass(frozen=True, slots=True)
class EarlierJob:
    """What is known of one: its worker models; its workers' times; how many objects were answered; in `elapsed` the
    seconds from the first claim until MOSTLY of the answers were in."""

    models: Any
    workers: tuple[WorkerTimes, ...]
    objects: int
    elapsed: float

    @property
    def telling(self) -> bool:
        """Whether it shows how its workers err and how fast they are."""
        answers = sum(worker.answers for worker in self.workers)
        return (
            self.objects > 0
            and answers >= FEWEST_ANSWERS * self.objects
            and self.elapsed > 0
            and all(worker.seconds > 0 and worker.until > 0 for worker in self.workers)
        )


def learned(
    simulation: Simulation[Any, Any, Any], jobs: Sequence[EarlierJob], labels: Sequence[str], *, workers: int
) -> Crowd | None:
    """The crowd of `workers` people that is like the one of these jobs; None when they say too little."""
    telling = [job for job in jobs if job.telling]
    rates = simulation.learn([job.models for job in telling], labels) if telling else None
    if rates is None:
        return None
    seconds = [float(np.mean([worker.seconds for worker in job.workers])) for job in telling]
    presence = [_presence(job) for job in telling]
    low, high = _bounds(presence)
    return Crowd(
        name=LEARNED,
        rates=rates,
        workers=workers,
        seconds=float(np.exp(np.log(seconds).mean())),
        seconds_doubt=_between(seconds, SECONDS_BETWEEN_JOBS),
        pace_spread=_pace_spread(telling),
        presence=(low, high),
    )


def _presence(job: EarlierJob) -> float:
    """The share of the time that its workers were at work, on average."""
    shares = [
        min(worker.answers * worker.seconds / worker.until, 1.0)
        if worker.answers >= EXHAUSTED * job.objects
        else MOSTLY * worker.answers * worker.seconds / job.elapsed
        for worker in job.workers
    ]
    return float(np.clip(np.mean(shares), *PRESENCE))


def _bounds(presence: Sequence[float]) -> tuple[float, float]:
    """Between which the share of the time lies, evenly in its logarithm (whence the root of three)."""
    middle, spread = float(np.log(presence).mean()), _between(presence, PRESENCE_BETWEEN_JOBS)
    low, high = np.clip(np.exp([middle - np.sqrt(3) * spread, middle + np.sqrt(3) * spread]), *PRESENCE).tolist()
    return low, high


def _between(values: Sequence[float], assumed: float) -> float:
    """How different jobs are: the standard deviation of the logarithms, with `assumed` counting for ASSUMED_JOBS. That
    the mean of few jobs is uncertain itself is part of it."""
    logs = np.log(values)
    variance = (((logs - logs.mean()) ** 2).sum() + ASSUMED_JOBS * assumed**2) / (max(len(logs) - 1, 0) + ASSUMED_JOBS)
    return float(np.sqrt(variance * (1 + 1 / len(logs))))


def _pace_spread(jobs: Sequence[EarlierJob]) -> float:
    """How different workers are in speed, with the usual difference counting for three workers."""
    logs = [np.log([worker.seconds for worker in job.workers]) for job in jobs]
    off = np.concatenate([of_job - of_job.mean() for of_job in logs])
    return float(np.sqrt(((off**2).sum() + 3 * PACE_SPREAD**2) / (max(len(off) - len(jobs), 0) + 3)))
