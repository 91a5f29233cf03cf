"""Who may see which work: the only writer of groups, audiences and blocks, and the one question asked of them.

Knows workers, groups and accounts; neither tasks nor queues. The rule itself is the SQL function marketplace_refusal.
"""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import BigIntegerField, F, Func, QuerySet, TextField, Value

from marketplace.errors import Invalid
from marketplace.models import (
    Account,
    Audience,
    AudienceGroup,
    Block,
    GroupKind,
    GroupMember,
    Worker,
    WorkerGroup,
    Workteam,
)
from marketplace.ranges import Range
from marketplace.services import audit

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


def open_to(*, worker_ids: Sequence[int], work: Sequence[tuple[int, int]]) -> dict[int, int]:
    """How much of the work, pairs of (audience, account) keys, each worker may see, by key; those who see none are out.

    One query; its cost grows with the number of workers times that of pairs.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT w.id, count(*) FROM unnest(%s::bigint[]) AS w(id)
               CROSS JOIN unnest(%s::bigint[], %s::bigint[]) AS q(audience_id, account_id)
               WHERE marketplace_refusal(w.id, q.audience_id, q.account_id) IS NULL GROUP BY w.id""",
            [list(worker_ids), [audience for audience, _ in work], [account for _, account in work]],
        )
        return dict(cursor.fetchall())


def team_workers(*, audience_id: int, after: int, most: int) -> list[int]:
    """The keys of the next workers, by key, of the teams that an audience admits; the public pool is left out."""
    groups = WorkerGroup.objects.filter(audiences=audience_id).exclude(kind=GroupKind.PUBLIC)
    return _next_workers(groups, after, most)


def public_workers(*, after: int, most: int) -> list[int]:
    """The keys of the next workers, by key, of the public pool."""
    return _next_workers(WorkerGroup.objects.filter(kind=GroupKind.PUBLIC), after, most)


def _next_workers(groups: QuerySet[WorkerGroup], after: int, most: int) -> list[int]:
    rows = GroupMember.objects.filter(group__in=groups, worker__gt=after).order_by("worker")
    return list(rows.values_list("worker", flat=True).distinct()[:most])


def group_of(team: Workteam) -> WorkerGroup:
    """The group of a team's members (of the public pool: of everybody in it), made at its first use."""
    kind = GroupKind.PUBLIC if team.public else GroupKind.TEAM
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
            audit.record(account, by=by, because=f"worker:{worker.pk} blocked{f': {reason}' if reason else ''}")
    return found


def unblock(*, account: Account, worker: Worker, by: str) -> None:
    """Take a block back; safe to repeat."""
    with transaction.atomic():
        if Block.objects.filter(account=account, worker=worker).delete()[0]:
            audit.record(account, by=by, because=f"worker:{worker.pk} unblocked")


def blocks(account: Account) -> QuerySet[Block]:
    """The account's blocks with their workers, newest first."""
    return Block.objects.filter(account=account).select_related("worker").order_by("-pk")
