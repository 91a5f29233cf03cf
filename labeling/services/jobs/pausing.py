"""Jobs that wait for their account: its wallet cannot pay for the next object, or it owes money.

A job that waits is InProgress and says why; it goes on by itself once the money is there. Nothing of it fails.
"""

from django.db import transaction

from labeling.models import LabelingJob, Pause
from labeling.queries import gold_budget
from labeling.services import notices
from labeling.services.queue import advance_requests, queues
from marketplace import money
from marketplace.errors import WrongState
from marketplace.models import Account
from marketplace.services import debts, wallets

BY = "system"


def wait_for_funds(job: LabelingJob) -> None:
    """Say that the wallet cannot pay for the next object. Safe to repeat."""
    golds, before = gold_budget.has_golds(job), job.queue.opened()
    price = money.text(gold_budget.batch_micros(job, 1, golds=golds, before=before))
    balance = money.text(wallets.balance(job.account))
    wait(job, Pause.FUNDS, f"the wallet holds {balance} dollars, one object needs {price}")


def wait(job: LabelingJob, why: str, what: str) -> None:
    """Say what the job waits for. Safe to repeat."""
    attention = f"{what}: deposit money and the job goes on"[:500]
    if (job.attention, job.paused) != (attention, why):
        LabelingJob.objects.filter(pk=job.pk).update(attention=attention, paused=why)
    if why == Pause.FUNDS:
        notices.wallet_short(job)


def go_on(job: LabelingJob) -> None:
    """The job waits for nothing any more."""
    if job.paused:
        LabelingJob.objects.filter(pk=job.pk).update(attention="", paused="")


def follow_debt(job: LabelingJob) -> bool:
    """Pause the job's queue while its account owes money, and open it again after that; returns whether it owes.

    Tasks that people hold may be answered, and are paid: their money was set aside before.
    """
    debt = debts.owed(job.account)
    if debt:
        what = f"the account owes {money.text(debt)} dollars, because a deposit was reversed"
        with transaction.atomic():
            # The job's row is locked before its queue's, as everywhere (queue/locking.py).
            wait(job, Pause.DEBT, what)
            if job.queue.open:
                queues.pause_queue(job.queue, by=BY, because=what)
    elif job.queue.status == "Paused":
        with transaction.atomic():
            go_on(job)
            queues.open_queue(job.queue, by=BY, because="nothing is owed any more")
    return bool(debt)


def resume(*, job: LabelingJob) -> None:
    """Look at once whether a job that waits can go on. Raises WrongState for one that does not wait."""
    if not job.paused:
        raise WrongState("this job waits for no money", field="paused")
    with transaction.atomic():
        advance_requests.request_advance(job.queue_id)


def money_changed(account: Account) -> None:
    """Request an advance of the account's jobs: money has arrived, or is owed. In the caller's transaction."""
    live = LabelingJob.objects.filter(account=account, status="InProgress")
    for queue_id in live.order_by("queue").values_list("queue", flat=True):
        advance_requests.request_advance(queue_id)
