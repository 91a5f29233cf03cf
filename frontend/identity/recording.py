"""Writes into the audit log what happens to second factors, in the transaction in which django-allauth stores it."""

from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from django.db.models.signals import post_delete, post_save

from marketplace.services import scope, second_factors

NAMES = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}

COMMAND = "command"
"""Who acts outside of a request: whoever has the machine."""


def register() -> None:
    """Begin to listen. Safe to repeat."""
    post_save.connect(_saved, sender=Authenticator, dispatch_uid="second factors")
    post_delete.connect(_deleted, sender=Authenticator, dispatch_uid="second factors")


def _saved(*, instance: Authenticator, created: bool, **_: Any) -> None:
    if created:
        _record(instance, "added")


def _deleted(*, instance: Authenticator, **_: Any) -> None:
    _record(instance, "removed")


def _record(authenticator: Authenticator, what: str) -> None:
    user = getattr(context.request, "user", None)
    by = scope.actor(user) if user is not None and user.is_authenticated else COMMAND
    second_factors.record(authenticator.user, by, f"second factor {what}: {NAMES[authenticator.type]}")
