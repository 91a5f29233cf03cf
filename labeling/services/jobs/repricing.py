"""The price of a job that is not over: raised by its requester, or by itself within a ceiling (pacing.py)."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from labeling.models import LabelingJob, PriceChange
from labeling.queries import spending
from labeling.services import notices
from labeling.services.jobs import limits, pricing
from labeling.services.queue import rises
from marketplace import money
from marketplace.errors import DomainError, Invalid, LimitExceeded, WrongState
from marketplace.models import Workteam
from marketplace.services import audit

CHANGEABLE = ("Initializing", "InProgress")
"""The statuses of a job whose price can change."""

LATEST = timedelta(hours=limits.WANTED_HOURS.longest)
"""A wanted end is at most so far away: a job ends after that time."""

BY_REQUESTER = "by the requester"


def raise_price(
    *, job: LabelingJob, price_micros: int, by: str, because: str = BY_REQUESTER, now: datetime | None = None
) -> PriceChange:
    """Pay more for each answer that is handed in from now on; the money for open seats is set aside at once.

    Tasks that people hold are paid the new price too. Raises WrongState for a job that is over or whose price is not
    its own (a panel, a contract), Invalid for what is no price or not a higher one, LimitExceeded when max_spend does
    not allow the difference, InsufficientFunds when the wallet cannot pay it. When it raises, nothing has changed.
    """
    with transaction.atomic():
        _changeable(job)
        pricing.check_price(price_micros=price_micros, task_type=job.task_type, public=job.workteam.public)
        change = rises.raise_price(
            queue=job.queue,
            price_micros=price_micros,
            fee_micros=pricing.fee(price_micros),
            by=by,
            because=because,
            now=now,
        )
        if job.max_spend_micros is not None and (over := spending.committed_micros(job) - job.max_spend_micros) > 0:
            raise LimitExceeded(
                f"the spending limit does not allow it: open tasks would cost {money.text(over)} dollars more",
                field="price",
            )
        notices.price_raised(change)
    return change


def set_ceiling(
    *,
    job: LabelingJob,
    price_ceiling_micros: int | None,
    wanted_end: datetime | None,
    by: str,
    now: datetime | None = None,
) -> LabelingJob:
    """Let the price rise up to the ceiling while the job would not be done by the wanted end; None for both: no more.

    Raises Invalid naming each field that is wrong, WrongState as `raise_price` does.
    """
    with transaction.atomic():
        locked = _changeable(job)
        wrong = errors(
            price_micros=job.price_micros,
            price_ceiling_micros=price_ceiling_micros,
            wanted_end=wanted_end,
            task_type=job.task_type,
            team=job.workteam,
            now=now,
        )
        if wrong:
            raise Invalid("the price cannot rise like this", errors=wrong)
        locked.price_ceiling_micros, locked.wanted_end = price_ceiling_micros, wanted_end
        locked.save(update_fields=["price_ceiling_micros", "wanted_end"])
        said = "the price stays"
        if price_ceiling_micros is not None and wanted_end is not None:
            highest = money.text(price_ceiling_micros)
            said = f"the price may rise to {highest} dollars, to be done by {wanted_end:%Y-%m-%d %H:%M} UTC"
        audit.record(locked, by=by, because=said, to_status=locked.status)
    job.refresh_from_db(fields=["price_ceiling_micros", "wanted_end"])
    return job


def errors(
    *,
    price_micros: int,
    price_ceiling_micros: int | None,
    wanted_end: datetime | None,
    task_type: str,
    team: Workteam,
    now: datetime | None = None,
) -> list[tuple[str, str]]:
    """What is wrong with a ceiling and a wanted end: (field, reason)."""
    if price_ceiling_micros is None and wanted_end is None:
        return []
    if price_ceiling_micros is None:
        return [("price_ceiling", "a wanted end needs a highest price")]
    if wanted_end is None:
        return [("wanted_end", "a highest price needs a wanted end")]
    found = []
    if team.is_panel or team.of_vendor:
        found.append(("price_ceiling", "the price does not rise: a panel's provider or the vendor's contract fixes it"))
    elif price_ceiling_micros <= price_micros:
        found.append(("price_ceiling", f"more than the price expected, {money.text(price_micros)} dollars"))
    else:
        try:
            pricing.check_price(price_micros=price_ceiling_micros, task_type=task_type, public=team.public)
        except DomainError as error:
            found.append(("price_ceiling", error.message))
    now = now or timezone.now()
    if not now < wanted_end <= now + LATEST:
        found.append(("wanted_end", f"a time within the next {LATEST.days} days expected"))
    return found


def history(job: LabelingJob) -> Any:
    """The rises of the job's price, newest first."""
    return PriceChange.objects.filter(queue=job.queue_id).order_by("-pk")


def _changeable(job: LabelingJob) -> LabelingJob:
    """The job's row, locked. Raises WrongState unless its price is its own and may change."""
    locked = LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
    if locked.status not in CHANGEABLE:
        raise WrongState(f"the labeling job is {locked.status}, its price cannot change any more", field="status")
    if job.workteam.is_panel:
        raise WrongState("a panel's people are paid by its provider, there is no price to raise", field="price")
    if job.workteam.of_vendor:
        raise WrongState("the contract with the vendor fixes the price", field="price")
    return locked
