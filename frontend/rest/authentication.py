"""Who is calling: an API token (`Authorization: Bearer wgl_...`) or the browser session. Grants no rights itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication as DrfSessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from frontend import tokens
from marketplace.models import ApiToken, User


class TokenAuthentication(BaseAuthentication):
    """Programs authenticate with a token that was shown once."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """(user, token), None when the request carries no bearer token; raises AuthenticationFailed for a bad one."""
        if tokens.secret_of(request) is None:
            return None
        token = tokens.token_of(request)
        if token is None:
            raise AuthenticationFailed("the token is unknown or was revoked")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """The scheme named in a 401."""
        return "Bearer"


class CsrfFailed(PermissionDenied):
    """A request with a session came without a valid CSRF token."""

    default_code = "csrf_failed"


class SessionAuthentication(DrfSessionAuthentication):
    """The browser's session, with CSRF checked; answers 401 rather than 403 when nobody is signed in."""

    def enforce_csrf(self, request: Request) -> None:
        """Raises CsrfFailed."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise CsrfFailed(error.detail) from None

    def authenticate_header(self, request: Request) -> str:
        """The scheme named in a 401."""
        return "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes the token."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The security scheme object."""
        return {"type": "http", "scheme": "bearer", "description": "An API token (wgl_...)."}


class SessionScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes the session."""

    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The security scheme object."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
