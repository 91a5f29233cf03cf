"""What a job has cost and may still cost, by its price per object, the account's wallet and the job's own limit."""

from collections.abc import Iterable

from labeling import subjects
from labeling.models import Batch, LabelingJob
from marketplace.models import EntryKind, LedgerKind, Subject
from marketplace.services import escrow, ledger, wallets

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
    """Spent and reserved together: what was taken from the wallet for the job's batches and not refunded.

    Reads a few postings a batch, however many answers were paid.
    """
    return committed_of_many([job])[job.pk]


def committed_of_many(jobs: Iterable[LabelingJob]) -> dict[int, int]:
    """`committed_micros` of each of several jobs, by the job's key, in two queries."""
    by_queue = {job.queue_id: job.pk for job in jobs}
    committed = dict.fromkeys(by_queue.values(), 0)
    queues = dict(Batch.objects.filter(queue__in=list(by_queue)).values_list("pk", "queue"))
    opened = [Subject(subjects.BATCH, pk) for pk in queues]
    moved = ledger.moved_of_each([EntryKind.RESERVE, EntryKind.REFUND], opened, pocket_kind=LedgerKind.WALLET)
    for subject, micros in moved.items():
        committed[by_queue[queues[subject.id]]] -= micros
    return committed


def affordable_objects(job: LabelingJob) -> int:
    """How many more objects could be opened now, by the wallet and the job's own limit on spending."""
    price = job.queue.task_micros
    if price == 0:
        return UNBOUNDED
    return min(wallets.balance(job.account) // price, allowed_objects(job))


def allowed_objects(job: LabelingJob) -> int:
    """How many more objects max_spend_micros allows, whatever the wallet holds."""
    price = job.queue.task_micros
    if job.max_spend_micros is None or price == 0:
        return UNBOUNDED
    return max(0, job.max_spend_micros - committed_micros(job)) // price
