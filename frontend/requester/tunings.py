"""Tuning jobs: the list, a new one, its progress with charts and trainings."""

from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.requester import deletion, tuning_charts
from frontend.requester.tuning_forms import FIRST, SHOWN, RangeRows, TuningForm
from frontend.session import requester_page
from learning import queries
from learning.models import HyperParameterTuningJob, TuningTrial
from learning.services import channels, run_deletion, scope
from learning.services.tuning import creating, definitions, describing
from learning.services.tuning.config import TuningConfig
from marketplace import strict
from marketplace.errors import DomainError
from marketplace.models import Account, Role
from marketplace.services.scope import actor

PER_PAGE = 30
OVER = ("Completed", "Failed", "Stopped")
ENDINGS = {
    "MaxRuntimeInSeconds": _("Its time was over."),
    "TargetObjectiveMetricValue": _("The objective has reached the target."),
    "BestObjectiveNotImproving": _("No training was better than the best one for long enough."),
    "ConvergenceDetected": _("Nothing better is to be expected."),
    "TrainingsFail": _("Trainings fail one after the other."),
}


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """All tuning jobs."""
    rows = describing.with_counts(queries.tunings(request.account))  # type: ignore[attr-defined]
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    shown = [{"row": row, "asked": TuningConfig.load(row.config), **describing.counters(row)} for row in page]
    return render(request, "requester/tunings.html", {"page": page, "rows": shown})


@requester_page(Role.MEMBER)
def new_page(request: HttpRequest) -> HttpResponse:
    """The form for a new tuning job; `dataset` in the address chooses the data set."""
    account = request.account  # type: ignore[attr-defined]
    dataset = strict.whole_number(request.GET.get("dataset", ""))
    form = TuningForm(request.POST or None, account=account, initial={"dataset": dataset} if dataset else {})
    rows = RangeRows(request.POST or None, prefix="range", initial=[] if request.method == "POST" else FIRST)
    if request.method == "POST":
        # Both are asked, so that all that is wrong is shown at once.
        valid = [form.is_valid(), rows.is_valid()]
        made = _create(request, account, form, rows) if all(valid) else None
        if made is not None:
            return redirect("requester:tuning", made.pk)
    wrong = bool(form.errors or rows.total_error_count())
    listed = list(rows)
    context = {"form": form, "rows": rows, "shown": listed[:SHOWN], "folded": listed[SHOWN:]}
    return render(request, "requester/tuning_new.html", context, status=422 if wrong else 200)


def _create(request: HttpRequest, account: Account, form: TuningForm, rows: Any) -> HyperParameterTuningJob | None:
    named = [row for row in rows if row.cleaned_data.get("name")]
    try:
        return creating.tune_on_dataset(
            account=account, by=actor(request.user), searched=[row.given() for row in named], **form.options()
        )
    except DomainError as error:
        _show(error, form, named)
        return None


def _show(error: DomainError, form: TuningForm, rows: list[Any]) -> None:
    """The error beside the field that it is about: ranges.2.min_value is about the third range."""
    place, *rest = (error.field or "").split(".")
    if place == "ranges" and rest and int(rest[0]) < len(rows):
        rows[int(rest[0])].add_error(None, error.message)
        return
    known = {"hyperparameters": "fixed", "objective": "metric", "class_map": "fixed"}
    field = rest[0] if rest and rest[0] in form.fields else known.get(place, place)
    form.add_error(field if field in form.fields else None, error.message)


def _values(asked: TuningConfig, trial: TuningTrial) -> list[tuple[str, str]]:
    """The searched hyperparameters of a trial in the order of the ranges, numbers with four digits that count.

    One that its definition does not search has a dash.
    """
    found = []
    for one in asked.searched:
        text = trial.hyperparameters.get(one.name, "\N{EN DASH}")
        value = one.number(text)
        found.append((one.name, format(value, ".4g") if isinstance(value, float) else text))
    return found


def _progress(tuning: HyperParameterTuningJob) -> dict[str, Any]:
    counted = describing.with_counts(HyperParameterTuningJob.objects.filter(pk=tuning.pk)).get()
    asked, best = TuningConfig.load(tuning.config), describing.best(tuning)
    trials = describing.trials(tuning).reverse()
    parts = definitions.of(tuning)
    return {
        "row": counted,
        "asked": asked,
        "best": best,
        "best_part": parts[best.definition].name if best else "",
        "best_values": _values(parts[best.definition].asked, best) if best else [],
        "several": len(parts) > 1,
        "trials": [
            {"row": trial, "values": _values(asked, trial), "part": parts[trial.definition].name} for trial in trials
        ],
        "running": counted.status not in OVER,
        "seconds": describing.seconds(tuning),
        "ending": ENDINGS.get(tuning.ending, ""),
        **describing.counters(counted),
    }


@requester_page()
def detail_page(request: HttpRequest, tuning_id: int) -> HttpResponse:
    """A tuning job: progress, charts, trainings, what was asked for."""
    tuning = scope.tuning(request.account, tuning_id)  # type: ignore[attr-defined]
    context = _progress(tuning)
    shown = tuning_charts.charts(tuning, context["asked"])
    parts = [{"asked_for": one, "channels": channels.shown(one.channels)} for one in definitions.of(tuning)]
    parallels = {name: chart for name, chart in shown.items() if name.startswith(tuning_charts.PARALLEL)}
    more = {"charts": shown, "parallels": parallels, "parts": parts}
    return render(request, "requester/tuning.html", context | more)


@requester_page()
def progress_part(request: HttpRequest, tuning_id: int) -> HttpResponse:
    """The part of the page that changes while the tuning job is running."""
    context = _progress(scope.tuning(request.account, tuning_id))  # type: ignore[attr-defined]
    response = render(request, "requester/tuning_progress.html", context)
    if not context["running"]:
        response["HX-Refresh"] = "true"
    return response


@requester_page()
def chart_data(request: HttpRequest, tuning_id: int, plot: str) -> JsonResponse:
    """One chart's data, for a page that stays open."""
    tuning = scope.tuning(request.account, tuning_id)  # type: ignore[attr-defined]
    found = tuning_charts.charts(tuning, TuningConfig.load(tuning.config)).get(plot)
    if found is None:
        raise Http404(f"there is no chart {plot!r}")
    return JsonResponse(found)


@require_POST
@requester_page(Role.MEMBER)
def stop(request: HttpRequest, tuning_id: int) -> HttpResponse:
    """Stop it."""
    tuning = scope.tuning(request.account, tuning_id)  # type: ignore[attr-defined]
    creating.stop(tuning_job=tuning, by=actor(request.user))
    return redirect("requester:tuning", tuning.pk)


@require_POST
@requester_page(Role.MEMBER)
def delete(request: HttpRequest, tuning_id: int) -> HttpResponse:
    """Delete it, unless it runs or something uses it."""
    found = scope.tuning(request.account, tuning_id)  # type: ignore[attr-defined]
    delete_it = partial(run_deletion.delete_tuning, tuning_job=found, by=actor(request.user))
    return deletion.answer(request, found, delete_it, page="tuning")
