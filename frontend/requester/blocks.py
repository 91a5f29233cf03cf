"""Workers whom the account shows none of its work any more, with the reasons."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
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

    worker = forms.CharField(max_length=Worker._meta.get_field("public_id").max_length, label="Worker's id")
    reason = forms.CharField(
        max_length=eligibility.REASON_LENGTH.longest, help_text="For your own people; the worker is not told."
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
    messages.success(request, f"{worker.public_id} is suspended{_held(returned)}.")
    return redirect("requester:team-suspended")


def _held(returned: int) -> str:
    return f"; {returned} task{'s' if returned > 1 else ''} went back to others" if returned else ""


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
    messages.success(request, f"{worker.public_id} sees your work again.")
    return redirect("requester:team-suspended")
