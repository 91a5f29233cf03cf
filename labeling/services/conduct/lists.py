"""Findings as the people concerned may see them: the worker, the account whose job it is, the operator."""

from django.db.models import Q, QuerySet
from django.utils import timezone

from labeling.conduct.rules import Action
from labeling.models import AppealStatus, ConductFinding, FindingStatus
from labeling.services.conduct.acting import CLOSES
from marketplace.errors import NotFound
from marketplace.models import Account, Worker


def of_worker(worker: Worker) -> QuerySet[ConductFinding]:
    """What the worker is told, with its appeal."""
    return _loaded().filter(worker=worker).exclude(action=Action.NOTE)


def of_account(account: Account) -> QuerySet[ConductFinding]:
    """What was found in the account's jobs."""
    return _loaded().filter(queue__account=account)


def of_operator() -> QuerySet[ConductFinding]:
    """Everything that was found."""
    return _loaded()


def closing(worker: Worker) -> QuerySet[ConductFinding]:
    """What closes jobs to the worker now."""
    now_or_for_good = Q(until=None) | Q(until__gt=timezone.now())
    return of_worker(worker).filter(now_or_for_good, state=FindingStatus.ACTIVE, action__in=CLOSES)


def open_ones(rows: QuerySet[ConductFinding]) -> QuerySet[ConductFinding]:
    """Those that nobody has looked at yet, or that have an open appeal."""
    waiting = Q(state=FindingStatus.ACTIVE, seen_at=None) | Q(appeal__state=AppealStatus.OPEN)
    return rows.filter(waiting)


def one(rows: QuerySet[ConductFinding], finding_id: int) -> ConductFinding:
    """One of these. Raises NotFound."""
    row = rows.filter(pk=finding_id).first()
    if row is None:
        raise NotFound(f"there is no finding {finding_id}")
    return row


def _loaded() -> QuerySet[ConductFinding]:
    return ConductFinding.objects.select_related("worker__user", "queue__account", "appeal")
