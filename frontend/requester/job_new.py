"""The new-job wizard: its steps, a review with the cost, then launch. The draft lives in the session."""

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend.automation import launch_job, promised
from frontend.bodies import takes_files
from frontend.requester import job_examples, job_input, label_fields
from frontend.requester.function_fields import FIELDS
from frontend.requester.job_design import design, prelabels, required
from frontend.requester.job_forms import GOLDS, RARE, STEPS, PeopleStep, StepForm
from frontend.session import requester_page
from labeling import task_types
from labeling.models import LabelImport
from labeling.services import scope as labeling_scope
from labeling.services.intake.selection import LIKELY_WRONG
from labeling.services.jobs import forecasting, pricing
from labeling.services.prelabels import options as prelabel_options
from labeling.task_types.base import TaskType
from marketplace import money, strict
from marketplace.errors import DomainError, NotFound
from marketplace.models import Account, Panel, Role, Workteam
from marketplace.services import panels, requirements, scope, wallets

SESSION_KEY = "job_draft"
TEMPLATE = "template"
"""Where a draft has the fields of a kept worker template, before the step that they belong to was filled in."""
SUGGESTED = "job_suggested"
"""What the wizard is filled in with when it begins from a job, by step."""
MOST_AT_ONCE = 100
"""Participants of a panel who are taken to work at the same time; each does a session and leaves."""
# The step in which a field that the launch refused is corrected.
STEP_OF_FIELD = {
    "name": "data",
    "label_attribute_name": "data",
    "dataset": "data",
    "input_manifest_uri": "data",
    "input_job": "data",
    "selection": "data",
    "task_type": "task",
    "labels": "task",
    "label_category_config": "task",
    "audit_label_attribute_name": "task",
    "template": "task",
    "script_hosts": "task",
    **dict.fromkeys(FIELDS, "task"),
    "title": "task",
    "description": "task",
    "instructions": "task",
    "automated_labeling": "automation",
    "prelabels": "automation",
}


def draft(request: HttpRequest) -> dict[str, Any]:
    """What was typed into the steps so far, by step."""
    return request.session.get(SESSION_KEY, {})


def suggest(request: HttpRequest, *, data: dict[str, Any], task: dict[str, Any]) -> None:
    """Begin a new draft, whose first two steps are filled in with these values."""
    request.session.pop(SESSION_KEY, None)
    request.session[SUGGESTED] = {"data": data, "task": task}


def drafted_type(given: dict[str, Any]) -> TaskType[Any, Any]:
    """The task type chosen in the draft; the default before that step."""
    return task_types.get(given.get("task", {}).get("task_type") or task_types.DEFAULT)


def _initial(request: HttpRequest, step: str) -> dict[str, Any]:
    saved = dict(draft(request).get(step) or request.session.get(SUGGESTED, {}).get(step, {}))
    if step == "task":
        saved = draft(request).get(TEMPLATE, {}) | saved
    if step == "data" and "dataset" in request.GET:
        saved.pop("chained_job", None)
    if step == "data" and "dataset" not in saved and (key := strict.whole_number(request.GET.get("dataset", ""))):
        saved["dataset"] = key
        if (labeled := _import_of(request, key)) is not None:
            saved["label_attribute_name"] = labeled.label_attribute_name
    if step == "task" and "labels" not in saved:
        labeled = _import_of(request, draft(request).get("data", {}).get("dataset"))
        if labeled is not None and labeled.label_attribute_name == draft(request)["data"].get("label_attribute_name"):
            # In this order, so that the job numbers the classes as the labels that it takes over.
            saved["labels"] = labeled.labels
            saved.setdefault("task_type", labeled.task_type)
    if "labels" in saved:
        saved["labels"] = "\n".join(saved["labels"])
    for name in ("price", "max_spend", "price_ceiling", "check_price"):
        if saved.get(name) is not None:
            saved[name] = money.text(saved[name]).rstrip("0").rstrip(".") or "0"
    return saved


@takes_files
def _import_of(request: HttpRequest, dataset_id: int | None) -> LabelImport | None:
    """The import that made this data set of the account, if one did."""
    row = labeling_scope.datasets(request.account).filter(pk=dataset_id).first()  # type: ignore[attr-defined]
    return labeling_scope.import_of(row) if row is not None else None


