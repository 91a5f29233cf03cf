"""What an account owns is found for it alone; what a worker may see ends with their place in the team."""

from collections.abc import Callable

import pytest

from labeling.models import DataObject, Export
from labeling.services import scope
from marketplace.errors import NotFound
from marketplace.services import workteams
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
EXAMPLE = {"uri": "s3://bees/good.png", "caption": "a whole bee"}


def unknown(lookup: Callable[..., object], *given: object) -> bool:
    """Whether a row is as unknown as one that does not exist."""
    try:
        lookup(*given)
    except NotFound:
        return True
    return False


def test_rows_of_another_account_are_unknown():
    job, _ = stories.a_funded_job(workers=1)
    account, stranger = job.account, stories.an_account()
    dataset = builders.a_dataset(account=account)
    export = Export.objects.create(job=job, kind="manifest")
    for lookup, row in ((scope.job, job), (scope.dataset, dataset), (scope.export, export)):
        assert lookup(account, row.pk) == row
        assert unknown(lookup, stranger, row.pk) and unknown(lookup, account, 10**9)
    assert scope.objects(account, job.pk).count() == 4
    assert unknown(scope.objects, stranger, job.pk)
    assert list(scope.jobs(stranger)) == [] and list(scope.datasets(stranger)) == []


def test_an_object_is_found_in_its_own_job_only():
    job, _ = stories.a_funded_job(workers=1)
    other = stories.a_job(job.account, job.queue.workteam)
    row = DataObject.objects.filter(job=job)[0]
    assert scope.data_object(job, row.pk) == row
    assert unknown(scope.data_object, other, row.pk)


def test_a_worker_sees_queue_picture_and_examples_while_in_the_team():
    instructions = {"short": "", "full": "", "good_examples": [EXAMPLE], "bad_examples": []}
    job, (worker,) = stories.a_funded_job(workers=1)
    type(job.queue).objects.filter(pk=job.queue_id).update(instructions=instructions)
    stories.open_pictures(job)
    row, (outsider,) = DataObject.objects.filter(job=job)[0], stories.a_crowd(1)
    assert scope.queue(worker, scope.queue_of_job(job.pk)) == job.queue
    assert scope.object_shown_to(worker.user, row.pk) == row
    assert scope.example_shown_to(worker.user, job.queue_id, "good_examples", 0) == EXAMPLE

    workteams.remove_worker(team=job.queue.workteam, worker=worker, by="system")
    for somebody in (worker, outsider):
        assert unknown(scope.queue, somebody, job.queue_id)
        assert unknown(scope.object_shown_to, somebody.user, row.pk)
        assert unknown(scope.example_shown_to, somebody.user, job.queue_id, "good_examples", 0)
    owner = job.account.members.get()
    assert scope.object_shown_to(owner, row.pk) == row
    assert scope.example_shown_to(owner, job.queue_id, "good_examples", 0) == EXAMPLE


@pytest.mark.parametrize(("kind", "number"), [("bad_examples", 0), ("good_examples", 1), ("short", 0), ("no_kind", 0)])
def test_an_example_that_does_not_exist_is_unknown(kind, number):
    job, _ = stories.a_funded_job(workers=1)
    assert unknown(scope.example_shown_to, job.account.members.get(), job.queue_id, kind, number)


def test_an_assignment_is_its_worker_s_own():
    job, (worker, other) = stories.a_funded_job(workers=2)
    stories.open_pictures(job)
    seat = stories.assignments.claim(worker=worker, queue=job.queue)
    assert seat is not None
    assert scope.assignment(worker, seat.pk).pk == seat.pk
    assert unknown(scope.assignment, other, seat.pk)
