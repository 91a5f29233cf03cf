"""Users, requester accounts, their members and API tokens. Knows nothing of sign-in pages or HTTP headers."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from marketplace.columns import columns
from marketplace.errors import Forbidden, Invalid, NameTaken, NotFound, WrongState
from marketplace.models import AccessKey, Account, ApiToken, Membership, Role, User, Worker
from marketplace.ranges import Range
from marketplace.services import audit, passwords

ACCOUNT_NAME_LENGTH = Range(1, 80)
"""Characters of an account's name."""

ORGANIZATION_LENGTH = Range(0, 80)
"""Characters of the name of an account's organization."""

DISPLAY_NAME_LENGTH = Range(0, 80)
"""Characters of a person's name."""

TOKEN_NAME_LENGTH = Range(1, 80)
"""Characters of an API token's name."""

# A role includes everything the roles before it may do.
RANKS = {role: rank for rank, role in enumerate((Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER))}
TOKEN_PREFIX = "wgl_"
LAST_USED_EVERY = timedelta(minutes=1)


def create_user(*, email: str, password: str | None, display_name: str = "", is_operator: bool = False) -> User:
    """A person who can sign in; without a password, once they have set one by a link (see passwords.py).

    Raises Invalid for a bad address or name or a weak password, NameTaken for a taken address.
    """
    address = checked_address(email)
    name = display_name.strip()
    if len(name) not in DISPLAY_NAME_LENGTH:
        raise Invalid(f"a name has {DISPLAY_NAME_LENGTH} characters", field="display_name")
    user = User(username=address, email=address, display_name=name, is_operator=is_operator)
    if password is not None:
        passwords.check(password, user, field="password")
    # None makes it unusable.
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise NameTaken(f"there is a user with the address {address} already", field="email") from None
    return user


