"""Contracts with vendors, from either side, and for the vendor who works on them and how well."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_vendors
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from frontend.rest.vendors import PriceInput, price_rows, prices_of
from labeling.models import WorkQueue
from labeling.queries import vendor_work
from marketplace import money
from marketplace.models import Account, Contract, InvoicePeriod, Role, WorkteamMember
from marketplace.services import contracts, staffing, vendor_listings
from marketplace.services.contracts import Terms


class TermsInput(Body):
    """What is to be agreed on."""

    prices = PriceInput(many=True, allow_empty=False, max_length=vendor_listings.TASK_TYPES.longest)
    ends_on = serializers.DateField(help_text="the last day, in UTC")
    invoice_period = serializers.ChoiceField(choices=InvoicePeriod.choices, default=InvoicePeriod.MONTHLY)
    note = serializers.CharField(max_length=contracts.NOTE_LENGTH.longest, required=False, allow_blank=True, default="")

    def terms(self) -> Terms:
        """The terms of a valid request."""
        given = self.validated_data
        return Terms(
            prices=prices_of(given["prices"]),
            ends_on=given["ends_on"],
            invoice_period=given["invoice_period"],
            note=given["note"],
        )


class ContractInput(TermsInput):
    """A contract to be proposed to a vendor."""

    vendor = serializers.IntegerField()


class OtherTermsInput(TermsInput):
    """Other terms, in answer to the version that was read."""

    version = serializers.IntegerField(**contracts.VERSIONS.bounds)


class VersionInput(Body):
    """Which version of the terms was read."""

    version = serializers.IntegerField(**contracts.VERSIONS.bounds)


def contract_row(contract: Contract, account: Account) -> dict[str, Any]:
    """A contract as one of its sides sees it."""
    return {
        "id": contract.pk,
        "side": contracts.side_of(contract, account),
        "requester": contract.requester.name,
        "vendor_id": contract.vendor_id,
        "vendor": contract.vendor.name,
        "status": contract.status,
        "version": contract.version,
        "prices": price_rows(contract.prices),
        "ends_on": contract.ends_on,
        "invoice_period": contract.invoice_period,
        "note": contract.note,
        "notice_at": contract.notice_at,
        "workteam": contract.workteam_id,
        "workteam_arn": contracts.team_arn(contract),
        "created_at": contract.created_at,
    }


@listed(
    operation="list_contracts",
    page=schemas.page("Contract", schemas_vendors.Contract),
    description="The contracts of which the account is a side, newest first.",
)
class ContractsView(ListView):
    """The account's contracts."""

    filters = {"status": "status", "vendor_id": "vendor"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Contract]:
        """From either side."""
        return contracts.of_account(account_of(request))

    def page(self, found: list[Contract]) -> list[tuple[Contract, Account]]:
        """With the account that asks."""
        account = account_of(self.request)
        return [(contract, account) for contract in found]

    def row(self, found: tuple[Contract, Account]) -> dict[str, Any]:
        """As the account sees it."""
        return contract_row(*found)

    @extend_schema(request=ContractInput, responses={201: schemas_vendors.Contract}, operation_id="propose_contract")
    @idempotent
    def post(self, request: Request) -> Response:
        """Propose a contract to a vendor, who confirms it, proposes other terms or declines."""
        account = account_of(request, Role.ADMIN)
        data = ContractInput(data=request.data)
        data.is_valid(raise_exception=True)
        contract = contracts.propose(
            requester=account, vendor_id=data.validated_data["vendor"], terms=data.terms(), by=actor(request)
        )
        return Response(contract_row(contract, account), status=status.HTTP_201_CREATED)


class ContractView(APIView):
    """One contract."""

    @extend_schema(responses={200: schemas_vendors.Contract}, operation_id="get_contract")
    def get(self, request: Request, contract_id: int) -> Response:
        """As the account sees it."""
        account = account_of(request)
        return Response(contract_row(contracts.one_of(account, contract_id), account))


class ConfirmView(APIView):
    """Agreeing to a contract."""

    @extend_schema(request=VersionInput, responses={200: schemas_vendors.Contract}, operation_id="confirm_contract")
    def post(self, request: Request, contract_id: int) -> Response:
        """Agree to the terms of the other side: the contract is live. Repeating it changes nothing."""
        account = account_of(request, Role.ADMIN)
        contract = contracts.one_of(account, contract_id)
        data = VersionInput(data=request.data)
        data.is_valid(raise_exception=True)
        side = contracts.side_of(contract, account)
        done = contracts.confirm(contract=contract, side=side, by=actor(request), **data.validated_data)
        return Response(contract_row(done, account))


