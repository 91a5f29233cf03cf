"""Reviewers: workers whom an account trusts to decide about answers, and what they never decide about."""

import pytest

from labeling.models import AnswerReview, Assignment, DataObject, QueueReviewer
from labeling.services import bonuses, scope
from labeling.services.conduct import acting
from labeling.services.golds import keeping
from labeling.services.queue import assignments
from labeling.services.results import deciding, review_lists, reviewers
from labeling.services.results.review_lists import ReviewFilter
from marketplace.errors import Forbidden, InUse, Invalid, NotFound, TaskGone, WrongState
from marketplace.models import AuditEvent, Notice
from marketplace.services import earnings, eligibility, ledger_audit, people, qualifications, team_access, workteams
from tests import builders
from tests.labeling import stories, vendor_stories
from tests.labeling.test_concurrency import in_threads

pytestmark = pytest.mark.django_db


def a_job(**changes):
    """A job with a review, two answers of the first worker, and the last worker of its team, who is to review."""
    job, workers = stories.an_open_job(
        **{"workers": 3, "objects": 2, "workers_per_object": 2, "review_days": 3} | changes
    )
    stories.work(workers[0], job)
    return job, workers[0], workers[1], workers[-1]


def seen_by(worker, job):
    """The answers that the worker may decide about."""
    return review_lists.reviews(job.queue, ReviewFilter(reviewer=worker.pk)).order_by("pk")


def test_a_reviewer_decides_as_the_account_does_and_it_is_recorded():
    job, author, _, trusted = a_job()
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")
    (shown,) = reviewers.queues_of(trusted)
    assert (shown.pk, reviewers.waiting(trusted, [shown])) == (job.queue_id, {job.queue_id: 2})

    first, second = seen_by(trusted, job)
    deciding.accept_one(review=reviewers.review(trusted, first.pk), by=reviewers.actor(trusted))
    deciding.reject_one(review=reviewers.review(trusted, second.pk), reason="no bee", by=reviewers.actor(trusted))

    assert earnings.balance(author) == stories.PRICE
    assert reviewers.waiting(trusted, [shown]) == {job.queue_id: 0}
    assert reviewers.deciders(AnswerReview.objects.all()) == dict.fromkeys((first.pk, second.pk), trusted.public_id)
    by = AuditEvent.objects.filter(account=job.account, by=f"worker:{trusted.pk}").values_list("because", flat=True)
    assert sorted(by) == [
        f"1 answers accepted, of worker:{author.pk}",
        f"answer of worker:{author.pk} rejected: no bee",
    ]
    named = AuditEvent.objects.filter(because=f"worker:{trusted.pk} named to review answers")
    assert (named.get().account, named.get().by) == (job.account, "user:1")
    assert "asks you to review" in Notice.objects.get(user=trusted.user).text
    assert ledger_audit.findings() == []


def test_who_reviews_answers_nothing_and_gives_back_what_they_hold():
    job, _, other, trusted = a_job()
    held = assignments.claim(worker=trusted, queue=job.queue)
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")
    assert QueueReviewer.objects.count() == Notice.objects.filter(user=trusted.user).count() == 1
    with pytest.raises(TaskGone):
        stories.answer(held)
    assert stories.work_list(trusted) == []
    with pytest.raises(Forbidden, match="named to review"):
        assignments.claim(worker=trusted, queue=job.queue)

    reviewers.remove(queue=job.queue, worker=trusted, by="user:1")
    with pytest.raises(Forbidden, match="named to review"):
        assignments.claim(worker=trusted, queue=job.queue)
    assert stories.work(other, job) == 2


