"""The worker's qualifications, the tests they take for them, and the work that is closed to them."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend.layers import seen
from frontend.qualification_pages import mark_of
from frontend.session import worker_page
from labeling import task_types
from labeling.models import QualificationAnswer, QualificationAttempt
from labeling.services.qualifications import earning, showing, taking
from marketplace import strict
from marketplace.errors import DomainError
from marketplace.models import WorkerStatus

PER_PAGE = 50


@worker_page
def list_page(request: HttpRequest) -> HttpResponse:
    """What the worker has, had and may come by."""
    worker = request.worker  # type: ignore[attr-defined]
    page = Paginator(showing.types(worker), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(row, held, showing.state_of(held), mark_of(row)) for row, held in showing.rows(worker, page)]
    return render(request, "worker/qualifications.html", {"page": page, "rows": rows})


@worker_page
def detail_page(request: HttpRequest, type_id: int) -> HttpResponse:
    """One qualification: whether the worker has it, how it is come by, and what they have tried."""
    worker = request.worker  # type: ignore[attr-defined]
    row = showing.type_shown(worker, type_id)
    context = {
        "standing": showing.standing(worker, row),
        "mark": mark_of(row),
        "attempts": showing.attempts(worker, row)[:PER_PAGE],
    }
    return render(request, "worker/qualification.html", context)


@worker_page
def closed_page(request: HttpRequest) -> HttpResponse:
    """Open work of the worker's workforces that they may not do, with the reason and what would help."""
    worker = request.worker  # type: ignore[attr-defined]
    page = Paginator(showing.closed_queues(worker), PER_PAGE).get_page(request.GET.get("page"))
    suspended = worker.status == WorkerStatus.SUSPENDED
    return render(request, "worker/closed.html", {"page": page, "rows": showing.closed(page), "suspended": suspended})


@require_POST
@worker_page
def ask(request: HttpRequest, type_id: int) -> HttpResponse:
    """Ask for a qualification that the worker's own work earns."""
    worker = request.worker  # type: ignore[attr-defined]
    row = showing.type_shown(worker, type_id)
    try:
        held = earning.ask(row=row, worker=worker)
    except DomainError as error:
        messages.error(request, gettext("Not yet: {message}.").format(message=error.message))
    else:
        messages.success(
            request,
            gettext("You have the qualification {name} with the value {value}.").format(
                name=row.name, value=held.value
            ),
        )
    return redirect("worker:qualification", row.pk)


@require_POST
@worker_page
def start(request: HttpRequest, type_id: int) -> HttpResponse:
    """Begin the training or the exam, or go on with it."""
    worker = request.worker  # type: ignore[attr-defined]
    row = showing.type_shown(worker, type_id)
    try:
        attempt = taking.start(row=row, worker=worker, training=request.POST.get("training") == "on")
    except DomainError as error:
        messages.error(request, gettext("Not now: {message}.").format(message=error.message))
        return redirect("worker:qualification", row.pk)
    return redirect("worker:test", attempt.pk)


@worker_page
def test_page(request: HttpRequest, attempt_id: int) -> HttpResponse:
    """The next question; what the last one of a training should have been; or the result."""
    attempt = showing.attempt(request.worker, attempt_id)  # type: ignore[attr-defined]
    asked = taking.current(attempt)
    answered = attempt.answers.exclude(answered_at=None).select_related("question").order_by("place")
    context: dict[str, Any] = {
        "attempt": attempt,
        "test": attempt.test,
        "row": attempt.test.qualification_type,
        "kind": task_types.get(attempt.test.task_type),
        "asked": asked,
        "image_url": f"/api/v1/qualification-questions/{asked.question_id}/image" if asked else "",
        "answered": len(answered),
        "total": attempt.answers.count(),
        "feedback": _feedback(attempt, answered[len(answered) - 1]) if attempt.training and answered else None,
    }
    return render(request, "worker/test.html", context)


def _feedback(attempt: QualificationAttempt, answered: QualificationAnswer) -> dict[str, Any]:
    """A training answer beside the truth, as layers of a picture."""
    kind, question = task_types.get(attempt.test.task_type), answered.question
    truth = {"name": gettext("The true answer"), "kind": "merged", **kind.layer(question.truth)}
    given = {
        "name": gettext("Yours"),
        "kind": "worker",
        "color": "#d9480f",
        "on": True,
        **kind.answer_layer(answered.content),
    }
    url = f"/api/v1/qualification-questions/{question.pk}/image?side=720"
    return {
        "question": question,
        "url": url,
        "score": answered.score,
        "layers": seen([truth, given], attempt.test.labels),
    }


@require_POST
@worker_page
def answer(request: HttpRequest, attempt_id: int, question_id: int) -> HttpResponse:
    """Hand in the answer to a question."""
    attempt = showing.attempt(request.worker, attempt_id)  # type: ignore[attr-defined]
    try:
        content = strict.read_json(request.POST.get("answer", ""))
        taking.answer(attempt=attempt, question_id=question_id, content=content)
    except ValueError:
        messages.error(request, gettext(task_types.get(attempt.test.task_type).words.not_received))
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("worker:test", attempt.pk)
