"""Golds are mixed into the work: at their rate, never twice to one worker, paid like any task, and not to be told."""

import pytest
from django.db import connection
from django.utils import timezone

from labeling.models import Assignment, Batch, GoldResult, Task
from labeling.queries import gold_budget, progress
from labeling.services.golds import keeping, mixing, options
from labeling.services.jobs import advancing, creation
from labeling.services.queue import assignments, due, leases
from marketplace.errors import Invalid, TaskLimit, WrongState
from marketplace.services import ledger_audit, wallets
from tests.labeling import stories
from tests.labeling.golds import TRUE, a_job_with_golds

pytestmark = pytest.mark.django_db


def golds_due(worker, n, rate=0.2, salt=99):
    with connection.cursor() as cursor:
        cursor.execute("SELECT labeling_golds_due(%s, %s, %s, %s)", [worker, salt, rate, n])
        return cursor.fetchone()[0]


def given(worker, job, most=1000):
    """Let the worker answer until there is no more; returns for each task whether it was a gold."""
    kinds = []
    while len(kinds) < most and (seat := assignments.claim(worker=worker, queue=job.queue)) is not None:
        kinds.append(seat.task.gold_id is not None)
        stories.answer(seat, TRUE)
    return kinds


def whole():
    return list(ledger_audit.findings()) == []


def test_golds_come_at_the_rate_and_more_at_first_at_places_that_nobody_can_foresee():
    assert [golds_due(7, n) for n in (0, 10, 60, 110)] == [0, 3, 13, 23]
    slots = {tuple(golds_due(worker, n + 1) - golds_due(worker, n) for n in range(40)) for worker in range(30)}
    assert len(slots) == 30 and all(max(one) == 1 for one in slots)
    assert len({golds_due(7, n, salt=salt) for salt in range(20) for n in [5]}) > 1
    assert golds_due(7, 1000, rate=0.01) == pytest.approx(3 + 9.9, abs=1) and golds_due(7, 20, rate=0.5) == 10


def test_workers_get_each_gold_once_and_the_ledger_stays_whole():
    job, (ann, bob, _), golds = a_job_with_golds(golds=4, objects=40, rate=20)
    before = wallets.balance(job.account)
    assert whole()
    kinds = given(ann, job)
    assert kinds.count(False) == 40 and kinds.count(True) == 4 and any(kinds[:10])
    assert GoldResult.objects.filter(worker=ann).values("gold").distinct().count() == 4
    given(bob, job)
    paid = Assignment.objects.filter(state="Submitted").count()
    assert paid == 88 and whole()
    creation.stop_job(job=job, by="user:1")
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Stopped" and whole()
    assert before + progress.money(job)["reserved_micros"] < wallets.balance(job.account)
    assert progress.money(job)["spent_micros"] == paid * (stories.PRICE + stories.FEE)


def test_the_job_ends_with_its_ordinary_tasks_and_what_golds_did_not_cost_comes_back():
    job, workers, golds = a_job_with_golds(golds=2, objects=6, workers=3)
    funds = wallets.balance(job.account)
    reserved = progress.money(job)["reserved_micros"]
    assert reserved == (6 * 3 + gold_budget.answers(18, 0.2)) * (stories.PRICE + stories.FEE)
    for worker in workers:
        given(worker, job)
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed" and whole()
    answers = Assignment.objects.filter(state="Submitted").count()
    assert answers > 18
    assert wallets.balance(job.account) == funds + reserved - answers * (stories.PRICE + stories.FEE)


def test_a_gold_is_given_only_while_an_ordinary_task_is_left():
    job, (ann, *_), _ = a_job_with_golds(golds=4, objects=3, rate=50)
    kinds = given(ann, job)
    assert kinds.count(False) == 3 and not kinds[-1]


def test_peek_names_the_task_that_the_claim_gives():
    job, (ann, *_), _ = a_job_with_golds(golds=6, objects=30, rate=40)
    for _ in range(30):
        shown = assignments.peek(worker=ann, queue=job.queue)
        seat = assignments.claim(worker=ann, queue=job.queue)
        assert seat.task.input == shown
        stories.answer(seat, TRUE)
    assert GoldResult.objects.filter(worker=ann).count() == 6


def test_the_count_of_tasks_left_falls_by_one_with_each_task():
    job, (ann, *_), _ = a_job_with_golds(golds=20, objects=25, rate=30)
    counts, kinds = [], []
    while (rows := stories.work_list(ann)) and rows[0].tasks_left:
        counts.append(rows[0].tasks_left)
        seat = assignments.claim(worker=ann, queue=job.queue)
        kinds.append(seat.task.gold_id is not None)
        stories.answer(seat, TRUE)
    assert counts == list(range(len(kinds), 0, -1)) and kinds.count(True) > 5


