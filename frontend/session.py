"""Signing in and out, which account a browser acts for, and what every page's frame needs to know."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from frontend import automation, guesses, letters
from frontend.rates import address_of
from labeling.services.results import reviewers
from marketplace.errors import AccountNotNamed, DomainError, Forbidden, NotFound, StoreFull, TooManyTries, Unavailable
from marketplace.models import Account, Role
from marketplace.services import funds, notifications, scope

logger = logging.getLogger(__name__)
SESSION_KEY = "account"
STATUS: dict[type[DomainError], int] = {NotFound: 404, Forbidden: 403, StoreFull: 507, Unavailable: 503}
RETRY_SECONDS = 5


class SignInForm(AuthenticationForm):
    """Email and password."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = gettext("Email")
        self.fields["username"].widget.attrs |= {"type": "email", "autocomplete": "username", "autofocus": True}

    def clean(self) -> dict[str, Any]:
        """As Django's, with a limit on wrong passwords; above it even the right one is refused for a while."""
        address, email = address_of(self.request), str(self.cleaned_data.get("username", ""))
        try:
            taken = guesses.count(self.request, email)
        except TooManyTries as error:
            logger.warning("sign-in refused, too many wrong passwords: %s from %s", guesses.who(email), address)
            raise ValidationError(error.message, code="too_many") from None
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            logger.warning("sign-in failed, wrong password: %s from %s", guesses.who(email), address)
            raise
        guesses.give_back(taken)
        return cleaned


class SignInView(auth_views.LoginView):
    """The sign-in page."""

    template_name = "session/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether people can sign up by themselves."""
        return {**super().get_context_data(**kwargs), "sign_up": bool(letters.sign_ups())}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Ask for the second factor, or sign in where there is none."""
        response: HttpResponse = perform_login(self.request, form.get_user(), redirect_url=self.get_success_url())
        return response

    def get_redirect_url(self) -> str:
        """Where `next` leads; nowhere if that is this page, which would send somebody signed in round in circles."""
        wanted: str = super().get_redirect_url()
        return "" if wanted.partition("?")[0] == self.request.path else wanted


def home(request: HttpRequest) -> HttpResponse:
    """Where somebody starts: requesters at their overview, workers at the job list, operators at the accounts."""
    if not request.user.is_authenticated:
        return redirect("sign-in")
    if request.user.is_participant:
        return redirect("study:mine")
    if scope.memberships(request.user).exists():
        return redirect("requester:overview")
    if scope.worker_or_none(request.user):
        return redirect("worker:jobs")
    if request.user.is_operator:
        return redirect("operator:accounts")
    if scope.invitations_to(request.user).exists():
        return redirect("person:you")
    return render(request, "session/nobody.html", status=403)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def choose_account(request: HttpRequest) -> HttpResponse:
    """Choose one of the user's accounts, and go where `next` says."""
    if request.method != "POST":
        context = {"memberships": scope.memberships(request.user), "next": request.GET.get("next", "")}
        return render(request, "session/choose_account.html", context)
    number = request.POST.get("account", "")
    account = scope.account_named(user=request.user, number=number).account
    request.session[SESSION_KEY] = account.pk
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    # Not redirect(): it takes a text without a slash for the name of a route.
    return HttpResponseRedirect(wanted) if safe else redirect("requester:overview")


def current_account(request: HttpRequest) -> Account | None:
    """The account the browser acts for, None for somebody without one and while one of several has to be chosen."""
    if not request.user.is_authenticated:
        return None
    try:
        return account_of(request)
    except (Forbidden, AccountNotNamed):
        return None


def account_of(request: HttpRequest, at_least: Role | str = Role.VIEWER) -> Account:
    """The account the browser acts for. Raises as `scope.account_for` does."""
    return scope.account_for(
        user=request.user,
        session_account_id=request.session.get(SESSION_KEY),
        at_least=at_least,
    )


def requester_page(at_least: Role | str = Role.VIEWER) -> Callable[..., Callable[..., HttpResponse]]:
    """Decorate a page: `request.account` is set, and the member's role suffices.

    Others get 403 or the sign-in; somebody with several accounts chooses one first.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @login_required
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                request.account = account_of(request, at_least)  # type: ignore[attr-defined]
            except AccountNotNamed:
                wanted = {"next": request.get_full_path()} if request.method == "GET" else {}
                return redirect(f"{reverse('choose-account')}?{urlencode(wanted)}")
            return view(request, *args, **kwargs)

        return wrapper

    return decorate


def worker_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a page: `request.worker` is set. Others get 403 or the sign-in."""

    @wraps(view)
    @login_required
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.worker = scope.worker_of(request.user)  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return wrapper


def operator_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a page: operators only."""

    @wraps(view)
    @login_required
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        scope.require_operator(request.user)
        return view(request, *args, **kwargs)

    return wrapper


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the frame of every page shows."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {}
    worker = getattr(request, "worker", None) or scope.worker_or_none(request.user)
    account = getattr(request, "account", None) or current_account(request)
    rows = scope.memberships(request.user).select_related("account__vendor_listing")
    memberships = list(rows.order_by("account__name", "account"))
    own = next((row for row in memberships if account is not None and row.account_id == account.pk), None)
    return {
        "shell_account": account,
        "shell_accounts": [row.account for row in memberships],
        "shell_admin": own is not None and own.role in (Role.ADMIN, Role.OWNER),
        "shell_vendor": own is not None and hasattr(own.account, "vendor_listing"),
        "shell_worker": worker,
        "shell_reviews": worker is not None and reviewers.reviews_any(worker),
        "shell_invitations": scope.invitations_to(request.user).count(),
        "shell_unread": notifications.unread(request.user),
        "shell_learning": automation.installed(),
        # Only on pages of the account itself.
        "shell_low_funds": funds.low(request.account) if hasattr(request, "account") else None,
        "shell_section": request.resolver_match.url_name if request.resolver_match else "",
        "shell_room": request.resolver_match.namespace if request.resolver_match else "",
    }


class DomainErrorPages:
    """Middleware: a DomainError that a page does not handle becomes a page with its message."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Render 404, 403 and 503 as pages; for a refused form post say why and go back."""
        if not isinstance(error, DomainError):
            return None
        code = next((STATUS[c] for c in type(error).__mro__ if c in STATUS), 409)
        back = request.headers.get("Referer", "")
        safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
        if code in (409, 503) and request.method == "POST" and back and safe:
            messages.error(request, error.message)
            return HttpResponseRedirect(back)
        response = render(request, "session/refused.html", {"error": error, "code": code}, status=code)
        if code == 503:
            response["Retry-After"] = str(RETRY_SECONDS)
        return response
