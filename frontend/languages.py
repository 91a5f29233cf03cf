"""In which language a page is written: the one that somebody chose, else the one that their browser asks for.

Whoever is signed in has chosen for every browser, anybody else for the one that keeps the cookie.

Programs are answered in English, whatever their headers say: what they read must not depend on who runs them.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from marketplace import strict
from marketplace.services import accounts

OF_PROGRAMS = ("api", "aws", "metrics", "health", "streams", "stripe", "improvement-events", "static")
"""The first parts of addresses that programs ask for."""

COOKIE_SECONDS = 365 * 24 * 3600


def language_of(request: HttpRequest) -> str:
    """The language of the answer to this request, one of settings.LANGUAGES."""
    first = request.path_info.lstrip("/").partition("/")[0]
    if first in OF_PROGRAMS:
        return settings.LANGUAGE_CODE
    # Inside of this middleware the gate refuses a cookie that no session can have.
    readable = not strict.text_problem(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))
    own = request.user.language if readable and request.user.is_authenticated else ""
    return own if own in dict(settings.LANGUAGES) else translation.get_language_from_request(request)


class LanguageOfPages:
    """Middleware: everything inside of it speaks the language of the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = language_of(request)
        # Django's own middleware leaves the language to the thread, and so to whatever it does next.
        with translation.override(language):
            response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
            response.headers.setdefault("Content-Language", language)
        return response


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep the language that somebody chose, and go back to where they were. Raises Invalid for an unknown one."""
    language = request.POST.get("language", "")
    accounts.check_language(language)
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    response = HttpResponseRedirect(wanted if safe else "/")
    keep(response, language)
    if request.user.is_authenticated:
        accounts.choose_language(user=request.user, language=language)
    return response


def keep(response: HttpResponse, language: str) -> None:
    """Let the browser remember the language."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
