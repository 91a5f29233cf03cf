"""The account's audit log, for its admins: who did what to whom, by person, kind and date, and as CSV."""

from datetime import UTC, datetime, time, timedelta

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from frontend import audit_trail
from frontend.session import requester_page
from marketplace import strict
from marketplace.models import Account, AuditEvent, Role
from marketplace.services import audit

PER_PAGE = 50


class FilterForm(forms.Form):
    """Which rows are shown."""

    person = forms.ChoiceField(required=False, label=_("Person"))
    kind = forms.ChoiceField(
        required=False,
        label=_("Kind"),
        choices=[("", _("Everything")), *((kind, _(name)) for kind, (_model, name) in audit_trail.KINDS.items())],
    )
    since = forms.DateField(required=False, label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: object, account: Account, **kwargs: object):
        super().__init__(*args, **kwargs)
        people = [(f"user:{user.pk}", user.email) for user in audit.actors(account)]
        self.fields["person"].choices = [("", gettext("Everybody")), *people, ("system", gettext("The system"))]

    def wanted(self, account: Account) -> QuerySet[AuditEvent]:
        """The account's rows, by the fields that are right; days are those of UTC."""
        self.is_valid()
        given, rows = self.cleaned_data, audit.of_account(account)
        if given.get("person"):
            rows = rows.filter(by=given["person"])
        if given.get("kind"):
            rows = audit_trail.with_kind(rows).filter(kind=given["kind"])
        if given.get("since"):
            rows = rows.filter(at__gte=datetime.combine(given["since"], time.min, UTC))
        if given.get("until"):
            rows = rows.filter(at__lt=datetime.combine(given["until"], time.min, UTC) + timedelta(days=1))
        return rows


@requester_page(Role.ADMIN)
def page(request: HttpRequest) -> HttpResponse:
    """The newest rows, or those before one of them."""
    account: Account = request.account  # type: ignore[attr-defined]
    form = FilterForm(request.GET, account=account)
    rows = form.wanted(account)
    before = strict.whole_number(request.GET.get("before", ""))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PER_PAGE + 1])
    context = {
        "form": form,
        "lines": audit_trail.lines(account, found[:PER_PAGE]),
        "older": found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None,
        "newer": before is not None,
        "kinds": {kind: gettext(name) for kind, (_model, name) in audit_trail.KINDS.items()},
    }
    return render(request, "requester/audit.html", context)


@require_safe
@requester_page(Role.ADMIN)
def csv_file(request: HttpRequest) -> StreamingHttpResponse:
    """The rows that the filter keeps, as CSV."""
    account: Account = request.account  # type: ignore[attr-defined]
    rows = FilterForm(request.GET, account=account).wanted(account)
    response = StreamingHttpResponse(audit_trail.as_csv(account, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
    response["Cache-Control"] = "private, no-store"
    return response
