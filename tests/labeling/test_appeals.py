"""Appeals against rejections: who may file one, what an upheld one pays and brings back, and what is left open."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.models import AnswerReview, Appeal, Assignment, Task
from labeling.services.jobs import advancing
from labeling.services.queue import assignments
from labeling.services.results import appeals, deciding
from marketplace.errors import InsufficientFunds, Invalid, WrongState
from marketplace.models import Entry
from marketplace.services import earnings, ledger_audit, wallets
from tests.labeling import stories
from tests.labeling.test_reviews import a_finished_job, a_reviewed_job, an_answer, the_object

pytestmark = pytest.mark.django_db
COST = stories.PRICE + stories.FEE


@pytest.fixture(autouse=True)
def _whole_ledger():
    yield
    assert ledger_audit.findings() == []


def test_an_upheld_appeal_pays_and_the_answer_counts_again():
    job, workers, reviews = a_finished_job(workers_per_object=1, workers=1)
    deciding.reject(queue=job.queue, review_ids=[reviews[0].pk], reason="no", by="user:1")
    advancing.advance_job(job.pk)
    balance = wallets.balance(job.account)

    appeal = appeals.file_appeal(review=reviews[0], worker=workers[0], text="there is a bee, bottom left")
    assert appeals.file_appeal(review=reviews[0], worker=workers[0], text=appeal.text) == appeal
    for _ in range(2):
        appeals.uphold(appeal=appeal, text="right, sorry", by="user:1")
    advancing.advance_job(job.pk)

    assert earnings.balance(workers[0]) == stories.PRICE
    assert wallets.balance(job.account) == balance - COST
    assert (the_object(job).state, len(the_object(job).label.value["boxes"])) == ("HumanLabeled", 1)
    appeal.refresh_from_db()
    assert (appeal.state, appeal.answer, appeal.answered_by) == ("Upheld", "right, sorry", "user:1")
    with pytest.raises(WrongState):
        appeals.deny(appeal=appeal, text="no", by="user:1")


def test_an_upheld_appeal_takes_the_seat_that_is_still_free():
    job, (worker, other, *_) = a_reviewed_job(objects=1, workers_per_object=1)
    review = an_answer(job, worker)
    deciding.reject_one(review=review, reason="no", by="user:1")
    appeal = appeals.file_appeal(review=review, worker=worker, text="yes")

    appeals.uphold(appeal=appeal, text="yes", by="user:1")

    assert assignments.claim(worker=other, queue=job.queue) is None
    advancing.advance_job(job.pk)
    assert the_object(job).state == "HumanLabeled"
    job.refresh_from_db()
    assert job.status == "Completed"
    assert wallets.held(job.account) == 0


def test_an_upheld_appeal_leaves_the_seat_to_whoever_has_it_by_now():
    job, (worker, other, *_) = a_reviewed_job(objects=2, workers_per_object=1)
    review = an_answer(job, worker)
    deciding.reject_one(review=review, reason="no", by="user:1")
    appeal = appeals.file_appeal(review=review, worker=worker, text="yes")
    seats = [an_answer(job, other).assignment, assignments.claim(worker=other, queue=job.queue)]
    held = next(seat for seat in seats if seat.task_id == review.assignment.task_id)

    appeals.uphold(appeal=appeal, text="yes", by="user:1")
    assert ledger_audit.findings() == []

    if held.pk == seats[1].pk:
        stories.answer(held)
    task = Task.objects.get(pk=held.task_id)
    assert (task.answers_count, task.seats_total, task.extra_answers) == (2, 2, 1)
    advancing.advance_job(job.pk)
    assert wallets.held(job.account) == 0
    deciding.accept_due(now=timezone.now() + timedelta(days=4))
    assert (earnings.balance(worker), earnings.balance(other)) == (stories.PRICE, 2 * stories.PRICE)


def test_a_short_wallet_leaves_the_appeal_open_with_attention():
    job, workers, reviews = a_finished_job(workers_per_object=1, workers=1, funds="0.0432")
    deciding.reject(queue=job.queue, review_ids=[reviews[0].pk], reason="no", by="user:1")
    other = stories.a_job(job.account, job.workteam, objects=1, workers_per_object=1)
    advancing.advance_job(other.pk)
    assert wallets.balance(job.account) == 0
    appeal = appeals.file_appeal(review=reviews[0], worker=workers[0], text="yes")

    with pytest.raises(InsufficientFunds):
        appeals.uphold(appeal=appeal, text="yes", by="user:1")
    assert appeals.uphold_overdue(now=timezone.now() + timedelta(days=10)) == 0

    appeal.refresh_from_db()
    assert (appeal.state, "deposit money" in appeal.attention) == ("Open", True)
    assert Assignment.objects.get(pk=reviews[0].assignment_id).state == "Rejected"
    wallets.deposit(account=job.account, amount_micros=COST, reference=f"more-{job.pk}", by="user:1")
    assert appeals.uphold_overdue(now=timezone.now() + timedelta(days=10)) == 1
    appeal.refresh_from_db()
    assert (appeal.state, appeal.attention) == ("Upheld", "")


def test_a_denied_appeal_changes_nothing_else():
    job, (worker, *_) = a_reviewed_job()
    review = an_answer(job, worker)
    deciding.reject_one(review=review, reason="no", by="user:1")
    appeal = appeals.file_appeal(review=review, worker=worker, text="yes")
    entries = Entry.objects.count()
    for _ in range(2):
        appeals.deny(appeal=appeal, text="still no", by="user:1")
    assert Entry.objects.count() == entries
    with pytest.raises(WrongState):
        appeals.uphold(appeal=appeal, text="yes", by="user:1")
    with pytest.raises(WrongState):
        appeals.file_appeal(review=review, worker=worker, text="please")


def test_when_an_appeal_is_possible():
    job, (worker, other, *_) = a_reviewed_job(objects=3)
    pending, late, back = (an_answer(job, worker) for _ in range(3))
    deciding.reject_one(review=late, reason="no", by="user:1")
    deciding.reject_one(review=back, reason="no", return_to_worker=True, by="user:1")
    AnswerReview.objects.filter(pk=late.pk).update(decided_at=timezone.now() - timedelta(days=7, minutes=1))
    for review, reason in ((pending, "only a rejected"), (late, "within 7 days"), (back, "came back to you")):
        with pytest.raises(WrongState, match=reason):
            appeals.file_appeal(review=review, worker=worker, text="yes")
    with pytest.raises(AnswerReview.DoesNotExist):
        appeals.file_appeal(review=late, worker=other, text="yes")
    for text in ("", " ", "x" * 2001):
        with pytest.raises(Invalid):
            appeals.file_appeal(review=late, worker=worker, text=text)
    assert not Appeal.objects.exists()
