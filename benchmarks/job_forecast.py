"""Forecasts of random job designs, held against jobs that were then played through: do 90 % intervals hold 90 %?

Half of the designs assume a crowd (a preset), the other half learn it from one to three earlier jobs of the same
people. Each job is then played event by event (simulated_queue.py) with a seed of its own and a crowd of its own.
`interval_coverage` is over all checked intervals; intervals without width (the answers and the cost of a fixed
redundancy, which are certain) are left out. `..._width` are median widths: of shares as they are, of the others as
high / low.

    python -m benchmarks.job_forecast [--designs 120] [--seed 1] [--processes 1] [--real 8] [--show]
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.forecast_real_jobs import check_real_jobs
from benchmarks.report import machine, report
from benchmarks.simulated_queue import Played, QueueOfJob, population
from labeling import task_types
from labeling.forecast.crowds import Crowd, assumed
from labeling.forecast.forecasting import Design, Forecast, forecast
from labeling.forecast.intervals import Interval
from labeling.forecast.learning import learned
from labeling.forecast.simulated_job import Redundancy
from labeling.simulation.base import PRESETS

Check = tuple[str, Interval, float]
LABELS = ("bee", "wasp", "fly", "ant")


def a_design(rng: np.random.Generator) -> tuple[Design, str, int, float]:
    """A random design, the crowd it assumes, how many workers it has and the seconds a task takes."""
    names = [name for name in task_types.names() if task_types.get(name).simulation]
    kind = task_types.get(str(rng.choice(names)))
    labels = LABELS[: int(rng.integers(max(1, kind.fewest_labels), len(LABELS) + 1))]
    objects = int(np.exp(rng.uniform(np.log(15), np.log(500))))
    if rng.random() < 0.5:
        redundancy = Redundancy(int(rng.choice([1, 2, 3, 5, 7])))
    else:
        most = int(rng.choice([3, 5, 7, 9]))
        redundancy = Redundancy(most, int(rng.integers(1, 4)), float(rng.choice([0.8, 0.9, 0.95])))
    price = int(rng.choice(kind.prices[:6]))
    workers = int(rng.integers(max(3, redundancy.most), 26))
    seconds = float(np.exp(rng.uniform(np.log(5), np.log(60))))
    return (
        Design(kind, labels, objects, redundancy, price, price // 5),
        str(rng.choice(list(PRESETS))),
        workers,
        seconds,
    )


def one(seed: int) -> dict[str, Any]:
    """Forecast a design and play its job; the checks of each interval."""
    rng = np.random.default_rng([seed, 77])
    design, preset, workers, seconds = a_design(rng)
    crowd: Crowd | None = assumed(design.task_type.simulation, preset, workers=workers, seconds=seconds)
    assert crowd is not None
    rates, people_who, people = population(design.task_type, crowd, rng)
    how = "assumed"
    if rng.random() < 0.5:
        jobs = []
        for _ in range(int(rng.integers(1, 4))):
            then, people_then = another_day(rates, people, rng)
            jobs.append(play(design, then, people_who, people_then, int(rng.integers(40, 200)), rng).earlier)
        found = learned(design.task_type.simulation, jobs, design.labels, workers=workers)
        if found is not None:
            crowd, how = found, "learned"
            rates, people = another_day(rates, people, rng)
    started = time.process_time()
    expected = forecast(design, crowd, seed=seed)
    took = time.process_time() - started
    actual = play(design, rates, people_who, people, design.objects, rng)
    return {"how": how, "design": design, "preset": preset, "checks": list(checks(design, expected, actual)), "s": took}


def play(design: Design, rates: Any, workers: list[Any], people: Any, objects: int, rng: np.random.Generator) -> Played:
    """A job of this design with this crowd."""
    return QueueOfJob(design.task_type, design.labels, rates, workers, people, design.redundancy, objects, rng).play()


def another_day(rates: Any, people: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """The same crowd in another job: harder or easier objects, people who are faster or slower, there more or less."""
    harder = replace(rates, difficulty=rates.difficulty * float(np.exp(rng.normal(0, 0.15))))
    share = np.clip(people.presence * np.exp(rng.normal(0, 0.3)), 0.02, 0.98)
    return harder, replace(people, presence=share, seconds=people.seconds * np.exp(rng.normal(0, 0.1)))


def checks(design: Design, expected: Forecast, actual: Played) -> Iterator[Check]:
    """(quantity, its interval, what came out), without the intervals that have no width."""
    outcome = expected.outcome
    found = [(key, interval, actual.quality[key]) for key, interval in outcome.quality.items() if key in actual.quality]
    found.append(("duration", outcome.duration, actual.duration))
    found.append(("hourly", outcome.hourly, design.price_micros * 3600 / actual.seconds))
    if design.redundancy.target is not None:
        price = design.price_micros + design.fee_micros
        found.append(("answers", outcome.answers, actual.answers))
        found.append(("cost", outcome.cost, round(actual.answers * design.objects) * price))
    return iter(found)


def is_in(value: float, interval: Interval) -> bool:
    """Whether an outcome is in its interval, the ends included: cost and answers are whole numbers."""
    return interval.low - 1e-9 <= value <= interval.high + 1e-9


def width(quantity: str, interval: Interval) -> float:
    """How wide an interval is: a difference of shares, else high over low."""
    if quantity in ("duration", "hourly", "answers", "cost"):
        return interval.high / max(interval.low, 1e-9)
    return interval.high - interval.low


def figures_of(rows: list[dict[str, Any]], real: list[dict[str, Any]]) -> dict[str, float]:
    """Coverage over all, by quantity, and by how the crowd was known; widths by quantity. Real jobs count apart."""
    inside: dict[str, list[bool]] = defaultdict(list)
    widths: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for quantity, interval, value in row["checks"]:
            for group in ("interval", quantity, row["how"]):
                inside[group].append(is_in(value, interval))
            widths[quantity].append(width(quantity, interval))
    held = [is_in(value, interval) for row in real for _, interval, value in row["checks"]]
    figures: dict[str, float] = {f"{name}_coverage": float(np.mean(held)) for name, held in inside.items()}
    figures |= {f"{name}_width": float(np.median(values)) for name, values in widths.items()}
    return {
        **dict(sorted(figures.items())),
        **({"real_jobs": len(real), "real_jobs_coverage": float(np.mean(held))} if held else {}),
        "intervals": len(inside["interval"]),
        "designs": len(rows),
        "forecast_seconds_mean": float(np.mean([row["s"] for row in rows])),
        "forecast_seconds_most": float(np.max([row["s"] for row in rows])),
    }


def show(row: dict[str, Any]) -> None:
    """One line a design: which intervals missed."""
    missed = [
        f"{quantity} {value:.4g} not in {interval.low:.4g}..{interval.high:.4g}"
        for quantity, interval, value in row["checks"]
        if not is_in(value, interval)
    ]
    design = row["design"]
    print(
        design.task_type.name,
        row["how"],
        row["preset"],
        design.objects,
        design.redundancy,
        "; ".join(missed) or "all in",
    )


def main() -> None:
    """Forecast and play every design, print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--designs", type=int, default=120)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--processes", type=int, default=1)
    arguments.add_argument("--real", type=int, default=8, help="real jobs in PostgreSQL, done by the services")
    arguments.add_argument("--show", action="store_true", help="print a line for each design")
    options = arguments.parse_args()
    before = machine()
    seeds = range(options.seed * 100_000, options.seed * 100_000 + options.designs)
    rows = []
    with ProcessPoolExecutor(options.processes) as pool:
        for row in pool.map(one, seeds):
            rows.append(row)
            if options.show:
                show(row)
    # The pool is gone before Django starts: a forked process must not share its connections.
    real = check_real_jobs(options.real, options.seed) if options.real else []
    if options.show:
        for row in real:
            show(row)
    report("job_forecast", figures_of(rows, real), on=before)


if __name__ == "__main__":
    main()
