"""Events: each change of the state of something is written in its transaction, and queued for the destinations.

The rooms say of which of their machines the changes are events, and what AWS says of them (`follow`). An event is a
message to programs; what people are told is in notifications.py.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from marketplace.event_kinds import KINDS, EventKind
from marketplace.models import Account, Event
from marketplace.services import event_destinations
from marketplace.states import Machine

DELETED_AT_ONCE = 5000


def follow(machine: Machine, kind: EventKind) -> None:
    """From now on every change of a state by this machine is an event. Safe to repeat."""
    if kind.subject not in KINDS:
        KINDS[kind.subject] = kind, machine.states
        machine.followers.append(lambda row, status: _record(kind, row, status, final=status in machine.final))


def _record(kind: EventKind, row: Any, status: str, *, final: bool) -> None:
    """Write an event and queue it, in the transaction of the change, which holds the row: so none overtakes another."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(f"{kind.subject}: an event needs an open transaction")
    of_subject = Event.objects.filter(subject_type=kind.subject, subject_id=row.pk).order_by("-sequence")
    event = Event.objects.create(
        account=row.account,
        subject_type=kind.subject,
        subject_id=row.pk,
        sequence=(of_subject.values_list("sequence", flat=True).first() or 0) + 1,
        detail_type=kind.detail_type,
        status=status,
        resource=kind.arn(row),
        detail=kind.detail(row, status),
        final=final,
        at=timezone.now(),
    )
    event_destinations.post(event)


def of(account: Account) -> QuerySet[Event]:
    """The events of an account, newest first."""
    return Event.objects.filter(account=account).order_by("-pk")


def forget_old() -> None:
    """Delete events that are older than WAGGLE_EVENTS_KEPT_DAYS; run by the sweep.

    The last one of what may still change is kept: its number is that from which the next ones are counted.
    """
    same = Q(subject_type=OuterRef("subject_type"), subject_id=OuterRef("subject_id"), pk__gt=OuterRef("pk"))
    old = Event.objects.filter(at__lt=timezone.now() - timedelta(days=settings.EVENTS_KEPT_DAYS))
    over: QuerySet[Event] = old.filter(Q(final=True) | Exists(Event.objects.filter(same)))
    Event.objects.filter(pk__in=list(over.order_by("at").values_list("pk", flat=True)[:DELETED_AT_ONCE])).delete()
