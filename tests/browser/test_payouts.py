"""A payout from the worker's wish to the bank's word, in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from marketplace.models import Worker
from marketplace.services import earnings, payouts
from tests import builders
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
IBAN = "DE89 3704 0044 0532 0130 00"


@pytest.fixture
def worker() -> Worker:
    """A worker who has earned something."""
    found = builders.a_worker()
    builders.earn(found, 12_345_678)
    return found


def test_a_worker_is_paid_out_and_once_refused(visit: Visit, worker: Worker, tmp_path: Path) -> None:
    """The first transfer is refused by the bank with a reason, the second one is made."""
    mine = visit(worker.user, reverse("worker:earnings"))
    expect(mine.get_by_role("button", name="Ask for a payout")).to_be_disabled()
    mine.get_by_label("Name on the account").fill("Ana Bee")
    mine.get_by_label("IBAN or account").fill(IBAN[:-1] + "1")
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_text("its check number does not fit")).to_be_visible()
    mine.get_by_label("IBAN or account").fill(IBAN.replace(" ", ""))
    mine.get_by_role("button", name="Save").click()
    mine.get_by_role("button", name="Ask for a payout").click()
    expect(mine.locator("#payouts")).to_contain_text("$12.34")
    theirs = visit(builders.an_operator(), "/operator/payouts/")
    expect(theirs.locator(".tile-value")).to_have_text("$12.34")
    theirs.get_by_role("button", name="Make a bank file").click()
    with theirs.expect_download() as saved:
        theirs.get_by_role("link", name="payouts-").click()
    file = tmp_path / "bank.csv"
    saved.value.save_as(file)
    reference = payouts.of_worker(worker).get().reference
    assert file.read_text().splitlines()[1] == f"{reference},Ana Bee,{IBAN},12.34,USD"
    theirs.get_by_text("Refused by the bank").click()
    theirs.get_by_label("Why").fill("account closed")
    theirs.get_by_role("button", name="Give the money back").click()
    expect(theirs.get_by_text("the worker has the money and the reason")).to_be_visible()
    mine.reload()
    expect(mine.locator("#payouts")).to_contain_text("account closed")
    mine.get_by_role("button", name="Ask for a payout").click()
    read_settlement(theirs, worker)
    assert earnings.balance(worker) == 5_678


def read_settlement(page: Any, worker: Worker) -> None:
    """Send the second payout, and read the bank's file that says it was made."""
    page.reload()
    page.get_by_role("button", name="Make a bank file").click()
    second = payouts.of_worker(worker)[0]
    content = f"reference,status,reason\n{second.reference},Paid,\nWG999,Paid,\n"
    page.locator("input[type=file]").set_input_files(
        {"name": "bank.csv", "mimeType": "text/csv", "buffer": content.encode()}
    )
    page.get_by_role("button", name="Read the file").click()
    expect(page.locator("#lines")).to_contain_text(f"{second.reference} is Paid")
    expect(page.locator("#lines")).to_contain_text("there is no payout 'WG999'")
