"""Appeals against findings: to the account whose job was closed, to the operator against a ban.

As with answers, an appeal that nobody answers in time is upheld, so that nobody is shut out because somebody was away;
not so a ban, which waits for the operator however long it takes.
"""

import logging
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling.conduct.rules import Action
from labeling.models import AppealStatus, ConductAppeal, ConductFinding, FindingStatus
from labeling.services.conduct import acting, telling
from labeling.services.conduct.deadlines import DAYS_TO_FILE, to_file
from labeling.services.results.appeals import DAYS_TO_ANSWER, UNANSWERED, checked_text
from marketplace import queue
from marketplace.errors import WrongState
from marketplace.models import Account, Worker

log = logging.getLogger(__name__)

CHUNK = 100
"""Overdue appeals that one sweep looks at."""


def refusal(finding: ConductFinding, *, now: datetime | None = None) -> str | None:
    """Why the worker cannot appeal now; None when they can. Needs `appeal` loaded to cost nothing."""
    if finding.state == FindingStatus.DISMISSED:
        return "this was taken back already"
    if hasattr(finding, "appeal"):
        return "there is an appeal already"
    if (now or timezone.now()) > to_file(finding):
        return f"an appeal had to be filed within {DAYS_TO_FILE} days"
    return None


def file_appeal(*, finding: ConductFinding, worker: Worker, text: str) -> ConductAppeal:
    """Appeal against a finding about the worker. Filing the same text again returns the appeal there is.

    Raises Invalid for a text of no or too many characters, WrongState when the finding cannot be appealed.
    """
    text, now = checked_text(text, "text"), timezone.now()
    with transaction.atomic():
        locked = ConductFinding.objects.select_for_update(no_key=True).get(pk=finding.pk, worker=worker)
        earlier = ConductAppeal.objects.filter(finding=locked).first()
        if earlier is not None and earlier.text == text:
            return earlier
        if reason := refusal(locked, now=now):
            raise WrongState(reason, field="finding")
        due_at = now + timedelta(days=DAYS_TO_ANSWER)
        appeal = ConductAppeal.objects.create(finding=locked, text=text, filed_at=now, due_at=due_at)
        telling.appeal_filed(appeal)
        return appeal


def deny(*, appeal: ConductAppeal, text: str, by: str) -> ConductAppeal:
    """Let the finding stand. Safe to repeat; raises Invalid for a bad text, WrongState for an upheld appeal."""
    return _answer(appeal, AppealStatus.DENIED, text, by)


def uphold(*, appeal: ConductAppeal, text: str, by: str) -> ConductAppeal:
    """Take the finding back, with all that followed from it (acting.dismiss). Safe to repeat.

    Raises Invalid for a bad text, WrongState for an appeal that was denied.
    """
    with transaction.atomic():
        done = _answer(appeal, AppealStatus.UPHELD, text, by)
        # The answer to the appeal says it already.
        acting.dismiss(finding=done.finding, by=by, tell=False)
    return done


def uphold_overdue(*, now: datetime | None = None) -> int:
    """Uphold the appeals that nobody has answered in time, except those against bans; returns how many.

    One that fails keeps no other waiting; the first error is raised in the end, and all of them are logged.
    """
    overdue = ConductAppeal.objects.filter(state=AppealStatus.OPEN, due_at__lte=now or timezone.now())
    rows = overdue.exclude(finding__action=Action.BAN).order_by("due_at", "pk")[:CHUNK]
    upheld: list[ConductAppeal] = []
    queue.run_each(partial(_uphold_unanswered, row, upheld) for row in rows)
    return len(upheld)


def _uphold_unanswered(appeal: ConductAppeal, upheld: list[ConductAppeal]) -> None:
    try:
        upheld.append(uphold(appeal=appeal, text=UNANSWERED, by="system"))
    except WrongState as error:
        log.info("conduct appeal %d was answered meanwhile: %s", appeal.pk, error.message)


def of_account(account: Account) -> QuerySet[ConductAppeal]:
    """The appeals that the account answers: against what closed one of its jobs."""
    return _loaded().filter(finding__queue__account=account).exclude(finding__action=Action.BAN)


def of_operator() -> QuerySet[ConductAppeal]:
    """The appeals that the operator may answer: all of them."""
    return _loaded()


def _loaded() -> QuerySet[ConductAppeal]:
    return ConductAppeal.objects.select_related("finding__worker", "finding__queue__account")


def _answer(appeal: ConductAppeal, state: str, text: str, by: str) -> ConductAppeal:
    text = checked_text(text, "answer")
    with transaction.atomic():
        ConductFinding.objects.select_for_update(no_key=True).get(pk=appeal.finding_id)
        locked = ConductAppeal.objects.select_for_update(no_key=True).get(pk=appeal.pk)
        if locked.state == AppealStatus.OPEN:
            locked.state, locked.answer, locked.answered_at, locked.answered_by = state, text, timezone.now(), by
            locked.save(update_fields=["state", "answer", "answered_at", "answered_by"])
            telling.appeal_answered(locked)
    if locked.state != state:
        raise WrongState(f"this appeal was {locked.state.lower()} already", field="appeal")
    return locked
