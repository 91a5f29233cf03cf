"""Vendors' listings: written by a vendor, read by an operator, then found by requesters. Knows no contracts.

A listing that is changed while it is public goes back to the operator, unless the operator does not review listings.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from marketplace import money
from marketplace.errors import Invalid, NotFound, WrongState
from marketplace.models import Account, VendorListing
from marketplace.ranges import Range
from marketplace.services import audit, payouts
from marketplace.transitions import VENDOR_LISTING

TITLE_LENGTH = Range(1, 80)
"""Characters of a listing's title."""

DESCRIPTION_LENGTH = Range(1, 2000)
"""Characters of a listing's description."""

TEXT_LENGTH = Range(0, 500)
"""Characters of the services, and of the certifications."""

LANGUAGES = Range(1, 30)
"""Languages of a listing."""

LANGUAGE = r"^[a-z]{2,3}(-[A-Z]{2})?$"
"""A language as BCP 47 has it, in short: "en", "pt-BR"."""

LANGUAGE_LENGTH = Range(2, 6)
LANGUAGES_LENGTH = Range(1, 300)
"""Characters of a list of languages, separated by commas."""

REVISIONS = Range(1, 2_147_483_647)
"""Numbers of revisions of a listing."""

TURNAROUND_HOURS = Range(1, 2160)
"""Hours within which a vendor usually delivers; 90 days at most."""

PRICE_MICROS = Range(1, 2_999_000)
"""Micro-dollars of one answer: above zero, at most the largest AmountInUsd."""

TASK_TYPES = Range(1, 50)
"""Task types with a price."""

TASK_TYPE_LENGTH = Range(1, 40)
REASON_LENGTH = Range(1, 300)
"""Characters of the reason why a listing is refused."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a vendor writes in its listing. `prices`: micro-dollars of one answer by task type."""

    title: str
    description: str
    services: str = ""
    languages: Sequence[str]
    certifications: str = ""
    turnaround_hours: int
    prices: Mapping[str, int]

    def check(self) -> None:
        """Raises Invalid with every field that is wrong."""
        errors = [
            (name, f"{allowed} characters expected, {len(getattr(self, name).strip())} found")
            for name, allowed in (
                ("title", TITLE_LENGTH),
                ("description", DESCRIPTION_LENGTH),
                ("services", TEXT_LENGTH),
                ("certifications", TEXT_LENGTH),
            )
            if len(getattr(self, name).strip()) not in allowed
        ]
        if len(self.languages) not in LANGUAGES or not all(re.fullmatch(LANGUAGE, one) for one in self.languages):
            errors.append(("languages", f'{LANGUAGES} languages expected, each as in "en" or "pt-BR"'))
        if self.turnaround_hours not in TURNAROUND_HOURS:
            errors.append(("turnaround_hours", f"{TURNAROUND_HOURS} hours expected, {self.turnaround_hours} found"))
        errors += price_errors(self.prices)
        if errors:
            raise Invalid(f"the listing is wrong in {', '.join(name for name, _ in errors)}", errors=errors)


def price_errors(prices: Mapping[str, int]) -> list[tuple[str, str]]:
    """What is wrong with prices by task type: (field, reason). Whether there is such a type is not known here."""
    if len(prices) not in TASK_TYPES:
        return [("prices", f"prices of {TASK_TYPES} task types expected, {len(prices)} found")]
    errors = []
    for task_type, micros in prices.items():
        if len(task_type) not in TASK_TYPE_LENGTH:
            errors.append(("prices", f"{task_type[:60]!r} is no task type"))
        elif micros not in PRICE_MICROS:
            most = money.text(PRICE_MICROS.longest)
            errors.append(("prices", f"{task_type}: above zero and at most {most} dollars expected"))
    return errors


def save(*, account: Account, offer: Offer, by: str) -> VendorListing:
    """Write the account's listing, which makes the account a vendor; a public one is reviewed again.

    Raises Invalid naming every field that is wrong.
    """
    offer.check()
    with transaction.atomic():
        listing, new = VendorListing.objects.select_for_update(no_key=True).get_or_create(
            account=account, defaults={"title": offer.title, "turnaround_hours": offer.turnaround_hours}
        )
        listing.title, listing.description = offer.title.strip(), offer.description.strip()
        listing.services, listing.certifications = offer.services.strip(), offer.certifications.strip()
        listing.languages = sorted(set(offer.languages))
        listing.turnaround_hours, listing.prices = offer.turnaround_hours, dict(sorted(offer.prices.items()))
        listing.revision += 0 if new else 1
        listing.save()
        audit.record(listing, by=by, because=f"revision {listing.revision} written")
        if listing.status == "Published" and settings.REVIEW_VENDOR_LISTINGS:
            VENDOR_LISTING.advance(listing, "InReview", by=by, because="changed")
    return listing


