"""A bonus, a refund and a reversed deposit in a real browser; their pages are accessible at two widths."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from labeling.models import LabelingJob
from labeling.services.jobs import advancing
from marketplace.models import Account, User, Worker
from marketplace.services import debts, earnings, wallets
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS, check
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
DOLLAR = 1_000_000


@pytest.fixture
def job(account: Account, workers: list[Worker]) -> LabelingJob:
    """A job with an open batch to which each worker has given six answers in eight seconds each."""
    team = builders.a_team(account=account, workers=workers)
    job = stories.open_pictures(stories.a_job(account, team, workers_per_object=2, objects=8, price_micros=1_000))
    for worker in workers:
        stories.work(worker, job, most=6)
    return job


def test_a_bonus_a_refund_and_a_reversed_deposit(
    visit: Visit, live_server: Any, account: Account, owner: User, workers: list[Worker], job: LabelingJob
) -> None:
    """The owner pays a bonus and asks for money back; the operator sends it and takes a deposit back."""
    wallets.deposit(account=account, amount_micros=500 * DOLLAR, reference="bank-1", by="operator")
    page = visit(owner, reverse("requester:job", args=[job.pk]))
    expect(page.get_by_text("for an hour of active work, less than")).to_be_visible()
    page.get_by_role("link", name="Bonuses").click()
    page.get_by_label("Worker's id").fill(workers[0].public_id)
    page.get_by_label("Amount in dollars").fill("2.50")
    page.get_by_label("Reason").fill("careful work")
    page.get_by_role("button", name="Pay the bonus").click()
    expect(page.get_by_text(f"paid to {workers[0].public_id}")).to_be_visible()
    assert earnings.balance(workers[0]) == 6 * 1_000 + 2_500_000

    page.goto(live_server.url + reverse("requester:wallet"))
    page.get_by_text("Get free money back").click()
    page.get_by_label("Amount in dollars").first.fill("300")
    page.get_by_role("button", name="Ask for a refund").click()
    operator = visit(builders.an_operator(), reverse("operator:money"))
    operator.get_by_role("button", name="Paid", exact=True).click()
    expect(operator.get_by_text("is paid.")).to_be_visible()
    operator.get_by_label("Reference of the deposit").fill("bank-1")
    operator.get_by_label("Reason").fill("stolen card")
    operator.get_by_role("button", name="Take it out").click()
    expect(operator.get_by_text("its jobs wait")).to_be_visible()
    operator.get_by_role("link", name="Ledger audit").click()
    operator.get_by_role("button", name="Audit now").click()
    expect(operator.get_by_text("The ledger is whole.")).to_be_visible()
    advancing.advance_job(job.pk)
    page.goto(live_server.url + reverse("requester:job", args=[job.pk]))
    expect(page.get_by_role("button", name="Try now")).to_be_visible()
    assert debts.owed(account) > 0

    paths = [reverse(f"requester:{name}") for name in ("wallet", "wallet-statement", "billing")]
    paths += [reverse(f"requester:{name}", args=[job.pk]) for name in ("job", "job-bonuses")]
    for look in LOOKS:
        look = {**look, "color_scheme": "light"}
        width = look["viewport"]["width"]
        operator.set_viewport_size(look["viewport"])
        assert operator.evaluate("document.documentElement.scrollWidth") <= width
        for user, wanted in (
            (owner, paths),
            (workers[0].user, [reverse("worker:earnings"), reverse("worker:statement")]),
            (builders.an_operator(), [reverse("operator:money"), reverse("operator:ledger")]),
        ):
            shown = visit(user, wanted[0], **look)
            check(shown, [live_server.url + path for path in wanted])
            for path in wanted:
                shown.goto(live_server.url + path)
                assert shown.evaluate("document.documentElement.scrollWidth") <= width, path
