"""A vendor's staff completes a contract and is invoiced: from the listing to the transfer, in a real browser."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from labeling.models import LabelingJob
from labeling.services import invoicing
from labeling.services.jobs import advancing
from labeling.services.queue import assignments
from labeling.services.results import deciding, review_lists
from marketplace.models import Account, Contract, Invoice, User, Worker
from marketplace.services import earnings, invoices, ledger_audit
from tests import builders
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import LOOKS, check
from tests.labeling import stories

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WIDE, PHONE = LOOKS
IBAN = "DE89 3704 0044 0532 0130 00"
BOX_PRICE = "Dollars per answer: Bounding boxes"


def write_listing(page: Page) -> None:
    """A vendor writes its listing, says where it is paid, and asks for the listing to be public."""
    page.get_by_label("Title").fill("Field Notes Ltd")
    page.get_by_label("Description").fill("Twenty people who know insects.")
    page.get_by_label("Languages").fill("en, portuguese")
    page.get_by_label(BOX_PRICE).fill("0.05")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("1 to 30 languages expected")).to_be_visible()
    page.get_by_label("Languages").fill("en, pt-BR")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Name on the account").fill("Field Notes Ltd")
    page.get_by_label("IBAN or account").fill(IBAN)
    page.get_by_role("button", name="Save").last.click()
    page.get_by_role("button", name="Make it public").click()
    expect(page.get_by_text("An operator reads it next")).to_be_visible()


def propose(page: Page) -> None:
    """A requester finds the vendor by what it offers, and proposes a lower price."""
    page.get_by_label("Task type").select_option(label="Bounding boxes")
    page.get_by_label("Language").fill("pt-BR")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Field Notes Ltd").click()
    expect(page.get_by_label(BOX_PRICE)).to_have_value("0.050000")
    page.get_by_label(BOX_PRICE).fill("0.04")
    page.get_by_label("An invoice").select_option("Weekly")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("Waits for")).to_be_visible()


def negotiate(theirs: Page, mine: Page) -> Contract:
    """The vendor counters, the requester confirms; the vendor assigns both of its people."""
    theirs.get_by_role("link", name="contract").first.click()
    theirs.get_by_label(BOX_PRICE).fill("0.045")
    theirs.get_by_role("button", name="Propose").click()
    expect(theirs.get_by_text("Waits for")).to_be_visible()
    mine.reload()
    expect(mine.get_by_role("region", name="Terms")).to_contain_text("$0.045")
    mine.get_by_role("button", name="Confirm these terms").click()
    expect(mine.get_by_role("link", name="New labeling job")).to_be_visible()
    theirs.reload()
    for number in (1, 2):
        theirs.get_by_role("button", name="Assign").click()
        expect(theirs.get_by_role("button", name="Take off")).to_have_count(number)
    return Contract.objects.select_related("requester", "vendor", "workteam").get()


def a_completed_job(contract: Contract, workers: list[Worker]) -> LabelingJob:
    """The vendor's people answer everything; one answer is rejected, answered again and accepted."""
    job = stories.a_job(
        contract.requester, contract.workteam, objects=2, workers_per_object=2, price_micros=0, review_days=3
    )
    advancing.advance_job(job.pk)
    for worker in workers:
        stories.work(worker, job)
    first = review_lists.reviews(job.queue, review_lists.ReviewFilter()).order_by("pk")[0]
    deciding.reject_one(review=first, reason="one bee is missing", return_to_worker=True, by="user:1")
    stories.answer(assignments.Assignment.objects.get(pk=first.assignment_id), key="again")
    advancing.advance_job(job.pk)
    deciding.accept_where(queue=job.queue, wanted=review_lists.ReviewFilter(), by="user:1")
    return LabelingJob.objects.get(pk=job.pk)


def test_a_vendors_staff_completes_a_contract_and_is_invoiced(
    visit: Visit, live_server: Any, account: Account, owner: User, workers: list[Worker]
) -> None:
    """The requester is at a desk, the vendor on a phone."""
    vendor = stories.an_account(funds="0")
    builders.a_team(account=vendor, workers=workers, name="people")
    operator = builders.an_operator()

    theirs = visit(vendor.members.get(), reverse("vendor:listing"), **PHONE)
    write_listing(theirs)
    office = visit(operator, reverse("operator:vendors"), **WIDE)
    office.get_by_role("button", name="Publish").click()
    expect(office.get_by_text("Field Notes Ltd is public.")).to_be_visible()
    mine = visit(owner, reverse("requester:vendors"), **WIDE)
    propose(mine)
    theirs.goto(live_server.url + reverse("vendor:contracts"))
    contract = negotiate(theirs, mine)
    job = a_completed_job(contract, workers)
    assert job.status == "Completed"
    assert [earnings.balance(worker) for worker in workers] == [0, 0]

    theirs.goto(live_server.url + reverse("vendor:contract-queue", args=[contract.pk]))
    row = theirs.get_by_role("row").filter(has_text=workers[0].public_id)
    expect(row.locator("[data-label=Accepted]")).to_have_text("2")
    assert invoicing.issue_due(now=timezone.now() + timedelta(days=8)) == 1
    invoice = Invoice.objects.get()
    theirs.goto(live_server.url + reverse("vendor:invoices"))
    theirs.get_by_role("link", name=invoice.number).click()
    expect(theirs.get_by_role("row").last).to_contain_text("$0.18")
    with theirs.expect_download() as saved:
        theirs.get_by_role("link", name="CSV").click()
    lines = saved.value.path().read_text().splitlines()
    assert lines[1].endswith(",4,0.045000,0.180000,0.036000,0.216000,USD")
    office.goto(live_server.url + reverse("operator:invoices"))
    expect(office.get_by_role("row").last).to_contain_text(IBAN)
    office.get_by_label("Reference of the transfer").fill("bank 17")
    office.get_by_role("button", name="Paid").click()
    expect(office.get_by_text(f"{invoice.number} is paid.")).to_be_visible()
    assert tuple(invoices.owed_to(vendor)) == (0, 0)
    assert ledger_audit.audit().findings == []
    accessible_everywhere(live_server.url, mine, theirs, office)


def accessible_everywhere(site: str, requester: Page, vendor: Page, operator: Page) -> None:
    """Every page of vendors is accessible, at a desk and on a phone."""
    contract, invoice = Contract.objects.get(), Invoice.objects.get()
    of_requester = [reverse(f"requester:{name}") for name in ("vendors", "contracts", "invoices", "teams")] + [
        reverse("requester:vendor", args=[contract.vendor_id]),
        reverse("requester:contract", args=[contract.pk]),
        reverse("requester:invoice", args=[invoice.pk]),
    ]
    of_vendor = [reverse(f"vendor:{name}") for name in ("listing", "contracts", "staff", "invoices")] + [
        reverse("vendor:contract", args=[contract.pk]),
        reverse("vendor:contract-queue", args=[contract.pk]),
        reverse("vendor:invoice", args=[invoice.pk]),
    ]
    of_operator = [reverse("operator:vendors"), reverse("operator:invoices")]
    for page, paths in ((requester, of_requester), (vendor, of_vendor), (operator, of_operator)):
        for look in LOOKS:
            page.set_viewport_size(look["viewport"])
            page.emulate_media(color_scheme=look["color_scheme"])
            check(page, [site + path for path in paths])
