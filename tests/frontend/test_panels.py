"""A panel's participants over HTTP: link, consent, tasks, code; and what they and strangers cannot reach."""

import json
import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from frontend.participants import PAGES, ROUTES
from labeling.models import Assignment, LabelingJob, PanelSession
from labeling.services import exclusion
from labeling.services.queue import study_sessions
from marketplace.errors import Invalid
from marketplace.models import ApiToken, Panel, User
from marketplace.services import panels, passwords, scope
from tests import builders
from tests.frontend.test_permissions import ALL, address, signed_in
from tests.frontend.world import a_world
from tests.labeling import panel_stories, stories

pytestmark = pytest.mark.django_db
CODE = "https://app.prolific.com/submissions/complete?cc="


@pytest.fixture
def panel(db) -> Panel:
    return panel_stories.a_panel(stories.an_account())


@pytest.fixture
def job(panel: Panel) -> LabelingJob:
    return panel_stories.a_job_of(panel, objects=3, pictures=True)


def link(panel: Panel, job: LabelingJob, who: str = "ana", *, visit: str = "", **more: str) -> str:
    """The link as the provider has filled it in."""
    query = {"PROLIFIC_PID": who, "STUDY_ID": "S1", "SESSION_ID": visit or f"visit-{who}"} | more
    filled = "&".join(f"{name}={value}" for name, value in query.items() if value)
    return f"{reverse('study:join', args=[panel.link, job.queue_id])}?{filled}"


def come(panel: Panel, job: LabelingJob, who: str = "ana") -> tuple[Client, PanelSession]:
    """A browser in which somebody has agreed."""
    client = Client()
    response = client.post(link(panel, job, who), {"agree": "yes"})
    assert response.status_code == 302, response.content
    return client, PanelSession.objects.get(worker__participant=who)


def do_task(client: Client, job: LabelingJob) -> dict:
    """Claim a task over REST and submit its answer with the next claim, as the page does."""
    claimed = client.post(f"/api/v1/work-queues/{job.queue_id}/claim").json()["assignment"]
    return client.post(
        f"/api/v1/assignments/{claimed['id']}/submit?claim_next=true",
        json.dumps({"answer": stories.ONE_BEE, "seconds": 5}),
        content_type="application/json",
    ).json()


def test_a_participant_comes_works_and_leaves_with_the_code(panel, job):
    client = Client()
    consent = client.get(link(panel, job))
    assert b"You will draw boxes" in consent.content and not User.objects.filter(is_participant=True).exists()
    begun = client.post(link(panel, job), {"agree": "yes"})
    session = PanelSession.objects.get()
    assert begun["Location"] == reverse("study:session", args=[session.pk])
    assert client.get(link(panel, job))["Location"] == begun["Location"]
    assert b"0 of 2" in client.get(begun["Location"]).content
    page = client.get(reverse("study:task", args=[session.pk])).content.decode()
    config = json.loads(re.search(r'id="task-config" type="application/json">(.*?)</script>', page)[1])
    assert config["study"] == {"done": 0, "wanted": 2} and config["exit_url"] == begun["Location"]
    first = do_task(client, job)
    assert first["paid"] == "0.000000" and first["next_assignment"] is not None
    held = client.get("/api/v1/assignments").json()["results"]
    assert client.get(held[0]["image_url"]).status_code == 200
    last = client.post(
        f"/api/v1/assignments/{held[0]['id']}/submit?claim_next=true",
        json.dumps({"answer": stories.ONE_BEE, "seconds": 5}),
        content_type="application/json",
    ).json()
    assert (last["next_assignment"], last["reason"]) == (None, "session-over")
    end = client.get(begun["Location"]).content.decode()
    assert "2 of 2" in end and f'href="{CODE}DONE1"' in end
    again = client.get(link(panel, job)).content.decode()
    assert f"{CODE}OUT1" in again and "DONE1" not in again and begun["Location"] in again
    assert client.get("/")["Location"] == "/study/"
    assert client.get("/study/")["Location"] == begun["Location"]


