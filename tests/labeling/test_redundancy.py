"""Redundancy that is no whole number: which tasks get one more answer, and that money and answers come out exact."""

from dataclasses import astuple, replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labeling import redundancy, task_types
from labeling.forecast.crowds import assumed
from labeling.forecast.forecasting import Design, forecast
from labeling.forecast.simulated_job import Redundancy
from labeling.models import Assignment, DataObject, Task
from labeling.queries import progress, spending
from labeling.services.jobs import advancing, creation, pricing
from labeling.services.results import appeals, deciding
from labeling.simulation.base import MIXED
from marketplace.errors import Invalid
from marketplace.services import earnings, ledger_audit, wallets
from tests.labeling import stories
from tests.labeling.golds import a_job_with_golds
from tests.labeling.test_reviews import an_answer
from tests.marketplace.old_database import migrate, old_database

COST = stories.PRICE + stories.FEE
MEANS = st.integers(20, 180).map(lambda steps: steps / 20)


def rounded(objects, mean):
    """The product in whole hundredths, a half upwards: not by the code under test."""
    return (objects * round(mean * 100) + 50) // 100


def seats_of(job):
    """How many answers each object may get, by its place in the data set."""
    tasks = Task.objects.filter(queue=job.queue, gold=None).order_by("data_object__index", "pk")
    return list(tasks.values_list("max_seats", flat=True))


def finished(job, workers):
    """Let everybody work until the job is over; returns it."""
    for _ in range(30):
        advancing.advance_job(job.pk)
        job.refresh_from_db()
        if job.status != "InProgress":
            break
        for worker in workers:
            stories.work(worker, job)
    assert job.status == "Completed"
    return job


@given(mean=MEANS, sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8))
@example(mean=2.5, sizes=[10])
@example(mean=1.05, sizes=[1] * 8)
def test_the_answers_of_all_tasks_are_the_rounded_product_after_every_batch(mean, sizes):
    shape, opened, answers = redundancy.split(mean), 0, 0
    assert redundancy.is_step(mean) and redundancy.mean(*shape) == mean
    for size in sizes:
        keys = [f"7:{place}" for place in range(opened, opened + size)]
        each = redundancy.shared_out(keys, *shape, before=opened)
        assert set(each) <= {int(mean), shape[0]} and abs(sum(each) - size * mean) < 1
        backwards = redundancy.shared_out(keys[::-1], *shape, before=opened)
        assert dict(zip(keys, each, strict=True)) == dict(zip(keys[::-1], backwards, strict=True))
        opened, answers = opened + size, answers + sum(each)
        assert answers == redundancy.total(opened, *shape) == rounded(opened, mean)


@pytest.mark.parametrize("mean", [2.51, 1.001, 0.01])
def test_other_means_than_steps_are_none(mean):
    assert not redundancy.is_step(mean)
    with pytest.raises(Invalid) as refused:
        pricing.estimate(objects=1, workers_per_object=mean, price_micros=0, expected_seconds=1, workers=1)
    assert [name for name, _ in refused.value.errors] == ["workers_per_object"]


