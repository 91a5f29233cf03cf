"""A job whose account has no money, or owes some, waits and goes on by itself; nothing of it fails."""

import pytest
from django.db import connection

from labeling.models import AdvanceRequest, LabelingJob
from labeling.services.jobs import advancing, creation, pausing, repricing
from labeling.services.queue import assignments
from marketplace.errors import AccountOwes, WrongState
from marketplace.services import debts, earnings, ledger_audit, wallets
from tests.labeling import stories

pytestmark = pytest.mark.django_db
DOLLAR = 1_000_000


def advanced(job):
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    job.queue.refresh_from_db()
    return job


def deposit(account, reference, dollars=50):
    wallets.deposit(account=account, amount_micros=dollars * DOLLAR, reference=reference, by="operator")


def reverse(reference):
    return debts.reverse_deposit(reference=reference, reason="the bank took it back", by="operator")


def test_a_job_out_of_money_waits_and_goes_on_when_there_is_some():
    job, workers = stories.a_funded_job(workers=3, objects=2, funds="0")
    assert (advanced(job).status, job.paused) == ("InProgress", "funds")
    assert "deposit money and the job goes on" in job.attention
    AdvanceRequest.objects.all().delete()
    deposit(job.account, "bank-1")
    assert AdvanceRequest.objects.filter(queue=job.queue).exists()
    assert (advanced(job).paused, job.attention) == ("", "")
    assert stories.work(workers[0], job) == 2


def test_the_button_looks_at_once_and_is_refused_to_a_job_that_does_not_wait():
    job, _ = stories.a_funded_job(objects=1, funds="0")
    advanced(job)
    AdvanceRequest.objects.all().delete()
    pausing.resume(job=job)
    assert AdvanceRequest.objects.filter(queue=job.queue).exists()
    deposit(job.account, "bank-1")
    advanced(job)
    with pytest.raises(WrongState):
        pausing.resume(job=job)


def test_while_the_account_owes_no_task_is_given_out_held_ones_are_paid_and_no_job_starts():
    job, workers = stories.a_funded_job(workers=3, objects=2, funds="0")
    deposit(job.account, "bank-1", dollars=1)
    advanced(job)
    held = assignments.claim(worker=workers[0], queue=job.queue)
    returned = assignments.claim(worker=workers[1], queue=job.queue)
    owed = reverse("bank-1").owed_micros
    assert owed == 6 * (stories.PRICE + stories.FEE)
    assert (advanced(job).paused, job.status, job.queue.status) == ("debt", "InProgress", "Paused")
    assert assignments.claim(worker=workers[2], queue=job.queue) is None
    assert not stories.work_list(workers[2])
    stories.answer(held)
    assignments.give_back(assignment=returned, worker=workers[1])
    assert earnings.balance(workers[0]) == stories.PRICE
    with pytest.raises(AccountOwes):
        creation.create_job(**stories.a_design(job.account, job.workteam))
    assert ledger_audit.findings() == []
    deposit(job.account, "bank-2")
    assert (advanced(job).paused, job.queue.status, debts.owed(job.account)) == ("", "InProgress", 0)
    assert stories.work(workers[1], job) == 2
    assert ledger_audit.findings() == []


def locked_by(act):
    """The rows of jobs and of work queues that an act locks or writes, in its order."""
    seen = []

    def noted(execute, sql, params, many, context):
        if sql.startswith("UPDATE") or "FOR NO KEY UPDATE" in sql:
            seen.extend(
                table for table in ("labelingjob", "workqueue") if f'"labeling_{table}"' in sql.partition(" SET ")[0]
            )
        return execute(sql, params, many, context)

    with connection.execute_wrapper(noted):
        act()
    return list(dict.fromkeys(seen))


def test_a_job_is_locked_before_its_queue_as_where_its_price_is_raised():
    job, _ = stories.a_funded_job(workers=3, objects=2, funds="0")
    deposit(job.account, "bank-1", dollars=1)
    advanced(job)
    order = ["labelingjob", "workqueue"]
    assert locked_by(lambda: repricing.raise_price(job=job, price_micros=job.price_micros + 1, by="user:1")) == order
    reverse("bank-1")
    assert locked_by(lambda: pausing.follow_debt(job)) == order
    deposit(job.account, "bank-2")
    job = LabelingJob.objects.get(pk=job.pk)
    assert job.paused == "debt" and locked_by(lambda: pausing.follow_debt(job)) == order


def test_a_paused_job_can_be_stopped_which_settles_what_it_had_set_aside():
    job, _ = stories.a_funded_job(workers=3, objects=2, funds="0")
    deposit(job.account, "bank-1", dollars=1)
    advanced(job)
    reverse("bank-1")
    advanced(job)
    creation.stop_job(job=job, by="user:1")
    assert (advanced(job).status, job.paused, job.queue.status) == ("Stopped", "", "Stopped")
    debts.settle_all()
    assert debts.owed(job.account) == wallets.balance(job.account) == 0
    assert ledger_audit.findings() == []
