"""The pages of a panel's participants: consent, the session with its tasks, and the way out with the code.

A link changes nothing until its consent page is answered. The answer signs the browser in as the participant, in a new
session, so that no session that somebody else has prepared becomes the participant's.
"""

import logging
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as word
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from frontend.rates import address_of
from frontend.session import worker_page
from labeling.models import PanelSession, WorkQueue
from labeling.services import panel_sessions
from labeling.services.panel_sessions import Arrival, Standing
from marketplace.errors import Invalid, NotFound, TooManyTries
from marketplace.models import Panel
from marketplace.services import chosen_keys, panels, rates, scope
from marketplace.services.panels import Visit

logger = logging.getLogger(__name__)
BACKEND = "django.contrib.auth.backends.ModelBackend"
JOINS, JOIN_SECONDS = 100, 600
"""Consent pages that may be answered from one address within so many seconds; a whole class may sit behind one."""

DAY = 86_400
EXIT_OF = {
    Standing.DONE: panels.SCREENED_OUT,
    Standing.FULL: panels.QUOTA_FULL,
    Standing.CLOSED: panels.QUOTA_FULL,
}
"""How those leave who may not begin."""

SAID = {
    Standing.DONE: word("You have done this study before, so you cannot do it again."),
    Standing.FULL: word("All places of this study are taken."),
    Standing.CLOSED: word("This study is over."),
    Standing.NOT_STARTED: word("This study has not started yet. Come back in a few minutes and open your link again."),
    Standing.ELSEWHERE: word("This study is under way under this id. Go on in the browser in which it was begun."),
}
AGREE, DISAGREE = "yes", "no"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, link: str, work_id: int) -> HttpResponse:
    """The page that a panel's link opens. Raises NotFound for a link that leads nowhere."""
    panel = panels.of_link(link)
    queue = panel_sessions.queue_of(panel, work_id)
    try:
        visit = panels.visit_of(panel, request.GET)
    except Invalid as error:
        return _turned_away(request, panel, error.message.capitalize() + ".", status=400)
    worker = scope.worker_or_none(request.user)
    if request.method == "POST":
        return _answered(request, panel, queue, visit)
    there = panel_sessions.arrive(panel=panel, queue=queue, visit=visit, worker=worker)
    if there.standing == Standing.UNDER_WAY and there.session and worker and worker.pk == there.session.worker_id:
        return redirect("study:session", there.session.pk)
    if there.standing in SAID:
        return _not_begun(request, panel, there)
    context = {"panel": panel, "queue": queue, "goes_on": there.standing == Standing.UNDER_WAY}
    return render(request, "study/consent.html", context)


def _answered(request: HttpRequest, panel: Panel, queue: WorkQueue, visit: Visit) -> HttpResponse:
    if request.POST.get("agree") != AGREE:
        return _turned_away(
            request,
            panel,
            gettext("You have not agreed, so nothing was stored about you."),
            exit_kind=panels.NO_CONSENT,
        )
    address = address_of(request)
    granted, left = rates.take(f"study {address}", most=JOINS, seconds=JOIN_SECONDS)
    if not granted:
        raise TooManyTries(
            f"too many people from your address began of late; try again in {round(left / 60) + 1} minutes"
        )
    worker = scope.worker_or_none(request.user)
    there = panel_sessions.begin(panel=panel, queue=queue, visit=visit, worker=worker)
    if there.session is None or (there.standing != Standing.UNDER_WAY and there.session.status != "ScreenedOut"):
        return _not_begun(request, panel, there)
    session = there.session
    if not session.worker.user.is_active:
        return _turned_away(request, panel, gettext("This study is not open to you."), exit_kind=panels.SCREENED_OUT)
    logger.info("a participant goes on: worker:%d from %s", session.worker_id, address)
    if request.user.pk != session.worker.user_id:
        request.session.flush()
        login(request, session.worker.user, backend=BACKEND)
    request.session.set_expiry(panel.session_minutes * 60 + DAY)
    request.session["study"] = f"{reverse('study:join', args=[panel.link, queue.pk])}?{urlencode(request.GET.dict())}"
    return redirect("study:session", session.pk)


