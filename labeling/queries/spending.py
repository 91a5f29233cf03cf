"""What a job has cost and may still cost, by its price per object, the account's wallet and the job's own limit."""

from collections.abc import Iterable

from django.db.models import F, Q, Sum, Value

from labeling import subjects
from labeling.models import AnswerReview, Batch, Gold, LabelingJob, PriceChange, ReviewStatus
from labeling.queries import gold_budget
from marketplace.models import EntryKind, LedgerKind, Subject
from marketplace.services import debts, escrow, ledger, wallets

UNBOUNDED = 2**31
"""Objects that free work can pay for: more than any job has."""


def reserved_micros(job: LabelingJob) -> int:
    """The money reserved for seats of the live batch."""
    return reserved_of_many([job])[job.pk]


def reserved_of_many(jobs: Iterable[LabelingJob]) -> dict[int, int]:
    """`reserved_micros` of each of several jobs, by the job's key, in two queries."""
    purposes = {Subject(subjects.WORK_QUEUE, job.queue_id): job for job in jobs}
    reserved = escrow.held_for_each(
        account_ids={job.account_id for job in purposes.values()}, purpose_type=subjects.WORK_QUEUE, purposes=purposes
    )
    return {job.pk: reserved[purpose] for purpose, job in purposes.items()}


def committed_micros(job: LabelingJob) -> int:
    """Spent, held and reserved together: what was taken from the wallet for the job and not returned.

    Reads a few postings a batch, however many answers were paid, and the reviews of a job that has them.
    """
    return committed_of_many([job])[job.pk]


def committed_of_many(jobs: Iterable[LabelingJob]) -> dict[int, int]:
    """`committed_micros` of each of several jobs, by the job's key, in three queries."""
    by_queue = {job.queue_id: job.pk for job in jobs}
    committed = dict.fromkeys(by_queue.values(), 0)
    # What money is set aside for: all that a queue's escrow is filled by.
    filled = (
        rows.filter(queue__in=list(by_queue)).annotate(kind=Value(kind)).values_list("kind", "pk", "queue")
        for kind, rows in (
            (subjects.BATCH, Batch.objects.all()),
            (subjects.GOLD, Gold.objects.all()),
            (subjects.PRICE_CHANGE, PriceChange.objects.all()),
        )
    )
    queue_of = {Subject(kind, pk): queue_id for kind, pk, queue_id in next(filled).union(*filled, all=True)}
    moved = ledger.moved_of_each([EntryKind.RESERVE, EntryKind.REFUND], queue_of, pocket_kind=LedgerKind.WALLET)
    for subject, micros in moved.items():
        committed[by_queue[queue_of[subject]]] -= micros
    for queue_id, found in _reviewed(by_queue).items():
        committed[by_queue[queue_id]] -= found["to_wallet"]
    return committed


def under_review_of_many(jobs: Iterable[LabelingJob]) -> dict[int, int]:
    """Micro-dollars, with fees, held for the answers under review of each job, by the job's key, in one query."""
    by_queue = {job.queue_id: job.pk for job in jobs}
    return dict.fromkeys(by_queue.values(), 0) | {
        by_queue[queue_id]: found["held"] for queue_id, found in _reviewed(by_queue).items()
    }


def _reviewed(queues: Iterable[int]) -> dict[int, dict[str, int]]:
    """What reviews brought back into the wallet and what is held for them, by queue; not of queues without any."""
    rows = AnswerReview.objects.filter(queue__in=list(queues), queue__review_days__isnull=False).values("queue")
    pending = Q(state=ReviewStatus.PENDING)
    totals = rows.annotate(
        to_wallet=Sum("to_wallet_micros"), held=Sum(F("price_micros") + F("fee_micros"), filter=pending, default=0)
    )
    return {row.pop("queue"): row for row in totals.order_by()}


def affordable_objects(job: LabelingJob) -> int:
    """How many more objects could be opened now, by the wallet and the job's own limit; none while its account owes."""
    if job.queue.task_micros == 0:
        return UNBOUNDED
    if debts.owed(job.account):
        return 0
    golds = gold_budget.has_golds(job)
    return min(gold_budget.objects_for(job, wallets.balance(job.account), golds=golds), _allowed(job, golds=golds))


def allowed_objects(job: LabelingJob) -> int:
    """How many more objects max_spend_micros allows, whatever the wallet holds."""
    return _allowed(job, golds=gold_budget.has_golds(job))


def _allowed(job: LabelingJob, *, golds: bool) -> int:
    if job.max_spend_micros is None or job.queue.task_micros == 0:
        return UNBOUNDED
    return gold_budget.objects_for(job, max(0, job.max_spend_micros - committed_micros(job)), golds=golds)
