"""The forms that ask for a code of an authenticator app or a recovery code."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from frontend import guesses
from frontend.identity.adapters import counted
from marketplace import strict
from marketplace.errors import Invalid
from marketplace.services import rates

REPLAY_SECONDS = 120
"""How long a code is not taken twice: longer than it is valid (three steps of 30 seconds)."""


class CodeForm(base.BaseAuthenticateForm):
    """A code; wrong ones are limited with the wrong passwords, and a right one works once in all processes."""

    def clean_code(self) -> str:
        """The code. Raises ValidationError for a wrong one, a used one, and above the limit."""
        taken = counted(self.user)
        code: str = super().clean_code()
        guesses.give_back(taken)
        fresh, _ = rates.take(f"code {self.user.pk} {code}", most=1, seconds=REPLAY_SECONDS)
        if not fresh:
            raise get_adapter().validation_error("incorrect_code")
        return code


class AuthenticateForm(CodeForm, base.AuthenticateForm):
    """At the sign-in, after the password."""


class ReauthenticateForm(CodeForm, base.ReauthenticateForm):
    """Before a change of what one signs in with."""


class CredentialField(forms.CharField):
    """What the browser says of a passkey: an object of JSON, which allauth's own field takes for granted."""

    def __init__(self) -> None:
        super().__init__(required=True, widget=forms.HiddenInput)

    def clean(self, value: Any) -> dict[str, Any]:
        """The object. Raises ValidationError for anything else."""
        try:
            found = strict.read_json(super().clean(value))
        except (ValueError, Invalid):
            found = None
        if not isinstance(found, dict):
            raise ValidationError(gettext("The browser did not send a passkey. Try again."), code="invalid")
        return found


class AuthenticatePasskeyForm(passkeys.AuthenticateWebAuthnForm):
    """A passkey after the password."""

    credential = CredentialField()


class LoginPasskeyForm(passkeys.LoginWebAuthnForm):
    """A passkey in the place of the password."""

    credential = CredentialField()


class ReauthenticatePasskeyForm(passkeys.ReauthenticateWebAuthnForm):
    """A passkey before a change of what one signs in with."""

    credential = CredentialField()


class AddPasskeyForm(passkeys.AddWebAuthnForm):
    """A new passkey."""

    credential = CredentialField()
