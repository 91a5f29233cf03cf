"""What follows from each rule: its default, changed for the whole installation, for an account, or for one queue.

The narrowest setting counts. Only the operator can let a rule ban: an account decides about its own work and no other.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from labeling.conduct.rules import RULES, Action, Rule
from labeling.models import ConductPolicy, WorkQueue
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.ranges import Range
from marketplace.services import audit

MINUTES = Range(1, 7 * 24 * 60)
USUAL_MINUTES = 60
"""How long a pause lasts."""

OF_ACCOUNTS = tuple(one for one in Action if one != Action.BAN)
"""What an account may choose."""


@dataclass(frozen=True)
class Policy:
    """What follows from a rule; `minutes` of a pause, 0 for other actions. `own`: set where it was asked for."""

    rule: Rule
    action: Action
    minutes: int
    own: bool


def policies(*, account: Account | None = None, queue: WorkQueue | None = None) -> dict[str, Policy]:
    """What follows from each rule, by key: in a queue, in an account's queues, or (neither) where nobody chose."""
    account_id = queue.account_id if queue is not None else account.pk if account is not None else None
    wanted = Q(account=None, queue=None)
    if account_id is not None:
        wanted |= Q(account=account_id, queue=None)
    if queue is not None:
        wanted |= Q(queue=queue.pk)
    found: dict[str, ConductPolicy] = {}
    # Wide ones first, so that narrower ones replace them.
    rows = ConductPolicy.objects.filter(wanted)
    for row in sorted(rows, key=lambda one: (one.account_id is not None, one.queue_id is not None)):
        found[row.rule] = row
    here = (account_id, queue.pk if queue is not None else None)
    return {key: _policy(rule, found.get(key), here) for key, rule in RULES.items()}


def set_policy(
    *,
    rule: str,
    action: str,
    minutes: int = USUAL_MINUTES,
    account: Account | None = None,
    queue: WorkQueue | None = None,
    by: str,
) -> Policy:
    """Choose what follows from a rule: in a queue, in an account's queues, or (neither) wherever nobody chose.

    Raises Invalid for an unknown rule or action, a ban chosen by an account, or minutes that are no pause.
    """
    if rule not in RULES:
        raise Invalid(f"{rule!r} found, one of {', '.join(RULES)} expected", field="rule")
    allowed = tuple(Action) if account is None and queue is None else OF_ACCOUNTS
    if action not in allowed:
        raise Invalid(f"{action!r} found, one of {', '.join(allowed)} expected", field="action")
    if action == Action.PAUSE and minutes not in MINUTES:
        raise Invalid(f"{minutes} found, a pause of {MINUTES} minutes expected", field="minutes")
    owner = queue.account if queue is not None else account
    with transaction.atomic():
        row, _ = ConductPolicy.objects.update_or_create(
            account=owner,
            queue=queue,
            rule=rule,
            defaults={"action": action, "minutes": minutes if action == Action.PAUSE else 0},
        )
        said = f"rule {rule}: {action}{f' for {minutes} minutes' if action == Action.PAUSE else ''}"
        audit.record(queue or owner or row, by=by, because=said, account=owner)
    return policies(account=account, queue=queue)[rule]


def _policy(rule: Rule, row: ConductPolicy | None, here: tuple[int | None, int | None]) -> Policy:
    if row is None:
        return Policy(rule, rule.action, rule.minutes, False)
    return Policy(rule, Action(row.action), row.minutes, (row.account_id, row.queue_id) == here)
