"""The page of appeals and the answer to one: an account's own, and the operator's of all accounts."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from frontend import words
from frontend.review_forms import AppealAnswerForm, first_error
from labeling.models import Appeal, AppealStatus
from labeling.queries import golds
from marketplace.errors import DomainError
from marketplace.services.scope import actor


def listed(request: HttpRequest, rows: QuerySet[Appeal], *, room: str, per_page: int) -> HttpResponse:
    """The appeals, open ones unless all are asked for; `room` is the namespace of the page's addresses and template."""
    which = request.GET.get("which", "open")
    if which != "all":
        rows = rows.filter(state=AppealStatus.OPEN)
    page = Paginator(rows.order_by("-pk"), per_page).get_page(request.GET.get("page"))
    missed = golds.missed(appeal.review.assignment_id for appeal in page if appeal.state == AppealStatus.OPEN)
    context = {
        "page": page,
        "rows": [(appeal, appeal.review.assignment_id in missed) for appeal in page],
        "which": which,
        "answer_url": f"{room}:appeal-answer",
        "form": AppealAnswerForm(),
    }
    return render(request, f"{room}/appeals.html", context)


def answered(request: HttpRequest, appeal: Appeal, *, room: str) -> HttpResponse:
    """Uphold or deny the appeal as the form says, and go back to the page."""
    form = AppealAnswerForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect(f"{room}:appeals")
    try:
        done = form.answer(appeal, by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext("The appeal was {state}.").format(state=words.status(done.state).lower()))
    return redirect(f"{room}:appeals")
