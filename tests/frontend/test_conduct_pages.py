"""Accuracy and conduct on pages and over REST: what each side sees, what their forms and calls do."""

import pytest
from django.urls import reverse

from labeling.models import AnswerActivity, ConductFinding
from labeling.services.conduct import checks
from labeling.services.jobs import advancing
from labeling.services.queue import assignments, visibility
from tests import builders
from tests.frontend.test_permissions import signed_in
from tests.frontend.test_review_rest import call
from tests.labeling import stories

pytestmark = pytest.mark.django_db
COUNTED = {"moves": 0, "trusted": 0, "untrusted": 9, "keys": 0, "focus_seconds": 4.5, "active_seconds": 0}


@pytest.fixture
def job_and_workers():
    """A job in which the first worker has answered by a script, through the API."""
    job, workers = stories.an_open_job(workers=3, objects=4, workers_per_object=3)
    client = signed_in(workers[0].user)
    for _ in range(3):
        seat = assignments.claim(worker=workers[0], queue=job.queue)
        body = {"answer": stories.boxes((seat.pk % 99, 9, 50, 40)), "seconds": 5, "activity": COUNTED}
        assert call(client, f"assignments/{seat.pk}/submit", body).status_code == 200
    checks.check_queue(job.queue_id)
    return job, workers


def said(response):
    return [str(message) for message in response.context["messages"]]


def why_not(worker, job):
    return visibility.refusal(worker_id=worker.pk, queue=job.queue)


def test_what_a_page_counts_is_stored_and_what_it_cannot_have_counted_is_refused(job_and_workers):
    job, (robot, worker, _) = job_and_workers
    row = AnswerActivity.objects.filter(assignment__worker=robot).first()
    assert {name: getattr(row, name) for name in COUNTED} == COUNTED
    client, seat = signed_in(worker.user), assignments.claim(worker=worker, queue=job.queue)
    for wrong in (COUNTED | {"moves": -1}, COUNTED | {"keys": 1.5}, {"moves": 1}, "many"):
        body = {"answer": stories.ONE_BEE, "seconds": 5, "activity": wrong}
        assert call(client, f"assignments/{seat.pk}/submit", body).status_code == 400
    assert call(client, f"assignments/{seat.pk}/submit", {"answer": stories.ONE_BEE, "seconds": 5}).status_code == 200
    assert not AnswerActivity.objects.filter(assignment=seat).exists()


def test_a_worker_reads_the_reason_and_appeals_and_the_account_takes_it_back(job_and_workers):
    job, (robot, *_) = job_and_workers
    worker, requester = signed_in(robot.user), signed_in(job.account.members.get())
    refused = call(worker, f"work-queues/{job.queue_id}/claim", {})
    assert (refused.status_code, "closed to you" in refused.json()["detail"]) == (403, True)
    page = worker.get(reverse("worker:conduct")).content.decode()
    finding = ConductFinding.objects.get(rule="untrusted-events")
    assert "entered by a script" in page and page.count("Appeal</button>") == ConductFinding.objects.count()
    (mine,) = call(worker, "worker/findings?rule=untrusted-events").json()["results"]
    assert (mine["action"], mine["may_appeal"], "numbers" in mine) == ("Block", True, False)

    for row in ConductFinding.objects.all():
        sent = worker.post(reverse("worker:conduct-appeal", args=[row.pk]), {"text": "my keys do that"}, follow=True)
        assert said(sent) == ["Your appeal was sent."]
    assert "there is an appeal" in call(worker, f"worker/findings/{finding.pk}/appeal", {"text": "x"}).json()["detail"]
    assert "my keys do that" in requester.get(reverse("requester:conduct")).content.decode()
    where = reverse("requester:conduct-decide", args=[finding.pk])
    assert "characters expected" in said(requester.post(where, {"decision": "dismiss"}, follow=True))[0]
    assert "Select a valid choice" in said(requester.post(where, {"decision": "shout"}, follow=True))[0]
    for row in ConductFinding.objects.all():
        done = call(requester, f"findings/{row.pk}/decide", {"decision": "dismiss", "text": "it is so"}).json()
        assert (done["state"], done["appeal"]["state"]) == ("Dismissed", "Upheld")
    assert why_not(robot, job) is None
    assert call(requester, "findings?state=Active").json()["results"] == []


