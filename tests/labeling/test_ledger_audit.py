"""`manage.py audit_ledger` finds each way in which a ledger can be broken, and nothing in one that is whole."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from labeling.models import AnswerReview, Appeal, Assignment
from labeling.services.jobs import advancing, creation
from labeling.services.queue import assignments
from labeling.services.results import appeals, deciding
from marketplace.models import Entry, EntryKind, LedgerAccount, LedgerKind, Posting, Subject
from marketplace.services import ledger, ledger_audit
from tests.labeling import stories

BALANCED = "every entry balances"
PAID = "every accepted answer is paid"
EARNED = "every payment is for an accepted answer"
ANSWERED = "appeals are answered as their reviews say"
RETURNED = "what reviews brought back is known"
FUNDED = "open seats are funded, the rest is returned"


@pytest.fixture
def job(db):
    """A job with an open batch of four objects, one of which was answered."""
    found, (worker, *_) = stories.an_open_job(workers=3, objects=4)
    stories.answer(assignments.claim(worker=worker, queue=found.queue))
    return found


@pytest.fixture
def writable(job):
    """The job, in a database that does not refuse changes of the ledger; the test's end takes them back."""
    by_hand("SET CONSTRAINTS ALL IMMEDIATE")
    by_hand("ALTER TABLE marketplace_posting DISABLE TRIGGER USER")
    by_hand("ALTER TABLE marketplace_entry DISABLE TRIGGER USER")
    return job


