"""What a person decides about a finding: that it stands, that it counts no more, or a ban. An open appeal is
answered."""

from labeling.conduct.rules import Action
from labeling.models import AppealStatus, ConductFinding
from labeling.services.conduct import acting, appeals
from marketplace.errors import Forbidden, Invalid

STAND, DISMISS, BAN = "stand", "dismiss", "ban"
OF_ACCOUNTS, OF_OPERATORS = (STAND, DISMISS), (STAND, DISMISS, BAN)
"""What each may decide."""


def decide(*, finding: ConductFinding, decision: str, text: str, by: str, operator: bool) -> ConductFinding:
    """Let a finding stand, dismiss it, or (operators) ban the worker because of it. Safe to repeat.

    `text` answers the worker's appeal, if there is an open one, and is not needed else. Raises Invalid for another
    decision or a missing text, Forbidden for an account that would decide about a ban, WrongState for a dismissed
    finding that is to ban.
    """
    allowed = OF_OPERATORS if operator else OF_ACCOUNTS
    if decision not in allowed:
        raise Invalid(f"{decision!r} found, one of {', '.join(allowed)} expected", field="decision")
    if not operator and finding.action == Action.BAN:
        raise Forbidden("an operator decides about bans")
    appeal = getattr(finding, "appeal", None)
    if appeal is not None and appeal.state == AppealStatus.OPEN:
        answer = appeals.uphold if decision == DISMISS else appeals.deny
        answer(appeal=appeal, text=text, by=by)
    if decision == BAN:
        acting.ban(finding=finding, by=by)
    elif decision == DISMISS:
        acting.dismiss(finding=finding, by=by)
    else:
        acting.see(finding=finding)
    return ConductFinding.objects.select_related("worker__user", "queue__account", "appeal").get(pk=finding.pk)