def test_who_does_not_agree_leaves_no_trace(panel, job):
    client = Client()
    response = client.post(link(panel, job), {"agree": "no"})
    assert f"{CODE}NOPE1".encode() in response.content
    assert not PanelSession.objects.exists() and "sessionid" not in client.cookies
    assert client.get(link(panel, job)).context["goes_on"] is False


def test_nobody_comes_in_by_a_link_that_is_not_filled_in(panel, job):
    client = Client()
    for broken in (
        link(panel, job).partition("?")[0],
        link(panel, job, "{{%25PROLIFIC_PID%25}}"),
        link(panel, job, "=cmd"),
        link(panel, job, SESSION_ID=""),
    ):
        assert client.get(broken).status_code == client.post(broken, {"agree": "yes"}).status_code == 400
    other = panel_stories.a_job_of(panel_stories.a_panel(panel.account), objects=1)
    for wrong in (
        link(panel, job).replace(panel.link, "guess"),
        link(panel, other),
        link(panel, job).replace(f"/{job.queue_id}/", "/999999/"),
    ):
        assert client.get(wrong).status_code == client.post(wrong, {"agree": "yes"}).status_code == 404
    assert not PanelSession.objects.exists()


def test_a_session_is_taken_up_in_another_browser_only_with_the_id_of_the_visit(panel, job):
    _, session = come(panel, job)
    thief, _ = come(panel, job, "ben")
    stolen = link(panel, job, "ana", visit="visit-ben")
    for response in (thief.get(stolen), thief.post(stolen, {"agree": "yes"})):
        assert response.status_code == 403
        assert reverse("study:session", args=[session.pk]).encode() not in response.content
    assert thief.get(reverse("study:session", args=[session.pk])).status_code == 404
    phone = Client()
    assert phone.get(link(panel, job)).context["goes_on"] is True
    assert phone.post(link(panel, job), {"agree": "yes"})["Location"] == reverse("study:session", args=[session.pk])
    assert PanelSession.objects.filter(worker=session.worker).count() == 1


def test_signing_in_takes_nothing_of_the_earlier_session_along(panel, job):
    """Neither a session key that somebody else knows, nor what another user had in theirs."""
    owner = panel.account.members.get()
    client = signed_in(owner)
    store = client.session
    store["account"] = panel.account.pk
    store.save()
    before = client.cookies["sessionid"].value
    client.post(link(panel, job), {"agree": "yes"})
    cookie = client.cookies["sessionid"]
    assert cookie.value != before and "account" not in client.session
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    stale = Client()
    stale.cookies["sessionid"] = before
    assert stale.get("/overview/").status_code == 302


def test_consent_needs_the_token_against_forged_forms(panel, job):
    client = Client(enforce_csrf_checks=True)
    assert client.post(link(panel, job), {"agree": "yes"}).status_code == 403
    assert not PanelSession.objects.exists()


def test_only_so_many_come_from_one_address(panel, job, monkeypatch):
    monkeypatch.setattr("frontend.worker.study.JOINS", 1)
    come(panel, job, "ana")
    refused = Client().post(link(panel, job, "ben"), {"agree": "yes"})
    assert refused.status_code == 409 and b"too many" in refused.content.lower()
    assert PanelSession.objects.count() == 1


