"""Workers and the teams jobs are given to. Knows nothing of tasks."""

import secrets

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from marketplace import arns
from marketplace.errors import Forbidden, InUse, Invalid, NameTaken, NotFound
from marketplace.models import (
    Account,
    Crowd,
    User,
    Worker,
    WorkerProfile,
    WorkerStatus,
    Workforce,
    Workteam,
    WorkteamMember,
)
from marketplace.names import check_name
from marketplace.ranges import Range
from marketplace.services import audit, eligibility, quotas

PUBLIC_POOL = "default"
DESCRIPTION_LENGTH = Range(0, 200)
"""Characters of a team's description."""


def arn(team: Workteam) -> str:
    """The ARN of a team, in AWS's words for its crowd; costs a query unless the team's account is loaded."""
    number = team.account.number if team.account is not None else arns.PUBLIC_CROWD_ACCOUNT
    return arns.build("workteam", number, f"{team.crowd}/{team.name}", region=settings.REGION)


def register_worker(user: User) -> Worker:
    """The worker of a user, created at the first call. Requesters see only its random `public_id`."""
    worker, _ = Worker.objects.get_or_create(user=user, defaults={"public_id": secrets.token_hex(8).upper()})
    return worker


def create_team(*, account: Account, name: str, description: str, by: str) -> Workteam:
    """A private team of the account. Raises Invalid for a bad name or description, NameTaken, LimitExceeded."""
    check_name(name)
    if len(description) not in DESCRIPTION_LENGTH:
        raise Invalid(f"a team's description has {DESCRIPTION_LENGTH} characters", field="description")
    try:
        with transaction.atomic():
            rows = Workteam.objects.filter(account=account, crowd=Crowd.PRIVATE)
            quotas.require(account=account, kind="workteam", rows=rows)
            workforce = Workforce.objects.filter(account=account).first()
            team = Workteam.objects.create(
                account=account,
                name=name,
                description=description,
                crowd=Crowd.PRIVATE,
                source_cidrs=workforce.source_cidrs if workforce is not None else [],
            )
            eligibility.group_of(team)
            audit.record(team, by=by, because="created")
    except IntegrityError:
        raise NameTaken(f"the account has a team {name!r} already", field="name") from None
    return team


def describe_team(*, team: Workteam, description: str, by: str) -> None:
    """Give a team another description. Raises Invalid for a long one."""
    if len(description) not in DESCRIPTION_LENGTH:
        raise Invalid(f"a team's description has {DESCRIPTION_LENGTH} characters", field="description")
    with transaction.atomic():
        Workteam.objects.filter(pk=team.pk).update(description=description)
        audit.record(team, by=by, because="description changed")
    team.description = description


def delete_team(*, team: Workteam, by: str) -> None:
    """Delete a private team; its people are workers as before. Raises InUse for one that work was ever given to."""
    try:
        with transaction.atomic():
            audit.record(team, by=by, because=f"deleted {team.name}")
            team.delete()
    except ProtectedError:
        raise InUse(f"the team {team.name!r} has worked here: its work would be lost with it") from None


def create_vendor_team(*, vendor: Account, name: str, description: str, by: str) -> Workteam:
    """The team of a vendor's people for one contract; needs the transaction that makes the contract live."""
    team = Workteam.objects.create(account=vendor, name=name, description=description, crowd=Crowd.VENDOR)
    eligibility.group_of(team)
    audit.record(team, by=by, because="created")
    return team


def public_pool() -> Workteam:
    """The one public-crowd team; it belongs to no account."""
    pool, _ = Workteam.objects.get_or_create(
        account=None,
        name=PUBLIC_POOL,
        defaults={"crowd": Crowd.PUBLIC, "description": "Everybody who signed up to work here."},
    )
    return pool


def join_public_pool(worker: Worker) -> WorkteamMember:
    """Make the worker a member of the public pool; safe to repeat. Raises Forbidden for a suspended worker."""
    _must_be_active(worker)
    with transaction.atomic():
        membership, _ = _join(public_pool(), worker)
        sort_adults(worker)
    return membership


def sort_adults(worker: Worker) -> None:
    """Let the worker into the group of adults, or out of it: in the public pool, and confirmed to be of age.

    For whoever changes one of the two, in the same transaction. Safe to repeat.
    """
    # The lock lets two changes of one worker happen one after the other, so that each sees what the other has done.
    Worker.objects.select_for_update(no_key=True).get(pk=worker.pk)
    of_age = WorkerProfile.objects.filter(worker=worker).exclude(adult_since=None).exists()
    in_pool = WorkteamMember.objects.filter(worker=worker, workteam__crowd=Crowd.PUBLIC).exists()
    change = eligibility.join if of_age and in_pool else eligibility.leave
    change(group=eligibility.adults(), worker=worker)


def add_worker(*, team: Workteam, worker: Worker, by: str) -> WorkteamMember:
    """Put a worker on a team without asking them; safe to repeat. Raises Forbidden for a suspended worker.

    For the system and its operators, and for those who have accepted: members of an account invite (invitations.py).
    """
    _must_be_active(worker)
    with transaction.atomic():
        membership, new = _join(team, worker)
        if new:
            audit.record(team, by=by, because=f"worker:{worker.pk} added")
    return membership


def remove_worker(*, team: Workteam, worker: Worker, by: str) -> None:
    """Take a worker off a team, or let them leave it. They see nothing of its work any more, pictures included.

    What they hold may still be submitted, and is paid. Raises NotFound for a non-member.
    """
    with transaction.atomic():
        deleted, _ = WorkteamMember.objects.filter(workteam=team, worker=worker).delete()
        if not deleted:
            raise NotFound(f"worker {worker.public_id} is not on the team {team.name}", field="worker")
        eligibility.leave(group=eligibility.group_of(team), worker=worker)
        if team.public:
            sort_adults(worker)
        audit.record(team, by=by, because=f"worker:{worker.pk} removed")
        if team.crowd == Crowd.PRIVATE:
            _end_assignments(team, worker, by)


def _end_assignments(left: Workteam, worker: Worker, by: str) -> None:
    """Whoever is on no private team of a vendor any more is not its staff, and leaves its contracts' teams."""
    theirs = WorkteamMember.objects.filter(worker=worker, workteam__account=left.account_id)
    if theirs.filter(workteam__crowd=Crowd.PRIVATE).exists():
        return
    for place in theirs.filter(workteam__crowd=Crowd.VENDOR).select_related("workteam").order_by("pk"):
        remove_worker(team=place.workteam, worker=worker, by=by)


def _join(team: Workteam, worker: Worker) -> tuple[WorkteamMember, bool]:
    """The worker's place in the team and whether it is new. Needs a transaction."""
    eligibility.join(group=eligibility.group_of(team), worker=worker)
    return WorkteamMember.objects.get_or_create(workteam=team, worker=worker)


def _must_be_active(worker: Worker) -> None:
    if worker.status != WorkerStatus.ACTIVE:
        raise Forbidden(f"worker {worker.public_id} is {worker.status}")
