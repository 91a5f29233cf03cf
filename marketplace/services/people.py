"""What an operator does with people: letting them sign in or not, and letting them work or not.

Knows nothing of tasks; what somebody holds at the moment is returned by labeling/services/exclusion.py.
"""

from django.db import transaction
from django.utils import timezone

from marketplace.errors import Invalid, WrongState
from marketplace.models import AccessKey, Account, ApiToken, AuditEvent, User, Worker, WorkerStatus
from marketplace.ranges import Range
from marketplace.services import accounts, audit, scope
from marketplace.transitions import WORKER

ERASED_DOMAIN = "erased.invalid"
"""Where the address of somebody whose data were erased ends: no address of the internet does (RFC 2606)."""

REASON_LENGTH = Range(1, 200)
"""Characters of the reason why somebody is shut out."""


def create(
    *, email: str, display_name: str, by: str, is_operator: bool = False, account: str = "", password: str | None = None
) -> User:
    """A new user and, with `account`, a requester account of that name which they own. Recorded.

    Without a password they set one by a link (passwords.make_link). Raises Invalid and NameTaken as
    `accounts.create_user` and `accounts.create_account` do.
    """
    with transaction.atomic():
        user = accounts.create_user(email=email, password=password, display_name=display_name, is_operator=is_operator)
        audit.record(user, by=by, because="made an operator" if is_operator else "made")
        if account:
            create_account(name=account, owner=user, by=by)
    return user


def create_account(*, name: str, owner: User, by: str) -> Account:
    """A requester account for somebody with a sign-in. Recorded. Raises Invalid for a bad name."""
    with transaction.atomic():
        account = accounts.create_account(name=name, owner=owner)
        accounts.record(account, by, f"made, user:{owner.pk} is Owner")
    return account


def deactivate(*, user: User, reason: str, by: str) -> None:
    """End somebody's sign-in at once: no sign-in, no session, no token. Answers and payments stay. Safe to repeat.

    Raises Invalid for a bad reason, WrongState for the last operator.
    """
    check_reason(reason)
    with transaction.atomic():
        # Every active operator is locked, so that two of them cannot shut out each other.
        operators = User.objects.select_for_update(no_key=True).filter(is_operator=True, is_active=True)
        if {one.pk for one in operators.order_by("pk")} == {user.pk}:
            raise WrongState(f"{user.email} is the last operator", field="user")
        row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if row.is_active:
            row.is_active = False
            # Otherwise sessions would go on where they were once the user is active again.
            row.sign_outs += 1
            row.save(update_fields=["is_active", "sign_outs"])
            for keys in (ApiToken, AccessKey):
                keys.objects.filter(user=row, revoked_at=None).update(revoked_at=timezone.now())
            audit.record(row, by=by, because=f"deactivated: {reason}")
    user.refresh_from_db()


def reactivate(*, user: User, by: str) -> None:
    """Let somebody sign in again; tokens have to be made anew. Safe to repeat.

    Raises WrongState for simulated people.
    """
    if user.email.endswith(f"@{ERASED_DOMAIN}"):
        raise WrongState("the personal data of this person were erased", field="user")
    if user.is_simulated:
        raise WrongState("simulated people are let in by the program that made them", field="user")
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
            audit.record(user, by=by, because="reactivated")
    user.refresh_from_db()


def suspend(*, worker: Worker, reason: str, by: str) -> None:
    """Show the worker no work of any account any more. Safe to repeat. Raises Invalid for a bad reason."""
    check_reason(reason)
    with transaction.atomic():
        WORKER.advance(worker, WorkerStatus.SUSPENDED, by=by, because=reason)


def lift_suspension(*, worker: Worker, by: str) -> None:
    """Let a suspended worker work again. Safe to repeat."""
    with transaction.atomic():
        WORKER.advance(worker, WorkerStatus.ACTIVE, by=by)


def history(user: User) -> list[AuditEvent]:
    """What was recorded of somebody as a user and as a worker, newest first, at most fifty rows."""
    worker = scope.worker_or_none(user)
    about = AuditEvent.objects.filter(object_type=User._meta.label, object_id=user.pk)
    if worker is not None:
        about |= AuditEvent.objects.filter(object_type=Worker._meta.label, object_id=worker.pk)
    return list(about.order_by("-pk")[:50])


def check_reason(reason: str) -> None:
    """Raises Invalid unless it is a reason."""
    if len(reason.strip()) not in REASON_LENGTH:
        raise Invalid(f"a reason of {REASON_LENGTH} characters is needed, {len(reason)} found", field="reason")
