"""People on pages, over REST and by command: invitations, leaving, suspensions, and what operators do."""

import json
import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from labeling.models import Assignment
from labeling.services.queue import assignments
from marketplace.models import Account, Block, Invitation, Role, User, Worker, Workteam
from marketplace.services import accounts, invitations, passwords, scope, workteams
from tests import builders
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories

pytestmark = pytest.mark.django_db
NEW = "thyme-and-lavender-7"
LINK = re.compile(r"http://127\.0\.0\.1:8000(/(?:join|password/reset)/[^\s\"<]+/)")


@pytest.fixture
def account(db) -> Account:
    return builders.an_account(funds="0")


@pytest.fixture
def owner(account) -> Client:
    return signed_in(account.members.get())


@pytest.fixture
def team(account) -> Workteam:
    return builders.a_team(account=account, workers=0)


@pytest.fixture
def operator(db) -> Client:
    return signed_in(builders.an_operator())


def send(client: Client, method: str, path: str, body: dict | None = None):
    return getattr(client, method)(f"/api/v1/{path}", json.dumps(body or {}), content_type="application/json")


def link_in(response) -> str:
    (path,) = set(LINK.findall(response.content.decode()))
    return path


# --- invitations -----------------------------------------------------------------


@pytest.mark.parametrize("through", ["page", "rest"])
@pytest.mark.parametrize("place", ["account", "team"])
def test_the_answer_is_the_same_whether_an_address_belongs_to_somebody(account, owner, team, through, place):
    """Byte for byte, but for the address itself, ids, times and the link."""
    builders.a_worker(user=builders.a_user(email="known-bees@example.org"))
    shown = []
    for email in ("known-bees@example.org", "nobody-bees@example.org"):
        form = {"email": email, "role": "Member"} if place == "account" else {"email": email, "emails": email}
        if through == "rest":
            path = "invitations" if place == "account" else f"workteams/{team.pk}/invitations"
            response = send(owner, "post", path, {k: v for k, v in form.items() if k != "emails"})
        elif place == "account":
            response = owner.post(reverse("requester:settings-invite"), form)
        else:
            response = owner.post(reverse("requester:team-invite", args=[team.pk]), form)
        assert response.status_code == (201 if through == "rest" else 200)
        assert len(LINK.findall(response.content.decode())) > 0
        text = response.content.decode().replace(email, "EMAIL")
        shown.append(re.sub(r"/join/[^/]+/|\d+|csrfmiddlewaretoken[^>]+", "", text))
        invitations.withdraw(invitation=Invitation.objects.latest("pk"), acting=account.members.get())
    assert shown[0] == shown[1]


def test_the_page_of_a_link_looks_the_same_whether_an_address_belongs_to_somebody(account, owner):
    builders.a_user(email="known-bees@example.org")
    shown = []
    for email in ("known-bees@example.org", "nobody-bees@example.org"):
        path = link_in(send(owner, "post", "invitations", {"email": email, "role": "Member"}))
        page = Client().get(path)
        assert page.status_code == 200 and "no-store" in page.headers["Cache-Control"]
        text = page.content.decode().replace(email, "EMAIL")
        shown.append(re.sub(r"datetime=\"[^\"]+\"|csrfmiddlewaretoken[^>]+|/join/[^\"]+", "", text))
    assert shown[0] == shown[1]


def test_a_new_person_joins_by_the_link_and_works_at_once(owner, team):
    path = link_in(send(owner, "post", f"workteams/{team.pk}/invitations", {"email": "new@example.org"}))
    browser = Client()
    for given, field in (
        ({"password": "short", "password_again": "short"}, "password"),
        ({"password": NEW, "password_again": NEW + "x"}, "password_again"),
        ({"password": NEW, "password_again": NEW, "display_name": "x" * 81}, "display_name"),
    ):
        refused = browser.post(path, given)
        assert refused.status_code == 422 and list(refused.context["form"].errors) == [field]
    assert not User.objects.filter(email="new@example.org").exists()
    joined = browser.post(path, {"display_name": "New", "password": NEW, "password_again": NEW})
    assert joined.status_code == 302
    assert browser.get("/", follow=True).redirect_chain[-1][0] == reverse("worker:jobs")
    assert team.members.get().user.email == "new@example.org"
    assert Client().get(path).status_code == 404
    assert Client().login(username="new@example.org", password=NEW)


def test_somebody_with_a_sign_in_is_sent_to_it_by_the_link(account, owner):
    bea = builders.a_user(email="bea@example.org")
    path = link_in(send(owner, "post", "invitations", {"email": bea.email, "role": "Viewer"}))
    refused = Client().post(path, {"password": NEW, "password_again": NEW})
    assert refused.status_code == 422 and b"has a sign-in already" in refused.content
    bea.refresh_from_db()
    assert bea.check_password(builders.PASSWORD) and accounts.role_of(account=account, user=bea) is None
    assert signed_in(bea).get(path).headers["Location"] == reverse("person:you")
    other = signed_in(builders.a_user()).get(path)
    assert other.status_code == 200 and b"is for another address" in other.content


