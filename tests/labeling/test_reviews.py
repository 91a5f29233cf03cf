"""Reviews of answers: pay waits for them, a rejection takes an answer out of the label, appeals bring it back."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.models import AdvanceRequest, AnswerReview, Assignment, Batch, DataObject, Label, LabelingJob, Task
from labeling.queries import progress
from labeling.services.jobs import advancing, creation
from labeling.services.output import manifests
from labeling.services.queue import advance_requests, assignments, leases
from labeling.services.results import adjudication, appeals, deciding, labels, review_lists
from labeling.services.results.review_lists import ReviewFilter
from marketplace import storage
from marketplace.errors import Invalid, TaskGone, WrongState
from marketplace.models import Entry
from marketplace.services import earnings, ledger_audit, wallets
from tests.labeling import stories

pytestmark = pytest.mark.django_db
COST = stories.PRICE + stories.FEE
NOTHING = stories.boxes()


@pytest.fixture(autouse=True)
def _whole_ledger():
    yield
    assert ledger_audit.findings() == []


def a_reviewed_job(*, workers=3, objects=2, **changes):
    return stories.an_open_job(workers=workers, objects=objects, review_days=3, **changes)


def an_answer(job, worker, content=stories.ONE_BEE):
    """The review of an answer that the worker gives now."""
    seat = assignments.claim(worker=worker, queue=job.queue)
    stories.answer(seat, content)
    return AnswerReview.objects.select_related("queue", "assignment").get(assignment=seat)


def a_finished_job(**changes):
    """A completed job of one object that every worker answered; nothing is decided."""
    job, workers = a_reviewed_job(objects=1, **changes)
    for worker in workers:
        stories.work(worker, job)
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed"
    return job, workers, list(AnswerReview.objects.filter(queue=job.queue).order_by("pk"))


def the_object(job):
    return DataObject.objects.select_related("label", "job__queue").get(job=job)


# --- held, accepted, by date ----------------------------------------------------------------------------------------


def test_pay_is_held_until_the_answer_is_accepted():
    job, (worker, *_) = a_reviewed_job()
    seat = assignments.claim(worker=worker, queue=job.queue)

    done = stories.answer(seat)

    assert (done.paid_micros, earnings.balance(worker), earnings.held(worker)) == (stories.PRICE, 0, stories.PRICE)
    assert done.held_until > timezone.now() + timedelta(days=2)
    assert stories.answer(seat) == assignments.Submission(
        seat.pk, job.queue_id, stories.PRICE, True, AnswerReview.objects.get().due_at
    )
    deciding.accept_one(review=AnswerReview.objects.get(), by="user:1")
    assert (earnings.balance(worker), earnings.held(worker)) == (stories.PRICE, 0)
    assert stories.answer(seat).held_until is None


def test_without_a_review_pay_is_released_at_once_and_nothing_is_stored():
    job, (worker, *_) = stories.an_open_job()
    stories.claim_and_answer(worker, job)
    assert earnings.balance(worker) == stories.PRICE
    assert not AnswerReview.objects.exists()


def test_what_nobody_decided_about_is_accepted_by_its_date_in_chunks_and_twice_changes_nothing(monkeypatch):
    monkeypatch.setattr(deciding, "CHUNK", 2)
    job, workers = a_reviewed_job(objects=3)
    for worker in workers:
        stories.work(worker, job)
    assert deciding.accept_due() == 0
    later = timezone.now() + timedelta(days=3, minutes=1)

    assert deciding.accept_due(now=later) == 9
    entries = Entry.objects.count()
    assert deciding.accept_due(now=later) == 0

    assert Entry.objects.count() == entries
    assert {review.decided_by for review in AnswerReview.objects.all()} == {"system"}
    assert [earnings.balance(worker) for worker in workers] == [3 * stories.PRICE] * 3


def test_a_sweep_that_is_killed_keeps_what_it_has_decided(monkeypatch):
    monkeypatch.setattr(deciding, "CHUNK", 2)
    job, workers = a_reviewed_job(objects=2)
    for worker in workers:
        stories.work(worker, job)
    real, calls = deciding.reviewed_pay.release, []

    def killed_at_the_fourth(**values):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        real(**values)

    later = timezone.now() + timedelta(days=4)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(deciding.reviewed_pay, "release", killed_at_the_fourth)
        deciding.accept_due(now=later)
    assert AnswerReview.objects.filter(state="Accepted").count() == 2
    assert ledger_audit.findings() == []

    assert deciding.accept_due(now=later) == 4


@pytest.mark.parametrize("days", [-1, 31, 1.5, True, "3"])
def test_a_review_has_0_to_30_days(days):
    account = stories.an_account()
    team = stories.builders.a_team(account=account, workers=1)
    with pytest.raises(Invalid) as raised:
        creation.create_job(**stories.a_design(account, team, review_days=days))
    assert [name for name, _ in raised.value.errors] == ["review_days"]


# --- rejected while the batch is on offer ---------------------------------------------------------------------------


def test_a_rejected_answer_is_not_paid_and_its_seat_goes_to_others_only():
    job, (first, second, *_) = a_reviewed_job(objects=1, workers_per_object=1)
    review = an_answer(job, first)

    deciding.reject_one(review=review, reason="the wasp is missing", by="user:1")

    assert (earnings.balance(first), earnings.held(first)) == (0, 0)
    assert Assignment.objects.get(worker=first).state == "Rejected"
    assert assignments.claim(worker=first, queue=job.queue) is None
    seat = assignments.claim(worker=second, queue=job.queue)
    assert seat.task_id == review.assignment.task_id
    stories.answer(seat)
    deciding.accept(queue=job.queue, review_ids=AnswerReview.objects.values_list("pk", flat=True), by="user:1")
    assert (earnings.balance(first), earnings.balance(second)) == (0, stories.PRICE)


def test_a_rejected_answer_may_go_back_to_its_worker_first():
    job, (worker, other, *_) = a_reviewed_job(objects=1, workers_per_object=1)
    review = an_answer(job, worker)

    deciding.reject_one(review=review, reason="draw closer", return_to_worker=True, by="user:1")

    seat = Assignment.objects.select_related("worker").get(worker=worker)
    assert (seat.state, seat.lease_expires_at > timezone.now()) == ("Leased", True)
    assert assignments.claim(worker=other, queue=job.queue) is None
    stories.answer(seat, key="again")
    advancing.advance_job(job.pk)
    assert the_object(job).state == "HumanLabeled"
    assert [one.state for one in AnswerReview.objects.order_by("pk")] == ["Rejected", "Pending"]


@pytest.mark.parametrize("end", ["return", "decline", "expire"])
def test_a_task_that_came_back_and_is_not_answered_again_goes_to_others(end):
    job, (worker, other, *_) = a_reviewed_job(objects=1, workers_per_object=1)
    deciding.reject_one(review=an_answer(job, worker), reason="no", return_to_worker=True, by="user:1")
    seat = Assignment.objects.get(worker=worker)

    if end == "expire":
        leases.expire_overdue(now=timezone.now() + timedelta(hours=1))
    else:
        {"return": assignments.give_back, "decline": assignments.decline}[end](assignment=seat, worker=worker)

    seat.refresh_from_db()
    assert seat.state == "Rejected"
    assert assignments.claim(worker=worker, queue=job.queue) is None
    assert assignments.claim(worker=other, queue=job.queue).task_id == seat.task_id
    with pytest.raises(TaskGone, match="rejected"):
        stories.answer(Assignment.objects.get(worker=worker), key="too late")


def test_a_label_is_withdrawn_until_the_object_is_answered_again():
    job, workers = a_reviewed_job(workers=3, objects=2, workers_per_object=2)
    task = Task.objects.order_by("queue_position").first()
    reviews = [an_answer(job, worker) for worker in workers[:2]]
    advancing.advance_job(job.pk)
    shown = DataObject.objects.get(pk=task.data_object_id)
    assert (shown.state, shown.label.explanation["clusters"][0]["members"] != []) == ("HumanLabeled", True)

    deciding.reject_one(review=reviews[0], reason="no", by="user:1")

    shown.refresh_from_db()
    assert (shown.state, shown.label) == ("PendingHuman", None)
    assert Label.objects.filter(data_object=shown).count() == 1
    other, again = an_answer(job, workers[2]), an_answer(job, workers[2])
    assert (other.assignment.task_id != task.pk, again.assignment.task_id == task.pk) == (True, True)
    advancing.advance_job(job.pk)
    shown.refresh_from_db()
    assert (shown.state, shown.label.revision) == ("HumanLabeled", 2)


def test_a_decided_label_stays_and_its_task_is_not_offered_again():
    job, workers = a_reviewed_job(workers=3, objects=2, workers_per_object=2)
    reviews = [an_answer(job, worker) for worker in workers[:2]]
    advancing.advance_job(job.pk)
    shown = DataObject.objects.select_related("job__queue", "label").get(pk=reviews[0].assignment.task.data_object_id)
    mine = adjudication.adjudicate(data_object=shown, content=NOTHING, by="user:1")

    deciding.reject(queue=job.queue, review_ids=[one.pk for one in reviews], reason="no", by="user:1")
    advancing.advance_job(job.pk)

    shown.refresh_from_db()
    assert (shown.state, shown.label_id) == ("HumanLabeled", mine.pk)
    assert Task.objects.get(pk=reviews[0].assignment.task_id).state == "Expired"


# --- rejected when the batch is over --------------------------------------------------------------------------------


def test_after_the_end_a_label_is_made_again_without_the_answer_and_reaches_the_output():
    job, workers = a_reviewed_job(objects=1)
    for worker, content in zip(workers, [stories.ONE_BEE, NOTHING, NOTHING], strict=True):
        an_answer(job, worker, content)
    advancing.advance_job(job.pk)
    before = the_object(job).label
    balance = wallets.balance(job.account)
    LabelingJob.objects.filter(pk=job.pk).update(output_written_at=timezone.now() + timedelta(minutes=2))

    silent = AnswerReview.objects.filter(worker__in=workers[1:])
    deciding.reject(queue=job.queue, review_ids=silent.values_list("pk", flat=True), reason="there is a bee", by="u")
    LabelingJob.objects.filter(pk=job.pk).update(output_written_at=timezone.now())
    advancing.advance_job(job.pk)

    after = the_object(job).label
    assert (before.value["boxes"], len(after.value["boxes"])) == ([], 1)
    assert after.revision == before.revision + 1
    line = json.loads(storage.read(manifests.manifest_uri(job)).splitlines()[0])
    assert len(line[job.label_attribute_name]["annotations"]) == 1
    assert wallets.balance(job.account) == balance + 2 * COST


def test_after_the_end_an_object_without_answers_is_failed_with_the_reason():
    job, workers, reviews = a_finished_job(workers_per_object=1, workers=1)
    deciding.reject(queue=job.queue, review_ids=[reviews[0].pk], reason="this is no bee", by="user:1")
    advancing.advance_job(job.pk)

    shown = the_object(job)
    assert (shown.state, shown.label) == ("Failed", None)
    assert "this is no bee" in shown.failure_reason
    line = json.loads(storage.read(manifests.manifest_uri(job)).splitlines()[0])
    assert "this is no bee" in line[f"{job.label_attribute_name}-metadata"]["failure-reason"]


def test_the_advance_after_a_rejection_may_be_lost_and_is_made_up_by_the_sweep():
    job, workers, reviews = a_finished_job(workers_per_object=1, workers=1)
    deciding.reject(queue=job.queue, review_ids=[reviews[0].pk], reason="no", by="user:1")
    AdvanceRequest.objects.all().delete()
    advance_requests.sweep()
    assert AdvanceRequest.objects.filter(queue=job.queue_id).exists()
    advancing.advance_job(job.pk)
    stories.a_minute_passes()
    advance_requests.sweep()
    assert not AdvanceRequest.objects.filter(queue=job.queue_id).exists()


def test_a_rejection_while_a_task_waits_to_be_settled_is_seen_by_the_label():
    job, workers = a_reviewed_job(objects=1)
    reviews = [an_answer(job, worker) for worker in workers]
    assert Task.objects.get(queue=job.queue).due
    Batch.objects.filter(queue=job.queue).update(expires_at=timezone.now())

    deciding.reject_one(review=reviews[0], reason="no", by="user:1")
    advancing.advance_job(job.pk)

    members = the_object(job).label.explanation["clusters"][0]["members"]
    assert {member["worker"] for member in members} == {worker.public_id for worker in workers[1:]}


def test_a_jobs_money_is_spent_held_or_back_in_the_wallet():
    job, _, (first, second, third) = a_finished_job()

    def figures():
        money = progress.money(job)
        return money["spent_micros"] // COST, money["under_review_micros"] // COST, money["reserved_micros"]

    assert figures() == (0, 3, 0)
    deciding.accept_one(review=first, by="user:1")
    deciding.reject_one(review=second, reason="no", by="user:1")
    assert figures() == (1, 1, 0)
    appeal = appeals.file_appeal(review=second, worker=second.worker, text="yes")
    appeals.uphold(appeal=appeal, text="yes", by="user:1")
    deciding.reject_one(review=third, reason="no", by="user:1")
    assert figures() == (2, 0, 0)
    assert wallets.spent_by_day(job.account, since=job.created_at) == {timezone.now().date(): 2 * COST}


# --- one decision ---------------------------------------------------------------------------------------------------


def test_a_decision_stands_and_may_be_repeated():
    job, (first, second, *_) = a_reviewed_job()
    accepted, rejected = an_answer(job, first), an_answer(job, second)
    for _ in range(2):
        deciding.accept_one(review=accepted, by="user:1")
        deciding.reject_one(review=rejected, reason="no", by="user:1")
    with pytest.raises(WrongState, match="accepted already"):
        deciding.reject_one(review=accepted, reason="no", by="user:1")
    with pytest.raises(WrongState, match="rejected already"):
        deciding.accept_one(review=rejected, by="user:1")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_rejection_needs_a_reason(reason):
    job, (worker, *_) = a_reviewed_job()
    review = an_answer(job, worker)
    with pytest.raises(Invalid) as raised:
        deciding.reject_one(review=review, reason=reason, by="user:1")
    assert raised.value.field == "reason"
    review.refresh_from_db()
    assert review.state == "Pending"


def test_another_queues_answers_are_not_decided():
    job, (worker, *_) = a_reviewed_job()
    other, _ = a_reviewed_job()
    review = an_answer(job, worker)
    assert deciding.accept(queue=other.queue, review_ids=[review.pk], by="user:1") == 0
    assert deciding.reject(queue=other.queue, review_ids=[review.pk], reason="no", by="user:1") == 0


# --- filters and samples --------------------------------------------------------------------------------------------


def test_answers_are_found_by_worker_label_age_and_agreement():
    job, workers = a_reviewed_job(objects=1)
    contents = [stories.ONE_BEE, stories.ONE_BEE, stories.boxes((400, 300, 60, 60), label="wasp")]
    made = [an_answer(job, worker, content).pk for worker, content in zip(workers, contents, strict=True)]
    advancing.advance_job(job.pk)
    AnswerReview.objects.filter(pk=made[1]).update(submitted_at=timezone.now() - timedelta(hours=5))

    def found(**fields):
        return list(review_lists.reviews(job.queue, ReviewFilter(**fields)).order_by("pk").values_list("pk", flat=True))

    assert found() == made
    assert found(worker=workers[0].public_id) == made[:1]
    assert found(label="wasp") == made[2:]
    assert found(submitted_before=timezone.now() - timedelta(hours=2)) == [made[1]]
    assert found(most_agreement=0.5) == [made[2]]
    assert found(state="Accepted") == []
    with pytest.raises(Invalid):
        found(most_agreement=float("nan"))


def test_a_sample_is_looked_at_and_the_rest_accepted():
    job, workers = a_reviewed_job(objects=2)
    for worker in workers:
        stories.work(worker, job)
    assert review_lists.draw_sample(queue=job.queue, size=4) == 4
    assert review_lists.draw_sample(queue=job.queue, size=2) == 2
    sample = set(AnswerReview.objects.filter(sampled=True).values_list("pk", flat=True))

    done = deciding.accept_where(queue=job.queue, wanted=ReviewFilter(sampled=False), by="user:1")

    assert done == (4, 0)
    assert set(AnswerReview.objects.filter(state="Pending").values_list("pk", flat=True)) == sample
    assert review_lists.draw_sample(queue=job.queue, size=500) == 2
    with pytest.raises(Invalid):
        review_lists.draw_sample(queue=job.queue, size=0)


def test_one_call_decides_a_bounded_number(monkeypatch):
    monkeypatch.setattr(deciding, "AT_ONCE", 2)
    job, (worker, *_) = a_reviewed_job(objects=3)
    stories.work(worker, job)
    wanted = ReviewFilter(worker=worker.public_id)
    assert deciding.reject_where(queue=job.queue, wanted=wanted, reason="no", by="user:1") == (2, 1)
    assert deciding.accept_where(queue=job.queue, wanted=wanted, by="user:1") == (1, 0)


def test_machine_labels_stay_when_an_answer_is_rejected():
    job, workers, reviews = a_finished_job(workers_per_object=1, workers=1)
    shown = the_object(job)
    revision = labels.Revision(shown.pk, {"boxes": []}, 1.0, {})
    (label,) = labels.write_revisions([revision], source="machine", algorithm="test/1")
    deciding.reject(queue=job.queue, review_ids=[reviews[0].pk], reason="no", by="user:1")
    advancing.advance_job(job.pk)
    assert (the_object(job).state, the_object(job).label_id) == ("MachineLabeled", label.pk)
    assert Label.objects.filter(data_object=shown).count() == 2
