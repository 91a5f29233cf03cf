"""Workers whom the account shows none of its work any more, with the reasons."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.requester.settings import roles_to_give
from frontend.session import requester_page
from labeling.services import exclusion
from marketplace.errors import NotFound
from marketplace.models import Role, Worker
from marketplace.services import eligibility, scope

PER_PAGE = 50


class SuspendForm(forms.Form):
    """A worker by public id, and why."""

    worker = forms.CharField(max_length=Worker._meta.get_field("public_id").max_length, label=_("Worker's id"))
    reason = forms.CharField(
        max_length=eligibility.REASON_LENGTH.longest, help_text=_("For your own people; the worker is not told.")
    )

    def clean_worker(self) -> Worker:
        """The worker."""
        try:
            return scope.worker_named(self.cleaned_data["worker"].strip().upper())
        except NotFound:
            raise forms.ValidationError("There is no worker with this id.") from None


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """The suspended workers."""
    return _render(request, SuspendForm(initial={"worker": request.GET.get("worker", "")}))


@require_POST
@requester_page(Role.ADMIN)
def suspend(request: HttpRequest) -> HttpResponse:
    """Show a worker none of the account's work any more."""
    form = SuspendForm(request.POST)
    if not form.is_valid():
        return _render(request, form, status=422)
    worker = form.cleaned_data["worker"]
    returned = exclusion.block(
        account=request.account,  # type: ignore[attr-defined]
        worker=worker,
        reason=form.cleaned_data["reason"],
        by=scope.actor(request.user),
    )
    messages.success(request, _suspended(worker, returned))
    return redirect("requester:team-suspended")


def _suspended(worker: Worker, returned: int) -> str:
    if not returned:
        return gettext("{worker} is suspended.").format(worker=worker.public_id)
    text = ngettext(
        "{worker} is suspended; {number} task went back to others.",
        "{worker} is suspended; {number} tasks went back to others.",
        returned,
    )
    return text.format(worker=worker.public_id, number=returned)


def _render(request: HttpRequest, form: SuspendForm, status: int = 200) -> HttpResponse:
    rows = scope.blocks(request.account)  # type: ignore[attr-defined]
    context: dict[str, Any] = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "form": form,
        "manages": bool(roles_to_give(request)),
    }
    return render(request, "requester/suspended.html", context, status=status)


@require_POST
@requester_page(Role.ADMIN)
def lift(request: HttpRequest, worker_id: str) -> HttpResponse:
    """Show a worker the account's work again."""
    account = request.account  # type: ignore[attr-defined]
    worker = scope.blocked_worker(account, worker_id)
    eligibility.unblock(account=account, worker=worker, by=scope.actor(request.user))
    messages.success(request, gettext("{worker} sees your work again.").format(worker=worker.public_id))
    return redirect("requester:team-suspended")
