"""Predictions over a manifest: the list, and the page of one with its progress and log."""

from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from frontend.requester import deletion
from frontend.session import requester_page
from learning import queries, transitions
from learning.models import TransformJob
from learning.models.training import LIVE
from learning.services import run_deletion, run_figures, run_records, scope, training, transforms
from marketplace.models import Role
from marketplace.services.scope import actor

PER_PAGE = 30


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """All predictions, newest first."""
    rows = queries.transforms(request.account)  # type: ignore[attr-defined]
    status = request.GET.get("status", "")
    if status in transitions.TRANSFORM_JOB.states:
        rows = rows.filter(status=status)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    shown = [{"run": run, "seconds": training.seconds(run)} for run in page]
    context = {"page": page, "rows": shown, "status": status, "statuses": transitions.TRANSFORM_JOB.states}
    return render(request, "requester/transforms.html", context)


def _found(request: HttpRequest, transform_id: int) -> TransformJob:
    return scope.transform(request.account, transform_id)  # type: ignore[attr-defined]


def _figures(run: TransformJob) -> dict[str, Any]:
    return {
        "run": run,
        "live": run.status in LIVE,
        "seconds": training.seconds(run),
        "left": run_figures.seconds_left(run),
    }


@requester_page()
def detail_page(request: HttpRequest, transform_id: int) -> HttpResponse:
    """One prediction over a manifest."""
    run = _found(request, transform_id)
    context = {
        **_figures(run),
        "log": run_records.log_tail(run),
        "hyperparameters": sorted(run.hyperparameters.items()),
        "channels": [(name, given.get("manifest_uri", "")) for name, given in run.channels.items()],
    }
    return render(request, "requester/transform.html", context)


@requester_page()
def progress_part(request: HttpRequest, transform_id: int) -> HttpResponse:
    """The figures, while it works."""
    run = _found(request, transform_id)
    response = render(request, "requester/transform_progress.html", _figures(run))
    if run.status not in LIVE:
        response["HX-Refresh"] = "true"
    return response


@requester_page()
def log_part(request: HttpRequest, transform_id: int) -> HttpResponse:
    """The end of the log, while it works."""
    log = run_records.log_tail(_found(request, transform_id))
    return render(request, "requester/run_log.html", {"log": log})


@require_POST
@requester_page(Role.MEMBER)
def stop(request: HttpRequest, transform_id: int) -> HttpResponse:
    """Stop it; nothing of it is kept."""
    run = _found(request, transform_id)
    transforms.stop(transform_job=run, by=actor(request.user))
    return redirect("requester:transform", run.pk)


@require_POST
@requester_page(Role.MEMBER)
def delete(request: HttpRequest, transform_id: int) -> HttpResponse:
    """Delete it, unless it runs or something uses it."""
    found = _found(request, transform_id)
    delete_it = partial(run_deletion.delete_transform, transform_job=found, by=actor(request.user))
    return deletion.answer(request, found, delete_it, page="transform")
