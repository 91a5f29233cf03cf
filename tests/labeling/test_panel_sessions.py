"""Study sessions of a panel: one for each participant, counted, ended in time, their tasks freed at once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.models import Assignment, LabelingJob, PanelSession
from labeling.queries import panel_costs
from labeling.services import exclusion, panel_sessions
from labeling.services.jobs import advancing
from labeling.services.output import manifests
from labeling.services.panel_sessions import Standing
from labeling.services.queue import assignments, due, study_sessions
from marketplace.errors import Forbidden, Invalid, NotFound, SessionOver, TaskGone, TaskLimit, WrongState
from marketplace.models import Panel, User, Worker
from marketplace.services import panels, scope
from marketplace.services.panels import Visit
from tests import builders
from tests.labeling import panel_stories, stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel(db) -> Panel:
    """A panel whose sessions have two tasks."""
    return panel_stories.a_panel(stories.an_account())


@pytest.fixture
def job(panel: Panel) -> LabelingJob:
    """Four objects that two participants each label."""
    return panel_stories.a_job_of(panel, objects=4)


def come(panel: Panel, job: LabelingJob, who: str, *, visit: str = "", study: str = "S1") -> PanelSession:
    """Somebody new begins."""
    session = panel_stories.begin(panel, job, who, visit=visit, study=study).session
    assert session is not None
    return session


def test_a_session_is_completed_by_its_last_task(panel, job):
    session = come(panel, job, "ana")
    assert stories.work(session.worker, job, most=2) == 2
    session.refresh_from_db()
    assert (session.status, session.tasks_done, session.left_by) == ("Completed", 2, panels.COMPLETED)
    with pytest.raises(SessionOver):
        assignments.claim(worker=session.worker, queue=job.queue)
    assert Assignment.objects.filter(worker=session.worker).count() == 2


def test_nobody_holds_more_than_their_session_has(panel, job):
    session = come(panel, job, "ana")
    held = [assignments.claim(worker=session.worker, queue=job.queue, key="a")]
    stories.answer(held[0])
    last = assignments.claim(worker=session.worker, queue=job.queue, key="b")
    again = assignments.claim(worker=session.worker, queue=job.queue, key="b")
    assert last is not None and again is not None and again.pk == last.pk
    with pytest.raises(TaskLimit):
        assignments.claim(worker=session.worker, queue=job.queue, key="c")


def test_opening_the_link_again_is_the_same_session(panel, job):
    session = come(panel, job, "ana")
    again = panel_stories.begin(panel, job, "ana")
    assert again.standing == Standing.UNDER_WAY and again.session == session
    assert PanelSession.objects.count() == Worker.objects.filter(panel=panel).count() == 1


def test_the_id_of_somebody_else_opens_nothing_of_theirs(panel, job):
    """Ben writes Ana's id into his own link: neither before nor after she is done does he get her session."""
    session = come(panel, job, "ana", visit="visit-ana")
    ben = come(panel, job, "ben", visit="visit-ben").worker
    stolen = panel_stories.begin(panel, job, "ana", visit="visit-ben", worker=ben)
    assert (stolen.standing, stolen.session) == (Standing.ELSEWHERE, None)
    panel_sessions.give_up(session)
    stolen = panel_stories.begin(panel, job, "ana", visit="visit-ben", worker=ben)
    assert (stolen.standing, stolen.session) == (Standing.DONE, None)


def test_without_an_id_of_the_visit_only_the_sign_in_shows_who_it_is(job):
    other = panel_stories.a_panel(job.account, provider="Other")
    there = panel_stories.a_job_of(other, objects=2)
    session = panel_stories.begin(other, there, "ana", study="", visit="").session
    assert panel_stories.begin(other, there, "ana", study="", visit="").standing == Standing.ELSEWHERE
    known = panel_stories.begin(other, there, "ana", study="", visit="", worker=session.worker)
    assert known.session == session


def test_who_has_done_the_study_is_done_but_may_do_another_one(panel, job):
    session = come(panel, job, "ana")
    stories.work(session.worker, job, most=2)
    assert panel_stories.begin(panel, job, "ana").standing == Standing.DONE
    second = come(panel, job, "ana", study="S2", visit="again")
    assert second.worker == session.worker and second.status == "Active"
    assert User.objects.filter(is_participant=True).count() == 1


def test_no_more_sessions_than_are_wanted(panel, job):
    panels.change_panel(panel=panel, sessions_wanted=2, by="system")
    first, second = come(panel, job, "ana"), come(panel, job, "ben")
    assert panel_stories.begin(panel, job, "cem").standing == Standing.FULL
    assert not Worker.objects.filter(participant="cem").exists()
    panel_sessions.give_up(second)
    assert come(panel, job, "cem").status == first.status == "Active"


def test_whoever_finds_nothing_to_do_or_is_blocked_is_screened_out(panel):
    empty = panel_stories.a_job_of(panel, objects=1, workers_per_object=1)
    ana = come(panel, empty, "ana")
    held = assignments.claim(worker=ana.worker, queue=empty.queue)
    ben = come(panel, empty, "ben")
    assert (ben.status, ben.left_by) == ("ScreenedOut", panels.SCREENED_OUT)
    assert held is not None
    other = panel_stories.a_job_of(panel, objects=1)
    exclusion.block(account=panel.account, worker=ben.worker, reason="spam", by="system")
    assert come(panel, other, "ben").reason == panel_sessions.NOT_OPEN