def test_the_invited_person_sees_the_invitation_everywhere_and_on_the_first_page(account, owner):
    bea = builders.a_user()
    send(owner, "post", "invitations", {"email": bea.email, "role": "Viewer"})
    client = signed_in(bea)
    assert client.get("/").headers["Location"] == reverse("person:you")
    assert account.name in client.get(reverse("person:you")).content.decode()
    assert b"You have 1 invitation." in client.get(reverse("choose-account")).content
    (row,) = client.get("/api/v1/me/invitations").json()["results"]
    assert (row["account"]["number"], row["role"], row["workteam"]) == (account.number, "Viewer", None)
    assert "email" not in row
    assert send(client, "post", f"me/invitations/{row['id']}/decline").status_code == 204
    assert send(client, "post", f"me/invitations/{row['id']}/accept").status_code == 409
    assert b"You have 1 invitation." not in client.get(reverse("choose-account")).content
    assert accounts.role_of(account=account, user=bea) is None


def test_invitations_are_listed_and_withdrawn_by_admins_only(account, owner, team):
    send(owner, "post", "invitations", {"email": "first@example.org", "role": "Owner"})
    send(owner, "post", f"workteams/{team.pk}/invitations", {"email": "second@example.org"})
    rows = owner.get("/api/v1/invitations").json()["results"]
    assert [(row["email"], row["role"], bool(row["workteam"])) for row in rows] == [
        ("second@example.org", None, True),
        ("first@example.org", "Owner", False),
    ]
    assert not any("link" in row for row in rows)
    of_team, of_account = (row["id"] for row in rows)
    for role in (Role.VIEWER, Role.MEMBER):
        user = builders.a_user()
        accounts.add_member(account=account, user=user, role=role)
        client = signed_in(user)
        assert client.get("/api/v1/invitations").status_code == 403
        assert client.delete(f"/api/v1/invitations/{of_team}").status_code == 403
        for page in (reverse("requester:settings"), reverse("requester:team", args=[team.pk])):
            assert b"@example.org is invited" not in client.get(page).content
            assert b"first@example.org" not in client.get(page).content
            assert b"second@example.org" not in client.get(page).content
    admin = builders.a_user()
    accounts.add_member(account=account, user=admin, role=Role.ADMIN)
    client = signed_in(admin)
    # An owner's rank is above an admin's.
    assert client.delete(f"/api/v1/invitations/{of_account}").status_code == 403
    assert client.post(reverse("requester:settings-withdraw", args=[of_account])).status_code == 403
    assert client.delete(f"/api/v1/invitations/{of_team}").status_code == 204
    assert owner.post(reverse("requester:settings-withdraw", args=[of_account])).status_code == 302
    assert owner.get("/api/v1/invitations").json()["results"] == []


def test_a_token_of_one_account_neither_sees_nor_accepts_invitations(account, owner):
    bea, own = builders.a_requester(funds="0")
    send(owner, "post", "invitations", {"email": bea.email, "role": "Viewer"})
    row = Invitation.objects.get()
    for bound, code in ((own, 403), (None, 204)):
        secret = accounts.create_token(user=bea, account=bound, name="t")[1]
        client = Client(headers={"Authorization": f"Bearer {secret}"})
        assert client.get("/api/v1/me/invitations").status_code == (403 if bound else 200)
        assert send(client, "post", f"me/invitations/{row.pk}/accept").status_code == code


@pytest.mark.parametrize("old", ["members", "workteams/{}/members"])
def test_nobody_is_added_without_being_asked(owner, team, old):
    bea = builders.a_user()
    response = send(owner, "post", old.format(team.pk), {"email": bea.email, "role": "Viewer"})
    assert response.status_code == 405 and not scope.memberships(bea).exists()


# --- leaving ---------------------------------------------------------------------


def test_teams_and_the_public_pool_can_be_left_on_a_page_and_over_rest(account):
    worker = builders.a_worker()
    client = signed_in(worker.user)
    for _ in range(2):
        workteams.join_public_pool(worker)
        for leave in (
            lambda team: client.post(reverse("person:leave-team", args=[team.pk])),
            lambda team: client.delete(f"/api/v1/worker/teams/{team.pk}"),
        ):
            team = builders.a_team(account=account, workers=[worker])
            names = [row["name"] for row in client.get("/api/v1/worker/teams").json()["results"]]
            assert team.name in names and team.name in client.get(reverse("person:you")).content.decode()
            assert leave(team).status_code in (204, 302)
            assert leave(team).status_code == 404
        client.delete(f"/api/v1/worker/teams/{workteams.public_pool().pk}")
        assert client.get("/api/v1/worker/teams").json()["results"] == []


