"""Labeling jobs: the list, and the pages of one job (progress, loop, people, downloads)."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop as word
from django.views.decorators.http import require_POST

from frontend import automation, conduct_forms, formats
from frontend.requester import cards, golds, listing, loop_charts, loop_story, prices
from frontend.session import requester_page
from labeling import task_types, transitions
from labeling.models import BadLine, DataObject, Export, LabelingJob
from labeling.queries import hourly, people, progress
from labeling.services import scope
from labeling.services.functions import choosing, failures
from labeling.services.jobs import chaining, creation, probe
from labeling.services.output import exports
from labeling.services.prelabels import options
from labeling.services.queue import routing
from labeling.services.results import accuracy
from labeling.services.streams import topics
from marketplace.errors import NotFound
from marketplace.models import Role
from marketplace.services import requirements
from marketplace.services.scope import actor

PER_PAGE = 30
RUNNING = tuple(state for state in transitions.LABELING_JOB.states if state not in transitions.LABELING_JOB.final)
EXPORT_KINDS = {
    "manifest": _("Augmented manifest"),
    "coco": "COCO",
    "voc": "Pascal VOC",
    "yolo": "YOLO",
    "masks": _("Mask PNGs"),
    "csv": _("Table (CSV)"),
    "conll": _("CoNLL (IOB2 tags)"),
    "jsonl": "JSON Lines",
    "huggingface": _("Hugging Face datasets"),
    "worker-answers": _("Answers of each worker"),
}
EXPORT_LABELS = {"all": _("All labels"), "human": _("By people only"), "machine": _("By the machine only")}
PRELABELS = word("people check those of the loop for {price}; {blind:.0%} are drawn unseen")
PRELABELS_NAMED = {
    "model": word("people check those of the model {name} for {price}; {blind:.0%} are drawn unseen"),
    "endpoint": word("people check those of the endpoint {name} for {price}; {blind:.0%} are drawn unseen"),
    "manifest": word("people check those of the label attribute {name} for {price}; {blind:.0%} are drawn unseen"),
}
"""Whose labels people check, by the source of these."""
ORDERS = {"name": "name", "status": "status", "created": "id"}


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """All labeling jobs; sorts and pages on the server."""
    rows = scope.jobs(request.account)  # type: ignore[attr-defined]
    status = request.GET.get("status", "")
    if status:
        rows = rows.filter(status=status)
    wanted = request.GET.get("sort", "-created")
    field = ORDERS.get(wanted.lstrip("-"), "id")
    rows = rows.order_by(f"-{field}" if wanted.startswith("-") else field, "-id").defer(*listing.PAYLOAD)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    jobs_shown = list(page)
    counted = progress.counters_of_many(jobs_shown)
    shown = [{"job": job, "counters": counted[job.pk]} for job in jobs_shown]
    context = {
        "page": page,
        "rows": shown,
        "sort": wanted,
        "status": status,
        "statuses": transitions.LABELING_JOB.states,
    }
    return render(request, "requester/jobs.html", context)


def _bar(job: LabelingJob, counters: dict[str, int]) -> dict[str, Any]:
    total = max(1, job.objects_total)
    shares, at = [], 0.0
    for kind, name, said in (
        ("human", "HumanLabeled", gettext("People")),
        ("machine", "MachineLabeled", gettext("Machine")),
        ("failed", "FailedNonRetryableError", gettext("Failed")),
    ):
        width = 100 * counters[name] / total
        shares.append(
            {"kind": kind, "said": said, "count": counters[name], "x": round(at, 3), "width": round(width, 3)}
        )
        at += width
    return {"shares": shares, "left": counters["Unlabeled"], "done": round(at)}


def job_context(request: HttpRequest, job: LabelingJob, tab: str) -> dict[str, Any]:
    """What every tab of a job's page shows."""
    counters = progress.counters(job)
    reviewed = job.review_days is not None
    has_loop = job.automated and automation.installed()
    return {
        "job": job,
        "tab": tab,
        "counters": counters,
        "bar": _bar(job, counters),
        "money": progress.money(job),
        "running": job.status in RUNNING,
        "progress": progress.progress(job),
        "now": listing.doing(job),
        "probe": probe.outcome(job) if tab == "progress" else None,
        "probe_held": probe.is_held(job),
        "may_follow": not chaining.refusal(job),
        "audits": chaining.audits_of(job),
        "tabs": [
            ("progress", gettext("Progress"), reverse("requester:job", args=[job.pk])),
            ("gallery", gettext("Labels"), reverse("requester:job-gallery", args=[job.pk])),
            ("classes", gettext("Classes"), reverse("requester:job-classes", args=[job.pk])),
            *([("loop", gettext("Learning loop"), reverse("requester:job-loop", args=[job.pk]))] if has_loop else []),
            *([("answers", gettext("Review"), reverse("requester:job-answers", args=[job.pk]))] if reviewed else []),
            ("people", gettext("People and agreement"), reverse("requester:job-people", args=[job.pk])),
            ("bonuses", gettext("Bonuses"), reverse("requester:job-bonuses", args=[job.pk])),
            ("downloads", gettext("Downloads"), reverse("requester:job-downloads", args=[job.pk])),
        ],
    }


