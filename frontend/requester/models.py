"""Models: figures, curves, sample predictions, lineage, versions, downloads."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from frontend.images import image_url
from frontend.layers import label_layer, seen
from frontend.requester.model_registry import ApprovalForm, GroupForm
from frontend.session import requester_page
from labeling import task_types
from labeling.models import DataObject, Label, LabelSource
from learning import families, queries, transitions
from learning.contract import FOREIGN, model_files
from learning.models import Model, TrainingJob
from learning.services import lineage, scope, training
from learning.services.model_uses import uses_of
from marketplace import strict

PER_PAGE = 30
SAMPLES = 8
IMPORTS = 5
OTHERS = 30


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """All models, or those of a group or of an approval status; above them imports that work or have failed."""
    account = request.account  # type: ignore[attr-defined]
    rows = queries.models(account)
    status, group = request.GET.get("status", ""), strict.whole_number(request.GET.get("group", ""))
    if status in transitions.MODEL.states:
        rows = rows.filter(status=status)
    chosen = scope.model_group(account, group) if group is not None else None
    if chosen is not None:
        rows = rows.filter(group=chosen).order_by("-version")
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "imports": queries.model_imports(account).exclude(status="Completed")[:IMPORTS],
        "status": status,
        "statuses": transitions.MODEL.states,
        "group": chosen,
    }
    return render(request, "requester/models.html", context)


def _charts(job: TrainingJob) -> list[dict[str, Any]]:
    curves = {
        name: [[point["step"], round(point["value"], 5)] for point in points]
        for name, points in training.curves(job).items()
    }
    kinds: tuple[tuple[str, str, dict[str, Any]], ...] = (
        (gettext("Loss"), "loss", {}),
        *(
            (gettext("Quality on the validation split"), part, {"min": 0, "max": 1, "format": "percent"})
            for part in families.of_training(job.hyperparameters).figures[:1]
        ),
    )
    charts: list[dict[str, Any]] = []
    for title, part, axis in kinds:
        series = [{"name": n, "points": p} for n, p in curves.items() if part in n and "class" not in n and len(p) > 1]
        if series:
            charts.append(
                {
                    "type": "line",
                    "title": title,
                    "x": {"label": gettext("step")},
                    "y": axis | {"label": title},
                    "series": series,
                }
            )
    return charts


def _samples(model: Model, user_id: int) -> list[dict[str, Any]]:
    labels = (
        Label.objects.filter(model_name=model.name, source=LabelSource.MACHINE, data_object__job__account=model.account)
        .select_related("data_object__job__queue")
        .order_by("pk")[:SAMPLES]
    )
    return [_sample(label, label.data_object, user_id) for label in labels]


def _sample(label: Label, row: DataObject, user_id: int) -> dict[str, Any]:
    kind = task_types.get(row.job.task_type)
    shown = seen([label_layer(label, kind)], row.job.labels)
    return {
        "kind": kind,
        "name": gettext("Object {index}").format(index=row.index),
        "row": row,
        "label": label,
        "image_url": image_url(row.pk, user_id),
        "layers": shown,
    }


def _headline(model: Model) -> list[tuple[str, float]]:
    """The figures that say most of a model, with their titles."""
    family = families.of_architecture(model.architecture)
    measures = [family.measure, *([family.several] if family.several else [])]
    titles = {one.metric: one.metric_title for one in measures} | {"mAP": gettext("mAP at IoU 0.5 to 0.95")}
    return [(title, model.metrics[name]) for name, title in titles.items() if name in model.metrics]


@requester_page()
def detail_page(request: HttpRequest, model_id: int) -> HttpResponse:
    """One model."""
    model = scope.model(request.account, model_id)  # type: ignore[attr-defined]
    job = TrainingJob.objects.filter(model=model).first()
    others = queries.models(request.account).exclude(pk=model.pk)  # type: ignore[attr-defined]
    context = {
        "model": model,
        "job": job,
        "charts": _charts(job) if job else [],
        "samples": _samples(model, request.user.pk or 0),
        "metrics": sorted(model.metrics.items()),
        "headline": _headline(model),
        "parts": model_files(model.architecture),
        "foreign": model.architecture == FOREIGN,
        "channels": lineage.shown(model.lineage),
        "parent": queries.models(model.account).filter(pk=model.parent_id).first() if model.parent_id else None,
        "uses": uses_of(model),
        "versions": others.filter(group=model.group).order_by("-version")[:OTHERS] if model.group else [],
        "approval": ApprovalForm(initial={"status": model.status, "comment": model.comment}),
        "move": GroupForm(initial={"group": model.group.name if model.group else ""}),
    }
    return render(request, "requester/model.html", context)