def test_the_last_owner_stays(account, owner):
    assert owner.post(reverse("person:leave-account", args=[account.pk])).status_code == 409
    back = owner.post(
        reverse("person:leave-account", args=[account.pk]), headers={"Referer": "http://testserver/you/"}, follow=True
    )
    assert b"is the last owner" in back.content and account.members.count() == 1


# --- suspensions by an account ----------------------------------------------------


@pytest.mark.parametrize("through", ["page", "rest"])
def test_an_account_suspends_a_worker_and_lifts_it_again(through):
    job, (worker, _) = stories.an_open_job(workers=2)
    client = signed_in(job.account.members.get())
    seat = assignments.claim(worker=worker, queue=job.queue)
    sent = {"worker": worker.public_id, "reason": "answers at random"}
    if through == "page":
        asked = client.get(reverse("requester:team-suspended"), {"worker": worker.public_id})
        assert f'value="{worker.public_id}"' in asked.content.decode()
        done = client.post(reverse("requester:team-suspend"), sent, follow=True)
        assert b"1 task went back to others" in done.content and b"answers at random" in done.content
    else:
        done = send(client, "post", "blocks", sent)
        assert (done.status_code, done.json()) == (201, {"worker": worker.public_id, "tasks_returned": 1})
        (row,) = client.get("/api/v1/blocks").json()["results"]
        assert row["reason"] == "answers at random"
    assert Assignment.objects.get(pk=seat.pk).state == "Returned"
    theirs = signed_in(worker.user)
    assert theirs.post(f"/api/v1/work-queues/{job.queue_id}/claim").status_code == 403
    for _ in range(2):
        if through == "page":
            lifted = client.post(reverse("requester:team-lift", args=[worker.public_id]))
        else:
            lifted = client.delete(f"/api/v1/blocks/{worker.public_id}")
    assert lifted.status_code == 404 and not Block.objects.exists()
    assert theirs.post(f"/api/v1/work-queues/{job.queue_id}/claim").status_code == 200


@pytest.mark.parametrize(("role", "code"), [(Role.VIEWER, 403), (Role.MEMBER, 403), (Role.ADMIN, 201)])
def test_only_admins_suspend(account, role, code):
    user, worker = builders.a_user(), builders.a_worker()
    accounts.add_member(account=account, user=user, role=role)
    sent = {"worker": worker.public_id, "reason": "spam"}
    assert send(signed_in(user), "post", "blocks", sent).status_code == code
    assert send(signed_in(user), "delete", f"blocks/{worker.public_id}").status_code == (204 if code == 201 else 403)
    assert signed_in(user).get("/api/v1/blocks").status_code == 200


# --- operators ---------------------------------------------------------------------


def test_an_operator_makes_a_person_who_signs_in_by_the_link(operator):
    form = {"email": "Ada@example.org", "display_name": "Ada", "account": "Hives"}
    made = operator.post(reverse("operator:person-new"), form)
    assert made.status_code == 200 and "no-store" in made.headers["Cache-Control"]
    path, browser = link_in(made), Client()
    page = browser.get(path, follow=True)
    assert "set-password" in page.redirect_chain[-1][0]
    assert browser.post(page.redirect_chain[-1][0], {"new_password1": NEW, "new_password2": NEW}).status_code == 302
    assert browser.login(username="ada@example.org", password=NEW)
    assert browser.get("/", follow=True).redirect_chain[-1][0] == reverse("requester:overview")
    assert b"This link does not work" in Client().get(path).content
    for bad, field in (
        ({"email": "ada@example.org"}, "email"),
        ({"email": "b@example.org", "account": "x" * 81}, "account"),
    ):
        refused = operator.post(reverse("operator:person-new"), bad)
        assert refused.status_code == 422 and list(refused.context["form"].errors) == [field]


def test_an_operator_finds_people(operator):
    worker = builders.a_worker(user=builders.a_user(email="needle@example.org"))
    for wanted in ("NEEDLE", worker.public_id, worker.user.display_name):
        shown = operator.get(reverse("operator:people"), {"q": wanted}).content.decode()
        assert "needle@example.org" in shown
    assert "needle@example.org" not in operator.get(reverse("operator:people"), {"q": "hay"}).content.decode()
    rows = operator.get("/api/v1/users?email=needle").json()["results"]
    assert [row["worker"] for row in rows] == [{"id": worker.public_id, "status": "Active"}]


