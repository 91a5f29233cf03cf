"""A team's portal and networks over HTTP, and lists of invitations on the page and by REST."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from frontend import background
from labeling.models import Assignment
from labeling.services.queue import assignments
from marketplace.models import Invitation
from marketplace.services import team_access
from tests import builders
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories

pytestmark = pytest.mark.django_db
INSIDE, OUTSIDE = "203.0.113.9", "198.51.100.7"


@pytest.fixture
def story():
    """A job whose pictures are there, and a worker of its team, which works from one network only."""
    job, workers = stories.a_funded_job(objects=3, name="secret-hive")
    stories.open_pictures(job)
    team_access.set_networks(team=job.workteam, cidrs=["203.0.113.0/24"], by="system")
    return job, workers[0]


def from_address(user, address):
    client = Client(REMOTE_ADDR=address)
    client.force_login(user)
    return client


def submit(client, seat):
    body = {"answer": stories.ONE_BEE, "seconds": 3}
    return client.post(f"/api/v1/assignments/{seat}/submit", body, content_type="application/json")


def test_outside_of_the_networks_nothing_of_the_job_is_seen_or_done_and_the_worker_is_told_why(story):
    job, worker = story
    inside, outside = from_address(worker.user, INSIDE), from_address(worker.user, OUTSIDE)
    claim = f"/api/v1/work-queues/{job.queue_id}/claim"
    refused = outside.post(claim)
    assert refused.status_code == 403 and f"you come from {OUTSIDE}" in refused.json()["detail"]
    assert outside.get("/api/v1/work").json()["results"] == [] and not Assignment.objects.exists()
    page = outside.get(reverse("worker:jobs")).content.decode()
    assert f"you come from {OUTSIDE}" in page and job.title not in page
    page = outside.get(reverse("worker:task", args=[job.queue_id]))
    assert page.status_code == 403 and f"you come from {OUTSIDE}" in page.content.decode()

    seat = inside.post(claim).json()["assignment"]
    assert job.title in inside.get(reverse("worker:jobs")).content.decode()
    assert inside.get(reverse("worker:task", args=[job.queue_id])).status_code == 200
    assert inside.get(seat["image_url"]).status_code == 200
    assert outside.get(seat["image_url"]).status_code == 403
    assert outside.get("/api/v1/assignments").json()["results"] == []
    assert len(inside.get("/api/v1/assignments").json()["results"]) == 1
    assert submit(outside, seat["id"]).status_code == 403
    assert Assignment.objects.get().state == "Leased"
    assert submit(inside, seat["id"]).status_code == 200
    # A task that was claimed inside can be given back from anywhere, so that others get it.
    held = inside.post(claim).json()["assignment"]["id"]
    assert outside.post(f"/api/v1/assignments/{held}/return").status_code == 200


def test_the_requester_sees_the_pictures_from_everywhere_and_a_list_taken_back_opens_the_work_at_once(story):
    job, worker = story
    owner = from_address(job.account.members.get(), OUTSIDE)
    row = owner.get(f"/api/v1/labeling-jobs/{job.pk}/objects").json()["results"][0]
    assert owner.get(row["image_url"]).status_code == 200
    access = f"/api/v1/workteams/{job.workteam_id}/access"
    sent = owner.put(access, {"source_cidrs": ["10.0.0.0/33"]}, content_type="application/json")
    assert sent.status_code == 400 and "source_cidrs" in sent.content.decode()
    outside = from_address(worker.user, OUTSIDE)
    assert outside.post(f"/api/v1/work-queues/{job.queue_id}/claim").status_code == 403
    sent = owner.put(access, {"source_cidrs": []}, content_type="application/json")
    assert sent.json()["source_cidrs"] == []
    assert outside.post(f"/api/v1/work-queues/{job.queue_id}/claim").json()["assignment"]


def test_the_address_is_the_one_that_the_operators_own_proxy_saw(story, settings):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    job, worker = story
    client, claim = from_address(worker.user, "10.0.0.7"), f"/api/v1/work-queues/{job.queue_id}/claim"
    assert client.post(claim, headers={"X-Forwarded-For": f"{INSIDE}, {OUTSIDE}"}).status_code == 403
    assert client.post(claim, headers={"X-Forwarded-For": "no address"}).status_code == 403
    assert client.post(claim, headers={"X-Forwarded-For": f"{OUTSIDE}, {INSIDE}"}).status_code == 200


def test_to_somebody_who_may_not_see_the_work_the_networks_say_nothing(story):
    job, _ = story
    (stranger,) = stories.a_crowd(1)
    refused = from_address(stranger.user, OUTSIDE).post(f"/api/v1/work-queues/{job.queue_id}/claim")
    assert refused.status_code == 403 and "not a member" in refused.json()["detail"]
    assert from_address(stranger.user, OUTSIDE).post("/api/v1/work-queues/999999/claim").status_code == 404


def test_the_portal_shows_strangers_the_organization_and_workers_their_jobs(story):
    job, worker = story
    other = stories.a_job(job.account, builders.a_team(account=job.account, workers=[worker]), title="Other work")
    stories.open_pictures(other)
    owner = signed_in(job.account.members.get())
    said = {"organization": "Hives & Honey", "contact_email": "hives@example.org"}
    assert owner.post(reverse("requester:settings-organization"), said).status_code == 302
    portal = reverse("portal", args=[job.workteam.portal_slug])
    for client in (Client(), signed_in(stories.a_crowd(1)[0].user)):
        page = client.get(portal).content.decode()
        assert "Hives &amp; Honey" in page and "hives@example.org" in page
        secrets = (job.workteam.name, job.title, worker.public_id, worker.user.email)
        assert not [secret for secret in secrets if secret in page]
    page = from_address(worker.user, INSIDE).get(portal).content.decode()
    assert job.title in page and "Other work" not in page
    page = from_address(worker.user, OUTSIDE).get(portal).content.decode()
    assert f"you come from {OUTSIDE}" in page and job.title not in page
    assert Client().get("/portal/nothing-here/").status_code == 404


def test_a_worker_signs_in_on_the_portal_and_is_there(story):
    job, _ = story
    user = builders.a_user()
    builders.a_team(account=job.account, workers=[builders.a_worker(user=user)])
    portal = reverse("portal", args=[job.workteam.portal_slug])
    sent = Client().post("/sign-in/", {"username": user.email, "password": builders.PASSWORD, "next": portal})
    assert sent.headers["Location"] == portal


def test_portal_and_networks_are_changed_on_the_page(story):
    job, _ = story
    owner, team = signed_in(job.account.members.get()), job.workteam
    path = reverse("requester:team-portal", args=[team.pk])
    assert owner.post(path, {"portal": "Not A Slug"}).status_code == 422
    assert owner.post(path, {"portal": "hives"}).status_code == 302
    builders.a_team(account=job.account, workers=0)
    other = job.account.workteams.exclude(pk=team.pk).get()
    taken = owner.post(reverse("requester:team-portal", args=[other.pk]), {"portal": "hives"})
    assert taken.status_code == 422 and "another portal has the address" in taken.content.decode()
    path = reverse("requester:team-networks", args=[team.pk])
    bad = owner.post(path, {"source_cidrs": "10.0.0.0/8 nonsense"})
    assert bad.status_code == 422 and "&#x27;nonsense&#x27; is no IPv4 network" in bad.content.decode()
    assert owner.post(path, {"source_cidrs": "10.0.0.0/8\n192.0.2.0/24"}).status_code == 302
    team.refresh_from_db()
    assert (team.portal_slug, team.source_cidrs) == ("hives", ["10.0.0.0/8", "192.0.2.0/24"])


def test_a_list_is_invited_on_the_page(story, settings):
    job, worker = story
    owner, path = signed_in(job.account.members.get()), reverse("requester:team-invite", args=[job.workteam_id])
    given = f"Ada <ada@example.org>, bob@\nada@example.org {worker.user.email}"
    refused = owner.post(path, {"emails": given})
    assert refused.status_code == 422 and not Invitation.objects.exists()
    assert "&#x27;bob@&#x27;: is not an e-mail address" in refused.content.decode()
    page = owner.post(path, {"emails": given, "skip_bad": "on"})
    html = page.content.decode()
    assert page["Cache-Control"] == "no-store" and "1 invitation made" in html and "/join/" in html
    assert all(text in html for text in ("bob@", "Named more than once", "On the team already", worker.user.email))
    assert [row.email for row in Invitation.objects.all()] == ["ada@example.org"]

    settings.EMAIL_HOST, settings.EMAIL_FROM = "mail.example", "waggle@example.org"
    sent = owner.post(path, {"emails": "eve@example.org mel@example.org"}, follow=True)
    assert "2 invitations are on the way" in sent.content.decode() and "/join/" not in sent.content.decode()


def test_a_list_is_invited_over_rest_and_the_letter_names_the_organization(story, settings):
    settings.EMAIL_HOST, settings.EMAIL_FROM = "mail.example", "waggle@example.org"
    settings.PUBLIC_URL = "https://waggle.example"
    job, _ = story
    owner = signed_in(job.account.members.get())
    organization = {"organization": "Hives\nInc", "contact_email": "Hives@Example.org"}
    assert owner.put("/api/v1/organization", organization, content_type="application/json").json() == {
        "organization": "Hives Inc",
        "contact_email": "hives@example.org",
    }
    path = f"/api/v1/workteams/{job.workteam_id}/invitation-lists"
    body = {"emails": ["Ada <ada@example.org>", "no address"]}
    refused = owner.post(path, body, content_type="application/json")
    assert refused.status_code == 400 and not Invitation.objects.exists()
    assert refused.json()["errors"] == [{"field": "emails", "reason": "'no address': is not an e-mail address"}]
    made = owner.post(path, {**body, "skip_bad": True}, content_type="application/json").json()
    assert [row["email"] for row in made["invitations"]] == ["ada@example.org"]
    assert made["bad"] == [{"text": "no address", "reason": "is not an e-mail address"}]
    background.mail_invitation(made["invitations"][0]["id"])
    (letter,) = mail.outbox
    assert letter.subject == "Invitation to Hives Inc" and "hives@example.org" in letter.body
    assert reverse("portal", args=[job.workteam.portal_slug]) in letter.body
    page = Client().get(re.search(r"https://waggle\.example(/join/\S+)", letter.body)[1]).content.decode()
    assert "Hives Inc invites" in page and "hives@example.org" in page


def test_teams_without_a_list_cost_no_further_query(story, django_assert_num_queries):
    """The claim asks in its own round trip, with a list and without one."""
    job, _ = story
    for worker, cidrs in zip(job.workteam.members.all(), ([], ["203.0.113.0/24"]), strict=False):
        team_access.set_networks(team=job.workteam, cidrs=cidrs, by="system")
        with django_assert_num_queries(1):
            assert assignments.claim(worker=worker, queue=job.queue, address=INSIDE) is not None
