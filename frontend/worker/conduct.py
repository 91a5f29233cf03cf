"""The worker's page about their accuracy and what was found in their answers: reasons, appeals, instructions to
read."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend.conduct_forms import TextForm, shown
from frontend.review_forms import first_error
from frontend.session import worker_page
from labeling.services.conduct import acting, appeals, lists
from labeling.services.results import accuracy
from marketplace.errors import DomainError
from marketplace.services import reputation

PER_PAGE = 20


@worker_page
def page(request: HttpRequest) -> HttpResponse:
    """Accuracy by task type and class, and every finding with its reason."""
    worker = request.worker  # type: ignore[attr-defined]
    rows = Paginator(lists.of_worker(worker).order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": rows,
        "findings": shown(rows),
        "accuracies": accuracy.told(worker, list(accuracy.told_sums(worker).order_by("task_type", "label"))),
        "half_life": round(reputation.HALF_LIFE_DAYS),
        "form": TextForm(),
    }
    return render(request, "worker/conduct.html", context)


@require_POST
@worker_page
def appeal(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Appeal against a finding."""
    worker = request.worker  # type: ignore[attr-defined]
    finding = lists.one(lists.of_worker(worker), finding_id)
    form = TextForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("worker:conduct")
    try:
        appeals.file_appeal(finding=finding, worker=worker, text=form.cleaned_data["text"])
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext("Your appeal was sent."))
    return redirect("worker:conduct")


@require_POST
@worker_page
def instructions_read(request: HttpRequest, finding_id: int) -> HttpResponse:
    """The instructions were read again: the job is open."""
    worker = request.worker  # type: ignore[attr-defined]
    finding = lists.one(lists.of_worker(worker), finding_id)
    try:
        acting.instructions_read(finding=finding)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext("Thank you. The job is open to you again."))
    return redirect("worker:conduct")
