"""kill -9 of each process, and a full disk, while clients claim and submit over HTTP: what is lost, how long it lasts.

A whole installation runs as `make serve` runs it. For each fault there is a fresh job; the clients work for a moment,
the fault happens, they go on until all is well again, and repeat what was not answered with the same Idempotency-Key,
as real clients do. Then the database is asked what became of every answer that was acknowledged. `lost`, `altered`,
`doubled`, `unpaid`, `paid_twice`, `over_assigned` (seats), `orphans` (processes) and `audit_findings` must be 0.
`outage_s_...` is the longest time without any success, or until the killed part works again if that took longer.

    python -m benchmarks.faults [--faults web-master disk-full ...] [--clients 16] [--seconds 5] [--tasks 2000]
"""

import argparse
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from benchmarks.claim_submit import make_job, make_people, stop_job
from benchmarks.faults_clients import Record, Worker, longest_gap
from benchmarks.faults_system import Installation
from benchmarks.report import machine, report

REDUNDANCY = 3
FULL_SECONDS = 5
WORKS_SECONDS = 90
ZEROS = ("lost", "altered", "doubled", "unpaid", "paid_twice", "over_assigned", "orphans", "audit_findings")


def main() -> None:
    """Start an installation, try every fault, print the figures; the exit code is 1 when something was lost."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--faults", nargs="*", choices=list(FAULTS), default=list(FAULTS))
    arguments.add_argument("--clients", type=int, default=16)
    arguments.add_argument("--seconds", type=float, default=5, help="of work before each fault, and after it at least")
    arguments.add_argument("--tasks", type=int, default=2000, help="of each job, with three seats each")
    options = arguments.parse_args()
    before = machine()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    installation = Installation()
    try:
        figures = measure(installation, options)
    finally:
        installation.stop()
    report("faults", figures, on=before)
    if any(figures[name] for name in ZEROS):
        sys.exit(1)


def measure(installation: Installation, options: argparse.Namespace) -> dict[str, float]:
    """Try each fault in turn; what must be 0 is added up, the longest outage is `worst_outage_s`."""
    import django

    django.setup()
    from labeling.models import WorkQueue

    installation.start()
    account, team, tokens = make_people(options.clients)
    total: Counter[str] = Counter({name: 0 for name in (*ZEROS, "acknowledged", "repeats", "refused")})
    outages: dict[str, float] = {}
    for name in options.faults:
        if name == "disk-full" and installation.disk:
            print(f"{name}: left out, a disk cannot be mounted here: {installation.disk}", file=sys.stderr)
            continue
        # The job's one batch is the one that is opened here, so it stays as it is and consolidates what comes in.
        queue_id = make_job(
            account,
            team,
            tasks=options.tasks,
            redundancy=REDUNDANCY,
            automated_labeling={},
            max_concurrent_tasks=options.tasks,
        )
        outage, records = try_fault(installation, name, tokens, queue_id, options.seconds)
        counts = verify(records, queue_id)
        outages[f"outage_s_{name.replace('-', '_')}"] = outage
        total.update(counts)
        print(name, {"outage_s": round(outage, 2), **counts}, file=sys.stderr, flush=True)
        if WorkQueue.objects.get(pk=queue_id).open:
            stop_job(queue_id)
    total["audit_findings"] = audit()
    return {**total, **outages, "worst_outage_s": max(outages.values(), default=0.0)}


def try_fault(
    installation: Installation, name: str, tokens: list[str], queue_id: int, seconds: float
) -> tuple[float, list[Record]]:
    """Seconds of the outage, and what each client was told."""
    ending = threading.Event()
    workers = [
        Worker(url=installation.url, token=token, queue_id=queue_id, number=number, ending=ending)
        for number, token in enumerate(tokens)
    ]
    for worker in workers:
        worker.start()
    time.sleep(seconds)
    with FAULTS[name](installation) as works_again:
        began = time.monotonic()
    repaired = time.monotonic()
    while not works_again():
        if time.monotonic() - repaired > WORKS_SECONDS:
            raise SystemExit(f"{name}: not well again after {WORKS_SECONDS} s:\n{installation.log()[-3000:]}")
        time.sleep(0.05)
    again = time.monotonic() - repaired
    installation.wait_until_healthy()
    time.sleep(seconds)
    end = time.monotonic()
    ending.set()
    for worker in workers:
        worker.join(120)
    records = [worker.record for worker in workers]
    # A disk that is full for a while is no outage of ours before there is room again.
    start = repaired if name == "disk-full" else began
    return max(again, longest_gap(records, begin=start, end=end)), records


# --- the faults: each yields, once it happened, the question whether what it hit works again -------------------------

Works = Callable[[], bool]


@contextmanager
def master_killed(installation: Installation, name: str) -> Iterator[Works]:
    """A process of the Procfile; whatever it had started must be gone once it runs again."""
    dead = installation.process(name)
    ORPHANS.extend(family := dead.children(recursive=True))
    dead.kill()

    def works() -> bool:
        fresh = installation.process(name)
        return fresh.pid != dead.pid and not any(map(_lives, family)) and _serves(installation, name)

    yield _patiently(works)


@contextmanager
def child_killed(installation: Installation, name: str, *, leaf: bool) -> Iterator[Works]:
    """A child of such a process: one at the end of the family tree, or one that has children of its own."""
    found = installation.children(name)
    fitting = [child for child in found if bool(child.children()) is not leaf] or found
    victim = random.choice(fitting)
    ORPHANS.extend(family := victim.children(recursive=True))
    victim.kill()
    yield _patiently(lambda: not any(map(_lives, family)) and _serves(installation, name))


@contextmanager
def database_killed(installation: Installation, *, backend: bool) -> Iterator[Works]:
    """The main process of the database, or one that serves a connection: then PostgreSQL ends all the others."""
    postgres = installation.postgres()
    backends = [child for child in postgres.children() if "[local]" in " ".join(child.cmdline())]
    (random.choice(backends) if backend else postgres).kill()
    yield _patiently(installation.healthy)


@contextmanager
def disk_full(installation: Installation) -> Iterator[Works]:
    """No byte left for a while, for the store and the database alike."""
    filler = installation.fill_disk()
    time.sleep(FULL_SECONDS)
    if installation.healthy():
        raise SystemExit("the disk is full and /health/ says that all is well")
    yield _patiently(installation.healthy)
    filler.unlink()


FAULTS: dict[str, Callable[[Installation], Any]] = {
    "web-master": lambda system: master_killed(system, "web"),
    "web-worker": lambda system: child_killed(system, "web", leaf=True),
    "queue-master": lambda system: master_killed(system, "queue"),
    "queue-sentinel": lambda system: child_killed(system, "queue", leaf=False),
    "queue-worker": lambda system: child_killed(system, "queue", leaf=True),
    "learner": lambda system: master_killed(system, "learner"),
    "database-backend": lambda system: database_killed(system, backend=True),
    "database-main": lambda system: database_killed(system, backend=False),
    "disk-full": disk_full,
}
ORPHANS: list[psutil.Process] = []


def _patiently(works: Works) -> Works:
    """The same question, answered no while a process is gone or the database does not answer."""

    def ask() -> bool:
        from django.db import DatabaseError, connection

        try:
            return works()
        except (psutil.Error, DatabaseError, OSError, IndexError):
            connection.close()
            return False

    return ask


def _serves(installation: Installation, name: str) -> bool:
    """Whether the part does its work: the web answers, the queue takes a message, the learner has its lock."""
    if name == "queue":
        return _queue_works()
    if name == "learner":
        return installation.process("learner").is_running()
    return installation.healthy()


def _queue_works() -> bool:
    """Whether a message that is sent now is worked on within a few seconds."""
    from django.db import transaction
    from django_q.models import OrmQ

    from marketplace import queue

    with transaction.atomic():
        queue.enqueue("marketplace.background.sweep")
    newest = OrmQ.objects.order_by("-pk").values_list("pk", flat=True).first()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        if not OrmQ.objects.filter(pk=newest).exists():
            return True
        time.sleep(0.05)
    return False


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


# --- what became of the answers ---------------------------------------------------------------------------------------

SUBMITTED = """
SELECT a.id, a.state, (SELECT count(*) FROM labeling_answer r WHERE r.assignment_id = a.id),
       (SELECT r.content FROM labeling_answer r WHERE r.assignment_id = a.id ORDER BY r.revision LIMIT 1),
       (SELECT count(*) FROM marketplace_entry e
        WHERE e.kind = 'payment' AND e.subject_type = 'assignment' AND e.subject_id = a.id),
       (SELECT coalesce(sum(p.amount_micros), 0) FROM marketplace_entry e
        JOIN marketplace_posting p ON p.entry_id = e.id
        JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id AND l.worker_id = a.worker_id
        WHERE e.kind = 'payment' AND e.subject_type = 'assignment' AND e.subject_id = a.id),
       q.price_micros
