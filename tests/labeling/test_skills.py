"""Workers' skills by task type and label, which outlive the job in which they were found."""

import pytest

from labeling.models import WorkerSkill
from labeling.services.results import consolidating, skills
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)
BEE, NOTHING = stories.boxes((100, 100, 50, 40)), stories.boxes()


def a_labeled_job(account, team, people, *, objects):
    """A job in which two workers draw the bee on every object and one draws nothing."""
    from labeling.services.jobs import advancing

    job = stories.a_job(account, team, objects=objects)
    advancing.advance_job(job.pk)
    for worker, content in zip(people, (BEE, BEE, NOTHING), strict=True):
        stories.work(worker, job, content)
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed"
    return job


@pytest.fixture
def crowd():
    account, people = stories.an_account(), stories.a_crowd(3)
    return account, builders.a_team(account=account, workers=people), people


def known(worker):
    return {row.label: row for row in skills.skills_of(worker, task_type="BoundingBox")}


def test_skills_add_up_over_jobs(crowd):
    account, team, people = crowd
    careful, _, careless = people
    assert known(careful) == {}
    a_labeled_job(account, team, people, objects=24)
    first = known(careful)[""]
    a_labeled_job(account, team, people, objects=30)
    both = known(careful)[""]
    assert (first.answers, both.answers) == (24, 54)
    assert both.recall > 0.9 and known(careless)[""].recall < 0.2


def test_a_new_fit_of_a_job_replaces_its_earlier_skills(crowd):
    account, team, people = crowd
    job = a_labeled_job(account, team, people, objects=24)
    before = known(people[0])
    assert consolidating.refit(job=job, growth=1)
    assert known(people[0]) == before
    assert WorkerSkill.objects.filter(worker=people[0], label="").count() == 1


def test_skills_stay_when_the_job_is_deleted(crowd):
    account, team, people = crowd
    job = a_labeled_job(account, team, people, objects=24)
    before = known(people[0])
    queue = job.queue
    job.delete()
    queue.assignments.all().delete()
    queue.delete()
    assert known(people[0]) == before