def test_nobody_decides_about_their_own_tasks_or_sees_golds():
    job, _, other, trusted = a_job(objects=3, workers_per_object=3)
    own = assignments.claim(worker=trusted, queue=job.queue)
    stories.answer(own)
    stories.add_objects(job, 1)
    row = DataObject.objects.filter(job=job).order_by("-index")[0]
    keeping.add(data_object=row, content=stories.ONE_BEE, by="system")
    stories.work(other, job)
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")

    shown = list(seen_by(trusted, job).select_related("assignment__task"))
    assert shown and own.task_id not in {one.assignment.task_id for one in shown}
    assert {one.assignment.task.gold_id for one in shown} == {None}
    hidden = AnswerReview.objects.exclude(pk__in=[one.pk for one in shown])
    assert hidden.filter(worker=trusted).exists() and hidden.exclude(worker=trusted).exists()
    for one in hidden:
        with pytest.raises(NotFound):
            reviewers.review(trusted, one.pk)
    done = deciding.accept_where(queue=job.queue, wanted=ReviewFilter(reviewer=trusted.pk), by=reviewers.actor(trusted))
    assert done == (len(shown), 0)
    assert set(AnswerReview.objects.filter(state="Pending")) == set(hidden)
    assert review_lists.draw_sample(queue=job.queue, size=9, wanted=ReviewFilter(reviewer=trusted.pk)) == 0


def test_a_removed_reviewer_sees_nothing_and_may_be_named_again():
    job, _, _, trusted = a_job()
    picture = DataObject.objects.filter(job=job)[0].pk
    (outsider,) = stories.a_crowd(1)
    first = AnswerReview.objects.order_by("pk")[0]
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")
    assert scope.object_shown_to(trusted.user, picture).pk == picture
    with pytest.raises(NotFound):
        scope.object_shown_to(outsider.user, picture)

    reviewers.remove(queue=job.queue, worker=trusted, by="user:1")
    assert list(reviewers.queues_of(trusted)) == [] and not reviewers.reviews_any(trusted)
    for refused in (
        lambda: reviewers.review(trusted, first.pk),
        lambda: reviewers.queue_of(trusted, job.queue_id),
        lambda: scope.object_shown_to(trusted.user, picture),
        lambda: reviewers.remove(queue=job.queue, worker=trusted, by="user:1"),
        lambda: reviewers.named(job.queue, trusted.public_id),
    ):
        with pytest.raises(NotFound):
            refused()
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")
    assert reviewers.review(trusted, first.pk) == first
    assert bonuses.worker_who_worked(job, trusted.public_id) == trusted


@pytest.mark.parametrize("how", ["left", "blocked", "suspended", "closed"])
def test_trust_ends_with_what_it_rested_on(how):
    job, _, _, trusted = a_job()
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")
    review = AnswerReview.objects.order_by("pk")[0]
    assert reviewers.review(trusted, review.pk) == review
    if how == "left":
        workteams.remove_worker(team=job.workteam, worker=trusted, by="user:1")
    elif how == "blocked":
        eligibility.block(account=job.account, worker=trusted, by="user:1")
    elif how == "suspended":
        people.suspend(worker=trusted, reason="spam", by="user:1")
    else:
        acting.block(queue=job.queue, worker=trusted, reason="spam", by="user:1")
    trusted.refresh_from_db()
    with pytest.raises(NotFound):
        reviewers.review(trusted, review.pk)
    assert list(reviewers.queues_of(trusted)) == []


def test_only_workers_whom_the_account_knows_are_named():
    job, _, _, _ = a_job()
    (stranger,) = stories.a_crowd(1)
    builders.a_team(account=stories.an_account(), workers=[stranger])
    for named in (stranger.public_id, "NOBODY"):
        with pytest.raises(Invalid, match="one of your own work teams"):
            reviewers.candidate(job.queue, named)
    with pytest.raises(Invalid):
        reviewers.add(queue=job.queue, worker=stranger, by="user:1")
    builders.a_team(account=job.account, workers=[stranger])
    assert reviewers.candidate(job.queue, stranger.public_id) == stranger
    assert not QueueReviewer.objects.exists()


