"""The task exactly as a worker sees it, for a draft and for a launched job. Nothing is claimed."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from frontend.images import image_response, text_response
from frontend.requester import job_examples, job_input, label_fields
from frontend.requester.job_forms import MINUTE
from frontend.requester.job_new import draft, drafted_type
from frontend.session import requester_page
from frontend.tasks import preview_payload, task_document
from labeling.models import WorkQueue
from labeling.services import scope
from labeling.services.intake import audited, samples
from labeling.services.jobs.design import Design
from labeling.services.jobs.instructions import clean_instructions
from marketplace.errors import NotFound
from marketplace.models import Role


def _page(request: HttpRequest, task: dict[str, Any], *, seconds: float, queue_id: int, back: str) -> HttpResponse:
    config = {
        "queue_id": queue_id,
        "worker_id": 0,
        "api_base": "/api/v1",
        "sign_in_url": reverse("sign-in"),
        "exit_url": back,
        "preview": True,
        "assignment": {
            "id": 0,
            "seconds_left": seconds,
            "rejected_because": None,
            "accepted_at": None,
            "lease_expires_at": None,
            **task,
        },
    }
    return render(request, "worker/task.html", {"config": config, "title": task["title"]})


@requester_page()
def of_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """A task of a job, with submitting switched off."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    back = reverse("requester:job", args=[job.pk])
    task = preview_payload(job, request.user.pk or 0)
    return _page(request, task, seconds=job.task_time_limit_seconds, queue_id=job.queue_id, back=back)


@requester_page(Role.MEMBER)
def of_draft(request: HttpRequest) -> HttpResponse:
    """A task of the job the wizard is about to launch, on the data set's first picture."""
    given = draft(request)
    if "data" not in given or "task" not in given:
        return redirect("requester:job-new")
    kind = drafted_type(given)
    source = job_input.of_draft(request.account, given["data"])  # type: ignore[attr-defined]
    sample = source.sample(kind, request.user.pk or 0)
    words, people = given["task"], given.get("people", {})
    queue = WorkQueue(
        pk=0,
        task_type=kind.name,
        title=words["title"],
        price_micros=people.get("price", 0),
        review_days=people.get("review_days"),
        labels=words["labels"],
        label_category_config=label_fields.config_of(words),
        instructions=clean_instructions({"short": words["short"], "full": words["full"]}),
    )
    task = task_document(
        queue,
        task_id=0,
        address=sample.address,
        width=sample.width,
        height=sample.height,
        examples=job_examples.shown(words),
        shown=audited.of_line(
            kind,
            sample.attributes,
            words.get("audit_label_attribute_name", ""),
            size=(sample.width, sample.height),
            account=request.account,  # type: ignore[attr-defined]
        ),
    )
    minutes = people.get("time_limit_minutes")
    seconds = Design.task_time_limit_seconds if minutes is None else MINUTE * minutes
    return _page(request, task, seconds=seconds, queue_id=0, back=reverse("requester:job-review"))


@requester_page()
def sample_image(request: HttpRequest, dataset_id: int, number: int) -> HttpResponse:
    """One of the first pictures, or texts, of a data set."""
    row = scope.dataset(request.account, dataset_id)  # type: ignore[attr-defined]
    if samples.holds_texts(dataset=row):
        return text_response(samples.sample_text(dataset=row, number=number), request)
    return image_response(samples.sample_uri(dataset=row, number=number), request)


@requester_page(Role.MEMBER)
def example_image(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """An example picture of the draft in this session."""
    examples = draft(request).get("task", {}).get(kind, []) if kind in job_examples.KINDS else []
    if number >= len(examples):
        raise NotFound("there is no such example")
    return image_response(examples[number]["uri"], request)
