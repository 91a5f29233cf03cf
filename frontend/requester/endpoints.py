"""Endpoints: what is served, how it does, updates, and a page to try one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend.requester.endpoint_forms import (
    EndpointForm,
    QuestionForm,
    StrategyForm,
    UpdateForm,
    VariantRows,
    WeightRows,
)
from frontend.requester.job_new import suggest
from frontend.session import requester_page
from labeling.task_types import adjustment
from learning import queries
from learning.models import Endpoint
from learning.services import scope
from learning.services.hosting import asking, hosting, invoke, reviewing
from learning.services.hosting.endpoint_view import endpoint_view, endpoint_views
from marketplace import strict
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services.scope import actor

PER_PAGE = 30
CHANGING = ("Creating", "Updating", "RollingBack", "Deleting")


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """All endpoints; `id` in the address leads to one of them, whose name notices do not know."""
    rows = queries.endpoints(request.account)  # type: ignore[attr-defined]
    asked = strict.whole_number(request.GET.get("id", ""))
    if asked is not None and (found := rows.filter(pk=asked).first()) is not None:
        return redirect("requester:endpoint", found.name)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "requester/endpoints.html", {"page": page, "views": endpoint_views(list(page))})


@requester_page(Role.MEMBER)
def new_page(request: HttpRequest) -> HttpResponse:
    """A new endpoint of one or more models, with a configuration of its name."""
    account = request.account  # type: ignore[attr-defined]
    form = EndpointForm(request.POST or None)
    rows = VariantRows(request.POST or None, account=account, filled=[{"model": request.GET.get("model", "")}])
    if request.method == "POST" and all([form.is_valid(), rows.is_valid()]):
        try:
            endpoint = hosting.create_with_variants(
                account=account, variants=rows.given(), by=actor(request.user), **form.cleaned_data
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("requester:endpoint", endpoint.name)
    return _filled(request, "requester/endpoint_new.html", {"form": form, "rows": rows})


@requester_page(Role.MEMBER)
def variants_page(request: HttpRequest, endpoint_name: str) -> HttpResponse:
    """Other models, or other weights of them, for an endpoint: a new configuration, and how requests go over to it."""
    endpoint = scope.endpoint(request.account, endpoint_name)  # type: ignore[attr-defined]
    form = StrategyForm(request.POST or None)
    rows = VariantRows(request.POST or None, account=endpoint.account, filled=endpoint.config.variants)
    if request.method == "POST" and all([form.is_valid(), rows.is_valid()]):
        try:
            hosting.update_variants(
                endpoint=endpoint, variants=rows.given(), strategy=form.strategy(), by=actor(request.user)
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("requester:endpoint", endpoint.name)
    return _filled(request, "requester/endpoint_variants_new.html", {"endpoint": endpoint, "form": form, "rows": rows})


def _filled(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    rows = context["rows"]
    wrong = context["form"].errors or rows.total_error_count()
    return render(request, template, {**context, **rows.parts()}, status=422 if wrong else 200)


def _context(endpoint: Endpoint) -> dict[str, Any]:
    view = endpoint_view(endpoint)
    changing = endpoint.status in CHANGING
    return {"endpoint": endpoint, "view": view, "changing": changing, "review": reviewing.view(endpoint)}


@requester_page()
def detail_page(request: HttpRequest, endpoint_name: str) -> HttpResponse:
    """One endpoint: variants, instances, figures, and what can be done with it."""
    endpoint = scope.endpoint(request.account, endpoint_name)  # type: ignore[attr-defined]
    context = _context(endpoint)
    context["update_form"] = UpdateForm(account=endpoint.account)
    context["weights"] = WeightRows(
        prefix="variant",
        initial=[
            {**row, "variant": row["name"], "weight": f"{row['weight']:g}"} for row in context["view"]["variants"]
        ],
    )
    return render(request, "requester/endpoint.html", context)


@requester_page()
def progress_part(request: HttpRequest, endpoint_name: str) -> HttpResponse:
    """The part of the page that changes by itself."""
    endpoint = scope.endpoint(request.account, endpoint_name)  # type: ignore[attr-defined]
    response = render(request, "requester/endpoint_now.html", _context(endpoint))
    if request.GET.get("was", endpoint.status) != endpoint.status:
        response["HX-Refresh"] = "true"
    return response


def _refused(request: HttpRequest, form: forms.Form) -> None:
    for name, problems in form.errors.items():
        about = form.fields[name].label if name in form.fields else gettext("Input")
        messages.error(request, f"{about}: {' '.join(problems)}")


@require_POST
@requester_page(Role.MEMBER)
def update(request: HttpRequest, endpoint_name: str) -> HttpResponse:
    """Serve another configuration, or another model with as many instances."""
    endpoint = scope.endpoint(request.account, endpoint_name)  # type: ignore[attr-defined]
    form = UpdateForm(request.POST, account=endpoint.account)
    if form.is_valid():
        try:
            config = scope.endpoint_config(endpoint.account, form.cleaned_data["config"])
            hosting.update(endpoint=endpoint, config=config, strategy=form.strategy(), by=actor(request.user))
        except DomainError as error:
            messages.error(request, error.message)
    _refused(request, form)
    return redirect("requester:endpoint", endpoint.name)


@require_POST
@requester_page(Role.MEMBER)
def set_weight(request: HttpRequest, endpoint_name: str) -> HttpResponse:
    """Other weights and numbers of instances for what is served, all at once."""
    endpoint = scope.endpoint(request.account, endpoint_name)  # type: ignore[attr-defined]
    rows = WeightRows(request.POST, prefix="variant")
    if rows.is_valid():
        changes = [row.cleaned_data for row in rows]
        try:
            hosting.set_weights_and_capacities(endpoint=endpoint, changes=changes, by=actor(request.user))
        except DomainError as error:
            messages.error(request, error.message)
    for problem in rows.non_form_errors():
        messages.error(request, problem)
    for row in rows:
        _refused(request, row)
    return redirect("requester:endpoint", endpoint.name)


@require_POST
@requester_page(Role.MEMBER)
def delete(request: HttpRequest, endpoint_name: str) -> HttpResponse:
    """Stop serving."""
    endpoint = scope.endpoint(request.account, endpoint_name)  # type: ignore[attr-defined]
    hosting.delete(endpoint=endpoint, by=actor(request.user))
    messages.success(request, gettext("{name} is being deleted.").format(name=endpoint.name))
    return redirect("requester:endpoints")


@requester_page(Role.MEMBER)
def try_page(request: HttpRequest, endpoint_name: str) -> HttpResponse:
    """Drop an image and see the boxes; the page asks the endpoint through the API."""
    endpoint = scope.endpoint(request.account, endpoint_name)  # type: ignore[attr-defined]
    context = {"endpoint": endpoint, "classes": asking.classes(endpoint), "least": asking.LOWEST_SCORE}
    return render(request, "requester/endpoint_try.html", context)


@require_POST
@requester_page(Role.MEMBER)
def ask(request: HttpRequest, endpoint_name: str) -> HttpResponse:
    """Send the image to a person: a data set of it, and the wizard filled in for a job that adjusts the boxes."""
    endpoint = scope.endpoint(request.account, endpoint_name)  # type: ignore[attr-defined]
    form = QuestionForm(request.POST, request.FILES)
    if not form.is_valid():
        _refused(request, form)
        return redirect("requester:endpoint-try", endpoint.name)
    image = form.cleaned_data["image"].read()
    try:
        answer = invoke.invoke(endpoint=endpoint, image=image, content_type="application/x-image")
        question = asking.make_question(
            endpoint=endpoint,
            image=image,
            answer=answer,
            least_scores=form.cleaned_data["least_scores"],
            by=actor(request.user),
        )
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("requester:endpoint-try", endpoint.name)
    data = {"name": question.dataset.name, "dataset": question.dataset.pk, "selection": "full"}
    kind = adjustment.AdjustmentBoundingBox
    task = {
        "task_type": kind.name,
        "labels": question.labels,
        "title": gettext(kind.title),
        "description": gettext("Look at the boxes that a model has drawn."),
        "audit_label_attribute_name": asking.ATTRIBUTE,
    }
    suggest(request, data=data, task=task)
    return redirect("requester:job-new-step", "data")
