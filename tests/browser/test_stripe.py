"""Paying by card and being paid by Stripe, in a real browser; the pages are accessible at two widths."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from marketplace import background
from marketplace.models import Account, Payout, StripePayee, User
from marketplace.services import wallets
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS, check
from tests.stripe_stories import fake, tell

__all__ = ["fake"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_money_comes_in_by_card_and_goes_out_to_a_worker(
    visit: Visit, live_server: Any, fake: Any, account: Account, owner: User
) -> None:
    """The owner pays at Stripe; a worker sets up an account there, and the operator sends their pay."""
    before = wallets.balance(account=account)
    page = visit(owner, reverse("requester:wallet"))
    page.get_by_label("Amount to pay in dollars").fill("0.10")
    page.get_by_role("button", name="Deposit by card").click()
    expect(page.get_by_text("whole cents from 0.50")).to_be_visible()
    page.get_by_label("Amount to pay in dollars").fill("25")
    page.get_by_role("button", name="Deposit by card").click()
    page.wait_for_url(f"{fake.base}/pay/*")
    (session,) = fake.of_kind("checkout.session")
    tell(fake, "checkout.session.completed", fake.pay(session["id"]))
    page.goto(live_server.url + reverse("requester:wallet"))
    expect(page.locator("#card")).to_contain_text("$25.00 booked")
    assert wallets.balance(account=account) == before + 25_000_000

    worker = builders.a_worker()
    builders.earn(worker, 12_345_678)
    mine = visit(worker.user, reverse("worker:earnings"))
    mine.get_by_role("button", name="Go on with Stripe").click()
    mine.wait_for_url(f"{fake.base}/setup/*")
    fake.onboard(str(StripePayee.objects.get().account_id))
    mine.goto(live_server.url + reverse("worker:earnings"))
    mine.get_by_role("button", name="Go on with Stripe").click()
    expect(mine.get_by_text("Stripe has all it needs")).to_be_visible()
    mine.get_by_role("button", name="Ask for a payout").click()
    theirs = visit(builders.an_operator(), reverse("operator:payouts"))
    theirs.get_by_role("button", name="Send by Stripe").click()
    expect(theirs.get_by_text("1 payout handed to Stripe")).to_be_visible()
    fake.balance = 0
    payout = Payout.objects.get()
    background.step_stripe_payout(payout.pk)
    theirs.reload()
    expect(theirs.locator("#problems")).to_contain_text(f"{payout.reference}: Stripe: You have insufficient funds")
    for look in LOOKS:
        look = {**look, "color_scheme": "light"}
        for user, path in (
            (owner, reverse("requester:wallet")),
            (worker.user, reverse("worker:earnings")),
            (User.objects.get(is_operator=True), reverse("operator:payouts")),
        ):
            shown = visit(user, path, **look)
            check(shown, [live_server.url + path])
            assert shown.evaluate("document.documentElement.scrollWidth") <= look["viewport"]["width"], path
