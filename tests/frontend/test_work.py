"""A worker's side over HTTP: repeated claims, and the tasks that are held."""

import pytest
from django.test import Client

from labeling.models import Assignment
from labeling.services.queue import assignments
from tests.labeling import stories

pytestmark = pytest.mark.django_db


def signed_in(worker):
    client = Client()
    client.force_login(worker.user)
    return client


def test_claims_and_held_assignments_over_rest():
    job, (worker, *_) = stories.an_open_job(objects=20)
    client, path = signed_in(worker), f"/api/v1/work-queues/{job.queue_id}/claim"
    first = client.post(path, headers={"Idempotency-Key": "one"}).json()["assignment"]
    again = client.post(f"/api/v1/labeling-jobs/{job.pk}/claim", headers={"Idempotency-Key": "one"}).json()[
        "assignment"
    ]
    assert again["id"] == first["id"] and Assignment.objects.count() == 1
    second = client.post(path).json()["assignment"]
    rows = client.get(f"/api/v1/assignments?queue_id={job.queue_id}").json()["results"]
    assert [row["id"] for row in rows] == [second["id"], first["id"]]
    for row, claimed in zip(rows, (second, first), strict=True):
        varying = {"seconds_left": 0, "image_url": "signed at another time"}
        assert row | varying == claimed | varying
    assert client.get("/api/v1/assignments?queue_id=0").json()["results"] == []
    assert client.post(f"/api/v1/assignments/{first['id']}/return").status_code == 200
    gone = client.post(path, headers={"Idempotency-Key": "one"})
    assert gone.status_code == 409 and gone.json()["type"] == "urn:waggle:problem:task-gone"


def test_a_submit_that_is_repeated_claims_the_same_next_task(monkeypatch):
    job, (worker, *_) = stories.an_open_job(objects=20)
    client, seat = signed_in(worker), assignments.claim(worker=worker, queue=job.queue)

    def submit(number):
        body = {"answer": stories.ONE_BEE, "seconds": 3}
        path = f"/api/v1/assignments/{number}/submit?claim_next=true"
        response = client.post(path, body, content_type="application/json", headers={"Idempotency-Key": f"k{number}"})
        assert response.status_code == 200, response.content
        return response.json()

    upcoming = submit(seat.pk)["next_assignment"]
    assert submit(seat.pk)["next_assignment"]["id"] == upcoming["id"]
    assert Assignment.objects.count() == 2
    further = submit(upcoming["id"])["next_assignment"]
    repeated = submit(seat.pk)
    assert (repeated["repeated"], repeated["next_assignment"], repeated["reason"]) == (True, None, "claimed-before")
    # What was submitted stays acknowledged when no further task can be given.
    for _ in range(3):
        assignments.claim(worker=worker, queue=job.queue)
    monkeypatch.setattr(assignments, "TASKS_PER_LEASE", 20)
    limited = submit(further["id"])
    assert (limited["status"], limited["next_assignment"], limited["reason"]) == ("Submitted", None, "task-limit")
    last = Assignment.objects.filter(worker=worker, state="Leased").first()
    assert Assignment.objects.filter(worker=worker, state="Leased").count() == 3
    assert submit(last.pk)["status"] == "Submitted"
