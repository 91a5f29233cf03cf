"""The pages of sign-in by an account's own identity provider: the way to it, the way back, and connecting with it."""

import logging

from allauth.account.decorators import reauthentication_required
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import AuthProcess, ProviderException
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from requests import RequestException

from frontend.identity.companies import Protocol, sent_back
from frontend.rates import address_of
from marketplace.errors import TooManyTries
from marketplace.models import IdentityProvider
from marketplace.services import identity_providers, rates

logger = logging.getLogger(__name__)
STARTS, STARTS_SECONDS = 300, 900
"""How often one address may begin a sign-in by a provider, and bring an answer of it, in a quarter of an hour."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """A provider's own sign-in address; its button leads to the provider. Raises NotFound for an unknown provider."""
    row = identity_providers.of_slug(provider_id)
    wanted = request.POST.get("next", "") or request.GET.get("next", "")
    safe = wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}) else ""
    if request.method != "POST":
        return render(request, "session/company.html", {"provider": row, "next": safe})
    return _leave(request, row, AuthProcess.LOGIN, safe)


@require_POST
@login_required
@reauthentication_required(app="allauth.socialaccount")  # type: ignore[misc, unused-ignore]
def connect(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Let the caller sign in by a provider from now on, too. They confirm with their password first."""
    row = identity_providers.of_slug(provider_id)
    identity_providers.check_admitted(provider=row, user=request.user)
    return _leave(request, row, AuthProcess.CONNECT, "")


@require_POST
@login_required
def disconnect(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Let the caller not sign in by a provider any more."""
    identity_providers.disconnect(user=request.user, slug=provider_id)
    messages.success(request, gettext("Disconnected. You sign in with your password."))
    return redirect("person:you")


def _leave(request: HttpRequest, row: IdentityProvider, process: str, following: str) -> HttpResponse:
    """The page that goes to the provider; a redirect of a form to another site would break the content policy."""
    count(request, row, "start")
    try:
        provider = get_adapter(request).get_provider(request, provider=row.slug)
        response = provider.redirect(request, process=process, next_url=following or None)
    except (RequestException, OAuth2Error, ProviderException) as error:
        logger.warning("identity provider %s cannot be used: %s", row.pk, error)
        text = gettext("{name} cannot be reached at the moment. Try again later.")
        return sent_back(request, text.format(name=row.name))
    return render(request, "session/leaving.html", {"provider": row, "address": response["Location"]})


def count(request: HttpRequest, row: IdentityProvider, what: str) -> None:
    """Count what makes us ask a provider or verify its answer, from one address. Raises TooManyTries above STARTS."""
    granted, _ = rates.take(f"provider {row.pk} {what} {address_of(request)}", most=STARTS, seconds=STARTS_SECONDS)
    if not granted:
        raise TooManyTries("too many sign-ins come from here; try again in a quarter of an hour")


@never_cache
@require_safe
def back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where an OpenID Connect provider sends somebody back to. Raises NotFound for an unknown provider."""
    row = identity_providers.of_slug(provider_id, saml=False)
    response: HttpResponse = OAuth2CallbackView.adapter_view(Protocol(request, row.slug))(request)
    return response
