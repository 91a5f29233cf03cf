"""What a vendor sees of the work under one contract: its queues, and how well its own people do there.

Nothing else of the requester's: no objects, labels or output, and no queue of another workforce.
"""

from typing import Any

from django.db.models import Avg, Count, F, OuterRef, Q, QuerySet, Subquery, Sum

from labeling.models import AnswerReview, Assignment, AssignmentStatus, ReviewStatus, Task, TaskStatus, WorkQueue
from marketplace.models import Contract

_ANSWERED = (AssignmentStatus.SUBMITTED, AssignmentStatus.REJECTED)


def queues(contract: Contract) -> QuerySet[WorkQueue]:
    """The work queues under the contract, newest first, with `open_tasks` and the `answers` that count."""
    open_tasks = Task.objects.filter(queue=OuterRef("pk"), state=TaskStatus.OPEN).order_by().values("queue")
    answers = Assignment.objects.filter(queue=OuterRef("pk"), state=AssignmentStatus.SUBMITTED).order_by()
    return (
        WorkQueue.objects.filter(contract=contract)
        .annotate(
            open_tasks=Subquery(open_tasks.annotate(n=Count("pk")).values("n")),
            answers=Subquery(answers.values("queue").annotate(n=Count("pk")).values("n")),
        )
        .order_by("-pk")
    )


def staff_quality(contract: Contract) -> list[dict[str, Any]]:
    """What each worker has done on the contract's queues, most answers first, in two queries.

    `answers` were handed in, whatever became of them; of those in a review `accepted`, `rejected` and `pending` say
    what; `agreement` (0 to 1, None while nothing is known) is that with the objects' labels; `mean_seconds` are active
    seconds for each answer; `earned_micros` is what the vendor was paid for those that count and are not under review.
    """
    work = (
        Assignment.objects.filter(queue__contract=contract, state__in=_ANSWERED)
        .values(public_id=F("worker__public_id"))
        .annotate(
            answers=Count("pk"),
            mean_seconds=Avg("seconds_spent"),
            counting=Sum("paid_micros", filter=Q(state=AssignmentStatus.SUBMITTED), default=0),
        )
        .order_by("-answers", "public_id")
    )
    pending = Q(state=ReviewStatus.PENDING)
    reviews = (
        AnswerReview.objects.filter(queue__contract=contract)
        .values(public_id=F("worker__public_id"))
        .annotate(
            accepted=Count("pk", filter=Q(state=ReviewStatus.ACCEPTED)),
            rejected=Count("pk", filter=Q(state=ReviewStatus.REJECTED)),
            pending=Count("pk", filter=pending),
            agreement=Avg("agreement"),
            held=Sum("price_micros", filter=pending, default=0),
        )
        .order_by()
    )
    decided = {row.pop("public_id"): row for row in reviews}
    nothing = {"accepted": 0, "rejected": 0, "pending": 0, "agreement": None, "held": 0}
    found = []
    for row in work:
        row |= decided.get(row["public_id"], nothing)
        row["earned_micros"] = row.pop("counting") - row.pop("held")
        found.append(row)
    return found
