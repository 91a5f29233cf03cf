"""Qualification types, and who holds them: made, granted with a value, revoked with a reason.

Knows nothing of tests and tasks: who passed one, and with what figure, is told by labeling.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from marketplace import transitions
from marketplace.errors import Invalid, NameTaken, NotFound, WrongState
from marketplace.models import (
    Account,
    GrantedBy,
    Qualification,
    QualificationType,
    Worker,
)
from marketplace.ranges import Range
from marketplace.services import audit
from marketplace.services.requirements import VALUE

NAME_LENGTH = Range(1, 63)
"""Characters of the name of a qualification type."""

DESCRIPTION_LENGTH = Range(1, 500)
"""Characters of what it says to workers."""

REASON_LENGTH = Range(1, 200)
"""Characters of the reason for which one is revoked."""

PERCENT = Range(1, 100)
"""The mark of a test or of an approval rate."""

TASKS = Range(1, 1_000_000)
"""The mark of a number of tasks."""

VALID_DAYS = Range(1, 3650)
"""Days after which a qualification expires."""

RETRY_HOURS = Range(0, 24 * 365)
"""Hours before a test that was failed may be taken again."""

ATTEMPTS = Range(1, 100)
"""How often a test may be taken."""

BY_FIGURE = (GrantedBy.APPROVAL_RATE, GrantedBy.TASKS_DONE)
"""Granted by a figure of the worker's own work, when they ask for it."""


def create_type(
    *,
    account: Account | None,
    name: str,
    description: str,
    granted_by: str,
    mark: int | None = None,
    valid_days: int | None = None,
    retry_hours: int = 0,
    most_attempts: int | None = None,
    by: str,
) -> QualificationType:
    """A new type, Active, of the account, or for everybody where there is none (which only an operator may make).

    `mark` is the least value that is granted; none by hand. Raises Invalid naming every field that is wrong, NameTaken
    for a name that the account, or the operator, has given already.
    """
    marks = {GrantedBy.TASKS_DONE: TASKS, GrantedBy.MANUAL: None}.get(GrantedBy(granted_by), PERCENT)
    wrong: list[tuple[str, str]] = []
    for field, text, length in (("name", name, NAME_LENGTH), ("description", description, DESCRIPTION_LENGTH)):
        if len(text.strip()) not in length:
            wrong.append((field, f"a text of {length} characters expected"))
    if marks is None and mark:
        wrong.append(("mark", "a qualification that is given by hand has no mark"))
    optional = [("valid_days", valid_days, VALID_DAYS), ("most_attempts", most_attempts, ATTEMPTS)]
    numbers = [("retry_hours", retry_hours, RETRY_HOURS), *(each for each in optional if each[1] is not None)]
    numbers += [("mark", mark, marks)] if marks is not None else []
    wrong += [
        (field, f"{value!r} found, a whole number of {allowed} expected")
        for field, value, allowed in numbers
        if not isinstance(value, int) or value not in allowed
    ]
    if wrong:
        raise Invalid("the qualification type cannot be made", errors=wrong)
    try:
        with transaction.atomic():
            made = QualificationType.objects.create(
                account=account,
                name=name.strip(),
                description=description.strip(),
                granted_by=granted_by,
                mark=mark or 0,
                valid_days=valid_days,
                retry_hours=retry_hours,
                most_attempts=most_attempts,
                created_by=by,
            )
            audit.record(made, by=by, because="created")
    except IntegrityError:
        raise NameTaken(f"there is a qualification type {name!r} already", field="name") from None
    return made


def change_type(*, row: QualificationType, description: str | None, active: bool | None, by: str) -> None:
    """Describe the type anew, or stop or allow that it is come by; None leaves it as it is.

    Raises Invalid for a bad description.
    """
    if description is not None and len(description.strip()) not in DESCRIPTION_LENGTH:
        raise Invalid(f"a text of {DESCRIPTION_LENGTH} characters expected", field="description")
    with transaction.atomic():
        if description is not None:
            QualificationType.objects.filter(pk=row.pk).update(description=description.strip())
            audit.record(row, by=by, because="described anew")
        if active is not None:
            transitions.QUALIFICATION_TYPE.advance(row, "Active" if active else "Inactive", by=by)
    row.refresh_from_db()


