"""Writes into the audit log what happens to second factors, and with which identity providers somebody is connected, in
the transaction in which django-allauth stores it."""

from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db.models.signals import post_delete, post_save

from marketplace.services import audit, identity_providers, scope

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
    post_save.connect(_connected, sender=SocialAccount, dispatch_uid="identity providers")
    post_delete.connect(_disconnected, sender=SocialAccount, dispatch_uid="identity providers")


def _saved(*, instance: Authenticator, created: bool, **_: Any) -> None:
    if created:
        _record(instance, "added")


def _deleted(*, instance: Authenticator, **_: Any) -> None:
    _record(instance, "removed")


def _record(authenticator: Authenticator, what: str) -> None:
    by = _caller() or COMMAND
    audit.record(authenticator.user, by=by, because=f"second factor {what}: {NAMES[authenticator.type]}")


def _connected(*, instance: SocialAccount, created: bool, **_: Any) -> None:
    if created:
        _record_connection(instance, connected=True)


def _disconnected(*, instance: SocialAccount, **_: Any) -> None:
    _record_connection(instance, connected=False)


def _record_connection(found: SocialAccount, *, connected: bool) -> None:
    identity_providers.record_connection(user=found.user, slug=found.provider, by=_caller(), connected=connected)


def _caller() -> str:
    """Whoever makes the request, "" while nobody is signed in or there is none."""
    user = getattr(context.request, "user", None)
    return scope.actor(user) if user is not None and user.is_authenticated else ""
