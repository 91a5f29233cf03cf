"""A vendor's people: who they are, and which of them work on which contract. Knows nothing of tasks.

The staff of a vendor are the workers on its private teams, who have accepted an invitation. Only they can be assigned
to a contract.
"""

from django.db import transaction
from django.db.models import QuerySet

from marketplace.errors import NotFound, WrongState
from marketplace.models import Account, Contract, Crowd, Worker, WorkteamMember
from marketplace.services import workteams


def staff(vendor: Account) -> QuerySet[Worker]:
    """The workers on the vendor's private teams, by public id, with their users."""
    places = WorkteamMember.objects.filter(workteam__account=vendor, workteam__crowd=Crowd.PRIVATE)
    return Worker.objects.filter(pk__in=places.values("worker")).select_related("user").order_by("public_id")


def one_of_staff(vendor: Account, public_id: str) -> Worker:
    """A worker of the vendor's staff, by public id. Raises NotFound for anybody else, whether they exist or not."""
    found = staff(vendor).filter(public_id=public_id).first()
    if found is None:
        raise NotFound(f"your staff has no worker {public_id}", field="worker")
    return found


def assigned(contract: Contract) -> QuerySet[WorkteamMember]:
    """Who works on the contract, with the worker and their user, by public id."""
    rows = WorkteamMember.objects.filter(workteam=contract.workteam_id) if contract.workteam_id else _nobody()
    return rows.select_related("worker__user").order_by("worker__public_id")


def assign(*, contract: Contract, worker: Worker, by: str) -> WorkteamMember:
    """Let one of the vendor's own workers work on the contract. Safe to repeat.

    Also after its end, for the jobs that are finished under it. Raises NotFound for a worker who is not on the vendor's
    staff, WrongState for a contract that was never live, Forbidden for a suspended worker.
    """
    with transaction.atomic():
        # Whoever leaves the staff meanwhile waits for this row, and then leaves the contract's team, too.
        places = WorkteamMember.objects.select_for_update(no_key=True).filter(
            worker=worker, workteam__account=contract.vendor_id, workteam__crowd=Crowd.PRIVATE
        )
        if not list(places.order_by("pk")):
            raise NotFound(f"your staff has no worker {worker.public_id}", field="worker")
        if contract.workteam is None:
            raise WrongState(f"the contract is {contract.status}; nobody can work on it", field="status")
        return workteams.add_worker(team=contract.workteam, worker=worker, by=by)


def unassign(*, contract: Contract, public_id: str, by: str) -> None:
    """Take a worker off the contract; what they hold may still be submitted. Raises NotFound for one not on it."""
    place = assigned(contract).filter(worker__public_id=public_id).first()
    if place is None or contract.workteam is None:
        raise NotFound(f"worker {public_id} does not work on this contract", field="worker")
    workteams.remove_worker(team=contract.workteam, worker=place.worker, by=by)


def _nobody() -> QuerySet[WorkteamMember]:
    return WorkteamMember.objects.none()
