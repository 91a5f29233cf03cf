"""By which identity providers the account's people sign in: registering one, its secret, on and off."""

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from frontend.session import requester_page
from marketplace.errors import Invalid, NameTaken
from marketplace.models import Account, IdentityProvider, IdentityProviderStatus, Role
from marketplace.services import identity_providers, scope, team_access


class ProviderForm(forms.Form):
    """An OpenID Connect provider as its own pages name these things."""

    name = forms.CharField(max_length=identity_providers.NAME_LENGTH.longest, help_text="What the button says.")
    issuer = forms.CharField(
        max_length=identity_providers.ISSUER_LENGTH.longest,
        widget=forms.URLInput(attrs={"placeholder": "https://login.example.org"}),
        help_text="Without /.well-known/openid-configuration.",
    )
    client_id = forms.CharField(max_length=identity_providers.CLIENT_ID_LENGTH.longest, label="Client ID")
    client_secret = forms.CharField(
        max_length=identity_providers.CLIENT_SECRET_LENGTH.longest,
        label="Client secret",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="It is stored encrypted and shown to nobody.",
    )
    domains = forms.CharField(
        max_length=identity_providers.DOMAINS_LENGTH.longest,
        label="Domains",
        help_text="Of the e-mail addresses of new people, such as example.org, with commas between them.",
    )
    workteam = forms.ChoiceField(label="Team", help_text="New people join it as workers.")
    slug = forms.RegexField(
        team_access.SLUG_PATTERN,
        required=False,
        min_length=team_access.SLUG_LENGTH.low,
        max_length=team_access.SLUG_LENGTH.longest,
        label="Last part of the address",
        help_text=f"{team_access.SLUG_RULE}. Empty: one that nobody guesses. It is never changed.",
        error_messages={"invalid": f"{team_access.SLUG_RULE} expected."},
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.teams = {str(team.pk): team for team in scope.own_teams(account).order_by("name")}
        self.fields["workteam"].choices = [(key, team.name) for key, team in self.teams.items()]

    def clean_workteam(self) -> Any:
        """The team."""
        return self.teams[self.cleaned_data["workteam"]]

    def clean_domains(self) -> list[str]:
        """The domains as they were typed; the service reads them."""
        return [part for part in re.split(r"[\s,;]+", self.cleaned_data["domains"]) if part]


class SecretForm(forms.Form):
    """A new client secret."""

    client_secret = forms.CharField(
        max_length=identity_providers.CLIENT_SECRET_LENGTH.longest,
        label="New client secret",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requester_page(Role.ADMIN)
def page(request: HttpRequest) -> HttpResponse:
    """All of them, and a form for a new one."""
    account = request.account  # type: ignore[attr-defined]
    if request.method != "POST":
        return _render(request, ProviderForm(account=account))
    form = ProviderForm(request.POST, account=account)
    if form.is_valid():
        try:
            made = identity_providers.create(
                account=account,
                approved=request.user.is_operator,
                by=scope.actor(request.user),
                **form.cleaned_data,
            )
        except (Invalid, NameTaken) as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            active = made.status == IdentityProviderStatus.ACTIVE
            said = "people sign in by it now" if active else "an operator looks at it first"
            messages.success(request, f"{made.name} is registered; {said}.")
            return redirect("requester:settings-sign-in")
    return _render(request, form, status=422)


def _render(request: HttpRequest, form: ProviderForm, status: int = 200) -> HttpResponse:
    rows = [
        {
            "provider": row,
            "sign_in": request.build_absolute_uri(reverse("company-sign-in", args=[row.slug])),
            "back": request.build_absolute_uri(reverse("openid_connect_callback", args=[row.slug])),
            "secret_form": SecretForm(auto_id=f"provider-{row.pk}-%s"),
        }
        for row in identity_providers.of_account(request.account)  # type: ignore[attr-defined]
    ]
    context = {"rows": rows, "form": form, "most": identity_providers.PER_ACCOUNT}
    return render(request, "requester/sign_in.html", context, status=status)


@require_POST
@requester_page(Role.ADMIN)
def act(request: HttpRequest, identity_provider_id: int) -> HttpResponse:
    """Switch a provider off or on, or give it a new secret: `act` says which. Raises Invalid for another word."""
    account, by = request.account, scope.actor(request.user)  # type: ignore[attr-defined]
    provider = identity_providers.one_of(identity_providers.of_account(account), identity_provider_id)
    said = _done(provider, request.POST.get("act", ""), request.POST.get("client_secret", ""), by)
    messages.success(request, said)
    return redirect("requester:settings-sign-in")


def _done(provider: IdentityProvider, wanted: str, secret: str, by: str) -> str:
    if wanted == "disable":
        identity_providers.disable(provider=provider, by=by)
        return f"Nobody signs in by {provider.name} any more, and the sessions of its people have ended."
    if wanted == "enable":
        identity_providers.enable(provider=provider, by=by)
        return f"People sign in by {provider.name} again."
    if wanted == "secret":
        identity_providers.renew_secret(provider=provider, client_secret=secret, by=by)
        return f"{provider.name} has a new client secret."
    raise Invalid(f"{wanted!r} found, disable, enable or secret expected", field="act")
