"""The page of access keys in a real browser: a key is made, its secret copied, and the page fits a phone."""

import os

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from marketplace.models import AccessKey, Account, User
from marketplace.services import access_keys
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_key_is_made_and_revoked(visit: Visit, owner: User, account: Account) -> None:
    page = visit(owner, reverse("requester:settings"))
    page.get_by_role("link", name="AWS access").click()
    page.get_by_label("What is it for?").fill("notebook")
    page.get_by_role("button", name="Create an access key").click()
    key = AccessKey.objects.get(account=account)
    holder = access_keys.holder(key.key_id)
    assert holder is not None
    expect(page.get_by_text(holder.secret, exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Environment variables")).to_contain_text(f"AWS_ACCESS_KEY_ID={key.key_id}")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
        if folder := os.environ.get("WAGGLE_SHOTS"):
            page.screenshot(path=f"{folder}/access-keys-{width}.png", full_page=True)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name=f"Revoke {key.key_id}").click()
    expect(page.get_by_text("No access key yet")).to_be_visible()