def use_template(request: HttpRequest, *, text: str, hosts: list[str]) -> None:
    """Make the draft one of a job whose tasks are shown by this worker template."""
    kind = next(one for one in map(task_types.get, task_types.names()) if one.by_template)
    given = draft(request)
    fields = {"task_type": kind.name, "template": text, "hosts": " ".join(hosts)}
    changed = {"task": given["task"] | fields} if "task" in given else {TEMPLATE: fields}
    request.session[SESSION_KEY] = given | changed


@takes_files
@requester_page(Role.MEMBER)
def step_page(request: HttpRequest, step: str = "data") -> HttpResponse:
    """One step of the wizard."""
    if step not in STEPS:
        raise NotFound(f"the wizard has no step {step!r}")
    account = request.account  # type: ignore[attr-defined]
    names = list(STEPS)
    missing = next((name for name in names[: names.index(step)] if name not in draft(request)), None)
    if missing:
        return redirect("requester:job-new-step", missing)
    kind: type[StepForm] = STEPS[step][1]
    task_type = drafted_type(draft(request))
    form = kind(request.POST or None, account=account, task_type=task_type, initial=_initial(request, step))
    if request.method == "POST" and form.is_valid():
        saved = form.draft()
        problems = job_examples.take(request, account, saved, draft(request).get("task", {})) if step == "task" else []
        for problem in problems:
            form.add_error(None, problem)
        if not problems:
            request.session[SESSION_KEY] = {**draft(request), step: saved}
            return _after(step)
    context = {
        "form": form,
        "step": step,
        "steps": _steps(request, step),
        "previous": names[names.index(step) - 1] if names.index(step) else None,
        "prices": [money.text(p)[:5] for p in task_type.prices],
        "task_type": task_type,
        "task_types": [task_types.get(name) for name in task_types.names()],
        "attributed": " ".join(name for name in task_types.names() if task_types.get(name).attributed),
        "audits": [name for name in task_types.names() if task_types.get(name).audited is not None],
        "examples": job_examples.shown(draft(request).get("task", {})),
        "crowds": forecasting.CROWDS,
        "rare_errors": any(name in form.errors for name in RARE),
        "golds_open": any(name in form.errors or form.initial.get(name) for name in GOLDS),
    }
    return render(request, f"requester/job_new_{step}.html", context, status=422 if form.errors else 200)


def _after(step: str) -> HttpResponse:
    names = list(STEPS)
    after = names.index(step) + 1
    return redirect("requester:job-new-step", names[after]) if after < len(names) else redirect("requester:job-review")


def _steps(request: HttpRequest, here: str) -> list[dict[str, Any]]:
    names = [*STEPS, "review"]
    titles = {**{name: title for name, (title, _) in STEPS.items()}, "review": gettext("Review and launch")}
    return [
        {"name": n, "title": titles[n], "here": n == here, "done": n in draft(request) and n != here} for n in names
    ]


@requester_page(Role.MEMBER)
def estimate_part(request: HttpRequest) -> HttpResponse:
    """Guideline, cost and duration of what is typed into the people step right now."""
    account = request.account  # type: ignore[attr-defined]
    form = PeopleStep(request.GET, account=account, task_type=drafted_type(draft(request)))
    form.is_valid()
    given = form.cleaned_data
    known = "data" in draft(request)
    if not known or any(given.get(k) is None for k in ("workers_per_object", "expected_seconds", "price")):
        return render(request, "requester/estimate.html", {"estimate": None})
    people = {**given, "team": given.get("workteam")}
    return render(request, "requester/estimate.html", _estimate(account, draft(request), people))


def _selected(data: dict[str, Any], objects: int) -> int:
    if data["selection"] == LIKELY_WRONG:
        return min(objects, data.get("count") or objects)
    share = data["percent"] / 100 if data["selection"] == "random" and data["percent"] else 1.0
    return max(1, round(objects * share))


def job_size(account: Account, given: dict[str, Any], team: Workteam | None) -> tuple[int, int]:
    """How many objects the drafted job has, and how many people work on it."""
    objects = max(1, _selected(given["data"], job_input.of_draft(account, given["data"]).objects))
    if team is not None and team.is_panel:
        return objects, min(team.panel.sessions_wanted, MOST_AT_ONCE)
    return objects, max(1, team.memberships.count()) if team else pricing.WORKERS_ASSUMED


def expected_checks(given: dict[str, Any], people: dict[str, Any]) -> pricing.Checks:
    """What the drafted job pays for checks of labels that its input, a model or an endpoint proposes."""
    team = people.get("team") or people.get("workteam")
    public = isinstance(team, Workteam) and team.public
    auto = given.get("automation", {})
    counted = prelabel_options.counts(drafted_type(given))
    return prelabel_options.expected(prelabels(auto), price_micros=people["price"], public=public, counted=counted)