def grant(
    *, row: QualificationType, worker: Worker, value: int, how: str, by: str, now: datetime | None = None
) -> Qualification:
    """Let the worker hold the qualification with this value from now on, also one that was revoked or has expired.

    `how` says by what: "by hand", "test 90 %". Raises Invalid for a value out of range.
    """
    if not isinstance(value, int) or value not in VALUE:
        raise Invalid(f"{value!r} found, a whole number of {VALUE} expected", field="value")
    at = now or timezone.now()
    columns = {
        "value": value,
        "granted_at": at,
        "granted_by": by,
        "expires_at": None if row.valid_days is None else at + timedelta(days=row.valid_days),
        "renewed_at": None,
        "revoked_at": None,
        "revoked_by": "",
        "reason": "",
    }
    with transaction.atomic():
        made, _ = Qualification.objects.update_or_create(qualification_type=row, worker=worker, defaults=columns)
        audit.record(row, by=by, because=f"worker:{worker.pk} granted {value}, {how}")
    return made


def revoke(*, row: QualificationType, worker: Worker, reason: str, by: str) -> None:
    """Take the qualification from the worker: they can come by it again only by hand. Safe to repeat.

    Raises Invalid without a reason or with a long one, NotFound for a worker who has none.
    """
    if len(reason.strip()) not in REASON_LENGTH:
        raise Invalid(f"a reason of {REASON_LENGTH} characters expected", field="reason")
    with transaction.atomic():
        held = Qualification.objects.select_for_update().filter(qualification_type=row, worker=worker).first()
        if held is None:
            raise NotFound(f"worker {worker.public_id} does not have the qualification {row.name!r}", field="worker")
        if held.revoked_at is None:
            held.revoked_at, held.revoked_by, held.reason = timezone.now(), by, reason.strip()
            held.save(update_fields=["revoked_at", "revoked_by", "reason"])
            audit.record(row, by=by, because=f"worker:{worker.pk} revoked: {reason.strip()}")


def require_open(*, row: QualificationType, worker: Worker) -> None:
    """Raises WrongState, saying why, unless the worker may come by the qualification now."""
    if row.status != "Active":
        raise WrongState("this qualification is not given any more", field="status")
    held = Qualification.objects.filter(qualification_type=row, worker=worker).first()
    if held is not None and held.revoked_at is not None:
        raise WrongState(f"your qualification was revoked: {held.reason}", field="status")
    if held is not None and holds(held):
        raise WrongState("you have this qualification already", field="status")


def holds(row: Qualification) -> bool:
    """Whether it counts now: neither revoked nor expired."""
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > timezone.now())


def held_by(worker: Worker) -> QuerySet[Qualification]:
    """What the worker has and had, with the types, newest first."""
    rows = Qualification.objects.filter(worker=worker)
    return rows.select_related("qualification_type__account").order_by("-pk")


def of_type(row: QualificationType) -> QuerySet[Qualification]:
    """Who has the qualification and had it, with the workers, newest first."""
    return Qualification.objects.filter(qualification_type=row).select_related("worker").order_by("-pk")


def due_for_renewal(now: datetime, *, since: datetime) -> QuerySet[Qualification]:
    """Those granted by a figure of the worker's work that count now, and whose figure was not looked at since then."""
    return Qualification.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        Q(renewed_at=None, granted_at__lte=since) | Q(renewed_at__lte=since),
        qualification_type__granted_by__in=BY_FIGURE,
        revoked_at=None,
    )


def renew(*, held: Qualification, value: int | None, now: datetime) -> None:
    """Let the value follow the figure that it stands for. A figure below the type's mark ends the qualification, until
    the worker's work is good enough again and they ask for it."""
    mark = held.qualification_type.mark
    enough = value is not None and value >= mark
    with transaction.atomic():
        still = Qualification.objects.filter(pk=held.pk, revoked_at=None)
        if enough:
            still.update(renewed_at=now, value=value)
        elif still.update(renewed_at=now, expires_at=now):
            audit.record(
                held.qualification_type, by="system", because=f"worker:{held.worker_id} ended: {value} is below {mark}"
            )
