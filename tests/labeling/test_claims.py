"""Claims that are repeated, the tasks that a worker holds and how many these may be, and where the cursor stops."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.models import Assignment, Task, WorkerCursor
from labeling.services import scope
from labeling.services.jobs import creation
from labeling.services.queue import assignments, leases
from marketplace.errors import Forbidden, Invalid, TaskGone, TaskLimit
from marketplace.services import workteams
from tests.labeling import stories

pytestmark = pytest.mark.django_db


def claim(worker, job, **more):
    return assignments.claim(worker=worker, queue=job.queue, **more)


def test_a_repeated_claim_returns_the_same_assignment():
    job, (worker, other, _) = stories.an_open_job(objects=20)
    first = claim(worker, job, key="one", now=timezone.now() - timedelta(minutes=1))
    again = claim(worker, job, key="one")
    for name in ("pk", "task_id", "accepted_at", "lease_expires_at"):
        assert getattr(again, name) == getattr(first, name), name
    assert Assignment.objects.count() == 1 and Task.objects.get(pk=first.task_id).seats_free == 2
    # A key belongs to one worker, and another key is another claim.
    assert claim(other, job, key="one").pk != first.pk
    assert claim(worker, job, key="two").task_id != first.task_id
    with pytest.raises(Invalid, match="at most 200 characters, 201 found"):
        claim(worker, job, key="k" * 201)


def test_a_repeated_claim_is_answered_after_the_queue_was_closed():
    job, (worker, *_) = stories.an_open_job(objects=20)
    seat = claim(worker, job, key="one")
    creation.stop_job(job=job, by="user:1")
    assert claim(worker, job, key="one").pk == seat.pk
    assert claim(worker, job, key="two") is None
    workteams.remove_worker(team=job.workteam, worker=worker, by="system")
    with pytest.raises(Forbidden):
        claim(worker, job, key="one")


@pytest.mark.parametrize("end", ["submitted", "returned", "declined", "run out", "expired"])
def test_the_key_of_an_assignment_that_has_ended_takes_no_second_seat(end):
    job, (worker, *_) = stories.an_open_job(objects=20)
    seat = claim(worker, job, key="one")
    if end == "submitted":
        stories.answer(seat)
    elif end == "returned":
        assignments.give_back(assignment=seat, worker=worker)
    elif end == "declined":
        assignments.decline(assignment=seat, worker=worker)
    else:
        Assignment.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        assert end == "run out" or leases.expire_overdue() == 1
    with pytest.raises(TaskGone, match="claim with another key"):
        claim(worker, job, key="one")
    assert Assignment.objects.count() == 1
    assert claim(worker, job, key="two") is not None


@pytest.mark.parametrize(
    ("objects", "most"),
    [(1, 1), (3, 1), (9, 1), (10, 2), (50, 10), (124, 24), (125, assignments.MOST_LEASES), (300, 25)],
)
def test_what_a_worker_may_hold_depends_on_how_much_there_is(objects, most):
    handed_in = assignments.MOST_LEASES
    job, (worker, other) = stories.an_open_job(workers=2, objects=objects + handed_in, workers_per_object=1)
    assert stories.work(worker, job, most=handed_in) == handed_in
    seats = [claim(worker, job) for _ in range(most)]
    if objects > most:
        with pytest.raises(TaskLimit, match="one in 5 of those that are left.* 25 at most; submit one or return one"):
            claim(worker, job)
        assert claim(other, job) is not None
        stories.answer(seats[0])
        assert objects < 300 or claim(worker, job) is not None
    assert Assignment.objects.filter(worker=worker, state="Leased").count() <= most


def test_what_a_worker_may_hold_grows_with_what_they_hand_in():
    job, (worker, other) = stories.an_open_job(workers=2, objects=300, workers_per_object=1)
    now = timezone.now()

    def hold(at):
        """Claim until it is refused; returns how many tasks the worker holds then."""
        with pytest.raises(TaskLimit, match="5 and one more for each that you handed in within the last hour"):
            while claim(worker, job, now=at):
                pass
        return Assignment.objects.filter(worker=worker, state="Leased").count()

    assert hold(now) == assignments.FIRST_LEASES
    for handed_in in (1, 2, 3):
        stories.answer(Assignment.objects.filter(worker=worker, state="Leased").order_by("pk")[0])
        assert hold(now) == assignments.FIRST_LEASES + handed_in
    stories.work(other, job, most=20)
    assert hold(now) == assignments.FIRST_LEASES + 3, "what others hand in does not count"
    later = now + timedelta(hours=2)
    for seat in Assignment.objects.filter(worker=worker, state="Leased"):
        assignments.give_back(assignment=seat, worker=worker)
    assert hold(later) == assignments.FIRST_LEASES, "answers of the hour before last do not count any more"


def test_a_worker_who_holds_a_task_of_which_no_other_is_left_is_told_so():
    """Not that they hold too much: giving a task up would bring them none."""
    job, (worker, other) = stories.an_open_job(workers=2, objects=2, workers_per_object=1)
    claim(worker, job), claim(other, job)
    assert claim(worker, job) is None


def test_the_cursor_of_a_worker_moves_past_the_tasks_they_cannot_claim_and_stops_before_one_they_can():
    job, (worker, other) = stories.an_open_job(workers=2, objects=6, workers_per_object=2)
    seat = claim(other, job)
    assert stories.work(worker, job) == 6
    cursor = WorkerCursor.objects.get(worker=worker)
    last = Task.objects.filter(queue=job.queue).order_by("queue_position").last()
    assert cursor.position == last.queue_position
    assignments.give_back(assignment=seat, worker=other)
    assert claim(worker, job) is None, "the returned task is one that this worker has answered"
    cursor.refresh_from_db()
    assert cursor.position == Task.objects.get(pk=seat.task_id).queue_position > last.queue_position
    assert stories.work(other, job) == 6


def test_the_held_assignments_are_those_a_worker_can_take_up_again():
    job, (worker, other, _) = stories.an_open_job(objects=20)
    held, answered, returned, run_out = (claim(worker, job, now=timezone.now()) for _ in range(4))
    claim(other, job)
    stories.answer(answered)
    assignments.give_back(assignment=returned, worker=worker)
    Assignment.objects.filter(pk=run_out.pk).update(lease_expires_at=timezone.now())
    assert [seat.pk for seat in scope.assignments_held(worker)] == [held.pk]
    creation.stop_job(job=job, by="user:1")
    assert [seat.pk for seat in scope.assignments_held(worker)] == [held.pk], "it may still be answered"
    workteams.remove_worker(team=job.workteam, worker=worker, by="system")
    assert not scope.assignments_held(worker).exists()