def checked_address(email: str) -> str:
    """An e-mail address as it is stored: in lower case. Raises Invalid for what is none."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid(f"{email!r} is not an email address", field="email") from None
    return address


def create_account(*, name: str, owner: User) -> Account:
    """A requester account with a fresh number, `owner` its first member. Raises Invalid for a bad name."""
    if len(name.strip()) not in ACCOUNT_NAME_LENGTH:
        raise Invalid(f"an account needs a name of {ACCOUNT_NAME_LENGTH} characters", field="name")
    while True:
        number = str(10**11 + secrets.randbelow(9 * 10**11))
        try:
            with transaction.atomic():
                account = Account.objects.create(name=name.strip(), number=number)
                Membership.objects.create(account=account, user=owner, role=Role.OWNER)
                return account
        except IntegrityError:
            # Another account has this number; anything else would not go away by trying again.
            if not Account.objects.filter(number=number).exists():
                raise


def check_language(language: str) -> None:
    """Raises Invalid unless it is a code of settings.LANGUAGES."""
    if language not in (known := dict(settings.LANGUAGES)):
        raise Invalid(f"language {language[:20]!r} found, one of {', '.join(known)} expected", field="language")


def choose_language(*, user: User, language: str) -> None:
    """Keep the language of the pages that somebody sees. Raises Invalid as `check_language` does."""
    check_language(language)
    User.objects.filter(pk=user.pk).update(language=language)


def set_organization(*, account: Account, organization: str, contact_email: str, acting: User) -> None:
    """Say who invites: the name and address in invitations and on the portals of the account's teams; "" for neither.

    Without an organization's name they say the account's. Raises NotFound when `acting` is no member, Forbidden when
    they are less than an admin, Invalid for a long name or a bad address.
    """
    require_role(account=account, user=acting, at_least=Role.ADMIN)
    name = " ".join(organization.split())
    if len(name) not in ORGANIZATION_LENGTH:
        raise Invalid(f"an organization's name has {ORGANIZATION_LENGTH} characters", field="organization")
    try:
        address = checked_address(contact_email) if contact_email.strip() else ""
    except Invalid as error:
        raise Invalid(error.message, field="contact_email") from None
    with transaction.atomic():
        Account.objects.filter(pk=account.pk).update(organization=name, contact_email=address)
        record(account, actor(acting), "organization changed")
    account.organization, account.contact_email = name, address


def add_member(*, account: Account, user: User, role: Role | str, by: str = "system") -> Membership:
    """Give `user` a role in the account, or change it, without asking anybody: for the system and its operators.

    Members invite (see invitations.py) and change roles by `change_role`. Raises Invalid for an unknown role,
    WrongState for the last owner.
    """
    check_role(role)
    with transaction.atomic():
        lock_members(account)
        if role != Role.OWNER:
            _keep_an_owner(account, user)
        membership, _ = Membership.objects.update_or_create(account=account, user=user, defaults={"role": role})
        record(account, by, f"user:{user.pk} is {Role(role).value}")
    return membership


def change_role(*, account: Account, user: User, role: Role | str, acting: User) -> Membership:
    """Give a member of the account another role; `acting` is the member who does it.

    Raises Invalid for an unknown role, NotFound when either is no member, Forbidden when `acting` is less than an admin
    or gives or takes a rank above their own, WrongState for the last owner.
    """
    check_role(role)
    with transaction.atomic():
        lock_members(account)
        own = require_role(account=account, user=acting, at_least=Role.ADMIN)
        require_no_rank_above(own, Role(role), account)
        had = role_of(account=account, user=user)
        require_no_rank_above(own, had, account)
        if had is None:
            raise NotFound(f"the account has no member {user.pk}")
        return add_member(account=account, user=user, role=role, by=actor(acting))


def check_role(role: Role | str) -> None:
    """Raises Invalid for an unknown role."""
    if role not in RANKS:
        raise Invalid(f"{role!r} is not a role; one of {', '.join(RANKS)} expected", field="role")


def remove_member(*, account: Account, user: User, acting: User | None) -> None:
    """Take `user` out of the account. `acting` is the member who does it, None the system; everybody may leave.

    Raises NotFound for a non-member, Forbidden when `acting` is less than an admin or takes a rank above their own,
    WrongState for the last owner.
    """
    with transaction.atomic():
        lock_members(account)
        role = role_of(account=account, user=user)
        if acting is not None and acting.pk != user.pk:
            own = require_role(account=account, user=acting, at_least=Role.ADMIN)
            require_no_rank_above(own, role, account)
        if role is None:
            raise NotFound(f"{user.email} is not a member of {account.name}", field="user")
        _keep_an_owner(account, user)
        Membership.objects.filter(account=account, user=user).delete()
        for keys in (ApiToken, AccessKey):
            keys.objects.filter(account=account, user=user, revoked_at=None).update(revoked_at=timezone.now())
        record(account, actor(acting), f"user:{user.pk} removed")


def roles_to_give(role: Role) -> list[Role]:
    """The roles that a member with `role` may give and take, the smallest first; none below an admin."""
    if RANKS[role] < RANKS[Role.ADMIN]:
        return []
    return [Role(given) for given in RANKS if RANKS[given] <= RANKS[role]]


def actor(user: User | None) -> str:
    """How the audit trail names a user; None is the system."""
    return f"user:{user.pk}" if user is not None else "system"


def is_actor(by: str) -> bool:
    """Whether the audit trail names a user by this."""
    return by.startswith("user:")


def role_of(*, account: Account, user: User) -> Role | None:
    """The user's role in the account, None for somebody who is not a member."""
    role = Membership.objects.filter(account=account, user=user).values_list("role", flat=True).first()
    return Role(role) if role else None


def require_role(*, account: Account, user: User, at_least: Role | str) -> Role:
    """The user's role. Raises NotFound for a non-member, who may not see the account, Forbidden below `at_least`."""
    role = role_of(account=account, user=user)
    if role is None:
        raise NotFound("there is no such account")
    require_rank(role=role, at_least=at_least, account=account)
    return role


def require_rank(*, role: Role, at_least: Role | str, account: Account) -> None:
    """Raises Forbidden when `role` allows less than `at_least`."""
    if RANKS[role] < RANKS[Role(at_least)]:
        raise Forbidden(f"this needs the role {Role(at_least)} in {account.name}; you are {role}")