@pytest.mark.django_db
def test_ten_objects_at_two_and_a_half_are_estimated_reserved_and_paid_as_25_answers():
    said = pricing.estimate(
        objects=10, workers_per_object=2.5, price_micros=stories.PRICE, expected_seconds=9, workers=5
    )
    assert (said.answers, said.total_micros, said.per_object_micros) == (25, 25 * COST, 5 * COST // 2)
    job, workers = stories.an_open_job(objects=10, workers_per_object=2.5, funds=f"{25 * COST / 10**6:.6f}")
    assert (job.workers_per_object, sorted(seats_of(job))) == (2.5, [2] * 5 + [3] * 5)
    assert progress.money(job)["reserved_micros"] == progress.money(job)["all_human_micros"] == 25 * COST
    assert wallets.balance(job.account) == 0 and ledger_audit.findings() == []
    assert progress.progress(job)["seats"] == 25
    for worker in workers:
        stories.work(worker, job)
    # The last answer of each ends it, whether it was the second or the third: nobody has to decide about it.
    assert set(Task.objects.filter(queue=job.queue).values_list("state", flat=True)) == {"Done"}

    finished(job, workers)

    assert Assignment.objects.filter(queue=job.queue, state="Submitted").count() == 25
    assert sum(earnings.balance(worker) for worker in workers) == 25 * stories.PRICE
    assert progress.money(job)["spent_micros"] == 25 * COST and ledger_audit.findings() == []
    answered = Task.objects.filter(queue=job.queue).order_by("data_object__index", "pk")
    assert list(answered.values_list("answers_count", flat=True)) == seats_of(job)
    assert set(answered.values_list("state", "due")) == {("Done", False)}


@pytest.mark.slow
@pytest.mark.django_db
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mean=MEANS, objects=st.integers(1, 7), at_once=st.integers(1, 4))
def test_any_redundancy_is_exact_in_a_job_of_several_batches(mean, objects, at_once):
    answers = rounded(objects, mean)
    job, workers = stories.a_funded_job(
        objects=objects,
        workers=9,
        workers_per_object=mean,
        max_concurrent_tasks=at_once,
        funds=f"{answers * COST / 10**6:.6f}",
    )
    assert progress.money(job)["all_human_micros"] == answers * COST
    assert spending.affordable_objects(job) >= objects

    finished(job, workers)

    assert sum(seats_of(job)) == answers == Assignment.objects.filter(queue=job.queue, state="Submitted").count()
    assert wallets.balance(job.account) == wallets.held(job.account) == 0
    assert DataObject.objects.filter(job=job, state="HumanLabeled").count() == objects
    assert ledger_audit.findings() == []


@pytest.mark.django_db
def test_a_wallet_that_pays_for_fewer_objects_opens_as_many_as_it_can():
    # The first three objects at 1.5 get 5 answers, or 4.5 rounded; four get 6.
    job, _ = stories.a_funded_job(objects=8, workers_per_object=1.5, funds=f"{5 * COST / 10**6:.6f}")
    advancing.advance_job(job.pk)
    assert sum(seats_of(job)) == 5 and len(seats_of(job)) == 3 and ledger_audit.findings() == []
    other, _ = stories.a_funded_job(objects=8, workers_per_object=1.5, max_spend_micros=6 * COST)
    advancing.advance_job(other.pk)
    assert sum(seats_of(other)) == 6 and len(seats_of(other)) == 4


@pytest.mark.django_db
def test_golds_and_a_stop_leave_nothing_of_a_fractional_job_in_escrow():
    job, workers, _ = a_job_with_golds(golds=2, objects=9, rate=20, workers_per_object=1.5)
    assert sum(seats_of(job)) == 14 and ledger_audit.findings() == []
    stories.work(workers[0], job, most=6)
    creation.stop_job(job=job, by="user:1")
    advancing.advance_job(job.pk)
    assert wallets.held(job.account) == 0 and ledger_audit.findings() == []


@pytest.mark.django_db
def test_a_rejected_answer_is_given_out_again_and_an_appeal_brings_it_back():
    job, workers = stories.an_open_job(objects=2, workers=4, workers_per_object=1.5, review_days=3)
    first, *others = workers
    review = an_answer(job, first)
    deciding.reject_one(review=review, reason="no", by="user:1")
    assert ledger_audit.findings() == []
    for worker in others:
        stories.work(worker, job)
    advancing.advance_job(job.pk)
    assert Assignment.objects.filter(queue=job.queue, state="Submitted").count() == 3
    appeals.uphold(appeal=appeals.file_appeal(review=review, worker=first, text="yes"), text="yes", by="user:1")
    advancing.advance_job(job.pk)
    assert Assignment.objects.filter(queue=job.queue, state="Submitted").count() == 4
    assert ledger_audit.findings() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"workers_per_object": 2.5, "redundancy": {"kind": "dynamic"}},
            "2.5 found, a whole number expected: with dyn",
        ),
        ({"workers_per_object": 2.51}, "2.51 found, a multiple of 0.05 expected"),
        ({"workers_per_object": 9.05}, "9.05 found, 1 to 9 expected"),
        ({"workers_per_object": float("nan")}, "nan found, 1 to 9 expected"),
        ({"workers_per_object": "2.5"}, "'2.5' found, 1 to 9 expected"),
    ],
)
def test_what_cannot_be_a_mean_is_refused(changes, reason):
    with pytest.raises(Invalid) as refused:
        stories.a_funded_job(**changes)
    assert dict(refused.value.errors)["workers_per_object"].startswith(reason)