FROM labeling_assignment a JOIN labeling_workqueue q ON q.id = a.queue_id WHERE a.queue_id = %s
"""
OVER = """
SELECT coalesce(sum(greatest(0, taken - %s)), 0) FROM (
    SELECT count(*) AS taken FROM labeling_assignment
    WHERE queue_id = %s AND state IN ('Leased', 'Submitted') GROUP BY task_id) per_task
"""


def verify(records: list[Record], queue_id: int) -> dict[str, int]:
    """Compare what the clients were told with what the database holds."""
    import orjson
    from django.db import connection

    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(SUBMITTED, [queue_id])
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(OVER, [REDUNDANCY, queue_id])
        (over,) = cursor.fetchone()
    counts = Counter({name: 0 for name in ("lost", "altered", "doubled", "unpaid", "paid_twice")})
    acknowledged = {seat: answer for record in records for seat, answer in record.acknowledged.items()}
    for seat, answer in acknowledged.items():
        state, answers, content, *_ = rows.get(seat, ("", 0, "null"))
        found = orjson.loads(content) if isinstance(content, str) else content
        counts["lost"] += state != "Submitted" or not answers
        counts["altered"] += bool(answers) and _boxes(found) != _boxes(answer)
    for state, answers, _, payments, paid, price in rows.values():
        counts["doubled"] += answers > 1
        counts["unpaid"] += state == "Submitted" and paid < price
        counts["paid_twice"] += payments > 1 or paid > price or (state != "Submitted" and payments > 0)
    for line in [line for record in records for line in record.wrong][:5]:
        print("refused:", line, file=sys.stderr)
    return {
        **counts,
        "over_assigned": int(over),
        "orphans": sum(map(_lives, ORPHANS)),
        "acknowledged": len(acknowledged),
        "repeats": sum(record.repeats for record in records),
        "refused": sum(len(record.wrong) for record in records),
    }


def _boxes(answer: Any) -> Any:
    return [tuple(sorted(box.items())) for box in answer["boundingBox"]["boundingBoxes"]] if answer else None


def audit() -> int:
    """How much the ledger's audit finds."""
    from marketplace.services import ledger_audit

    found = ledger_audit.audit().findings
    for finding in found[:10]:
        print("audit:", finding, file=sys.stderr)
    return len(found)


if __name__ == "__main__":
    main()