@pytest.mark.slow
def test_a_participant_reaches_their_study_and_nothing_else():
    world = a_world()
    panel = panel_stories.a_panel(world.account)
    job = panel_stories.a_job_of(panel, objects=1)
    client, session = come(panel, job)
    client.raise_request_exception = False
    reached = {}
    for route in ALL:
        if route not in ROUTES and not route.startswith(tuple(f"{page}/" for page in PAGES)):
            path = address(route, world)
            codes = {client.get(path).status_code, client.post(path, "{}", content_type="application/json").status_code}
            if codes != {404}:
                reached[route] = codes
    assert reached == {}
    letters = len(mail.outbox)
    Client().post("/password/forgotten/", {"email": session.worker.user.email})
    assert len(mail.outbox) == letters and not passwords.may_reset(session.worker.user)
    with pytest.raises(Invalid, match="may not sign in"):
        passwords.make_link(user=session.worker.user, by="system")
    assert session.worker.user not in scope.users()
    assert not ApiToken.objects.filter(user=session.worker.user).exists()
    other = client.post(f"/api/v1/work-queues/{world.ids['queue_id']}/claim").json()
    assert (other["assignment"], other["reason"]) == (None, "session-over")


def test_a_full_study_sends_people_out(panel, job):
    panels.change_panel(panel=panel, sessions_wanted=1, by="system")
    come(panel, job, "ana")
    assert f"{CODE}OUT1".encode() in Client().get(link(panel, job, "ben")).content
    assert f"{CODE}OUT1".encode() in Client().post(link(panel, job, "ben"), {"agree": "yes"}).content


def test_time_out_return_and_nothing_left(panel, job):
    client, session = come(panel, job, "ana")
    do_task(client, job)
    PanelSession.objects.filter(pk=session.pk).update(expires_at=timezone.now())
    here = reverse("study:session", args=[session.pk])
    assert b"Your time is over" in client.get(here).content
    assert study_sessions.expire_overdue() == 1
    assert client.get(reverse("study:task", args=[session.pk]))["Location"] == here
    assert not Assignment.objects.filter(worker=session.worker, state="Leased").exists()
    client, session = come(panel, job, "ben")
    client.post(reverse("study:return", args=[session.pk]))
    assert b"You have returned" in client.get(reverse("study:session", args=[session.pk])).content
    client, session = come(panel, job, "cem")
    exclusion.block(account=panel.account, worker=session.worker, reason="spam", by="system")
    client.post(reverse("study:finish", args=[session.pk]))
    assert f"{CODE}OUT1".encode() in client.get(reverse("study:session", args=[session.pk])).content


def test_the_owner_sees_sessions_decides_and_takes_lists(panel, job):
    for who in ("ana", "ben"):
        client, _ = come(panel, job, who)
        do_task(client, job)
        do_task_held(client)
    owner = signed_in(panel.account.members.get())
    page = owner.get(reverse("requester:panel", args=[panel.pk])).content.decode()
    assert "PROLIFIC_PID={{%PROLIFIC_PID%}}&amp;STUDY_ID={{%STUDY_ID%}}&amp;SESSION_ID={{%SESSION_ID%}}" in page
    assert "2 of 2" in page and ">ana<" in page
    ben = PanelSession.objects.get(worker__participant="ben")
    reject = reverse("requester:panel-reject", args=[panel.pk, ben.pk])
    assert owner.post(reject, {"reason": ""}).status_code == 422
    assert owner.post(reject, {"reason": "no care"}).status_code == 302
    lists = {
        one: owner.get(reverse("requester:panel-participants", args=[panel.pk, one])) for one in ("approve", "reject")
    }
    assert (lists["approve"].content, lists["reject"].content) == (b"ana\n", b"ben\n")
    rows = owner.get(f"/api/v1/panels/{panel.pk}/sessions?status=Rejected").json()["results"]
    assert [(row["participant"], row["worker"]) for row in rows] == [("ben", ben.worker.public_id)]
    detail = owner.get(f"/api/v1/panels/{panel.pk}").json()
    assert detail["paid_elsewhere"]["rewards"] == "1.500000" and detail["links"][0]["job"] == job.pk
    stranger = signed_in(stories.an_account().members.get())
    for path in (reverse("requester:panel", args=[panel.pk]), f"/api/v1/panels/{panel.pk}/sessions"):
        assert stranger.get(path).status_code == 404


