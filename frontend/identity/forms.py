"""The forms that ask for a code of an authenticator app or a recovery code."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base

from frontend import guesses
from frontend.identity.adapters import counted
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