@pytest.mark.parametrize("through", ["page", "rest", "command"])
def test_an_operator_deactivates_and_suspends_and_takes_both_back(operator, through):
    job, (worker, _) = stories.an_open_job(workers=2)
    user = worker.user
    _, secret = accounts.create_token(user=user, account=None, name="t")
    session = signed_in(user)

    def act(what: str, **given: str) -> None:
        if through == "page":
            assert operator.post(reverse(f"operator:person-{what}", args=[user.pk]), given).status_code == 302
        elif through == "rest":
            assert send(operator, "post", f"users/{user.pk}/{what}", given).status_code == 200
        else:
            call_command("people", what, user.email, *given.values(), stdout=StringIO())

    assignments.claim(worker=worker, queue=job.queue)
    act("suspend", reason="spam")
    assert Worker.objects.get(pk=worker.pk).status == "Suspended"
    assert session.post(f"/api/v1/work-queues/{job.queue_id}/claim").status_code == 403
    assert not Assignment.objects.filter(worker=worker, state="Leased").exists()
    act("lift")
    assert session.post(f"/api/v1/work-queues/{job.queue_id}/claim").status_code == 200
    act("deactivate", reason="left")
    assert not Assignment.objects.filter(worker=worker, state="Leased").exists()
    assert session.get("/api/v1/me").status_code == 401 and accounts.authenticate_token(secret) is None
    act("reactivate")
    assert session.get("/api/v1/me").status_code == 401 and User.objects.get(pk=user.pk).is_active
    history = operator.get(reverse("operator:person", args=[user.pk])).content.decode()
    assert "Suspended: spam" in history and "Deactivated: left" in history and "Reactivated" in history


@pytest.mark.parametrize("action", ["deactivate", "suspend"])
def test_a_reason_is_needed(operator, action):
    worker = builders.a_worker()
    refused = operator.post(reverse(f"operator:person-{action}", args=[worker.user_id]), {"reason": ""})
    assert refused.status_code == 422 and f'id="{action}-reason"' in refused.content.decode()
    assert send(operator, "post", f"users/{worker.user_id}/{action}", {"reason": " "}).status_code == 400
    worker.refresh_from_db()
    assert worker.user.is_active and worker.status == "Active"


def test_an_operator_makes_accounts(operator):
    ada = builders.a_user()
    assert operator.post(reverse("operator:person-account", args=[ada.pk]), {"account": "First"}).status_code == 302
    made = send(operator, "post", "accounts", {"name": "Second", "owner": ada.email.upper()})
    assert made.status_code == 201
    assert [m.account.name for m in scope.memberships(ada)] == ["First", "Second"]
    assert send(operator, "post", "accounts", {"name": "Third", "owner": "nobody@example.org"}).status_code == 404


# --- commands ------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("people", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_command_makes_people_and_moves_them_in_and_out(team, account, monkeypatch):
    path = LINK.findall(run("create-user", "ada@example.org", "--name", "Ada", "--account", "Hives", "--operator"))[0]
    assert Client().get(path, follow=True).status_code == 200
    ada = scope.user_by_email("ada@example.org")
    assert ada.is_operator and not ada.has_usable_password()
    answers = iter([NEW, NEW, NEW, "other", "short", "short"])
    monkeypatch.setattr("frontend.management.commands.people.getpass", lambda _: next(answers))
    run("set-password", ada.email)
    ada.refresh_from_db()
    assert ada.check_password(NEW)
    for words in ("not the same", "too short"):
        with pytest.raises(CommandError, match=words):
            run("set-password", ada.email)
    assert "/password/reset/" in run("password-link", ada.email)
    assert account.number not in run("create-account", ada.email, "More")
    assert "/join/" in run("invite", "new@example.org", account.number, "--role", "Admin")
    assert "/join/" in run("invite", "new@example.org", account.number, "--team", team.name)
    assert [row.invited_by for row in Invitation.objects.all()] == [None, None]
    run("add-member", ada.email, account.number, "--role", "Viewer")
    assert accounts.role_of(account=account, user=ada) == Role.VIEWER
    run("remove-member", ada.email, account.number)
    assert accounts.role_of(account=account, user=ada) is None
    worker = workteams.register_worker(ada)
    workteams.add_worker(team=team, worker=worker, by="system")
    run("suspend", ada.email, "spam", "--account", account.number)
    assert Block.objects.get().reason == "spam"
    run("lift", ada.email, "--account", account.number)
    run("remove-worker", ada.email, account.number, team.name)
    assert not Block.objects.exists() and not team.members.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("password-link", "nobody@example.org"),
        ("create-user", "no address"),
        ("create-account", "nobody@example.org", "N"),
        ("invite", "a@example.org", "000000000000"),
        ("suspend", "nobody@example.org", "spam"),
    ],
)
def test_the_command_says_what_is_wrong(arguments):
    with pytest.raises(CommandError, match="address|account"):
        run(*arguments)
    assert not passwords.may_reset(scope.user_or_none("nobody@example.org"))
