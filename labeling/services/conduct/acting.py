"""What follows when a rule, or a person, has found something in a worker's conduct. And how it is taken back.

A finding is stored with its effect in one transaction; tasks that the worker holds go to others, and answers that
nobody has accepted yet are withdrawn, afterwards: each of these steps may be repeated, and the sweep does.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from labeling.conduct.observed import Conduct
from labeling.conduct.rules import RULES, Action, Found, decided, findings
from labeling.models import ConductFinding, FindingStatus, WorkQueue
from labeling.services import exclusion
from labeling.services.conduct import policies, telling, withdrawing
from labeling.services.queue import leases
from marketplace.errors import Invalid, WrongState
from marketplace.models import Worker
from marketplace.ranges import Range
from marketplace.services import people

BY_HAND, COLLUSION = "by-hand", "collusion"
"""Findings that come from no rule: a member of the account closed the job, two workers agree too much."""

REASON_LENGTH = Range(1, 200)
"""Characters of the reason that a person gives."""

FOLLOWED_FOR = timedelta(hours=1)
"""For so long the sweep makes sure that a block was followed."""

CLOSES = (Action.PAUSE, Action.RETRAIN, Action.BLOCK)
"""What closes a queue to a worker."""


def act(*, queue: WorkQueue, worker: Worker, conduct: Conduct) -> list[ConductFinding]:
    """Ask the rules, store what they find and do what follows. The same answers give no second finding of a rule."""
    chosen = policies.policies(queue=queue)
    asked = [key for key, policy in chosen.items() if policy.action != Action.OFF]
    made = []
    for key, found in findings(conduct, only=asked).items():
        policy = chosen[key]
        row = _store(queue, worker, key, found, policy.action, policy.minutes)
        if row is not None:
            made.append(row)
            follow(row)
    return made


def block(*, queue: WorkQueue, worker: Worker, reason: str, by: str) -> ConductFinding:
    """Close one job to a worker, by a person's decision. Safe to repeat. Raises Invalid for a reason of no or too many
    characters."""
    reason = reason.strip()
    if len(reason) not in REASON_LENGTH:
        raise Invalid(f"a reason of {REASON_LENGTH} characters is needed, {len(reason)} found", field="reason")
    with transaction.atomic():
        Worker.objects.select_for_update(no_key=True).get(pk=worker.pk)
        row = ConductFinding.objects.filter(
            worker=worker, queue=queue, state=FindingStatus.ACTIVE, action=Action.BLOCK
        ).first()
        row = row or _create(queue, worker, BY_HAND, Action.BLOCK, reason, {}, 0, by=by)
    follow(row)
    return row


def note(*, queue: WorkQueue, worker: Worker, rule: str, reason: str, numbers: Mapping[str, Any]) -> ConductFinding:
    """List something for the account and the operator, of which the worker is not told."""
    return _create(queue, worker, rule, Action.NOTE, reason, numbers, 0, by="system")


def ban(*, finding: ConductFinding, by: str) -> ConductFinding:
    """Show the worker no work at all any more, because of a finding. Safe to repeat.

    Raises WrongState for a finding that was dismissed.
    """
    with transaction.atomic():
        row = _locked(finding)
        if row.state == FindingStatus.DISMISSED:
            raise WrongState("this finding was dismissed", field="finding")
        new = row.action != Action.BAN
        if new or row.seen_at is None:
            row.action, row.until, row.seen_at = Action.BAN, None, timezone.now()
            row.save(update_fields=["action", "until", "seen_at"])
        if new:
            telling.found(row)
    follow(row, by=by)
    return row


def dismiss(*, finding: ConductFinding, by: str, tell: bool = True) -> ConductFinding:
    """Let a finding count no more: what it closed is open again, and answers it withdrew are paid. Safe to repeat.

    Without `tell` the worker hears of it otherwise, as from the answer to an appeal.
    """
    with transaction.atomic():
        row = _locked(finding)
        if row.state != FindingStatus.DISMISSED:
            row.state, row.closed_at, row.closed_by = FindingStatus.DISMISSED, timezone.now(), by
            row.seen_at = row.seen_at or row.closed_at
            row.save(update_fields=["state", "closed_at", "closed_by", "seen_at"])
            if row.action == Action.BAN and not _banned_otherwise(row):
                people.lift_suspension(worker=row.worker, by=by)
            if tell:
                telling.taken_back(row, restores=withdrawing.withdrawn(row).exists())
    withdrawing.restore(finding=row, by=by)
    return row


def see(*, finding: ConductFinding) -> None:
    """The operator has looked at it and leaves it as it is. Safe to repeat."""
    ConductFinding.objects.filter(pk=finding.pk, seen_at=None).update(seen_at=timezone.now())


def instructions_read(*, finding: ConductFinding) -> ConductFinding:
    """The worker has read the instructions again: the job is open to them. Safe to repeat.

    Raises WrongState for a finding that asks for something else.
    """
    with transaction.atomic():
        row = _locked(finding)
        if row.action != Action.RETRAIN:
            raise WrongState("this finding does not ask to read the instructions", field="finding")
        if row.state == FindingStatus.ACTIVE:
            row.state, row.closed_at, row.closed_by = FindingStatus.DONE, timezone.now(), f"worker:{row.worker_id}"
            row.save(update_fields=["state", "closed_at", "closed_by"])
    return row


def follow(finding: ConductFinding, *, by: str = "system") -> None:
    """Do what an active finding asks for. Safe to repeat, and to be killed anywhere."""
    if finding.action == Action.BAN:
        exclusion.suspend(worker=finding.worker, reason=finding.reason[: REASON_LENGTH.longest], by=by)
        withdrawing.withdraw(finding=finding)
    elif finding.action in CLOSES and finding.queue_id is not None:
        leases.return_held(worker_id=finding.worker_id, queue_id=finding.queue_id)
        if finding.action == Action.BLOCK:
            withdrawing.withdraw(finding=finding)


def follow_again() -> int:
    """Follow the blocks of the last hour once more; returns how many there are. Safe to repeat.

    Whoever stored one may have been killed before the rest was done. A ban is the operator's own act, who repeats it.
    """
    recent = ConductFinding.objects.filter(
        state=FindingStatus.ACTIVE, action=Action.BLOCK, found_at__gte=timezone.now() - FOLLOWED_FOR
    )
    rows = list(recent.select_related("worker").order_by("pk"))
    for row in rows:
        follow(row)
    return len(rows)


def _store(
    queue: WorkQueue, worker: Worker, key: str, found: Found, action: Action, minutes: int
) -> ConductFinding | None:
    with transaction.atomic():
        # Whoever looks at the same worker at the same time waits here, and then sees the finding.
        Worker.objects.select_for_update(no_key=True).get(pk=worker.pk)
        rows = ConductFinding.objects.filter(worker=worker, queue=queue)
        if rows.filter(rule=key, seat__gte=found.seat).exists():
            return None
        earlier = rows.exclude(state=FindingStatus.DISMISSED).values_list("rule", flat=True)
        action = decided(RULES[key], action, earlier=list(earlier))
        until = timezone.now() + timedelta(minutes=minutes) if action == Action.PAUSE else None
        return _create(queue, worker, key, action, found.reason, found.numbers, found.seat, by="system", until=until)


def _create(
    queue: WorkQueue | None,
    worker: Worker,
    rule: str,
    action: Action,
    reason: str,
    numbers: Mapping[str, Any],
    seat: int,
    *,
    by: str,
    until: datetime | None = None,
) -> ConductFinding:
    row = ConductFinding.objects.create(
        worker=worker,
        queue=queue,
        rule=rule,
        action=action,
        reason=reason[:300],
        numbers=dict(numbers),
        seat=seat,
        found_at=timezone.now(),
        found_by=by,
        until=until,
    )
    telling.found(row)
    return row


def _locked(finding: ConductFinding) -> ConductFinding:
    rows = ConductFinding.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "worker__user", "queue__account", "appeal"
    )
    return rows.get(pk=finding.pk)


def _banned_otherwise(row: ConductFinding) -> bool:
    return (
        ConductFinding.objects.filter(worker=row.worker_id, action=Action.BAN, state=FindingStatus.ACTIVE)
        .exclude(pk=row.pk)
        .exists()
    )
