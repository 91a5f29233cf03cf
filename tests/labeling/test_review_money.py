"""Money adds up for random sequences of work, decisions, appeals and endings of a queue that has a review."""

import contextlib
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeling.models import AnswerReview, Appeal, DataObject, LabelingJob, Task
from labeling.services.jobs import advancing
from labeling.services.queue import assignments
from labeling.services.results import appeals, deciding
from marketplace.errors import AlreadySubmitted, InsufficientFunds, InUse
from marketplace.models import Worker
from marketplace.services import earnings, ledger_audit, wallets
from tests import builders
from tests.labeling import stories, test_money
from tests.labeling.test_money import FUNDS, finish

pytestmark = pytest.mark.django_db
WORKERS = 4
WORK = ["claim"] * 4 + ["submit"] * 4 + ["return", "decline", "expire", "advance"]
REVIEW = [
    "accept",
    "reject",
    "reject",
    "back",
    "due",
    "appeal",
    "appeal",
    "deny",
    "uphold",
    "overdue",
    "overturn",
    "overturn",
]
STEPS = st.lists(
    st.tuples(st.sampled_from(WORK + REVIEW), st.integers(0, WORKERS - 1), st.integers(0, 5)),
    max_size=60,
)
AFTER = st.lists(st.tuples(st.sampled_from(REVIEW), st.integers(0, WORKERS - 1), st.integers(0, 5)), max_size=15)
ENDS = st.sampled_from(["stop", "availability", "work"])


SEQUENCES = {
    "steps": STEPS,
    "after": AFTER,
    "end": ENDS,
    "dynamic": st.booleans(),
    "price": st.sampled_from([0, 1, 36_000, 37_123]),
}
quickly = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quickly
@given(**SEQUENCES)
@builders.rolled_back()
def test_money_adds_up_after_any_sequence_of_work_and_decisions(db, steps, after, end, dynamic, price):
    adds_up(steps, after, end, dynamic, price)


@pytest.mark.slow
@settings(quickly, max_examples=60)
@given(**SEQUENCES)
@builders.rolled_back()
def test_money_adds_up_after_many_more_sequences(db, steps, after, end, dynamic, price):
    adds_up(steps, after, end, dynamic, price)


def adds_up(steps, after, end, dynamic, price):
    """Do what the sequence says, as far as it is possible; look at the money after each step and at the end."""
    redundancy = {"kind": "dynamic", "start": 1, "target_confidence": 0.9} if dynamic else {"kind": "fixed"}
    job, workers = stories.a_funded_job(
        workers=WORKERS, objects=3, max_concurrent_tasks=2, price_micros=price, redundancy=redundancy, review_days=3
    )
    advancing.advance_job(job.pk)
    for act, who, which in steps:
        do(act, workers[who], which, job)
        check(job)
    finish(job, workers, end)
    check(job)
    assert wallets.held(job.account) == 0
    for act, who, which in after:
        do(act, workers[who], which, job)
        check(job)
        advancing.advance_job(job.pk)
    deciding.accept_due(now=timezone.now() + timedelta(days=4))
    appeals.uphold_overdue(now=timezone.now() + timedelta(days=10))
    advancing.advance_job(job.pk)
    check(job)
    check_end(job, workers)


def do(act, worker, which, job):
    """Carry out one event of the sequence, if it is possible."""
    (decide if act in REVIEW else test_money.do)(act, worker, which, job)


def decide(act, worker, which, job):
    reviews = list(AnswerReview.objects.filter(queue=job.queue).order_by("pk"))
    open_appeals = list(Appeal.objects.filter(review__queue=job.queue).order_by("pk"))
    if act == "due":
        deciding.accept_due(now=timezone.now() + timedelta(days=4 if which == 0 else 0))
    elif act == "overdue":
        appeals.uphold_overdue(now=timezone.now() + timedelta(days=10 if which == 0 else 0))
    elif act in ("deny", "uphold"):
        if open_appeals:
            answered = {"deny": appeals.deny, "uphold": appeals.uphold}[act]
            with contextlib.suppress(InUse, InsufficientFunds):
                answered(appeal=open_appeals[which % len(open_appeals)], text="seen again", by="user:1")
    elif reviews:
        review = reviews[which % len(reviews)]
        with contextlib.suppress(InUse):
            if act == "accept":
                deciding.accept_one(review=review, by="user:1")
            elif act == "overturn":
                deciding.reject_one(review=review, reason="no", by="user:1")
                appeal = appeals.file_appeal(review=review, worker=review.worker, text="it was right")
                do("claim", Worker.objects.filter(workteams=job.workteam).order_by("pk")[which % WORKERS], which, job)
                appeals.uphold(appeal=appeal, text="it was", by="user:1")
            elif act == "appeal":
                appeals.file_appeal(review=review, worker=review.worker, text="it was right")
            else:
                deciding.reject_one(review=review, reason="no", return_to_worker=act == "back", by="user:1")


def check(job):
    assert ledger_audit.findings() == []
    for task in Task.objects.filter(queue=job.queue):
        leased = task.assignments.filter(state="Leased").count()
        assert leased == task.seats_total - task.seats_free - task.answers_count
        counted = task.assignments.filter(state="Submitted").count()
        assert task.answers_count == counted <= task.max_seats + task.extra_answers


def check_end(job, workers):
    reviews = AnswerReview.objects.filter(queue=job.queue)
    paid = reviews.filter(state="Accepted").count()
    assert not reviews.filter(state="Pending").exists()
    assert not Appeal.objects.filter(state="Open").exists()
    assert wallets.held(job.account) == wallets.under_review(job.account) == 0
    assert sum(earnings.held(worker) for worker in workers) == 0
    assert sum(earnings.balance(worker) for worker in workers) == paid * job.price_micros
    assert wallets.balance(job.account) == FUNDS - paid * (job.price_micros + job.fee_micros)
    assert not Task.objects.filter(queue=job.queue, due=True).exists()
    assert not DataObject.objects.filter(job=job, state="PendingHuman").exists()
    for task in Task.objects.filter(queue=job.queue).select_related("data_object"):
        labeled = task.data_object.state == "HumanLabeled"
        assert labeled == (task.answers_count > 0), (task.data_object.state, task.answers_count)
        if not labeled and task.rejections_count:
            assert task.data_object.failure_reason.startswith("every answer was rejected")
    assert LabelingJob.objects.get(pk=job.pk).finished_at is not None


def test_an_answer_with_the_key_of_the_rejected_one_is_refused(db):
    job, workers = stories.an_open_job(workers=3, objects=2, review_days=3)
    seat = assignments.claim(worker=workers[0], queue=job.queue)
    stories.answer(seat, key="first")
    review = AnswerReview.objects.get()
    deciding.reject_one(review=review, reason="one bee is missing", return_to_worker=True, by="user:1")

    with pytest.raises(AlreadySubmitted, match="another key"):
        stories.answer(seat, key="first")

    stories.answer(seat, key="second")
    assert [(one.state, one.answer.revision) for one in AnswerReview.objects.order_by("pk")] == [
        ("Rejected", 1),
        ("Pending", 2),
    ]
    assert ledger_audit.findings() == []
