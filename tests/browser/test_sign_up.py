"""Signing up and a team's portal in a real browser, wide and narrow, readable by axe."""

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import LabelingJob
from marketplace.models import Account, User
from marketplace.services import team_access, workteams
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import check, each_look
from tests.frontend.test_passwords import deliver
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NEW = "thyme-and-lavender-7"
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def public(live_server: Any, settings: Any) -> str:
    """An installation with a mail server, at which workers and requesters sign up."""
    settings.PUBLIC_URL, settings.SIGN_UP_ENABLED = live_server.url, True
    settings.EMAIL_HOST, settings.EMAIL_FROM = "mail.example", "waggle@example.org"
    return live_server.url


@pytest.fixture
def job(account: Account) -> LabelingJob:
    """A job of a team that nobody is on yet."""
    job = stories.a_job(account, builders.a_team(account=account, workers=0, name="field-team"), objects=2)
    return stories.open_pictures(job)


def fits(page: Page) -> None:
    assert page.evaluate(WIDTH) <= 0, f"{page.url} is wider than its window"


def read(page: Page, address: str = "") -> None:
    """No violation that axe finds, and no page wider than the window."""
    check(page, [address or page.url])
    fits(page)


def invite(team: Page, public: str) -> None:
    """Paste a list with a bad address, and choose the portal's address."""
    team.get_by_label("E-mail addresses").fill("Ada <ada@example.org>, bob@")
    team.get_by_role("button", name="Invite").click()
    expect(team.locator(".field.invalid .field-error")).to_have_text("'bob@': is not an e-mail address")
    team.get_by_label("If some are no addresses").check()
    team.get_by_role("button", name="Invite").click()
    expect(team.get_by_text("1 invitation made.")).to_be_visible()
    fits(team)
    team.get_by_label("Last part of the address").fill("hives")
    team.on("dialog", lambda asked: asked.accept())
    team.get_by_role("button", name="Change the address").click()
    expect(team.locator("main .mono").filter(has_text=f"{public}/portal/hives/")).to_be_visible()
    read(team)


@each_look
def test_people_sign_up_are_invited_by_list_and_find_their_portal(
    visit: Visit,
    public: str,
    account: Account,
    owner: User,
    job: LabelingJob,
    look: dict[str, Any],
    tolerated: list[str],
) -> None:
    """A stranger becomes a worker of the public pool, then of a team that has pasted their address."""
    tolerated.append("403 (Forbidden)")
    page = visit(None, "/sign-in/", **look)
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Email").fill("ada@example.org")
    page.get_by_label("What for?").select_option("Worker")
    read_form = page.url
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    (letter,) = deliver()
    link = re.search(r"http\S+", letter.body)[0]
    for address in (read_form, reverse("person:sign-up-sent"), link):
        read(page, address if address.startswith("http") else public + address)
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_label("Password, again").fill(NEW)
    page.get_by_label("Where you live").select_option("DE")
    page.get_by_label("I am of age where I live").check()
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")
    assert workteams.public_pool().members.get().profile.country == "DE"
    read(page, public + reverse("person:you"))
    expect(page.get_by_label("Where you live")).to_have_value("DE")

    invite(visit(owner, reverse("requester:team", args=[job.workteam_id]), **look), public)
    page.reload()
    page.get_by_role("button", name=f"Accept the invitation to {account.name}").click()
    portal = f"{public}/portal/hives/"
    read(page, portal)
    expect(page.get_by_role("link", name=job.title)).to_be_visible()
    stranger = visit(None, "/portal/hives/", **look)
    read(stranger)
    expect(stranger.get_by_role("heading", level=1)).to_have_text(account.name)
    stranger.get_by_label("Email").fill("ada@example.org")
    stranger.get_by_label("Password").fill(NEW)
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_role("link", name=job.title)).to_be_visible()

    team_access.set_networks(team=job.workteam, cidrs=["203.0.113.0/24"], by="system")
    read(page, portal)
    expect(page.get_by_text("you come from 127.0.0.1")).to_be_visible()
    expect(page.get_by_role("link", name=job.title)).to_have_count(0)
