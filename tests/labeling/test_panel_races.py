"""Participants who come, work, leave and time out at the same time: no session, seat or place is given twice."""

import pytest
from django.utils import timezone

from labeling.models import Assignment, PanelSession, Task
from labeling.services import panel_sessions
from labeling.services.panel_sessions import Standing
from labeling.services.queue import assignments, leases, study_sessions
from marketplace.errors import InUse, LimitExceeded
from marketplace.models import Worker
from tests.labeling import panel_stories, stories
from tests.labeling.test_concurrency import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def test_everybody_comes_at_once():
    """Three of six get the places, whoever of them clicks twice gets the same session."""
    panel = panel_stories.a_panel(stories.an_account(), sessions_wanted=3)
    job = panel_stories.a_job_of(panel, objects=4)
    seen: list[tuple[str, Standing]] = []

    def come(who: str) -> None:
        seen.append((who, panel_stories.begin(panel, job, who).standing))

    in_threads(*(lambda who=who: come(who) for who in ("ana", "ana", "ben", "ben", "cem", "dov", "eva", "fay")))
    inside = {who for who, standing in seen if standing == Standing.UNDER_WAY}
    assert len(inside) == PanelSession.objects.filter(status="Active").count() == 3
    assert Worker.objects.filter(panel=panel).count() == 3
    assert all(standing in (Standing.UNDER_WAY, Standing.FULL) for _, standing in seen)


def test_one_participant_in_many_tabs_while_sessions_end():
    """Claims, submits, returns and sweeps of the same sessions neither wait for each other for ever nor give more."""
    panel = panel_stories.a_panel(stories.an_account(), tasks_per_session=5)
    job = panel_stories.a_job_of(panel, objects=20)
    ana, ben = (panel_stories.begin(panel, job, who).session for who in ("ana", "ben"))
    assert ana is not None and ben is not None

    def work(session: PanelSession) -> None:
        for _ in range(8):
            try:
                seat = assignments.claim(worker=session.worker, queue=job.queue)
                if seat is not None:
                    stories.answer(seat)
            except (InUse, LimitExceeded):
                continue

    PanelSession.objects.filter(pk=ben.pk).update(expires_at=timezone.now())
    in_threads(
        *(lambda: work(ana) for _ in range(4)),
        lambda: work(ben),
        study_sessions.expire_overdue,
        study_sessions.expire_overdue,
        leases.expire_overdue,
    )
    # A sweep passes by what somebody else has locked; the next one ends it.
    study_sessions.expire_overdue()
    ana.refresh_from_db()
    assert (ana.status, ana.tasks_done) == ("Completed", 5)
    assert Assignment.objects.filter(worker=ana.worker, state="Submitted").count() == 5
    assert not Assignment.objects.filter(state="Leased").exists()
    assert PanelSession.objects.get(pk=ben.pk).status == "TimedOut"
    assert not Assignment.objects.filter(worker=ben.worker).exists()
    taken = sum(Task.objects.filter(queue=job.queue).values_list("seats_total", flat=True))
    free = sum(Task.objects.filter(queue=job.queue).values_list("seats_free", flat=True))
    assert taken - free == 5
    panel_sessions.finish(ana)
