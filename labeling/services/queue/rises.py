"""Raises the price of a work queue. Knows neither why nor how far it may rise.

The money for it is set aside with the rise: for each open seat of the batches that are open, and for each answer under
review there, whose seat is offered again when it is rejected. Tasks that people hold are paid the new price as well.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from labeling import subjects
from labeling.models import AnswerReview, Batch, PriceChange, ReviewStatus, Task, WorkQueue
from labeling.services.queue.batches import LIVE
from labeling.services.queue.locking import lock_positions, lock_price
from marketplace import money
from marketplace.errors import Invalid, WrongState
from marketplace.models import Subject
from marketplace.services import audit, escrow


def raise_price(
    *, queue: WorkQueue, price_micros: int, fee_micros: int, by: str, because: str, now: datetime | None = None
) -> PriceChange:
    """Pay so much for each answer that is handed in from now on, and reserve the difference for open seats.

    The fee does not fall. Raises Invalid for a price that is not higher, WrongState for a queue that is closed or under
    a contract, InsufficientFunds when the wallet cannot pay the difference, AccountOwes while the account owes money.
    When it raises, nothing has changed.
    """
    now = now or timezone.now()
    with transaction.atomic():
        locked = WorkQueue.objects.select_for_update(no_key=True).get(pk=queue.pk)
        _check(locked, price_micros)
        lock_positions(locked.pk)
        live = list(Batch.objects.select_for_update(no_key=True).filter(queue=locked, status__in=LIVE).order_by("pk"))
        lock_price(locked.pk)
        fee = max(fee_micros, locked.fee_micros)
        more = price_micros + fee - locked.price_micros - locked.fee_micros
        seats = _open_seats(locked, live) + _keep_for_reviews(locked, live, more)
        change = PriceChange.objects.create(
            queue=locked,
            old_price_micros=locked.price_micros,
            price_micros=price_micros,
            fee_micros=fee,
            reserved_micros=seats * more,
            because=because[:200],
            changed_by=by,
            changed_at=now,
        )
        escrow.reserve(
            account=locked.account,
            purpose=Subject(subjects.WORK_QUEUE, locked.pk),
            subject=Subject(subjects.PRICE_CHANGE, change.pk),
            amount_micros=change.reserved_micros,
            by=by,
        )
        WorkQueue.objects.filter(pk=locked.pk).update(price_micros=price_micros, fee_micros=fee)
        said = f"price raised from {money.text(locked.price_micros)} to {money.text(price_micros)} dollars: {because}"
        audit.record(locked, by=by, because=said)
    queue.refresh_from_db(fields=["price_micros", "fee_micros"])
    return change


def _check(queue: WorkQueue, price_micros: int) -> None:
    if queue.status == "Stopped":
        raise WrongState("the work is over, its price cannot change any more", field="price")
    if queue.contract_id is not None:
        raise WrongState("the contract with the vendor fixes the price", field="price")
    if price_micros <= queue.price_micros:
        found = f"more than {money.text(queue.price_micros)} dollars expected, {money.text(price_micros)} found"
        raise Invalid(f"a price can only be raised: {found}", field="price")


def _open_seats(queue: WorkQueue, live: list[Batch]) -> int:
    """The answers that the tasks of these batches may still get, and that are paid from their money.

    Without those that check a pre-label at a price of their own, which stays.
    """
    left = F("max_seats") - F("answers_count") + F("extra_answers")
    return int(Task.objects.filter(_risen(queue), batch__in=live).aggregate(n=Sum(left))["n"] or 0)


def _risen(queue: WorkQueue, of: str = "") -> Q:
    """The tasks whose price rises with the queue's; `of`: the path to the task."""
    return Q() if queue.check_price_micros is None else Q(**{f"{of}checks": False})


def _keep_for_reviews(queue: WorkQueue, live: list[Batch], more: int) -> int:
    """Note on each answer under review that its seat would cost `more`; returns how many there are."""
    rows = AnswerReview.objects.select_for_update(no_key=True, of=("self",)).filter(
        _risen(queue, "assignment__task__"), state=ReviewStatus.PENDING, assignment__task__batch__in=live
    )
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    AnswerReview.objects.filter(pk__in=ids).update(kept_micros=F("kept_micros") + more)
    return len(ids)
