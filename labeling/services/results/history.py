"""What became of answers: those under review as lists show them, and a worker's history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from labeling.models import (
    AnswerReview,
    Appeal,
    Assignment,
    AssignmentStatus,
    ReviewStatus,
)
from labeling.queries import class_names, golds
from labeling.queries.golds import ToldGold
from labeling.services.results import appeals
from marketplace.models import Worker

PAID = "Paid"
"""The fate of an answer to a queue without a review."""


@dataclass(frozen=True)
class Fate:
    """What became of a worker's answer. `state` is a ReviewStatus, or PAID where the queue has no review.

    `gold` is set where the task's true answer was known, once that may be told.
    """

    assignment: Assignment
    state: str
    price_micros: int
    review: AnswerReview | None
    appeal: Appeal | None
    appeal_refusal: str | None
    gold: ToldGold | None = None

    @property
    def may_appeal(self) -> bool:
        """Whether the worker can appeal now."""
        return self.review is not None and self.appeal_refusal is None

    @property
    def appeal_until(self) -> datetime | None:
        """The last moment for an appeal, None for an answer that is not rejected."""
        if self.state != ReviewStatus.REJECTED or self.review is None or self.review.decided_at is None:
            return None
        return self.review.decided_at + appeals.TO_FILE


def shown(reviews: QuerySet[AnswerReview]) -> QuerySet[AnswerReview]:
    """With everything that a list of answers under review shows of each, in the same query."""
    return reviews.select_related("worker", "answer", "appeal", "queue", "assignment__task__data_object__label")


def content(review: AnswerReview) -> Mapping[str, Any]:
    """The answer under review in the crowd element's form, with the names that classes have now; see `shown`."""
    row = review.assignment.task.data_object
    size = (row.width or 0, row.height or 0) if row is not None else (0, 0)
    return class_names.content_now(review.answer.content, queue=review.queue, size=size)


def answered(worker: Worker) -> QuerySet[Assignment]:
    """The worker's answered assignments; those that came back to be improved are among the tasks they hold."""
    answered = (AssignmentStatus.SUBMITTED, AssignmentStatus.REJECTED)
    return Assignment.objects.filter(worker=worker, state__in=answered).select_related("queue")


def fates(seats: Sequence[Assignment]) -> list[Fate]:
    """What became of the answers to these assignments, in their order, in two queries."""
    rows = AnswerReview.objects.filter(assignment__in=[seat.pk for seat in seats]).select_related(
        "appeal", "assignment"
    )
    newest = {row.assignment_id: row for row in rows.order_by("pk")}
    told = golds.told(seats)
    return [_fate(seat, newest.get(seat.pk), told.get(seat.pk)) for seat in seats]


def _fate(seat: Assignment, review: AnswerReview | None, gold: ToldGold | None) -> Fate:
    return Fate(
        assignment=seat,
        state=review.state if review else PAID,
        price_micros=_price(seat, review),
        review=review,
        appeal=getattr(review, "appeal", None) if review else None,
        appeal_refusal=appeals.refusal(review) if review else None,
        gold=gold,
    )


def _price(seat: Assignment, review: AnswerReview | None) -> int:
    """What the worker is paid; under a contract their employer pays them, which is not known here."""
    if seat.queue.contract_id is not None:
        return 0
    return review.price_micros if review else seat.paid_micros or 0


def held_by_day(worker: Worker, *, most: int = 31) -> list[tuple[date, int]]:
    """Micro-dollars that are released to a worker by each day, if nobody decides before, the next day first."""
    pending = AnswerReview.objects.filter(
        worker=worker, state=ReviewStatus.PENDING, price_micros__gt=0, queue__contract=None
    )
    days = pending.annotate(day=TruncDate("due_at")).values_list("day").annotate(micros=Sum("price_micros"))
    return list(days.order_by("day")[:most])
