"""What the metrics and the operator's page tell of this room: the queue, the parts, the ledger's movements."""

from datetime import datetime, timedelta

from django.utils import timezone

from marketplace import metrics, queue, stuck
from marketplace.models import EndpointStatus, EventDestination, Heartbeat, WebhookEndpoint
from marketplace.services import condition, heartbeats, ledger_totals
from marketplace.stuck import Stuck

QUEUE_STUCK_SECONDS = 120
"""After how long a message that is due and not taken says that the queue does not move."""

FAILING_SECONDS = 15 * 60
"""After how long without a success a webhook or event target is listed: receivers are restarted now and then."""

TARGETS = (("webhook", WebhookEndpoint), ("event target", EventDestination))


def found() -> metrics.Found:
    """The figures. Raises DatabaseError. None of the queries grows with history."""
    depth, now = queue.depth(), timezone.now()
    totals = ledger_totals.totals()
    return [
        (metrics.QUEUE_DEPTH, {("due",): depth.due, ("later",): depth.later}),
        (metrics.QUEUE_OLDEST, {(): depth.oldest_seconds}),
        (
            metrics.FAILING,
            {
                (kind.replace(" ", "_"),): model.objects.filter(
                    status=EndpointStatus.ACTIVE, failing_since__isnull=False
                ).count()
                for kind, model in TARGETS
            },
        ),
        (metrics.HEARTBEAT, {(row.kind, row.place): _seconds(now, row) for row in heartbeats.every()}),
        (metrics.LEDGER_MICROS, {(kind,): total.moved_micros for kind, total in totals.items()}),
        (metrics.LEDGER_ENTRIES, {(kind,): total.entries for kind, total in totals.items()}),
    ]


def parts_up() -> tuple[metrics.Figure, metrics.Values]:
    """Whether each part works; answers without the database, too."""
    return metrics.PART_UP, {(part.name,): float(part.state == condition.OK) for part in condition.parts()}


def _seconds(now: datetime, row: Heartbeat) -> float:
    return max(0.0, (now - row.seen_at).total_seconds())


def stuck_things() -> list[Stuck]:
    """What does not go on in this room: the queue, the parts, and targets that keep failing. Raises DatabaseError."""
    return [*_parts(), *_queue(), *_targets()]


def _parts() -> list[Stuck]:
    return [
        Stuck(_kind_of(part.name), f"{part.name}: {part.detail}", part.remedy)
        for part in condition.parts()
        if part.state == condition.BROKEN
    ]


def _kind_of(part: str) -> str:
    return part if part in (stuck.QUEUE, stuck.LEARNER) else stuck.PART


def _queue() -> list[Stuck]:
    now, depth, behind = timezone.now(), queue.depth(), queue.overdue()
    remedy = (
        "look at the log of `manage.py qcluster` and start it again; if it works and falls behind, raise "
        "WAGGLE_QUEUE_WORKERS or start it on another machine too"
    )
    if depth.oldest_seconds > QUEUE_STUCK_SECONDS:
        about = f"{depth.due} message{'s are' if depth.due > 1 else ' is'} due in the queue and not taken"
        return [Stuck(stuck.QUEUE, about, remedy, now - timedelta(seconds=depth.oldest_seconds))]
    if behind is not None and behind.total_seconds() > QUEUE_STUCK_SECONDS:
        about = "what is scheduled for every minute is not started"
        return [Stuck(stuck.QUEUE, about, remedy, now - behind)]
    return []


def _targets() -> list[Stuck]:
    found: list[Stuck] = []
    late = timezone.now() - timedelta(seconds=FAILING_SECONDS)
    for kind, model in TARGETS:
        rows = model.objects.filter(status=EndpointStatus.ACTIVE, failing_since__lt=late)
        for row in rows.select_related("account").order_by("failing_since")[: stuck.MOST]:
            whose = f"of {row.account.name}" if row.account is not None else "of a person"
            about = f"{kind} {row.pk} {whose} takes nothing"
            remedy = (
                "tell its owner, whose page of it shows every answer; it is switched off by itself after "
                "WAGGLE_WEBHOOK_FAILING_DAYS"
            )
            found.append(Stuck(stuck.TARGET, about, remedy, row.failing_since))
    return found
