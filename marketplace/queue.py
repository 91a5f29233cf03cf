"""Background work: the only importer of django_q.

With the ORM broker the message is a row written on the caller's connection: it commits or rolls back with the state it
belongs to. Functions take ids, are short, and are safe to run twice.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.dispatch import receiver
from django.utils import timezone
from django_q.brokers import orm
from django_q.models import OrmQ, Schedule, Task
from django_q.signals import post_execute_in_worker, post_spawn, pre_enqueue, pre_execute
from django_q.tasks import async_task

from marketplace import carried, metric_files

log = logging.getLogger(__name__)
CARRIED = "waggle"
"""Under which a message keeps what it carries, beside what django-q2 keeps of it."""

PATH_LENGTH = 256


def resolve(path: str) -> Callable[..., Any]:
    """The function behind a dotted path. Raises ImportError or AttributeError, which django_q would swallow."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


class _Later(orm.ORM):
    """Writes messages that are delivered `after` a while: the broker leaves alone what is locked until then."""

    def __init__(self, after: timedelta) -> None:
        super().__init__()
        self.after = after

    def enqueue(self, task: str) -> int:
        """The id of the message."""
        return int(OrmQ.objects.create(key=self.list_key, payload=task, lock=timezone.now() + self.after).pk)


class _Together(orm.ORM):
    """Keeps messages until they are written by one statement."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[OrmQ] = []

    def enqueue(self, task: str) -> None:
        """Keep a message; it has no id yet."""
        self.kept.append(OrmQ(key=self.list_key, payload=task, lock=timezone.now()))

    def write(self) -> None:
        """Write what is kept, in the caller's transaction."""
        OrmQ.objects.bulk_create(self.kept)
        self.kept = []


def enqueue(path: str, *args: int | str, tried_again: bool = False, after: timedelta = timedelta()) -> None:
    """Queue `path(*args)` in the caller's transaction. Raises if the path does not lead to a function.

    `tried_again`: a call that fails is delivered again after WAGGLE_QUEUE_RETRY_SECONDS, five times at most. Without it
    only a call whose process was lost is; the others have a row that the sweep looks after. `after`: delivered no
    sooner than that from now.
    """
    resolve(path)
    later = {"broker": _Later(after)} if after else {}
    async_task(path, *args, ack_failure=not tried_again, **later)


def enqueue_each(path: str, arguments: Iterable[int | str]) -> None:
    """As `enqueue(path, one)` for each of these, written together. Raises if the path does not lead to a function."""
    resolve(path)
    together = _Together()
    for one in arguments:
        async_task(path, one, ack_failure=True, broker=together)
    together.write()


def is_behind(age: timedelta) -> bool:
    """Whether a message has waited for its turn for longer than this. Who would send one again leaves it then."""
    return OrmQ.objects.filter(lock__lt=timezone.now() - age).exists()


def every(seconds: int, path: str) -> None:
    """Run `path()` every so many seconds (whole minutes, at least one), from now on; safe to repeat."""
    resolve(path)
    Schedule.objects.update_or_create(
        name=path,
        defaults={
            "func": path,
            "schedule_type": Schedule.MINUTES,
            "minutes": max(1, round(seconds / 60)),
            "repeats": -1,
            "next_run": timezone.now() + timedelta(seconds=seconds),
        },
    )


def forget_results(before: datetime, *, most: int) -> int:
    """Delete what is kept of functions that ended before then, the oldest first; returns how many rows."""
    old = Task.objects.filter(stopped__lt=before).order_by("stopped").values_list("pk", flat=True)[:most]
    return Task.objects.filter(pk__in=list(old)).delete()[0]


def run_each(parts: Iterable[Callable[[], object]]) -> None:
    """Call every part, so that one that fails does not keep the others from running.

    The first error is raised in the end, so that the message queue records it.
    """
    failed: Exception | None = None
    for part in parts:
        try:
            part()
        except Exception as error:
            log.exception("a part of a background function failed: %r", part)
            failed = failed or error
    if failed is not None:
        raise failed


@dataclass(frozen=True)
class Depth:
    """How many messages are due, and how many are delivered already or are due later.

    `oldest_seconds`: for how long the oldest that is due has been; 0 when none is due.
    """

    due: int
    later: int
    oldest_seconds: float


def depth(now: datetime | None = None) -> Depth:
    """The state of the queue. Its cost grows with the messages that are in it, not with those that were."""
    at = now or timezone.now()
    found = OrmQ.objects.aggregate(
        oldest=Min("lock", filter=Q(lock__lte=at)), due=Count("pk", filter=Q(lock__lte=at)), every=Count("pk")
    )
    seconds = (at - found["oldest"]).total_seconds() if found["oldest"] is not None else 0.0
    return Depth(due=found["due"], later=found["every"] - found["due"], oldest_seconds=seconds)


def overdue(now: datetime | None = None) -> timedelta | None:
    """For how long the schedule that is most behind has been due; None where nothing is scheduled."""
    first = Schedule.objects.exclude(repeats=0).aggregate(first=Min("next_run"))["first"]
    return max(timedelta(), (now or timezone.now()) - first) if first is not None else None


# --- what goes along with a message, and what is counted of it ------------------------------------------------------


@receiver(pre_enqueue)
def _take_along(task: dict[str, Any], **_: Any) -> None:
    task[CARRIED] = carried.carried()


@receiver(post_spawn)
def _fold_counts(**_: Any) -> None:
    # Workers are replaced after some hundred messages, and each leaves files of what it has counted.
    if settings.METRICS_FOLDER:
        metric_files.fold(Path(settings.METRICS_FOLDER))


@receiver(pre_execute)
def _begin(func: Callable[..., object] | None, task: dict[str, Any], **_: Any) -> None:
    carried.begin(func, str(task["func"])[:PATH_LENGTH], tuple(task["args"]), task.get(CARRIED) or {})


@receiver(post_execute_in_worker)
def _end(task: dict[str, Any], **_: Any) -> None:
    done = bool(task.get("success", True))
    carried.end(done=done, error="" if done else str(task.get("result", "")))
