"""A page of answers under review, and what its forms do: the account's, and a reviewer's among the worker pages."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from frontend import masks
from frontend.images import image_url
from frontend.layers import Kind, earlier_layers, label_layer, seen
from frontend.review_forms import DecisionForm, FilterForm, SampleForm, first_error
from labeling import task_types
from labeling.models import AnswerReview, WorkQueue
from labeling.queries import people
from labeling.services.intake import audited
from labeling.services.results import deciding, history, review_lists, reviewers
from labeling.services.results.mask_layers import MaskOf
from labeling.services.results.review_lists import ReviewFilter
from marketplace.errors import DomainError

PER_PAGE = 12


@dataclass(frozen=True)
class Desk:
    """Who decides about the answers to which queue, and the addresses of their page.

    `reviewer` is the key of a worker who reviews them, None for the account itself; `object_url` leads from an answer's
    card to the page of its object, for those who have one.
    """

    queue: WorkQueue
    by: str
    here: str
    many_url: str
    sample_url: str
    one_url: Callable[[int], str]
    object_url: Callable[[int], str] | None = None
    reviewer: int | None = None

    def wanted(self, form: FilterForm) -> ReviewFilter:
        """What the form asks for, of the answers that may be decided here."""
        return replace(form.wanted(), reviewer=self.reviewer)

    def back(self, query: str) -> HttpResponse:
        """To the page, with its filter."""
        return HttpResponseRedirect(self.here + (f"?{query}" if query else ""))


def context(request: HttpRequest, desk: Desk) -> dict[str, Any]:
    """What parts/answers.html shows: answers beside their labels, and the forms for filters, a sample and decisions."""
    form = FilterForm(request.GET)
    found = history.shown(review_lists.reviews(desk.queue, desk.wanted(form)))
    page = Paginator(found.order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    kind, rows = task_types.get(desk.queue.task_type), list(page)
    decided_by = reviewers.deciders(rows)
    before = audited.of_objects(kind, [row.assignment.task.data_object_id for row in rows])
    return {
        "desk": desk,
        "page": page,
        "form": form,
        "filtered": form.is_bound and any(request.GET.get(name) for name in form.fields),
        "sample": SampleForm(),
        "decision": DecisionForm(),
        "at_once": deciding.AT_ONCE,
        "shown_query": request.GET.urlencode(),
        "cards": [_card(row, kind, desk, request.user.pk or 0, decided_by.get(row.pk, ""), before) for row in rows],
    }


def _card(
    row: AnswerReview, kind: Kind, desk: Desk, user_id: int, decided_by: str, before: dict[int, Any]
) -> dict[str, Any]:
    """What the template of one answer needs: its layer is switched on beside that of the label, and of what it was
    given on: `before` holds the earlier labels by object."""
    shown, of_account = row.assignment.task.data_object, desk.reviewer is None
    name = "" if of_account else gettext("Label")
    small = partial(masks.small, object_id=shown.pk, user_id=user_id)
    label = shown.label
    made = [small(label_layer(label, kind, name=name), MaskOf.LABEL, label.pk)] if label is not None else []
    answer = {
        "name": gettext("Answer"),
        "kind": "worker",
        "color": people.COLOURS[0],
        "on": True,
        **kind.answer_layer(history.content(row)),
    }
    made.append(small(answer, MaskOf.ANSWER, row.assignment_id, revision=row.answer.revision))
    made += [small(layer, MaskOf.EARLIER, 0) for layer in earlier_layers(before.get(shown.pk), kind)]
    # To reviewers objects stay without number and name, as they are to everybody who labels them.
    if of_account:
        title = shown.file_name or gettext("Object {index}").format(index=shown.index)
    else:
        title = gettext("Answer {number}").format(number=row.pk)
    return {
        "review": row,
        "appeal": getattr(row, "appeal", None) if of_account else None,
        "row": shown,
        "kind": kind,
        "name": title,
        "said": gettext("{title}, answer of {worker}").format(title=title, worker=row.worker.public_id),
        "object_url": desk.object_url(shown.pk) if desk.object_url is not None else "",
        "one_url": desk.one_url(row.pk),
        "decided_by": decided_by,
        "image_url": f"{image_url(shown.pk, user_id)}?side=720",
        "layers": seen(made, desk.queue.labels),
    }


def decide(request: HttpRequest, desk: Desk, review: AnswerReview) -> HttpResponse:
    """Accept or reject one answer, leave a message and go back to the page."""
    query, form = request.GET.urlencode(), DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return desk.back(query)
    given = form.cleaned_data
    try:
        if given["decision"] == "accept":
            deciding.accept_one(review=review, by=desk.by)
            messages.success(request, gettext("Accepted: the answer is paid."))
        else:
            done = deciding.reject_one(
                review=review, reason=given["reason"], return_to_worker=given["return_to_worker"], by=desk.by
            )
            where = gettext("the same worker has the task again") if done.returned else gettext("the money came back")
            messages.success(request, gettext("Rejected: {where}.").format(where=where))
    except DomainError as error:
        messages.error(request, error.message)
    return desk.back(query)


def decide_some(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Accept or reject the pending answers that the filter in the address keeps."""
    query, form, shown = request.GET.urlencode(), DecisionForm(request.POST), FilterForm(request.GET)
    if not form.is_valid() or not shown.is_valid():
        messages.error(request, first_error(shown if form.is_valid() else form))
        return desk.back(query)
    given, wanted = form.cleaned_data, desk.wanted(shown)
    try:
        if given["decision"] == "accept":
            done = deciding.accept_where(queue=desk.queue, wanted=wanted, by=desk.by)
        else:
            done = deciding.reject_where(
                queue=desk.queue,
                wanted=wanted,
                reason=given["reason"],
                return_to_worker=given["return_to_worker"],
                by=desk.by,
            )
    except DomainError as error:
        messages.error(request, error.message)
        return desk.back(query)
    left = gettext("; {left} are left, send it again").format(left=done.left) if done.left else ""
    said = (
        gettext("{decided} answers accepted{left}.")
        if given["decision"] == "accept"
        else gettext("{decided} answers rejected{left}.")
    )
    messages.success(request, said.format(decided=done.decided, left=left))
    return desk.back(query)


def sample(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Draw a random sample of the pending answers, and show it."""
    form = SampleForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return desk.back(request.GET.urlencode())
    wanted = ReviewFilter(reviewer=desk.reviewer)
    drawn = review_lists.draw_sample(queue=desk.queue, size=form.cleaned_data["size"], wanted=wanted)
    messages.success(
        request,
        gettext("{drawn} answers drawn at random. Look at them, then accept those not in the sample.").format(
            drawn=drawn
        ),
    )
    return desk.back("sampled=yes")
