"""The worker's pages: what there is to do, and the task itself."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from frontend.session import worker_page
from labeling.services import scope
from labeling.services.queue import worklist
from marketplace.services import earnings

PER_PAGE = 50


@worker_page
def jobs(request: HttpRequest) -> HttpResponse:
    """Jobs with tasks for this worker: price, expected hourly pay, tasks left."""
    worker = request.worker  # type: ignore[attr-defined]
    page = Paginator(worklist.queues_with_work(worker), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": worklist.with_counts(worker, page),
        "balance": earnings.balance(worker=worker),
        "worker": worker,
    }
    return render(request, "worker/jobs.html", context)


@worker_page
def task(request: HttpRequest, queue_id: int) -> HttpResponse:
    """The page tasks are done on; it claims and submits over REST."""
    worker = request.worker  # type: ignore[attr-defined]
    queue = scope.queue(worker, queue_id)
    here = reverse("worker:task", args=[queue.pk])
    config = {
        "queue_id": queue.pk,
        "worker_id": worker.pk,
        "api_base": "/api/v1",
        "sign_in_url": f"{reverse('sign-in')}?next={here}",
        "exit_url": reverse("worker:jobs"),
        "preview": False,
        "assignment": None,
    }
    return render(request, "worker/task.html", {"config": config, "title": queue.title})
