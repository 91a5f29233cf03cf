"""The API token of a request, looked up once however many ask for it. Grants no rights itself."""

from django.http import HttpRequest
from rest_framework.request import Request

from marketplace.models import ApiToken
from marketplace.services import accounts

KEY = "waggle.token"
"""Where the token is kept in the request's environ; what a client sends has names that begin with HTTP_."""


def secret_of(request: HttpRequest | Request) -> str | None:
    """The secret that the request carries (`Authorization: Bearer wgl_...`), None when it carries none."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def token_of(request: HttpRequest | Request) -> ApiToken | None:
    """The valid token of a request; None when its token is unknown or revoked, or when it carries none."""
    if KEY not in request.META:
        secret = secret_of(request)
        request.META[KEY] = accounts.authenticate_token(secret=secret) if secret is not None else None
    token: ApiToken | None = request.META[KEY]
    return token