@requester_page()
def detail_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Progress, money, design of a job."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    context = job_context(request, job, "progress") | {"kind": task_types.get(job.task_type)}
    context["requirements"] = requirements.said(requirements.of_audience(job.queue.audience_id))
    context["promised"] = automation.promised(job.task_type, job.automated_labeling or {})
    context["prelabels"] = _prelabels(job)
    context["rule_allowed"] = job.queue.routing_rule in routing.allowed()
    context["functions"] = choosing.of_job(job)
    context["send_again"] = failures.sendable(job).count() if any(context["functions"].values()) else 0
    context["sent_at_once"] = min(context["send_again"], failures.AT_ONCE.longest)
    context["hourly"], context["pay_floor"] = hourly.of_job(job), hourly.floor_micros()
    context["topics"] = topics.shown(job)
    context["price"] = prices.section(job)
    context["bad_lines"] = BadLine.objects.filter(job=job).order_by("number")[:20]
    context["failed"] = DataObject.objects.filter(job=job, state="Failed").order_by("index")[:20]
    return render(request, "requester/job.html", context)


def _prelabels(job: LabelingJob) -> str:
    """Whose labels people check, or count as one more worker's, in words; "" for jobs without pre-labels."""
    if not job.prelabels:
        return ""
    given = job.prelabels
    named = next((given[name] for name in ("attribute", "model", "endpoint") if name in given), "")
    if options.counts(task_types.get(job.task_type)):
        source = f"{given['source']} {named}".rstrip()
        text = gettext(
            "those of the {source} count as one more worker, which people do not see; on {share:.0%} of the objects "
            "they do not count"
        )
        return formats.filled(text, source=source, share=given["blind_share"])
    text = PRELABELS_NAMED[given["source"]] if named else PRELABELS
    price = formats.money(job.queue.price_of(checks=True))
    return formats.filled(gettext(text), name=named, price=price, blind=given["blind_share"])


@requester_page()
def progress_part(request: HttpRequest, job_id: int) -> HttpResponse:
    """The part of the page that changes while the job runs."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    response = render(request, "requester/job_progress.html", job_context(request, job, "progress"))
    if job.status not in RUNNING and request.GET.get("was") == "running":
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requester_page(Role.MEMBER)
def stop(request: HttpRequest, job_id: int) -> HttpResponse:
    """Stop the job."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    creation.stop_job(job=job, by=actor(request.user))
    return redirect("requester:job", job.pk)


@require_POST
@requester_page(Role.MEMBER)
def carry_on(request: HttpRequest, job_id: int) -> HttpResponse:
    """Let a job go on that waits after its first objects."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    probe.carry_on(job=job, by=actor(request.user))
    messages.success(request, gettext("The job goes on."))
    return redirect("requester:job", job.pk)


@requester_page()
def loop_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """The rounds of the learning loop, its curves and thresholds."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    if not job.automated:
        raise NotFound("the labeling job has no learning loop")
    view = automation.loop_view(job)
    part = bool(request.GET.get("part"))
    context = {
        **job_context(request, job, "loop"),
        "loop": view and view | {"rounds": [row | {"note": loop_story.note(view, row)} for row in view["rounds"]]},
        "charts": loop_charts.charts(view) if view else [],
        "promise": _promise(view) if view else "",
    }
    if view:
        context |= {
            "steps": loop_story.steps(view),
            "reasons": loop_story.reasons(view),
            "galleries": [
                ("machine", gettext("By the machine")),
                *((n, said) for n, (said, *_) in automation.gallery(job).items()),
            ],
            "saving": loop_story.saving(view, context["money"]),
        }
    response = render(request, "requester/job_rounds.html" if part else "requester/job_loop.html", context)
    if part and job.status not in RUNNING:
        response["HX-Refresh"] = "true"
    return response


