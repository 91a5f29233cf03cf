"""What a job's work costs and what it may still cost: per object, out of the wallet, under the requester's limit."""

from collections.abc import Iterable

from labeling import subjects
from labeling.models import Batch, LabelingJob
from marketplace.models import EntryKind, LedgerKind, Subject
from marketplace.services import escrow, ledger, wallets

# Free work is bounded by the objects there are, never by this.
UNBOUNDED = 2**31


def object_micros(job: LabelingJob) -> int:
    """The most one object may cost: every seat it may get, with the fee."""
    return job.queue.max_seats * (job.queue.price_micros + job.queue.fee_micros)


def reserved_micros(job: LabelingJob) -> int:
    """Set aside now for seats of the live batch."""
    return reserved_of_many([job])[job.pk]


def reserved_of_many(jobs: Iterable[LabelingJob]) -> dict[int, int]:
    """`reserved_micros` of each of several jobs, by the job's key, in two queries."""
    purposes = {Subject(subjects.WORK_QUEUE, job.queue_id): job for job in jobs}
    held = escrow.held_for_each(
        account_ids={job.account_id for job in purposes.values()}, purpose_type=subjects.WORK_QUEUE, purposes=purposes
    )
    return {job.pk: held[found] for found, job in purposes.items()}


def committed_micros(job: LabelingJob) -> int:
    """Spent and reserved together: what left the wallet for the job's batches and did not come back.

    A few postings a batch, however many answers were paid.
    """
    return committed_of_many([job])[job.pk]


def committed_of_many(jobs: Iterable[LabelingJob]) -> dict[int, int]:
    """`committed_micros` of each of several jobs, by the job's key, in two queries."""
    by_queue = {job.queue_id: job.pk for job in jobs}
    found = dict.fromkeys(by_queue.values(), 0)
    queues = dict(Batch.objects.filter(queue__in=list(by_queue)).values_list("pk", "queue"))
    opened = [Subject(subjects.BATCH, pk) for pk in queues]
    moved = ledger.moved_of_each([EntryKind.RESERVE, EntryKind.REFUND], opened, pocket_kind=LedgerKind.WALLET)
    for subject, micros in moved.items():
        found[by_queue[queues[subject.id]]] -= micros
    return found


def affordable_objects(job: LabelingJob) -> int:
    """How many more objects could be opened now: what the wallet holds and the job's own limit on spending allow."""
    each = object_micros(job)
    if each == 0:
        return UNBOUNDED
    return min(wallets.balance(job.account) // each, allowed_objects(job))


def allowed_objects(job: LabelingJob) -> int:
    """How many more objects max_spend_micros allows, however much the wallet holds."""
    each = object_micros(job)
    if job.max_spend_micros is None or each == 0:
        return UNBOUNDED
    return max(0, job.max_spend_micros - committed_micros(job)) // each
