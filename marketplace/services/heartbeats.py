"""Heartbeats of queues and learners: the only writer, and who was seen when."""

import socket
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from marketplace.models import Heartbeat

QUEUE, LEARNER = "queue", "learner"
KINDS = (QUEUE, LEARNER)
SILENT = {QUEUE: timedelta(minutes=4), LEARNER: timedelta(minutes=2)}
"""After how long without a heartbeat a process counts as gone. A queue's come with the sweep of every minute."""

CLUSTER = "cluster"
"""The figure of a learner that says how its cluster is: `nodes`, `cpus` and `gpus`, or the `problem` with it."""

FORGOTTEN = timedelta(days=1)
"""After how long without a heartbeat a machine counts as taken away for good."""

PLACE_LENGTH = 80


def here() -> str:
    """The name of this machine."""
    return socket.gethostname()[:60]


def note(kind: str, *, place: str, figures: Mapping[str, object] | None = None, now: datetime | None = None) -> None:
    """This process works."""
    Heartbeat.objects.update_or_create(
        kind=kind,
        place=place[:PLACE_LENGTH],
        defaults={"seen_at": now or timezone.now(), "figures": dict(figures or {})},
    )


def note_queue() -> None:
    """This queue works: it has come to the sweep."""
    note(QUEUE, place=here())


def leave(kind: str, *, place: str) -> None:
    """This process ends because it was asked to, and is not missed."""
    Heartbeat.objects.filter(kind=kind, place=place[:PLACE_LENGTH]).delete()


def forget_old() -> None:
    """Delete what is known of machines that were taken away."""
    Heartbeat.objects.filter(seen_at__lt=timezone.now() - FORGOTTEN).delete()


def every(kind: str = "") -> list[Heartbeat]:
    """The heartbeats, of one kind or of all, latest first."""
    rows = Heartbeat.objects.filter(kind=kind) if kind else Heartbeat.objects.all()
    return list(rows.order_by("-seen_at"))


def lives(heartbeat: Heartbeat, now: datetime) -> bool:
    """Whether it was heard of lately."""
    return now - heartbeat.seen_at <= SILENT[heartbeat.kind]
