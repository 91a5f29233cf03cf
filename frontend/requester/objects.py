"""The gallery of a job's labels, one object with its history, and adjudication."""

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as word
from django.views.decorators.http import require_POST

from frontend import automation
from frontend.images import image_url
from frontend.requester import cards, explanations
from frontend.requester.jobs import job_context
from frontend.session import requester_page
from labeling import task_types
from labeling.formats import label_attributes, label_config
from labeling.models import GUIDELINE_GAP, DataObject
from labeling.queries import people
from labeling.services import scope
from labeling.services.golds import keeping
from labeling.services.intake import audited, decoding, inspection
from labeling.services.intake.selection import LIKELY_WRONG
from labeling.services.results import adjudication
from labeling.task_types.base import Shown, TaskType
from marketplace import storage, strict
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services.scope import actor

PER_PAGE = 12
SHOWN: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "labeled": (word("All labels"), {"label__isnull": False}, ("index",)),
    "human": (word("By people"), {"label__source": "human"}, ("index",)),
    "machine": (word("By the machine"), {"label__source": "machine"}, ("index",)),
    "adjudicated": (word("Yours"), {"label__source": "adjudicated"}, ("index",)),
    "failed": (word("Failed"), {"state": "Failed"}, ("index",)),
    LIKELY_WRONG: (word("Likely wrong first"), {"likely_error__isnull": False}, ("-likely_error__chance", "index")),
}
"""What the gallery can show of every job: its name, which objects, and in which order."""


@requester_page()
def gallery_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Pictures with their labels."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    which = request.GET.get("which", "labeled")
    views = SHOWN | automation.gallery(job)
    _, lookup, order = views.get(which, views["labeled"])
    rows = DataObject.objects.filter(job=job, **lookup).select_related("label", "likely_error")
    page = Paginator(rows.defer("label__explanation").order_by(*order), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **job_context(request, job, "gallery"),
        "page": page,
        "which": which,
        "choices": [(name, gettext(said)) for name, (said, *_) in views.items()],
        "cards": cards.cards(
            page,
            task_types.get(job.task_type),
            request.user.pk or 0,
            classes=job.labels,
            models=automation.machine_labels(page) if which == "audited" else {},
        ),
    }
    return render(request, "requester/job_gallery.html", context)


@requester_page()
def object_page(request: HttpRequest, job_id: int, object_id: int) -> HttpResponse:
    """One object: the picture, how its label came about, every revision, and the form for the requester's own label."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    row = scope.data_object(job, object_id)
    with suppress(storage.StoreUnavailable, decoding.Busy):  # the page then shows the label without its picture
        inspection.inspect_labeled(row)
    kind = task_types.get(job.task_type)
    answers = people.answers_of(row)
    before = audited.of_objects(kind, [row.pk]).get(row.pk)
    shown = Shown() if before is None else kind.shown(before, size=(row.width or 1, row.height or 1))
    context = {
        "job": job,
        "row": row,
        "card": cards.card(row, kind, request.user.pk or 0, answers, classes=job.labels, side=1600, before=before),
        "image_url": image_url(row.pk, request.user.pk or 0),
        "kind": kind,
        "revisions": [
            (r, kind.summary(r.value)) for r in row.labels.select_related("withdrawal").order_by("-revision")
        ],
        "answers": answers,
        "likely_error": cards.likely_error(row),
        "story": explanations.story(row.label, kind),
        "interval": row.label.confidence_interval if row.label else None,
        "unclear": (row.guideline_gap or 0) >= GUIDELINE_GAP,
        "decidable": adjudication.refusal(row) is None,
        "gold": scope.golds(job).filter(data_object=row).first(),
        "may_be_gold": keeping.refusal(row) is None,
        "initial": kind.initial_value(row.label.value) if row.label else shown.initial_value,
        "shown": shown.attributes,
        "before": before is not None,
        "labels": label_config.of_labels(config, job.labels)
        if (config := job.queue.label_category_config)
        else job.labels,
        "attributes": _attributes(kind, row),
    }
    return render(request, "requester/object.html", context)


def _attributes(kind: TaskType[Any, Any], row: DataObject) -> list[tuple[int, str, str]]:
    """Those of the label's shapes that have attributes: number, label, attributes in words."""
    if row.label is None or not kind.attributed:
        return []
    found = enumerate(kind.attributes(kind.read_value(row.label.value)), 1)
    return [(number, label, label_attributes.in_words(values)) for number, (label, values) in found if values]


@require_POST
@requester_page(Role.MEMBER)
def adjudicate(request: HttpRequest, job_id: int, object_id: int) -> HttpResponse:
    """Store the requester's answer as the newest revision."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    row, words = scope.data_object(job, object_id), task_types.get(job.task_type).words
    try:
        content = strict.read_json(request.POST.get("answer", ""))
        keeping.decide(data_object=row, content=content, by=actor(request.user))
    except ValueError:
        messages.error(request, gettext(words.not_received))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext(words.saved).format(index=row.index))
    return redirect("requester:object", job_id, object_id)