def by_hand(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def found():
    """What is wrong, by the name of the check, but for the triggers that the fixture switched off."""
    wrong = {}
    for name, what in ledger_audit.findings():
        if name != "the database refuses changes":
            wrong.setdefault(name, []).append(what)
    return wrong


def the_payment():
    return Entry.objects.get(kind=EntryKind.PAYMENT)


def test_a_ledger_of_a_running_and_of_a_stopped_job_is_whole(job):
    assert ledger_audit.findings() == []
    creation.stop_job(job=job, by="user:1")
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Stopped"
    assert ledger_audit.findings() == []


def test_an_entry_that_does_not_balance(writable):
    posting = Posting.objects.filter(entry=the_payment(), amount_micros__gt=0, ledger_account__kind="fees").get()
    Posting.objects.filter(pk=posting.pk).update(amount_micros=posting.amount_micros + 1)
    (what,) = found()[BALANCED]
    assert the_payment().reference in what and "sum to 0.000001 dollars" in what


def test_an_entry_without_postings(writable):
    entry = the_payment()
    Posting.objects.filter(entry=entry).delete()
    wrong = found()
    assert wrong[BALANCED] == [f"entry {entry.pk} ({entry.reference}) has 0 postings that sum to 0.000000 dollars"]
    assert set(wrong) == {BALANCED, PAID, EARNED, FUNDED}


def test_a_pocket_below_zero(writable):
    """The whole deposit is taken out of the wallet again, although a part of it is set aside."""
    wallet = ledger.pocket(LedgerKind.WALLET, account=writable.account)
    outside = ledger.pocket(LedgerKind.OUTSIDE)
    gone = deposited(writable)
    ledger.post(
        kind=EntryKind.DEPOSIT,
        subject=Subject("account", writable.account_id),
        given_reference="back",
        postings={wallet: -gone, outside: gone},
        by="x",
        guard=False,
    )
    wrong = found()
    assert wrong["no pocket is below zero"][0].startswith(f"pocket {wallet.pk} (wallet) holds -")
    assert len(wrong["entries move money as their kind says"]) == 2


def deposited(job):
    """Micro-dollars that were deposited for the job's account."""
    wallet = ledger.pocket(LedgerKind.WALLET, account=job.account)
    return sum(
        Posting.objects.filter(ledger_account=wallet, entry__kind=EntryKind.DEPOSIT).values_list(
            "amount_micros", flat=True
        )
    )


def test_an_answer_that_was_not_paid_in_full(writable):
    seat = Assignment.objects.get(state="Submitted")
    Assignment.objects.filter(pk=seat.pk).update(paid_micros=seat.paid_micros + 1)
    assert found() == {
        PAID: [
            f"assignment {seat.pk}: 0.036001 dollars are due to worker {seat.worker_id}, 0.036000 were paid",
        ]
    }


def test_a_payment_for_an_answer_that_does_not_count(writable):
    seat = Assignment.objects.get(state="Submitted")
    Assignment.objects.filter(pk=seat.pk).update(state="Declined")
    assert found() == {
        EARNED: [f"entry {the_payment().pk} (payment:assignment:{seat.pk}) pays for an assignment that is Declined"]
    }


def test_a_payment_out_of_the_money_of_another_job(writable):
    """The entry balances and the worker has their money, but it came from the wrong escrow."""
    other, _ = stories.an_open_job(workers=3, objects=2)
    purpose = ledger.pocket(LedgerKind.ESCROW, account=other.account, purpose=Subject("work-queue", other.queue_id))
    Posting.objects.filter(entry=the_payment(), amount_micros__lt=0).update(ledger_account=purpose)
    wrong = found()
    assert set(wrong) == {EARNED, FUNDED}
    assert f"work queue {writable.queue_id} out of the escrow of work queue {other.queue_id}" in wrong[EARNED][0]
    assert len(wrong[FUNDED]) == 2


def test_money_that_is_left_in_escrow(writable):
    writable.queue.batches.update(status="Completed")
    (what,) = found()[FUNDED]
    assert what.startswith(f"work queue {writable.queue_id} has no open batch and holds 0.")


def test_an_appeal_that_was_upheld_and_is_not_said_to_be_and_the_reverse(db):
    job, (worker, *_) = stories.an_open_job(workers=3, objects=4, review_days=3)
    stories.answer(assignments.claim(worker=worker, queue=job.queue))
    review = AnswerReview.objects.get()
    deciding.reject_one(review=review, reason="no", return_to_worker=False, by="user:1")
    appeal = appeals.file_appeal(review=review, worker=worker, text="yes")
    Appeal.objects.update(state="Upheld")
    assert found() == {ANSWERED: [f"appeal {appeal.pk} is Upheld, review {review.pk} of its answer is Rejected"]}
    Appeal.objects.update(state="Open")
    appeals.uphold(appeal=appeal, text="yes", by="user:1")
    assert found() == {}
    Appeal.objects.update(state="Denied")
    assert found() == {ANSWERED: [f"appeal {appeal.pk} is Denied, review {review.pk} of its answer is Accepted"]}


def test_what_a_review_brought_back_is_not_what_it_says(db):
    job, (worker, *_) = stories.an_open_job(workers=3, objects=1, workers_per_object=1, review_days=3)
    stories.answer(assignments.claim(worker=worker, queue=job.queue))
    advancing.advance_job(job.pk)
    review = AnswerReview.objects.get()
    deciding.reject_one(review=review, reason="no", return_to_worker=False, by="user:1")
    assert found() == {}
    AnswerReview.objects.update(to_wallet_micros=1)
    assert found() == {RETURNED: [f"review {review.pk} brought 0.043200 dollars to the wallet, it says 0.000001"]}


def test_a_trigger_that_is_off_or_missing(job):
    by_hand("SET CONSTRAINTS ALL IMMEDIATE")
    by_hand("ALTER TABLE marketplace_posting DISABLE TRIGGER ledger_entry_balances")
    by_hand("DROP TRIGGER ledger_entry_append_only ON marketplace_entry")
    assert [what for _, what in ledger_audit.findings()] == [
        "the trigger ledger_entry_balances is switched off",
        "the trigger ledger_entry_append_only is missing",
    ]


@pytest.mark.django_db(transaction=True)
def test_the_command_reports_and_ends_with_1_when_something_is_wrong():
    opened, (worker, *_) = stories.an_open_job(workers=3, objects=2)
    seat = stories.answer(assignments.claim(worker=worker, queue=opened.queue))
    out = StringIO()
    call_command("audit_ledger", stdout=out)
    assert out.getvalue() == f"{Entry.objects.count()} entries, {Posting.objects.count()} postings, " + (
        f"{LedgerAccount.objects.count()} pockets read: the ledger is whole\n"
    )
    Assignment.objects.filter(pk=seat.assignment_id).update(paid_micros=1, promised_micros=1)
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("audit_ledger", "--json", stdout=out)
    (finding,) = json.loads(out.getvalue())["findings"]
    assert finding["check"] == PAID and finding["what"].startswith(f"assignment {seat.assignment_id}: 0.000001")
