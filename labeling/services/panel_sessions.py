"""Study sessions: who may come in by a panel's link, going on, leaving, and what the panel's owner decides afterwards.

A participant goes on with their own session and never begins a second one. What shows that somebody is the one who
began it is the browser's sign-in, or the provider's id of the visit, which no other participant is told. Knows no
requests; docs/panels.md says what is not protected.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling import transitions
from labeling.models import Assignment, AssignmentStatus, LabelingJob, PanelSession, WorkQueue
from labeling.services.queue import study_sessions, visibility
from marketplace.errors import Invalid, NotFound, WrongState
from marketplace.models import Account, Panel, Worker
from marketplace.ranges import Range
from marketplace.services import panels
from marketplace.services.panels import Visit

REASON_LENGTH = Range(1, 200)
"""Characters of the reason why a session is rejected."""

COUNTED = ("Active", "Completed")
"""Statuses of the sessions that count towards those wanted."""

NOTHING_LEFT, NOT_OPEN = "there is nothing to do at the moment", "this study is not open to the participant"


class Standing(Enum):
    """What a link means to who opens it."""

    NEW = "new"  # may begin
    UNDER_WAY = "under way"  # goes on with their session
    DONE = "done"  # had a session that is over
    ELSEWHERE = "elsewhere"  # a session of this id is under way, and nothing shows that it is theirs
    FULL = "full"  # all sessions that were wanted are there
    CLOSED = "closed"  # the job is over
    NOT_STARTED = "not started"


@dataclass(frozen=True)
class Arrival:
    """Where somebody stands; `session` is their own one, None also where they have not shown that it is theirs."""

    standing: Standing
    session: PanelSession | None = None


def queue_of(panel: Panel, queue_id: int) -> WorkQueue:
    """A work queue that is open to the panel. Raises NotFound."""
    found = WorkQueue.objects.filter(pk=queue_id, workteam=panel.workteam_id).first()
    if found is None:
        raise NotFound("this link leads to no study; check that it is complete")
    return found


def arrive(*, panel: Panel, queue: WorkQueue, visit: Visit, worker: Worker | None) -> Arrival:
    """Where somebody stands who opens the link; `worker` is whom the browser is signed in as. Changes nothing."""
    session = (
        PanelSession.objects.select_related("worker__user")
        .filter(queue=queue, worker__panel=panel, worker__participant=visit.participant, study=visit.study)
        .first()
    )
    if session is not None:
        own = session if _is_theirs(session, visit, worker) else None
        if session.status != "Active" or session.expires_at <= timezone.now():
            return Arrival(Standing.DONE, own)
        return Arrival(Standing.UNDER_WAY if own else Standing.ELSEWHERE, own)
    if queue.status == "Initializing":
        return Arrival(Standing.NOT_STARTED)
    if not queue.open:
        return Arrival(Standing.CLOSED)
    full = PanelSession.objects.filter(queue=queue, status__in=COUNTED).count() >= panel.sessions_wanted
    return Arrival(Standing.FULL if full else Standing.NEW)


def _is_theirs(session: PanelSession, visit: Visit, worker: Worker | None) -> bool:
    if worker is not None and worker.pk == session.worker_id:
        return True
    return bool(visit.session) and hmac.compare_digest(session.provider_session, visit.session)


def begin(*, panel: Panel, queue: WorkQueue, visit: Visit, worker: Worker | None) -> Arrival:
    """Begin a session, or go on with it, for somebody who has agreed; as `arrive` for those who may do neither.

    Somebody whom the account has shut out, or for whom there is nothing to do, is screened out at once.
    """
    with transaction.atomic():
        # One participant after the other, so that there are neither two of one id nor more than are wanted.
        panel = Panel.objects.select_for_update(no_key=True, of=("self",)).select_related("workteam").get(pk=panel.pk)
        there = arrive(panel=panel, queue=queue, visit=visit, worker=worker)
        if there.standing != Standing.NEW:
            return there
        comer = panels.make_participant(panel, visit)
        now = timezone.now()
        session = PanelSession.objects.create(
            queue=queue,
            worker=comer,
            study=visit.study,
            provider_session=visit.session,
            started_at=now,
            expires_at=now + timedelta(minutes=panel.session_minutes),
            tasks_wanted=panel.tasks_per_session,
            reward_micros=panel.reward_micros,
            provider_fee_percent=panel.provider_fee_percent,
        )
        if visibility.refusal(worker_id=comer.pk, queue=queue) is not None:
            _screen_out(session, NOT_OPEN)
        elif not something_left(session):
            _screen_out(session, NOTHING_LEFT)
    return Arrival(Standing.UNDER_WAY if session.status == "Active" else Standing.DONE, session)


def something_left(session: PanelSession) -> bool:
    """Whether the participant can claim a task of the queue, or holds one."""
    now = timezone.now()
    held = Assignment.objects.filter(
        worker=session.worker_id, queue=session.queue_id, state=AssignmentStatus.LEASED, lease_expires_at__gt=now
    )
    if held.exists():
        return True
    if not WorkQueue.objects.filter(pk=session.queue_id, status="InProgress").exists():
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id FROM labeling_claimable(%s, %s) c ORDER BY c.queue_position LIMIT 1",
            [session.worker_id, session.queue_id],
        )
        return cursor.fetchone() is not None


def finish(session: PanelSession) -> None:
    """End a session for which nothing is left: completed if anything was done, else screened out. Safe to repeat.

    Raises WrongState while the participant can go on.
    """
    with transaction.atomic():
        session = _locked(session)
        if session.status != "Active":
            return
        refused = visibility.refusal(worker_id=session.worker_id, queue=session.queue) is not None
        if not refused and something_left(session):
            raise WrongState("there are tasks left in this session", field="status")
        if session.tasks_done:
            by = f"worker:{session.worker_id}"
            study_sessions.end(session, "Completed", left_by=panels.COMPLETED, reason=NOTHING_LEFT, by=by)
        else:
            _screen_out(session, NOT_OPEN if refused else NOTHING_LEFT)


def give_up(session: PanelSession) -> None:
    """End a session at the participant's wish: nothing is paid, what they hold goes to others. Safe to repeat.

    Raises WrongState for a session that is over in another way.
    """
    study_sessions.end(session, "Returned", by=f"worker:{session.worker_id}")


def reject(*, session: PanelSession, reason: str, by: str) -> None:
    """Refuse to pay for a session. Raises Invalid without a reason, WrongState for one that was not handed in."""
    if len(reason.strip()) not in REASON_LENGTH:
        raise Invalid(f"a reason has {REASON_LENGTH} characters", field="reason")
    with transaction.atomic():
        transitions.PANEL_SESSION.advance(session, "Rejected", by=by, because=reason, reason=reason.strip())


def accept(*, session: PanelSession, by: str) -> None:
    """Count a session as completed that was rejected, or that ran out of time. Raises WrongState for another one."""
    with transaction.atomic():
        transitions.PANEL_SESSION.advance(session, "Completed", by=by, because="accepted", reason="")


def of_worker(worker: Worker, session_id: int) -> PanelSession:
    """A session of the participant, with its queue and panel. Raises NotFound."""
    rows = PanelSession.objects.select_related("queue", "worker__panel__workteam", "worker__panel__account")
    found = rows.filter(pk=session_id, worker=worker).first()
    if found is None:
        raise NotFound("you have no such session")
    return found


def newest_of(worker: Worker) -> PanelSession | None:
    """The session that the participant began last."""
    return PanelSession.objects.filter(worker=worker).order_by("-pk").first()


def of_account(account: Account, panel_id: int, session_id: int) -> PanelSession:
    """A session of one of the account's panels. Raises NotFound."""
    rows = PanelSession.objects.filter(worker__panel=panel_id, worker__panel__account=account)
    found = rows.select_related("worker", "queue").filter(pk=session_id).first()
    if found is None:
        raise NotFound(f"the panel has no session {session_id}")
    return found


def of_panel(panel: Panel) -> QuerySet[PanelSession]:
    """The sessions of a panel, of all its jobs, newest first, with participants and queues."""
    rows = PanelSession.objects.filter(worker__panel=panel)
    return rows.select_related("worker", "queue__labeling_job").order_by("-pk")


def jobs_of(panel: Panel) -> QuerySet[LabelingJob]:
    """The labeling jobs that are open to a panel, newest first."""
    return LabelingJob.objects.filter(queue__workteam=panel.workteam_id).order_by("-pk")


def seconds_left(session: PanelSession, now: datetime) -> float:
    """Until the session ends by itself."""
    return max(0.0, (session.expires_at - now).total_seconds())


def _screen_out(session: PanelSession, reason: str) -> None:
    study_sessions.end(session, "ScreenedOut", left_by=panels.SCREENED_OUT, reason=reason, by="system")


def _locked(session: PanelSession) -> PanelSession:
    rows = PanelSession.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("queue", "worker").get(pk=session.pk)
