"""The page of the caller's access keys, and of what programs written for AWS need to run here."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import aws_environment
from frontend.requester.fields import RefusableForm
from frontend.session import requester_page
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services import access_keys, scope


class AccessKeyForm(RefusableForm):
    """What an access key is for."""

    name = forms.CharField(max_length=access_keys.NAME_LENGTH.longest, label=_("What is it for?"))


def _page(
    request: HttpRequest, *, form: AccessKeyForm | None = None, key_id: str = "", secret: str = "", status: int = 200
) -> HttpResponse:
    """The page; with a new key, which is shown this once and is not to be kept."""
    context = {
        "keys": access_keys.keys(request.user, request.account).filter(revoked_at=None).order_by("-pk"),  # type: ignore[attr-defined]
        "form": form or AccessKeyForm(),
        "key_id": key_id,
        "secret": secret,
        "address": aws_environment.address(),
        "exports": "\n".join(aws_environment.lines(key_id=key_id, secret=secret)),
    }
    response = render(request, "requester/access_keys.html", context, status=status)
    if secret:
        response["Cache-Control"] = "no-store"
    return response


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """The keys, and the environment variables."""
    return _page(request)


@require_POST
@requester_page(Role.MEMBER)
def create(request: HttpRequest) -> HttpResponse:
    """Make a key; its secret is shown on this one page and never again."""
    form = AccessKeyForm(request.POST)
    if form.is_valid():
        try:
            key, secret = access_keys.create(
                user=request.user,
                account=request.account,  # type: ignore[attr-defined]
                name=form.cleaned_data["name"],
            )
            return _page(request, key_id=key.key_id, secret=secret)
        except DomainError as error:
            form.refuse(error)
    return _page(request, form=form, status=422)


@require_POST
@requester_page()
def revoke(request: HttpRequest, access_key_id: int) -> HttpResponse:
    """Revoke a key of one's own."""
    key = access_keys.key(request.user, request.account, access_key_id)  # type: ignore[attr-defined]
    access_keys.revoke(key=key, by=scope.actor(request.user))
    messages.success(request, gettext("The access key {key_id} is revoked.").format(key_id=key.key_id))
    return redirect("requester:access-keys")
