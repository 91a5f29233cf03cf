"""The operator's pages of people: finding and making users, letting them sign in and work or not, and their history."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import letters
from frontend.erasing import EraseForm
from frontend.session import operator_page
from labeling.services import erasing, exclusion
from marketplace.errors import Invalid, NameTaken
from marketplace.models import User
from marketplace.services import accounts, erasure, passwords, people, scope, second_factors

PER_PAGE = 50


class PersonForm(forms.Form):
    """A user to be made, who sets a password by a link."""

    email = forms.EmailField(label=_("Email"))
    display_name = forms.CharField(max_length=accounts.DISPLAY_NAME_LENGTH.longest, required=False, label=_("Name"))
    account = forms.CharField(
        max_length=accounts.ACCOUNT_NAME_LENGTH.longest,
        required=False,
        label=_("Name of an account of their own"),
        help_text=_("Requesters need one; workers do not."),
    )
    is_operator = forms.BooleanField(required=False, label=_("Operates this installation"))


class AccountForm(forms.Form):
    """A requester account to be made."""

    account = forms.CharField(max_length=accounts.ACCOUNT_NAME_LENGTH.longest, label=_("Name of the account"))


class ReasonForm(forms.Form):
    """Why somebody is shut out."""

    reason = forms.CharField(max_length=people.REASON_LENGTH.longest, label=_("Reason"))


@operator_page
def list_page(request: HttpRequest) -> HttpResponse:
    """Everybody with a sign-in; `q` looks for a part of an address or name, or for a worker's id."""
    return _list(request, PersonForm())


def _list(request: HttpRequest, form: PersonForm, status: int = 200) -> HttpResponse:
    wanted = request.GET.get("q", "").strip()
    rows = scope.users()
    if wanted:
        by_name = Q(email__icontains=wanted) | Q(display_name__icontains=wanted)
        rows = rows.filter(by_name | Q(worker__public_id=wanted.upper()))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "operator/people.html", {"page": page, "q": wanted, "form": form}, status=status)


@require_POST
@operator_page
def new(request: HttpRequest) -> HttpResponse:
    """Make a user; their link is shown on this one page."""
    form = PersonForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=422)
    try:
        user = people.create(by=scope.actor(request.user), **form.cleaned_data)
    except (Invalid, NameTaken) as error:
        field = "account" if error.field == "name" else error.field
        form.add_error(field if field in form.fields else None, error.message)
        return _list(request, form, status=422)
    return _with_link(request, user)


def _with_link(request: HttpRequest, user: User) -> HttpResponse:
    link = letters.password_link(*passwords.make_link(user=user, by=scope.actor(request.user)))
    response = _render(request, user, link=link)
    response["Cache-Control"] = "no-store"
    return response


@operator_page
def detail_page(request: HttpRequest, user_id: int) -> HttpResponse:
    """One person: accounts, teams, and what was recorded."""
    return _render(request, scope.user(user_id))


def _render(request: HttpRequest, user: User, *, link: str = "", status: int = 200, **sent: forms.Form) -> HttpResponse:
    worker = scope.worker_or_none(user)
    context: dict[str, Any] = {
        "person": user,
        "worker": worker,
        "memberships": scope.memberships(user),
        "teams": scope.teams_of(worker) if worker is not None else [],
        "history": people.history(user),
        "link": link,
        "account_form": sent.get("account") or AccountForm(auto_id="account-%s"),
        "deactivate_form": sent.get("deactivate") or ReasonForm(auto_id="deactivate-%s"),
        "factors": second_factors.count(user),
        "factors_form": sent.get("factors") or ReasonForm(auto_id="factors-%s"),
        "erased": erasure.is_erased(user),
        "obstacles": erasure.obstacles(user),
        "erase_form": sent.get("erase") or EraseForm(auto_id="erase-%s"),
        "suspend_form": sent.get("suspend") or ReasonForm(auto_id="suspend-%s"),
    }
    return render(request, "operator/person.html", context, status=status)


