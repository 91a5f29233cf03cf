"""Signing up by oneself: the address, the letter with a link, and what the link asks for.

The pages look the same whether the address belongs to somebody or not.
"""

import logging
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from frontend import guesses, letters
from frontend.person.joining import BACKEND, JoinForm
from frontend.rates import address_of
from frontend.session import worker_page
from marketplace.errors import Invalid, NameTaken, TooManyTries
from marketplace.models import SignUpPurpose, User
from marketplace.services import accounts, profiles, scope, signups, workteams

logger = logging.getLogger(__name__)
SAID = {
    SignUpPurpose.WORKER: _("To do tasks that are paid"),
    SignUpPurpose.REQUESTER: _("To have data labeled"),
}


class AddressForm(forms.Form):
    """Who signs up, and as what."""

    email = forms.EmailField(widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}))
    purpose = forms.ChoiceField(label=_("What for?"))

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.request = request
        self.fields["purpose"].choices = [(p, SAID[p]) for p in letters.sign_ups()]  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        """Limited, whether the address belongs to somebody or not."""
        email: str = self.cleaned_data["email"]
        try:
            guesses.count(self.request, email, what=guesses.SIGN_UP)
        except TooManyTries as error:
            raise ValidationError(error.message, code="too_many") from None
        return email


class ProfileForm(forms.Form):
    """What a worker says of themselves."""

    country = forms.ChoiceField(required=False, label=_("Where you live"))
    languages = forms.MultipleChoiceField(
        required=False, label=_("Languages"), help_text=_("Those in which you can read instructions.")
    )
    adult = forms.BooleanField(
        required=False,
        label=_("I am of age where I live, and may be shown adult content"),
        help_text=_("Without it you are shown no jobs whose pictures may be adult content."),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        language = get_language() or "en"
        self.fields["country"].choices = [("", gettext("Not said")), *profiles.countries(language).items()]  # type: ignore[attr-defined]
        self.fields["languages"].choices = list(profiles.spoken(language).items())  # type: ignore[attr-defined]


class WorkerForm(JoinForm, ProfileForm):
    """A new worker."""

    field_order = ["display_name", "password", "password_again", "country", "languages", "adult"]


class RequesterForm(JoinForm):
    """A new requester, with an account of their own."""

    account_name = forms.CharField(
        max_length=accounts.ACCOUNT_NAME_LENGTH.longest,
        label=_("Name of your account"),
        help_text=_("Your company or project. Colleagues are invited to it."),
    )
    field_order = ["account_name", "display_name", "password", "password_again"]


@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Ask for the address, and send a letter to it."""
    if request.user.is_authenticated:
        return redirect("person:you")
    taken = letters.sign_ups()
    if not taken:
        return render(request, "person/sign_up.html", {"form": None})
    first = taken[0] if len(taken) == 1 else None
    form = AddressForm(request.POST or None, request=request, initial={"purpose": first})
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        logger.info("sign-up asked for: %s from %s", guesses.who(email), address_of(request))
        letters.deliver_sign_up(signups.begin(email=email, purpose=form.cleaned_data["purpose"]))
        return redirect("person:sign-up-sent")
    return render(request, "person/sign_up.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """What is said after asking, whether the address belongs to somebody or not."""
    return render(request, "person/sign_up_sent.html", {"hours": signups.LINK_HOURS})


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def finish(request: HttpRequest, sign_up: str) -> HttpResponse:
    """Where the link of the letter leads: the password and the rest. Raises NotFound for a link that does not work."""
    row = signups.of_link(sign_up)
    worker = row.purpose == SignUpPurpose.WORKER
    form = (WorkerForm if worker else RequesterForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = _finish(sign_up, form, worker=worker)
        except NameTaken:
            form.add_error(None, gettext("{email} has a sign-in already.").format(email=row.email))
        except Invalid as error:
            for field, reason in error.errors or [(error.field or "", error.message)]:
                name = {"name": "account_name"}.get(field, field.partition("[")[0])
                form.add_error(name if name in form.fields else None, reason)
        else:
            logger.info("signed up: %s from %s", scope.actor(user), address_of(request))
            login(request, user, backend=BACKEND)
            return redirect("home")
    context = {"form": form, "email": row.email, "worker": worker}
    return render(request, "person/sign_up_finish.html", context, status=422 if form.errors else 200)


def _finish(secret: str, form: JoinForm, *, worker: bool) -> User:
    given = {name: value for name, value in form.cleaned_data.items() if name != "password_again"}
    if worker:
        return signups.finish_worker(secret=secret, **given)
    return signups.finish_requester(secret=secret, **given)[0]


@require_POST
@worker_page
def set_profile(request: HttpRequest) -> HttpResponse:
    """Say who one is as a worker."""
    worker = request.worker  # type: ignore[attr-defined]
    form = ProfileForm(request.POST)
    if form.is_valid():
        profiles.put(worker=worker, **form.cleaned_data)
        messages.success(request, gettext("Your profile is saved."))
    else:
        messages.error(request, gettext("Choose a country and languages from the lists."))
    return redirect("person:you")


@require_POST
@login_required
def join_pool(request: HttpRequest) -> HttpResponse:
    """Join the public pool, for which one becomes a worker. Raises Forbidden for a suspended worker."""
    workteams.join_public_pool(workteams.register_worker(request.user))
    messages.success(request, gettext("You have joined the public pool."))
    return redirect("person:you")
