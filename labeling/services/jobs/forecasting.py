"""The forecast of a job design for an account: checks the design, finds the crowd, warns of poor pay.

The forecast itself is in labeling/forecast and knows no account. Nothing is written, and nothing of a crowd leaves the
account whose jobs it was learned from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.conf import settings

from labeling import redundancy as means
from labeling import task_types
from labeling.forecast.crowds import Crowd, assumed
from labeling.forecast.forecasting import Design, Forecast, Outcome, forecast
from labeling.forecast.learning import LEARNED, MOSTLY, EarlierJob, WorkerTimes, learned
from labeling.forecast.simulated_job import Redundancy
from labeling.models import Assignment, AssignmentStatus, LabelingJob, WorkerModels
from labeling.queries import gold_budget
from labeling.services.golds.options import RATE
from labeling.services.jobs import limits, pricing
from labeling.services.jobs.design import complete_redundancy, label_errors
from labeling.simulation.base import MIXED, PRESETS
from marketplace import money
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.ranges import Range

CROWDS = {**PRESETS, LEARNED: "As in your earlier jobs of this task type"}
"""The crowds that a forecast can be made with, by name."""

EARLIER_JOBS = 5
"""A crowd is learned from so many of the account's newest jobs."""

EARLIER_ANSWERS = 2000
"""Of each of them the times of so many of the newest answers are read."""

COMPARED = (Redundancy(1), Redundancy(3), Redundancy(5))
"""Fixed redundancies beside which a design is shown; a dynamic one is added."""


@dataclass(frozen=True)
class JobForecast:
    """A forecast with the crowd it rests on. `learned_from` is how many earlier jobs that crowd was learned from.

    `floor_micros` is the installation's floor of pay an hour; `underpaid` says that the expected pay is below it.
    """

    forecast: Forecast
    crowd: Crowd
    learned_from: int
    floor_micros: int
    underpaid: bool


def forecast_job(
    *,
    account: Account,
    task_type: str,
    labels: Sequence[str],
    objects: int,
    workers: int,
    workers_per_object: float,
    price_micros: int,
    expected_seconds: float,
    redundancy: dict[str, Any] | None = None,
    crowd: str = MIXED,
    compare: bool = True,
    golds_rate: float = 0,
    checks: pricing.Checks = pricing.NO_CHECKS,
) -> JobForecast:
    """What a job of this design would give, with 90 % intervals; with `compare` also for other redundancies.

    `workers` is how many people take part, `golds_rate` the percent of the tasks whose answer is known: they cost money
    and time; what else follows from them is not simulated. `checks` cost their own price; that they take less time and
    lead people is not simulated. Takes about two seconds of one core, the second time none.
    Raises Invalid naming every field that is wrong, also when nothing can be learned of the crowd from earlier jobs.
    """
    given, errors = complete_redundancy(redundancy or {"kind": "fixed"}, workers_per_object)
    numbers = {
        "objects": (objects, limits.OBJECTS),
        "workers": (workers, limits.WORKERS),
        "expected_seconds": (expected_seconds, limits.EXPECTED_SECONDS),
        "price": (price_micros, Range(0, pricing.MOST_MICROS)),
        "golds_rate": (golds_rate, RATE),
    }
    for name, (value, allowed) in numbers.items():
        if value not in allowed:
            errors.append((name, f"{value!r} found, {allowed} expected"))
    errors += pricing.checks_errors(checks, price_micros)
    errors += _name_errors(task_type, labels, crowd)
    if errors:
        fields = ", ".join(dict.fromkeys(name for name, _ in errors))
        raise Invalid(f"the job cannot be forecast, these fields are wrong: {fields}", errors=errors)
    own = _redundancy(given, workers_per_object)
    design = Design(
        task_type=task_types.get(task_type),
        labels=tuple(labels),
        objects=objects,
        redundancy=own,
        price_micros=price_micros,
        fee_micros=pricing.fee(price_micros),
    )
    who, learned_from = _crowd(account, design, crowd, workers=workers, seconds=expected_seconds)
    drawn = _forecast(design, who, _compared(own, workers) if compare else ())
    found = _with_golds(drawn, objects, golds_rate, saved=_saved(design, checks))
    floor = money.parse(settings.HOURLY_PAY_FLOOR)
    # People who work for nothing here are paid elsewhere, if at all.
    underpaid = price_micros > 0 and found.outcome.hourly.expected < floor
    return JobForecast(found, who, learned_from, floor, underpaid)


def _name_errors(task_type: str, labels: Sequence[str], crowd: str) -> list[tuple[str, str]]:
    """What is wrong with the type, its labels and the crowd's name: (field, reason)."""
    errors = [] if crowd in CROWDS else [("crowd", f"{crowd!r} found, one of {', '.join(CROWDS)} expected")]
    if task_type not in task_types.names():
        return [*errors, ("task_type", f"{task_type!r} found, one of {', '.join(task_types.names())} expected")]
    kind = task_types.get(task_type)
    if kind.simulation is None:
        errors.append(("task_type", f"jobs of the type {task_type} cannot be forecast yet"))
    return errors + label_errors(list(labels), kind)


