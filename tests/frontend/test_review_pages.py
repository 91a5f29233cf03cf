"""The pages of reviews and appeals: what they show, what their forms do, and who is refused."""

import pytest
from django.urls import reverse

from labeling.models import AnswerReview, Appeal, LabelingJob
from labeling.services.jobs import advancing
from labeling.services.results import appeals, deciding
from marketplace.models import User
from marketplace.services import earnings, wallets
from tests.frontend.test_permissions import signed_in
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def job_and_workers():
    """Six answers of three workers under review."""
    job, workers = stories.an_open_job(workers=3, objects=2, review_days=3)
    for worker in workers:
        stories.work(worker, job)
    advancing.advance_job(job.pk)
    return LabelingJob.objects.get(pk=job.pk), workers


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_the_review_tab_shows_answers_and_decides(job_and_workers):
    job, workers = job_and_workers
    client = signed_in(job.account.members.get())
    here = reverse("requester:job-answers", args=[job.pk])
    page = client.get(here)
    assert page.content.decode().count("waggle-boxes-view src") == 6
    assert "100 % agreement" in page.content.decode()
    assert ("answers", "Review", here) in page.context["tabs"]
    mine = client.get(f"{here}?worker={workers[0].public_id}&most_agreement=1&label=bee&hours=0&sampled=no")
    assert len(mine.context["cards"]) == 2

    first, second, *_ = AnswerReview.objects.order_by("pk")
    where = reverse("requester:job-answer-decide", args=[job.pk, first.pk])
    assert said(client.post(where, {"decision": "accept"}, follow=True)) == ["Accepted: the answer is paid."]
    where = reverse("requester:job-answer-decide", args=[job.pk, second.pk])
    assert "needs a reason" in said(client.post(where, {"decision": "reject"}, follow=True))[0]
    rejected = client.post(f"{where}?state=all", {"decision": "reject", "reason": "not tight"}, follow=True)
    assert said(rejected) == ["Rejected: the money came back."]
    assert "Rejected because: not tight" in rejected.content.decode()
    assert "already" in said(client.post(where, {"decision": "accept"}, follow=True))[0]


def test_a_sample_is_drawn_and_the_rest_decided(job_and_workers):
    job, _ = job_and_workers
    client = signed_in(job.account.members.get())
    drawn = client.post(reverse("requester:job-answers-sample", args=[job.pk]), {"size": 2}, follow=True)
    assert len(drawn.context["cards"]) == 2
    where = reverse("requester:job-answers-decide", args=[job.pk])
    done = client.post(f"{where}?sampled=no", {"decision": "accept"}, follow=True)
    assert said(done) == ["4 answers accepted."]
    wrong = client.post(f"{where}?hours=minus", {"decision": "accept"}, follow=True)
    assert said(wrong) == ["Enter a number."]
    assert AnswerReview.objects.filter(state="Pending").count() == 2
    done = client.post(where, {"decision": "reject", "reason": "sloppy"}, follow=True)
    assert said(done) == ["2 answers rejected."]


def test_a_worker_sees_the_fate_and_appeals_and_the_requester_answers(job_and_workers):
    job, (worker, *_) = job_and_workers
    review = AnswerReview.objects.select_related("queue").filter(worker=worker)[0]
    deciding.reject_one(review=review, reason="there is no bee", by="user:1")
    client, requester = signed_in(worker.user), signed_in(job.account.members.get())
    history = client.get(reverse("worker:history")).content.decode()
    assert "Rejected because: there is no bee" in history
    assert history.count("Appeal</button>") == 1

    sent = client.post(reverse("worker:appeal", args=[review.assignment_id]), {"text": "look again"}, follow=True)
    assert said(sent)[0].startswith("Your appeal was sent")
    again = client.post(reverse("worker:appeal", args=[review.assignment_id]), {"text": "please"}, follow=True)
    assert said(again) == ["there is an appeal already"]
    shown = requester.get(reverse("requester:appeals")).content.decode()
    assert ("look again" in shown, "there is no bee" in shown) == (True, True)
    where = reverse("requester:appeal-answer", args=[Appeal.objects.get().pk])
    assert said(requester.post(where, {"decision": "uphold"}, follow=True)) == ["This field is required."]
    answered = requester.post(where, {"decision": "uphold", "text": "true"}, follow=True)
    assert said(answered) == ["The appeal was upheld."]
    assert "Answer: true" in client.get(reverse("worker:history")).content.decode()
    assert earnings.balance(worker) == stories.PRICE


def test_an_operator_answers_appeals_of_every_account(job_and_workers):
    job, (worker, *_) = job_and_workers
    review = AnswerReview.objects.select_related("queue").filter(worker=worker)[0]
    deciding.reject_one(review=review, reason="no", by="user:1")
    appeal = appeals.file_appeal(review=review, worker=worker, text="yes")
    operator = signed_in(User.objects.create(username="op", email="op@example.org", password="!", is_operator=True))
    assert "yes" in operator.get(reverse("operator:appeals")).content.decode()
    where = reverse("operator:appeal-answer", args=[appeal.pk])
    assert said(operator.post(where, {"decision": "deny", "text": "no"}, follow=True)) == ["The appeal was denied."]


def test_what_is_held_is_shown_to_both(job_and_workers):
    job, (worker, *_) = job_and_workers
    earned = signed_in(worker.user).get(reverse("worker:earnings"))
    assert earned.context["held"] == 2 * stories.PRICE
    assert [micros for _, micros in earned.context["held_by_day"]] == [2 * stories.PRICE]
    wallet = signed_in(job.account.members.get()).get(reverse("requester:wallet"))
    assert wallet.context["under_review"] == 6 * (stories.PRICE + stories.FEE) == wallets.under_review(job.account)
    assert "Under review" in wallet.content.decode()


def test_a_job_without_a_review_has_no_tab_and_says_so():
    job, _ = stories.an_open_job()
    client = signed_in(job.account.members.get())
    page = client.get(reverse("requester:job-answers", args=[job.pk]))
    assert "This job has no review" in page.content.decode()
    assert "answers" not in [key for key, *_ in page.context["tabs"]]


def test_a_worker_reads_in_the_list_that_pay_waits():
    _, (worker, *_) = stories.an_open_job(review_days=1)
    assert "Paid after review, within 1 day ·" in signed_in(worker.user).get(reverse("worker:jobs")).content.decode()
