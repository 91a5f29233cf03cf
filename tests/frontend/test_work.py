"""A worker's side over HTTP: repeated claims, the tasks that are held, and the pages of the list of work."""

import pytest
from django.test import Client

from labeling.models import Assignment, DataObject
from labeling.services.jobs.batches import open_batch
from labeling.services.queue import assignments
from marketplace.services import accounts
from tests import builders
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


def test_a_claim_and_a_submit_take_few_statements(django_assert_max_num_queries):
    """Three of each are the session, the user and the worker; they limit how many tasks a second can be handed out."""
    job, (worker, *_) = stories.an_open_job(objects=20)
    client, path = signed_in(worker), f"/api/v1/work-queues/{job.queue_id}/claim"
    body = {"answer": stories.ONE_BEE, "seconds": 3}
    seat = client.post(path).json()["assignment"]["id"]
    client.post(f"/api/v1/assignments/{seat}/submit", body, content_type="application/json")
    with django_assert_max_num_queries(6):
        seat = client.post(path).json()["assignment"]["id"]
    with django_assert_max_num_queries(8):
        answered = client.post(f"/api/v1/assignments/{seat}/submit", body, content_type="application/json")
    assert answered.status_code == 200, answered.content


def test_the_token_of_a_program_saves_the_statements_of_a_session(django_assert_max_num_queries):
    """The token's query brings all that a claim and a submit read of the user and the worker."""
    job, (worker, *_) = stories.an_open_job(objects=20)
    token = accounts.create_token(user=worker.user, account=None, name="program")[1]
    client, path = Client(headers={"Authorization": f"Bearer {token}"}), f"/api/v1/work-queues/{job.queue_id}/claim"
    body = {"answer": stories.ONE_BEE, "seconds": 3}
    seat = client.post(path).json()["assignment"]["id"]
    client.post(f"/api/v1/assignments/{seat}/submit", body, content_type="application/json")
    with django_assert_max_num_queries(3):
        seat = client.post(path).json()["assignment"]["id"]
    with django_assert_max_num_queries(6):
        answered = client.post(f"/api/v1/assignments/{seat}/submit", body, content_type="application/json")
    assert answered.status_code == 200, answered.content


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


def test_the_list_of_work_has_pages():
    account, (worker,) = stories.an_account(funds="1000"), stories.a_crowd(1)
    team = builders.a_team(account=account, workers=[worker])
    prices = [36_000, 12_000, 48_000, 24_000, 36_000, 60_000, 12_000]
    for price in prices:
        job = stories.a_job(account, team, objects=1, price_micros=price)
        open_batch(job=job, object_ids=[DataObject.objects.get(job=job).pk], by="system")
    client, seen, path = signed_in(worker), [], "/api/v1/work?page_size=2"
    while path:
        page = client.get(path).json()
        assert len(page["results"]) <= 2
        seen += page["results"]
        path = page["next"]
    assert [row["price"] for row in seen] == [f"0.0{price // 1000}000" for price in sorted(prices, reverse=True)]
    assert len({row["queue_id"] for row in seen}) == 7 and {row["tasks_left"] for row in seen} == {1}


def test_the_page_of_work_has_pages(monkeypatch):
    account, (worker,) = stories.an_account(funds="1000"), stories.a_crowd(1)
    team = builders.a_team(account=account, workers=[worker])
    monkeypatch.setattr("frontend.worker.pages.PER_PAGE", 2)
    jobs = [stories.a_job(account, team, objects=1, title=f"Draw bees {n}") for n in range(3)]
    for job in jobs:
        open_batch(job=job, object_ids=[DataObject.objects.get(job=job).pk], by="system")
    shown = [signed_in(worker).get(f"/work/?page={page}").content.decode() for page in (1, 2)]
    assert [[f"Draw bees {n}" in text for n in range(3)] for text in shown] == [
        [True, True, False],
        [False, False, True],
    ]
