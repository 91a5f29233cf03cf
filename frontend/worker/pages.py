"""The worker's pages: what there is to do, the task itself, what was earned."""

import re
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from frontend.session import worker_page
from labeling.models import LabelingJob
from labeling.services.queue import assignments
from marketplace.errors import NotFound
from marketplace.models import Posting
from marketplace.services import earnings, workteams

PER_PAGE = 50
JOB = re.compile(r"labeling job (\d+)")


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
    rows = _titled(list(page))
    return render(
        request, "worker/earnings.html", {"page": page, "rows": rows, "balance": earnings.balance(worker=worker)}
    )


def _titled(payments: list[Posting]) -> list[dict[str, Any]]:
    """The payments, with the title of the labeling job each was for."""
    found = [JOB.search(payment.entry.description) for payment in payments]
    jobs_paid = {int(match[1]) for match in found if match}
    titles = dict(LabelingJob.objects.filter(pk__in=jobs_paid).values_list("pk", "title"))
    return [
        {"payment": payment, "what": titles.get(int(match[1])) if match else payment.entry.description}
        for payment, match in zip(payments, found, strict=True)
    ]
