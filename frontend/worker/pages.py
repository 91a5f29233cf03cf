"""The worker's pages: what there is to do, the task itself, and what became of answers."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend import formats
from frontend.images import image_url
from frontend.layers import earlier_layers, seen
from frontend.networks import caller
from frontend.review_forms import AppealForm, first_error
from frontend.session import worker_page
from labeling import task_types
from labeling.queries import class_names, golds, people
from labeling.services import scope
from labeling.services.conduct import lists
from labeling.services.golds import scoring
from labeling.services.intake import audited
from labeling.services.queue import worklist
from labeling.services.results import appeals, history
from marketplace.errors import DomainError, NotFound
from marketplace.services import chosen_keys, earnings, team_access

PER_PAGE = 50


@worker_page
def jobs(request: HttpRequest) -> HttpResponse:
    """Jobs with tasks for this worker: price, expected hourly pay, tasks left."""
    worker = request.worker  # type: ignore[attr-defined]
    address = caller(request)
    page = Paginator(worklist.queues_with_work(worker, address), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": worklist.with_counts(worker, page),
        "balance": earnings.balance(worker=worker),
        "worker": worker,
        "closed": lists.closing(worker).count(),
        "outside": team_access.teams_outside(worker=worker, address=address),
        "address": address,
    }
    return render(request, "worker/jobs.html", context)


@worker_page
def task(request: HttpRequest, queue_id: int) -> HttpResponse:
    """The page tasks are done on; it claims and submits over REST."""
    worker = request.worker  # type: ignore[attr-defined]
    queue = scope.queue(worker, queue_id, caller(request))
    here = reverse("worker:task", args=[queue.pk])
    config = {
        "queue_id": queue.pk,
        "worker_id": worker.pk,
        "api_base": "/api/v1",
        "sign_in_url": f"{reverse('sign-in')}?next={here}",
        "exit_url": reverse("worker:jobs"),
        "preview": False,
        "assignment": None,
        "keys": chosen_keys.of(worker),
    }
    return render(request, "worker/task.html", {"config": config, "title": queue.title})


@worker_page
def history_page(request: HttpRequest) -> HttpResponse:
    """The worker's answers, what became of each, and a form for an appeal where one is possible."""
    worker = request.worker  # type: ignore[attr-defined]
    page = Paginator(history.answered(worker).order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request, "worker/history.html", {"page": page, "rows": history.fates(list(page)), "form": AppealForm()}
    )


@worker_page
def gold(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """The worker's answer beside the true one, for a gold that is not in use any more."""
    worker = request.worker  # type: ignore[attr-defined]
    seat = scope.assignment(worker, assignment_id)
    found = golds.told([seat]).get(seat.pk)
    if found is None:
        raise NotFound("there is no true answer to show")
    shown, kind = seat.task.input, task_types.get(seat.queue.task_type)
    size = (shown["width"], shown["height"])
    content = class_names.content_now(scoring.newest_answers([seat.pk])[seat.pk], queue=seat.queue, size=size)
    before = audited.of_objects(kind, [shown["object"]]).get(shown["object"])
    true = {"name": gettext("True answer"), "kind": "merged", "on": True, **kind.layer(found.truth)}
    mine = {
        "name": gettext("Your answer"),
        "kind": "worker",
        "color": people.COLOURS[1],
        "on": True,
        **kind.answer_layer(content),
    }
    context = {
        "gold": found,
        "kind": kind,
        "title": seat.queue.title,
        "image_url": image_url(shown["object"], worker.user_id),
        "width": shown["width"],
        "height": shown["height"],
        "layers": seen([true, mine, *earlier_layers(before, kind)], seat.queue.labels),
    }
    return render(request, "worker/gold.html", context)


@require_POST
@worker_page
def appeal(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """Appeal against a rejection."""
    worker = request.worker  # type: ignore[attr-defined]
    review = scope.rejected_review(worker, assignment_id)
    form = AppealForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("worker:history")
    try:
        filed = appeals.file_appeal(review=review, worker=worker, text=form.cleaned_data["text"])
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request,
            gettext("Your appeal was sent. It is answered by {due_at}, or upheld.").format(
                due_at=formats.day(filed.due_at)
            ),
        )
    return redirect("worker:history")
