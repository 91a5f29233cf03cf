"""Under a contract the vendor is paid, not its worker: at once or after a review, by invoice, and never twice."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeling.models import AnswerReview, Assignment, LabelingJob
from labeling.queries import vendor_work
from labeling.services import invoicing
from labeling.services.jobs import advancing, creation
from labeling.services.queue import assignments, seats
from labeling.services.results import appeals, deciding
from marketplace.errors import Invalid
from marketplace.models import Contract, Invoice, Notice, Posting
from marketplace.services import contracts, earnings, invoices, ledger_audit, wallets
from tests import builders
from tests.labeling import stories
from tests.labeling.test_money import finish
from tests.labeling.test_review_money import AFTER, STEPS, WORKERS, check, do
from tests.labeling.vendor_stories import PRICE, a_contract, a_vendor_job, in_days, staffed

pytestmark = pytest.mark.django_db
FEE = 7_200
NEXT_WEEK = timedelta(days=8)


@pytest.fixture(autouse=True)
def _whole_ledger():
    yield
    assert ledger_audit.findings() == []


def owed(contract: Contract) -> tuple[int, int]:
    return tuple(invoices.owed_to(contract.vendor))


def test_the_contract_fixes_the_price_and_the_vendor_is_paid():
    job, (worker, *_), contract = a_vendor_job()
    assert (job.price_micros, job.queue.contract) == (PRICE, contract)
    shown = stories.work_list(worker)[0]
    assert (shown.employer, shown.price_micros, shown.hourly_micros) == (contract.vendor.name, 0, 0)

    seat = assignments.claim(worker=worker, queue=job.queue)
    submission = stories.answer(seat)
    assert submission.to_employer
    assert stories.answer(seat).repeated

    assert owed(contract) == (PRICE, 0)
    assert earnings.balance(worker) == 0
    assert wallets.spent_by_day(contract.vendor, since=timezone.now() - timedelta(days=1)) == {}
    spent = wallets.spent_by_day(job.account, since=timezone.now() - timedelta(days=1))
    assert sum(spent.values()) == PRICE + FEE


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("price", {"price_micros": PRICE + 1}),
        ("task_type", {"task_type": "ImageMultiClass", "price_micros": 0}),
    ],
)
def test_a_job_keeps_to_the_contract(field, changes):
    account = stories.an_account()
    contract = a_contract(requester=account)
    with pytest.raises(Invalid) as raised:
        creation.create_job(**stories.a_design(account, contract.workteam, **changes))
    assert field in dict(raised.value.errors)


def test_only_the_side_of_a_live_contract_gives_jobs_to_it_and_jobs_that_run_are_finished():
    job, workers, contract = a_vendor_job(objects=1)
    with pytest.raises(Invalid, match="workteam"):
        creation.create_job(**stories.a_design(stories.an_account(), contract.workteam, price_micros=0))
    contracts.end_overdue(now=timezone.now() + timedelta(days=40))
    with pytest.raises(Invalid, match="workteam"):
        creation.create_job(**stories.a_design(job.account, contract.workteam, price_micros=0))

    for worker in workers:
        stories.claim_and_answer(worker, job)
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed"
    assert owed(contract) == (3 * PRICE, 0)
    assert invoicing.issue_due(now=timezone.now() + NEXT_WEEK) == 1


def test_a_job_waits_until_the_vendor_has_assigned_somebody():
    account = stories.an_account()
    contract = a_contract(requester=account)
    job = stories.a_job(account, contract.workteam, price_micros=0)
    advancing.advance_job(job.pk)
    assert LabelingJob.objects.get(pk=job.pk).attention == advancing.NOBODY_ASSIGNED
    (worker,) = staffed(contract, 1)
    advancing.advance_job(job.pk)
    assert assignments.claim(worker=worker, queue=job.queue) is not None


def test_pay_is_held_released_returned_and_given_after_an_appeal():
    job, workers, contract = a_vendor_job(review_days=3, objects=2)
    for worker in workers:
        stories.claim_and_answer(worker, job)
    first, second, third = AnswerReview.objects.order_by("pk")
    assert owed(contract) == (0, 0)
    assert wallets.under_review(job.account) == 3 * (PRICE + FEE)
    assert [earnings.held(worker) for worker in workers] == [0, 0, 0]

    deciding.accept_one(review=first, by="user:1")
    deciding.accept_one(review=first, by="user:1")
    deciding.reject_one(review=second, reason="one bee is missing", by="user:1")
    deciding.reject_one(review=third, reason="one bee is missing", by="user:1")
    assert owed(contract) == (PRICE, 0)

    appeal = appeals.file_appeal(review=second, worker=second.worker, text="there is only one")
    appeals.uphold(appeal=appeal, text="so it is", by="user:1")
    appeals.uphold(appeal=appeal, text="so it is", by="user:1")
    assert owed(contract) == (2 * PRICE, 0)
    assert wallets.under_review(job.account) == 0
    assert sum(earnings.balance(worker) for worker in workers) == 0

    quality = {row["public_id"]: row for row in vendor_work.staff_quality(contract)}
    figures = [quality[row.worker.public_id] for row in (first, second, third)]
    assert [(row["answers"], row["accepted"], row["rejected"], row["earned_micros"]) for row in figures] == [
        *((1, 1, 0, PRICE), (1, 1, 0, PRICE), (1, 0, 1, 0))
    ]


def test_an_invoice_is_issued_once_for_each_period_with_answers_and_paid_once():
    job, workers, contract = a_vendor_job(objects=2)
    other = stories.a_job(
        job.account, contract.workteam, objects=1, price_micros=0, title="Box the wasps", workers_per_object=1
    )
    stories.open_pictures(other)
    for worker in workers:
        stories.claim_and_answer(worker, job)
    stories.claim_and_answer(workers[0], other)
    now = timezone.now()
    assert invoicing.issue_due(now=now) == 0
    assert invoicing.issue_due(now=now + NEXT_WEEK) == 1
    assert invoicing.issue_due(now=now + NEXT_WEEK) == 0
    assert invoicing.issue_due(now=now + 2 * NEXT_WEEK) == 0

    invoice = Invoice.objects.get()
    assert (invoice.answers, invoice.amount_micros, invoice.fee_micros) == (4, 4 * PRICE, 4 * FEE)
    lines = [(row.title, row.task_type, row.answers, row.price_micros) for row in invoice.lines.order_by("queue_id")]
    assert lines == [(job.title, "BoundingBox", 3, PRICE), ("Box the wasps", "BoundingBox", 1, PRICE)]
    assert owed(contract) == (0, 4 * PRICE)

    assert invoices.mark_paid(invoice=invoice, reference="bank 17", by="user:9")
    assert not invoices.mark_paid(invoice=invoice, reference="bank 18", by="user:9")
    invoice.refresh_from_db()
    assert (invoice.status, invoice.payment_reference) == ("Paid", "bank 17")
    notice = Notice.objects.get(kind="payout")
    assert (notice.account, notice.user) == (contract.vendor, contract.vendor.members.get())
    assert notice.text == f"Your invoice {invoice.number} of 0.144 dollars was paid: bank 17."
    assert owed(contract) == (0, 0)

    stories.claim_and_answer(workers[0], job)
    assert invoicing.issue_due(now=now + 3 * NEXT_WEEK) == 1
    assert [row.answers for row in Invoice.objects.order_by("pk")] == [4, 1]


def test_an_issued_invoice_cannot_be_changed():
    job, workers, contract = a_vendor_job()
    stories.claim_and_answer(workers[0], job)
    invoicing.issue_due(now=timezone.now() + NEXT_WEEK)
    invoice = Invoice.objects.get()
    for rows, change in (
        (Invoice.objects.all(), {"amount_micros": 1}),
        (invoice.lines.all(), {"answers": 9}),
        (invoice.postings.all(), {"invoice": invoice}),
    ):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            rows.update(**change)
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            rows._raw_delete(rows.db)


def test_the_audit_finds_a_payment_that_went_to_the_worker(monkeypatch):
    job, workers, contract = a_vendor_job()
    with transaction.atomic():
        monkeypatch.setattr(seats.Seat, "employer", None)
        stories.claim_and_answer(workers[0], job)
        assert "every accepted answer is paid" in {one.check for one in ledger_audit.findings()}
        transaction.set_rollback(True)


def test_the_audit_finds_money_that_is_on_no_invoice():
    job, workers, contract = a_vendor_job()
    stories.claim_and_answer(workers[0], job)
    stories.claim_and_answer(workers[1], job)
    due = invoicing.uninvoiced(contract, before=timezone.now())
    contract = Contract.objects.select_related("requester", "vendor").get(pk=contract.pk)
    with transaction.atomic():
        wrong = [due[0], due[0]._replace(posting_id=Posting.objects.order_by("pk").first().pk)]
        invoices.issue(contract=contract, start=timezone.now(), end=timezone.now(), due=wrong)
        found = {one.check for one in ledger_audit.findings()}
        assert {"invoices are the payments on them", "what has accrued is on no invoice yet"} <= found
        transaction.set_rollback(True)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, after=AFTER, end=st.sampled_from(["stop", "availability", "work"]))
@builders.rolled_back()
def test_money_adds_up_after_any_sequence_of_work_and_decisions(db, steps, after, end):
    account = stories.an_account()
    contract = a_contract(requester=account, ends_on=in_days(100))
    workers = staffed(contract, WORKERS)
    job = stories.a_job(account, contract.workteam, objects=3, max_concurrent_tasks=2, price_micros=0, review_days=3)
    advancing.advance_job(job.pk)
    for act, who, which in steps:
        do(act, workers[who], which, job)
        check(job)
    finish(job, workers, end)
    invoicing.issue_due(now=timezone.now() + NEXT_WEEK)
    check(job)
    for act, who, which in after:
        do(act, workers[who], which, job)
        check(job)
        advancing.advance_job(job.pk)
    deciding.accept_due(now=timezone.now() + timedelta(days=4))
    appeals.uphold_overdue(now=timezone.now() + timedelta(days=10))
    invoicing.issue_due(now=timezone.now() + 2 * NEXT_WEEK)
    check(job)
    paid = AnswerReview.objects.filter(queue=job.queue, state="Accepted").count()
    assert owed(contract) == (0, paid * PRICE)
    assert sum(invoice.answers for invoice in Invoice.objects.all()) == paid
    assert sum(earnings.balance(worker) for worker in workers) == 0
    assert Assignment.objects.filter(queue=job.queue, state="Submitted").count() == paid
