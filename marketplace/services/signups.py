"""Signing up by oneself, as a worker of the public pool or as a requester. Knows nothing of pages and mail.

No user exists before the link that was sent to their address is used, so an address that nobody verifies leaves
nothing behind. Whether an address belongs to somebody is told to its mailbox only.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from marketplace.errors import Forbidden, Invalid, NotFound
from marketplace.models import Account, SignUp, SignUpPurpose, User
from marketplace.services import accounts, people, profiles, workteams

LINK_HOURS = 24
"""How long the link to finish a sign-up works; it works once."""

SECRET_BYTES = 32
BY = "sign-up"
"""How the audit trail names whoever makes users and accounts here."""


def enabled(purpose: str) -> bool:
    """Whether this installation takes sign-ups of this kind: the operator's settings."""
    return bool(settings.WORKER_SIGN_UP_ENABLED if purpose == SignUpPurpose.WORKER else settings.SIGN_UP_ENABLED)


def purposes() -> list[str]:
    """The kinds of sign-ups that this installation takes."""
    return [purpose for purpose in SignUpPurpose.values if enabled(purpose)]


def begin(*, email: str, purpose: str) -> SignUp:
    """Note that somebody wants to sign up; does the same whether the address belongs to somebody or not.

    An earlier link of the same address goes on until a new one is made. Raises Invalid for a bad address or an unknown
    purpose, Forbidden for one that is switched off.
    """
    _require_enabled(purpose)
    expires_at = timezone.now() + timedelta(hours=LINK_HOURS)
    row, _ = SignUp.objects.update_or_create(
        email=accounts.checked_address(email), purpose=purpose, defaults={"expires_at": expires_at}
    )
    return row


def new_link(sign_up: SignUp) -> str:
    """The secret for the link, which replaces any earlier one; only its digest is stored."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    sign_up.digest = _digest(secret)
    sign_up.save(update_fields=["digest"])
    return secret


def of_link(secret: str) -> SignUp:
    """The sign-up to which a link leads. Raises NotFound for a link that does not work, Forbidden when switched off."""
    found = SignUp.objects.filter(digest=_digest(secret), expires_at__gt=timezone.now()).first()
    if found is None:
        raise NotFound("this link does not work any more; sign up again")
    _require_enabled(found.purpose)
    return found


def finish_worker(
    *, secret: str, display_name: str, password: str, country: str, languages: Sequence[str], adult: bool
) -> User:
    """Make the sign-in of a worker in the public pool; the link is used up.

    Raises as `of_link`, Invalid as `accounts.create_user` and `profiles.put` do, NotFound for the link of a requester,
    NameTaken when the address has got a sign-in meanwhile.
    """
    with transaction.atomic():
        user = _make_user(secret, SignUpPurpose.WORKER, display_name, password)
        worker = workteams.register_worker(user)
        workteams.join_public_pool(worker)
        profiles.put(worker=worker, country=country, languages=languages, adult=adult)
    return user


def finish_requester(*, secret: str, display_name: str, password: str, account_name: str) -> tuple[User, Account]:
    """Make the sign-in of a requester and an account that they own; the link is used up.

    Raises as `finish_worker`, Invalid for a bad name of the account.
    """
    with transaction.atomic():
        user = _make_user(secret, SignUpPurpose.REQUESTER, display_name, password)
        account = people.create_account(name=account_name, owner=user, by=BY)
    return user, account


def _make_user(secret: str, purpose: str, display_name: str, password: str) -> User:
    # Locked, so that of two requests with one link the second finds it used up.
    row = SignUp.objects.select_for_update().filter(pk=of_link(secret).pk, digest=_digest(secret)).first()
    if row is None or row.purpose != purpose:
        raise NotFound("this link does not work any more; sign up again")
    user = people.create(email=row.email, password=password, display_name=display_name, by=BY)
    SignUp.objects.filter(email=row.email).delete()
    return user


def drop(sign_up: SignUp) -> None:
    """Forget a sign-up: its address has a sign-in already."""
    SignUp.objects.filter(pk=sign_up.pk).delete()


def forget_expired() -> None:
    """Delete sign-ups whose time is over; run by the sweep."""
    SignUp.objects.filter(expires_at__lte=timezone.now()).delete()


def _require_enabled(purpose: str) -> None:
    if purpose not in SignUpPurpose.values:
        raise Invalid(f"{purpose!r} found, {' or '.join(SignUpPurpose.values)} expected", field="purpose")
    if not enabled(purpose):
        raise Forbidden(f"nobody signs up here as a {purpose.lower()} by themselves; ask for an invitation")


def _digest(secret: str) -> str:
    # The secret has 256 random bits, as an API token's.
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
