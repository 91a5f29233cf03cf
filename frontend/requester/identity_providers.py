"""By which identity providers the account's people sign in: registering one, its secret, on and off."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from frontend.identity import assertions
from frontend.requester.fields import SLUG_RULE
from frontend.session import requester_page
from marketplace.errors import Invalid, NameTaken
from marketplace.models import Account, IdentityProtocol, IdentityProvider, IdentityProviderStatus, Role
from marketplace.services import identity_providers, saml_providers, scope, team_access


class RegistrationForm(forms.Form):
    """What providers of every protocol have."""

    name = forms.CharField(max_length=identity_providers.NAME_LENGTH.longest, help_text=_("What the button says."))
    domains = forms.CharField(
        max_length=identity_providers.DOMAINS_LENGTH.longest,
        label=_("Domains"),
        help_text=_("Of the e-mail addresses of new people, such as example.org, with commas between them."),
    )
    workteam = forms.ChoiceField(label=_("Team"), help_text=_("New people join it as workers."))
    slug = forms.RegexField(
        team_access.SLUG_PATTERN,
        required=False,
        min_length=team_access.SLUG_LENGTH.low,
        max_length=team_access.SLUG_LENGTH.longest,
        label=_("Last part of the address"),
        help_text=format_lazy(
            _("{SLUG_RULE}. Empty: one that nobody guesses. It is never changed."), SLUG_RULE=SLUG_RULE
        ),
        error_messages={"invalid": format_lazy(_("{SLUG_RULE} expected."), SLUG_RULE=SLUG_RULE)},
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


class ProviderForm(RegistrationForm):
    """An OpenID Connect provider as its own pages name these things."""

    issuer = forms.CharField(
        max_length=identity_providers.ISSUER_LENGTH.longest,
        widget=forms.URLInput(attrs={"placeholder": "https://login.example.org"}),
        help_text=_("Without /.well-known/openid-configuration."),
    )
    client_id = forms.CharField(max_length=identity_providers.CLIENT_ID_LENGTH.longest, label=_("Client ID"))
    client_secret = forms.CharField(
        max_length=identity_providers.CLIENT_SECRET_LENGTH.longest,
        label=_("Client secret"),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("It is stored encrypted and shown to nobody."),
    )
    field_order = ("name", "issuer", "client_id", "client_secret", "domains", "workteam", "slug")


class MetadataField(forms.CharField):
    """A SAML provider's metadata."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            required=False,
            max_length=saml_providers.METADATA_LENGTH.longest,
            label=gettext("Metadata of the provider"),
            widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
            **kwargs,
        )


