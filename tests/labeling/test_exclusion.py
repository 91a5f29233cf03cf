"""Who is shut out holds no task any more: it goes to others, and what was answered stays and is paid."""

import pytest

from labeling.models import Assignment, LabelingJob
from labeling.services import exclusion
from labeling.services.queue import assignments
from marketplace.errors import Forbidden, TaskGone
from marketplace.models import Worker
from marketplace.services import earnings, eligibility, people
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
REASON = {"reason": "answers at random", "by": "user:1"}


@pytest.fixture
def world() -> tuple[Worker, LabelingJob, LabelingJob]:
    """A worker, and two accounts' jobs of whose teams the worker is."""
    (worker,) = stories.a_crowd(1)
    jobs = []
    for _ in range(2):
        account = stories.an_account()
        job = stories.a_job(account, builders.a_team(account=account, workers=[worker]), workers_per_object=1)
        jobs.append(stories.open_pictures(job))
    return worker, *jobs


def held(worker: Worker, job: LabelingJob) -> int:
    return Assignment.objects.filter(worker=worker, queue=job.queue, state="Leased").count()


def claim(worker: Worker, job: LabelingJob) -> Assignment:
    seat = assignments.claim(worker=worker, queue=job.queue)
    assert seat is not None
    return seat


@pytest.mark.parametrize(
    ("act", "from_all"),
    [
        (lambda worker, job: exclusion.deactivate(user=worker.user, **REASON), True),
        (lambda worker, job: exclusion.suspend(worker=worker, **REASON), True),
        (lambda worker, job: exclusion.block(account=job.account, worker=worker, **REASON), False),
    ],
    ids=["deactivated", "suspended", "blocked"],
)
def test_the_tasks_somebody_holds_go_to_others(world, act, from_all):
    worker, job, other = world
    stories.claim_and_answer(worker, job)
    earned = earnings.balance(worker=worker)
    seat, elsewhere = claim(worker, job), claim(worker, other)
    assert act(worker, job) == (2 if from_all else 1)
    assert act(worker, job) == 0
    assert held(worker, job) == 0 and held(worker, other) == (0 if from_all else 1)
    with pytest.raises(TaskGone):
        stories.answer(seat)
    assert earnings.balance(worker=worker) == earned > 0
    (newcomer,) = stories.a_crowd(1)
    builders.workteams.add_worker(team=job.workteam, worker=newcomer, by="system")
    stories.work(newcomer, job)
    assert Assignment.objects.filter(queue=job.queue, state="Submitted").count() == job.objects_total
    if not from_all:
        stories.answer(elsewhere)


def test_a_suspension_by_an_account_and_by_the_operator_are_lifted_apart(world):
    worker, job, other = world
    exclusion.block(account=job.account, worker=worker, **REASON)
    with pytest.raises(Forbidden):
        claim(worker, job)
    claim(worker, other)
    exclusion.suspend(worker=worker, **REASON)
    eligibility.unblock(account=job.account, worker=worker, by="user:1")
    for one in (job, other):
        with pytest.raises(Forbidden, match="suspended"):
            claim(worker, one)
    people.lift_suspension(worker=worker, by="user:1")
    claim(worker, job)
