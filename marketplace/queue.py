"""Background work: the only importer of django_q.

With the ORM broker the message is a row written on the caller's connection: it commits or rolls back with the state it
belongs to. Functions take ids, are short, and are safe to run twice.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.utils import timezone
from django_q.brokers import orm
from django_q.models import OrmQ, Schedule, Task
from django_q.tasks import async_task

log = logging.getLogger(__name__)


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


def enqueue(path: str, *args: int | str, tried_again: bool = False, after: timedelta = timedelta()) -> None:
    """Queue `path(*args)` in the caller's transaction. Raises if the path does not lead to a function.

    `tried_again`: a call that fails is delivered again after WAGGLE_QUEUE_RETRY_SECONDS, five times at most. Without it
    only a call whose process was lost is; the others have a row that the sweep looks after. `after`: delivered no
    sooner than that from now.
    """
    resolve(path)
    later = {"broker": _Later(after)} if after else {}
    async_task(path, *args, ack_failure=not tried_again, **later)


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
