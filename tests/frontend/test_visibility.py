"""What a worker sees of a queue's tasks over HTTP; a worker who left the team sees nothing any more."""

import pytest
from django.test import Client

from frontend.images import image_url
from labeling.models import DataObject
from labeling.services.jobs import creation
from labeling.services.queue import assignments
from marketplace import storage
from marketplace.models import Worker
from marketplace.services import boundaries, eligibility, workteams
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def story():
    """A job with images and an example image; the first worker holds a task, the second has none."""
    account, people = stories.an_account(), stories.a_crowd(3)
    example = storage.join(boundaries.base_of(account), "uploads", "example.png")
    storage.write(example, builders.image_bytes())
    team = builders.a_team(account=account, workers=people[:2])
    job = stories.a_job(
        account, team, objects=2, instructions={"short": "", "full": "", "good_examples": [{"uri": example}]}
    )
    stories.open_pictures(job)
    return job, people, assignments.claim(worker=people[0], queue=job.queue)


def signed_in(worker: Worker) -> Client:
    client = Client()
    client.force_login(worker.user)
    return client


def seen(worker, job):
    """The responses to a worker: the list of jobs, the task page, a claim, the images of both objects, an example."""
    client = signed_in(worker)
    pictures = [
        image_url(pk, worker.user_id) for pk in job.objects_of_job.order_by("index").values_list("pk", flat=True)
    ]
    return {
        "list": job.title in client.get("/work/").content.decode(),
        "page": client.get(f"/work/{job.queue_id}/").status_code,
        "pictures": [client.get(url).status_code for url in pictures],
        "example": client.get(f"/api/v1/work-queues/{job.queue_id}/examples/good_examples/0").status_code,
        "claim": client.post(f"/api/v1/work-queues/{job.queue_id}/claim").status_code,
    }


ALL = {"list": True, "page": 200, "pictures": [200, 200], "example": 200, "claim": 200}
NOTHING = {"list": False, "page": 404, "pictures": [404, 404], "example": 404, "claim": 403}


def test_members_see_the_work_and_outsiders_see_nothing(story):
    job, (first, second, outsider), _ = story
    # The first worker holds a task of the job already, and a small job allows one at a time.
    assert seen(first, job) == ALL | {"claim": 409}
    assert seen(second, job) == ALL
    assert seen(outsider, job) == NOTHING


def test_a_worker_who_left_the_team_sees_nothing_and_is_paid_for_a_held_task(story):
    job, (first, *_), seat = story
    workteams.remove_worker(team=job.workteam, worker=first, by="system")
    assert seen(first, job) == NOTHING
    assert stories.answer(seat).paid_micros == stories.PRICE


def test_a_blocked_worker_sees_nothing(story):
    job, (first, *_), _ = story
    eligibility.block(account=job.account, worker=first, by="user:1")
    assert seen(first, job) == NOTHING


def test_after_the_job_a_worker_sees_only_images_of_tasks_they_had(story):
    job, (first, second, _), seat = story
    creation.stop_job(job=job, by="user:1")
    (held,) = DataObject.objects.filter(pk=seat.task.data_object_id).values_list("index", flat=True)
    assert [seen(first, job)["pictures"], seen(second, job)["pictures"]] == [
        [200 if index == held else 404 for index in (0, 1)],
        [404, 404],
    ]


def test_a_copy_is_as_large_as_allowed_and_a_side_that_is_no_number_asks_for_the_image_itself(story):
    job, (first, *_), _ = story
    client, url = signed_in(first), image_url(job.objects_of_job.order_by("index")[0].pk, first.user_id)
    whole = client.get(url).content
    for side in ("²", "-5", "9" * 5000, "1e3", ""):
        assert client.get(url, {"side": side}).content == whole, side
    copies = {side: client.get(url, {"side": side}).content for side in ("1", "32", "2048", "999999999")}
    assert copies["1"] == copies["32"] and copies["2048"] == copies["999999999"] != copies["32"]


def test_a_client_of_version_0_1_finds_work_by_job_and_claims_it(story):
    job, (_, second, _), _ = story
    client = signed_in(second)
    (row,) = client.get("/api/v1/work").json()["results"]
    assert (row["job_id"], row["queue_id"]) == (job.pk, job.queue_id)
    claimed = client.post(f"/api/v1/labeling-jobs/{row['job_id']}/claim").json()["assignment"]
    assert claimed["queue_id"] == job.queue_id
