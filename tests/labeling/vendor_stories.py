"""Builders for tests of vendors: a vendor with a public listing and staff, a live contract, a job under it."""

from datetime import date, timedelta

from django.utils import timezone

from labeling.models import DataObject, LabelingJob
from labeling.services.jobs.batches import open_batch
from marketplace.models import Account, Contract, VendorListing, Worker
from marketplace.services import contracts, staffing, vendor_listings
from marketplace.services.contracts import Terms
from marketplace.services.vendor_listings import Offer
from tests import builders
from tests.labeling import stories

PRICE = 36_000
BOXES = "BoundingBox"


def in_days(days: int) -> date:
    """The day so many days from today."""
    return timezone.now().date() + timedelta(days=days)


def an_offer(**changes) -> Offer:
    """What a vendor writes in its listing."""
    offer = {
        "title": "Field Notes Ltd",
        "description": "Twenty people who know insects.",
        "services": "Boxes on photographs",
        "languages": ["en", "pt-BR"],
        "certifications": "ISO 27001",
        "turnaround_hours": 48,
        "prices": {BOXES: 40_000},
    }
    return Offer(**offer | changes)


def a_listing(*, account: Account | None = None, **changes) -> VendorListing:
    """The public listing of a vendor."""
    account = account or stories.an_account(funds="0")
    vendor_listings.save(account=account, offer=an_offer(**changes), by="user:1")
    listing = vendor_listings.submit(account=account, by="user:1")
    if listing.status != "Published":
        vendor_listings.publish(listing=listing, revision=listing.revision, by="user:2")
    return listing


def terms(**changes) -> Terms:
    """The terms of a contract: 0.036 dollars a box task, for thirty days, invoiced weekly."""
    return Terms(**{"prices": {BOXES: PRICE}, "ends_on": in_days(30), "invoice_period": "Weekly"} | changes)


def a_contract(*, requester: Account, vendor: Account | None = None, **changes) -> Contract:
    """A live contract of the requester with a vendor."""
    listing = a_listing(account=vendor)
    contract = contracts.propose(requester=requester, vendor_id=listing.pk, terms=terms(**changes), by="user:1")
    return contracts.confirm(contract=contract, side=contracts.VENDOR, version=1, by="user:2")


def staffed(contract: Contract, workers: int = 3) -> list[Worker]:
    """New workers of the vendor's staff, assigned to the contract."""
    people = stories.a_crowd(workers)
    builders.a_team(account=contract.vendor, workers=people)
    for worker in people:
        staffing.assign(contract=contract, worker=worker, by="user:2")
    return people


def a_vendor_job(*, workers: int = 3, funds: str = "100", **changes) -> tuple[LabelingJob, list[Worker], Contract]:
    """A job under a live contract, of which every object has an open task, its vendor's workers, and the contract."""
    account = stories.an_account(funds=funds)
    contract = a_contract(requester=account)
    people = staffed(contract, workers)
    job = stories.a_job(account, contract.workteam, **{"price_micros": 0} | changes)
    ids = list(DataObject.objects.filter(job=job).order_by("index").values_list("pk", flat=True))
    open_batch(job=job, object_ids=ids, by="system")
    return job, people, contract
