"""Sign-in by an account's own identity provider, as django-allauth's steps ask for it.

allauth speaks OpenID Connect (discovery, state, PKCE, tokens, keys), frontend/identity/assertions.py SAML; who may come
in is marketplace's identity_providers.
"""

import logging
from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError, AuthProcess, Provider, ProviderAccount, ProviderException
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from requests import Session

from frontend.identity import assertions, door
from frontend.rates import address_of
from marketplace.errors import DomainError, NameTaken
from marketplace.models import IdentityProtocol, IdentityProvider
from marketplace.services import identity_providers, scope

logger = logging.getLogger(__name__)
ENDPOINTS = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
"""What a provider's discovery document has to say."""

MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
"""What allauth raises for documents, keys and tokens of a provider that have not the expected shape."""


class Protocol(OpenIDConnectOAuth2Adapter):
    """allauth's side of the protocol, stricter: its document is about the issuer, and id tokens are always verified."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """The discovery document. Raises OAuth2Error for one that is not about the registered issuer."""
        try:
            found = super().openid_config
        except MALFORMED as error:
            raise OAuth2Error(f"the discovery document cannot be read: {error!r}") from error
        if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in ENDPOINTS):
            raise OAuth2Error(f"the discovery document lacks one of {', '.join(ENDPOINTS)}")
        issuer = self.get_provider().app.settings["server_url"]
        if found["issuer"].rstrip("/") != issuer:
            raise OAuth2Error(f"the discovery document is of {found['issuer'][:200]!r}, {issuer!r} expected")
        return found

    def get_access_token_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The token endpoint's answer. Raises OAuth2Error for one without an id token."""
        try:
            data = super().get_access_token_data(*args, **kwargs)
        except MALFORMED as error:
            raise OAuth2Error(f"the answer of the token endpoint cannot be read: {error!r}") from error
        if not isinstance(data, dict) or not isinstance(data.get("id_token"), str):
            raise OAuth2Error("the answer of the token endpoint has no id token")
        # allauth does not verify the signature of a token that it has fetched itself; here it does.
        self.did_fetch_access_token = False
        return data

    def complete_login(self, *args: Any, **kwargs: Any) -> SocialLogin:
        """Who came. Raises OAuth2Error for tokens and data that cannot be read or verified."""
        try:
            return super().complete_login(*args, **kwargs)
        except MALFORMED as error:
            raise OAuth2Error(f"the id token or the user's data cannot be read: {error!r}") from error


class Company(OpenIDConnectProvider):
    """An account's provider."""

    oauth2_adapter_class = Protocol

    def extract_uid(self, data: dict[str, Any]) -> str:
        """The subject. Raises ProviderException unless the id token and the user's data are about the same one."""
        subject = data["id_token"].get("sub")
        if not isinstance(subject, str) or len(subject) not in identity_providers.SUBJECT_LENGTH:
            raise ProviderException(f"a subject of {identity_providers.SUBJECT_LENGTH} characters expected")
        if data["userinfo"].get("sub") != subject:
            raise ProviderException("the user's data are about another subject than the id token")
        return subject

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing of what the provider says is kept."""
        return {}

    def serialize(self) -> dict[str, Any]:
        """As a sign-in that waits for the second factor keeps it; `Companies.get_provider` finds it again."""
        return {"id": self.sub_id}


class SamlCompany(Provider):
    """An account's SAML provider. What it says comes as `assertions.Vouched` written out as a dict."""

    id, name = "saml", "SAML 2.0"
    account_class = ProviderAccount
    supports_redirect = True

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """To the provider. The session keeps the request's id: only an answer to it signs in, once and here."""
        address, asked = assertions.begin(request, identity_providers.of_slug(self.app.provider_id))
        self.stash_redirect_state(request, process, next_url, data, state_id=asked, **kwargs)
        return redirect(address)

    def extract_uid(self, data: dict[str, str]) -> str:
        """The NameID."""
        return data["subject"]

    def extract_extra_data(self, data: dict[str, str]) -> dict[str, Any]:
        """Nothing of what the provider says is kept."""
        return {}

    def extract_common_fields(self, data: dict[str, str]) -> dict[str, Any]:
        """What a new person is called."""
        return {"name": data["name"]}

    def extract_email_addresses(self, data: dict[str, str]) -> list[EmailAddress]:
        """The address. SAML has no word for verified ones: the company's directory gives addresses to its people."""
        return [EmailAddress(email=data["email"], verified=True, primary=True)] if data["email"] else []

    def serialize(self) -> dict[str, Any]:
        """As Company's."""
        return {"id": self.sub_id}


class Companies(DefaultSocialAccountAdapter):
    """Which providers there are, and what happens to somebody who comes from one."""

    def get_requests_session(self) -> Session:
        """Requests to providers leave by the one outbound door."""
        return door.session()

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Provider:
        """The provider with this slug. Raises NotFound for one by which nobody signs in now."""
        row = identity_providers.of_slug(provider)
        if row.protocol == IdentityProtocol.SAML:
            return SamlCompany(request, app=SocialApp(provider=SamlCompany.id, provider_id=row.slug, name=row.name))
        app = SocialApp(
            provider=Company.id,
            provider_id=row.slug,
            name=row.name,
            client_id=row.client_id,
            secret=identity_providers.secret_of(row),
            settings={"server_url": row.issuer, "oauth_pkce_enabled": True},
        )
        return Company(request, app=app)

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Let somebody in whom the provider has vouched for, or send them back and say why not."""
        row = identity_providers.of_slug(sociallogin.account.provider)
        connecting = sociallogin.state.get("process") == AuthProcess.CONNECT
        user = request.user if connecting else sociallogin.user
        try:
            if connecting or sociallogin.is_existing:
                identity_providers.check_admitted(provider=row, user=user)
                return
            sociallogin.account = _admit(row, sociallogin)
            sociallogin.user = sociallogin.account.user
        except NameTaken:
            raise self._back(
                request,
                row,
                "Your address has a sign-in here already. Sign in with its password, and then connect it with "
                f"{row.name} on the page You.",
            ) from None
        except DomainError as error:
            raise self._back(request, row, f"{error.message[:1].upper()}{error.message[1:]}.") from None

    def _back(self, request: HttpRequest, row: IdentityProvider, said: str) -> ImmediateHttpResponse:
        logger.warning("refused, sign-in by identity provider %s from %s: %s", row.pk, address_of(request), said)
        return ImmediateHttpResponse(sent_back(request, said))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Send somebody back where the protocol failed, and log why."""
        logger.warning("sign-in by %s failed: %s %s", provider.sub_id, error, exception)
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(sent_back(request, f"{provider.name} has not let you in."))
        raise ImmediateHttpResponse(sent_back(request, f"The sign-in by {provider.name} has failed. Try again."))

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: SocialAccount) -> str:
        """One's own page, which lists the providers that one is connected with."""
        return reverse("person:you")


def _admit(row: IdentityProvider, sociallogin: SocialLogin) -> SocialAccount:
    address = sociallogin.email_addresses[0] if sociallogin.email_addresses else None
    made = identity_providers.admit_new(
        provider=row,
        subject=sociallogin.account.uid,
        email=address.email if address is not None else "",
        verified=address is not None and bool(address.verified),
        display_name=sociallogin.user.get_full_name(),
    )
    logger.info("made by identity provider %s: %s", row.pk, scope.actor(made.user))
    return made


def sent_back(request: HttpRequest, said: str) -> HttpResponse:
    """Where somebody goes who was not let in, or not connected."""
    messages.error(request, said)
    return redirect("person:you" if request.user.is_authenticated else "sign-in")
