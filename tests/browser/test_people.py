"""Invitations and passwords in a real browser: invite, accept, leave; change a password and set a forgotten one."""

import re
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from playwright.sync_api import Page, expect

from frontend import background
from marketplace.models import Account, User, Worker
from marketplace.services import accounts, workteams
from tests import builders
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NEW = "thyme-and-lavender-7"


@pytest.fixture
def public(live_server: Any, settings: Any) -> str:
    """The portal's own address, with which links begin."""
    settings.PUBLIC_URL = live_server.url
    return live_server.url


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_somebody_with_a_sign_in_is_invited_accepts_and_leaves(
    visit: Visit, public: str, account: Account, owner: User
) -> None:
    """The account sees the invitation, the invited person accepts it on their page, and leaves again."""
    bea = builders.a_user(email="bea@example.org")
    page = visit(owner, reverse("requester:settings"))
    page.get_by_label("Email", exact=True).fill(bea.email)
    page.get_by_label("Role", exact=True).select_option("Viewer")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("Pass this link on now: it is shown this once.")).to_be_visible()
    expect(page.get_by_role("button", name=f"Withdraw the invitation of {bea.email}")).to_be_visible()
    assert accounts.role_of(account=account, user=bea) is None

    theirs = visit(None, "/sign-in/")
    sign_in(theirs, bea.email, builders.PASSWORD)
    expect(theirs.get_by_role("heading", name="Invitations")).to_be_visible()
    theirs.get_by_role("button", name=f"Accept the invitation to {account.name}").click()
    expect(theirs.get_by_text(f"You have joined {account.name}.")).to_be_visible()
    assert accounts.role_of(account=account, user=bea) == "Viewer"

    theirs.on("dialog", lambda asked: asked.accept())
    theirs.get_by_role("button", name=f"Leave {account.name}").click()
    expect(theirs.get_by_text(f"You have left {account.name}.")).to_be_visible()
    assert accounts.role_of(account=account, user=bea) is None


def test_somebody_new_joins_a_team_by_the_link_that_was_passed_on(
    visit: Visit, public: str, account: Account, owner: User
) -> None:
    """The link is shown to the inviter once; the new worker sets a password and sees the tasks."""
    team = builders.a_team(account=account, workers=0, name="field-team")
    page = visit(owner, reverse("requester:team", args=[team.pk]))
    page.get_by_label("E-mail addresses").fill("new@example.org")
    page.get_by_role("button", name="Invite").click()
    link = page.locator(".callout-ok .mono").inner_text().strip()
    page.goto(public + reverse("requester:team", args=[team.pk]))
    expect(page.get_by_text("new@example.org")).to_be_visible()
    expect(page.get_by_text(link)).to_have_count(0)

    theirs = visit(None, link.removeprefix(public))
    expect(theirs.get_by_role("heading", name="You are invited")).to_be_visible()
    theirs.get_by_label("Your name").fill("New Worker")
    theirs.get_by_label("Password", exact=True).fill(NEW)
    theirs.get_by_label("Password, again").fill("something else")
    theirs.get_by_role("button", name="Set the password and join").click()
    expect(theirs.locator(".field.invalid .field-error")).to_have_text("The two passwords are not the same.")
    theirs.get_by_label("Password", exact=True).fill(NEW)
    theirs.get_by_label("Password, again").fill(NEW)
    theirs.get_by_role("button", name="Set the password and join").click()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Tasks")
    assert team.members.get().user.email == "new@example.org"


def test_a_password_is_changed(visit: Visit, owner: User) -> None:
    """This browser goes on; another one has to sign in again."""
    page, other = visit(owner, reverse("person:password-change")), visit(owner, reverse("person:you"))
    page.get_by_label("Old password").fill(builders.PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password, again").fill(NEW)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    other.reload()
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")
    sign_in(other, owner.email, NEW)
    expect(other.get_by_role("heading", level=1)).to_have_text("You")


def test_a_forgotten_password_is_set_by_mail(visit: Visit, public: str, owner: User, settings: Any) -> None:
    """From the sign-in to the letter, and back with the new password."""
    settings.EMAIL_HOST, settings.EMAIL_FROM = "mail.example", "waggle@example.org"
    page = visit(None, "/sign-in/")
    page.get_by_role("link", name="Forgotten your password?").click()
    page.get_by_label("Email").fill(owner.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    background.mail_password_link(owner.pk)
    (letter,) = mail.outbox
    page.goto(re.search(r"http\S+", letter.body)[0])
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password, again").fill(NEW)
    page.get_by_role("button", name="Set the password").click()
    sign_in(page, owner.email, NEW)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_an_operator_makes_a_link_for_somebody_who_has_forgotten_theirs(
    visit: Visit, public: str, workers: list[Worker]
) -> None:
    """Without a mail server."""
    user = builders.a_user(email="ada@example.org")
    workteams.register_worker(user)
    page = visit(builders.an_operator(), reverse("operator:people"))
    page.get_by_label("Address, name or worker's id").fill("ada@")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="ada@example.org").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".callout-ok .mono").inner_text().strip()
    theirs = visit(None, link.removeprefix(public))
    theirs.get_by_label("New password", exact=True).fill(NEW)
    theirs.get_by_label("New password, again").fill(NEW)
    theirs.get_by_role("button", name="Set the password").click()
    sign_in(theirs, "ada@example.org", NEW)
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Tasks")
