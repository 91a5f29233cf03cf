"""Pay for an hour of active work, as requesters and workers see it."""

import pytest
from django.test import override_settings

from labeling.models import AnswerReview
from labeling.queries import hourly
from labeling.services import bonuses
from labeling.services.queue import assignments
from labeling.services.results import deciding
from tests.labeling import stories

pytestmark = pytest.mark.django_db


def answer(worker, job, seconds):
    seat = assignments.claim(worker=worker, queue=job.queue)
    assignments.submit(assignment=seat, worker=worker, content=stories.ONE_BEE, seconds=seconds, key=f"k{seat.pk}")


def test_time_of_rejected_answers_counts_and_their_pay_does_not():
    job, (worker, other) = stories.an_open_job(workers=2, objects=6, review_days=3)
    assert hourly.of_job(job).hourly_micros is None
    for seconds in (10, 20, 30, 0):
        answer(worker, job, seconds)
    answer(other, job, 40)
    assert hourly.of_job(job) == hourly.Hourly(4, 100, 4 * stories.PRICE)
    assert hourly.of_job(job).hourly_micros == 4 * stories.PRICE * 36
    deciding.reject_one(review=AnswerReview.objects.get(worker=other), reason="no", by="user:1")
    assert hourly.of_job(job) == hourly.Hourly(4, 100, 3 * stories.PRICE)
    bonuses.pay(job=job, worker=worker, amount_micros=7, reason="good", token="t", by="user:1")
    assert hourly.of_job(job).paid_micros == 3 * stories.PRICE + 7
    (row,) = hourly.weeks_of(worker)
    assert (row.title, row.work) == (job.title, hourly.Hourly(3, 60, 3 * stories.PRICE + 7))
    (row,) = hourly.weeks_of(other)
    assert (row.work.paid_micros, row.work.hourly_micros) == (0, 0)


def test_a_warning_needs_answers_enough_and_a_floor():
    assert not hourly.Hourly(4, 3600, 1).underpaid
    assert hourly.Hourly(5, 3600, 7_249_999).underpaid and not hourly.Hourly(5, 3600, 7_250_000).underpaid
    with override_settings(HOURLY_PAY_FLOOR="0"):
        assert not hourly.Hourly(5, 3600, 1).underpaid
