"""How difficult objects are and where the instructions may be unclear, stored when a batch is over."""

import pytest

from labeling.models import DataObject
from labeling.queries import people
from labeling.services.jobs import advancing
from labeling.services.queue import assignments
from labeling.services.results import difficulty
from tests.labeling import stories

pytestmark = pytest.mark.django_db
OBJECTS, CLASSES = 30, ["bee", "wasp", "fly"]


def a_finished_job(said):
    """A job of which `said(worker, object)` tells what each of four workers answered to each object."""
    job, workers = stories.a_funded_job(
        workers=4, objects=OBJECTS, task_type="ImageMultiClass", labels=CLASSES, workers_per_object=4
    )
    advancing.advance_job(job.pk)
    for number, worker in enumerate(workers):
        while (seat := assignments.claim(worker=worker, queue=job.queue)) is not None:
            label = said(number, seat.task.data_object.index)
            stories.answer(seat, {"crowd-image-classifier": {"label": label}})
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed"
    return job


def two_good_and_two_careless(worker, index):
    """Workers 0 and 1 are right, 2 and 3 are wrong now and then; object 9 the good ones read in two ways."""
    if index == 9:
        return ("bee", "wasp", "fly", "fly")[worker]
    if worker > 1 and (index + 2 * worker) % 4 == 0:
        return "fly"
    return "bee" if index % 2 else "wasp"


def test_an_object_about_which_only_good_workers_disagree_points_at_the_instructions():
    job = a_finished_job(two_good_and_two_careless)
    count, first = people.unclear(job)
    assert count == 1 and [row.index for row in first] == [9]
    assert first[0].guideline_gap == 1 and first[0].label is not None
    rows = {row.index: row for row in DataObject.objects.filter(job=job)}
    assert rows[9].difficulty == max(row.difficulty for row in rows.values())
    agreed = next(index for index in rows if len({two_good_and_two_careless(w, index) for w in range(4)}) == 1)
    assert 0 <= rows[agreed].difficulty < 0.1 < rows[9].difficulty
    assert difficulty.record(job) == 0


def test_nothing_is_unclear_where_all_agree():
    job = a_finished_job(lambda worker, index: CLASSES[index % 3])
    assert people.unclear(job) == (0, [])
    assert set(DataObject.objects.filter(job=job).values_list("difficulty", flat=True)) == {0}
    skills = people.worker_skills(job)
    assert all(0 < row["standard_error"] < 0.1 < row["accuracy"] for row in skills)
