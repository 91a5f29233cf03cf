"""What the members of an account are told of its human loops: that some have failed, that nothing can be written.

Grouped, because loops come by the thousand: of each flow definition once in a while, with how many it is about.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from labeling import subjects
from labeling.models import FlowDefinition, HumanLoop
from marketplace.models import NoticeKind, Subject
from marketplace.services import notifications, rates

FAILURES = timedelta(hours=1)
"""Between two notices about failed loops of one flow definition."""

UNWRITTEN = timedelta(days=1)
"""Between two notices that the output of one flow definition cannot be written."""


def loops_failed(flow: FlowDefinition) -> None:
    """Loops of the flow definition have just failed: the account is told of all that did since the last notice."""
    since = timezone.now() - FAILURES
    rows = HumanLoop.objects.filter(flow=flow, status="Failed", status_changed_at__gt=since)
    with transaction.atomic():
        if not _granted(f"failed human loops {flow.pk}", FAILURES):
            return
        last = rows.order_by("-status_changed_at", "-pk").first()
        if last is None:
            return
        count = rows.count()
        many = f"{count} human loops of {flow.name} have failed within an hour, the last one"
        one = f"The human loop {last.name} of {flow.name} has failed"
        _tell(flow, f"{many if count > 1 else one}: {last.failure_reason.rstrip('.')}.")


def output_unwritable(flow: FlowDefinition, reason: str) -> None:
    """People have answered, and the output cannot be written where the flow definition says: the account is told."""
    with transaction.atomic():
        if _granted(f"unwritten human review {flow.pk}", UNWRITTEN):
            said = f"The answers to human loops of {flow.name} cannot be written, it is tried again every minute"
            _tell(flow, f"{said}: {reason.rstrip('.')}.")


def _granted(key: str, pause: timedelta) -> bool:
    granted, _ = rates.take(key, most=1, seconds=pause.total_seconds())
    return granted > 0


def _tell(flow: FlowDefinition, text: str) -> None:
    subject = Subject(subjects.FLOW_DEFINITION, flow.pk)
    notifications.tell_account(account=flow.account, kind=NoticeKind.JOB_DONE, text=text, subject=subject)