def test_a_session_ends_early_when_nothing_is_left(panel):
    small = panel_stories.a_job_of(panel, objects=1, workers_per_object=2)
    ana, ben = come(panel, small, "ana"), come(panel, small, "ben")
    with pytest.raises(WrongState, match="tasks left"):
        panel_sessions.finish(ana)
    stories.claim_and_answer(ana.worker, small)
    panel_sessions.finish(ana)
    panel_sessions.finish(ana)
    ana.refresh_from_db()
    assert (ana.status, ana.tasks_done) == ("Completed", 1)
    exclusion.block(account=panel.account, worker=ben.worker, reason="spam", by="system")
    panel_sessions.finish(ben)
    ben.refresh_from_db()
    assert ben.status == "ScreenedOut"


def test_time_out_and_return_free_what_is_held_at_once(panel):
    small = panel_stories.a_job_of(panel, objects=1, workers_per_object=1)
    ana = come(panel, small, "ana")
    seat = assignments.claim(worker=ana.worker, queue=small.queue)
    PanelSession.objects.filter(pk=ana.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert (study_sessions.expire_overdue(), study_sessions.expire_overdue()) == (1, 0)
    ana.refresh_from_db()
    assert ana.status == "TimedOut"
    with pytest.raises(TaskGone):
        stories.answer(seat)
    ben = come(panel, small, "ben")
    assert assignments.claim(worker=ben.worker, queue=small.queue) is not None
    panel_sessions.give_up(ben)
    panel_sessions.give_up(ben)
    cem = come(panel, small, "cem")
    assert stories.claim_and_answer(cem.worker, small)
    with pytest.raises(WrongState):
        panel_sessions.give_up(PanelSession.objects.get(pk=ana.pk))


def test_the_last_answer_may_be_sent_twice(panel, job):
    session = come(panel, job, "ana")
    stories.claim_and_answer(session.worker, job)
    seat = assignments.claim(worker=session.worker, queue=job.queue)
    assert seat is not None
    assert not stories.answer(seat, key="k").repeated
    assert stories.answer(seat, key="k").repeated
    session.refresh_from_db()
    assert session.tasks_done == 2


def test_the_job_of_a_panel_is_done_by_who_comes(panel, job):
    """Without members the job waits for nobody's invitation; price and money are the provider's."""
    assert not job.workteam.memberships.exists()
    for who in ("ana", "ben", "cem", "dov"):
        session = come(panel, job, who)
        stories.work(session.worker, job, most=2)
    due.settle_due(job.queue)
    advancing.advance_or_give_up(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed"
    figures = panel_costs.of_job(job)
    assert (figures.sessions, figures.answers) == (4, 8)
    assert figures.total_micros == 4 * 1_999_950
    assert figures.per_label_micros == 1_999_950


def test_a_priced_job_is_refused(panel):
    with pytest.raises(Invalid) as refused:
        stories.a_job(panel.account, panel.workteam, objects=1, price_micros=36_000)
    assert "a price of 0 expected" in dict(refused.value.errors)["price"]


def test_only_the_account_that_owns_the_panel_reads_who_it_was(panel, job):
    session = come(panel, job, "ana-provider-id")
    stories.claim_and_answer(session.worker, job)
    tasks = [Assignment.objects.get(worker=session.worker).task]
    (answer,) = manifests.answers_of_tasks(job, tasks)[tasks[0].pk]
    assert answer.identity is not None and answer.identity.sub == "ana-provider-id"
    stranger = stories.an_account()
    with pytest.raises(NotFound):
        scope.panel(stranger, panel.pk)
    with pytest.raises(NotFound):
        panel_sessions.of_account(stranger, panel.pk, session.pk)


def test_a_participant_sees_no_other_work(panel, job):
    session = come(panel, job, "ana")
    private, _ = stories.an_open_job()
    with pytest.raises(Forbidden):
        session_worker = session.worker
        PanelSession.objects.create(
            queue=private.queue,
            worker=session_worker,
            started_at=timezone.now(),
            expires_at=session.expires_at,
            tasks_wanted=2,
        )
        assignments.claim(worker=session_worker, queue=private.queue)
    with pytest.raises(NotFound):
        panel_sessions.queue_of(panel, private.queue_id)


def test_the_owner_rejects_and_takes_it_back(panel, job):
    session = come(panel, job, "ana")
    with pytest.raises(WrongState):
        panel_sessions.reject(session=session, reason="no care", by="user:1")
    stories.work(session.worker, job, most=2)
    with pytest.raises(Invalid):
        panel_sessions.reject(session=session, reason=" ", by="user:1")
    panel_sessions.reject(session=session, reason="no care", by="user:1")
    assert (session.status, session.reason) == ("Rejected", "no care")
    panel_sessions.accept(session=session, by="user:1")
    assert (session.status, session.reason) == ("Completed", "")


def test_panels_are_no_teams_to_be_invited_to(panel):
    with pytest.raises(NotFound):
        scope.own_team(panel.account, panel.workteam_id)
    assert panel.workteam in scope.teams(panel.account)
    assert builders.a_team(account=panel.account, workers=0) in scope.teams(panel.account)


def test_visits_are_read_strictly(panel):
    query = {"PROLIFIC_PID": "p1", "STUDY_ID": "s", "SESSION_ID": "v"}
    assert panels.visit_of(panel, query) == Visit("p1", "s", "v")
    for broken in ("", "{{%PROLIFIC_PID%}}", "=1+1", "a b", "a" * 101, "é"):
        with pytest.raises(Invalid, match="PROLIFIC_PID"):
            panels.visit_of(panel, query | {"PROLIFIC_PID": broken})
    with pytest.raises(Invalid, match="SESSION_ID"):
        panels.visit_of(panel, {"PROLIFIC_PID": "p1", "STUDY_ID": "s"})
