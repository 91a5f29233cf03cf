"""Who may see which work: the only writer of groups, audiences and blocks, and the one question asked of them.

Knows workers, groups and accounts; neither tasks nor queues. The rule itself is the SQL function marketplace_refusal.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import BigIntegerField, F, Func, QuerySet, TextField, Value
from django.utils import timezone

from marketplace.errors import Invalid
from marketplace.models import (
    Account,
    Audience,
    AudienceGroup,
    AuditEvent,
    Block,
    GroupKind,
    GroupMember,
    Worker,
    WorkerGroup,
    Workteam,
)
from marketplace.ranges import Range

REASON_LENGTH = Range(0, 200)
"""Characters of the reason for a block."""

SUSPENDED, BLOCKED, NOT_ADMITTED = "suspended", "blocked", "not-admitted"
# What a worker is told; that a requester blocked them is between the requester and the operator.
SAID = {
    SUSPENDED: "your worker account is suspended",
    BLOCKED: "this work is not open to you",
    NOT_ADMITTED: "you are not a member of the workforce this work is open to",
}


def refusal(*, worker_id: int, audience_id: int, account_id: int) -> str | None:
    """Why the worker may not see the work of the account that is open to the audience; None when they may.

    One of SUSPENDED, BLOCKED, NOT_ADMITTED.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT marketplace_refusal(%s, %s, %s)", [worker_id, audience_id, account_id])
        found: str | None = cursor.fetchone()[0]
    return found


def refusal_expression(*, worker_id: int, audience: str, account: str) -> Func:
    """`refusal` of each row of a queryset; `audience` and `account` are the rows' columns with these keys."""
    return Func(
        Value(worker_id, BigIntegerField()),
        F(audience),
        F(account),
        function="marketplace_refusal",
        output_field=TextField(),
    )


def group_of(team: Workteam) -> WorkerGroup:
    """The group of a team's members (of the public pool: of everybody in it), made at its first use."""
    return _group(team, GroupKind.PUBLIC if team.public else GroupKind.TEAM)


def group_of_panel(team: Workteam) -> WorkerGroup:
    """The group of a panel's participants, made with the panel."""
    return _group(team, GroupKind.PANEL)


def _group(team: Workteam, kind: GroupKind | str) -> WorkerGroup:
    group, _ = WorkerGroup.objects.get_or_create(workteam=team, defaults={"kind": kind})
    return group


def join(*, group: WorkerGroup, worker: Worker) -> None:
    """Make the worker a member of the group; safe to repeat."""
    GroupMember.objects.get_or_create(group=group, worker=worker)


def leave(*, group: WorkerGroup, worker: Worker) -> None:
    """End the worker's membership: from now on the group opens no work to them. Safe to repeat."""
    GroupMember.objects.filter(group=group, worker=worker).delete()


def audience_for(groups: Iterable[WorkerGroup]) -> Audience:
    """The audience that admits the members of any of these groups. Raises Invalid for none."""
    keys = sorted({group.pk for group in groups})
    if not keys:
        raise Invalid("work has to be open to at least one group of workers", field="workteam")
    with transaction.atomic():
        audience, new = Audience.objects.get_or_create(key=",".join(map(str, keys)))
        if new:
            AudienceGroup.objects.bulk_create(AudienceGroup(audience=audience, group_id=pk) for pk in keys)
    return audience


def block(*, account: Account, worker: Worker, reason: str = "", by: str) -> Block:
    """Show none of the account's work to the worker any more; safe to repeat. Raises Invalid for a long reason."""
    if len(reason) not in REASON_LENGTH:
        raise Invalid(f"a reason has {REASON_LENGTH} characters, {len(reason)} found", field="reason")
    with transaction.atomic():
        found, new = Block.objects.get_or_create(
            account=account, worker=worker, defaults={"reason": reason, "created_by": by}
        )
        if new:
            _record(account, by, f"worker:{worker.pk} blocked{f': {reason}' if reason else ''}")
    return found


def unblock(*, account: Account, worker: Worker, by: str) -> None:
    """Take a block back; safe to repeat."""
    with transaction.atomic():
        if Block.objects.filter(account=account, worker=worker).delete()[0]:
            _record(account, by, f"worker:{worker.pk} unblocked")


def blocks(account: Account) -> QuerySet[Block]:
    """The account's blocks with their workers, newest first."""
    return Block.objects.filter(account=account).select_related("worker").order_by("-pk")


def _record(account: Account, by: str, because: str) -> None:
    AuditEvent.objects.create(
        object_type=Account._meta.label, object_id=account.pk, by=by, because=because, at=timezone.now()
    )
