"""The gallery of a job's labels, one object with its history, and adjudication."""

import json
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from frontend.images import image_url
from frontend.requester import cards, explanations
from frontend.requester.jobs import job_context
from frontend.session import requester_page
from labeling import queries
from labeling.models import DataObject
from labeling.services import scope
from labeling.services.results import adjudication
from marketplace.errors import DomainError
from marketplace.models import Role

PER_PAGE = 12
SHOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "labeled": ("All labels", {"label__isnull": False}),
    "human": ("By people", {"label__source": "human"}),
    "machine": ("By the machine", {"label__source": "machine"}),
    "adjudicated": ("Yours", {"label__source": "adjudicated"}),
    "failed": ("Failed", {"state": "Failed"}),
}


@requester_page()
def gallery_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Pictures with their boxes."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    which = request.GET.get("which", "labeled")
    lookup = SHOWN.get(which, SHOWN["labeled"])[1]
    rows = DataObject.objects.filter(job=job, **lookup).select_related("label").defer("label__explanation")
    page = Paginator(rows.order_by("index"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **job_context(request, job, "gallery"),
        "page": page,
        "which": which,
        "choices": [(name, said) for name, (said, _) in SHOWN.items()],
        "cards": cards.cards(page, request.user.pk or 0),
    }
    return render(request, "requester/job_gallery.html", context)


def _editable(box: dict[str, Any]) -> dict[str, Any]:
    return {"label": box["label"], **{side: round(box[side]) for side in ("left", "top", "width", "height")}}


@requester_page()
def object_page(request: HttpRequest, job_id: int, object_id: int) -> HttpResponse:
    """One object: the picture, how its label came about, every revision, and the requester's own word."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    row = scope.data_object(job, object_id)
    boxes = row.label.value.get("boxes", []) if row.label else []
    answers = queries.answers_of(row)
    context = {
        "job": job,
        "row": row,
        "card": cards.card(row, request.user.pk or 0, answers, side=1600),
        "image_url": image_url(row.pk, request.user.pk or 0),
        "revisions": row.labels.order_by("-revision"),
        "answers": answers,
        "story": explanations.story(row.label),
        "decidable": row.width is not None and row.state != "PendingHuman" and (row.label is not None or job.open),
        "label_json": json.dumps(job.labels),
        "initial_json": json.dumps([_editable(box) for box in boxes]),
    }
    return render(request, "requester/object.html", context)


@require_POST
@requester_page(Role.MEMBER)
def adjudicate(request: HttpRequest, job_id: int, object_id: int) -> HttpResponse:
    """Store the requester's boxes as the newest revision."""
    row = scope.data_object(scope.job(request.account, job_id), object_id)  # type: ignore[attr-defined]
    try:
        content = json.loads(request.POST.get("answer", ""))
        adjudication.adjudicate(data_object=row, content=content, by=f"user:{request.user.pk}")
    except ValueError:
        messages.error(request, "The boxes did not arrive. Draw them again and save.")
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Your boxes for object {row.index} are the label now.")
    return redirect("requester:object", job_id, object_id)