def create_token(
    *, user: User, account: Account | None, name: str, caller: ApiToken | None = None
) -> tuple[ApiToken, str]:
    """A key for programs and its secret, which is shown only once. Without `account` it reaches what the user reaches.

    `caller` is the token with which the user asks for it, None for a browser. Raises NotFound unless the user is a
    member, Forbidden when the new token would reach further than `caller`.
    """
    if len(name.strip()) not in TOKEN_NAME_LENGTH:
        raise Invalid(f"a token needs a name of {TOKEN_NAME_LENGTH} characters", field="name")
    if account is not None:
        require_role(account=account, user=user, at_least=Role.VIEWER)
    if caller is not None and not covers(caller, account.pk if account is not None else None):
        raise Forbidden("a token of one account makes tokens of this account only; sign in to make others")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user, account=account, name=name.strip(), prefix=secret[:12], digest=_digest(secret)
        )
        audit.record(token, by=actor(user), because=f"made: {token.name}")
    return token, secret


def covers(token: ApiToken, account_id: int | None) -> bool:
    """Whether a token reaches all that a token of this account (None: a personal one) does."""
    return token.account_id is None or token.account_id == account_id


_TOKEN = columns(ApiToken, "id", "user_id", "account_id", "name", "prefix", "last_used_at")
_USER = columns(User, "id", "email", "display_name", "is_active", "is_operator")
_WORKER = columns(Worker, "id", "user_id", "public_id", "status", "panel_id")
# Written as SQL because every API request runs it, and building it with the ORM takes as long as running it.
_AUTHENTICATE = f"""
    SELECT {", ".join(f"t.{name}" for name in _TOKEN)}, {", ".join(f"u.{name}" for name in _USER)},
           {", ".join(f"w.{name}" for name in _WORKER)}
    FROM marketplace_apitoken t JOIN marketplace_user u ON u.id = t.user_id
    LEFT JOIN marketplace_worker w ON w.user_id = u.id
    WHERE t.digest = %s AND t.revoked_at IS NULL AND u.is_active"""


def authenticate_token(secret: str) -> ApiToken | None:
    """The valid token of a secret, with its user and their worker; one query, and one write a minute at most.

    Only what nearly every request needs is loaded; further fields come with a query of their own when first read.
    """
    if not secret.startswith(TOKEN_PREFIX):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_AUTHENTICATE, [_digest(secret)])
        row = cursor.fetchone()
    if row is None:
        return None
    end_of_user = len(_TOKEN) + len(_USER)
    token: ApiToken = ApiToken.from_db(connection.alias, _TOKEN, row[: len(_TOKEN)])
    token.user = User.from_db(connection.alias, _USER, row[len(_TOKEN) : end_of_user])
    if row[end_of_user + _WORKER.index("id")] is not None:
        token.user.worker = Worker.from_db(connection.alias, _WORKER, row[end_of_user:])
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_EVERY:
        unused = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_EVERY)
        ApiToken.objects.filter(unused, pk=token.pk).update(last_used_at=now)
        token.last_used_at = now
    return token


def revoke_token(*, token: ApiToken, by: str) -> None:
    """End a token; safe to repeat."""
    with transaction.atomic():
        now = timezone.now()
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            audit.record(token, by=by, because="revoked", at=now)
    token.refresh_from_db()


def _digest(secret: str) -> str:
    # The secret has 256 random bits: a slow password hash would protect nothing and cost every request.
    return hashlib.sha256(secret.encode()).hexdigest()


def lock_members(account: Account) -> None:
    """Until the transaction ends nobody else changes a role, so that the roles read here are the ones that count."""
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)


def require_no_rank_above(own: Role, role: Role | None, account: Account) -> None:
    """Raises Forbidden when `role`, which is to be given or taken, is above the role `own`."""
    if role is not None and RANKS[role] > RANKS[own]:
        raise Forbidden(f"you are {own} in {account.name}: you can neither give nor take the role {role}")


def _keep_an_owner(account: Account, leaving: User) -> None:
    owners = set(account.memberships.filter(role=Role.OWNER).values_list("user_id", flat=True))
    if owners == {leaving.pk}:
        raise WrongState(f"{leaving.email} is the last owner of {account.name}", field="role")


def record(account: Account, by: str, because: str) -> None:
    """Write an audit row about the account."""
    audit.record(account, by=by, because=because)