def set_payment(*, account: Account, holder: str, destination: str, by: str) -> VendorListing:
    """Say where the vendor's invoices are to be paid to; operators read it, nobody else.

    Raises NotFound for an account without a listing, Invalid, naming the field, as payouts.checked_details does.
    """
    holder, destination = payouts.checked_details(holder, destination)
    listing = own(account)
    listing.holder, listing.destination = holder, destination
    with transaction.atomic():
        listing.save(update_fields=["holder", "destination"])
        audit.record(listing, by=by, because="where invoices are paid to set")
    return listing


def submit(*, account: Account, by: str) -> VendorListing:
    """Ask for the listing to be public: it is read by an operator first, unless listings are not reviewed.

    Safe to repeat. Raises NotFound for an account without a listing.
    """
    listing = own(account)
    wanted = "InReview" if settings.REVIEW_VENDOR_LISTINGS else "Published"
    with transaction.atomic():
        if listing.status != "Published":
            VENDOR_LISTING.advance(listing, wanted, by=by, refused_because="")
    return listing


def withdraw(*, account: Account, by: str) -> VendorListing:
    """Take the listing back; contracts go on. Safe to repeat. Raises NotFound without a listing, WrongState if it
    was refused."""
    listing = own(account)
    with transaction.atomic():
        VENDOR_LISTING.advance(listing, "Draft", by=by)
    return listing


def publish(*, listing: VendorListing, revision: int, by: str) -> bool:
    """Make the listing public; an operator has read this revision. Returns False when it was public already.

    Raises WrongState when it was changed since, and for a draft.
    """
    with transaction.atomic():
        locked = VendorListing.objects.select_for_update(no_key=True).get(pk=listing.pk)
        if locked.revision != revision:
            raise WrongState("the listing was changed meanwhile; read it again", field="revision")
        if locked.status == "Draft":
            raise WrongState("the vendor has not asked for this listing to be public", field="status")
        return VENDOR_LISTING.advance(listing, "Published", by=by, refused_because="")


def refuse(*, listing: VendorListing, reason: str, by: str) -> bool:
    """Refuse the listing, or take a public one off; the vendor reads the reason. Returns False when it was refused.

    Raises Invalid without a reason, WrongState for a draft.
    """
    reason = reason.strip()
    if len(reason) not in REASON_LENGTH:
        raise Invalid(f"a reason has {REASON_LENGTH} characters", field="reason")
    with transaction.atomic():
        return VENDOR_LISTING.advance(listing, "Refused", by=by, because=reason, refused_because=reason)


# --- what is read ---------------------------------------------------------------------------------------------------


def own(account: Account) -> VendorListing:
    """The account's own listing. Raises NotFound for an account that is no vendor."""
    found = own_or_none(account)
    if found is None:
        raise NotFound("the account has written no listing yet")
    return found


def own_or_none(account: Account) -> VendorListing | None:
    """The account's own listing, None for an account that is no vendor."""
    return VendorListing.objects.filter(account=account).first()


def published(*, task_type: str = "", language: str = "") -> QuerySet[VendorListing]:
    """The public listings, by title; of vendors with a price for the task type and with the language, if given."""
    found = VendorListing.objects.filter(status="Published").select_related("account")
    if task_type:
        found = found.filter(prices__has_key=task_type)
    if language:
        found = found.filter(languages__contains=[language])
    return found.order_by("title", "pk")


def public_one(account_id: int) -> VendorListing:
    """A public listing, by its vendor's account. Raises NotFound."""
    found = published().filter(pk=account_id).first()
    if found is None:
        raise NotFound(f"there is no vendor {account_id}", field="vendor")
    return found


def everybodys() -> QuerySet[VendorListing]:
    """All listings but drafts, those to be reviewed first, for operators."""
    found = VendorListing.objects.exclude(status="Draft").select_related("account")
    return found.order_by("status", "-status_changed_at", "pk")


def any_one(account_id: int) -> VendorListing:
    """Any listing, for operators. Raises NotFound."""
    found = VendorListing.objects.select_related("account").filter(pk=account_id).first()
    if found is None:
        raise NotFound(f"there is no listing {account_id}")
    return found
