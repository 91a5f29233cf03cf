"""Human review: worker templates, flow definitions, human loops, and what people say of predictions."""

from typing import Any

import orjson
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend import template_frames
from frontend.layers import seen
from frontend.requester.agreement_chart import SPLIT, agreement_chart
from frontend.requester.human_review_forms import DatasetForm, FlowForm, TaskUiForm
from frontend.session import requester_page
from labeling import task_types
from labeling.models import FlowDefinition, HumanLoop
from labeling.queries import people
from labeling.services.review import agreement, agreement_record, flows, loops, output, retraining, task_uis
from labeling.services.review.agreement import Compared
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services import boundaries
from marketplace.services.scope import actor

PER_PAGE = 50
SECONDS = 3600
"""How long the pictures of a page can be loaded."""
LIVE = ("InProgress", "Stopping")


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """Flow definitions with the numbers of their loops, and worker templates."""
    account = request.account  # type: ignore[attr-defined]
    rows = flows.flows(account).annotate(
        waiting=Count("human_loops", filter=Q(human_loops__status__in=LIVE)),
        completed=Count("human_loops", filter=Q(human_loops__status="Completed")),
    )
    page = Paginator(rows.order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    templates = task_uis.task_uis(account).order_by("name")[: task_uis.MOST]
    return render(request, "requester/human_review.html", {"page": page, "templates": templates})


@requester_page(Role.MEMBER)
def new_template_page(request: HttpRequest) -> HttpResponse:
    """A new worker template."""
    form = TaskUiForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            task_uis.create_task_ui(
                account=request.account,  # type: ignore[attr-defined]
                by=actor(request.user),
                **form.cleaned_data,
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("requester:human-review")
    context = {"form": form, "title": gettext("New worker template")}
    return render(request, "requester/human_review_new.html", context, status=422 if form.errors else 200)


@require_POST
@requester_page(Role.MEMBER)
def delete_template(request: HttpRequest, ui_name: str) -> HttpResponse:
    """Delete a worker template; flow definitions keep their copy."""
    found = task_uis.task_ui(request.account, ui_name)  # type: ignore[attr-defined]
    task_uis.delete_task_ui(task_ui=found, by=actor(request.user))
    messages.success(request, gettext("The worker template {ui_name} is deleted.").format(ui_name=ui_name))
    return redirect("requester:human-review")


@requester_page(Role.MEMBER)
def new_flow_page(request: HttpRequest) -> HttpResponse:
    """A new flow definition."""
    account = request.account  # type: ignore[attr-defined]
    initial = {"output_uri": f"{boundaries.base_of(account)}/human-review"}
    form = FlowForm(request.POST or None, account=account, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            flow = flows.create_flow(account=account, by=actor(request.user), **form.design())
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("requester:flow-definition", flow.name)
    context = {"form": form, "title": gettext("New flow definition")}
    return render(request, "requester/human_review_new.html", context, status=422 if form.errors else 200)


@requester_page()
def flow_page(request: HttpRequest, flow_name: str) -> HttpResponse:
    """One flow definition: its loops, and how far people agree with the predictions."""
    flow = flows.flow(request.account, flow_name)  # type: ignore[attr-defined]
    rows = loops.loops(flow.account).filter(flow=flow).defer("content").order_by("-created_at", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    by_loop = agreement_record.of_loops(list(page))
    figures = agreement_record.newest(flow)
    context = {
        "flow": flow,
        "arn": output.flow_arn(flow),
        "page": page,
        "rows": [(row, by_loop.get(row.pk)) for row in page],
        "agreement": [(gettext(SPLIT[reason]), figures[reason]) for reason in SPLIT if figures[reason].loops],
        "newest": agreement_record.NEWEST,
        "chart": agreement_chart(agreement_record.over_time(flow)),
        "form": DatasetForm(),
        "conditions": _pretty(flow.conditions) if flow.conditions else "",
    }
    return render(request, "requester/flow_definition.html", context)


@require_POST
@requester_page(Role.MEMBER)
def delete_flow(request: HttpRequest, flow_name: str) -> HttpResponse:
    """No new loop starts; people finish those that run."""
    flow = flows.flow(request.account, flow_name)  # type: ignore[attr-defined]
    flows.delete_flow(flow=flow, by=actor(request.user))
    messages.success(request, gettext("{name} is deleted; people finish the loops that run.").format(name=flow.name))
    return redirect("requester:human-review")


@require_POST
@requester_page(Role.MEMBER)
def make_dataset(request: HttpRequest, flow_name: str) -> HttpResponse:
    """A data set of what people answered, to train on."""
    flow = flows.flow(request.account, flow_name)  # type: ignore[attr-defined]
    form = DatasetForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"{gettext('Name')}: {' '.join(form.errors['name'])}")
        return redirect("requester:flow-definition", flow.name)
    try:
        made, found = retraining.make_dataset(flow=flow, name=form.cleaned_data["name"], by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("requester:flow-definition", flow.name)
    said = gettext("{pictures} pictures with the label attribute {attribute}")
    said = said.format(pictures=len(found.lines), attribute=retraining.ATTRIBUTE)
    if found.left_out:
        one = found.left_out[0]
        said += gettext("; {number} loops gave none, such as {loop}: {reason}").format(
            number=len(found.left_out), loop=one.loop, reason=one.reason
        )
    messages.success(request, said)
    return redirect("requester:dataset", made.pk)


@requester_page()
def loop_page(request: HttpRequest, loop_name: str) -> HttpResponse:
    """One loop: the prediction beside what people answered."""
    loop = loops.loop(request.account, loop_name)  # type: ignore[attr-defined]
    flow = FlowDefinition.objects.select_related("account", "queue__workteam").get(pk=loop.flow_id)
    content = orjson.loads(loop.content)
    compared = agreement.of_loop(flow, loop)
    context = {
        "loop": loop,
        "arn": output.loop_arn(loop),
        "flow": flow,
        "content": _pretty(content),
        "answers": [answer | {"text": _pretty(answer["answerContent"])} for answer in output.answers(flow, loop)],
        "compared": compared,
        "kind": task_types.get(retraining.TASK_TYPE),
        "picture": _picture(request, loop, content),
        "layers": _layers(compared),
        "frame": template_frames.frame_url(queue_id=flow.queue_id, loop_id=loop.pk, seconds=SECONDS),
        "live": loop.status in LIVE,
    }
    return render(request, "requester/human_loop.html", context)


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _picture(request: HttpRequest, loop: HumanLoop, content: dict[str, Any]) -> str:
    """The address of the picture that the loop is about, "" for none that the account may read."""
    uri = content.get("taskObject")
    if not isinstance(uri, str) or "://" not in uri or boundaries.Reader(loop.account).refusal(uri):
        return ""
    return template_frames.file_url(request, uri=uri, seconds=SECONDS)


def _layers(compared: Compared) -> dict[str, Any]:
    kind = task_types.get(retraining.TASK_TYPE)
    layers = [
        {
            "name": worker,
            "kind": "worker",
            "color": people.COLOURS[place % len(people.COLOURS)],
            "on": True,
            **kind.layer(kind.value(list(boxes))),
        }
        for place, (worker, boxes) in enumerate(compared.drawn)
    ]
    if compared.predicted:
        said = kind.layer(kind.value(list(compared.predicted)))
        layers.insert(0, {"name": gettext("Prediction"), "kind": "machine", "on": True, **said})
    classes = sorted({box.label for boxes in (compared.predicted, *(b for _, b in compared.drawn)) for box in boxes})
    return seen(layers, classes)


@require_POST
@requester_page(Role.MEMBER)
def stop_loop(request: HttpRequest, loop_name: str) -> HttpResponse:
    """Ask nobody any more."""
    loop = loops.loop(request.account, loop_name)  # type: ignore[attr-defined]
    try:
        loops.stop_loop(loop=loop, by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("requester:human-loop", loop.name)


@require_POST
@requester_page(Role.MEMBER)
def delete_loop(request: HttpRequest, loop_name: str) -> HttpResponse:
    """Forget a loop that is over."""
    loop = loops.loop(request.account, loop_name)  # type: ignore[attr-defined]
    try:
        loops.delete_loop(loop=loop, by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("requester:human-loop", loop.name)
    messages.success(request, gettext("{name} is deleted; its output stays.").format(name=loop.name))
    return redirect("requester:human-review")
