"""Reviews and appeals over REST: what requesters decide, what workers see of it, and what operators may do instead."""

import json

import pytest
from django.test import Client

from labeling.models import AnswerReview, Appeal
from labeling.services.jobs import advancing
from labeling.services.queue import assignments
from marketplace.models import User
from marketplace.services import earnings, ledger_audit
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def job_and_workers():
    return stories.an_open_job(workers=3, objects=2, review_days=3)


def call(client: Client, path: str, body=None, **headers):
    if body is None:
        return client.get(f"/api/v1/{path}")
    return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", **headers)


def test_a_worker_is_told_before_and_after_that_the_pay_waits_for_a_review(job_and_workers):
    job, (worker, *_) = job_and_workers
    client = signed_in(worker.user)
    (work,) = call(client, "work").json()["results"]
    assert (work["review_days"], work["price"]) == (3, "0.036000")
    task = call(client, f"work-queues/{job.queue_id}/claim", {}).json()["assignment"]
    assert (task["review_days"], task["rejected_because"]) == (3, None)

    done = call(client, f"assignments/{task['id']}/submit", {"answer": stories.ONE_BEE, "seconds": 4}).json()

    assert (done["paid"], done["held"], done["held_until"] > "2") == ("0.000000", "0.036000", True)
    earned = call(client, "earnings").json()
    assert (earned["balance"], earned["held"], earned["results"]) == ("0.000000", "0.036000", [])


def test_answers_are_listed_filtered_and_decided(job_and_workers):
    job, workers = job_and_workers
    for worker in workers:
        stories.work(worker, job)
    advancing.advance_job(job.pk)
    client = signed_in(job.account.members.get())
    path = f"labeling-jobs/{job.pk}/answer-reviews"

    listed = call(client, path).json()["results"]
    assert len(listed) == 6
    assert (listed[0]["answer"], listed[0]["agreement"], listed[0]["labels"]) == (stories.ONE_BEE, 1.0, ["bee"])
    assert listed[0]["label"]["boxes"]
    mine = call(client, f"{path}?worker={workers[0].public_id}&state=Pending&label=bee&most_agreement=1").json()
    assert len(mine["results"]) == 2
    assert call(client, f"{path}?label=wasp").json()["results"] == []
    for query in ("most_agreement=x", "submitted_before=yesterday", "sampled=perhaps", "price=1"):
        assert call(client, f"{path}?{query}").status_code == 400, query

    first = listed[0]["id"]
    accepted = call(client, f"answer-reviews/{first}/accept", {})
    assert (accepted.status_code, accepted.json()["state"]) == (200, "Accepted")
    assert call(client, f"answer-reviews/{first}/reject", {"reason": "no"}).status_code == 409
    second = call(client, f"answer-reviews/{listed[1]['id']}/reject", {"reason": "the wasp"}).json()
    assert (second["state"], second["reason"], second["returned"]) == ("Rejected", "the wasp", False)
    assert call(client, f"answer-reviews/{listed[2]['id']}/reject", {"reason": ""}).status_code in (400, 422)

    assert call(client, f"{path}/sample", {"size": 1}).json() == {"sampled": 1}
    assert call(client, f"{path}/accept", {"sampled": False}).json() == {"decided": 3, "left": 0}
    (left,) = call(client, f"{path}?state=Pending").json()["results"]
    assert left["sampled"]
    wanted = {"reason": "sloppy", "worker": left["worker"]}
    assert call(client, f"{path}/reject", wanted).json() == {"decided": 1, "left": 0}
    assert ledger_audit.findings() == []


def test_a_repeated_decision_with_the_same_key_is_replayed(job_and_workers):
    job, (worker, *_) = job_and_workers
    stories.claim_and_answer(worker, job)
    client = signed_in(job.account.members.get())
    for _ in range(2):
        done = call(client, f"labeling-jobs/{job.pk}/answer-reviews/accept", {}, HTTP_IDEMPOTENCY_KEY="accept-all")
        assert done.json() == {"decided": 1, "left": 0}


def test_a_task_that_came_back_says_why(job_and_workers):
    job, (worker, *_) = job_and_workers
    stories.claim_and_answer(worker, job)
    requester = signed_in(job.account.members.get())
    review = AnswerReview.objects.get()
    done = call(requester, f"answer-reviews/{review.pk}/reject", {"reason": "draw closer", "return_to_worker": True})
    assert done.json()["returned"]

    (held,) = call(signed_in(worker.user), "assignments").json()["results"]
    assert (held["id"], held["rejected_because"]) == (review.assignment_id, "draw closer")


def test_a_rejected_worker_appeals_and_is_paid(job_and_workers):
    job, (worker, other, *_) = job_and_workers
    stories.claim_and_answer(worker, job)
    requester, client = signed_in(job.account.members.get()), signed_in(worker.user)
    review = AnswerReview.objects.get()
    call(requester, f"answer-reviews/{review.pk}/reject", {"reason": "no bee there"})
    (fate,) = call(client, "worker/answers").json()["results"]
    assert (fate["state"], fate["reason"], fate["may_appeal"]) == ("Rejected", "no bee there", True)

    appeal = call(client, f"assignments/{review.assignment_id}/appeal", {"text": "there is one"})
    assert appeal.status_code == 201
    assert call(signed_in(other.user), f"assignments/{review.assignment_id}/appeal", {"text": "x"}).status_code == 404
    assert call(client, f"assignments/{review.assignment_id}/appeal", {"text": "another"}).status_code == 409
    (filed,) = call(requester, "appeals?state=Open").json()["results"]
    assert (filed["text"], filed["rejected_because"], filed["worker"]) == (
        "there is one",
        "no bee there",
        worker.public_id,
    )
    answered = call(requester, f"appeals/{filed['id']}/answer", {"decision": "uphold", "text": "true, sorry"})
    assert answered.json()["state"] == "Upheld"

    (fate,) = call(client, "worker/answers").json()["results"]
    assert (fate["state"], fate["appeal"]["answer"], fate["may_appeal"]) == ("Accepted", "true, sorry", False)
    (mine,) = call(client, "worker/appeals").json()["results"]
    assert (mine["state"], mine["rejected_because"]) == ("Upheld", "no bee there")
    assert earnings.balance(worker) == stories.PRICE


def test_an_operator_answers_in_place_of_the_requester(job_and_workers):
    job, (worker, *_) = job_and_workers
    stories.claim_and_answer(worker, job)
    review = AnswerReview.objects.get()
    call(signed_in(job.account.members.get()), f"answer-reviews/{review.pk}/reject", {"reason": "no"})
    call(signed_in(worker.user), f"assignments/{review.assignment_id}/appeal", {"text": "yes"})
    operator = signed_in(User.objects.create(username="op", email="op@example.org", password="!", is_operator=True))
    appeal = Appeal.objects.get()

    assert call(operator, "operator/appeals").json()["results"][0]["id"] == appeal.pk
    done = call(operator, f"operator/appeals/{appeal.pk}/answer", {"decision": "deny", "text": "the reason holds"})
    assert done.json()["state"] == "Denied"


def test_answers_to_a_job_without_a_review_are_paid_in_the_history():
    job, (worker, *_) = stories.an_open_job()
    stories.claim_and_answer(worker, job)
    assignments.claim(worker=worker, queue=job.queue)
    (fate,) = call(signed_in(worker.user), "worker/answers").json()["results"]
    assert (fate["state"], fate["price"], fate["may_appeal"]) == ("Paid", "0.036000", False)
