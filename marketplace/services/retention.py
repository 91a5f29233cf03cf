"""Deleting what is older than the settings say it is kept, a bounded part at a time; run by the sweep.

Idempotency keys, notices, deliveries and events are deleted by the services that write them.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from marketplace import queue
from marketplace.models import AuditEvent, Contract, Invoice, Payout, WalletRefund
from marketplace.services import rates

AT_ONCE = 5000
"""Rows that one sweep deletes of each kind."""

OF_MONEY = tuple(model._meta.label for model in (Payout, WalletRefund, Contract, Invoice))
"""What is recorded of these belongs to the books, and is kept as long as they are."""

AUDIT_EVERY_SECONDS = 3600
"""Rows that are kept stand between those that go, so that looking for them is not free."""


def forget_failures() -> None:
    """Delete what the queue has kept of functions that failed WAGGLE_FAILURES_KEPT_DAYS ago."""
    queue.forget_results(timezone.now() - timedelta(days=settings.FAILURES_KEPT_DAYS), most=AT_ONCE)


def forget_sessions() -> None:
    """Delete sessions that have ended by themselves."""
    _delete(Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date"))


def forget_audit() -> None:
    """Delete audit rows of WAGGLE_AUDIT_KEPT_DAYS ago but those of money, once an hour; none while that is 0."""
    if not settings.AUDIT_KEPT_DAYS or not rates.take("retention-of-audit", most=1, seconds=AUDIT_EVERY_SECONDS)[0]:
        return
    before = timezone.now() - timedelta(days=settings.AUDIT_KEPT_DAYS)
    _delete(AuditEvent.objects.filter(at__lt=before).exclude(object_type__in=OF_MONEY).order_by("pk"), times=10)


def _delete(old: QuerySet, *, times: int = 1) -> None:
    found = old.values_list("pk", flat=True)[: times * AT_ONCE]
    old.model._default_manager.filter(pk__in=list(found)).delete()