def test_an_operator_bans_and_takes_it_back(job_and_workers):
    job, (robot, *_) = job_and_workers
    operator, requester = signed_in(builders.an_operator()), signed_in(job.account.members.get())
    finding = ConductFinding.objects.get(rule="untrusted-events")
    assert call(requester, f"findings/{finding.pk}/decide", {"decision": "ban"}).status_code == 400
    where = reverse("operator:flag-decide", args=[finding.pk])
    assert robot.public_id in operator.get(reverse("operator:flags")).content.decode()
    assert said(operator.post(where, {"decision": "ban"}, follow=True)) == ["The worker is banned."]
    assert why_not(robot, job) == "suspended"
    assert call(requester, f"findings/{finding.pk}/decide", {"decision": "dismiss"}).status_code == 403
    assert said(operator.post(where, {"decision": "dismiss"}, follow=True)) == ["Taken back."]
    assert why_not(robot, job) != "suspended"
    assert "was dismissed" in said(operator.post(where, {"decision": "ban"}, follow=True))[0]


def test_rules_are_set_for_an_account_for_a_job_and_by_the_operator(job_and_workers):
    job, _ = job_and_workers
    requester, operator = signed_in(job.account.members.get()), signed_in(builders.an_operator())
    form = {"rule": "declines", "action": "Pause", "minutes": 20}
    done = requester.post(reverse("requester:conduct-rule"), form, follow=True)
    assert said(done) == ["Many tasks declined: pause, in every job of the account."]
    in_job = {"rule": "declines", "action": "Block"}
    put = requester.put(f"/api/v1/labeling-jobs/{job.pk}/conduct-rules", in_job, content_type="application/json")

    def rule(client, path):
        return next(row for row in call(client, path).json()["rules"] if row["rule"] == "declines")

    assert put.status_code == 200
    assert rule(requester, f"labeling-jobs/{job.pk}/conduct-rules") | {"states": ""} == {
        "rule": "declines", "title": "Many tasks declined", "states": "", "action": "Block", "minutes": 0, "own": True,
    }  # fmt: skip
    assert (rule(requester, "conduct-rules")["action"], rule(requester, "conduct-rules")["minutes"]) == ("Pause", 20)
    assert rule(operator, "operator/conduct-rules")["own"] is False
    assert "in all" not in said(operator.post(reverse("operator:flag-rule"), form, follow=True))[0]
    assert rule(operator, "operator/conduct-rules")["action"] == "Pause"
    ban = {"rule": "declines", "action": "Ban"}
    assert "one of Off" in said(requester.post(reverse("requester:conduct-rule"), ban, follow=True))[0]


def test_both_sides_see_accuracies_with_their_interval(job_and_workers):
    job, (_, one, two) = job_and_workers
    for worker in (one, two):
        stories.work(worker, job)
    advancing.advance_job(job.pk)
    requester, worker = signed_in(job.account.members.get()), signed_in(one.user)
    page = requester.get(reverse("requester:job-people", args=[job.pk])).content.decode()
    assert page.count("<circle") == page.count('class="bar"') == 3
    rows = {row["worker"]: row for row in call(requester, f"labeling-jobs/{job.pk}/accuracies").json()["results"]}
    assert len(rows) == 3 and all(row["low"] < row["mean"] < row["high"] for row in rows.values())
    mine = call(worker, "worker/accuracies?task_type=BoundingBox").json()["results"]
    overall = next(row for row in mine if not row["label"])
    # The evidence grows older between the two calls.
    assert overall["mean"] == pytest.approx(rows[one.public_id]["mean"], abs=1e-6)
    assert overall["pieces"] == rows[one.public_id]["pieces"] == 3
    assert "BoundingBox" in worker.get(reverse("worker:conduct")).content.decode()
    where = reverse("requester:job-close", args=[job.pk])
    closed = requester.post(where, {"worker": two.public_id, "reason": "not again"}, follow=True)
    assert "is closed to" in said(closed)[0]
    assert why_not(two, job) == visibility.BLOCKED_JOB
