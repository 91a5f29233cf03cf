"""Inviting people by e-mail address to an account or to one of its teams, and what the invited do with it.

Nothing changes for anybody before they accept, and whoever invites gets the same answer whether the address belongs to
somebody or not. Knows nothing of pages and mail.

Somebody without a sign-in joins by a link. Where no e-mail is sent, the inviter passes it on; using up such a link in
the other's place makes a sign-in, and only that shows that there was none.
"""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace.errors import Forbidden, LimitExceeded, NameTaken, NotFound, WrongState
from marketplace.models import Account, Invitation, InvitationStatus, Role, User, Workteam
from marketplace.services import accounts, rates, workteams
from marketplace.transitions import INVITATION

PER_DAY = 200
"""Invitations that an account may make in a day, so that it cannot have letters sent to all the world."""

SECRET_BYTES = 32
EXPIRED_AT_ONCE = 500


def to_account(*, account: Account, email: str, role: Role | str, acting: User | None) -> Invitation:
    """Invite an address to be a member; a pending invitation of the same address is renewed.

    `acting` is the member who invites, None the operator's command. Raises Invalid for a bad address or role, NotFound
    when `acting` is no member, Forbidden when they are less than an admin or offer a rank above their own, NameTaken
    for the address of a member, LimitExceeded above PER_DAY.
    """
    accounts.check_role(role)
    address = accounts.checked_address(email)
    if acting is not None:
        own = accounts.require_role(account=account, user=acting, at_least=Role.ADMIN)
        accounts.require_no_rank_above(own, Role(role), account)
    if account.memberships.filter(user__email=address).exists():
        raise NameTaken(f"{address} is a member of the account already", field="email")
    return _invite(account, None, address, str(role), acting)


def to_team(*, team: Workteam, email: str, acting: User | None) -> Invitation:
    """Invite an address to a private team, as a worker; a pending invitation of the same address is renewed.

    Raises as `to_account` does, NameTaken for the address of a worker of the team.
    """
    if team.account is None:
        raise Forbidden("everybody joins the public pool by themselves")
    address = accounts.checked_address(email)
    if acting is not None:
        accounts.require_role(account=team.account, user=acting, at_least=Role.ADMIN)
    if team.memberships.filter(worker__user__email=address).exists():
        raise NameTaken(f"{address} is on the team already", field="email")
    return _invite(team.account, team, address, "", acting)


def _invite(account: Account, team: Workteam | None, address: str, role: str, acting: User | None) -> Invitation:
    granted, _ = rates.take(f"invitations {account.pk}", most=PER_DAY, seconds=86_400)
    if not granted:
        raise LimitExceeded(f"an account may invite {PER_DAY} times a day")
    now = timezone.now()
    with transaction.atomic():
        accounts.lock_members(account)
        _expire(Invitation.objects.filter(account=account, email=address, expires_at__lte=now))
        found = Invitation.objects.filter(
            account=account, workteam=team, email=address, status=InvitationStatus.PENDING
        ).first()
        if found is not None and acting is not None:
            _require_rank(found, acting)
        row = found or Invitation(account=account, workteam=team, email=address)
        row.role, row.invited_by, row.digest = role, acting, None
        row.expires_at = now + timedelta(days=settings.INVITATION_DAYS)
        row.save()
        where = f" to team:{team.pk}" if team is not None else f" as {role}"
        accounts.record(account, accounts.actor(acting), f"invitation:{row.pk} made{where}")
    return row