@require_POST
@operator_page
def password_link(request: HttpRequest, user_id: int) -> HttpResponse:
    """Make a link by which the person sets a new password; it is shown on this one page."""
    return _with_link(request, scope.user(user_id))


@require_POST
@operator_page
def deactivate(request: HttpRequest, user_id: int) -> HttpResponse:
    """End the person's sign-in."""
    user = scope.user(user_id)
    form = ReasonForm(request.POST, auto_id="deactivate-%s")
    if not form.is_valid():
        return _render(request, user, status=422, deactivate=form)
    exclusion.deactivate(user=user, reason=form.cleaned_data["reason"], by=scope.actor(request.user))
    messages.success(request, gettext("{email} cannot sign in any more.").format(email=user.email))
    return redirect("operator:person", user.pk)


@require_POST
@operator_page
def erase(request: HttpRequest, user_id: int) -> HttpResponse:
    """Erase the person's data."""
    user = scope.user(user_id)
    form = EraseForm(request.POST, auto_id="erase-%s")
    if not form.is_valid():
        return _render(request, user, status=422, erase=form)
    try:
        erasing.erase(user=user, confirm=form.cleaned_data["confirm"], by=scope.actor(request.user))
    except Invalid as error:
        form.refuse(error)
        return _render(request, user, status=422, erase=form)
    messages.success(request, gettext("The personal data are erased."))
    return redirect("operator:person", user.pk)


@require_POST
@operator_page
def reactivate(request: HttpRequest, user_id: int) -> HttpResponse:
    """Let the person sign in again."""
    user = scope.user(user_id)
    people.reactivate(user=user, by=scope.actor(request.user))
    messages.success(request, gettext("{email} can sign in again.").format(email=user.email))
    return redirect("operator:person", user.pk)


@require_POST
@operator_page
def second_factors_off(request: HttpRequest, user_id: int) -> HttpResponse:
    """Let somebody who lost their second factors sign in with the password alone."""
    user = scope.user(user_id)
    form = ReasonForm(request.POST, auto_id="factors-%s")
    if not form.is_valid():
        return _render(request, user, status=422, factors=form)
    second_factors.remove(user=user, reason=form.cleaned_data["reason"], by=scope.actor(request.user))
    messages.success(request, gettext("{email} signs in with the password alone.").format(email=user.email))
    return redirect("operator:person", user.pk)


@require_POST
@operator_page
def suspend(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show the person no work of any account any more."""
    user = scope.user(user_id)
    form = ReasonForm(request.POST, auto_id="suspend-%s")
    if not form.is_valid():
        return _render(request, user, status=422, suspend=form)
    exclusion.suspend(
        worker=scope.worker_by_email(user.email), reason=form.cleaned_data["reason"], by=scope.actor(request.user)
    )
    messages.success(request, gettext("{email} is shown no work any more.").format(email=user.email))
    return redirect("operator:person", user.pk)


@require_POST
@operator_page
def lift(request: HttpRequest, user_id: int) -> HttpResponse:
    """Let the person work again."""
    user = scope.user(user_id)
    people.lift_suspension(worker=scope.worker_by_email(user.email), by=scope.actor(request.user))
    messages.success(request, gettext("{email} may work again.").format(email=user.email))
    return redirect("operator:person", user.pk)


@require_POST
@operator_page
def new_account(request: HttpRequest, user_id: int) -> HttpResponse:
    """Make a requester account that the person owns."""
    user = scope.user(user_id)
    form = AccountForm(request.POST, auto_id="account-%s")
    if not form.is_valid():
        return _render(request, user, status=422, account=form)
    account = people.create_account(name=form.cleaned_data["account"], owner=user, by=scope.actor(request.user))
    messages.success(
        request,
        gettext("{email} owns {name} ({number}).").format(email=user.email, name=account.name, number=account.number),
    )
    return redirect("operator:person", user.pk)