def test_a_worker_may_hold_as_many_tasks_with_golds_as_without():
    held = []
    for rate in (0, 40):
        job, (ann, *_), _ = a_job_with_golds(golds=10, objects=12, rate=rate)
        seats = []
        with pytest.raises(TaskLimit):
            while True:
                seats.append(assignments.claim(worker=ann, queue=job.queue))
        held.append(len(seats))
    assert held[0] == held[1] == 2


def test_a_gold_that_was_returned_comes_again_and_keeps_its_place_one_that_was_declined_does_not():
    job, (ann, *_), (gold,) = a_job_with_golds(golds=1, objects=30, rate=50)
    task = Task.objects.get(gold=gold)

    def until_gold():
        for _ in range(15):
            seat = assignments.claim(worker=ann, queue=job.queue)
            if seat.task.gold_id:
                return seat
            stories.answer(seat, TRUE)
        return None

    seat = until_gold()
    assignments.give_back(assignment=seat, worker=ann)
    assert Task.objects.get(pk=task.pk).queue_position == task.queue_position < 0
    again = until_gold()
    assert again.pk == seat.pk and whole()
    assignments.decline(assignment=again, worker=ann)
    assert until_gold() is None


def test_whoever_knows_the_object_from_other_work_is_not_given_the_gold():
    job, (ann, bob, _), _ = a_job_with_golds(golds=0, objects=30, rate=50)
    seat = assignments.claim(worker=ann, queue=job.queue)
    shown = seat.task.data_object
    stories.answer(seat, TRUE)
    leases.withdraw_tasks(queue_id=job.queue_id, tasks=[seat.task_id])
    due.settle_due(job.queue)
    shown.refresh_from_db()
    gold = keeping.add(data_object=shown, by="user:1")
    assert not Task.objects.filter(gold=gold).exists(), "the open batch has a task about it"
    leases.withdraw(batch=seat.task.batch)
    stories.add_objects(job, 20)
    advancing.advance_job(job.pk)
    assert Task.objects.filter(gold=gold).count() == 1 and whole()
    assert True not in given(ann, job) and given(bob, job).count(True) == 1


def test_a_gold_added_while_a_batch_is_open_is_paid_for_and_mixed_in_if_the_wallet_allows():
    job, (ann, *_), _ = a_job_with_golds(golds=1, objects=30, rate=20)
    stories.add_objects(job, 1)
    gold = keeping.add(data_object=job.objects_of_job.get(index=31), content=TRUE, by="user:1")
    assert Task.objects.filter(gold=gold).count() == 1 and whole()
    assert progress.money(job)["spent_micros"] == 0 < progress.money(job)["reserved_micros"]
    other, _, _ = a_job_with_golds(golds=1, objects=200, rate=20, funds="33")
    stories.add_objects(other, 1)
    late = keeping.add(data_object=other.objects_of_job.order_by("-index")[0], content=TRUE, by="user:1")
    assert not Task.objects.filter(gold=late).exists() and whole()
    assert mixing.open_now(late, by="user:1") is False


def test_the_rate_can_be_changed_and_golds_switched_off_while_the_job_runs():
    job, (ann, bob, _), _ = a_job_with_golds(golds=6, objects=30, rate=50)
    given(ann, job, most=6)
    assert GoldResult.objects.exists()
    options.change(job=job, rate=0, by="user:1")
    GoldResult.objects.all().delete()
    given(bob, job)
    assert not GoldResult.objects.exists()
    with pytest.raises(Invalid) as refused:
        options.change(job=job, rate=51, by="user:1")
    assert "51 found" in dict(refused.value.errors)["rate"]
    options.change(job=job, rate=30, pass_mark=0.9, mint=3, by="user:1")
    job.queue.refresh_from_db()
    assert job.queue.gold_rate == 0.3 and options.of(job)["pass_mark"] == 0.9
    creation.stop_job(job=job, by="user:1")
    with pytest.raises(WrongState):
        options.change(job=job, rate=10, by="user:1")


def test_a_batch_has_as_many_objects_as_the_wallet_pays_for_with_golds():
    job, _, _ = a_job_with_golds(golds=2, objects=100, rate=20, funds="10", batch=False)
    advancing.advance_job(job.pk)
    batch = Batch.objects.get(queue=job.queue)
    opened = Task.objects.filter(batch=batch, gold=None).count()
    assert 0 < opened < 10 * 10**6 // job.queue.task_micros and whole()
    assert gold_budget.batch_micros(job, opened + 1, golds=True, before=0) > 10 * 10**6 or opened == 100


def test_an_expired_lease_on_a_gold_is_given_to_others_or_withdrawn():
    job, (ann, *_), (gold,) = a_job_with_golds(golds=1, objects=30, rate=50)
    while not (seat := assignments.claim(worker=ann, queue=job.queue)).task.gold_id:
        stories.answer(seat, TRUE)
    leases.expire_overdue(now=timezone.now() + timezone.timedelta(hours=1))
    assert Task.objects.get(gold=gold).seats_free == Task.objects.get(gold=gold).max_seats and whole()