def new_link(invitation: Invitation) -> str:
    """The secret for the invitation's link, which replaces any earlier one; only its digest is stored."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    invitation.digest = _digest(secret)
    invitation.save(update_fields=["digest"])
    return secret


def of_link(secret: str) -> Invitation:
    """The invitation to which a link leads. Raises NotFound unless it can still be accepted."""
    found = (
        Invitation.objects.select_related("account", "workteam", "invited_by")
        .filter(digest=_digest(secret), status=InvitationStatus.PENDING, expires_at__gt=timezone.now())
        .first()
    )
    if found is None:
        raise NotFound("this invitation does not exist any more; ask to be invited again")
    return found


def join_by_link(*, secret: str, display_name: str, password: str) -> User:
    """Make a sign-in for the invited address and accept, both or neither; the link is used up.

    Raises NotFound for a link that does not work, Invalid as `create_user` does, NameTaken when the address has a
    sign-in, with which the invitation is accepted, and whatever `accept` raises.
    """
    with transaction.atomic():
        invitation = of_link(secret)
        user = accounts.create_user(email=invitation.email, password=password, display_name=display_name)
        accept(invitation=invitation, user=user)
    return user


def accept(*, invitation: Invitation, user: User) -> None:
    """Become what the invitation offers. Safe to repeat.

    Raises NotFound unless it is addressed to the user, WrongState when it is over, Forbidden when whoever made it may
    not offer this any more, or for a suspended worker.
    """
    with transaction.atomic():
        # The roles that are compared here stay as they are until the transaction ends.
        accounts.lock_members(invitation.account)
        row = _addressed(invitation, user)
        if row.status == InvitationStatus.ACCEPTED:
            return
        _require_open(row)
        _require_inviter(row)
        by = accounts.actor(user)
        INVITATION.advance(row, InvitationStatus.ACCEPTED, by=by)
        if row.workteam is not None:
            workteams.add_worker(team=row.workteam, worker=workteams.register_worker(user), by=by)
        elif accounts.role_of(account=row.account, user=user) is None:
            accounts.add_member(account=row.account, user=user, role=row.role, by=by)


def decline(*, invitation: Invitation, user: User) -> None:
    """Refuse an invitation. Safe to repeat. Raises as `accept`: NotFound for another's, WrongState when it is over."""
    with transaction.atomic():
        row = _addressed(invitation, user)
        if row.status != InvitationStatus.DECLINED:
            _require_open(row)
        INVITATION.advance(row, InvitationStatus.DECLINED, by=accounts.actor(user))


def withdraw(*, invitation: Invitation, acting: User) -> None:
    """Take an invitation back: its link ends. Safe to repeat.

    Raises NotFound when `acting` is no member, Forbidden when they are less than an admin or it offers a rank above
    their own, WrongState when it is over.
    """
    with transaction.atomic():
        _require_rank(invitation, acting)
        INVITATION.advance(invitation, InvitationStatus.WITHDRAWN, by=accounts.actor(acting))


def expire_overdue() -> None:
    """End invitations whose time is over; run by the sweep."""
    _expire(Invitation.objects.filter(expires_at__lte=timezone.now()))


def _expire(rows: QuerySet[Invitation]) -> None:
    with transaction.atomic():
        overdue = rows.select_for_update(no_key=True, skip_locked=True)
        for row in overdue.filter(status=InvitationStatus.PENDING).order_by("pk")[:EXPIRED_AT_ONCE]:
            INVITATION.advance(row, InvitationStatus.EXPIRED, by="system")


def _digest(secret: str) -> str:
    # The secret has 256 random bits, as an API token's.
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _addressed(invitation: Invitation, user: User) -> Invitation:
    """The invitation's row, locked. Raises NotFound for another address than the user's."""
    rows = Invitation.objects.select_for_update(of=("self",), no_key=True).select_related(
        "account", "workteam", "invited_by"
    )
    row = rows.filter(pk=invitation.pk, email=user.email.lower()).first()
    if row is None:
        raise NotFound("you have no such invitation")
    return row


def _require_open(row: Invitation) -> None:
    if row.status == InvitationStatus.PENDING and row.expires_at > timezone.now():
        return
    said = "Expired" if row.status == InvitationStatus.PENDING else row.status
    raise WrongState(f"the invitation is {said}; ask to be invited again", field="status")


def _require_rank(row: Invitation, acting: User) -> None:
    own = accounts.require_role(account=row.account, user=acting, at_least=Role.ADMIN)
    accounts.require_no_rank_above(own, Role(row.role) if row.role else None, row.account)


def _require_inviter(row: Invitation) -> None:
    if row.invited_by is None:
        return
    try:
        _require_rank(row, row.invited_by)
    except (NotFound, Forbidden):
        allowed = False
    else:
        allowed = row.invited_by.is_active
    if not allowed:
        raise Forbidden(f"whoever invited you to {row.account.name} may not do so any more; ask to be invited again")