def _estimate(account: Account, given: dict[str, Any], people: dict[str, Any]) -> dict[str, Any]:
    team = people.get("team")
    objects, workers = job_size(account, given, team)
    estimate = pricing.estimate(
        objects=objects,
        workers_per_object=people["workers_per_object"],
        price_micros=people["price"],
        expected_seconds=people["expected_seconds"],
        workers=workers,
        golds_rate=people.get("golds_rate") or 0,
        checks=expected_checks(given, people),
        audit_share=(auto.get("audit_share") or 0) if (auto := given.get("automation", {})).get("enabled") else 0,
    )
    panel = team.panel if team is not None and team.is_panel else None
    guide = pricing.guideline(expected_seconds=people["expected_seconds"], task_type=drafted_type(given).name)
    return {
        "estimate": estimate,
        "objects": objects,
        "workers": workers,
        "guideline": guide,
        "hourly": round(_pay(panel, people["price"]) * 3600 / people["expected_seconds"]),
        "below": panel is None and people["price"] < guide,
        "too_few": bool(team and not team.public and not panel and workers < people["workers_per_object"]),
        "panel": panel,
        "elsewhere": panels.cost(panel, answers=estimate.answers) if panel else None,
        "short": max(0, estimate.total_micros - wallets.balance(account=account)),
        "balance": wallets.balance(account=account),
    }


def _pay(panel: Panel | None, price_micros: int) -> float:
    """What somebody gets for a task, here or from the panel's provider, in micro-dollars."""
    return panel.reward_micros / panel.tasks_per_session if panel is not None else price_micros


@requester_page(Role.MEMBER)
def review_page(request: HttpRequest) -> HttpResponse:
    """The whole draft for a last look, with its cost."""
    account = request.account  # type: ignore[attr-defined]
    given = draft(request)
    missing = next((name for name in STEPS if name not in given), None)
    if missing:
        return redirect("requester:job-new-step", missing)
    people = given["people"]
    team = scope.team(account, people["workteam"])
    context = {
        "draft": given,
        "steps": _steps(request, "review"),
        "examples": job_examples.shown(given["task"]),
        "attributes": label_fields.in_words(given["task"]),
        "team": team,
        "requirements": _requirements(account, people),
        "input": job_input.of_draft(account, given["data"]),
        "task_type": drafted_type(given),
        "promised": promised(drafted_type(given).name, given.get("automation", {})),
        **_estimate(account, given, {**people, "team": team}),
    }
    return render(request, "requester/job_review.html", context)


def _requirements(account: Account, people: dict[str, Any]) -> list[str]:
    """What the draft asks of workers, in words; types that were given up meanwhile are refused at the launch."""
    asked = required(people)
    names = dict(requirements.usable_types(account).values_list("pk", "name")) if asked else {}
    made = [(names[one["qualification_type"]], one) for one in asked if one["qualification_type"] in names]
    return [requirements.in_words(name, requirements.of_mapping(one)) for name, one in made]


@require_POST
@requester_page(Role.MEMBER)
def launch(request: HttpRequest) -> HttpResponse:
    """Create the job. What the service refuses is shown at the step where it can be corrected."""
    account = request.account  # type: ignore[attr-defined]
    given = draft(request)
    if any(name not in given for name in STEPS):
        return redirect("requester:job-new")
    wanted = design(given)
    wanted["workteam"] = scope.team(account, wanted["workteam"])
    try:
        wanted |= job_input.of_draft(account, given["data"]).arguments()
        job = launch_job(account=account, by=scope.actor(request.user), **wanted)
    except DomainError as error:
        for field, reason in error.errors or [("", error.message)]:
            messages.error(request, f"{field}: {reason}" if field else reason)
        first = error.errors[0][0] if error.errors else ""
        # "labels[3]" and "selection.percent" are corrected where "labels" and "selection" are.
        step = STEP_OF_FIELD.get(re.split(r"[.\[]", first)[0], "people")
        return redirect("requester:job-new-step", step if step in STEPS else "people")
    del request.session[SESSION_KEY]
    request.session.pop(SUGGESTED, None)
    messages.success(request, gettext("The labeling job {name} is starting.").format(name=job.name))
    return redirect("requester:job", job.pk)