@pytest.mark.django_db
def test_a_whole_float_is_a_whole_number_and_works_with_dynamic_redundancy():
    job, _ = stories.a_funded_job(workers_per_object=3.0, redundancy={"kind": "dynamic", "start": 1})
    assert (job.workers_per_object, type(job.workers_per_object), job.queue.first_seats) == (3, int, 1)
    assert job.queue.fewer_percent == 0


def test_the_forecast_is_as_exact():
    kind = task_types.get("ImageMultiClass")
    crowd = assumed(kind.simulation, MIXED, workers=6, seconds=10)
    most, fewer = redundancy.split(2.5)
    design = Design(kind, ("bee", "wasp"), 25, Redundancy(most, fewer_percent=fewer), stories.PRICE, stories.FEE)
    found = forecast(design, crowd, others=(Redundancy(2), Redundancy(3)))
    # 62.5 answers, rounded.
    assert set(astuple(found.outcome.cost)) == {63 * COST} and found.outcome.redundancy.mean == 2.5
    two, three = (one.duration.expected for one in found.others)
    assert two < found.outcome.duration.expected < three
    alone = forecast(replace(design, objects=9), assumed(kind.simulation, MIXED, workers=2, seconds=10))
    assert set(astuple(alone.outcome.answers)) == {2}


@pytest.mark.slow
def test_tasks_of_before_keep_their_seats(django_db_blocker):
    before, after = ("labeling", "0034_queue_contract"), ("labeling", "0039_seats_of_tasks")
    with django_db_blocker.unblock(), old_database(before) as connection, connection.cursor() as cursor:
        # Only the columns that the migration reads matter here.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            """INSERT INTO labeling_workqueue (id, account_id, owner_kind, status, workteam_id, audience_id, task_type,
                   labels, title, description, keywords, instructions, price_micros, fee_micros, expected_seconds,
                   first_seats, max_seats, task_time_limit_seconds, task_availability_seconds, max_concurrent_tasks,
                   created_at)
               VALUES (8, 1, 'labeling-job', 'InProgress', 1, 1, 'BoundingBox', '[]', '', '', '[]', '{}', 1, 0, 9, 2, 5,
                       600, 600, 10, now());
               INSERT INTO labeling_task (id, queue_id, batch_id, gold_id, gold_seats, input, state, seats_total,
                   seats_free, answers_count, declines_count, queue_position, due, responses_written)
               VALUES (1, 8, 1, NULL, NULL, '{}', 'Open', 2, 2, 0, 0, 1, false, false),
                      (2, 8, 1, 4, 17, '{}', 'Open', 17, 17, 0, 0, -1, false, false)"""
        )
        migrate(connection, after)
        cursor.execute("SELECT max_seats FROM labeling_task ORDER BY id")
        assert cursor.fetchall() == [(5,), (17,)]
        cursor.execute("SELECT fewer_percent FROM labeling_workqueue")
        assert cursor.fetchall() == [(0,)]
        migrate(connection, before)
        cursor.execute("SELECT gold_seats FROM labeling_task ORDER BY id")
        assert cursor.fetchall() == [(None,), (17,)]
