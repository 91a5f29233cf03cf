"""Vendors: a vendor's own listing and staff, the public listings, and an operator's review of listings."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_vendors
from frontend.rest.fields import Body, DollarsField
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, require_operator
from labeling import task_types
from marketplace import money
from marketplace.models import Role, VendorListing, Worker
from marketplace.services import payouts, staffing, vendor_listings
from marketplace.services.vendor_listings import Offer


class PriceInput(Body):
    """Dollars of one accepted answer of a task type, as text."""

    task_type = serializers.ChoiceField(choices=list(task_types.names()))
    price = DollarsField()


class ListingInput(Body):
    """What a vendor offers."""

    title = serializers.CharField(max_length=vendor_listings.TITLE_LENGTH.longest)
    description = serializers.CharField(max_length=vendor_listings.DESCRIPTION_LENGTH.longest)
    services = serializers.CharField(
        max_length=vendor_listings.TEXT_LENGTH.longest, required=False, allow_blank=True, default=""
    )
    languages = serializers.ListField(
        child=serializers.RegexField(vendor_listings.LANGUAGE, max_length=vendor_listings.LANGUAGE_LENGTH.longest),
        min_length=int(vendor_listings.LANGUAGES.low),
        max_length=vendor_listings.LANGUAGES.longest,
        help_text='as in "en" or "pt-BR"',
    )
    certifications = serializers.CharField(
        max_length=vendor_listings.TEXT_LENGTH.longest, required=False, allow_blank=True, default=""
    )
    turnaround_hours = serializers.IntegerField(**vendor_listings.TURNAROUND_HOURS.bounds)
    prices = PriceInput(many=True, allow_empty=False, max_length=vendor_listings.TASK_TYPES.longest)


class PaymentInput(Body):
    """Where the vendor's invoices are to be paid to."""

    holder = serializers.RegexField(payouts.HOLDER, max_length=payouts.TEXT_LENGTH.longest)
    destination = serializers.RegexField(payouts.DESTINATION, max_length=payouts.TEXT_LENGTH.longest)


class PublishInput(Body):
    """Which revision of the listing was read."""

    revision = serializers.IntegerField(**vendor_listings.REVISIONS.bounds)


class RefuseListingInput(Body):
    """Why a listing is refused; the vendor reads it."""

    reason = serializers.CharField(max_length=vendor_listings.REASON_LENGTH.longest)


def prices_of(given: list[dict[str, str]]) -> dict[str, int]:
    """Micro-dollars by task type, from the rows of a request."""
    return {row["task_type"]: money.read(row["price"], field="prices") for row in given}


def price_rows(prices: dict[str, int]) -> list[dict[str, str]]:
    """Prices by task type as rows."""
    return [{"task_type": task_type, "price": money.text(micros)} for task_type, micros in prices.items()]


def vendor_row(listing: VendorListing) -> dict[str, Any]:
    """A listing as requesters see it."""
    return {
        "id": listing.pk,
        "name": listing.account.name,
        "title": listing.title,
        "description": listing.description,
        "services": listing.services,
        "languages": listing.languages,
        "certifications": listing.certifications,
        "turnaround_hours": listing.turnaround_hours,
        "prices": price_rows(listing.prices),
    }


def listing_row(listing: VendorListing) -> dict[str, Any]:
    """A listing as its vendor and operators see it."""
    return {
        **vendor_row(listing),
        "status": listing.status,
        "revision": listing.revision,
        "refused_because": listing.refused_because,
    }


class ListingView(APIView):
    """The account's own listing."""

    @extend_schema(responses={200: schemas_vendors.VendorListing}, operation_id="get_vendor_listing")
    def get(self, request: Request) -> Response:
        """As it is written now; 404 for an account that is no vendor."""
        return Response(listing_row(vendor_listings.own(account_of(request))))

    @extend_schema(
        request=ListingInput, responses={200: schemas_vendors.VendorListing}, operation_id="set_vendor_listing"
    )
    def put(self, request: Request) -> Response:
        """Write the listing, which makes the account a vendor. A public one is reviewed again."""
        account = account_of(request, Role.ADMIN)
        data = ListingInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        offer = Offer(**given | {"prices": prices_of(given["prices"])})
        return Response(listing_row(vendor_listings.save(account=account, offer=offer, by=actor(request))))


class ListingSubmitView(APIView):
    """Making the listing public."""

    @extend_schema(request=None, responses={200: schemas_vendors.VendorListing}, operation_id="submit_vendor_listing")
    def post(self, request: Request) -> Response:
        """Ask for the listing to be public; an operator reads it first. Repeating it changes nothing."""
        account = account_of(request, Role.ADMIN)
        return Response(listing_row(vendor_listings.submit(account=account, by=actor(request))))


