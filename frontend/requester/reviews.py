"""The tab of a job on which its answers are reviewed and its reviewers named, and the account's page of appeals."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import appeal_pages, review_pages
from frontend.requester.jobs import job_context
from frontend.review_forms import first_error
from frontend.review_pages import PER_PAGE, Desk
from frontend.session import requester_page
from labeling.models import LabelingJob
from labeling.services import scope
from labeling.services.results import review_lists, reviewers
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services.scope import actor


class ReviewerForm(forms.Form):
    """Whom the account trusts to review."""

    worker = forms.CharField(
        max_length=review_lists.WORKER_LENGTH.longest,
        label=_("Worker's id"),
        help_text=_("Somebody on one of your own work teams, where the ids are listed."),
    )


def _desk(request: HttpRequest, job: LabelingJob) -> Desk:
    return Desk(
        queue=job.queue,
        by=actor(request.user),
        here=reverse("requester:job-answers", args=[job.pk]),
        many_url=reverse("requester:job-answers-decide", args=[job.pk]),
        sample_url=reverse("requester:job-answers-sample", args=[job.pk]),
        one_url=lambda review_id: reverse("requester:job-answer-decide", args=[job.pk, review_id]),
        object_url=lambda object_id: reverse("requester:object", args=[job.pk, object_id]),
    )


@requester_page()
def answers_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """Answers with picture, what was drawn and the label beside it; filters, a sample, decisions, and reviewers."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    context = {
        **job_context(request, job, "answers"),
        **review_pages.context(request, _desk(request, job)),
        "reviewers": reviewers.of_queue(job.queue),
        "reviewer_form": ReviewerForm(),
    }
    return render(request, "requester/job_answers.html", context)


@require_POST
@requester_page(Role.MEMBER)
def decide(request: HttpRequest, job_id: int, review_id: int) -> HttpResponse:
    """Accept or reject one answer."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    row = scope.review(request.account, review_id)  # type: ignore[attr-defined]
    return review_pages.decide(request, _desk(request, job), row)


@require_POST
@requester_page(Role.MEMBER)
def decide_some(request: HttpRequest, job_id: int) -> HttpResponse:
    """Accept or reject the pending answers that the filter in the address keeps."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    return review_pages.decide_some(request, _desk(request, job))


@require_POST
@requester_page(Role.MEMBER)
def sample(request: HttpRequest, job_id: int) -> HttpResponse:
    """Draw a random sample of the pending answers, and show it."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    return review_pages.sample(request, _desk(request, job))


@require_POST
@requester_page(Role.MEMBER)
def add_reviewer(request: HttpRequest, job_id: int) -> HttpResponse:
    """Let a worker review the job's answers."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form = ReviewerForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("requester:job-answers", job.pk)
    try:
        worker = reviewers.candidate(job.queue, form.cleaned_data["worker"])
        reviewers.add(queue=job.queue, worker=worker, by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request,
            gettext("Worker {public_id} reviews the answers from now on, and was told.").format(
                public_id=worker.public_id
            ),
        )
    return redirect("requester:job-answers", job.pk)


@require_POST
@requester_page(Role.MEMBER)
def remove_reviewer(request: HttpRequest, job_id: int, reviewer_id: str) -> HttpResponse:
    """Let a reviewer decide no more."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    reviewers.remove(queue=job.queue, worker=reviewers.named(job.queue, reviewer_id), by=actor(request.user))
    messages.success(request, gettext("Removed. What they decided stands."))
    return redirect("requester:job-answers", job.pk)


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
