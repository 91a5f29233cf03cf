"""Pages of events: what has changed its state, for all members, and where that is sent, for admins."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from frontend.requester.fields import RefusableForm
from frontend.session import requester_page
from marketplace import event_kinds
from marketplace.errors import Invalid
from marketplace.models import CredentialsKind, DestinationKind, EventDestination, Role
from marketplace.services import event_destinations, events
from marketplace.services.scope import actor

PER_PAGE = 25
CREDENTIALS = [(kind.value, kind.label) for kind in map(CredentialsKind, CredentialsKind.values)]


def _short(detail_type: str) -> str:
    """What a detail-type is about: A2I HumanLoop."""
    return detail_type.removeprefix("SageMaker ").removesuffix(" Change").removesuffix(" State").removesuffix(" Status")


class DestinationChangeForm(RefusableForm):
    """A destination as it is to be; its kind stays."""

    target = forms.CharField(
        max_length=event_destinations.TARGET_LENGTH.longest,
        label=_("ARN or address"),
        widget=forms.TextInput(attrs={"placeholder": "arn:aws:sqs:us-east-1:123456789012:bees"}),
        help_text=_("The ARN of a topic, a queue or an event bus; the address of a webhook."),
    )
    description = forms.CharField(
        max_length=event_destinations.DESCRIPTION_LENGTH.longest, required=False, label=_("What is it for?")
    )
    detail_types = forms.MultipleChoiceField(
        choices=lambda: [(one, _short(one)) for one in event_kinds.detail_types()],
        required=False,
        label=_("Changes of"),
        help_text=_("None chosen: all of them."),
        widget=forms.SelectMultiple(attrs={"size": 5}),
    )
    statuses = forms.MultipleChoiceField(
        choices=lambda: [(one, one) for one in event_kinds.statuses()],
        required=False,
        label=_("To the states"),
        help_text=_(
            "None chosen: all of them. Amazon's own events of labeling jobs and human loops are those to "
            "Completed, Failed and Stopped."
        ),
        widget=forms.SelectMultiple(attrs={"size": 5}),
    )
    credentials = forms.ChoiceField(choices=CREDENTIALS, required=False, label=_("AWS credentials"))
    role_arn = forms.CharField(
        max_length=event_destinations.TARGET_LENGTH.longest,
        required=False,
        label=_("ARN of the role"),
        help_text=_("Its trust policy has to ask for the number of this account as external id."),
    )
    access_key_id = forms.CharField(
        max_length=event_destinations.KEY_LENGTH.longest, required=False, label=_("Access key id")
    )
    secret_access_key = forms.CharField(
        max_length=event_destinations.SECRET_LENGTH.longest,
        required=False,
        label=_("Secret access key"),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Kept encrypted. Left empty, the one that is kept stays."),
    )
    source = forms.CharField(
        max_length=event_destinations.SOURCE_LENGTH.longest,
        required=False,
        label=_("Source"),
        help_text=format_lazy(
            _(
                "{OWN_SOURCE} for event buses, which take aws. from Amazon only, and {AWS_SOURCE} "
                "for others, unless you say otherwise."
            ),
            OWN_SOURCE=event_destinations.OWN_SOURCE,
            AWS_SOURCE=event_destinations.AWS_SOURCE,
        ),
    )
    endpoint_url = forms.CharField(
        max_length=event_destinations.URL_LENGTH.longest,
        required=False,
        label=_("Service address"),
        help_text=_("Only where the operator allows another one than Amazon's."),
    )


class DestinationForm(DestinationChangeForm):
    """A new destination."""

    kind = forms.ChoiceField(choices=DestinationKind.choices, label=_("Kind"))
    field_order = ["kind"]


@require_safe
@requester_page(Role.VIEWER)
def page(request: HttpRequest) -> HttpResponse:
    """What has changed its state, newest first."""
    rows = events.of(request.account)  # type: ignore[attr-defined]
    wanted = request.GET.get("type", "")
    if wanted in event_kinds.detail_types():
        rows = rows.filter(detail_type=wanted)
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "types": event_kinds.detail_types(),
        "wanted": wanted,
    }
    return render(request, "requester/events.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requester_page(Role.ADMIN)
def destinations_page(request: HttpRequest) -> HttpResponse:
    """The destinations, and a form for a new one, whose secret is shown on the page that answers it."""
    if request.method != "POST":
        return _destinations(request)
    form = DestinationForm(request.POST)
    if form.is_valid():
        try:
            made, secret = event_destinations.create(
                account=request.account,  # type: ignore[attr-defined]
                by=actor(request.user),
                **_for_kind(form.cleaned_data, form.cleaned_data["kind"]),
            )
        except Invalid as error:
            form.refuse(error)
        else:
            return _destination(request, made, secret=secret)
    return _destinations(request, form, status=422)


def _for_kind(given: dict[str, Any], kind: str) -> dict[str, Any]:
    """Webhooks have no credentials: what stands in that field of the form does not count for them."""
    if kind == DestinationKind.WEBHOOK and not (given["role_arn"] or given["access_key_id"]):
        return {**given, "credentials": CredentialsKind.NONE}
    return given


def _destinations(request: HttpRequest, form: DestinationForm | None = None, status: int = 200) -> HttpResponse:
    context = {
        "rows": event_destinations.of(request.account),  # type: ignore[attr-defined]
        "form": form or DestinationForm(initial={"credentials": CredentialsKind.ROLE}),
        "most": event_destinations.PER_ACCOUNT,
    }
    return render(request, "requester/event_destinations.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@requester_page(Role.ADMIN)
def destination_page(request: HttpRequest, destination_id: int) -> HttpResponse:
    """One destination with its delivery log; a form changes it."""
    found = event_destinations.one_of(request.account, destination_id)  # type: ignore[attr-defined]
    if request.method != "POST":
        return _destination(request, found)
    form = DestinationChangeForm(request.POST)
    if form.is_valid():
        values = _for_kind(form.cleaned_data, found.kind)
        try:
            event_destinations.change(destination=found, by=actor(request.user), **values)
        except Invalid as error:
            form.refuse(error)
        else:
            messages.success(request, gettext("The destination is changed."))
            return redirect("requester:event-destination", found.pk)
    return _destination(request, found, form=form, status=422)


def _destination(
    request: HttpRequest,
    found: EventDestination,
    *,
    form: DestinationChangeForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    names = [name for name in DestinationChangeForm.base_fields if name != "secret_access_key"]
    log = event_destinations.LOG.log(found)
    context = {
        "endpoint": found,
        "page": Paginator(log, PER_PAGE).get_page(request.GET.get("page")),
        "form": form or DestinationChangeForm(initial={name: getattr(found, name) for name in names}),
        "secret": secret,
        "is_webhook": found.kind == DestinationKind.WEBHOOK,
    }
    response = render(request, "requester/event_destination.html", context, status=status)
    if secret:
        response["Cache-Control"] = "no-store"
    return response


@require_POST
@requester_page(Role.ADMIN)
def act(request: HttpRequest, destination_id: int) -> HttpResponse:
    """What a button of the page asks for: a new secret, a test, enable, disable, delete."""
    found = event_destinations.one_of(request.account, destination_id)  # type: ignore[attr-defined]
    by, wanted = actor(request.user), request.POST.get("act", "")
    if wanted == "secret":
        secret = event_destinations.new_secret(destination=found, by=by)
        found.refresh_from_db()
        return _destination(request, found, secret=secret)
    if wanted == "delete":
        event_destinations.delete(destination=found, by=by)
        messages.success(request, gettext("The destination is deleted."))
        return redirect("requester:event-destinations")
    if wanted == "test":
        event_destinations.send_test(destination=found)
        messages.success(request, gettext("A test event is on its way."))
    elif wanted == "enable":
        event_destinations.LOG.enable(found, by=by)
    elif wanted == "disable":
        event_destinations.LOG.disable(found, by=by, because="disabled by its owner")
    else:
        raise Invalid("one of secret, test, enable, disable, delete expected", field="act")
    return redirect("requester:event-destination", found.pk)


@require_POST
@requester_page(Role.ADMIN)
def redeliver(request: HttpRequest, destination_id: int, event_delivery_id: int) -> HttpResponse:
    """Send one event once more."""
    found = event_destinations.one_of(request.account, destination_id)  # type: ignore[attr-defined]
    delivery = event_destinations.LOG.message(found, event_delivery_id)
    event_destinations.LOG.redeliver(delivery)
    messages.success(request, gettext("{message_id} is sent once more.").format(message_id=delivery.message_id))
    return redirect("requester:event-destination", found.pk)
