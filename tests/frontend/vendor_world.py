"""Test data of vendors for the permission tests: one that has a contract with an account, and another."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from marketplace.models import Account, Contract, Posting, Subject, User
from marketplace.services import accounts, escrow, invoices, vendor_listings
from marketplace.services.invoices import Due
from tests.labeling import stories, vendor_stories

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
