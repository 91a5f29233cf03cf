"""The operator's page on which the ledger is audited, as by `manage.py audit_ledger`."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from frontend.session import operator_page
from marketplace.errors import Unavailable
from marketplace.services import ledger_audit

SECONDS = 60
"""How long one check may take while somebody waits for the page."""


@require_http_methods(["GET", "HEAD", "POST"])
@operator_page
def page(request: HttpRequest) -> HttpResponse:
    """What an audit proves; when it is asked for, what it has read and found."""
    if request.method != "POST":
        return render(request, "operator/ledger.html")
    try:
        report = ledger_audit.audit_within(seconds=SECONDS)
    except Unavailable as error:
        return render(request, "operator/ledger.html", {"problem": error.message}, status=503)
    return render(request, "operator/ledger.html", {"report": report})
