"""Concurrent workers: no task gets too many answers or two from one worker, and none is forgotten after an expiry."""

import json
import random
import threading
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from labeling.models import Answer, Assignment, Batch, DataObject, Export, LabelingJob, Task
from labeling.services.jobs import advancing, creation
from labeling.services.jobs.batches import open_batch
from labeling.services.output import exports
from labeling.services.queue import assignments, leases
from marketplace.errors import ExportLimit, InUse, TaskGone, TaskLimit
from marketplace.models import Posting
from marketplace.services import earnings, wallets
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(*functions):
    """Run each function in a thread with a database connection of its own; raises the first error."""
    errors = []

    def guarded(function):
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's thread
            errors.append(error)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def open_all(job):
    ids = list(DataObject.objects.filter(job=job, state="Unlabeled").order_by("index").values_list("pk", flat=True))
    return open_batch(job=job, object_ids=ids, by="system")


def test_concurrent_workers_give_three_answers_to_each_task():
    job, workers = stories.a_funded_job(workers=16, objects=200)
    open_all(job)
    done = threading.Event()

    def a_worker(worker, seed):
        dice = random.Random(seed)
        while not done.is_set():
            seat = assignments.claim(worker=worker, queue=job.queue)
            if seat is None:
                if not Task.objects.filter(queue=job.queue, state="Open").exists():
                    return
                continue
            fate = dice.random()
            if fate < 0.05:
                # The worker disappears, and the lease expires.
                Assignment.objects.filter(pk=seat.pk, state="Leased").update(lease_expires_at=timezone.now())
            elif fate < 0.10:
                try:
                    assignments.give_back(assignment=seat, worker=worker)
                except TaskGone as gone:
                    assert "Expired" in str(gone)  # noqa: PT017 - the lease was expired meanwhile
            else:
                try:
                    stories.answer(seat)
                    stories.answer(seat)
                except InUse as refused:
                    assert "lease expired" in str(refused)  # noqa: PT017 - the lease was expired meanwhile

    def expire_leases():
        dice = random.Random(99)
        while not done.wait(0.05):
            leased = list(Assignment.objects.filter(queue=job.queue, state="Leased").values_list("pk", flat=True))
            for pk in dice.sample(leased, min(2, len(leased))):
                Assignment.objects.filter(pk=pk, state="Leased").update(lease_expires_at=timezone.now())
            leases.expire_overdue(queue_id=job.queue_id)

    def all_workers():
        try:
            in_threads(*[lambda w=w, n=n: a_worker(w, n) for n, w in enumerate(workers)])
        finally:
            done.set()

    in_threads(all_workers, expire_leases)

    assert Answer.objects.count() == 600
    per_task = Assignment.objects.filter(state="Submitted").values_list("task_id", "worker_id")
    assert len(set(per_task)) == 600
    assert set(Task.objects.values_list("answers_count", "seats_total", "seats_free", "state")) == {(3, 3, 0, "Done")}
    assert sum(earnings.balance(worker) for worker in workers) == 600 * stories.PRICE
    advancing.advance_job(job.pk)
    assert DataObject.objects.filter(job=job, state="HumanLabeled").count() == 200
    assert Batch.objects.get().status == "Completed"
    assert wallets.held(job.account) == 0
    assert Posting.objects.aggregate(total=Sum("amount_micros"))["total"] == 0


def test_answers_a_stop_and_advancing_at_the_same_time():
    job, workers = stories.a_funded_job(workers=6, objects=60, max_concurrent_tasks=10)
    advancing.advance_job(job.pk)
    stopped = threading.Event()

    def a_worker(worker):
        while not stopped.is_set():
            seat = assignments.claim(worker=worker, queue=job.queue)
            if seat is not None:
                stories.answer(seat)

    def advance():
        while not stopped.is_set():
            advancing.advance_job(job.pk)

    def stop_after_70_answers():
        while Answer.objects.count() < 70:
            stopped.wait(0.02)
        creation.stop_job(job=job, by="user:1")
        stopped.set()

    in_threads(*[lambda w=w: a_worker(w) for w in workers], advance, advance, stop_after_70_answers)
    leases.expire_overdue(queue_id=job.queue_id, now=timezone.now() + timedelta(hours=1))
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Stopped"
    assert sum(earnings.balance(w) for w in workers) == Answer.objects.count() * stories.PRICE
    assert wallets.held(job.account) == 0
    assert not DataObject.objects.filter(state="PendingHuman").exists()


