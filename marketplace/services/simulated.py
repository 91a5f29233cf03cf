"""Simulated people: marked users that a program makes to try something out, and shuts when it is over.

Nobody signs in as one of them unless `new_password` was called for it: programs act in their names by tokens.
"""

import secrets
from collections.abc import Iterable

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from marketplace.errors import NameTaken
from marketplace.models import ApiToken, User, Workteam
from marketplace.services import audit, workteams

PASSWORD_BYTES = 18


def person(*, email: str, display_name: str, is_operator: bool = False) -> User:
    """The simulated user of an address, made at the first call; one that was shut can be used again.

    Raises NameTaken when the address belongs to somebody who is not simulated.
    """
    address = email.strip().lower()
    user, _ = User.objects.get_or_create(
        email=address,
        defaults={
            "username": address,
            "display_name": display_name,
            "is_operator": is_operator,
            "is_simulated": True,
            "password": make_password(None),
        },
    )
    if not user.is_simulated:
        raise NameTaken(f"{address} belongs to somebody who is not simulated", field="email")
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
    return user


def new_password(user: User) -> str:
    """Give a simulated user a random password, which replaces any earlier one; returns it."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


def shut(*, users: Iterable[User], by: str) -> None:
    """Let nobody act as these users any more: no password, no token, not active, on no team.

    Users who are not simulated are left as they are. Answers and payments stay. Safe to repeat.
    """
    with transaction.atomic():
        rows = User.objects.select_for_update(no_key=True).filter(pk__in=[user.pk for user in users], is_simulated=True)
        for user in rows.order_by("pk"):
            now = timezone.now()
            ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=now)
            for team in Workteam.objects.filter(memberships__worker__user=user):
                workteams.remove_worker(team=team, worker=user.worker, by=by)
            user.is_active = False
            user.set_unusable_password()
            user.save(update_fields=["is_active", "password"])
            audit.record(user, by=by, because="simulated person shut", at=now)
