"""The first objects of a public job: a set-up that looks broken stops there, another goes on by itself."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Assignment, Batch, DataObject, LabelingJob, ObjectState, Task
from labeling.queries import progress
from labeling.services.golds import keeping
from labeling.services.jobs import advancing, probe
from labeling.services.queue import assignments
from marketplace.errors import WrongState
from marketplace.models import AuditEvent
from marketplace.services import workteams
from tests.labeling import stories

pytestmark = pytest.mark.django_db
NO_BEE = stories.boxes()


def a_public_job(workers: int = 2, **changes) -> tuple[LabelingJob, list]:
    """A public job of thirty objects whose first batch is open, and workers of the pool."""
    crowd = stories.a_crowd(workers)
    for worker in crowd:
        workteams.join_public_pool(worker)
    design = {"objects": 30, "workers_per_object": 2} | changes
    job = stories.a_job(stories.an_account(funds="1000"), workteams.public_pool(), **design)
    advancing.advance_job(job.pk)
    return job, crowd


def work_off(job, crowd, content=stories.ONE_BEE, *, seconds=8.5):
    """Let everybody answer each open task, and advance the job."""
    for worker in crowd:
        while (seat := assignments.claim(worker=worker, queue=job.queue)) is not None:
            assignments.submit(assignment=seat, worker=worker, content=content, seconds=seconds, key=f"k{seat.pk}")
    advancing.advance_job(job.pk)
    job.refresh_from_db()


def client_of(job) -> Client:
    client = Client()
    client.force_login(job.account.members.get())
    return client


def test_a_sound_job_goes_on_by_itself_once_the_first_ten_objects_are_done():
    job, crowd = a_public_job()
    assert Task.objects.filter(queue=job.queue).count() == 10
    first, second = crowd
    work_off(job, [first])
    assert assignments.claim(worker=first, queue=job.queue) is None
    assert Task.objects.filter(queue=job.queue).count() == 10 and probe.outcome(job).answers == 10
    work_off(job, [second])
    assert job.probe == "Passed" and job.attention == ""
    assert Task.objects.filter(queue=job.queue).count() == 30
    found = probe.outcome(job)
    assert (found.objects, found.answered, found.answers, found.empty) == (10, 10, 20, 0)
    assert (found.median_seconds, found.agreement, found.problems) == (8.5, 1.0, [])


def test_golds_that_few_have_answered_hold_no_job():
    job, crowd = a_public_job(objects=60, golds={"rate": 50})
    rows = list(DataObject.objects.filter(job=job, state=ObjectState.UNLABELED).order_by("index"))
    for row in rows[:20]:
        keeping.add(data_object=row, content=stories.ONE_BEE, by="user:1")
    golds = Task.objects.filter(queue=job.queue, gold__isnull=False)
    assert golds.count() == 20
    work_off(job, crowd)
    assert job.probe == "Passed" and golds.filter(answers_count=0).exists()
    assert (probe.outcome(job).objects, probe.outcome(job).answers) == (10, 20)


@pytest.mark.parametrize(
    ("content", "seconds", "reason"),
    [(NO_BEE, 8.5, "20 of 20 answers are empty"), (stories.ONE_BEE, 60, "a task takes 60 s, 9 s were expected")],
)
def test_a_job_that_looks_broken_waits_for_its_requester(content, seconds, reason):
    job, crowd = a_public_job()
    work_off(job, crowd, content, seconds=seconds)
    for _ in range(2):
        advancing.advance_job(job.pk)
        job.refresh_from_db()
        assert job.probe == "" and probe.is_held(job) and reason in job.attention
    assert Task.objects.filter(queue=job.queue).count() == 10 and job.status == "InProgress"
    assert all(assignments.claim(worker=worker, queue=job.queue) is None for worker in crowd)
    client = client_of(job)
    shown = client.get(f"/api/v1/labeling-jobs/{job.pk}").json()["probe"]
    assert (shown["state"], shown["problems"]) == ("Held", [reason])
    page = client.get(reverse("requester:job", args=[job.pk])).content.decode()
    assert "the job waits for you" in page and reason in page
    assert client.post(reverse("requester:job-continue", args=[job.pk])).status_code == 302
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.probe, job.attention) == ("Continued", "")
    assert Task.objects.filter(queue=job.queue).count() == 30
    assert client.post(f"/api/v1/labeling-jobs/{job.pk}/continue").json()["probe"]["state"] == "Continued"
    decided = AuditEvent.objects.filter(object_type="labeling.LabelingJob", because="first objects: Continued")
    assert decided.get().object_id == job.pk


def test_answers_that_do_not_agree_and_declined_tasks_hold_a_job():
    job, (one, two) = a_public_job()
    work_off(job, [one])
    work_off(job, [two], stories.boxes((300, 200, 40, 40), label="wasp"))
    assert "the answers agree to 0% only" in job.attention

    job, crowd = a_public_job(4)
    for worker in crowd[2:]:
        for _ in range(10):
            seat = assignments.claim(worker=worker, queue=job.queue)
            assignments.decline(assignment=Assignment.objects.get(pk=seat.pk), worker=worker)
    work_off(job, crowd[:2])
    assert "20 tasks were declined, 20 answered" in job.attention


def test_a_held_job_is_stopped_and_the_money_comes_back():
    job, crowd = a_public_job()
    work_off(job, crowd, NO_BEE)
    assert client_of(job).post(reverse("requester:job-stop", args=[job.pk])).status_code == 302
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Stopped" and Batch.objects.get(queue=job.queue).status != "InProgress"
    assert progress.money(job)["reserved_micros"] == 0


def test_only_a_job_that_waits_is_continued():
    job, _ = a_public_job()
    with pytest.raises(WrongState):
        probe.carry_on(job=job, by="user:1")
    assert client_of(job).post(f"/api/v1/labeling-jobs/{job.pk}/continue").status_code == 409
    private, _ = stories.an_open_job(objects=1)
    assert probe.outcome(private) is None and probe.passes(private)
    assert client_of(private).get(f"/api/v1/labeling-jobs/{private.pk}").json()["probe"] is None
