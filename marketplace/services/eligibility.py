"""Who may see which work: the only writer of groups, audiences and blocks, and the one question asked of them.

Knows workers, groups and accounts; neither tasks nor queues. The rule itself is the SQL function marketplace_refusal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import BigIntegerField, Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value
from django.utils import timezone

from marketplace.errors import Invalid
from marketplace.models import (
    Account,
    ActionsGuarded,
    Audience,
    AudienceGroup,
    AudienceRequirement,
    Block,
    Crowd,
    GroupKind,
    GroupMember,
    QualificationType,
    QualificationTypeStatus,
    Worker,
    WorkerGroup,
    WorkerStatus,
    Workteam,
)
from marketplace.ranges import Range
from marketplace.services import audit
from marketplace.services import requirements as rules
from marketplace.services.requirements import Requirement

REASON_LENGTH = Range(0, 200)
"""Characters of the reason for a block."""

SUSPENDED, BLOCKED, NOT_ADMITTED = "suspended", "blocked", "not-admitted"
# What a worker is told; that a requester blocked them is between the requester and the operator.
SAID = {
    SUSPENDED: "your worker account is suspended",
    BLOCKED: "this work is not open to you",
    NOT_ADMITTED: "you are not a member of the workforce this work is open to",
}
GROUP_KINDS = {
    Crowd.PUBLIC: GroupKind.PUBLIC,
    Crowd.PRIVATE: GroupKind.TEAM,
    Crowd.VENDOR: GroupKind.CONTRACT,
}
"""What makes the members of a team a group, by its crowd."""

LACKS = "qualification:"
"""What the reason begins with when a requirement is not met; the key of the type and one of LACKING follow."""

LACKING = {
    "not-taken": "you do not have it yet",
    "expired": "yours has expired",
    "revoked": "yours was revoked",
    "too-low": "your value is too low",
    "other-value": "your value is not one of those asked for",
    "held": "the work is for those who do not have it",
}
"""What is wrong with the worker's qualification, as workers are told it."""


@dataclass(frozen=True)
class Lack:
    """The qualification that a worker lacks, by the key of its type, and why: a key of LACKING."""

    qualification_type_id: int
    why: str


def lack(reason: str | None) -> Lack | None:
    """What a reason of `refusal` says of qualifications; None when it is another reason."""
    if reason is None or not reason.startswith(LACKS):
        return None
    key, _, why = reason.removeprefix(LACKS).partition(":")
    return Lack(int(key), why)


def said(reason: str) -> str | None:
    """A reason of `refusal` in words for the worker; None for what is none."""
    lacking = lack(reason)
    if lacking is None:
        return SAID.get(reason)
    name = QualificationType.objects.values_list("name", flat=True).get(pk=lacking.qualification_type_id)
    return f"this work asks for the qualification {name!r}: {LACKING[lacking.why]}"


def refusal(*, worker_id: int, audience_id: int, account_id: int) -> str | None:
    """Why the worker may not see the work of the account that is open to the audience; None when they may.

    One of SUSPENDED, BLOCKED, NOT_ADMITTED, or a text that `lack` reads.
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


def types_shown_to(worker: Worker, *, audiences: QuerySet[Any]) -> QuerySet[QualificationType]:
    """The qualification types that a worker may know of, with their accounts: the operator's, those that they hold or
    held, those of accounts on whose teams they are, and those that one of the `audiences` (their keys) openly asks of
    them. None of an account that has blocked them.
    """
    asked = AudienceRequirement.objects.filter(
        audience__in=audiences,
        audience__groups__members__worker=worker,
        actions_guarded=ActionsGuarded.ACCEPT,
    )
    rows = QualificationType.objects.filter(
        Q(account=None, status=QualificationTypeStatus.ACTIVE)
        | Q(pk__in=worker.qualifications.values("qualification_type"))
        | Q(account__in=worker.workteams.values("account"), status=QualificationTypeStatus.ACTIVE)
        | Q(pk__in=asked.values("qualification_type"))
    )
    blocking = Block.objects.filter(worker=worker).values("account")
    return rows.exclude(account__isnull=False, account__in=blocking).select_related("account")


def group_of(team: Workteam) -> WorkerGroup:
    """The group of a team's members (of the public pool: of everybody in it), made at its first use."""
    return _group(team, GROUP_KINDS[Crowd(team.crowd)])


def group_of_panel(team: Workteam) -> WorkerGroup:
    """The group of a panel's participants, made with the panel."""
    return _group(team, GroupKind.PANEL)