def _promise(view: dict[str, Any]) -> str:
    """What the loop promises, in words."""
    if view["target_quality"] is None and not view["target_error"]:
        return gettext("the quality asked for")
    if error := view["target_error"]:
        of_objects = view["error_loss"] == "objects"
        text = (
            gettext("a share of at most {error:.1%} wrong objects")
            if of_objects
            else gettext("a share of at most {error:.1%} wrong labels")
        )
        said = formats.filled(text, error=error)
    else:
        vowel = view["measure"][0] in "aeiou"
        text = (
            gettext("an {measure} of at least {target:g}") if vowel else gettext("a {measure} of at least {target:g}")
        )
        said = formats.filled(text, measure=gettext(view["measure"]), target=view["target_quality"])
    if not view["confidence"]:
        return said
    sure = formats.filled(gettext("with {confidence:.0%} confidence"), confidence=view["confidence"])
    return f"{said} {sure}"


@requester_page()
def people_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Worker skill, confidence, and the objects people disagree on most."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    kind, skills = task_types.get(job.task_type), accuracy.with_accuracies(job, people.worker_skills(job))
    histogram = people.confidence_histogram(job)
    chart = {
        "type": "bar",
        "title": gettext("Confidence of the labels by people"),
        "x": {"label": gettext("confidence")},
        "y": {"label": gettext("objects")},
        "series": [{"name": gettext("Objects"), "points": [[i / 10, n] for i, n in enumerate(histogram)]}],
    }
    unclear, first_unclear = people.unclear(job, limit=6)
    context = {
        **job_context(request, job, "people"),
        "kind": kind,
        "golds": golds.section(request, job),
        "skills": skills,
        "warning": people.warning(job),
        "picture": conduct_forms.picture(
            {row["worker"]: row["reputation"] for row in skills}, {row["worker"]: row["answers"] for row in skills}
        ),
        "chart": chart if any(histogram) else None,
        "unclear": unclear,
        "unclear_cards": cards.cards(first_unclear, kind, request.user.pk or 0, classes=job.labels, everybody=True),
        "cards": cards.cards(
            people.disagreements(job, limit=12), kind, request.user.pk or 0, classes=job.labels, everybody=True
        ),
    }
    return render(request, "requester/job_people.html", context)


@requester_page()
def downloads_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Exports: start one, follow it, fetch it."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    rows = list(Export.objects.filter(job=job).order_by("-id")[:30])
    for row in rows:
        row.said = EXPORT_KINDS.get(row.kind, row.kind)
        row.notes = [note for note in row.item_errors if note.get("used")]
        row.left_out = [error for error in row.item_errors if not error.get("used")]
        row.said_labels = EXPORT_LABELS.get(row.which, row.which)
    context = {
        **job_context(request, job, "downloads"),
        "exports": rows,
        "kinds": [(kind, EXPORT_KINDS[kind]) for kind in EXPORT_KINDS if kind in exports.formats(job)],
        "labels": EXPORT_LABELS.items(),
        "with_images": [kind for kind in exports.formats(job) if kind not in exports.without_images(job)],
        "images_limit": settings.EXPORT_IMAGES_MAX_BYTES,
        "busy": any(e.status == "InProgress" for e in rows),
    }
    part = "requester/job_exports.html" if request.GET.get("part") else "requester/job_downloads.html"
    return render(request, part, context)


@require_POST
@requester_page()
def export(request: HttpRequest, job_id: int) -> HttpResponse:
    """Start an export."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    kind, which = request.POST.get("kind", ""), request.POST.get("which", "all")
    images = bool(request.POST.get("images")) and kind not in exports.without_images(job)
    exports.create_export(job=job, kind=kind, which=which, images=images, by=actor(request.user))
    return redirect("requester:job-downloads", job.pk)


@require_POST
@requester_page(Role.MEMBER)
def stop_export(request: HttpRequest, export_id: int) -> HttpResponse:
    """Stop an export that is under way."""
    row = scope.export(request.account, export_id)  # type: ignore[attr-defined]
    exports.stop_export(export=row, by=actor(request.user))
    return redirect("requester:job-downloads", row.job_id)
