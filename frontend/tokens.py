"""The API token, looked up once however many ask for it, or the access key of a request. Grants no rights itself."""

import re

from django.http import HttpRequest
from rest_framework.request import Request

from marketplace.models import ApiToken
from marketplace.services import accounts

_CREDENTIAL = re.compile(r"Credential=([A-Z0-9]{16,128})/")
KEY = "waggle.token"
"""Where the token is kept in the request's environ; what a client sends has names that begin with HTTP_."""


def secret_of(request: HttpRequest | Request) -> str | None:
    """The secret that the request carries (`Authorization: Bearer wgl_...`), None when it carries none."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def signing_key_of(request: HttpRequest | Request) -> str:
    """The id of the access key that the request says it is signed with; "" when it says none."""
    told = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, rest = told.partition(" ")
    found = _CREDENTIAL.search(rest) if scheme == "AWS4-HMAC-SHA256" else None
    return found[1] if found is not None else ""


def token_of(request: HttpRequest | Request) -> ApiToken | None:
    """The valid token of a request; None when its token is unknown or revoked, or when it carries none."""
    if KEY not in request.META:
        secret = secret_of(request)
        request.META[KEY] = accounts.authenticate_token(secret=secret) if secret is not None else None
    token: ApiToken | None = request.META[KEY]
    return token
