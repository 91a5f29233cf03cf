"""What django-allauth asks of us: which steps a sign-in has, what is encrypted, what the pages call this place.

allauth keeps second factors (authenticator apps, passkeys, recovery codes); passwords, sessions and people stay ours.
"""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from frontend import guesses
from frontend.rates import address_of
from marketplace import sealing
from marketplace.errors import TooManyTries
from marketplace.models import User
from marketplace.services import scope

logger = logging.getLogger(__name__)
COMPANY_SESSION_SECONDS = 12 * 3600
"""How long somebody stays signed in who came by their company's identity provider."""

NAME = "Waggle"
"""What authenticator apps and browsers call this place."""


class AccountAdapter(DefaultAccountAdapter):
    """How somebody signs in once their password or passkey is known to be right."""

    def get_login_stages(self) -> list[str]:
        """The second factor, for those who have one."""
        return ["allauth.mfa.stages.AuthenticateStage"]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by allauth's pages."""
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        """Begin the session, and log it. One that a company has vouched for ends after a working day.

        Until then somebody whom their company has let go could go on here.
        """
        super().login(request, user)
        if any(record.get("method") == "socialaccount" for record in get_authentication_records(request, user)):
            request.session.set_expiry(COMPANY_SESSION_SECONDS)
        logger.info("signed in: %s from %s", scope.actor(user), address_of(request))

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Somebody who may not sign in had a right passkey: they are told no more than with a wrong one."""
        messages.error(request, gettext("You may not sign in. Ask an operator of this installation."))
        return redirect("sign-in")

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """Say what happened, but not that somebody is signed in, which they see."""
        template = args[0] if args else kwargs.get("message_template")
        if template != "account/messages/logged_in.txt":
            super().add_message(request, level, *args, **kwargs)

    def reauthenticate(self, user: User, password: str) -> bool:
        """Whether it is the user's password; wrong ones are limited as at the sign-in.

        Raises ValidationError above the limit.
        """
        taken = counted(user)
        right: bool = user.check_password(password)
        if right:
            guesses.give_back(taken)
        return right

    def is_safe_url(self, url: str | None) -> bool:
        """Whether somebody may be sent on to this address: one of this site, as at the sign-in."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts={context.request.get_host()})

    def get_client_ip(self, request: HttpRequest) -> str:
        """The caller's address behind the proxies that are trusted."""
        return address_of(request)


class SecondFactorAdapter(DefaultMFAAdapter):
    """How second factors are named and kept."""

    def encrypt(self, text: str) -> str:
        """As it is stored: a stolen copy of the database makes no codes."""
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """What was stored. Raises WrongState when WAGGLE_SECRET_KEY is another one by now."""
        return sealing.unseal(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The site that passkeys are for: this host, by our name."""
        return {**super().get_public_key_credential_rp_entity(), "name": NAME}


def counted(user: User) -> list[str]:
    """Count a try at one of the user's secrets; `guesses.give_back` takes the result when it was right.

    Raises ValidationError above the limit.
    """
    try:
        return guesses.count(context.request, user.email)
    except TooManyTries as error:
        logger.warning("refused, too many wrong secrets: %s from %s", scope.actor(user), address_of(context.request))
        raise ValidationError(error.message, code="too_many") from None