def _not_begun(request: HttpRequest, panel: Panel, there: Arrival) -> HttpResponse:
    # Somebody who lost their last page finds the code there, as long as the browser knows them.
    worker = scope.worker_or_none(request.user)
    own = there.session if there.session and worker and worker.pk == there.session.worker_id else None
    return _turned_away(
        request, panel, gettext(SAID[there.standing]), exit_kind=EXIT_OF.get(there.standing, ""), own=own,
        status=403 if there.standing == Standing.ELSEWHERE else 200,
    )  # fmt: skip


def _turned_away(
    request: HttpRequest,
    panel: Panel,
    said: str,
    *,
    exit_kind: str = "",
    own: PanelSession | None = None,
    status: int = 200,
) -> HttpResponse:
    code, url = panels.way_out(panel, exit_kind) if exit_kind else ("", "")
    context = {"panel": panel, "said": said, "code": code, "url": url, "own": own}
    return render(request, "study/not_begun.html", context, status=status)


@never_cache
@require_safe
@worker_page
def mine(request: HttpRequest) -> HttpResponse:
    """Lead a participant to the session they began last. Raises NotFound for somebody who has none."""
    session = panel_sessions.newest_of(request.worker)  # type: ignore[attr-defined]
    if session is None:
        raise NotFound("you have no session of a study")
    return redirect("study:session", session.pk)


@never_cache
@require_safe
@worker_page
def session_page(request: HttpRequest, session_id: int) -> HttpResponse:
    """How far a session is, or how it ended, with the code."""
    session = panel_sessions.of_worker(request.worker, session_id)  # type: ignore[attr-defined]
    now = timezone.now()
    going = session.status == "Active" and session.expires_at > now
    context: dict[str, Any] = {
        "session": session,
        "panel": session.worker.panel,
        "status": "TimedOut" if session.status == "Active" and not going else session.status,
        "going": going,
        "minutes_left": round(panel_sessions.seconds_left(session, now) / 60),
        "something_left": going and panel_sessions.something_left(session),
    }
    if session.left_by:
        context["code"], context["url"] = panels.way_out(session.worker.panel, session.left_by)
    return render(request, "study/session.html", context)


@never_cache
@require_safe
@worker_page
def task(request: HttpRequest, session_id: int) -> HttpResponse:
    """The page tasks are done on; it claims and submits over REST."""
    session = panel_sessions.of_worker(request.worker, session_id)  # type: ignore[attr-defined]
    here = reverse("study:session", args=[session.pk])
    if session.status != "Active":
        return redirect(here)
    config = {
        "queue_id": session.queue_id,
        "worker_id": session.worker_id,
        "api_base": "/api/v1",
        "sign_in_url": request.session.get("study", here),
        "exit_url": here,
        "preview": False,
        "assignment": None,
        "keys": chosen_keys.of(request.worker),  # type: ignore[attr-defined]
        "study": {"done": session.tasks_done, "wanted": session.tasks_wanted},
    }
    return render(request, "worker/task.html", {"config": config, "title": session.queue.title})


@require_POST
@worker_page
def finish(request: HttpRequest, session_id: int) -> HttpResponse:
    """End a session for which nothing is left."""
    session = panel_sessions.of_worker(request.worker, session_id)  # type: ignore[attr-defined]
    panel_sessions.finish(session)
    return redirect("study:session", session.pk)


@require_POST
@worker_page
def give_up(request: HttpRequest, session_id: int) -> HttpResponse:
    """Stop, without being paid."""
    session = panel_sessions.of_worker(request.worker, session_id)  # type: ignore[attr-defined]
    panel_sessions.give_up(session)
    return redirect("study:session", session.pk)
