"""The worker's pages: what there is to do, the task itself, what was earned."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from frontend.session import worker_page
from labeling.models import LabelingJob
from labeling.queries.statements import statement_lines
from labeling.services.queue import assignments
from marketplace.errors import NotFound
from marketplace.services import earnings, workteams

PER_PAGE = 50


@worker_page
def jobs(request: HttpRequest) -> HttpResponse:
    """Jobs with tasks for this worker: price, expected hourly pay, tasks left."""
    worker = request.worker  # type: ignore[attr-defined]
    rows = assignments.work_available(worker=worker)
    return render(
        request, "worker/jobs.html", {"rows": rows, "balance": earnings.balance(worker=worker), "worker": worker}
    )


@worker_page
def task(request: HttpRequest, job_id: int) -> HttpResponse:
    """The page tasks are done on; it claims and submits over REST."""
    worker = request.worker  # type: ignore[attr-defined]
    job = LabelingJob.objects.select_related("workteam").filter(pk=job_id).first()
    if job is None or not workteams.eligible(worker=worker, team=job.workteam):
        raise NotFound(f"there is no labeling job {job_id} for you")
    here = reverse("worker:task", args=[job.pk])
    config = {
        "job_id": job.pk,
        "worker_id": worker.pk,
        "api_base": "/api/v1",
        "sign_in_url": f"{reverse('sign-in')}?next={here}",
        "exit_url": reverse("worker:jobs"),
        "preview": False,
        "assignment": None,
    }
    return render(request, "worker/task.html", {"config": config, "job": job})


@worker_page
def earnings_page(request: HttpRequest) -> HttpResponse:
    """Each payment, and the balance."""
    worker = request.worker  # type: ignore[attr-defined]
    page = Paginator(earnings.payments(worker=worker), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "lines": statement_lines(page), "balance": earnings.balance(worker=worker)}
    return render(request, "worker/earnings.html", context)
