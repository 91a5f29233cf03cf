"""Reviewers over REST and on pages: named by the account, deciding among the worker pages, and who is refused."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import AnswerReview, LabelingJob, QueueReviewer
from labeling.services.jobs import advancing
from labeling.services.results import deciding, reviewers
from marketplace.services import earnings
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def job_and_workers():
    """Four answers of two workers under review; the third of the team has answered nothing."""
    job, workers = stories.an_open_job(workers=3, objects=2, workers_per_object=2, review_days=3)
    for worker in workers[:2]:
        stories.work(worker, job)
    advancing.advance_job(job.pk)
    return LabelingJob.objects.get(pk=job.pk), workers


def call(client: Client, path: str, body=None, **headers):
    if body is None:
        return client.get(f"/api/v1/{path}")
    return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", **headers)


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_an_account_names_and_removes_reviewers(job_and_workers):
    job, (_, _, trusted) = job_and_workers
    requester, path = signed_in(job.account.members.get()), f"labeling-jobs/{job.pk}/reviewers"
    for _ in range(2):
        assert call(requester, path, {"worker": trusted.public_id}).status_code == 201
    (row,) = call(requester, path).json()["results"]
    assert row["worker"] == trusted.public_id
    (stranger,) = stories.a_crowd(1)
    refused = call(requester, path, {"worker": stranger.public_id})
    assert (refused.status_code, "one of your own work teams" in refused.json()["detail"]) == (400, True)
    assert requester.delete(f"/api/v1/{path}/{stranger.public_id}").status_code == 404
    assert requester.delete(f"/api/v1/{path}/{trusted.public_id}").status_code == 204
    assert call(requester, path).json()["results"] == []


def test_a_reviewer_lists_and_decides(job_and_workers):
    job, (author, other, trusted) = job_and_workers
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")
    client, here = signed_in(trusted.user), f"worker/reviews/{job.queue_id}"
    (queue,) = call(client, "worker/reviews").json()["results"]
    assert (queue["queue_id"], queue["waiting"], queue["labels"]) == (job.queue_id, 4, ["bee", "wasp"])

    listed = call(client, f"{here}/answers?state=Pending").json()["results"]
    assert len(listed) == 4
    assert (listed[0]["answer"], listed[0]["label"]["boxes"] != []) == (stories.ONE_BEE, True)
    assert not {"price", "object_id", "object_index", "appeal"} & set(listed[0])
    assert author.user.email not in json.dumps(listed)
    mine = call(client, f"{here}/answers?worker={author.public_id}&most_agreement=1&sampled=false").json()["results"]
    assert len(mine) == 2

    first, second, *_ = mine
    done = call(client, f"worker/answer-reviews/{first['id']}/accept", {}).json()
    assert (done["state"], earnings.balance(author)) == ("Accepted", stories.PRICE)
    rejected = call(client, f"worker/answer-reviews/{second['id']}/reject", {"reason": "no bee"}).json()
    assert (rejected["state"], rejected["reason"]) == ("Rejected", "no bee")
    assert call(client, f"worker/answer-reviews/{second['id']}/accept", {}).status_code == 409
    assert call(client, f"{here}/sample", {"size": 1}).json() == {"sampled": 1}
    assert call(client, f"{here}/accept", {"sampled": False}).json() == {"decided": 1, "left": 0}
    assert call(client, f"{here}/reject", {"reason": "sloppy"}).json() == {"decided": 1, "left": 0}
    shown = call(signed_in(job.account.members.get()), f"labeling-jobs/{job.pk}/answer-reviews").json()["results"]
    assert {row["reviewer"] for row in shown} == {trusted.public_id}

    appeal = call(
        signed_in(author.user),
        f"assignments/{AnswerReview.objects.get(pk=second['id']).assignment_id}/appeal",
        {"text": "there is"},
    )
    assert appeal.status_code == 201
    (open_one,) = call(signed_in(job.account.members.get()), "appeals?state=Open").json()["results"]
    assert open_one["rejected_because"] == "no bee", "appeals are the account's to answer"


ROUTES = (
    ("GET", "worker/reviews/{queue}/answers"),
    ("POST", "worker/reviews/{queue}/sample"),
    ("POST", "worker/reviews/{queue}/accept"),
    ("POST", "worker/reviews/{queue}/reject"),
    ("POST", "worker/answer-reviews/{review}/accept"),
    ("POST", "worker/answer-reviews/{review}/reject"),
)


def test_others_decide_nothing(job_and_workers):
    """A worker of the team, one who was removed, a reviewer of another job, the account itself, another account."""
    job, (_, plain, removed) = job_and_workers
    reviewers.add(queue=job.queue, worker=removed, by="user:1")
    reviewers.remove(queue=job.queue, worker=removed, by="user:1")
    another, workers = stories.an_open_job(review_days=3)
    reviewers.add(queue=another.queue, worker=workers[0], by="user:1")
    review = AnswerReview.objects.filter(queue=job.queue).order_by("pk")[0]
    places = {"queue": job.queue_id, "review": review.pk}
    body = json.dumps({"size": 1, "reason": "no"})
    for user, status in (
        (plain.user, 404),
        (removed.user, 404),
        (workers[0].user, 404),
        (job.account.members.get(), 403),
        (another.account.members.get(), 403),
    ):
        client = signed_in(user)
        for method, route in ROUTES:
            path = f"/api/v1/{route.format(**places)}"
            response = client.generic(method, path, body if method == "POST" else "", content_type="application/json")
            assert response.status_code == status, (user, path)
        for name, args in (("review", [job.queue_id]), ("review-decide", [job.queue_id, review.pk])):
            post = name != "review"
            response = (client.post if post else client.get)(
                reverse(f"worker:{name}", args=args), {"decision": "accept"}
            )
            assert response.status_code == status, (user, name)
    assert not AnswerReview.objects.exclude(state="Pending").exists()


def test_the_pages_of_both(job_and_workers):
    job, (author, _, trusted) = job_and_workers
    requester, client = signed_in(job.account.members.get()), signed_in(trusted.user)
    assert reverse("worker:reviews") not in client.get(reverse("worker:jobs")).content.decode()
    where, answers = (
        reverse("requester:job-reviewer-add", args=[job.pk]),
        reverse("requester:job-answers", args=[job.pk]),
    )
    assert "cannot review" in said(requester.post(where, {"worker": "NOBODY"}, follow=True))[0]
    assert said(requester.post(where, {"worker": ""}, follow=True)) == ["This field is required."]
    added = requester.post(where, {"worker": trusted.public_id}, follow=True)
    assert said(added) == [f"Worker {trusted.public_id} reviews the answers from now on, and was told."]

    listed = client.get(reverse("worker:reviews"))
    assert [(queue.pk, waiting) for queue, waiting in listed.context["rows"]] == [(job.queue_id, 4)]
    assert "not paid by the answer" in listed.content.decode()
    assert reverse("worker:reviews") in client.get(reverse("worker:jobs")).content.decode()
    here = reverse("worker:review", args=[job.queue_id])
    page = client.get(f"{here}?worker={author.public_id}&most_agreement=1")
    text = page.content.decode()
    assert (text.count("waggle-boxes-view src"), author.public_id in text) == (2, True)
    assert author.user.email not in text and ".png" not in text and "Object " not in text

    first, second, *_ = AnswerReview.objects.order_by("pk")
    one = reverse("worker:review-decide", args=[job.queue_id, first.pk])
    assert said(client.post(one, {"decision": "reject"}, follow=True))[0].startswith("A rejection needs a reason")
    assert said(client.post(one, {"decision": "accept"}, follow=True)) == ["Accepted: the answer is paid."]
    deciding.reject_one(review=second, reason="no", by="user:1")
    one = reverse("worker:review-decide", args=[job.queue_id, second.pk])
    assert said(client.post(one, {"decision": "accept"}, follow=True)) == ["this answer was rejected already"]
    drawn = client.post(reverse("worker:review-sample", args=[job.queue_id]), {"size": 1}, follow=True)
    assert len(drawn.context["cards"]) == 1
    many = reverse("worker:review-decide-some", args=[job.queue_id])
    assert said(client.post(f"{many}?sampled=no", {"decision": "accept"}, follow=True)) == ["1 answers accepted."]

    shown = requester.get(f"{answers}?state=all").content.decode()
    assert shown.count(f"decided by reviewer {trusted.public_id}") == 2
    removal = reverse("requester:job-reviewer-remove", args=[job.pk, trusted.public_id])
    assert said(requester.post(removal, follow=True)) == ["Removed. What they decided stands."]
    assert client.get(here).status_code == 404
    assert QueueReviewer.objects.get().removed_at is not None


def test_a_reviewer_sees_the_pictures_until_they_are_removed():
    job, (author, trusted) = stories.a_funded_job(workers=2, objects=1, workers_per_object=1, review_days=3)
    stories.open_pictures(job)
    stories.work(author, job)
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")
    client = signed_in(trusted.user)
    (row,) = call(client, f"worker/reviews/{job.queue_id}/answers").json()["results"]
    assert client.get(row["image_url"]).status_code == 200
    reviewers.remove(queue=job.queue, worker=trusted, by="user:1")
    assert client.get(row["image_url"]).status_code == 404
