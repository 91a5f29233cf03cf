"""A rejected answer to a gold that an appeal finds right: the gold was wrong, and is corrected."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from labeling.models import AnswerReview, DataObject, Gold, GoldResult, ObjectState, Task
from labeling.services.golds import scoring
from labeling.services.jobs import advancing, creation
from labeling.services.results import appeals, deciding
from marketplace.services import earnings, ledger_audit, reputation
from tests.labeling import stories
from tests.labeling.golds import TRUE, WRONG, a_job_with_golds, state_of

pytestmark = pytest.mark.django_db
MISSED = "it becomes the true answer"


@pytest.fixture
def appealed():
    """Ann has the gold right, Bob has it otherwise, is rejected by a person, and appeals."""
    job, (ann, bob, _), (gold,) = a_job_with_golds(golds=1, objects=6, rate=50, review_days=3)
    stories.work(ann, job, TRUE)
    stories.work(bob, job, WRONG)
    assert scoring.score_new(job) == 2
    review = AnswerReview.objects.get(worker=bob, assignment__task__gold=gold)
    deciding.reject(queue=job.queue, review_ids=[review.pk], reason="not there", by="user:1")
    appeal = appeals.file_appeal(review=review, worker=bob, text="the bee is on the right")
    yield job, (ann, bob), gold, appeal
    assert ledger_audit.findings() == []


def scores(gold):
    return dict(GoldResult.objects.filter(gold=gold, score__isnull=False).values_list("worker", "score"))


def believed(worker):
    return reputation.accuracies_of([worker.pk], task_type="BoundingBox")[worker.pk].mean


def test_an_upheld_appeal_corrects_the_gold_and_scores_everybody_again(appealed):
    job, (ann, bob), gold, appeal = appealed
    assert scores(gold) == {ann.pk: 1, bob.pk: 0}
    before = believed(ann), believed(bob)
    for _ in range(2):
        appeals.uphold(appeal=appeal, text="so it is", by="user:1")
    gold.refresh_from_db()
    assert (gold.state, gold.truth["boxes"][0]["left"]) == ("Active", 400)
    assert scores(gold) == {ann.pk: 0, bob.pk: 1}
    assert believed(ann) < before[0] and believed(bob) > before[1]
    label = DataObject.objects.select_related("label").get(pk=gold.data_object_id).label
    assert (label.source, label.value["boxes"][0]["left"]) == ("adjudicated", 400)
    assert earnings.balance(bob) == stories.PRICE
    creation.stop_job(job=job, by="user:1")
    advancing.advance_job(job.pk)
    client = Client()
    client.force_login(bob.user)
    told = [row["gold"] for row in client.get("/api/v1/worker/answers").json()["results"] if row["gold"]]
    assert [(row["passed"], row["truth"]["boxes"][0]["left"]) for row in told] == [(True, 400)]


def test_an_appeal_that_nobody_has_looked_at_says_nothing_about_the_gold(appealed):
    _, (ann, bob), gold, _ = appealed
    assert appeals.uphold_overdue(now=timezone.now() + timedelta(days=10)) == 1
    assert scores(gold) == {ann.pk: 1, bob.pk: 0} and state_of(gold) == "Active"
    assert earnings.balance(bob) == stories.PRICE


def test_an_answer_that_passed_leaves_the_gold_as_it_is(appealed):
    _, (ann, _), gold, _ = appealed
    review = AnswerReview.objects.get(worker=ann, assignment__task__gold=gold)
    deciding.reject(queue=review.queue, review_ids=[review.pk], reason="not there", by="user:1")
    appeals.uphold(appeal=appeals.file_appeal(review=review, worker=ann, text="it is"), text="it is", by="user:1")
    assert Gold.objects.get(pk=gold.pk).truth["boxes"][0]["left"] == 100


def test_while_people_work_on_its_object_the_gold_is_put_aside(appealed):
    _, (ann, bob), gold, appeal = appealed
    DataObject.objects.filter(pk=gold.data_object_id).update(state=ObjectState.PENDING, label=None)
    appeals.uphold(appeal=appeal, text="so it is", by="user:1")
    gold.refresh_from_db()
    assert (gold.state, gold.truth["boxes"][0]["left"]) == ("Suspect", 100) and "after an appeal" in gold.reason
    assert scores(gold) == {ann.pk: 1, bob.pk: 0}
    assert not Task.objects.filter(gold=gold, seats_free__gt=0).exists()


def test_the_page_says_what_upholding_means(appealed):
    job, _, gold, appeal = appealed
    client = Client()
    client.force_login(job.account.members.get())
    assert MISSED in client.get("/appeals/").content.decode()
    sent = client.post(f"/appeals/{appeal.pk}/answer/", {"text": "so it is", "decision": "uphold"}, follow=True)
    assert "The appeal was upheld." in sent.content.decode()
    assert Gold.objects.get(pk=gold.pk).truth["boxes"][0]["left"] == 400
    assert MISSED not in client.get("/appeals/?which=all").content.decode()
