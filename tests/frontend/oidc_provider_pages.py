"""What the provider of oidc_provider.py serves: allauth's own pages, and documents that are not right."""

import json
from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.internal import jwkkit
from allauth.idp.oidc import views
from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from tests.frontend.oidc_provider import new_key


class Adapter(DefaultOIDCAdapter):
    """Lets the second client's tokens name another issuer."""

    def populate_id_token(self, id_token: dict[str, Any], client: Any, scopes: Any, **kwargs: Any) -> None:
        """As the client wants it."""
        if client.pk == "forged":
            id_token["iss"] += "/forged"


def come(request: HttpRequest) -> HttpResponse:
    """Sign in as the user that the query describes."""
    asked = request.GET
    user, _ = get_user_model().objects.get_or_create(username=asked["user"], first_name=asked["user"].title())
    EmailAddress.objects.filter(user=user).delete()
    if asked.get("email"):
        verified = asked.get("verified") == "1"
        EmailAddress.objects.create(user=user, email=asked["email"], verified=verified, primary=True)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponse("welcome")


def subject(request: HttpRequest) -> HttpResponse:
    """By which key clients know whoever is signed in."""
    return HttpResponse(str(request.user.pk))


def document(request: HttpRequest, **changed: str) -> JsonResponse:
    """The discovery document, with some members changed."""
    return JsonResponse({**json.loads(views.configuration(request).content), **changed})


def forged(request: HttpRequest) -> JsonResponse:
    """The document of an issuer whose keys are not those by which its tokens are signed."""
    base = request.build_absolute_uri("/forged")
    return document(request, issuer=base, jwks_uri=f"{base}/jwks.json")


def other_keys(request: HttpRequest) -> JsonResponse:
    """A key that has signed nothing, under the name of the one that has."""
    (key,) = json.loads(views.jwks(request).content)["keys"]
    other = jwkkit.load_jwk_from_pem(new_key())[0]
    return JsonResponse({"keys": [{**other, "kid": key["kid"]}]})


urlpatterns = [
    path("come/", come),
    path("subject/", subject),
    path("forged/.well-known/openid-configuration", forged),
    path("forged/jwks.json", other_keys),
    path("mirror/.well-known/openid-configuration", document),
    path("", include("allauth.idp.urls")),
]