def test_one_submit_sent_concurrently_is_stored_and_paid_once():
    job, (worker, *_) = stories.a_funded_job(objects=1)
    open_all(job)
    seat = assignments.claim(worker=worker, queue=job.queue)
    seen = []
    in_threads(*[lambda: seen.append(stories.answer(seat, key="one")) for _ in range(8)])
    assert sorted(s.repeated for s in seen) == [False] + [True] * 7
    assert {s.paid_micros for s in seen} == {stories.PRICE}
    assert Answer.objects.count() == 1 and earnings.balance(worker) == stories.PRICE


def test_concurrent_claims_of_one_worker_get_different_tasks():
    most = assignments.FIRST_LEASES
    job, (worker, *_) = stories.a_funded_job(objects=most * assignments.TASKS_PER_LEASE)
    open_all(job)
    seen = []
    in_threads(*[lambda: seen.append(assignments.claim(worker=worker, queue=job.queue).task_id) for _ in range(most)])
    assert len(set(seen)) == most


def test_expired_tasks_are_done_by_the_workers_who_held_them():
    job, workers = stories.a_funded_job(workers=3, objects=30)
    open_all(job)
    # Each worker claims tasks and disappears; the cursor of each is then past these tasks.
    long_ago = timezone.now() - timedelta(days=1)
    for worker in workers:
        for claims in range(20):
            assignments.claim(worker=worker, queue=job.queue, now=long_ago + claims * timedelta(minutes=11))
    assert Assignment.objects.filter(state="Leased").count() == 60
    leases.expire_overdue(now=timezone.now() + timedelta(hours=1))
    for worker in workers:
        assert stories.work(worker, job) == 30
    assert Answer.objects.count() == 90


def claimed_or_refused(worker, job, **more):
    """The outcome of a claim: the key of the assignment, or the error's kind."""
    try:
        seat = assignments.claim(worker=worker, queue=job.queue, **more)
    except TaskLimit as refused:
        return refused.kind
    return seat and seat.pk


@pytest.mark.parametrize(("objects", "most"), [(200, assignments.MOST_LEASES), (30, 6), (3, 1)])
def test_concurrent_claims_of_one_worker_take_no_more_seats_than_one_may_hold(objects, most):
    handed_in = assignments.MOST_LEASES
    job, (worker, *_) = stories.a_funded_job(workers=1, objects=objects + handed_in, workers_per_object=1)
    open_all(job)
    assert stories.work(worker, job, most=handed_in) == handed_in
    outcomes = []
    in_threads(*[lambda: outcomes.append(claimed_or_refused(worker, job)) for _ in range(40)])
    assert outcomes.count("task-limit") == 40 - most and None not in outcomes
    assert Assignment.objects.filter(worker=worker, state="Leased").count() == most


def test_one_claim_sent_concurrently_takes_one_seat():
    job, (worker, *_) = stories.a_funded_job(objects=100)
    open_all(job)
    outcomes = []
    in_threads(*[lambda n=n: outcomes.append(claimed_or_refused(worker, job, key=f"k{n % 2}")) for n in range(16)])
    assert len(set(outcomes)) == 2 == Assignment.objects.count()
    assert Task.objects.filter(seats_free=2).count() == 2


def test_concurrent_requests_for_exports_keep_the_limit():
    job, _ = stories.a_funded_job(objects=1)
    refused = []

    def request():
        try:
            exports.create_export(job=job, kind="manifest", by="user:1")
        except ExportLimit as error:
            refused.append(error)

    in_threads(*[request for _ in range(24)])
    assert Export.objects.filter(job=job).count() == exports.MOST_AT_ONCE
    assert len(refused) == 24 - exports.MOST_AT_ONCE


def test_a_worker_who_asks_in_vain_is_given_every_task_that_is_freed():
    """Three workers hold all tasks and return them at random, while a fourth asks for a task all the time."""
    job, (asking, *others) = stories.a_funded_job(workers=4, objects=60, workers_per_object=1)
    open_all(job)
    done, answered = threading.Event(), []

    def ask():
        while True:
            # Looked at before the claim: what is freed after one in vain is asked for once more.
            over = done.is_set()
            seat = assignments.claim(worker=asking, queue=job.queue)
            if seat is not None:
                stories.answer(seat)
                answered.append(seat.task_id)
            elif over:
                return

    def hold_and_return(worker, seed):
        dice, held = random.Random(seed), []
        for _ in range(120):
            try:
                seat = assignments.claim(worker=worker, queue=job.queue)
            except TaskLimit:
                seat = None
            held += [seat] if seat else []
            if held and dice.random() < 0.6:
                assignments.give_back(assignment=held.pop(dice.randrange(len(held))), worker=worker)
        for seat in held:
            assignments.give_back(assignment=seat, worker=worker)

    def all_others():
        try:
            in_threads(*[lambda w=w, n=n: hold_and_return(w, n) for n, w in enumerate(others)])
        finally:
            done.set()

    in_threads(ask, all_others)
    assert sorted(answered) == sorted(Task.objects.values_list("pk", flat=True))


