"""Forecasts held against real jobs in PostgreSQL: created, claimed, answered, consolidated and paid by the services.

Only people and pictures are simulated. The clock is not, so durations are not compared. A database of its own is
started in a folder of its own.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.simulated_queue import population
from labeling import task_types
from labeling.forecast.crowds import assumed
from labeling.forecast.forecasting import Design, forecast
from labeling.forecast.simulated_job import Redundancy
from labeling.simulation.base import PRESETS

STEP = 20
"""Answers between two looks that the job takes at itself."""

REDUNDANCIES = (Redundancy(3), Redundancy(5, 2, 0.9))
LABELS = ["bee", "wasp", "fly"]


@contextmanager
def a_database() -> Iterator[None]:
    """A new, empty installation in this process, deleted at the end."""
    var = Path(tempfile.mkdtemp(prefix="waggle-bench-"))
    var.chmod(0o755)
    os.environ |= {
        "WAGGLE_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "WAGGLE_LOG_LEVEL": "ERROR",
    }
    import django

    django.setup()
    from django.core.management import call_command

    from marketplace.database import stop_embedded

    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        stop_embedded(var / "postgres")
        shutil.rmtree(var, ignore_errors=True)


def check_real_jobs(count: int, seed: int) -> list[dict[str, Any]]:
    """`count` designs forecast and done; rows as benchmarks.job_forecast makes them."""
    with a_database():
        return [_one(number, seed) for number in range(count)]


def _one(number: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, number, 99])
    names = [name for name in task_types.names() if task_types.get(name).simulation]
    kind = task_types.get(names[number % len(names)])
    preset = list(PRESETS)[number % len(PRESETS)]
    redundancy, objects, workers = REDUNDANCIES[number // len(names) % 2], int(rng.integers(40, 90)), 8
    price = kind.prices[1]
    crowd = assumed(kind.simulation, preset, workers=workers, seconds=15)
    design = Design(kind, tuple(LABELS), objects, redundancy, price, price // 5)
    outcome = forecast(design, crowd, seed=number).outcome
    job, quality = _do(design, population(kind, crowd, rng), rng)
    done = {**quality, **_figures(job, objects)}
    intervals = {**outcome.quality, "hourly": outcome.hourly}
    if redundancy.target is not None:
        intervals |= {"answers": outcome.answers, "cost": outcome.cost}
    checks = [(name, interval, done[name]) for name, interval in intervals.items() if name in done]
    return {"how": "real", "design": design, "preset": preset, "checks": checks, "s": 0.0}


def _figures(job: Any, objects: int) -> dict[str, float]:
    """What the database holds of the job: answers an object, money spent, pay an hour."""
    from labeling.models import Assignment, AssignmentStatus
    from labeling.queries import progress

    seats = Assignment.objects.filter(queue=job.queue_id, state=AssignmentStatus.SUBMITTED)
    spent = [seconds for seconds in seats.values_list("seconds_spent", flat=True) if seconds]
    return {
        "answers": len(spent) / objects,
        "cost": float(progress.money(job)["spent_micros"]),
        "hourly": job.price_micros * 3600 / float(np.mean(spent)),
    }


def _do(design: Design, crowd: tuple[Any, list[Any], Any], rng: np.random.Generator) -> tuple[Any, dict[str, float]]:
    """The job, done by these people: (the job, its quality by figure)."""
    from labeling.models import DataObject
    from labeling.services.jobs import advancing
    from tests import builders
    from tests.labeling import stories

    kind, (rates, workers, people) = design.task_type, crowd
    made = kind.simulation.objects(rates, rng, design.objects, design.labels)
    seats = np.tile(np.arange(len(workers)), (design.objects, 1))
    said = kind.simulation.answers(rates, rng, workers, made, seats, design.labels)
    account, members = stories.an_account(funds="1000"), stories.a_crowd(len(workers))
    rule = design.redundancy
    dynamic = {"kind": "dynamic", "start": rule.start, "target_confidence": rule.target}
    job = stories.a_job(
        account,
        builders.a_team(account=account, workers=members),
        objects=design.objects,
        task_type=kind.name,
        labels=list(design.labels),
        workers_per_object=rule.most,
        price_micros=design.price_micros,
        redundancy={"kind": "fixed"} if rule.target is None else dynamic,
    )
    width, height = made[0].size
    DataObject.objects.filter(job=job).update(width=width, height=height)
    advancing.advance_job(job.pk)
    _work(job, members, said, made[0].size, people, rng)
    job.refresh_from_db()
    if job.status != "Completed":
        raise RuntimeError(f"the job is {job.status}: {job.failure_reason or job.attention}")
    labels = DataObject.objects.filter(job=job).order_by("index").select_related("label")
    found = [kind.read_value(row.label.value) if row.label else None for row in labels]
    sums = kind.simulation.score([one.truth for one in made], found).sum(axis=0)
    figures = [figure.key for figure in kind.simulation.figures]
    return job, {key: float(up / down) for key, (up, down) in zip(figures, sums, strict=True) if down > 0}


def _work(
    job: Any, members: list[Any], said: Any, size: tuple[int, int], people: Any, rng: np.random.Generator
) -> None:
    """Let the workers claim and answer, the faster and more present ones more often, until nobody finds a task."""
    from labeling.services.jobs import advancing
    from labeling.services.queue import assignments

    kind = task_types.get(job.task_type)
    weights = people.presence[0] / people.seconds[0]
    answered, idle = 0, 0
    while idle < 2:
        who = np.argsort(-np.log(weights) - rng.gumbel(size=len(members)))
        seat = None
        for place in who.tolist():
            if (seat := assignments.claim(worker=members[place], queue=job.queue)) is not None:
                break
        idle = idle + 1 if seat is None else 0
        if seat is None or answered % STEP == 0:
            advancing.advance_job(job.pk)
        if seat is None:
            continue
        seconds = float(people.seconds[0, place] * np.exp(rng.normal(-0.125, 0.5)))
        content = kind.write_answer(said[seat.task.data_object.index][place], size=size)
        assignments.submit(assignment=seat, worker=members[place], content=content, seconds=seconds, key=f"k{seat.pk}")
        answered += 1