def test_a_job_without_a_review_has_no_reviewers_and_others_not_too_many(monkeypatch):
    job, workers = stories.an_open_job()
    with pytest.raises(WrongState, match="no review"):
        reviewers.add(queue=job.queue, worker=workers[0], by="user:1")
    job, _, other, trusted = a_job()
    monkeypatch.setattr(reviewers, "REVIEWERS", type(reviewers.REVIEWERS)(0, 1))
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")
    with pytest.raises(Invalid, match="at most 1"):
        reviewers.add(queue=job.queue, worker=other, by="user:1")


def test_public_answers_are_reviewed_by_holders_of_the_accounts_qualification():
    account, (author, expert, other) = stories.an_account(), stories.a_crowd(3)
    for worker in (author, expert, other):
        workteams.join_public_pool(worker)
    job = stories.a_job(account, workteams.public_pool(), objects=1, workers_per_object=1, review_days=3)
    kinds = {
        owner: qualifications.create_type(
            account=owner, name="entomologist", description="x", granted_by="Manual", by="system"
        )
        for owner in (account, stories.an_account())
    }
    for owner, row in kinds.items():
        worker = expert if owner == account else other
        qualifications.grant(row=row, worker=worker, value=1, how="by hand", by="system")
    reviewers.add(queue=job.queue, worker=expert, by="user:1")
    with pytest.raises(Invalid, match="hold one of your own qualifications"):
        reviewers.add(queue=job.queue, worker=other, by="user:1")
    private = stories.a_job(account, builders.a_team(account=account, workers=1), review_days=3)
    with pytest.raises(Invalid):
        reviewers.add(queue=private.queue, worker=expert, by="user:1")

    assert [one.pk for one in reviewers.queues_of(expert)] == [job.queue_id]
    qualifications.revoke(row=kinds[account], worker=expert, reason="left", by="system")
    assert list(reviewers.queues_of(expert)) == []


def test_staff_of_the_vendor_who_answers_do_not_review():
    job, (staff, *_), _ = vendor_stories.a_vendor_job(workers=1, objects=1, review_days=3)
    builders.a_team(account=job.account, workers=[staff])
    with pytest.raises(Invalid, match="not be staff of the vendor"):
        reviewers.add(queue=job.queue, worker=staff, by="user:1")


def test_the_networks_of_the_team_hold_for_reviewers():
    job, _, _, trusted = a_job()
    reviewers.add(queue=job.queue, worker=trusted, by="user:1")
    review = AnswerReview.objects.order_by("pk")[0]
    team_access.set_networks(team=job.workteam, cidrs=["203.0.113.0/24"], by="user:1")
    assert [one.pk for one in reviewers.queues_of(trusted, "203.0.113.9")] == [job.queue_id]
    assert list(reviewers.queues_of(trusted, "198.51.100.1")) == []
    with pytest.raises(Forbidden):
        reviewers.review(trusted, review.pk, "198.51.100.1")


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_decide_about_each_answer_once():
    job, author, other, trusted = a_job(objects=6)
    for one in (other, trusted):
        reviewers.add(queue=job.queue, worker=one, by="user:1")
    ids = list(AnswerReview.objects.order_by("pk").values_list("pk", flat=True))

    def decide(worker, order, how, **given):
        for pk in order:
            try:
                how(review=reviewers.review(worker, pk), by=reviewers.actor(worker), **given)
            except InUse:
                continue

    in_threads(
        lambda: decide(other, ids, deciding.accept_one),
        lambda: decide(trusted, ids[::-1], deciding.reject_one, reason="no"),
        lambda: decide(other, ids[1::2], deciding.reject_one, reason="no"),
    )

    rows = AnswerReview.objects.all()
    assert not rows.filter(state="Pending").exists()
    assert set(reviewers.deciders(rows)) == set(ids)
    by_trusted = rows.filter(decided_by=reviewers.actor(trusted))
    assert set(by_trusted.values_list("state", flat=True)) <= {"Rejected"}
    assert earnings.balance(author) == stories.PRICE * rows.filter(state="Accepted").count()
    assert Assignment.objects.filter(state="Rejected").count() == rows.filter(state="Rejected").count()
    assert ledger_audit.findings() == []
