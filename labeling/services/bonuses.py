"""Bonuses: a requester pays a worker more than the price, for work they have done; as Mechanical Turk's SendBonus.

Paid at once from the wallet, with the platform's fee on top as for an answer. A bonus cannot be taken back.
"""

from django.db import transaction
from django.db.models import Q, QuerySet

from labeling import subjects
from labeling.models import Assignment, AssignmentStatus, Bonus, LabelingJob, QueueReviewer
from labeling.services.jobs import pricing
from marketplace import money
from marketplace.errors import Invalid, KeyReused, NotFound
from marketplace.models import EntryKind, NoticeKind, Subject, Worker
from marketplace.ranges import Range
from marketplace.services import ledger, notifications, wallets

REASON_LENGTH = Range(1, 180)
"""Characters of the reason of a bonus, which the worker reads."""

TOKEN_LENGTH = Range(1, 64)
"""Characters of the token that makes paying a bonus safe to repeat, as UniqueRequestToken has."""

WORKED = (AssignmentStatus.SUBMITTED, AssignmentStatus.REJECTED)
"""Seats of which the worker has handed in an answer, whatever became of it."""


def pay(*, job: LabelingJob, worker: Worker, amount_micros: int, reason: str, token: str, by: str) -> Bonus:
    """Pay a worker of the job `amount_micros`, and the platform its fee; a repeat with the token returns the first one.

    Raises Invalid for a bad amount, reason or token, NotFound for somebody who has handed in nothing, KeyReused for the
    token of another bonus, InsufficientFunds when the wallet holds too little, AccountOwes while the account owes.
    """
    reason, token = reason.strip(), token.strip()
    _check(amount_micros, reason, token)
    if not _worked(job.queue_id).filter(pk=worker.pk).exists():
        raise NotFound(f"worker {worker.public_id} has handed in nothing for this job", field="worker")
    row = Bonus(
        account=job.account,
        queue=job.queue,
        worker=worker,
        amount_micros=amount_micros,
        fee_micros=pricing.fee(amount_micros),
        reason=reason,
        token=token,
        paid_by=by,
    )
    with transaction.atomic():
        # Of two that come at once the second waits here for the first.
        Bonus.objects.bulk_create([row], ignore_conflicts=True)
        made = (
            Bonus.objects.select_related("worker")
            .select_for_update(no_key=True, of=("self",))
            .get(account=job.account, token=token)
        )
        if (made.queue_id, made.worker_id, made.amount_micros) != (job.queue_id, worker.pk, amount_micros):
            raise KeyReused("this token was used for another bonus", field="token")
        if not ledger.is_booked(EntryKind.BONUS, Subject(subjects.BONUS, made.pk)):
            wallets.pay_worker(
                kind=EntryKind.BONUS,
                subject=Subject(subjects.BONUS, made.pk),
                account=job.account,
                worker=worker,
                price_micros=made.amount_micros,
                fee_micros=made.fee_micros,
                by=by,
                description=f"Bonus: {reason}",
            )
            notifications.tell(
                user=worker.user,
                kind=NoticeKind.BONUS,
                text=f"{job.account.name} paid you a bonus of {money.plain(made.amount_micros)} dollars: {reason}",
                account=job.account,
                subject=Subject(subjects.BONUS, made.pk),
            )
    return made


def _worked(queue_id: int) -> QuerySet[Worker]:
    """Who has handed in an answer to the queue, or was named to review others' answers."""
    seats = Assignment.objects.filter(queue=queue_id, state__in=WORKED).values("worker")
    reviewers = QueueReviewer.objects.filter(queue=queue_id).values("worker")
    return Worker.objects.filter(Q(pk__in=seats) | Q(pk__in=reviewers))


def _check(amount_micros: int, reason: str, token: str) -> None:
    if amount_micros == 0 or amount_micros not in money.AMOUNT_MICROS:
        raise Invalid("a bonus is an amount above zero", field="amount")
    if len(reason) not in REASON_LENGTH:
        raise Invalid(f"a bonus needs a reason of {REASON_LENGTH} characters", field="reason")
    if len(token) not in TOKEN_LENGTH:
        raise Invalid(f"a bonus needs a token of {TOKEN_LENGTH} characters", field="token")


def of_job(job: LabelingJob) -> QuerySet[Bonus]:
    """The bonuses of a job with their workers, newest first."""
    return Bonus.objects.filter(queue=job.queue_id).select_related("worker").order_by("-pk")


def worker_who_worked(job: LabelingJob, public_id: str) -> Worker:
    """A worker who has handed in an answer to the job, or reviewed some, by public id. Raises NotFound."""
    found = _worked(job.queue_id).filter(public_id=public_id).first()
    if found is None:
        raise NotFound(f"worker {public_id[:40]} has handed in nothing for this job", field="worker")
    return found