class ListingWithdrawView(APIView):
    """Taking the listing back."""

    @extend_schema(request=None, responses={200: schemas_vendors.VendorListing}, operation_id="withdraw_vendor_listing")
    def post(self, request: Request) -> Response:
        """Show the listing to nobody; contracts go on. Repeating it changes nothing."""
        account = account_of(request, Role.ADMIN)
        return Response(listing_row(vendor_listings.withdraw(account=account, by=actor(request))))


class PaymentView(APIView):
    """Where the vendor's invoices are paid to."""

    @extend_schema(responses={200: schemas_vendors.PaymentDetails}, operation_id="get_vendor_payment")
    def get(self, request: Request) -> Response:
        """As an owner gave it; empty until then."""
        listing = vendor_listings.own(account_of(request, Role.OWNER))
        return Response({"holder": listing.holder, "destination": listing.destination})

    @extend_schema(
        request=PaymentInput, responses={200: schemas_vendors.PaymentDetails}, operation_id="set_vendor_payment"
    )
    def put(self, request: Request) -> Response:
        """Say where invoices are to be paid to; operators read it, nobody else."""
        account = account_of(request, Role.OWNER)
        data = PaymentInput(data=request.data)
        data.is_valid(raise_exception=True)
        listing = vendor_listings.set_payment(account=account, by=actor(request), **data.validated_data)
        return Response({"holder": listing.holder, "destination": listing.destination})


@listed(
    operation="list_vendor_staff",
    page=schemas.page("VendorStaff", schemas_vendors.StaffMember),
    description="The workers on the account's private teams: whom it can assign to its contracts as a vendor.",
)
class StaffView(ListView):
    """The account's people."""

    ordering = "id"

    def rows(self, request: Request, **place: Any) -> QuerySet[Worker]:
        """Of the account's private teams."""
        return staffing.staff(account_of(request))

    def row(self, found: Worker) -> dict[str, Any]:
        """Public id and address."""
        return {"worker": found.public_id, "email": found.user.email}


@listed(
    operation="list_vendors",
    page=schemas.page("Vendor", schemas_vendors.Vendor),
    description="The vendors whose listing is public; `task_type` and `language` are what they must offer.",
)
class VendorsView(ListView):
    """Public listings."""

    filters = {"task_type": "prices__has_key", "language": "languages__contains"}
    ordering = "-account_id"

    def rows(self, request: Request, **place: Any) -> QuerySet[VendorListing]:
        """All that are public, for members of any account."""
        account_of(request)
        return vendor_listings.published()

    def row(self, found: VendorListing) -> dict[str, Any]:
        """As requesters see it."""
        return vendor_row(found)


class VendorView(APIView):
    """One public listing."""

    @extend_schema(responses={200: schemas_vendors.Vendor}, operation_id="get_vendor")
    def get(self, request: Request, vendor_id: int) -> Response:
        """As requesters see it."""
        account_of(request)
        return Response(vendor_row(vendor_listings.public_one(vendor_id)))


# --- for operators --------------------------------------------------------------------------------------------------


@listed(
    operation="list_vendor_listings",
    page=schemas.page("VendorListing", schemas_vendors.VendorListing),
    description="All listings but drafts; for operators.",
)
class OperatorListingsView(ListView):
    """Everybody's listings."""

    filters = {"status": "status"}
    ordering = "-account_id"

    def rows(self, request: Request, **place: Any) -> QuerySet[VendorListing]:
        """All of them, to operators."""
        require_operator(request)
        return vendor_listings.everybodys()

    def row(self, found: VendorListing) -> dict[str, Any]:
        """With its status."""
        return listing_row(found)


class PublishView(APIView):
    """Publishing a listing."""

    @extend_schema(
        request=PublishInput, responses={200: schemas_vendors.VendorListing}, operation_id="publish_vendor_listing"
    )
    def post(self, request: Request, vendor_id: int) -> Response:
        """Make the listing public, as it was in the revision that was read. Repeating it changes nothing."""
        require_operator(request)
        data = PublishInput(data=request.data)
        data.is_valid(raise_exception=True)
        listing = vendor_listings.any_one(vendor_id)
        vendor_listings.publish(listing=listing, by=actor(request), **data.validated_data)
        return Response(listing_row(listing))


class RefuseListingView(APIView):
    """Refusing a listing."""

    @extend_schema(
        request=RefuseListingInput, responses={200: schemas_vendors.VendorListing}, operation_id="refuse_vendor_listing"
    )
    def post(self, request: Request, vendor_id: int) -> Response:
        """Refuse the listing, or take a public one off; the vendor reads the reason."""
        require_operator(request)
        data = RefuseListingInput(data=request.data)
        data.is_valid(raise_exception=True)
        listing = vendor_listings.any_one(vendor_id)
        vendor_listings.refuse(listing=listing, by=actor(request), **data.validated_data)
        return Response(listing_row(listing))
