"""The operator's page of identity providers: whose domains are theirs."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend import contract_pages
from frontend.session import operator_page
from marketplace.services import identity_providers
from marketplace.services.scope import actor


@operator_page
def page(request: HttpRequest) -> HttpResponse:
    """The providers of all accounts, those in review first."""
    context = {"page": contract_pages.page_of(request, identity_providers.everybodys())}
    return render(request, "operator/identity_providers.html", context)


@require_POST
@operator_page
def approve(request: HttpRequest, identity_provider_id: int) -> HttpResponse:
    """Let people sign in by a provider."""
    provider = identity_providers.one_of(identity_providers.everybodys(), identity_provider_id)
    identity_providers.approve(provider=provider, by=actor(request.user))
    messages.success(request, gettext("People sign in by {name} now.").format(name=provider.name))
    return redirect("operator:identity-providers")


@require_POST
@operator_page
def review(request: HttpRequest, identity_provider_id: int) -> HttpResponse:
    """Take the approval of a provider back."""
    provider = identity_providers.one_of(identity_providers.everybodys(), identity_provider_id)
    identity_providers.review_again(provider=provider, by=actor(request.user))
    messages.success(request, gettext("Nobody signs in by {name} any more.").format(name=provider.name))
    return redirect("operator:identity-providers")
