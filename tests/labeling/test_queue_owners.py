"""Work queues with another owner than a labeling job: here a poll, which has no data objects."""

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from labeling import background, subjects
from labeling.models import AdvanceRequest, LabelingJob, Task, WorkQueue
from labeling.services.queue import advance_requests, assignments, batches, due, leases, owners, queues
from labeling.services.queue.batches import NewTask
from labeling.services.queue.owners import Judgement
from marketplace.errors import LimitExceeded, WrongState
from marketplace.models import Subject
from marketplace.services import escrow, wallets
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = {"width": 640, "height": 480}


class Poll:
    """An owner that asks for a third answer when two differ in the number of boxes, and records each task's result."""

    kept: dict[int, list[int]] = {}

    def __init__(self, queue):
        self.queue = queue

    def judge(self, tasks):
        counts = {
            task.pk: [len(seat.answers.get().content["boundingBox"]["boundingBoxes"]) for seat in seats(task)]
            for task in tasks
        }
        return Judgement(frozenset(pk for pk, found in counts.items() if len(set(found)) > 1), counts)

    def finish(self, tasks, judgement):
        Poll.kept |= {task.pk: judgement.results[task.pk] for task in tasks}

    def advance(self):
        advance_requests.advance(self.queue.pk, self.steps, self.next_look)

    def steps(self):
        due.settle_due(self.queue)
        if (live := batches.live_batch(self.queue)) is not None:
            batches.close_batch(batch=live)

    def next_look(self):
        live = batches.live_batch(self.queue)
        return None if live is None else live.expires_at


def seats(task):
    return task.assignments.filter(state="Submitted").order_by("pk")


@pytest.fixture
def poll():
    owners.register("poll", Poll)
    Poll.kept = {}
    account = stories.an_account()
    people = stories.a_crowd(3)
    queue = queues.create_queue(
        account=account,
        owner_kind="poll",
        workteam=builders.a_team(account=account, workers=people),
        task_type="BoundingBox",
        labels=["bee"],
        title="How many bees?",
        description="Count by drawing",
        price_micros=stories.PRICE,
        fee_micros=stories.FEE,
        first_seats=2,
        max_seats=3,
    )
    queues.open_queue(queue, by="system")
    yield queue, people
    del owners.OWNERS["poll"]


def answer(worker, queue, boxes):
    seat = assignments.claim(worker=worker, queue=queue)
    drawn = stories.boxes(*[(10 * n, 10, 5, 5) for n in range(boxes)])
    assignments.submit(assignment=seat, worker=worker, content=drawn, seconds=3, key=f"k{seat.pk}")


def test_tasks_are_leased_paid_and_finished_without_a_labeling_job(poll):
    queue, (ada, bea, cleo) = poll
    before = wallets.balance(queue.account)
    batch = batches.open_batch(queue=queue, tasks=[NewTask(SIZE), NewTask(SIZE)], purpose="poll", by="system")
    assert [row.queue_id for row in stories.work_list(ada)] == [queue.pk]
    for worker in (ada, bea):
        answer(worker, queue, 1)
        answer(worker, queue, 2 if worker == ada else 1)
    agreed, split = Task.objects.order_by("pk")
    assert AdvanceRequest.objects.filter(queue=queue).exists()
    background.advance_queue(queue.pk)
    # One task is finished; the answers to the other differ, and a third worker is asked.
    split.refresh_from_db()
    assert (split.seats_total, split.state, Poll.kept) == (3, "Open", {agreed.pk: [1, 1]})
    assert assignments.claim(worker=ada, queue=queue) is None
    answer(cleo, queue, 2)
    background.advance_queue(queue.pk)
    batch.refresh_from_db()
    assert Poll.kept[split.pk] == [2, 1, 2] and batch.status == "Completed"
    assert before - wallets.balance(queue.account) == 5 * (stories.PRICE + stories.FEE)
    assert escrow.held(account=queue.account, purpose=Subject(subjects.WORK_QUEUE, queue.pk)) == 0
    assert not LabelingJob.objects.exists()


def test_a_closed_queue_leases_nothing_and_accepts_answers_to_held_tasks(poll):
    queue, (ada, bea, _) = poll
    batches.open_batch(queue=queue, tasks=[NewTask(SIZE)], purpose="poll", by="system")
    seat = assignments.claim(worker=ada, queue=queue)
    queues.close_queue(queue, by="system")
    assert assignments.claim(worker=bea, queue=queue) is None and stories.work_list(bea) == []
    done = assignments.submit(assignment=seat, worker=ada, content=stories.ONE_BEE, seconds=3, key="k")
    assert done.paid_micros == stories.PRICE
    leases.withdraw(batch=Task.objects.get().batch)
    background.advance_queue(queue.pk)
    assert Poll.kept == {seat.task_id: [1]}
    with pytest.raises(WrongState, match="the work queue is Stopped"):
        batches.open_batch(queue=queue, tasks=[NewTask(SIZE)], purpose="poll", by="system")


def test_the_sweep_advances_an_owner_of_any_kind_after_its_message_was_lost(poll):
    queue, (ada, bea, _) = poll
    batches.open_batch(queue=queue, tasks=[NewTask(SIZE)], purpose="poll", by="system")
    answer(ada, queue, 1)
    answer(bea, queue, 1)
    AdvanceRequest.objects.update(requested_at=timezone.now() - 2 * advance_requests.STALE)
    OrmQ.objects.all().delete()
    background.sweep()
    # Other parts of the sweep send messages at some times of the day.
    sent = [one.task["args"] for one in OrmQ.objects.all() if one.task["func"] == advance_requests.ADVANCE]
    assert sent == [(queue.pk,)]
    background.advance_queue(queue.pk)
    AdvanceRequest.objects.all().delete()
    OrmQ.objects.all().delete()
    background.sweep()
    assert len(Poll.kept) == 1 and not OrmQ.objects.exists()


def test_no_batch_is_opened_without_money(poll):
    queue, _ = poll
    with pytest.raises(LimitExceeded):
        batches.open_batch(queue=queue, tasks=[NewTask(SIZE)] * 1000, purpose="poll", by="system")
    assert not Task.objects.exists() and batches.live_batch(queue) is None


def test_an_unknown_kind_of_owner_is_reported(poll):
    queue, _ = poll
    WorkQueue.objects.filter(pk=queue.pk).update(owner_kind="dance")
    queue.refresh_from_db()
    with pytest.raises(LookupError, match="there is no owner of the kind 'dance'"):
        owners.owner_of(queue)
