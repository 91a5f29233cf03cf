"""What is older than the settings say is deleted, a bounded part at a time; what is younger, or of money, stays."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_q.models import Task

from marketplace.models import AuditEvent, IdempotentRequest, Notice, RateWindow
from marketplace.services import idempotency, notifications, retention
from tests import builders

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAYS = (1, 29, 31, 400)


def ages(rows, field: str) -> list[int]:
    """How many days old the rows are, in ascending order."""
    return sorted(round((NOW - at).total_seconds() / 86_400) for at in rows.values_list(field, flat=True))


@pytest.fixture(autouse=True)
def _two_at_once(monkeypatch) -> None:
    for module in (retention, idempotency, notifications):
        monkeypatch.setattr(module, "AT_ONCE" if module is retention else "DELETED_AT_ONCE", 2)


def test_failures_of_the_queue():
    for days in DAYS:
        at = NOW - timedelta(days=days)
        Task.objects.create(id=f"task{days}", name=f"n{days}", func="f", started=at, stopped=at, success=False)
    retention.forget_failures()
    assert ages(Task.objects, "stopped") == [1, 29]


def test_sessions_that_have_ended():
    for days in (-1, 1, 2, 3):
        Session.objects.create(session_key=f"key{days}", session_data="", expire_date=NOW - timedelta(days=days))
    retention.forget_sessions()
    # Two at a time, the oldest first; a session that goes on stays.
    assert ages(Session.objects, "expire_date") == [-1, 1]
    retention.forget_sessions()
    assert ages(Session.objects, "expire_date") == [-1]


def test_the_audit_log_goes_where_it_is_wanted_and_never_that_of_money(settings):
    for kind in ("labeling.LabelingJob", "marketplace.Payout"):
        for days in DAYS:
            AuditEvent.objects.create(object_type=kind, object_id=1, by="system", at=NOW - timedelta(days=days))
    retention.forget_audit()
    assert AuditEvent.objects.count() == 2 * len(DAYS)
    settings.AUDIT_KEPT_DAYS = 30
    retention.forget_audit()
    assert ages(AuditEvent.objects.filter(object_type="labeling.LabelingJob"), "at") == [1, 29]
    assert ages(AuditEvent.objects.filter(object_type="marketplace.Payout"), "at") == list(DAYS)
    # It looks once an hour.
    settings.AUDIT_KEPT_DAYS = 10
    retention.forget_audit()
    assert AuditEvent.objects.filter(object_type="labeling.LabelingJob").count() == 2
    RateWindow.objects.all().delete()
    retention.forget_audit()
    assert AuditEvent.objects.filter(object_type="labeling.LabelingJob").count() == 1


def test_idempotency_keys_and_notices(settings):
    user = builders.a_user()
    settings.IDEMPOTENCY_HOURS, settings.NOTICES_KEPT_DAYS = 30 * 24, 30
    for days in DAYS:
        IdempotentRequest.objects.create(user=user, key=str(days), fingerprint="x")
        Notice.objects.create(user=user, kind="bonus", text="A bonus")
    for model in (IdempotentRequest, Notice):
        for row, days in zip(model.objects.order_by("pk"), DAYS, strict=True):
            model.objects.filter(pk=row.pk).update(created_at=NOW - timedelta(days=days))
    idempotency.forget_old()
    notifications.forget_old()
    for model in (IdempotentRequest, Notice):
        assert ages(model.objects, "created_at") == [1, 29], model
