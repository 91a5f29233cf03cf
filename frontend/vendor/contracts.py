"""A vendor's contracts: their terms, who works on them, what there is to do, and how well it is done."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend import contract_pages
from frontend.contract_pages import TermsForm
from frontend.session import requester_page
from labeling.queries import vendor_work
from marketplace.models import Contract, Role
from marketplace.services import contracts, scope, staffing


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """The account's contracts as a vendor."""
    page = contract_pages.page_of(request, contracts.as_vendor(request.account))  # type: ignore[attr-defined]
    return render(request, "vendor/contracts.html", {"page": page})


@requester_page()
def detail_page(request: HttpRequest, contract_id: int) -> HttpResponse:
    """A contract: its terms, what can be answered, who works on it."""
    return _detail(request, _one(request, contract_id))


def _one(request: HttpRequest, contract_id: int) -> Contract:
    return contracts.one_as_vendor(request.account, contract_id)  # type: ignore[attr-defined]


def _detail(request: HttpRequest, contract: Contract, form: TermsForm | None = None, status: int = 200) -> HttpResponse:
    assigned = list(staffing.assigned(contract))
    working = {place.worker_id for place in assigned}
    staff = [worker for worker in staffing.staff(contract.vendor) if worker.pk not in working]
    context = contract_pages.contract_context(contract, contracts.VENDOR, form) | {"assigned": assigned, "free": staff}
    return render(request, "vendor/contract.html", context, status=status)


@require_POST
@requester_page(Role.ADMIN)
def answer(request: HttpRequest, contract_id: int) -> HttpResponse:
    """Confirm, propose other terms, decline or give notice."""
    contract = _one(request, contract_id)
    form = contract_pages.answer(request, contract, contracts.VENDOR)
    if form is not None:
        return _detail(request, contract, form, status=422)
    return redirect("vendor:contract", contract.pk)


@require_POST
@requester_page(Role.ADMIN)
def assign(request: HttpRequest, contract_id: int) -> HttpResponse:
    """Let one of the vendor's own workers work on the contract."""
    contract = _one(request, contract_id)
    worker = staffing.one_of_staff(contract.vendor, request.POST.get("worker", ""))
    staffing.assign(contract=contract, worker=worker, by=scope.actor(request.user))
    messages.success(request, gettext("{public_id} works on this contract.").format(public_id=worker.public_id))
    return redirect("vendor:contract", contract.pk)


@require_POST
@requester_page(Role.ADMIN)
def unassign(request: HttpRequest, contract_id: int) -> HttpResponse:
    """Take a worker off the contract."""
    contract = _one(request, contract_id)
    public_id = request.POST.get("worker", "")
    staffing.unassign(contract=contract, public_id=public_id, by=scope.actor(request.user))
    messages.success(request, gettext("{public_id} works on this contract no more.").format(public_id=public_id))
    return redirect("vendor:contract", contract.pk)


@requester_page()
def queue_page(request: HttpRequest, contract_id: int) -> HttpResponse:
    """What there is to do under the contract, and how well the vendor's people do it."""
    contract = _one(request, contract_id)
    page = contract_pages.page_of(request, vendor_work.queues(contract))
    return render(
        request,
        "vendor/queue.html",
        {"contract": contract, "page": page, "staff": vendor_work.staff_quality(contract)},
    )


@requester_page()
def staff_page(request: HttpRequest) -> HttpResponse:
    """The vendor's people, and the teams to which they are invited."""
    account = request.account  # type: ignore[attr-defined]
    teams = scope.own_teams(account).order_by("name")
    return render(
        request,
        "vendor/staff.html",
        {"page": contract_pages.page_of(request, staffing.staff(account)), "teams": teams},
    )
