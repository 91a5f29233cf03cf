"""Signing up on pages and over REST: verified addresses, limits, and the same answer whoever an address belongs to."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from frontend import guesses, letters
from labeling.models import LabelingJob
from labeling.services.jobs import creation, limits
from labeling.services.queue import visibility
from marketplace.errors import Invalid
from marketplace.models import SignUp, User
from marketplace.services import accounts, invitations, profiles, workteams
from tests import builders
from tests.frontend.test_passwords import deliver
from tests.labeling import stories

pytestmark = pytest.mark.django_db
NEW = "thyme-and-lavender-7"
PATH = "/sign-up/"
AUTOMATION = {"target_iou": 0.6, "architecture": "compact", "max_rounds": 3}


@pytest.fixture(autouse=True)
def mailing(settings):
    settings.EMAIL_HOST, settings.EMAIL_FROM = "mail.example", "waggle@example.org"
    settings.PUBLIC_URL = "https://waggle.example"
    settings.SIGN_UP_ENABLED = settings.WORKER_SIGN_UP_ENABLED = True


def ask(email, *, purpose="Worker", through="page", client=None):
    client, given = client or Client(), {"email": email, "purpose": purpose}
    if through == "page":
        return client.post(PATH, given)
    return client.post("/api/v1/sign-ups", given, content_type="application/json")


def link_in(letter) -> str:
    return re.search(r"https://waggle\.example(/sign-up/finish/\S+)", letter.body)[1]


def test_a_worker_signs_up_and_sees_public_work():
    job = stories.a_job(stories.an_account(), workteams.public_pool())
    stories.open_pictures(job)
    assert ask("New@example.org").headers["Location"] == f"{PATH}sent/"
    (letter,) = deliver()
    assert letter.to == ["new@example.org"] and not User.objects.filter(email="new@example.org").exists()
    browser, path = Client(), link_in(letter)
    assert "new@example.org" in browser.get(path).content.decode()
    bad = browser.post(path, {"password": "1", "password_again": "1", "country": "XX"})
    assert bad.status_code == 422 and not User.objects.filter(email="new@example.org").exists()
    given = {"display_name": "N", "password": NEW, "password_again": NEW, "country": "DE", "languages": ["de", "en"]}
    assert browser.post(path, given).headers["Location"] == "/"
    assert job.title in browser.get(reverse("worker:jobs")).content.decode()
    assert Client().get(path).status_code == 404
    profile = {"country": "DE", "languages": ["de", "en"], "adult": False}
    assert browser.get("/api/v1/worker/profile").json() == profile
    assert browser.post(reverse("person:profile"), {"country": "FR", "adult": "on"}).status_code == 302
    assert browser.get("/api/v1/worker/profile").json() == {"country": "FR", "languages": [], "adult": True}


def test_a_requester_signs_up_and_invites_a_colleague_who_has_to_accept():
    ask("boss@example.org", purpose="Requester", through="rest")
    (letter,) = deliver()
    secret = link_in(letter).split("/")[-2]
    body = {"secret": secret, "password": NEW}
    finish = "/api/v1/sign-ups/finish"
    assert Client().post(finish, body, content_type="application/json").json()["errors"][0]["field"] == "account"
    made = Client().post(finish, {**body, "account": "Hives"}, content_type="application/json")
    assert made.status_code == 201 and made.json()["account"]["name"] == "Hives"
    assert Client().post(finish, {**body, "account": "H"}, content_type="application/json").status_code == 404
    boss, colleague = User.objects.get(email="boss@example.org"), builders.a_user()
    account = boss.accounts.get()
    invitation = invitations.to_account(account=account, email=colleague.email, role="Admin", acting=boss)
    assert accounts.role_of(account=account, user=colleague) is None
    invitations.accept(invitation=invitation, user=colleague)
    assert accounts.role_of(account=account, user=colleague) == "Admin"


@pytest.mark.parametrize("through", ["page", "rest"])
def test_the_answer_is_the_same_whether_the_address_has_a_sign_in(through):
    builders.a_user(email="known@example.org")
    answers = [ask(email, through=through) for email in ("known@example.org", "nobody@example.org")]
    told = [(one.status_code, one.content, one.headers.get("Location")) for one in answers]
    assert told[0] == told[1]
    known, unknown = deliver()
    assert "has a sign-in already" in known.body and "/sign-up/finish/" not in known.body
    assert "/sign-up/finish/" in unknown.body
    assert [row.email for row in SignUp.objects.all()] == ["nobody@example.org"]


def test_asking_is_limited_by_address_and_a_mailbox_gets_few_letters(monkeypatch):
    for number in range(letters.PER_HOUR + 2):
        ask("new@example.org", client=Client(REMOTE_ADDR=f"192.0.2.{number}"))
    assert len(deliver()) == letters.PER_HOUR
    monkeypatch.setattr(guesses, "WRONG_FOR_ALL", 3)
    client = Client(REMOTE_ADDR="198.51.100.1")
    assert [ask(f"n{n}@example.org", client=client).status_code for n in range(4)] == [302, 302, 302, 422]
    assert ask("n9@example.org", client=client, through="rest").status_code == 429
    assert SignUp.objects.count() == 4


def test_the_operator_switches_sign_ups_off(settings):
    settings.SIGN_UP_ENABLED = False
    assert ask("a@example.org", purpose="Requester").status_code == 422
    assert ask("a@example.org", purpose="Requester", through="rest").status_code == 403
    settings.WORKER_SIGN_UP_ENABLED = False
    assert "Nobody signs up here" in Client().get(PATH).content.decode()
    assert "/sign-up/" not in Client().get("/sign-in/").content.decode()
    settings.WORKER_SIGN_UP_ENABLED = True
    assert "/sign-up/" in Client().get("/sign-in/").content.decode()
    settings.EMAIL_HOST = ""
    assert "Nobody signs up here" in Client().get(PATH).content.decode()
    assert ask("a@example.org", through="rest").status_code == 409
    assert not SignUp.objects.exists()


def test_public_work_needs_data_without_personal_data_and_adult_content_needs_age():
    account, pool = stories.an_account(), workteams.public_pool()
    for certified in ([], [limits.FREE_OF_ADULT_CONTENT]):
        with pytest.raises(Invalid) as refused:
            creation.create_job(**stories.a_design(account, pool, content_classifiers=certified))
        assert [field for field, _ in refused.value.errors] == ["content_classifiers"]
    assert not LabelingJob.objects.exists()
    private = builders.a_team(account=account, workers=1)
    assert creation.create_job(**stories.a_design(account, private, content_classifiers=[])).content_classifiers == []

    adult = stories.a_job(account, pool, content_classifiers=[limits.FREE_OF_PERSONAL_DATA])
    clean = stories.a_job(account, pool)
    young, old = stories.a_crowd(2)
    for worker in (young, old):
        workteams.join_public_pool(worker)
    profiles.put(worker=old, country="", languages=[], adult=True)
    refused = [visibility.refusal(worker_id=w.pk, queue=j.queue) for j in (adult, clean) for w in (young, old)]
    assert refused == ["not-admitted", None, None, None]


def test_the_wizard_asks_for_the_certificate(client):
    user, account = builders.a_requester()
    client.force_login(user)
    dataset, pool = builders.a_dataset(account=account), workteams.public_pool()
    step = {name: reverse("requester:job-new-step", args=[name]) for name in ("data", "task", "people")}
    client.post(step["data"], {"name": "bees", "dataset": dataset.pk, "selection": "full"})
    client.post(step["task"], {"labels": "bee", "title": "t", "description": "d"})
    people = {
        "workteam": pool.pk,
        "workers_per_object": 2,
        "redundancy": "fixed",
        "expected_seconds": 10,
        "price": "0.036",
        "time_limit_minutes": 7,
        "max_concurrent_tasks": 100,
    }
    refused = client.post(step["people"], people)
    assert refused.status_code == 422
    assert "free of personal data (FreeOfPersonallyIdentifiableInformation)" in refused.content.decode()
    assert client.post(step["people"], people | {"free_of_personal_data": "on"}).status_code == 302
    client.post(reverse("requester:job-new-step", args=["automation"]), AUTOMATION)
    assert (
        "certified free of personal data, may be adult content"
        in client.get(reverse("requester:job-review")).content.decode()
    )
    client.post(reverse("requester:job-launch"))
    assert LabelingJob.objects.get().content_classifiers == [limits.FREE_OF_PERSONAL_DATA]
