"""The account for which a browser acts, of several: one's own, else the one that is chosen on a page."""

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.models import Account, Role, Workteam
from marketplace.services import accounts
from tests import builders

pytestmark = pytest.mark.django_db
OVERVIEW = reverse("requester:overview")
CHOOSE = reverse("choose-account")


@pytest.fixture
def person(db):
    """(browser, user, own account)."""
    user, own = builders.a_requester(funds="0")
    client = Client()
    client.force_login(user)
    return client, user, own


def team_made_by(client: Client) -> Account | None:
    """The account for which a browser makes a team, None when it makes none."""
    name = f"bees-{Workteam.objects.count()}"
    client.post(reverse("requester:team-new"), {"name": name, "description": ""})
    made = Workteam.objects.filter(name=name).select_related("account").first()
    return made.account if made else None


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER, Role.ADMIN])
def test_what_a_browser_makes_stays_in_the_own_account_when_a_stranger_adds_the_person(person, role):
    client, user, own = person
    _, theirs = builders.a_requester(funds="0")
    accounts.add_member(account=theirs, user=user, role=role)
    assert team_made_by(client) == own


def test_with_several_own_accounts_nothing_is_done_before_one_is_chosen(person):
    client, user, first = person
    second = builders.an_account(owner=user, funds="0")
    assert team_made_by(client) is None
    asked = client.get(f"{OVERVIEW}?a=b")
    assert (asked.status_code, asked["Location"]) == (302, f"{CHOOSE}?next=%2Foverview%2F%3Fa%3Db")
    shown = client.get(asked["Location"]).content.decode()
    assert first.number in shown and second.number in shown and "/overview/?a=b" in shown
    sent = client.post(CHOOSE, {"account": second.number, "next": "/overview/?a=b"})
    assert sent["Location"] == "/overview/?a=b"
    assert team_made_by(client) == second
    assert client.get("/api/v1/wallet").status_code == 200
    client.post(CHOOSE, {"account": first.number})
    assert team_made_by(client) == first


def test_a_choice_ends_with_the_membership(person):
    client, user, own = person
    _, theirs = builders.a_requester(funds="0")
    accounts.add_member(account=theirs, user=user, role=Role.ADMIN)
    client.post(CHOOSE, {"account": theirs.number})
    assert team_made_by(client) == theirs
    accounts.remove_member(account=theirs, user=user, acting=user)
    assert team_made_by(client) == own


def test_only_accounts_of_one_s_own_are_offered_and_can_be_chosen(person):
    client, _, own = person
    _, theirs = builders.a_requester(funds="0")
    assert theirs.number not in client.get(CHOOSE).content.decode()
    assert client.post(CHOOSE, {"account": theirs.number}).status_code == 404
    assert team_made_by(client) == own


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_the_page_leads_to_no_other_site(person, wanted):
    client, _, own = person
    assert client.post(CHOOSE, {"account": own.number, "next": wanted})["Location"] == OVERVIEW
