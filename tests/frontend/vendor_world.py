"""Test data of vendors for the permission tests: one that has a contract with an account, and another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from marketplace.models import Account, Contract, Posting, Subject, User
from marketplace.services import accounts, escrow, invoices, vendor_listings
from marketplace.services.invoices import Due
from tests.labeling import stories, vendor_stories
from tests.labeling.vendor_stories import in_days

SECRETS = ("secret-terms", "secret-work", "secret-vendor-bank")
"""Texts that nobody outside the two sides of the contract may read; the last one is the vendor's own."""


@dataclass
class VendorWorld:
    """The people of the vendor that has the contract, the owner of another vendor, and the ids of what there is.

    `employee` works on the contract.
    """

    owner: User
    viewer: User
    rival: User
    employee: User
    ids: dict[str, Any]


def a_vendor_world(requester: Account) -> VendorWorld:
    """A live contract of the requester with staff and an issued invoice, and a vendor with another requester."""
    contract = vendor_stories.a_contract(requester=requester, note="secret-terms")
    (employee,) = vendor_stories.staffed(contract, 1)
    other = vendor_stories.a_contract(requester=stories.an_account(funds="0"))
    vendor_stories.staffed(other, 1)
    vendor_listings.set_payment(account=contract.vendor, holder="V", destination="secret-vendor-bank", by="system")
    viewer = User.objects.create(username="vendor-viewer", email="vendor-viewer@example.org", password="!")
    accounts.add_member(account=contract.vendor, user=viewer, role="Viewer")
    ids = {
        "vendor_id": contract.vendor_id,
        "contract_id": contract.pk,
        "invoice_id": an_invoice(contract).pk,
        "staff_id": employee.public_id,
    }
    owner, rival = contract.vendor.memberships.get(role="Owner").user, other.vendor.members.get()
    return VendorWorld(owner, viewer, rival, employee.user, ids)


def an_invoice(contract: Contract) -> Any:
    """An issued invoice for work that no assignment stands for."""
    fact = Subject("test-work", contract.pk)
    account = contract.requester
    escrow.reserve(account=account, purpose=fact, subject=fact, amount_micros=1_200_000, by="system")
    amounts = {"price_micros": 1_000_000, "fee_micros": 200_000}
    worker = contract.workteam.members.get()
    escrow.pay(
        purpose=fact, subject=fact, account=account, worker=worker, employer=contract.employer, by="system", **amounts
    )
    paid = Posting.objects.get(ledger_account__kind="accrued", ledger_account__purpose_id=contract.pk)
    due = Due(paid.pk, 1, "secret-work", "BoundingBox", 1_000_000, 200_000)
    return invoices.issue(contract=contract, start=timezone.now(), end=timezone.now(), due=[due])


def forms(ids: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The forms of vendors, contracts and invoices, of both sides and of operators."""
    vendor, contract, invoice = (ids[name] for name in ("vendor_id", "contract_id", "invoice_id"))
    terms = {
        "price_BoundingBox": "0.04",
        "ends_on": str(in_days(9)),
        "invoice_period": "Weekly",
        "note": "x",
    }
    listing = {
        "title": "Fields",
        "description": "People",
        "services": "Boxes",
        "languages": "en, pt-BR",
        "certifications": "ISO",
        "turnaround_hours": 9,
        "price_BoundingBox": "0.04",
    }
    yield from [
        (f"/vendors/{vendor}/propose/", terms),
        (f"/contracts/{contract}/answer/", {**terms, "decision": "notice", "version": 1}),
        (f"/vendor/contracts/{contract}/answer/", {**terms, "decision": "notice", "version": 1}),
        (f"/vendor/contracts/{contract}/assign/", {"worker": ids["staff_id"]}),
        (f"/vendor/contracts/{contract}/unassign/", {"worker": ids["staff_id"]}),
        ("/vendor/save/", listing),
        ("/vendor/submit/", {}),
        ("/vendor/withdraw/", {}),
        ("/vendor/payment/", {"holder": "Fields", "destination": "acct 1"}),
        (f"/operator/vendors/{vendor}/publish/", {"revision": 1}),
        (f"/operator/vendors/{vendor}/refuse/", {"reason": "no"}),
        (f"/operator/invoices/{invoice}/paid/", {"reference": "bank 1"}),
    ]


def bodies(ids: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A JSON body for each operation about vendors, contracts and invoices that takes one."""
    terms = {
        "prices": [{"task_type": "BoundingBox", "price": "0.04"}],
        "ends_on": str(in_days(9)),
    }
    return {
        "set_vendor_listing": {
            "title": "Fields",
            "description": "People",
            "languages": ["en"],
            "turnaround_hours": 9,
            "prices": terms["prices"],
        },
        "set_vendor_payment": {"holder": "Fields", "destination": "acct 1"},
        "publish_vendor_listing": {"revision": 1},
        "refuse_vendor_listing": {"reason": "no"},
        "propose_contract": {**terms, "vendor": ids["vendor_id"]},
        "propose_other_terms": {**terms, "version": 1},
        "confirm_contract": {"version": 1},
        "mark_invoice_paid": {"reference": "bank 1"},
    }