def _group(team: Workteam, kind: GroupKind | str) -> WorkerGroup:
    group, _ = WorkerGroup.objects.get_or_create(workteam=team, defaults={"kind": kind})
    return group


def adults() -> WorkerGroup:
    """The group of those in the public pool who have confirmed that they are of age, made at its first use."""
    group, _ = WorkerGroup.objects.get_or_create(kind=GroupKind.ADULTS)
    return group


def join(*, group: WorkerGroup, worker: Worker) -> None:
    """Make the worker a member of the group; safe to repeat."""
    GroupMember.objects.get_or_create(group=group, worker=worker)


def leave(*, group: WorkerGroup, worker: Worker) -> None:
    """End the worker's membership: from now on the group opens no work to them. Safe to repeat."""
    GroupMember.objects.filter(group=group, worker=worker).delete()


def audience_for(groups: Iterable[WorkerGroup], requirements: Sequence[Requirement] = ()) -> Audience:
    """The audience that admits those members of any of these groups who meet all of the requirements.

    Raises Invalid for no group.
    """
    keys = sorted({group.pk for group in groups})
    if not keys:
        raise Invalid("work has to be open to at least one group of workers", field="workteam")
    key = ",".join(map(str, keys)) + (f";{rules.digest(requirements)}" if requirements else "")
    return _audience(key, keys, [one.row() for one in requirements])


def audience_from(audience: Audience, *, opened_at: datetime) -> Audience:
    """The audience of work that opens now: the same, but with the head start of preferred workers counted from now."""
    rows = list(audience.requirements.order_by("place"))
    if not any(row.head_start_minutes is not None and row.head_start_until is None for row in rows):
        return audience
    columns = [
        {
            **rules.of_row(row).row(),
            "head_start_until": None
            if row.head_start_minutes is None
            else opened_at + timedelta(minutes=row.head_start_minutes),
        }
        for row in rows
    ]
    groups = list(audience.admitted.order_by("group_id").values_list("group_id", flat=True))
    return _audience(f"{audience.key}@{opened_at.isoformat()}", groups, columns)


def _audience(key: str, groups: Sequence[int], requirements: Sequence[dict[str, object]]) -> Audience:
    with transaction.atomic():
        audience, new = Audience.objects.get_or_create(key=key)
        if new:
            AudienceGroup.objects.bulk_create(AudienceGroup(audience=audience, group_id=pk) for pk in groups)
            AudienceRequirement.objects.bulk_create(
                AudienceRequirement(audience=audience, place=place, **columns)
                for place, columns in enumerate(requirements)
            )
    return audience


def erase_reasons(worker: Worker) -> None:
    """Forget why accounts have blocked a worker; they stay blocked."""
    Block.objects.filter(worker=worker).update(reason="")


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


def accounts_of_teams(worker: Worker) -> QuerySet[Account]:
    """The accounts that have the worker on a team of their own, not of a panel. None for a suspended worker, and none
    that has blocked them."""
    own = Workteam.objects.filter(crowd=Crowd.PRIVATE, panel=None, memberships__worker=worker)
    return _open_accounts(worker).filter(pk__in=own.values("account"))


def accounts_qualifying(worker: Worker) -> QuerySet[Account]:
    """The accounts of whose own qualifications the worker holds one now, with the exceptions of `accounts_of_teams`."""
    counting = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    held = worker.qualifications.filter(counting).exclude(qualification_type__account=None)
    return _open_accounts(worker).filter(pk__in=held.values("qualification_type__account"))


def _open_accounts(worker: Worker) -> QuerySet[Account]:
    if worker.status != WorkerStatus.ACTIVE:
        return Account.objects.none()
    return Account.objects.exclude(pk__in=Block.objects.filter(worker=worker).values("account"))


def somebody_for(*, audience: str, account: str, looked_at: int = 1000) -> Exists:
    """Whether any worker may see the work of a row; `audience` and `account` are the rows' columns with these keys.

    So many of the workers whom it admits by group are `looked_at` at most: among millions there may be one after them.
    """
    members = GroupMember.objects.filter(group__audiences=OuterRef(OuterRef(audience))).order_by().values("pk")
    refused = Func(
        F("worker_id"),
        OuterRef(audience),
        OuterRef(account),
        function="marketplace_refusal",
        output_field=TextField(),
    )
    return Exists(GroupMember.objects.filter(pk__in=members[:looked_at]).alias(refused=refused).filter(refused=None))
