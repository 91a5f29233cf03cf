"""Claiming, submitting, returning and declining tasks, and expired leases: who gets which task and who is paid."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.models import AdvanceRequest, Answer, Assignment, AssignmentStatus, Batch, DataObject, Task, WorkQueue
from labeling.services.jobs import advancing, creation
from labeling.services.jobs.batches import open_batch
from labeling.services.queue import assignments, leases, visibility
from marketplace.errors import Forbidden, InUse, Invalid, NotFound
from marketplace.models import Entry
from marketplace.services import earnings, wallets, workteams
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened():
    job, workers = stories.a_funded_job(objects=4)
    open_all(job)
    return job, workers


def open_all(job):
    ids = list(DataObject.objects.filter(job=job, state="Unlabeled").order_by("index").values_list("pk", flat=True))
    return open_batch(job=job, object_ids=ids, by="system")


def test_a_claim_leases_the_first_task(opened):
    job, (worker, *_) = opened
    seat = assignments.claim(worker=worker, queue=job.queue)
    assert seat.task.data_object.index == 0 and seat.task.seats_free == 2
    assert seat.lease_expires_at - seat.accepted_at == timedelta(seconds=600)
    stored = Assignment.objects.get(pk=seat.pk)
    for name in ("task_id", "queue_id", "worker_id", "state", "accepted_at", "lease_expires_at"):
        assert getattr(stored, name) == getattr(seat, name)


def test_a_worker_gets_each_task_once(opened):
    job, (worker, *_) = opened
    given = [stories.claim_and_answer(worker, job) for _ in range(4)]
    assert given == list(Task.objects.filter(queue=job.queue).order_by("queue_position").values_list("pk", flat=True))
    assert assignments.claim(worker=worker, queue=job.queue) is None


def test_a_task_is_leased_to_at_most_as_many_workers_as_it_has_seats(opened):
    job, _ = opened
    strangers = stories.a_crowd(5)
    for worker in strangers:
        workteams.add_worker(team=job.workteam, worker=worker, by="system")
    taken = [assignments.claim(worker=w, queue=job.queue).task_id for w in strangers]
    assert max(taken.count(task) for task in taken) == 3


def test_who_may_claim(opened):
    job, (worker, *_) = opened
    with pytest.raises(Forbidden, match="not a member of the workforce"):
        assignments.claim(worker=stories.a_crowd(1)[0], queue=job.queue)
    worker.status = "Suspended"
    worker.save()
    assert visibility.refusal(worker_id=worker.pk, queue=job.queue) == "suspended"
    with pytest.raises(Forbidden, match="your worker account is suspended"):
        assignments.claim(worker=worker, queue=job.queue)
    with pytest.raises(NotFound, match="no work queue 0"):
        assignments.claim(worker=worker, queue=WorkQueue(pk=0))
    assert not Assignment.objects.exists()


def test_a_stopping_job_leases_no_more_tasks(opened):
    job, (worker, *_) = opened
    creation.stop_job(job=job, by="user:1")
    assert assignments.claim(worker=worker, queue=job.queue) is None


def test_a_submit_stores_the_answer_and_pays(opened):
    job, (worker, *_) = opened
    seat = assignments.claim(worker=worker, queue=job.queue)
    done = stories.answer(seat)
    assert (done.paid_micros, done.repeated) == (stories.PRICE, False)
    assert earnings.balance(worker) == stories.PRICE
    stored = Assignment.objects.get(pk=seat.pk)
    assert (stored.state, stored.seconds_spent, stored.paid_micros) == ("Submitted", 8.5, stories.PRICE)
    assert stored.answers.get().content == stories.ONE_BEE
    task = Task.objects.get(pk=seat.task_id)
    assert (task.answers_count, task.seats_free, task.state, task.due) == (1, 2, "Open", False)


def test_a_repeated_submit_changes_nothing_and_returns_the_same(opened):
    job, (worker, *_) = opened
    seat = assignments.claim(worker=worker, queue=job.queue)
    first = stories.answer(seat, key="tab-1")
    again = stories.answer(seat, stories.boxes((1, 1, 9, 9)), key="tab-1")
    assert again.paid_micros == first.paid_micros and again.repeated
    assert Answer.objects.get().content == stories.ONE_BEE
    assert earnings.balance(worker) == stories.PRICE
    with pytest.raises(InUse, match="already, with another key"):
        stories.answer(seat, key="tab-2")
    assert Entry.objects.filter(kind="payment").count() == 1


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (stories.boxes((100, 100, 50, 40), label="cow"), "answer.boundingBox.boundingBoxes[0].label"),
        (stories.boxes((600, 100, 50, 40)), "answer.boundingBox.boundingBoxes[0].width"),
        ({"boundingBox": {}}, "answer.boundingBox.boundingBoxes"),
        (stories.boxes((100, 100, 50, 40), label="bee\x00"), "answer.boundingBox.boundingBoxes[0].label"),
        (stories.boxes((100, 100, 50, 40), label="\ud800"), "answer.boundingBox.boundingBoxes[0].label"),
        ([], "answer.answer"),
    ],
)
def test_an_invalid_answer_is_refused_and_nothing_is_written(opened, content, field):
    job, (worker, *_) = opened
    seat = assignments.claim(worker=worker, queue=job.queue)
    with pytest.raises(Invalid) as refused:
        stories.answer(seat, content)
    assert refused.value.field == field
    assert Assignment.objects.get().state == AssignmentStatus.LEASED
    assert not Answer.objects.exists() and earnings.balance(worker) == 0


@pytest.mark.parametrize(
    ("seconds", "key", "field"), [(-1, "k", "seconds"), (float("nan"), "k", "seconds"), (1, "", "key")]
)
def test_seconds_and_key_are_checked(opened, seconds, key, field):
    job, (worker, *_) = opened
    seat = assignments.claim(worker=worker, queue=job.queue)
    with pytest.raises(Invalid) as refused:
        assignments.submit(assignment=seat, worker=worker, content=stories.ONE_BEE, seconds=seconds, key=key)
    assert refused.value.field == field and not Answer.objects.exists()


def test_a_worker_cannot_submit_for_another(opened):
    job, (worker, other, *_) = opened
    seat = assignments.claim(worker=worker, queue=job.queue)
    with pytest.raises(NotFound):
        assignments.submit(assignment=seat, worker=other, content=stories.ONE_BEE, seconds=1, key="k")
    with pytest.raises(NotFound):
        assignments.give_back(assignment=seat, worker=other)
    assert Assignment.objects.get().state == AssignmentStatus.LEASED


def test_the_last_answer_of_a_batch_requests_one_advance_of_the_job(opened):
    job, workers = opened
    AdvanceRequest.objects.all().delete()
    for worker in workers[:2]:
        stories.work(worker, job)
    assert not AdvanceRequest.objects.exists()
    stories.work(workers[2], job)
    assert AdvanceRequest.objects.get().queue_id == job.queue_id
    assert Task.objects.filter(queue=job.queue, due=True, state="Done").count() == 4


def test_a_worker_gets_a_returned_task_again_after_all_others(opened):
    job, (worker, *_) = opened
    seat = assignments.claim(worker=worker, queue=job.queue)
    assignments.give_back(assignment=seat, worker=worker)
    assignments.give_back(assignment=seat, worker=worker)
    order = [stories.claim_and_answer(worker, job) for _ in range(3)]
    assert seat.task_id not in order
    assert assignments.claim(worker=worker, queue=job.queue).task_id == seat.task_id
    assert Task.objects.get(pk=seat.task_id).seats_free == 2


def test_a_worker_never_gets_a_declined_task_again(opened):
    job, (worker, *_) = opened
    seat = assignments.claim(worker=worker, queue=job.queue)
    assignments.decline(assignment=seat, worker=worker, reason="too blurred")
    assert stories.work(worker, job) == 3
    assert Task.objects.get(pk=seat.task_id).declines_count == 1
    with pytest.raises(InUse, match="you declined"):
        stories.answer(seat)
    with pytest.raises(InUse, match="is Declined"):
        assignments.give_back(assignment=seat, worker=worker)


def all_decline(job, workers, *, seats):
    """A task of a job with one object that all of its workers have declined."""
    task = Task.objects.get(queue=job.queue)
    for worker in workers:
        assignments.decline(assignment=assignments.claim(worker=worker, queue=job.queue), worker=worker)
        assert assignments.claim(worker=worker, queue=job.queue) is None
    task.refresh_from_db()
    assert (task.state, task.due, task.seats_free, task.declines_count) == ("Open", False, seats, len(workers))
    return task


@pytest.mark.parametrize("seats", [1, 3])
def test_a_task_that_all_workers_decline_waits_for_others(seats):
    job, workers = stories.a_funded_job(workers=4, objects=1, workers_per_object=seats)
    open_all(job)
    task = all_decline(job, workers, seats=seats)
    advancing.advance_job(job.pk)
    assert DataObject.objects.get(job=job).state == "PendingHuman"
    for newcomer in stories.a_crowd(seats):
        workteams.add_worker(team=job.workteam, worker=newcomer, by="system")
        assert stories.claim_and_answer(newcomer, job) == task.pk
    advancing.advance_job(job.pk)
    assert DataObject.objects.get(job=job).state == "HumanLabeled"


def test_an_object_that_all_workers_decline_fails_when_the_availability_of_its_task_ends():
    job, workers = stories.a_funded_job(workers=4, objects=1, workers_per_object=1)
    open_all(job)
    task = all_decline(job, workers, seats=1)
    Batch.objects.update(expires_at=timezone.now())
    advancing.advance_job(job.pk)
    task.refresh_from_db()
    assert (task.state, task.seats_total) == ("Expired", 0)
    row = DataObject.objects.get(pk=task.data_object_id)
    assert row.state == "Failed" and row.failure_reason.startswith("ClientError: Annotation tasks expired")
    assert wallets.held(job.account) == 0


def test_the_task_of_an_expired_lease_goes_to_somebody_else(opened):
    job, (slow, quick, *_) = opened
    seat = assignments.claim(worker=slow, queue=job.queue)
    later = timezone.now() + timedelta(seconds=601)
    assert leases.expire_overdue(queue_id=job.queue_id, now=later) == 1
    assert leases.expire_overdue(queue_id=job.queue_id, now=later) == 0
    assert Assignment.objects.get(pk=seat.pk).state == AssignmentStatus.EXPIRED
    assert stories.work(quick, job) == 4
    assert stories.work(slow, job) == 4


def test_a_late_answer_is_accepted_while_its_seat_is_free(opened):
    job, (slow, *_) = opened
    seat = assignments.claim(worker=slow, queue=job.queue)
    leases.expire_overdue(now=timezone.now() + timedelta(hours=1))
    assert stories.answer(seat).paid_micros == stories.PRICE
    task = Task.objects.get(pk=seat.task_id)
    assert (task.seats_total, task.seats_free, task.answers_count) == (3, 2, 1)


def test_a_late_answer_is_refused_when_others_have_taken_the_seat():
    job, (slow, *others) = stories.a_funded_job(workers=4, objects=1)
    open_all(job)
    seat = assignments.claim(worker=slow, queue=job.queue)
    leases.expire_overdue(now=timezone.now() + timedelta(hours=1))
    for worker in others:
        assert stories.work(worker, job) == 1
    with pytest.raises(InUse, match="the lease expired at .* the task went to others"):
        stories.answer(seat)
    assert earnings.balance(slow) == 0 and Answer.objects.count() == 3


def test_a_claim_that_finds_no_task_expires_overdue_leases(opened):
    job, (gone, *rest) = opened
    for hours in range(4, 0, -1):
        assignments.claim(worker=gone, queue=job.queue, now=timezone.now() - timedelta(hours=hours))
    assert Assignment.objects.filter(worker=gone, state="Leased").count() == 4
    workers = [*rest, stories.a_crowd(1)[0]]
    workteams.add_worker(team=job.workteam, worker=workers[-1], by="system")
    for worker in workers:
        assert stories.work(worker, job) == 4


def test_the_list_of_work_has_price_hourly_pay_and_remaining_tasks(opened):
    job, (worker, other, *_) = opened
    (row,) = stories.work_list(worker)
    assert (row.price_micros, row.tasks_left, row.hourly_micros) == (stories.PRICE, 4, 14_400_000)
    stories.work(worker, job)
    assert stories.work_list(worker) == []
    assert stories.work_list(stories.a_crowd(1)[0]) == []
    seat = assignments.claim(worker=other, queue=job.queue)
    (row,) = stories.work_list(other)
    assert (row.tasks_left, row.tasks_held) == (3, 1)
    assert assignments.peek(worker=other, queue=job.queue) not in (None, seat.task.data_object_id)


@pytest.mark.parametrize("key", ["k", None])
def test_a_claim_is_one_query_and_a_submit_three(opened, key):
    job, (worker, *_) = opened
    stories.answer(assignments.claim(worker=worker, queue=job.queue))
    with CaptureQueriesContext(connection) as claiming:
        seat = assignments.claim(worker=worker, queue=job.queue)
    with CaptureQueriesContext(connection) as submitting:
        assignments.submit(assignment=seat, worker=worker, content=stories.ONE_BEE, seconds=3, key=key)
    statements = [q["sql"] for q in submitting if "SAVEPOINT" not in q["sql"]]
    assert len(claiming) == 1 and len(statements) == 3, statements
