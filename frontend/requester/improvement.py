"""Improvement policies: the list, a new one, and one with its state machine, live, its images, runs and drift."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend.requester.improvement_forms import ActForm, ParametersForm, PolicyForm
from frontend.session import requester_page
from learning.models import ImprovementPolicy
from learning.services.improvement import creating, detecting, picture, runs, view
from marketplace import strict
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services.scope import actor

PER_PAGE = 30
IMAGES = 30
RUNS = 20


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """All policies; `id` in the address leads to one of them, whose name notices do not know."""
    rows = view.policies(request.account)  # type: ignore[attr-defined]
    asked = strict.whole_number(request.GET.get("id", ""))
    if asked is not None and (found := rows.filter(pk=asked).first()) is not None:
        return redirect("requester:improvement", found.name)
    page = Paginator(view.with_counts(rows), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "requester/improvement_policies.html", {"page": page})


@requester_page(Role.MEMBER)
def new_page(request: HttpRequest) -> HttpResponse:
    """A new policy. The page that answers shows the address for reports of stores, once."""
    account = request.account  # type: ignore[attr-defined]
    form = PolicyForm(request.POST or None, account=account, initial={"endpoint": request.GET.get("endpoint", "")})
    parameters = ParametersForm(request.POST or None)
    if request.method == "POST" and all([form.is_valid(), parameters.is_valid()]):
        try:
            made, token = creating.create(
                account=account, by=actor(request.user), parameters=parameters.parameters(), **form.given()
            )
        except DomainError as error:
            form.refuse(error)
        else:
            _show_address(request, token)
            return redirect("requester:improvement", made.name)
    context = {"form": form, "parameters": parameters}
    wrong = form.errors or parameters.errors
    return render(request, "requester/improvement_new.html", context, status=422 if wrong else 200)


def _show_address(request: HttpRequest, token: str) -> None:
    messages.success(
        request,
        gettext("Stores report new images to {address}: it is shown only now.").format(
            address=view.report_address(token)
        ),
    )


def _now(policy: ImprovementPolicy) -> dict[str, Any]:
    run = runs.current(policy) or policy.runs.select_related("model").order_by("number").last()
    counted = view.counts(policy)
    return {
        "policy": policy,
        "shown": view.shown(policy),
        "run": view.run_shown(run) if run is not None else None,
        "branches": picture.branches(run, counted, view.samples(policy)),
        "images": [(row.uri.rpartition("/")[2], row) for row in view.detections(policy)[:IMAGES]],
        "busy": run is not None and run.ended_at is None,
    }


@requester_page()
def detail_page(request: HttpRequest, policy_name: str) -> HttpResponse:
    """One policy."""
    policy = view.policy(request.account, policy_name)  # type: ignore[attr-defined]
    context = _now(policy)
    context["runs"] = [view.run_shown(row) for row in view.runs(policy)[:RUNS]]
    context["parameters"] = ParametersForm(initial=policy.parameters)
    context["changes"] = view.changes(policy)
    context["chart"] = _drift_chart(context["shown"]["drift"])
    return render(request, "requester/improvement_policy.html", context)


def _drift_chart(features: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not features:
        return None
    return {
        "type": "bar",
        "title": gettext("Distance of new images from the training images"),
        "x": {"label": ""},
        "y": {"label": gettext("Kolmogorov-Smirnov distance"), "min": 0, "max": 1},
        "series": [{"name": gettext("Distance"), "points": [[one["feature"], one["distance"]] for one in features]}],
    }


@requester_page()
def progress_part(request: HttpRequest, policy_name: str) -> HttpResponse:
    """The part of the page that changes by itself; the whole page is read again when a run has ended or begun."""
    policy = view.policy(request.account, policy_name)  # type: ignore[attr-defined]
    context = _now(policy)
    response = render(request, "requester/improvement_now.html", context)
    was = request.GET.get("was")
    if was is not None and was != ("busy" if context["busy"] else "idle"):
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requester_page(Role.MEMBER)
def parameters(request: HttpRequest, policy_name: str) -> HttpResponse:
    """Other parameters, with effect at once."""
    policy = view.policy(request.account, policy_name)  # type: ignore[attr-defined]
    form = ParametersForm(request.POST)
    if form.is_valid():
        creating.change_parameters(policy=policy, given=form.parameters(), by=actor(request.user))
        messages.success(request, gettext("The parameters hold from now on."))
    for name, problems in form.errors.items():
        messages.error(request, f"{name}: {' '.join(problems)}")
    return redirect("requester:improvement", policy.name)


@require_POST
@requester_page(Role.MEMBER)
def act(request: HttpRequest, policy_name: str) -> HttpResponse:
    """Check now, stop, start, renew the address for reports, detect failed images again, or delete."""
    policy = view.policy(request.account, policy_name)  # type: ignore[attr-defined]
    form, by = ActForm(request.POST), actor(request.user)
    if not form.is_valid():
        messages.error(request, gettext("It is not known what to do."))
        return redirect("requester:improvement", policy.name)
    wanted = form.cleaned_data["act"]
    try:
        if wanted == "renew":
            _show_address(request, creating.renew_token(policy=policy, by=by))
        elif wanted == "try-again":
            many = detecting.try_again(policy=policy, by=by)
            messages.success(request, gettext("{many} images are detected again.").format(many=many))
        else:
            {"check": creating.check_now, "stop": creating.stop, "start": creating.start, "delete": creating.delete}[
                wanted
            ](policy=policy, by=by)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        if wanted == "delete":
            messages.success(request, gettext("{name} is deleted.").format(name=policy.name))
            return redirect("requester:improvement-policies")
    return redirect("requester:improvement", policy.name)


@require_POST
@requester_page(Role.MEMBER)
def use_again(request: HttpRequest, policy_name: str, run_number: int) -> HttpResponse:
    """Let later trainings learn from the images that were set aside with a run."""
    policy = view.policy(request.account, policy_name)  # type: ignore[attr-defined]
    many = creating.use_again(run=view.run(policy, run_number), by=actor(request.user))
    messages.success(request, gettext("{many} images are used again.").format(many=many))
    return redirect("requester:improvement", policy.name)
