"""Forecasts for an account: what is refused, the crowd of earlier jobs, and the floor of pay."""

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.models import Assignment, LabelingJob, WorkerModels
from labeling.services.jobs import forecasting, pricing
from labeling.services.queue import due
from labeling.services.results import consolidating
from marketplace.errors import Invalid
from marketplace.models import Account
from tests.labeling import stories

pytestmark = pytest.mark.django_db


def wanted(account: Account, **changes):
    design = {
        "account": account,
        "task_type": "BoundingBox",
        "labels": ["bee", "wasp"],
        "objects": 40,
        "workers": 5,
        "workers_per_object": 3,
        "price_micros": 36_000,
        "expected_seconds": 10,
        "compare": False,
    }
    return design | changes


def a_finished_job(*, workers: int = 3, objects: int = 24) -> LabelingJob:
    """Every object has two answers, and the workers' models are fitted."""
    job, people = stories.an_open_job(workers=workers, objects=objects, workers_per_object=2)
    for worker in people:
        stories.work(worker, job, most=objects)
    due.settle_due(job.queue)
    job.refresh_from_db()
    assert consolidating.refit(job=job)
    return job


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"objects": 0}, "objects"),
        ({"objects": True}, "objects"),
        ({"workers": 0}, "workers"),
        ({"workers_per_object": 10}, "workers_per_object"),
        ({"expected_seconds": float("nan")}, "expected_seconds"),
        ({"price_micros": -1}, "price"),
        ({"price_micros": 3_000_000}, "price"),
        ({"crowd": "angels"}, "crowd"),
        ({"task_type": "Telepathy"}, "task_type"),
        ({"labels": []}, "labels"),
        ({"labels": ["bee", "bee"]}, "labels[1]"),
        ({"redundancy": {"kind": "dynamic", "start": 4}}, "redundancy.start"),
        ({"redundancy": {"kind": "dynamic", "target_confidence": 1.0}}, "redundancy.target_confidence"),
        ({"redundancy": {"kind": "none"}}, "redundancy.kind"),
        ({"crowd": "learned"}, "crowd"),
    ],
)
def test_what_cannot_be_forecast_is_named(changes, field):
    with pytest.raises(Invalid) as refused:
        forecasting.forecast_job(**wanted(stories.an_account(), **changes))
    assert [name for name, _ in refused.value.errors] == [field]


def test_all_that_is_wrong_is_named_at_once():
    with pytest.raises(Invalid) as refused:
        forecasting.forecast_job(**wanted(stories.an_account(), objects=-1, crowd="angels", labels=[]))
    assert {name for name, _ in refused.value.errors} == {"objects", "crowd", "labels"}


def test_a_design_is_compared_with_what_the_crowd_can_give():
    account = stories.an_account()
    found = forecasting.forecast_job(**wanted(account, workers=4, compare=True))
    shown = [(one.redundancy.most, one.redundancy.target) for one in found.forecast.others]
    assert shown == [(1, None), (3, None), (5, 0.9)]
    assert found.forecast.outcome == found.forecast.others[1]


def test_checks_lower_the_cost_by_their_own_price_and_golds_are_paid_in_full():
    account, half = stories.an_account(), pricing.Checks(0.5, 12_000)
    plain, golds, checked, both = (
        forecasting.forecast_job(**wanted(account, checks=checks, golds_rate=rate)).forecast.outcome
        for checks, rate in ((pricing.NO_CHECKS, 0), (pricing.NO_CHECKS, 10), (half, 0), (half, 10))
    )
    assert checked.cost.expected == pytest.approx(plain.cost.expected * (1 - 0.5 * 2 / 3), rel=1e-6)
    assert both.cost.expected - checked.cost.expected == pytest.approx(golds.cost.expected - plain.cost.expected)
    assert golds.cost.expected > plain.cost.expected
    assert (checked.duration, checked.quality) == (plain.duration, plain.quality)


def test_pay_below_the_floor_is_warned_of_and_work_without_pay_is_not():
    account = stories.an_account()
    assert settings.HOURLY_PAY_FLOOR == "7.25"
    # 3.6 cents for ten seconds are about 13 dollars an hour, for forty about 3.
    assert [
        forecasting.forecast_job(**wanted(account, expected_seconds=seconds, price_micros=price)).underpaid
        for seconds, price in ((10, 36_000), (40, 36_000), (40, 0))
    ] == [False, True, False]


def test_the_crowd_of_earlier_jobs_is_learned_with_its_pace():
    job = a_finished_job()
    # Answers of four seconds, given over an hour in which people were mostly elsewhere.
    Assignment.objects.filter(queue=job.queue).update(seconds_spent=4.0)
    found = forecasting.forecast_job(**wanted(job.account, crowd="learned", workers=8))
    assert (found.crowd.name, found.learned_from, found.crowd.workers) == ("learned", 1, 8)
    assert found.crowd.seconds == pytest.approx(4.0)
    # 3.6 cents for four seconds are 32 dollars an hour, whatever was expected.
    assert 20e6 < found.forecast.outcome.hourly.expected < 45e6
    # Everybody drew the same box on every picture.
    assert found.forecast.outcome.quality["f1"].expected > 0.9


def test_a_crowd_is_learned_from_the_accounts_own_jobs_of_the_type():
    job, stranger = a_finished_job(), stories.an_account()
    for account, kind in ((stranger, "BoundingBox"), (job.account, "ImageMultiClass")):
        with pytest.raises(Invalid, match="crowd"):
            forecasting.forecast_job(**wanted(account, task_type=kind, crowd="learned"))


def test_learning_asks_one_query_for_the_jobs_and_one_for_each_of_a_few():
    job = a_finished_job()
    rows = []
    for place in range(forecasting.EARLIER_JOBS + 2):
        other = stories.a_job(job.account, job.workteam, objects=1)
        WorkerModels.objects.create(job=other, value=job.fitted.value)
        with CaptureQueriesContext(connection) as asked:
            forecasting.earlier_jobs(job.account, "BoundingBox")
        rows.append(len(asked))
        assert len(asked) <= 1 + min(place + 2, forecasting.EARLIER_JOBS)
    assert rows[-1] == 1 + forecasting.EARLIER_JOBS


def test_a_forecast_writes_nothing():
    job = a_finished_job()
    with CaptureQueriesContext(connection) as asked:
        forecasting.forecast_job(**wanted(job.account, crowd="learned"))
    assert {query["sql"].split()[0] for query in asked} == {"SELECT"}