def do_task_held(client: Client) -> None:
    """Submit what the last submit has claimed."""
    held = client.get("/api/v1/assignments").json()["results"]
    answer = json.dumps({"answer": stories.ONE_BEE, "seconds": 5})
    client.post(f"/api/v1/assignments/{held[0]['id']}/submit", answer, content_type="application/json")


def test_a_panel_is_made_on_pages_and_over_rest(panel):
    owner = signed_in(panel.account.members.get())
    new = reverse("requester:panel-new")
    initial = {name: field.initial or "" for name, field in owner.get(new).context["form"].fields.items()}
    assert owner.post(new, initial | {"name": "crowd"}).status_code == 422
    made = owner.post(new, initial | {"name": "crowd", "completed_code": "C1"})
    assert made.status_code == 302
    row = Panel.objects.get(workteam__name="crowd")
    assert (row.participant_parameter, row.reward_micros) == ("PROLIFIC_PID", 1_500_000)
    edit = reverse("requester:panel-edit", args=[row.pk])
    bad = initial | {"name": "x", "completed_url": "javascript:alert(1)"}
    assert b"begins with https" in owner.post(edit, bad).content
    assert owner.post(edit, initial | {"completed_code": "C2", "tasks_per_session": 7}).status_code == 302
    row.refresh_from_db()
    assert (row.exits["completed"]["code"], row.tasks_per_session, row.name) == ("C2", 7, "crowd")
    body = {
        "name": "connect", "provider": "CloudResearch Connect", "completed_url": "https://connect.example/x",
        "tasks_per_session": 3, "session_minutes": 20, "sessions_wanted": 5, "consent": "ok?", "reward": "2",
    }  # fmt: skip
    sent = owner.post("/api/v1/panels", json.dumps(body), content_type="application/json")
    assert sent.status_code == 201 and sent.json()["participant_parameter"] == "participantId"
    taken = owner.post("/api/v1/panels", json.dumps(body), content_type="application/json")
    assert taken.status_code == 409
    wrong = body | {"name": "other", "completed_url": "", "participant_parameter": "a b"}
    refused = owner.post("/api/v1/panels", json.dumps(wrong), content_type="application/json")
    assert {error["field"] for error in refused.json()["errors"]} == {"completed_code", "participant_parameter"}
    estimate = {"objects": 6, "workers_per_object": 2, "price": "0", "panel": sent.json()["id"]}
    figures = owner.post("/api/v1/labeling-jobs/estimate", json.dumps(estimate), content_type="application/json").json()
    assert figures["paid_elsewhere"] == {"sessions": 4, "rewards": "8.000000", "fee": "0.000000", "total": "8.000000"}


def test_the_wizard_offers_a_panel_at_no_price_and_says_what_it_costs_elsewhere(panel):
    owner = signed_in(panel.account.members.get())
    dataset = builders.a_dataset(account=panel.account)
    data = {"name": "bees", "dataset": dataset.pk, "selection": "full"}
    owner.post(reverse("requester:job-new-step", args=["data"]), data)
    task = {"task_type": "BoundingBox", "labels": "bee", "title": "Bees", "description": "Box them"}
    assert owner.post(reverse("requester:job-new-step", args=["task"]), task).status_code == 302
    people = reverse("requester:job-new-step", args=["people"])
    assert f"Panel: {panel.name}" in owner.get(people).content.decode()
    given = {
        "workteam": panel.workteam_id, "workers_per_object": 3, "redundancy": "fixed", "expected_seconds": 10,
        "price": "0.036", "time_limit_minutes": 7, "max_concurrent_tasks": 100,
    }  # fmt: skip
    refused = owner.post(people, given)
    assert refused.status_code == 422 and b"a price of 0 expected" in refused.content
    shown = owner.get(reverse("requester:job-estimate"), given | {"price": "0"}).context
    assert (shown["elsewhere"].sessions, shown["elsewhere"].reward_micros) == (3, 4_500_000)
    assert owner.post(people, given | {"price": "0"}).status_code == 302
