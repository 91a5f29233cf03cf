"""What a job's work costs and what it may still cost: per object, out of the wallet, under the requester's limit."""

from collections.abc import Iterable

from labeling.models import Batch, LabelingJob
from marketplace.models import EntryKind, LedgerKind, Subject
from marketplace.services import escrow, ledger, wallets

# The words under which the ledger knows labeling's rows.
BATCH = "batch"
ASSIGNMENT = "assignment"
LABELING_JOB = "labeling-job"

# Free work is bounded by the objects there are, never by this.
UNBOUNDED = 2**31


def purpose(job: LabelingJob) -> Subject:
    """What the job's escrow is kept for."""
    return Subject(LABELING_JOB, job.pk)


def object_micros(job: LabelingJob) -> int:
    """The most one object may cost: every seat it may get, with the fee."""
    return job.workers_per_object * (job.price_micros + job.fee_micros)


def reserved_micros(job: LabelingJob) -> int:
    """Set aside now for seats of the live batch."""
    return reserved_of_many([job])[job.pk]


def reserved_of_many(jobs: Iterable[LabelingJob]) -> dict[int, int]:
    """`reserved_micros` of each of several jobs, by the job's key, in two queries."""
    purposes = {purpose(job): job for job in jobs}
    held = escrow.held_for_each(
        account_ids={job.account_id for job in purposes.values()}, purpose_type=LABELING_JOB, purposes=purposes
    )
    return {job.pk: held[found] for found, job in purposes.items()}


def committed_micros(job: LabelingJob) -> int:
    """Spent and reserved together: what left the wallet for the job's batches and did not come back.

    A few postings a batch, however many answers were paid.
    """
    return committed_of_many([job])[job.pk]


def committed_of_many(jobs: Iterable[LabelingJob]) -> dict[int, int]:
    """`committed_micros` of each of several jobs, by the job's key, in two queries."""
    found = {job.pk: 0 for job in jobs}
    owners = dict(Batch.objects.filter(job__in=list(found)).values_list("pk", "job"))
    opened = [Subject(BATCH, pk) for pk in owners]
    moved = ledger.moved_of_each([EntryKind.RESERVE, EntryKind.REFUND], opened, pocket_kind=LedgerKind.WALLET)
    for subject, micros in moved.items():
        found[owners[subject.id]] -= micros
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