def test_a_worker_who_asks_in_vain_is_given_every_task_that_is_opened():
    """Batches open one after the other, each while the worker finds nothing."""
    job, (worker, *_) = stories.a_funded_job(workers=1, objects=60, workers_per_object=1, max_concurrent_tasks=3)
    done = threading.Event()

    def ask():
        while not done.is_set():
            seat = assignments.claim(worker=worker, queue=job.queue)
            if seat is not None:
                stories.answer(seat)

    def advance():
        try:
            for _ in range(2_000):
                advancing.advance_job(job.pk)
                if LabelingJob.objects.get(pk=job.pk).status == "Completed":
                    return
                done.wait(0.01)
        finally:
            done.set()

    in_threads(ask, advance)
    assert Answer.objects.count() == 60 and Batch.objects.filter(queue=job.queue).count() == 20


def test_the_cost_of_a_claim_does_not_grow_with_the_tasks_a_worker_has_done():
    job, (worker, *_) = stories.a_funded_job(workers=1, objects=5000, workers_per_object=5, funds="10000")
    open_all(job)
    with connection.cursor() as cursor:
        # Without the dead rows that other tests have left, over which a claim steps.
        cursor.execute("VACUUM (ANALYZE) labeling_task, labeling_assignment, labeling_workercursor")
    first = cost_of_a_claim(worker, job)
    already_done(job, worker, 4900)
    stories.answer(assignments.claim(worker=worker, queue=job.queue))
    last = cost_of_a_claim(worker, job)
    assert first["rows"] > 0 and last["rows"] <= first["rows"] + 5
    assert first["pages"] > 0 and last["pages"] <= first["pages"] + 10


def test_asking_in_vain_costs_as_little_when_a_worker_has_done_every_task():
    job, (worker, *_) = stories.a_funded_job(workers=1, objects=5000, workers_per_object=5, funds="10000")
    open_all(job)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE labeling_task")
    first = cost_of_a_claim(worker, job)
    already_done(job, worker, 5000)
    assert assignments.claim(worker=worker, queue=job.queue) is None
    last = cost_of_a_claim(worker, job)
    assert last["rows"] <= first["rows"] + 5 and last["pages"] <= first["pages"] + 10
    # The list of work reads from the same cursor on.
    assert stories.work_list(worker) == []


def already_done(job, worker, count):
    """Make the first `count` tasks answered by the worker, written by SQL because that is faster than claims."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH t AS (UPDATE labeling_task SET seats_free = seats_free - 1, answers_count = 1 WHERE id IN
                   (SELECT id FROM labeling_task WHERE queue_id = %s ORDER BY queue_position LIMIT %s) RETURNING id)
               INSERT INTO labeling_assignment (task_id, queue_id, worker_id, state, accepted_at, lease_expires_at,
                   submit_key, decline_reason) SELECT id, %s, %s, 'Submitted', now(), now(), 'k', '' FROM t""",
            [job.queue_id, count, job.queue_id, worker.pk],
        )
        cursor.execute("ANALYZE labeling_task, labeling_assignment")


def cost_of_a_claim(worker, job):
    """The rows that the claim of the service reads, and the pages that it touches; nothing stays of the claim."""
    statements = []

    def note(execute, sql, params, many, context):
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with transaction.atomic(), connection.cursor() as cursor:
        before = rows_read(cursor)
        with connection.execute_wrapper(note):
            assignments.claim(worker=worker, queue=job.queue)
        rows = rows_read(cursor) - before
        transaction.set_rollback(True)
    # The statement of the claim itself, again: its plan counts the pages of the function that it calls.
    sql, params = next((sql, params) for sql, params in statements if "labeling_claim(" in sql)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        found = cursor.fetchone()[0]
        transaction.set_rollback(True)
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return {"rows": rows, "pages": plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]}


def rows_read(cursor):
    """The rows of all tables that this transaction has read so far, inside of functions too."""
    cursor.execute("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables")
    return int(cursor.fetchone()[0])
