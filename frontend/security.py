"""The security headers of every response: a content security policy without inline script, style or foreign origins."""

from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
# The browsable API document (Swagger UI) sets styles from its script; scripts from other origins stay forbidden.
STYLED_BY_SCRIPT = frozenset({"api-docs"})


def forms_lead_to(response: HttpResponse, origins: Iterable[str]) -> HttpResponse:
    """Let the forms of this page lead to other origins too: browsers ask the policy of the page about redirects."""
    allowed = " ".join(("form-action 'self'", *origins))
    response.headers["Content-Security-Policy"] = POLICY.replace("form-action 'self'", allowed)
    return response


class SecurityHeaders:
    """Middleware: a policy where a view has not set a stricter one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        own = bool(match and not match.namespace and match.url_name in STYLED_BY_SCRIPT)
        policy = f"{POLICY}; style-src 'self' 'unsafe-inline'" if own else POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        # Otherwise browsers look up the hosts of links, before anybody follows them.
        response.headers.setdefault("X-DNS-Prefetch-Control", "off")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response
