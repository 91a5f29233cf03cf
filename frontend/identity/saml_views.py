"""The pages of sign-in by an account's own SAML provider: its answer, what comes of it, and our metadata.

A provider's answer is a form that its page sends across sites, to which browsers add no session. It is verified
without one; what it says is kept in a signed cookie for the moment until the browser comes again by itself, with the
session that has begun the sign-in.
"""

import logging
from dataclasses import asdict

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from django.conf import settings
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from frontend.identity import assertions
from frontend.identity.companies import sent_back
from frontend.identity.views import count
from frontend.rates import address_of
from marketplace.models import IdentityProvider
from marketplace.services import identity_providers, rates

logger = logging.getLogger(__name__)
COOKIE, COOKIE_SECONDS = "company-answer", 60
"""What a verified answer is kept in, and for how long."""

REPLAY_SECONDS = 3600
"""How long an assertion is not taken twice: longer than a sign-in that has begun can be finished (ten minutes)."""


@csrf_exempt
@never_cache
@require_POST
def answer(request: HttpRequest, saml_id: str) -> HttpResponse:
    """Take a provider's answer: its signature stands in the place of a token of ours. Raises NotFound, TooManyTries."""
    row = identity_providers.of_slug(saml_id, saml=True)
    count(request, row, "answer")
    try:
        found = assertions.read(request, row, request.POST.get("SAMLResponse", ""))
        fresh, _ = rates.take(f"assertion {row.pk} {found.assertion}", most=1, seconds=REPLAY_SECONDS)
        if not fresh:
            raise assertions.Refused("the assertion was used before")
    except assertions.Refused as error:
        return _failed(request, row, str(error))
    response = redirect("saml-finish", row.slug)
    response.set_cookie(
        COOKIE,
        signing.dumps(asdict(found), salt=_salt(row)),
        max_age=COOKIE_SECONDS,
        path=_finish(row),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@never_cache
@require_safe
def finish(request: HttpRequest, saml_id: str) -> HttpResponse:
    """Sign somebody in whose answer was verified, in the browser that asked for it. Raises NotFound."""
    row = identity_providers.of_slug(saml_id, saml=True)
    provider = get_adapter(request).get_provider(request, provider=row.slug)
    try:
        found = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_salt(row), max_age=COOKIE_SECONDS)
        state = provider.unstash_redirect_state(request, found["request"])
    except signing.BadSignature:
        return _failed(request, row, "there is no verified answer")
    except PermissionDenied:
        return _failed(request, row, "the answer is to no request of this browser")
    login = provider.sociallogin_from_response(request, found)
    login.state = state
    response: HttpResponse = complete_social_login(request, login)
    response.delete_cookie(COOKIE, path=_finish(row))
    return response


@require_safe
def metadata(request: HttpRequest, saml_id: str) -> HttpResponse:
    """Our metadata for a provider, at the address that is our entity id. Raises NotFound."""
    row = identity_providers.of_slug(saml_id, saml=True)
    return HttpResponse(assertions.metadata(request, row), content_type="application/samlmetadata+xml")


def _salt(row: IdentityProvider) -> str:
    return f"answer of identity provider {row.pk}"


def _finish(row: IdentityProvider) -> str:
    return reverse("saml-finish", args=[row.slug])


def _failed(request: HttpRequest, row: IdentityProvider, reason: str) -> HttpResponse:
    """Send somebody back; the reason is written to the log only, where it helps nobody to try again."""
    logger.warning("refused, answer of identity provider %s from %s: %r", row.pk, address_of(request), reason[:500])
    return sent_back(request, gettext("The sign-in by {name} has failed. Try again.").format(name=row.name))
