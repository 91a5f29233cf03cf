"""The sweep requests an advance of the queues that are due, and of no others."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ

from labeling import background
from labeling.models import AdvanceRequest, PlannedAdvance, Task
from labeling.services.jobs import next_look
from labeling.services.queue import advance_requests, planned_advances
from learning.services.active import loops
from tests.labeling import stories

pytestmark = pytest.mark.django_db


def requested():
    """The queues whose advance the sweep requests now."""
    AdvanceRequest.objects.all().delete()
    OrmQ.objects.all().delete()
    advance_requests.sweep()
    return list(AdvanceRequest.objects.order_by("pk").values_list("pk", flat=True))


def at_work(**changes):
    """A job whose first batch is open to people."""
    job, workers = stories.a_funded_job(**changes)
    for _ in range(2):
        background.advance_queue(job.queue_id)
    assert Task.objects.filter(queue=job.queue_id, state="Open").exists()
    return job, workers


def test_a_job_on_which_people_work_is_left_alone_until_its_batch_ends():
    job, _ = at_work(objects=2)
    stories.a_minute_passes()
    assert requested() == []
    plan = PlannedAdvance.objects.get(pk=job.queue_id)
    assert timezone.now() + planned_advances.SOON < plan.at <= timezone.now() + planned_advances.SELDOM
    PlannedAdvance.objects.update(at=F("at") - planned_advances.SELDOM)
    assert requested() == [job.queue_id]


def test_an_advance_that_was_killed_is_made_up_by_the_next_sweep():
    job, _ = at_work(objects=1)
    # What an advance writes before its first step.
    planned_advances.advancing(job.queue_id)
    advance_requests.take_request(job.queue_id)
    assert requested() == []
    stories.a_minute_passes()
    assert requested() == [job.queue_id] and requested() == [], "it is given the time until the next sweep"


def test_a_job_that_is_over_is_never_looked_at():
    job, workers = at_work(objects=1, workers=1, workers_per_object=1)
    assert stories.work(workers[0], job) == 1
    for _ in range(2):
        background.advance_queue(job.queue_id)
    job.refresh_from_db()
    assert job.status == "Completed" and PlannedAdvance.objects.get(pk=job.queue_id).at is None


def test_while_the_message_queue_is_behind_no_message_is_sent_again():
    job, _ = at_work(objects=1)
    stale = timezone.now() - 2 * advance_requests.STALE
    advance_requests.request_advance(job.queue_id)
    AdvanceRequest.objects.update(requested_at=stale)
    OrmQ.objects.update(lock=stale)
    sent = OrmQ.objects.count()
    advance_requests.sweep()
    assert OrmQ.objects.count() == sent
    OrmQ.objects.all().delete()
    advance_requests.sweep()
    assert OrmQ.objects.count() == 1
    assert AdvanceRequest.objects.get().requested_at > timezone.now() - timedelta(minutes=1)


def test_a_job_of_which_the_learning_room_has_not_heard_says_again_that_it_is_ready():
    job, _ = stories.a_funded_job(objects=2, automated_labeling={"enabled": True})

    def told():
        OrmQ.objects.all().delete()
        background.advance_queue(job.queue_id)
        return [row.task["func"] for row in OrmQ.objects.all()].count("learning.background.advance_loop_of_job")

    told()
    assert told() == 0
    assert PlannedAdvance.objects.get(pk=job.queue_id).at <= timezone.now() + next_look.UNHEARD
    type(job).objects.update(status_changed_at=timezone.now() - 2 * next_look.UNHEARD)
    assert told() == 1
    loops.advance_for_job(job_id=job.pk)
    assert job.queue.batches.exists() and told() == 0
