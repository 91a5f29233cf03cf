"""Second factors in a real browser: an authenticator app and a passkey are set up, and sign in."""

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from marketplace.models import User
from tests import builders
from tests.browser.conftest import Visit
from tests.frontend.test_second_factor import code_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def security_key(page: Page) -> None:
    """Give the browser a passkey store of its own, which says yes (Chromium's virtual authenticator)."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def confirm(page: Page) -> None:
    page.get_by_label("Password").fill(builders.PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def test_an_authenticator_app_and_a_passkey_are_set_up_and_sign_in(visit: Visit, owner: User) -> None:
    page = visit(owner, "/you/")
    security_key(page)
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("link", name="Activate").click()
    confirm(page)
    secret = page.get_by_label("Authenticator secret").input_value()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.get_by_label("Authenticator code").fill(code_of(secret, -1))
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_label("Unused codes")).to_be_visible()

    page.goto(page.url.partition("/you/")[0] + "/you/second-factor/webauthn/add/")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("You have added 1 security key.")).to_be_visible()
    assert Authenticator.objects.filter(user=owner, type="webauthn").count() == 1

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Email").fill(owner.email)
    page.get_by_label("Password").fill(builders.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Sign In", exact=True).click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
