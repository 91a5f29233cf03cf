"""The forecast in the wizard: what the design that is typed in right now would give, before anybody is paid."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET

from frontend import forecasts, formats
from frontend.requester.job_forms import PeopleStep
from frontend.requester.job_new import draft, drafted_type, expected_checks, job_size
from frontend.session import requester_page
from labeling.forecast.forecasting import Outcome
from labeling.forecast.intervals import Interval
from labeling.services.jobs import forecasting
from labeling.simulation.base import MIXED
from marketplace.errors import DomainError
from marketplace.models import Role

NEEDED = ("workteam", "workers_per_object", "expected_seconds", "price", "redundancy")
"""The fields of the people step without which nothing can be forecast."""


@dataclass(frozen=True)
class Row:
    """One redundancy of the table. `own` is the design that is typed in."""

    said: str
    own: bool
    quality: list[tuple[str, Interval]]
    outcome: Outcome


@require_GET
@requester_page(Role.MEMBER)
def forecast_part(request: HttpRequest) -> HttpResponse:
    """Quality, cost, duration and pay with their intervals, beside those of other redundancies."""
    account = request.account  # type: ignore[attr-defined]
    given = draft(request)
    form = PeopleStep(request.GET, account=account, task_type=drafted_type(given))
    form.is_valid()
    people = form.cleaned_data
    if any(step not in given for step in ("data", "task")) or any(people.get(name) is None for name in NEEDED):
        return _said(request, gettext("Fill in the numbers to see a forecast."))
    allowed, seconds = forecasts.take(request.user)  # type: ignore[arg-type]
    if not allowed:
        return _said(
            request,
            gettext("That were many forecasts. Ask again in {seconds} seconds.").format(seconds=round(seconds) + 1),
        )
    objects, workers = job_size(account, given, people["workteam"])
    redundancy: dict[str, Any] = {"kind": people["redundancy"]}
    if people["redundancy"] == "dynamic":
        redundancy["target_confidence"] = people["target_confidence"]
    try:
        found = forecasting.forecast_job(
            account=account,
            task_type=drafted_type(given).name,
            labels=given["task"]["labels"],
            objects=objects,
            workers=workers,
            workers_per_object=people["workers_per_object"],
            price_micros=people["price"],
            expected_seconds=people["expected_seconds"],
            redundancy=redundancy,
            crowd=request.GET.get("crowd") or MIXED,
            golds_rate=people.get("golds_rate") or 0,
            checks=expected_checks(given, people),
        )
    except DomainError as error:
        return _said(request, " ".join(reason for _, reason in error.errors) or error.message)
    return render(request, "requester/forecast.html", _context(found, objects))


def _context(found: forecasting.JobForecast, objects: int) -> dict[str, Any]:
    own = found.forecast.outcome
    others = [one for one in found.forecast.others if one.redundancy != own.redundancy]
    return {
        "rows": [_row(found, one, own=one is own) for one in (own, *others)],
        "figures": found.forecast.figures,
        "found": found,
        "objects": objects,
        "crowd": forecasting.CROWDS[found.crowd.name],
    }


def _row(found: forecasting.JobForecast, outcome: Outcome, *, own: bool) -> Row:
    most = outcome.redundancy.mean
    said = ngettext("{number} answer", "{number} answers", most).format(number=most)
    if outcome.redundancy.target is not None:
        text = gettext("Up to {number}, until {sure:g} % sure")
        said = formats.filled(text, number=most, sure=100 * outcome.redundancy.target)
    return Row(said, own, [(one.title, outcome.quality[one.key]) for one in found.forecast.figures], outcome)


def _said(request: HttpRequest, text: str) -> HttpResponse:
    return render(request, "requester/forecast.html", {"said": text})
