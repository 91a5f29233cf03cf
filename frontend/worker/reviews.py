"""The pages of workers who review: the jobs whose answers they decide about, and the answers."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from frontend import review_pages
from frontend.networks import caller
from frontend.review_pages import Desk
from frontend.session import worker_page
from labeling.services.results import reviewers
from marketplace.models import Worker

PER_PAGE = 20


def _desk(request: HttpRequest, reviewed_id: int) -> Desk:
    worker: Worker = request.worker  # type: ignore[attr-defined]
    return Desk(
        queue=reviewers.queue_of(worker, reviewed_id, caller(request)),
        by=reviewers.actor(worker),
        here=reverse("worker:review", args=[reviewed_id]),
        many_url=reverse("worker:review-decide-some", args=[reviewed_id]),
        sample_url=reverse("worker:review-sample", args=[reviewed_id]),
        one_url=lambda review_id: reverse("worker:review-decide", args=[reviewed_id, review_id]),
        reviewer=worker.pk,
    )


@worker_page
def list_page(request: HttpRequest) -> HttpResponse:
    """The jobs that the worker reviews, with how many answers wait."""
    worker = request.worker  # type: ignore[attr-defined]
    page = Paginator(reviewers.queues_of(worker, caller(request)), PER_PAGE).get_page(request.GET.get("page"))
    waiting = reviewers.waiting(worker, page)
    return render(
        request, "worker/reviews.html", {"page": page, "rows": [(queue, waiting[queue.pk]) for queue in page]}
    )


@worker_page
def answers_page(request: HttpRequest, reviewed_id: int) -> HttpResponse:
    """Answers as the account sees them, without golds and without those to the worker's own tasks."""
    return render(request, "worker/review.html", review_pages.context(request, _desk(request, reviewed_id)))


@require_POST
@worker_page
def decide(request: HttpRequest, reviewed_id: int, answer_id: int) -> HttpResponse:
    """Accept or reject one answer."""
    row = reviewers.review(request.worker, answer_id, caller(request))  # type: ignore[attr-defined]
    return review_pages.decide(request, _desk(request, reviewed_id), row)


@require_POST
@worker_page
def decide_some(request: HttpRequest, reviewed_id: int) -> HttpResponse:
    """Accept or reject the pending answers that the filter in the address keeps."""
    return review_pages.decide_some(request, _desk(request, reviewed_id))


@require_POST
@worker_page
def sample(request: HttpRequest, reviewed_id: int) -> HttpResponse:
    """Draw a random sample of the pending answers, and show it."""
    return review_pages.sample(request, _desk(request, reviewed_id))
