"""The tab of a job on which its answers are reviewed, and the account's page of appeals."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from frontend import appeal_pages
from frontend.images import image_url
from frontend.requester import cards
from frontend.requester.jobs import job_context
from frontend.review_forms import DecisionForm, FilterForm, SampleForm, first_error
from frontend.session import requester_page
from labeling import task_types
from labeling.models import AnswerReview, LabelingJob
from labeling.queries import people
from labeling.services import scope
from labeling.services.results import deciding, history, review_lists
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services.scope import actor

PER_PAGE = 12


@requester_page()
def answers_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Answers with picture, what was drawn and the label beside it; filters, a sample, and decisions."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form = FilterForm(request.GET)
    found = review_lists.reviews(job.queue, form.wanted())
    page = Paginator(history.shown(found).order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    kind = task_types.get(job.task_type)
    context = {
        **job_context(request, job, "answers"),
        "page": page,
        "form": form,
        "filtered": form.is_bound and any(request.GET.get(name) for name in form.fields),
        "sample": SampleForm(),
        "decision": DecisionForm(),
        "at_once": deciding.AT_ONCE,
        "shown_query": request.GET.urlencode(),
        "cards": [_card(row, kind, request.user.pk or 0) for row in page],
    }
    return render(request, "requester/job_answers.html", context)


def _card(row: AnswerReview, kind: cards.Kind, user_id: int) -> dict[str, Any]:
    """What the template of one answer needs: its layer is switched on beside that of the label."""
    shown = row.assignment.task.data_object
    made = [cards.label_layer(shown.label, kind)] if shown.label is not None else []
    made.append(
        {
            "name": "Answer",
            "kind": "worker",
            "color": people.COLOURS[0],
            "on": True,
            **kind.answer_layer(row.answer.content),
        }
    )
    name = shown.file_name or f"Object {shown.index}"
    return {
        "review": row,
        "appeal": getattr(row, "appeal", None),
        "row": shown,
        "kind": kind,
        "name": name,
        "said": f"{name}, answer of {row.worker.public_id}",
        "image_url": f"{image_url(shown.pk, user_id)}?side=720",
        "layers": {"layers": made},
    }


def _back(request: HttpRequest, job: LabelingJob) -> HttpResponse:
    """To the page with the filter that the form was sent with."""
    query = request.GET.urlencode()
    return redirect(reverse("requester:job-answers", args=[job.pk]) + (f"?{query}" if query else ""))


@require_POST
@requester_page(Role.MEMBER)
def decide(request: HttpRequest, job_id: int, review_id: int) -> HttpResponse:
    """Accept or reject one answer."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    row = scope.review(request.account, review_id)  # type: ignore[attr-defined]
    form = DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return _back(request, job)
    given = form.cleaned_data
    try:
        if given["decision"] == "accept":
            deciding.accept_one(review=row, by=actor(request.user))
            messages.success(request, "Accepted: the answer is paid.")
        else:
            done = deciding.reject_one(
                review=row, reason=given["reason"], return_to_worker=given["return_to_worker"], by=actor(request.user)
            )
            where = "the same worker has the task again" if done.returned else "the money came back"
            messages.success(request, f"Rejected: {where}.")
    except DomainError as error:
        messages.error(request, error.message)
    return _back(request, job)


@require_POST
@requester_page(Role.MEMBER)
def decide_some(request: HttpRequest, job_id: int) -> HttpResponse:
    """Accept or reject the pending answers that the filter in the address keeps."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form, shown = DecisionForm(request.POST), FilterForm(request.GET)
    if not form.is_valid() or not shown.is_valid():
        messages.error(request, first_error(shown if form.is_valid() else form))
        return _back(request, job)
    given, wanted = form.cleaned_data, shown.wanted()
    try:
        if given["decision"] == "accept":
            done = deciding.accept_where(queue=job.queue, wanted=wanted, by=actor(request.user))
        else:
            done = deciding.reject_where(
                queue=job.queue,
                wanted=wanted,
                reason=given["reason"],
                return_to_worker=given["return_to_worker"],
                by=actor(request.user),
            )
    except DomainError as error:
        messages.error(request, error.message)
        return _back(request, job)
    left = f"; {done.left} are left, send it again" if done.left else ""
    messages.success(request, f"{done.decided} answers {given['decision']}ed{left}.")
    return _back(request, job)


@require_POST
@requester_page(Role.MEMBER)
def sample(request: HttpRequest, job_id: int) -> HttpResponse:
    """Draw a random sample of the pending answers, and show it."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form = SampleForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return _back(request, job)
    drawn = review_lists.draw_sample(queue=job.queue, size=form.cleaned_data["size"])
    messages.success(request, f"{drawn} answers drawn at random. Look at them, then accept those not in the sample.")
    return redirect(reverse("requester:job-answers", args=[job.pk]) + "?sampled=yes")


@requester_page()
def appeals_page(request: HttpRequest) -> HttpResponse:
    """Appeals against the account's rejections: open ones first."""
    rows = scope.appeals(request.account)  # type: ignore[attr-defined]
    return appeal_pages.listed(request, rows, room="requester", per_page=PER_PAGE)


@require_POST
@requester_page(Role.MEMBER)
def answer_appeal(request: HttpRequest, appeal_id: int) -> HttpResponse:
    """Uphold or deny an appeal."""
    appeal = scope.appeal(appeal_id, request.account)  # type: ignore[attr-defined]
    return appeal_pages.answered(request, appeal, room="requester")