class OtherTermsView(APIView):
    """Proposing other terms."""

    @extend_schema(
        request=OtherTermsInput, responses={200: schemas_vendors.Contract}, operation_id="propose_other_terms"
    )
    @idempotent
    def post(self, request: Request, contract_id: int) -> Response:
        """Answer the terms of the other side by other ones, which then wait for the other side."""
        account = account_of(request, Role.ADMIN)
        contract = contracts.one_of(account, contract_id)
        data = OtherTermsInput(data=request.data)
        data.is_valid(raise_exception=True)
        done = contracts.propose_other(
            contract=contract,
            side=contracts.side_of(contract, account),
            terms=data.terms(),
            version=data.validated_data["version"],
            by=actor(request),
        )
        return Response(contract_row(done, account))


class RefuseView(APIView):
    """Ending a negotiation."""

    @extend_schema(request=None, responses={200: schemas_vendors.Contract}, operation_id="refuse_contract")
    def post(self, request: Request, contract_id: int) -> Response:
        """Decline as the vendor, or withdraw as the requester. Repeating it changes nothing."""
        account = account_of(request, Role.ADMIN)
        contract = contracts.one_of(account, contract_id)
        done = contracts.refuse(contract=contract, side=contracts.side_of(contract, account), by=actor(request))
        return Response(contract_row(done, account))


class NoticeView(APIView):
    """Giving notice."""

    @extend_schema(request=None, responses={200: schemas_vendors.Contract}, operation_id="give_notice")
    def post(self, request: Request, contract_id: int) -> Response:
        """End a live contract 14 days from now, or at its end if that comes first. Repeating it changes nothing."""
        account = account_of(request, Role.ADMIN)
        contract = contracts.one_of(account, contract_id)
        done = contracts.give_notice(contract=contract, side=contracts.side_of(contract, account), by=actor(request))
        return Response(contract_row(done, account))


# --- for the vendor -------------------------------------------------------------------------------------------------


@listed(
    operation="list_contract_staff",
    page=schemas.page("ContractStaff", schemas_vendors.StaffMember),
    description="Who of the vendor's staff works on the contract; for the vendor.",
)
class ContractStaffView(ListView):
    """Who works on a contract."""

    ordering = "id"

    def rows(self, request: Request, **place: Any) -> QuerySet[WorkteamMember]:
        """Of a contract that the account has as a vendor."""
        return staffing.assigned(contracts.one_as_vendor(account_of(request), place["contract_id"]))

    def row(self, found: WorkteamMember) -> dict[str, Any]:
        """Public id and address."""
        return {"worker": found.worker.public_id, "email": found.worker.user.email}


class ContractStaffMemberView(APIView):
    """One of the vendor's people on a contract."""

    @extend_schema(request=None, responses={200: schemas_vendors.StaffMember}, operation_id="assign_contract_staff")
    def put(self, request: Request, contract_id: int, staff_id: str) -> Response:
        """Let one of the vendor's own workers work on the contract. Repeating it changes nothing."""
        account = account_of(request, Role.ADMIN)
        contract = contracts.one_as_vendor(account, contract_id)
        worker = staffing.one_of_staff(account, staff_id)
        staffing.assign(contract=contract, worker=worker, by=actor(request))
        return Response({"worker": worker.public_id, "email": worker.user.email})

    @extend_schema(responses={204: None}, operation_id="unassign_contract_staff")
    def delete(self, request: Request, contract_id: int, staff_id: str) -> Response:
        """Take a worker off the contract; what they hold may still be submitted."""
        contract = contracts.one_as_vendor(account_of(request, Role.ADMIN), contract_id)
        staffing.unassign(contract=contract, public_id=staff_id, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@listed(
    operation="list_contract_queues",
    page=schemas.page("ContractQueue", schemas_vendors.ContractQueue),
    description="The work under a contract, newest first; for the vendor.",
)
class ContractQueuesView(ListView):
    """The work under a contract."""

    def rows(self, request: Request, **place: Any) -> QuerySet[WorkQueue]:
        """Of a contract that the account has as a vendor."""
        return vendor_work.queues(contracts.one_as_vendor(account_of(request), place["contract_id"]))

    def row(self, found: WorkQueue) -> dict[str, Any]:
        """In short; nothing of its objects and labels."""
        return {
            "queue_id": found.pk,
            "title": found.title,
            "task_type": found.task_type,
            "status": found.status,
            "price": money.text(found.price_micros),
            "open_tasks": found.open_tasks or 0,
            "answers": found.answers or 0,
        }


class ContractQualityView(APIView):
    """How well the vendor's people do under a contract."""

    @extend_schema(responses={200: schemas_vendors.StaffQualities}, operation_id="get_contract_quality")
    def get(self, request: Request, contract_id: int) -> Response:
        """Answers, decisions, agreement and speed of each worker, most answers first; for the vendor."""
        contract = contracts.one_as_vendor(account_of(request), contract_id)
        rows = [
            {
                "worker": row["public_id"],
                "answers": row["answers"],
                "accepted": row["accepted"],
                "rejected": row["rejected"],
                "pending": row["pending"],
                "agreement": row["agreement"],
                "mean_seconds": row["mean_seconds"],
                "earned": money.text(row["earned_micros"]),
            }
            for row in vendor_work.staff_quality(contract)
        ]
        return Response({"staff": rows})