class CertificateField(forms.CharField):
    """A SAML provider's certificates as PEM."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            required=False,
            max_length=saml_providers.CERTIFICATE_LENGTH.longest,
            label=gettext("Certificate"),
            widget=forms.Textarea(
                attrs={"rows": 3, "spellcheck": "false", "placeholder": "-----BEGIN CERTIFICATE-----"}
            ),
            **kwargs,
        )


class SamlProviderForm(RegistrationForm):
    """A SAML provider: its metadata, or what is needed of them."""

    metadata = MetadataField(
        help_text=_("The XML that the provider offers. Or leave it empty and fill in the next three.")
    )
    entity_id = forms.CharField(
        required=False, max_length=saml_providers.ENTITY_ID_LENGTH.longest, label=_("Entity ID")
    )
    sso_url = forms.CharField(
        required=False,
        max_length=saml_providers.SSO_URL_LENGTH.longest,
        label=_("Sign-in address"),
        help_text=_("SingleSignOnService, for the binding HTTP-Redirect."),
    )
    certificate = CertificateField(help_text=_("By whose key assertions are signed."))
    field_order = ("name", "metadata", "entity_id", "sso_url", "certificate", "domains", "workteam", "slug")


class SecretForm(forms.Form):
    """A new client secret."""

    client_secret = forms.CharField(
        max_length=identity_providers.CLIENT_SECRET_LENGTH.longest,
        label=_("New client secret"),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


class CertificatesForm(forms.Form):
    """New certificates of a SAML provider, and its new address."""

    metadata = MetadataField(help_text=_("Or leave it empty and paste the certificate."))
    certificate = CertificateField(
        help_text=_("It takes the place of the present ones; paste all that are to be taken.")
    )


Register = Callable[..., IdentityProvider]


@require_http_methods(["GET", "HEAD", "POST"])
@requester_page(Role.ADMIN)
def page(request: HttpRequest) -> HttpResponse:
    """All of them, and forms for a new one."""
    account = request.account  # type: ignore[attr-defined]
    if request.method != "POST":
        return _render(request)
    form = ProviderForm(request.POST, account=account)
    return _registered(request, form, identity_providers.create) or _render(request, openid=form)


@require_POST
@requester_page(Role.ADMIN)
def register_saml(request: HttpRequest) -> HttpResponse:
    """Register a SAML provider."""
    form = SamlProviderForm(request.POST, account=request.account, auto_id="saml-%s")  # type: ignore[attr-defined]
    return _registered(request, form, saml_providers.create) or _render(request, saml=form)


def _registered(request: HttpRequest, form: RegistrationForm, create: Register) -> HttpResponse | None:
    """Back to the page, or nothing when the form has errors."""
    if not form.is_valid():
        return None
    operator, by = request.user.is_operator, scope.actor(request.user)
    try:
        made = create(account=request.account, approved=operator, by=by, **form.cleaned_data)  # type: ignore[attr-defined]
    except (Invalid, NameTaken) as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None
    active = made.status == IdentityProviderStatus.ACTIVE
    text = (
        gettext("{name} is registered; people sign in by it now.")
        if active
        else gettext("{name} is registered; an operator looks at it first.")
    )
    messages.success(request, text.format(name=made.name))
    return redirect("requester:settings-sign-in")


def _render(
    request: HttpRequest, *, openid: ProviderForm | None = None, saml: SamlProviderForm | None = None
) -> HttpResponse:
    account = request.account  # type: ignore[attr-defined]
    context = {
        "rows": [_row(request, row) for row in identity_providers.of_account(account)],
        "form": openid or ProviderForm(account=account),
        "saml_form": saml or SamlProviderForm(account=account, auto_id="saml-%s"),
        "most": identity_providers.PER_ACCOUNT,
    }
    status = 200 if openid is None and saml is None else 422
    return render(request, "requester/sign_in.html", context, status=status)


def _row(request: HttpRequest, row: IdentityProvider) -> dict[str, Any]:
    shown = {
        "provider": row,
        "sign_in": request.build_absolute_uri(reverse("company-sign-in", args=[row.slug])),
        "back": request.build_absolute_uri(reverse("openid_connect_callback", args=[row.slug])),
        "secret_form": SecretForm(auto_id=f"provider-{row.pk}-%s"),
    }
    if row.protocol == IdentityProtocol.SAML:
        shown["entity_id"], shown["back"] = assertions.addresses(request, row)
        shown["fingerprints"] = saml_providers.fingerprints(row)
        shown["secret_form"] = CertificatesForm(auto_id=f"provider-{row.pk}-%s")
    return shown


@require_POST
@requester_page(Role.ADMIN)
def act(request: HttpRequest, identity_provider_id: int) -> HttpResponse:
    """Switch a provider off or on, or give it a new secret or certificates: `act` says which.

    Raises Invalid for another word.
    """
    account = request.account  # type: ignore[attr-defined]
    provider = identity_providers.one_of(identity_providers.of_account(account), identity_provider_id)
    messages.success(request, _done(request, provider, request.POST.get("act", "")))
    return redirect("requester:settings-sign-in")


def _done(request: HttpRequest, provider: IdentityProvider, wanted: str) -> str:
    given, by = request.POST, scope.actor(request.user)
    if wanted == "disable":
        identity_providers.disable(provider=provider, by=by)
        text = gettext("Nobody signs in by {name} any more, and the sessions of its people have ended.")
        return text.format(name=provider.name)
    if wanted == "enable":
        identity_providers.enable(provider=provider, by=by)
        return gettext("People sign in by {name} again.").format(name=provider.name)
    if wanted == "secret":
        identity_providers.renew_secret(provider=provider, client_secret=given.get("client_secret", ""), by=by)
        return gettext("{name} has a new client secret.").format(name=provider.name)
    if wanted == "certificates":
        described = {name: given.get(name, "") for name in CertificatesForm.base_fields}
        saml_providers.renew(provider=provider, approved=request.user.is_operator, by=by, **described)
        text = (
            gettext("{name} has new certificates.")
            if request.user.is_operator
            else gettext("{name} has new certificates; an operator looks first.")
        )
        return text.format(name=provider.name)
    raise Invalid(f"{wanted!r} found, disable, enable, secret or certificates expected", field="act")
