"""Sending the objects that a function of a job has failed to it again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from frontend import formats
from frontend.session import requester_page
from labeling.services import scope
from labeling.services.functions import failures
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services.scope import actor


@require_POST
@requester_page(Role.MEMBER)
def send_again(request: HttpRequest, job_id: int) -> HttpResponse:
    """Send all of them, as far as they may be sent together."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    try:
        done = failures.send_again(job=job, by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _said(done))
    return redirect("requester:job", job.pk)


def _said(done: failures.Sent) -> str:
    if not done.sent:
        return gettext("No object was left to send again.")
    text = ngettext(
        "{sent:,} object sent to the function again.", "{sent:,} objects sent to the function again.", done.sent
    )
    said = formats.filled(text, sent=done.sent)
    if not done.left:
        return said
    more = formats.filled(gettext("{left:,} more can be sent now."), left=done.left)
    return f"{said} {more}"
