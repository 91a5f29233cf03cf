"""The audit trail: who did what to whom. Rows are written in the transaction of the act, and never changed.

Moves of a status are recorded by states.Machine; this is for all other acts, and for reading.
"""

from datetime import datetime

from django.db.models import Model, QuerySet
from django.utils import timezone

from marketplace.models import Account, AuditEvent, User
from marketplace.models.audit import BECAUSE_LENGTH


def record(
    obj: Model,
    *,
    by: str,
    because: str,
    account: Account | None = None,
    to_status: str = "",
    at: datetime | None = None,
) -> AuditEvent:
    """Write an audit row about an act on `obj`; `by` is an actor as in "user:12", `because` says what was done.

    `account` is the requester account whose admins may read it; without it that of `obj`, if it has one.
    """
    return AuditEvent.objects.create(
        account_id=account.pk if account is not None else AuditEvent.account_of(obj),
        object_type=obj._meta.label,
        object_id=obj.pk,
        to_status=to_status,
        by=by,
        because=because[:BECAUSE_LENGTH],
        at=at or timezone.now(),
    )


def of_account(account: Account) -> QuerySet[AuditEvent]:
    """What was recorded of a requester account and of all that belongs to it, newest first."""
    return AuditEvent.objects.filter(account=account).order_by("-pk")


def actors(account: Account) -> QuerySet[User]:
    """The people whose acts can be asked for: the account's members, by address."""
    return User.objects.filter(memberships__account=account).order_by("email")
