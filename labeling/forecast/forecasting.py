"""The forecast of a job design: label quality, answers, cost, duration and hourly pay, each with its 90 % interval.

A few small jobs are simulated with crowds that the assumed or learned one may turn out to be (simulated_job.py); from
them intervals for the real number of objects follow (intervals.py). Time is simulated apart, with many more crowds,
because it costs next to nothing (timing.py). Pure, and bounded: about two seconds however large the job is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.forecast.crowds import Crowd, People, draw_people
from labeling.forecast.intervals import Interval, of_draws, predicted_number, predicted_share
from labeling.forecast.simulated_job import Redundancy, Simulated, SimulatedJob, simulation_of
from labeling.forecast.timing import demands, presence_of_job, timing
from labeling.simulation.base import Assumption, Figure, SimulatedWorker
from labeling.task_types.base import TaskType

JOBS = 8
"""Simulated jobs. Fewer make intervals wide (Student's t), more make the forecast slow."""

BUDGET = 420
"""About how many things (boxes, choices) a simulated job holds in all its answers."""

OBJECTS = (24, 100)
"""A simulated job has at least and at most so many objects, unless the real one has fewer."""

ROUNDING = 0.06
"""How far the answers of a dynamic redundancy are off because a simulated job decides in fewer, larger rounds and has
fewer objects to know its workers by (standard deviation of the logarithm, seen in benchmarks/job_forecast.py)."""

DRAWS = 400
"""Crowds whose time is simulated."""

MOST_LABELS = 8
"""Of more classes the first are simulated: how many wrong ones there are to choose from changes little."""


@dataclass(frozen=True, slots=True)
class Design:
    """A job as far as its forecast depends on it. Money is micro-dollars per answer."""

    task_type: TaskType[Any, Any]
    labels: Sequence[str]
    objects: int
    redundancy: Redundancy
    price_micros: int
    fee_micros: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one redundancy gives. `quality` is by the key of the type's figures, `cost` micro-dollars with the fee,
    `duration` seconds, `hourly` micro-dollars that a worker earns in an hour at work."""

    redundancy: Redundancy
    quality: dict[str, Interval]
    answers: Interval
    cost: Interval
    duration: Interval
    hourly: Interval


@dataclass(frozen=True, slots=True)
class Forecast:
    """The design's own outcome, and those of other redundancies for comparison, in the order in which they were given.
    `simulated_objects` is in each of `simulated_jobs`."""

    outcome: Outcome
    others: tuple[Outcome, ...]
    figures: tuple[Figure, ...]
    assumptions: tuple[Assumption, ...]
    simulated_jobs: int
    simulated_objects: int


def forecast(design: Design, crowd: Crowd, *, others: Sequence[Redundancy] = (), seed: int = 1) -> Forecast:
    """Forecast `design` done by `crowd`. The same seed gives the same numbers.

    Raises ValueError for a task type whose jobs cannot be simulated, and for no objects, workers or labels.
    """
    simulation = simulation_of(design.task_type)
    if design.objects < 1 or crowd.workers < 1 or not design.labels:
        raise ValueError("a forecast needs at least one object, one worker and one label")
    tried = list(dict.fromkeys((design.redundancy, *others)))
    rng = np.random.default_rng([seed, 0])
    people = draw_people(crowd, rng, DRAWS)
    objects = _simulated_objects(design, crowd, tried)
    runs = [_simulate(design, crowd, people, tried, objects, seed, number) for number in range(JOBS)]
    outcomes = [
        _outcome(design, people, one, [run[place] for run in runs], np.random.default_rng([seed, JOBS + 1]))
        for place, one in enumerate(tried)
    ]
    by_redundancy = dict(zip(tried, outcomes, strict=True))
    return Forecast(
        outcome=outcomes[0],
        others=tuple(by_redundancy[one] for one in others),
        figures=simulation.figures,
        assumptions=simulation.describe(crowd.rates),
        simulated_jobs=JOBS,
        simulated_objects=objects,
    )


def _simulated_objects(design: Design, crowd: Crowd, tried: Sequence[Redundancy]) -> int:
    things = simulation_of(design.task_type).things(crowd.rates)
    answers = max(one.most for one in tried)
    low, high = OBJECTS
    return min(design.objects, max(low, min(high, int(BUDGET / (things * answers)))))


def _simulate(
    design: Design, crowd: Crowd, people: People, tried: Sequence[Redundancy], objects: int, seed: int, number: int
) -> list[Simulated]:
    """What each redundancy gives in simulated job `number`, whose people are row `number` of `people`."""
    rng = np.random.default_rng([seed, number + 1])
    simulation = simulation_of(design.task_type)
    there = presence_of_job(people, design.objects, design.redundancy.mean, rng)
    rates = simulation.vary(crowd.rates, rng)
    workers = simulation.workers(rates, rng, people.spammer[number].tolist())
    job = SimulatedJob(
        design.task_type,
        design.labels[:MOST_LABELS],
        rates,
        workers,
        _weights(workers, people, there[number], number),
        objects=objects,
        seats=min(max(one.most for one in tried), len(workers)),
        rng=rng,
    )
    return [job.run(one, of=design.objects) for one in tried]


def _bounds(redundancy: Redundancy, objects: int, workers: int) -> tuple[float, float]:
    """Between which the answers an object are, on average, with so many workers."""
    rule = redundancy.rule(workers)
    if rule is None:
        # Certain, and so are their sum and its cost.
        certain = redundancy.total(objects) / objects if workers >= redundancy.most else float(workers)
        return certain, certain
    return float(rule.min_answers), float(min(redundancy.most, workers))


def _weights(workers: Sequence[SimulatedWorker], people: People, there: Floats, number: int) -> Floats:
    """How many answers each worker gives, against the others: as in earlier jobs where that is known."""
    activity = np.array([worker.activity for worker in workers])
    return np.where(activity > 0, activity, there / people.seconds[number])


def _outcome(
    design: Design, people: People, redundancy: Redundancy, runs: Sequence[Simulated], rng: np.random.Generator
) -> Outcome:
    simulation = simulation_of(design.task_type)
    quality = np.stack([run.quality for run in runs])
    counts = np.stack([run.answers for run in runs]).astype(float)
    doubt = 0.0 if redundancy.target is None else ROUNDING
    asked = predicted_number(np.stack([counts, np.ones_like(counts)], axis=2), design.objects, doubt=doubt)
    least, most = _bounds(redundancy, design.objects, int(len(people.seconds[0]) * people.times))
    answers = Interval(*(min(max(value, least), most) for value in astuple(asked.interval())))
    each = np.clip(asked.draws(rng, DRAWS), least, most)
    duration, seconds = timing(people, demands(counts.ravel(), design.objects, each), rng)
    price = design.price_micros + design.fee_micros
    return Outcome(
        redundancy=redundancy,
        quality={
            figure.key: predicted_share(quality[:, :, place], design.objects, counted=figure.counted).interval()
            for place, figure in enumerate(simulation.figures)
        },
        answers=answers,
        cost=Interval(*(round(value * design.objects) * price for value in astuple(answers))),
        duration=of_draws(duration),
        hourly=of_draws(design.price_micros * 3600 / seconds),
    )