@lru_cache(maxsize=128)
def _forecast(design: Design, crowd: Crowd, others: tuple[Redundancy, ...]) -> Forecast:
    """A forecast depends on what it is given only, so that looking at a page again costs nothing."""
    return forecast(design, crowd, others=others)


def _saved(design: Design, checks: pricing.Checks) -> float:
    """The share of the money for answers that is saved because some of them check a label for a price of its own."""
    full = design.price_micros + design.fee_micros
    return checks.share * (1 - (checks.price_micros + pricing.fee(checks.price_micros)) / full) if full else 0.0


def _with_golds(found: Forecast, objects: int, rate: float, *, saved: float) -> Forecast:
    """The forecast with the money and the time that answers to golds take in addition, and what checks save."""
    if not rate and not saved:
        return found
    return replace(
        found,
        outcome=_outcome_with_golds(found.outcome, objects, rate, saved),
        others=tuple(_outcome_with_golds(one, objects, rate, saved) for one in found.others),
    )


def _outcome_with_golds(outcome: Outcome, objects: int, rate: float, saved: float) -> Outcome:
    ordinary = max(1, round(outcome.answers.expected * objects))
    factor = 1 + gold_budget.answers(ordinary, rate / 100) / ordinary
    return replace(outcome, cost=outcome.cost.scaled(factor - saved), duration=outcome.duration.scaled(factor))


def _redundancy(given: dict[str, Any], workers_per_object: float) -> Redundancy:
    most, fewer_percent = means.split(workers_per_object)
    if given["kind"] == "dynamic":
        return Redundancy(most, given["start"], given["target_confidence"])
    return Redundancy(most, fewer_percent=fewer_percent)


def _compared(own: Redundancy, workers: int) -> tuple[Redundancy, ...]:
    """Fixed redundancies that so many workers can give, and a dynamic one."""
    dynamic = own if own.target is not None else Redundancy(max(own.most, 5), 2, 0.9)
    return (*(one for one in COMPARED if one.most <= workers), dynamic)


def _crowd(account: Account, design: Design, name: str, *, workers: int, seconds: float) -> tuple[Crowd, int]:
    """The crowd of this name and from how many jobs it was learned. Raises Invalid when too little is known."""
    simulation = design.task_type.simulation
    if simulation is None:
        raise Invalid(f"jobs of the type {design.task_type.name} cannot be forecast yet", field="task_type")
    if name != LEARNED:
        return assumed(simulation, name, workers=workers, seconds=seconds), 0
    jobs = earlier_jobs(account, design.task_type.name)
    crowd = learned(simulation, jobs, design.labels, workers=workers)
    if crowd is None:
        raise Invalid(
            "too little is known of your crowd: a finished job of this task type with two or more answers an object "
            "is needed; assume a crowd until then",
            field="crowd",
        )
    return crowd, sum(job.telling for job in jobs)


def earlier_jobs(account: Account, task_type: str) -> list[EarlierJob]:
    """What is known of the account's newest jobs of this type whose workers' models were fitted, newest first."""
    rows = WorkerModels.objects.filter(job__account=account, job__queue__task_type=task_type).select_related("job")
    kind = task_types.get(task_type)
    return [
        _earlier_job(row.job, kind.load_workers(row.value["models"])) for row in rows.order_by("-job")[:EARLIER_JOBS]
    ]


def _earlier_job(job: LabelingJob, models: Any) -> EarlierJob:
    seats = Assignment.objects.filter(
        queue=job.queue_id, state=AssignmentStatus.SUBMITTED, seconds_spent__gt=0, ended_at__isnull=False
    )
    rows = list(
        seats.order_by("-pk").values_list("worker_id", "task_id", "accepted_at", "ended_at", "seconds_spent")[
            :EARLIER_ANSWERS
        ]
    )
    if not rows:
        return EarlierJob(models, (), 0, 0.0)
    began = min(accepted for _, _, accepted, _, _ in rows)
    ends = sorted((ended - began).total_seconds() for _, _, _, ended, _ in rows)
    spent: dict[int, list[float]] = {}
    until: dict[int, float] = {}
    for worker, _, _, ended, seconds in rows:
        spent.setdefault(worker, []).append(seconds)
        until[worker] = max(until.get(worker, 0.0), (ended - began).total_seconds())
    return EarlierJob(
        models=models,
        workers=tuple(
            WorkerTimes(len(seconds), sum(seconds) / len(seconds), until[worker])
            for worker, seconds in sorted(spent.items())
        ),
        objects=len({task for _, task, *_ in rows}),
        elapsed=ends[int(MOSTLY * (len(ends) - 1))],
    )
