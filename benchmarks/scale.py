"""Claims, submits and sweeps against the number of web processes and of jobs that are open at once.

A million tasks in 1, 100 and 10,000 jobs, by turns open to the same workers; each client works in jobs all over the
installation, one after another. `loops_per_s_*` counts a claim and a submit by 8 clients, `cpu_ms_*` is what a loop
costs web server and database, which depends far less on what else the machine does. `claims_2_processes_over_1`: loops
a second of two web processes over one, rounds by turns, the median of their ratios; `..._pgbouncer_over_direct`: two
processes through a PgBouncer over two without. `sweep_flatness`: CPU time of the worst sweep with 10,000 jobs over the
same with one; `sweep_<name>` is each sweep's, and `sweep_ms_10k_<name>` its milliseconds a minute.

    python -m benchmarks.scale [--jobs 1 100 10000] [--tasks 1000000] [--seconds 5] [--rounds 3] [--repeats 5]
"""

import argparse
import contextlib
import itertools
import os
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.claim_submit import NAMES, Client, make_people
from benchmarks.report import machine, report
from benchmarks.stack import Stack, running

CLIENTS = 8
SWEEPS = ("marketplace.sweep", "labeling.sweep", "learning.sweep")

PART_MS = 2.0
"""Parts of sweeps that take less CPU with one job are counted as this: below it, what is measured is chance."""


def main() -> None:
    """Start a stack of its own, measure every number of jobs, print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--jobs", type=int, nargs="*", default=[1, 100, 10_000])
    arguments.add_argument("--tasks", type=int, default=1_000_000)
    arguments.add_argument("--seconds", type=float, default=5)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--repeats", type=int, default=5)
    options = arguments.parse_args()
    before = machine()
    with running(queue=False) as stack:
        report("scale", measure(stack, options), on=before)


def measure(stack: Stack, options: argparse.Namespace) -> dict[str, float]:
    """Every number of jobs, from few to many, each in the same database emptied before."""
    from benchmarks import scale_data, scale_sweeps
    from tests import databases

    figures: dict[str, float] = {}
    sweeps: dict[int, dict[str, float]] = {}
    for jobs in sorted(options.jobs):
        databases.empty()
        account, team, tokens = make_people(CLIENTS)
        queues = scale_data.make_jobs(account, team, jobs=jobs, tasks=options.tasks)
        name = f"{NAMES.get(jobs, jobs)}_jobs"
        _say(f"{jobs} jobs with {options.tasks // jobs} tasks each")
        sweeps[jobs], messages = scale_sweeps.measure(options.repeats)
        figures[f"messages_a_sweep_{name}"] = messages
        figures |= _claims(stack, tokens, queues, options, name)
    if len(sweeps) > 1:
        figures |= flatness(sweeps[min(sweeps)], sweeps[max(sweeps)])
    return figures


def flatness(few: dict[str, float], many: dict[str, float]) -> dict[str, float]:
    """Each sweep with the most jobs over the same with the fewest, the worst of them, and what it takes."""
    ratios = {name: many[name] / max(few.get(name, 0), PART_MS) for name in many}
    whole = {name: ratio for name, ratio in ratios.items() if name in SWEEPS}
    parts = {name: ratio for name, ratio in ratios.items() if name not in whole}
    worst = max(parts, key=lambda name: parts[name])
    _say(f"the worst part: {worst}, {few.get(worst, 0):.1f} ms with few jobs, {many[worst]:.1f} ms with many")
    figures = {"sweep_flatness": max(ratios.values())}
    figures |= {f"sweep_{name}": ratio for name, ratio in ratios.items()}
    return figures | {f"sweep_ms_10k_{name}": many[name] for name in many}


def _claims(
    stack: Stack, tokens: list[str], queues: list[int], options: argparse.Namespace, name: str
) -> dict[str, float]:
    """One web process, two, and two behind a PgBouncer, by turns, so that what else the machine does hits all alike."""
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(options.rounds):
        for way, processes, pooled in (("1p", 1, False), ("2p", 2, False), ("2p_pgbouncer", 2, True)):
            with _served(stack, processes, pooled=pooled) as served:
                if served:
                    cell = run_cell(stack, tokens, queues, options.seconds)
                    _say(f"{name} {way}: {cell}")
                    found.setdefault(way, []).append(cell)
    figures = {
        f"{what}_{way}_{name}": statistics.median(cell[what] for cell in cells)
        for way, cells in found.items()
        for what in ("loops_per_s", "cpu_ms")
    }
    for ratio, more, less in (
        ("claims_2_processes_over_1", "2p", "1p"),
        ("claims_pgbouncer_over_direct", "2p_pgbouncer", "2p"),
    ):
        if more in found:
            pairs = zip(found[more], found[less], strict=True)
            figures[f"{ratio}_{name}"] = statistics.median(a["loops_per_s"] / b["loops_per_s"] for a, b in pairs)
    figures["claims_2_processes_over_1"] = figures[f"claims_2_processes_over_1_{name}"]
    return figures


@contextlib.contextmanager
def _served(stack: Stack, processes: int, *, pooled: bool) -> Iterator[bool]:
    """So many web processes run; False where there is no PgBouncer."""
    from django.db import connection

    from tests import pgbouncer

    names = ("WAGGLE_WEB_WORKERS", "WAGGLE_DATABASE_URL", "WAGGLE_PGBOUNCER")
    earlier = {name: os.environ.get(name, "") for name in names}
    os.environ["WAGGLE_WEB_WORKERS"] = str(processes)
    try:
        if not pooled:
            stack.serve("portal")
            yield True
        elif pgbouncer.find() is None:
            yield False
        else:
            with pgbouncer.running(connection.settings_dict, connections=12) as pool:
                os.environ |= {"WAGGLE_DATABASE_URL": pool.url("postgres"), "WAGGLE_PGBOUNCER": "yes"}
                stack.serve("portal")
                yield True
    finally:
        os.environ |= earlier


def run_cell(stack: Stack, tokens: list[str], queues: list[int], seconds: float) -> dict[str, float]:
    """All clients at once until the time is over, each from job to job; loops a second, CPU milliseconds a loop."""
    clients = [Client(stack.port, token) for token in tokens]
    # Jobs that are far from each other in every index, one after another.
    step = max(1, len(queues) // 7) | 1
    orders = [itertools.cycle(queues[(place + n * step) % len(queues)] for n in range(200)) for place in range(CLIENTS)]
    for client, order in zip(clients, orders, strict=True):
        _loop(client, next(order))
    start, cpu = time.perf_counter(), stack.cpu_seconds()

    def work(client: Client, order: Iterator[int]) -> int:
        done = 0
        while time.perf_counter() < start + seconds:
            done += _loop(client, next(order))
        return done

    with ThreadPoolExecutor(CLIENTS) as pool:
        loops = sum(pool.map(work, clients, orders))
    took, cpu = time.perf_counter() - start, stack.cpu_seconds() - cpu
    return {"loops_per_s": loops / took, "cpu_ms": 1000 * cpu / loops}


def _loop(client: Client, queue: int) -> int:
    """A claim and a submit; 0 when the worker has had every task of the job."""
    seat: Any = client.claim(queue)
    if seat is None:
        return 0
    client.submit(seat["id"])
    return 1


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
