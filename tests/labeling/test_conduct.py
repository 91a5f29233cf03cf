"""Conduct: what rules find in real answers, what follows, how it is taken back, and what stays untouched."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from labeling import background
from labeling.conduct.observed import Activity
from labeling.models import (
    AnswerReview,
    Assignment,
    ConductAppeal,
    ConductCheck,
    ConductFinding,
    DataObject,
    Task,
    WorkQueue,
)
from labeling.services.conduct import acting, appeals, checks, colluding, lists, policies
from labeling.services.jobs import advancing
from labeling.services.queue import assignments, visibility
from labeling.services.results import appeals as review_appeals
from labeling.services.results import deciding
from marketplace.errors import Forbidden, Invalid, WrongState
from marketplace.models import Evidence, Notice, Subject, Worker, WorkerStatus
from marketplace.services import earnings, ledger_audit, people, reputation
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db
BY_HAND = Activity(moves=240, trusted=300, untrusted=0, keys=4, focus_seconds=9, active_seconds=8)
BY_SCRIPT = Activity(moves=0, trusted=0, untrusted=12, keys=0, focus_seconds=9, active_seconds=0)
KEYBOARD = Activity(moves=0, trusted=40, untrusted=40, keys=40, focus_seconds=9, active_seconds=8)


@pytest.fixture(autouse=True)
def _whole_ledger():
    yield
    assert ledger_audit.findings() == []


def give(worker, job, *, seconds=9.0, content=None, activity=None):
    """One answer, `seconds` after its claim; boxes differ from answer to answer unless given."""
    seat = assignments.claim(worker=worker, queue=job.queue)
    Assignment.objects.filter(pk=seat.pk).update(accepted_at=timezone.now() - timedelta(seconds=seconds))
    content = content or stories.boxes((10 + seat.pk % 300, 20 + seat.pk % 200, 50, 40 + seat.pk % 37))
    assignments.submit(
        assignment=seat, worker=worker, content=content, seconds=seconds, key=f"k{seat.pk}", activity=activity
    )
    return seat


def spam(worker, job, answers, **how):
    """Answers, and the look at them that the message queue would do."""
    for number in range(answers):
        give(worker, job, **{"seconds": 7.0 + 3 * (number % 3)} | how)
    checks.check_queue(job.queue_id)


def found(worker):
    return {row.rule: row.action for row in ConductFinding.objects.filter(worker=worker)}


def why_not(worker, job):
    return visibility.refusal(worker_id=worker.pk, queue=job.queue)


def test_answers_by_a_script_close_the_job_and_no_other():
    job, (robot, honest) = stories.an_open_job(workers=2, objects=8)
    other = stories.a_job(job.account, job.workteam)
    spam(honest, job, 5, activity=BY_HAND)
    spam(robot, job, 3, activity=BY_SCRIPT)
    assert "untrusted-events" in found(robot)
    assert found(honest) == {}
    assert (why_not(robot, job), why_not(robot, other), why_not(honest, job)) == (visibility.BLOCKED_JOB, None, None)
    with pytest.raises(Forbidden, match="closed to you"):
        assignments.claim(worker=robot, queue=job.queue)
    assert stories.work_list(robot) == []


def test_a_block_of_which_only_the_finding_was_stored_is_followed_by_the_sweep():
    job, (robot, _) = stories.an_open_job(workers=2, objects=8, review_days=3)
    give(robot, job)
    held = assignments.claim(worker=robot, queue=job.queue)
    ConductFinding.objects.create(
        worker=robot, queue=job.queue, rule="no-input", action="Block", reason="no input", found_at=timezone.now()
    )
    for _ in range(2):
        background.sweep()
        held.refresh_from_db()
        assert (held.state, AnswerReview.objects.get(worker=robot).state) == ("Returned", "Rejected")


def test_people_who_use_keys_and_clients_that_count_nothing_are_no_robots():
    job, (keys, client) = stories.an_open_job(workers=2, objects=12)
    spam(keys, job, 10, activity=KEYBOARD)
    spam(client, job, 10, activity=None)
    assert (found(keys), found(client)) == ({}, {})


def test_the_same_boxes_on_different_images_block_and_the_same_answers_give_one_finding():
    job, (robot, _) = stories.an_open_job(workers=2, objects=6)
    spam(robot, job, 3, content=stories.ONE_BEE)
    checks.check(queue=job.queue, worker=robot)
    assert [(row.rule, row.action) for row in ConductFinding.objects.all()] == [("same-marks", "Block")]


def test_a_pause_ends_by_itself_and_the_second_one_blocks():
    job, (worker, _) = stories.an_open_job(workers=2, objects=14, expected_seconds=60)
    for turn in range(2):
        for number in range(6):
            give(worker, job, seconds=(0.5, 4.0, 2.0)[number % 3])
        checks.check_queue(job.queue_id)
        if turn == 0:
            assert why_not(worker, job) == visibility.PAUSED
            ConductFinding.objects.update(until=timezone.now() - timedelta(seconds=1))
            assert why_not(worker, job) is None
    assert why_not(worker, job) == visibility.BLOCKED_JOB


def test_retraining_opens_the_job_when_the_instructions_were_read():
    job, (worker, _) = stories.an_open_job(workers=2, objects=17)
    spam(worker, job, 15, seconds=9)
    finding = ConductFinding.objects.get(rule="uniform-times")
    assert why_not(worker, job) == visibility.RETRAIN
    acting.instructions_read(finding=finding)
    assert why_not(worker, job) is None
    assert acting.instructions_read(finding=finding).state == "Done"


def test_tasks_that_were_held_go_to_others_and_answers_under_review_are_withdrawn():
    job, (robot, honest) = stories.an_open_job(workers=2, objects=6, review_days=3, workers_per_object=1)
    for _ in range(3):
        give(robot, job, content=stories.ONE_BEE)
    held = assignments.claim(worker=robot, queue=job.queue)
    checks.check_queue(job.queue_id)
    assert Assignment.objects.get(pk=held.pk).state == "Returned"
    assert set(AnswerReview.objects.values_list("state", flat=True)) == {"Rejected"}
    assert (earnings.held(worker=robot), earnings.balance(worker=robot)) == (0, 0)
    # Somebody else can do all of it.
    assert stories.work(honest, job, stories.boxes((5, 5, 60, 60)), most=10) == 6


def test_a_ban_waits_for_the_operator_and_a_block_is_lifted_when_nobody_answers():
    job, (worker, _) = stories.an_open_job(workers=2, objects=6, review_days=3)
    spam(worker, job, 3, content=stories.ONE_BEE)
    finding = ConductFinding.objects.get()
    appeal = appeals.file_appeal(finding=finding, worker=worker, text="They are all the same picture.")
    assert list(appeals.of_account(job.account)) == [appeal]
    acting.ban(finding=finding, by="user:1")
    assert list(appeals.of_account(job.account)) == []
    later = timezone.now() + timedelta(days=400)
    assert appeals.uphold_overdue(now=later) == 0
    assert why_not(worker, job) == "suspended"

    appeals.uphold(appeal=ConductAppeal.objects.get(), text="It was a mistake.", by="user:1")
    assert why_not(worker, job) is None
    assert Worker.objects.get(pk=worker.pk).status == WorkerStatus.ACTIVE
    # What was withdrawn is paid after all.
    assert earnings.balance(worker=worker) == 3 * stories.PRICE


def test_an_unanswered_appeal_against_a_block_is_upheld_and_a_denied_one_is_not():
    job, (one, two) = stories.an_open_job(workers=2, objects=6)
    for worker in (one, two):
        spam(worker, job, 3, content=stories.ONE_BEE if worker == one else stories.boxes((1, 1, 9, 9)))
        finding = ConductFinding.objects.get(worker=worker)
        appeals.file_appeal(finding=finding, worker=worker, text="No.")
        with pytest.raises(WrongState):
            appeals.file_appeal(finding=finding, worker=worker, text="Really not.")
    appeals.deny(appeal=ConductAppeal.objects.get(finding__worker=two), text="Look again.", by="user:1")
    assert appeals.uphold_overdue(now=timezone.now() + timedelta(days=10)) == 1
    assert (why_not(one, job), why_not(two, job)) == (None, visibility.BLOCKED_JOB)


def test_a_rule_does_what_the_queue_says_else_the_account_else_the_default():
    job, (worker, other) = stories.an_open_job(workers=2, objects=8)
    policies.set_policy(rule="same-marks", action="Warn", account=job.account, by="user:1")
    spam(worker, job, 3, content=stories.ONE_BEE)
    assert (found(worker), why_not(worker, job)) == ({"same-marks": "Warn"}, None)
    policies.set_policy(rule="same-marks", action="Off", queue=job.queue, by="user:1")
    spam(other, job, 3, content=stories.ONE_BEE)
    assert found(other) == {}
    assert policies.policies(account=job.account)["same-marks"].action == "Warn"
    for wrong in ({"action": "Ban"}, {"action": "Pause", "minutes": 0}, {"action": "Shout"}):
        with pytest.raises(Invalid):
            policies.set_policy(rule="same-marks", account=job.account, by="user:1", **wrong)
    assert policies.set_policy(rule="same-marks", action="Ban", by="user:1").action == "Ban"


def test_a_person_closes_a_job_to_a_worker():
    job, (worker, _) = stories.an_open_job(workers=2)
    finding = acting.block(queue=job.queue, worker=worker, reason="answers in the wrong language", by="user:1")
    assert acting.block(queue=job.queue, worker=worker, reason="again", by="user:1") == finding
    assert why_not(worker, job) == visibility.BLOCKED_JOB
    acting.dismiss(finding=finding, by="user:1")
    assert why_not(worker, job) is None


def test_simulated_people_are_not_looked_at_and_one_message_waits_for_a_queue():
    job, (worker, _) = stories.an_open_job(workers=2, objects=6)
    worker.user.is_simulated = True
    worker.user.save()
    for _ in range(3):
        give(worker, job, content=stories.ONE_BEE)
    sent = [one for one in OrmQ.objects.all() if one.task["func"] == "labeling.background.check_conduct"]
    assert len(sent) == 1
    assert sent[0].lock > ConductCheck.objects.get().requested_at, "delivered a while after the answer"
    assert ConductCheck.objects.count() == 1
    assert checks.check_queue(job.queue_id) == 0
    assert not ConductCheck.objects.exists()
    assert found(worker) == {}


def test_the_cost_of_a_look_does_not_grow_with_the_work_done(django_assert_max_num_queries):
    job, (worker, other) = stories.an_open_job(workers=2, objects=24)
    spam(other, job, 20)
    spam(worker, job, 2)
    with django_assert_max_num_queries(14):
        checks.check(queue=job.queue, worker=worker)
    spam(worker, job, 8)
    with django_assert_max_num_queries(14):
        checks.check(queue=job.queue, worker=worker)
    assert Task.objects.filter(queue=job.queue).count() == 24
    assert WorkQueue.objects.get(pk=job.queue_id).open
    assert people.history(worker.user) == []


def test_two_accounts_of_one_person_are_noted_for_the_operator_and_not_told():
    job, workers = stories.an_open_job(workers=5, objects=12, workers_per_object=5)
    operator = builders.an_operator()
    rng = random.Random(4)
    twins = {}
    for number, worker in enumerate(workers):
        for _ in range(12):
            seat = assignments.claim(worker=worker, queue=job.queue)
            own = stories.boxes((rng.randrange(400), rng.randrange(300), rng.randrange(20, 90), rng.randrange(20, 90)))
            stories.answer(seat, twins.setdefault(seat.task_id, own) if number < 2 else own)
    assert colluding.check_queue(job.queue_id) == 1
    assert colluding.check_queue(job.queue_id) == 0
    noted = {row.worker: row for row in ConductFinding.objects.all()}
    assert set(noted) == set(workers[:2])
    assert {(row.rule, row.action) for row in noted.values()} == {("collusion", "Note")}
    assert noted[workers[0]].numbers["other"] == workers[1].public_id
    assert not lists.of_worker(workers[0]).exists() and why_not(workers[0], job) is None
    assert lists.open_ones(lists.of_operator()).count() == 2
    notice = Notice.objects.get()
    assert (notice.user, notice.kind, notice.subject_type) == (operator, "flag", "conduct-flag")
    assert notice.text == f"Two workers agree far more than their accuracies allow: {job.title}, of {job.account.name}."


# --- evidence -------------------------------------------------------------------------------------------------------


def test_agreement_and_reviews_enter_the_reputation_and_an_appeal_replaces_them():
    job, workers = stories.an_open_job(workers=3, objects=1, review_days=3)
    far = stories.boxes((400, 300, 50, 40))
    for worker, content in zip(workers, (stories.ONE_BEE, stories.ONE_BEE, far), strict=True):
        give(worker, job, content=content)
    advancing.advance_job(job.pk)
    good, _, bad = workers
    believed = reputation.accuracies_of([one.pk for one in workers], task_type=job.task_type)
    assert believed[good.pk].mean > believed[bad.pk].mean
    assert {row.label for row in reputation.accuracies(good)} == {"", "bee"}
    assert DataObject.objects.get(job=job).state == "HumanLabeled"

    review = AnswerReview.objects.select_related("queue").get(worker=bad)
    deciding.reject_one(review=review, reason="there is nothing there", by="user:1")
    subject = Subject("assignment", review.assignment_id)
    assert not Evidence.objects.filter(subject_type=subject.type, subject_id=subject.id).exists()
    assert reputation.accuracies(bad)[0].mean < believed[bad.pk].mean
    appeal = review_appeals.file_appeal(review=review, worker=bad, text="there is")
    review_appeals.uphold(appeal=appeal, text="right", by="user:1")
    assert Evidence.objects.get(worker=bad, source="review").correct == 1.0


def test_what_nobody_looked_at_is_no_evidence():
    job, (worker, *_) = stories.an_open_job(workers=3, objects=1, review_days=0)
    give(worker, job)
    deciding.accept_due(now=timezone.now() + timedelta(days=1))
    assert AnswerReview.objects.get().state == "Accepted"
    assert not Evidence.objects.exists()
