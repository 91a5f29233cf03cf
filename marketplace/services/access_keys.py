"""Access keys: made by a member for an account, shown once, found again by what a signed request names.

Knows nothing of signatures.
"""

import base64
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from marketplace import local_s3, sealing
from marketplace.errors import Invalid, LimitExceeded, NotFound
from marketplace.models import AccessKey, Account, Membership, Role, User
from marketplace.ranges import Range
from marketplace.services import accounts, audit

NAME_LENGTH = Range(1, 80)
"""Characters of what an access key is for."""

PREFIX = "AKIA"
"""How the ids of access keys begin, as AWS's long-lived ones do."""

MOST = 20
"""Live access keys of a member in one account."""


@dataclass(frozen=True)
class Holder:
    """An access key that may be used, with its secret, and the role that its holder has in its account."""

    key: AccessKey
    role: Role
    secret: str


def create(*, user: User, account: Account, name: str) -> tuple[AccessKey, str]:
    """An access key and its secret, which is shown only once.

    Raises NotFound unless the user is a member, Invalid for a bad name, LimitExceeded for more than MOST live ones.
    """
    if len(name.strip()) not in NAME_LENGTH:
        raise Invalid(f"an access key needs a name of {NAME_LENGTH} characters", field="name")
    accounts.require_role(account=account, user=user, at_least=Role.VIEWER)
    secret = base64.b64encode(secrets.token_bytes(30)).decode()
    with transaction.atomic():
        # Two requests at once would both find room for one more.
        accounts.lock_members(account)
        if keys(user, account).filter(revoked_at=None).count() >= MOST:
            raise LimitExceeded(f"a member has at most {MOST} access keys in an account; revoke one first")
        key = AccessKey.objects.create(
            user=user,
            account=account,
            name=name.strip(),
            # Ten random bytes are sixteen letters and digits in base 32.
            key_id=PREFIX + base64.b32encode(secrets.token_bytes(10)).decode(),
            sealed_secret=sealing.seal(secret),
        )
        audit.record(key, by=accounts.actor(user), because=f"made: {key.name}")
    return key, secret


def keys(user: User, account: Account) -> QuerySet[AccessKey]:
    """The user's access keys for the account, revoked ones too."""
    return AccessKey.objects.filter(user=user, account=account)


def key(user: User, account: Account, key_id: int) -> AccessKey:
    """One of them, by its primary key. Raises NotFound."""
    found = keys(user, account).filter(pk=key_id).first()
    if found is None:
        raise NotFound(f"you have no access key {key_id} in this account")
    return found


def is_live(key_id: str) -> bool:
    """Whether requests may be signed with this key; proves nothing of who sends them."""
    return _live(key_id).exists()


def holder(key_id: str) -> Holder | None:
    """Who may use the key; None for one that is unknown or revoked, or whose user may not sign in or is no member.

    Raises WrongState for a secret that was sealed under another WAGGLE_SECRET_KEY.
    """
    role = Membership.objects.filter(account=OuterRef("account"), user=OuterRef("user")).values("role")
    found = _live(key_id).select_related("user", "account").annotate(member_role=Subquery(role)).first()
    if found is None or found.member_role is None:
        return None
    return Holder(found, Role(found.member_role), sealing.unseal(found.sealed_secret))


def note_use(key: AccessKey) -> None:
    """Say that the key was used now; written once a minute at most."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > accounts.LAST_USED_EVERY:
        unused = Q(last_used_at=None) | Q(last_used_at__lt=now - accounts.LAST_USED_EVERY)
        AccessKey.objects.filter(unused, pk=key.pk).update(last_used_at=now)


def revoke(*, key: AccessKey, by: str) -> None:
    """End an access key, at the local S3 server too if it was admitted there; safe to repeat."""
    with transaction.atomic():
        now = timezone.now()
        if AccessKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
            audit.record(key, by=by, because="revoked", at=now)
    if settings.LOCAL_S3:
        local_s3.dismiss(settings.VAR_DIR, key.key_id)
    key.refresh_from_db()


def _live(key_id: str) -> QuerySet[AccessKey]:
    return AccessKey.objects.filter(key_id=key_id, revoked_at=None, user__is_active=True)
