"""Passwords: what they have to be, changing one's own, and links by which a forgotten one is set anew.

Knows nothing of pages, addresses of pages and mail. A link's token is Django's: it holds no secret of ours in the
database, and ends with its use, with a sign-in and with the time.
"""

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from marketplace import strict
from marketplace.errors import Invalid
from marketplace.models import User
from marketplace.ranges import Range
from marketplace.services import audit

LENGTH = Range(1, 1000)
"""Characters of a password; that it is long enough is checked by the validators in settings.py."""

CHANGED, RESET = "password changed", "password set by a link"


def check(password: str, user: User, *, field: str) -> None:
    """Raises Invalid, with a reason for each rule that is broken, unless the user may have this password."""
    if len(password) not in LENGTH:
        raise Invalid(f"a password has {LENGTH} characters", field=field)
    try:
        validate_password(password, user)
    except ValidationError as error:
        reasons = [(field, said) for said in error.messages]
        raise Invalid(" ".join(error.messages), field=field, errors=reasons) from None


def change(*, user: User, old: str, new: str) -> None:
    """Change one's own password, which ends one's other sessions. Raises Invalid for a wrong old or a bad new one."""
    if not user.check_password(old):
        raise Invalid("the old password is wrong", field="old_password")
    check(new, user, field="new_password")
    put(user=user, password=new, by=f"user:{user.pk}", because=CHANGED)


def put(*, user: User, password: str, by: str, because: str) -> None:
    """Give the user a password that was checked, and record it. It ends the user's sessions."""
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record(user, by=by, because=because)


def link_parts(user: User) -> tuple[str, str]:
    """(uid, token) of a link by which the user sets a password, once and for WAGGLE_PASSWORD_LINK_HOURS."""
    return urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)


def make_link(*, user: User, by: str) -> tuple[str, str]:
    """`link_parts` for somebody else to pass on: recorded. Raises Invalid for a user who may not sign in."""
    if not may_reset(user):
        raise Invalid(f"{user.email} may not sign in; a password would not change that", field="user")
    audit.record(user, by=by, because="password link made")
    return link_parts(user)


def may_reset(user: User | None) -> bool:
    """Whether a link is sent to somebody who says that they have forgotten their password."""
    return user is not None and user.is_active and not (user.is_simulated or user.is_participant)


def user_of_link(uid: str, token: str) -> User | None:
    """Whose link it is; None for one that does not work (any more)."""
    user = user_of_uid(uid)
    return user if user is not None and default_token_generator.check_token(user, token) else None


def user_of_uid(uid: str) -> User | None:
    """The user whom a link names, if they may sign in. Says nothing about the link's token."""
    try:
        key = strict.whole_number(urlsafe_base64_decode(uid).decode())
    except (ValueError, UnicodeError):
        return None
    found = User.objects.filter(pk=key).first() if key is not None else None
    return found if may_reset(found) else None


def reset(*, uid: str, token: str, new: str) -> User:
    """Set the password of a link's user. Raises Invalid for a link that does not work or for a bad password."""
    user = user_of_link(uid, token)
    if user is None:
        raise Invalid("this link does not work; each works once and for a limited time", field="token")
    check(new, user, field="new_password")
    put(user=user, password=new, by=f"user:{user.pk}", because=RESET)
    return user
