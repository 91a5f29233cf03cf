"""Trainings: the list, and the page of one with its progress, charts, sample predictions and log."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend.requester import deletion, training_charts
from frontend.session import requester_page
from learning import queries, transitions
from learning.models import TrainingJob
from learning.models.training import LIVE
from learning.samples import CLASSES, MASKS, Evaluation, SampleImage, Samples, Shape
from learning.services import channels, run_deletion, run_figures, run_records, scope, training
from marketplace import strict
from marketplace.errors import Invalid
from marketplace.models import Role
from marketplace.services.scope import actor

PER_PAGE = 30
NAME_LENGTH = 63


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """All trainings, newest first."""
    rows = queries.trainings(request.account)  # type: ignore[attr-defined]
    status, name = request.GET.get("status", ""), request.GET.get("name", "")[:NAME_LENGTH]
    if status in transitions.TRAINING_JOB.states:
        rows = rows.filter(status=status)
    if name:
        rows = rows.filter(name__icontains=name)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    shown = [
        {
            "run": run,
            "objective": run_figures.newest(run, run_figures.OBJECTIVE),
            "seconds": training.seconds(run),
            "architecture": run.hyperparameters.get("architecture", ""),
        }
        for run in page
    ]
    context = {
        "page": page,
        "rows": shown,
        "status": status,
        "name": name,
        "statuses": transitions.TRAINING_JOB.states,
    }
    return render(request, "requester/trainings.html", context)


def _found(request: HttpRequest, training_id: int) -> TrainingJob:
    return scope.training(request.account, training_id)  # type: ignore[attr-defined]


@requester_page()
def detail_page(request: HttpRequest, training_id: int) -> HttpResponse:
    """One training."""
    run = _found(request, training_id)
    live = run.status in LIVE
    keys = training_charts.names(run, every=live)
    context = {
        **_figures(run),
        "charts": [] if live else [training_charts.chart(run, key) for key in keys],
        "chart_keys": keys if live else [],
        "log": run_records.log_tail(run),
        "hyperparameters": sorted(run.hyperparameters.items()),
        "channels": channels.shown(run.channels),
        **_samples(request, run),
    }
    return render(request, "requester/training.html", context)


def _figures(run: TrainingJob) -> dict[str, Any]:
    """What changes while it works."""
    named = ("train:loss", "train:images_per_second", "validation:mAP", "validation:mAP_50")
    used = ("usage:cpu", "usage:gpu", "usage:memory_bytes", "usage:gpu_memory_bytes")
    figures = {name.partition(":")[2]: run_figures.newest(run, name) for name in (*named, *used)}
    return {
        "run": run,
        "live": run.status in LIVE,
        "figures": figures,
        "classes": run_figures.by_class(run),
        "seconds": training.seconds(run),
        "left": run_figures.seconds_left(run),
    }


@requester_page()
def progress_part(request: HttpRequest, training_id: int) -> HttpResponse:
    """The figures, while it works."""
    run = _found(request, training_id)
    response = render(request, "requester/training_progress.html", _figures(run))
    if run.status not in LIVE:
        response["HX-Refresh"] = "true"
    return response


@requester_page()
def chart_data(request: HttpRequest, training_id: int, chart: str) -> HttpResponse:
    """One chart as the kit's element reads it."""
    run = _found(request, training_id)
    if chart not in training_charts.KINDS:
        raise Http404(f"there is no chart {chart}")
    return JsonResponse(training_charts.chart(run, chart))


@requester_page()
def log_part(request: HttpRequest, training_id: int) -> HttpResponse:
    """The end of the log, while it works."""
    log = run_records.log_tail(_found(request, training_id))
    return render(request, "requester/run_log.html", {"log": log})


@requester_page()
def samples_part(request: HttpRequest, training_id: int) -> HttpResponse:
    """The sample predictions of an evaluation; 204, which changes nothing, while `step` is still the newest one."""
    run = _found(request, training_id)
    context = _samples(request, run)
    shown = context["shown"]
    if "newer" in request.GET and (shown is None or str(shown.step) == request.GET["newer"]):
        return HttpResponse(status=204)
    return render(request, "requester/training_samples.html", {"run": run, "live": run.status in LIVE, **context})


def _samples(request: HttpRequest, run: TrainingJob) -> dict[str, Any]:
    """The evaluation whose step the address names, else the newest one, drawn over its pictures."""
    try:
        found = run_records.samples(run)
    except Invalid as error:
        return {"samples": [], "samples_problem": error.message, "evaluations": [], "shown": None, "follows": False}
    step = strict.whole_number(request.GET.get("step", ""), allowed=strict.COUNTS)
    shown = next((one for one in found.evaluations if one.step == step), None)
    if shown is None and found.evaluations:
        shown = found.evaluations[-1]
    return {
        "samples": _drawn(run, found, shown) if shown else [],
        "evaluations": found.evaluations,
        "shown": shown,
        # One that was chosen stays; the newest one gives way to a newer one.
        "follows": shown is None or shown is found.evaluations[-1],
    }


def _drawn(run: TrainingJob, found: Samples, shown: Evaluation) -> list[dict[str, Any]]:
    drawn = []
    for number, (image, shapes) in enumerate(zip(found.images, shown.found, strict=True)):
        layers = [
            {"name": gettext("Truth"), "kind": "truth", **_layer(found.kind, image, image.truth)},
            {"name": gettext("Model"), "kind": "machine", **_layer(found.kind, image, shapes)},
        ]
        url = f"/api/v1/training-jobs/{run.pk}/samples/{number}/image"
        classes = sorted({box.label for box in (*image.truth, *shapes)})
        drawn.append({"url": url, "image": image, "layers": {"layers": layers, "classes": classes}})
    return drawn


def _layer(kind: str, image: SampleImage, shapes: Sequence[Shape]) -> dict[str, Any]:
    """As the view of layers reads it."""
    rows = [asdict(one) for one in shapes]
    if kind == MASKS:
        return {"masks": {"width": image.width, "height": image.height, "segments": rows}}
    for row in rows:
        row["confidence"] = row.pop("score")
    return {"choices" if kind == CLASSES else "boxes": rows}


@require_POST
@requester_page(Role.MEMBER)
def stop(request: HttpRequest, training_id: int) -> HttpResponse:
    """Stop it; what it has learned is kept."""
    run = _found(request, training_id)
    training.stop(training_job=run, by=actor(request.user))
    return redirect("requester:training", run.pk)


@require_POST
@requester_page(Role.MEMBER)
def delete(request: HttpRequest, training_id: int) -> HttpResponse:
    """Delete it, unless it runs or something uses it."""
    found = _found(request, training_id)
    delete_it = partial(run_deletion.delete_training, training_job=found, by=actor(request.user))
    return deletion.answer(request, found, delete_it, page="training")
