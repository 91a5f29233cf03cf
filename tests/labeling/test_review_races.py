"""Decisions, submits, sweeps and endings at the same time: each answer is decided once, and the money stays whole."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from labeling.models import AnswerReview, Appeal, Assignment, Batch, Task
from labeling.services.jobs import advancing
from labeling.services.queue import assignments, batches
from labeling.services.results import appeals, deciding
from marketplace.errors import InUse
from marketplace.services import earnings, ledger_audit, wallets
from tests.labeling import stories
from tests.labeling.test_concurrency import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def quietly(function):
    """The same, but being too late is no error."""

    def run():
        try:
            function()
        except InUse:
            return

    return run


def all_reviews(job):
    return list(AnswerReview.objects.filter(queue=job.queue).select_related("queue").order_by("pk"))


def test_everybody_decides_about_the_same_answers_at_once():
    job, workers = stories.an_open_job(workers=4, objects=10, workers_per_object=2, review_days=0)
    for worker in workers:
        stories.work(worker, job)
    reviews = all_reviews(job)
    assert len(reviews) == 20
    later = timezone.now() + timedelta(days=1)

    def accept():
        for review in reviews:
            quietly(lambda review=review: deciding.accept_one(review=review, by="user:1"))()

    def reject(backwards):
        for review in reversed(reviews) if backwards else reviews[1::2]:
            quietly(lambda review=review: deciding.reject_one(review=review, reason="no", by="user:2"))()

    in_threads(
        accept,
        lambda: reject(True),
        lambda: reject(False),
        lambda: deciding.accept_due(now=later),
        lambda: deciding.reject(queue=job.queue, review_ids=[one.pk for one in reviews], reason="all", by="user:3"),
        lambda: advancing.advance_job(job.pk),
    )

    deciding.accept_due(now=later)
    assert not AnswerReview.objects.filter(state="Pending").exists()
    paid = AnswerReview.objects.filter(state="Accepted").count()
    assert sum(earnings.balance(worker) for worker in workers) == paid * stories.PRICE
    assert ledger_audit.findings() == []


def test_rejections_while_others_submit_and_the_job_advances():
    job, workers = stories.an_open_job(workers=6, objects=12, workers_per_object=2, review_days=3)
    stories.work(workers[0], job)

    def reject():
        for review in all_reviews(job):
            deciding.reject_one(review=review, reason="no", return_to_worker=review.pk % 2 == 0, by="user:1")

    def advance():
        for _ in range(15):
            advancing.advance_job(job.pk)

    in_threads(reject, reject, advance, *[lambda w=w: stories.work(w, job) for w in workers[1:]])

    for task in Task.objects.filter(queue=job.queue):
        leased = task.assignments.filter(state="Leased").count()
        assert leased == task.seats_total - task.seats_free - task.answers_count
        assert task.answers_count == task.assignments.filter(state="Submitted").count() <= 2
    assert ledger_audit.findings() == []


def test_a_rejection_while_the_batch_is_being_closed_is_not_lost():
    job, (worker, other, *_) = stories.an_open_job(workers=2, objects=1, workers_per_object=1, review_days=3)
    stories.claim_and_answer(worker, job)
    (review,) = all_reviews(job)
    advancing.due.settle_due(job.queue)
    batch = Batch.objects.get(queue=job.queue)
    started = []

    def reject_slowly():
        with transaction.atomic():
            deciding.reject_one(review=review, reason="no", by="user:1")
            started.append(True)
            with connection.cursor() as cursor:
                # Until the closing waits for this transaction, which then still has to commit.
                cursor.execute(
                    """DO $$ BEGIN FOR i IN 1..200 LOOP
                           EXIT WHEN EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                                             AND datname = current_database());
                           PERFORM pg_sleep(0.02); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$"""
                )

    def close():
        while not started:
            pass
        assert batches.close_batch(batch=batch) is False

    in_threads(reject_slowly, close)

    assert Batch.objects.get(pk=batch.pk).status == "InProgress"
    assert ledger_audit.findings() == []
    stories.answer(assignments.claim(worker=other, queue=job.queue))
    advancing.advance_job(job.pk)
    assert wallets.held(job.account) == 0


def test_an_appeal_is_answered_once_and_paid_once():
    job, workers = stories.an_open_job(workers=4, objects=1, workers_per_object=4, review_days=3)
    for worker in workers:
        stories.work(worker, job)
    reviews = all_reviews(job)
    deciding.reject(queue=job.queue, review_ids=[one.pk for one in reviews], reason="no", by="user:1")
    for review in reviews:
        appeals.file_appeal(review=review, worker=review.worker, text="yes")
    filed = list(Appeal.objects.order_by("pk"))

    def answer(how, rows):
        for appeal in rows:
            quietly(lambda appeal=appeal: how(appeal=appeal, text="seen", by="user:1"))()

    in_threads(
        lambda: answer(appeals.uphold, filed),
        lambda: answer(appeals.uphold, filed[::-1]),
        lambda: answer(appeals.deny, filed[::-1]),
        lambda: appeals.uphold_overdue(now=timezone.now() + timedelta(days=10)),
        lambda: advancing.advance_job(job.pk),
    )

    upheld = Appeal.objects.filter(state="Upheld").count()
    assert upheld + Appeal.objects.filter(state="Denied").count() == 4
    assert sum(earnings.balance(worker) for worker in workers) == upheld * stories.PRICE
    assert Assignment.objects.filter(state="Submitted").count() == upheld
    assert ledger_audit.findings() == []
