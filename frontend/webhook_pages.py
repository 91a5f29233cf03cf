"""The pages of webhooks, the same for a requester account and for one person. Knows neither rooms' pages nor REST."""

from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend import words
from marketplace.errors import Invalid
from marketplace.models import Account, NoticeKind, User, WebhookDelivery, WebhookEndpoint
from marketplace.services import webhooks
from marketplace.services.scope import actor

PER_PAGE = 25


class Owner(NamedTuple):
    """Whose webhooks: an account's or a person's, and the namespace of the pages that show them."""

    room: str
    account: Account | None = None
    user: User | None = None

    @property
    def who(self) -> dict[str, Any]:
        """As the service asks for it."""
        return {"account": self.account, "user": self.user}


class WebhookForm(forms.Form):
    """An endpoint: where to, and what."""

    url = forms.CharField(
        max_length=webhooks.URL_LENGTH.longest,
        label=_("Address"),
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/hook"}),
    )
    description = forms.CharField(
        max_length=webhooks.DESCRIPTION_LENGTH.longest, required=False, label=_("What is it for?")
    )
    kinds = forms.MultipleChoiceField(
        choices=words.choices(NoticeKind),
        required=False,
        label=_("Kinds of notices"),
        help_text=_("None chosen: all of them."),
        widget=forms.SelectMultiple(attrs={"size": 6}),
    )


def list_page(request: HttpRequest, owner: Owner) -> HttpResponse:
    """The endpoints, and a form for a new one, whose secret is shown on the page that answers it."""
    if request.method != "POST":
        return _list(request, owner)
    form = WebhookForm(request.POST)
    if form.is_valid():
        try:
            endpoint, secret = webhooks.create(**owner.who, **form.cleaned_data, by=actor(request.user))
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return _detail(request, owner, endpoint, secret=secret)
    return _list(request, owner, form, status=422)


def _list(request: HttpRequest, owner: Owner, form: WebhookForm | None = None, status: int = 200) -> HttpResponse:
    rows = [(row, _labels(row)) for row in webhooks.of(**owner.who)]
    context = {"rows": rows, "form": form or WebhookForm(), "owner": owner, "most": webhooks.PER_OWNER}
    return render(request, "webhooks/list.html", context, status=status)


def detail_page(request: HttpRequest, owner: Owner, webhook_id: int) -> HttpResponse:
    """One endpoint with its delivery log; a form changes it."""
    endpoint = webhooks.one_of(webhook_id=webhook_id, **owner.who)
    if request.method != "POST":
        return _detail(request, owner, endpoint)
    form = WebhookForm(request.POST)
    if form.is_valid():
        try:
            webhooks.change(endpoint=endpoint, **form.cleaned_data, by=actor(request.user))
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, gettext("The webhook is changed."))
            return redirect(f"{owner.room}:webhook", endpoint.pk)
    return _detail(request, owner, endpoint, form=form, status=422)


def _detail(
    request: HttpRequest,
    owner: Owner,
    endpoint: WebhookEndpoint,
    *,
    form: WebhookForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    given = {"url": endpoint.url, "description": endpoint.description, "kinds": endpoint.kinds}
    context = {
        "endpoint": endpoint,
        "kinds": _labels(endpoint),
        "page": Paginator(webhooks.deliveries(endpoint), PER_PAGE).get_page(request.GET.get("page")),
        "form": form or WebhookForm(initial=given),
        "owner": owner,
        "secret": secret,
    }
    response = render(request, "webhooks/detail.html", context, status=status)
    if secret:
        response["Cache-Control"] = "no-store"
    return response


def _labels(endpoint: WebhookEndpoint) -> str:
    return ", ".join(NoticeKind(kind).label for kind in endpoint.kinds) or "Everything"


def act(request: HttpRequest, owner: Owner, webhook_id: int) -> HttpResponse:
    """What a button of the page asks for: a new secret, a test, enable, disable, delete."""
    endpoint, by = webhooks.one_of(webhook_id=webhook_id, **owner.who), actor(request.user)
    wanted = request.POST.get("act", "")
    if wanted == "secret":
        return _detail(request, owner, endpoint, secret=webhooks.new_secret(endpoint=endpoint, by=by))
    if wanted == "delete":
        webhooks.delete(endpoint=endpoint, by=by)
        messages.success(request, gettext("The webhook is deleted."))
        return redirect(f"{owner.room}:webhooks")
    if wanted == "test":
        webhooks.send_test(endpoint=endpoint)
        messages.success(request, gettext("A test message is on its way."))
    elif wanted == "enable":
        webhooks.enable(endpoint=endpoint, by=by)
    elif wanted == "disable":
        webhooks.disable(endpoint=endpoint, by=by, because="disabled by its owner")
    else:
        raise Invalid("one of secret, test, enable, disable, delete expected", field="act")
    return redirect(f"{owner.room}:webhook", endpoint.pk)


def redeliver(request: HttpRequest, owner: Owner, webhook_id: int, delivery_id: int) -> HttpResponse:
    """Send one message once more."""
    endpoint = webhooks.one_of(webhook_id=webhook_id, **owner.who)
    delivery: WebhookDelivery = webhooks.delivery(endpoint, delivery_id)
    webhooks.redeliver(delivery=delivery)
    messages.success(request, gettext("{message_id} is sent once more.").format(message_id=delivery.message_id))
    return redirect(f"{owner.room}:webhook", endpoint.pk)
