"""Times of the periodic sweeps and of each of their parts, as CPU time of this process and of its database backend.

Elapsed time says little on a machine that does other things; the kernel counts the time of each process in nanoseconds.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils import timezone

from marketplace import queue

ROOMS = ("marketplace", "labeling", "learning")


def measure(repeats: int) -> tuple[dict[str, float], float]:
    """Median milliseconds of each sweep ("labeling.sweep") and each of its parts, and messages that a round sent.

    Between two rounds a minute is taken to pass: what the sweeps have sent is done, as by the message queue.
    """
    taken: dict[str, list[float]] = defaultdict(list)
    messages: list[int] = []
    # What is opened anew after a minute would be another backend.
    connection.close()
    connection.settings_dict["CONN_MAX_AGE"] = None
    with _parts_timed(taken):
        for _ in range(repeats):
            _pass_a_minute()
            for room in ROOMS:
                sweep = import_module(f"{room}.background").sweep
                taken[f"{room}.sweep"].append(_timed(sweep))
            messages.append(_do_messages())
    return {name: statistics.median(times) for name, times in taken.items()}, statistics.median(messages)


@contextmanager
def _parts_timed(taken: dict[str, list[float]]) -> Iterator[None]:
    """Let every part that a sweep runs be timed by its module and name."""

    def run_each(room: str, parts: Iterable[Callable[[], object]]) -> None:
        for part in parts:
            taken[_name(room, part)].append(_timed(part))

    kept = []
    try:
        for room in ROOMS:
            module: Any = import_module(f"{room}.background")
            if hasattr(module, "run_each"):
                kept.append((module, module.run_each))
                module.run_each = partial(run_each, room)
        original = queue.run_each
        kept.append((queue, original))
        queue.run_each = partial(run_each, "")  # type: ignore[assignment]
        yield
    finally:
        for module, earlier in kept:
            module.run_each = earlier


def _name(room: str, part: Callable[..., object]) -> str:
    owner = getattr(part, "__self__", None)
    module = getattr(part, "__module__", None) or type(owner).__module__
    return f"{module.replace('.services', '')}.{getattr(part, '__name__', room)}"


def _timed(call: Callable[[], object]) -> float:
    """Milliseconds of CPU that a call takes here and in the database."""
    backend = _backend()
    before = time.process_time_ns() + _spent(backend)
    call()
    return (time.process_time_ns() + _spent(backend) - before) / 1e6


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _spent(process: int) -> int:
    """Nanoseconds for which a process has run."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0])


def _pass_a_minute() -> None:
    """The jobs have been under way for some hours, and another minute has passed."""
    from labeling.models import PlannedAdvance
    from learning.models import LearningLoop

    PlannedAdvance.objects.update(at=F("at") - timedelta(minutes=1))
    LearningLoop.objects.update(look_at=F("look_at") - timedelta(minutes=1))


def _do_messages() -> int:
    """Call what the messages say; returns how many there were."""
    from django_q.models import OrmQ

    done = 0
    while rows := list(OrmQ.objects.filter(lock__lte=timezone.now()).order_by("pk")[:1000]):
        for row in rows:
            task = row.task
            queue.resolve(task["func"])(*task["args"])
            row.delete()
        done += len(rows)
    return done
