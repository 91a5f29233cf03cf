"""What people are told of labeling: only those whom it concerns, once, and at a cost that is bounded."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from labeling import background
from labeling.models import AnswerReview, Batch, LabelingJob
from labeling.services import notices
from labeling.services.conduct import acting
from labeling.services.jobs import finishing, repricing
from labeling.services.results import appeals, deciding
from marketplace import money
from marketplace.errors import InsufficientFunds
from marketplace.models import AuditEvent, Notice, NoticeKind, User, Worker
from marketplace.services import eligibility, funds, people, wallets, workteams
from tests import builders
from tests.labeling import stories

pytestmark = pytest.mark.django_db


def told(kind: NoticeKind) -> list[Notice]:
    return list(Notice.objects.filter(kind=kind).select_related("user").order_by("user", "pk"))


def a_job_with_a_batch(**options) -> tuple[LabelingJob, list[Worker]]:
    job, workers = stories.a_funded_job(**{"objects": 2, "workers": 3, "workers_per_object": 2, **options})
    background.advance_job(job.pk)
    return job, workers


def waiting(path: str) -> list[tuple]:
    """The arguments of the messages that wait for a function."""
    return [row.task["args"] for row in OrmQ.objects.order_by("pk") if row.task["func"] == path]


class TestWork:
    def test_the_members_of_the_team_who_may_see_it_are_told_once(self):
        job, (ana, ben, cleo) = a_job_with_a_batch(title="Bees on combs")
        eligibility.block(account=job.account, worker=ben, by="system")
        people.suspend(worker=cleo, reason="spam", by="system")
        ((queue_id, after),) = waiting(notices.TELL_TEAMS)
        for _ in range(2):
            background.tell_of_work(queue_id, after)
        (notice,) = told(NoticeKind.WORK_AVAILABLE)
        assert notice.user == ana.user and notice.text == f"{job.account.name} has new work for you: Bees on combs."

    def test_only_the_first_batch_is_told(self):
        job, workers = a_job_with_a_batch(max_concurrent_tasks=1)
        for worker in workers:
            stories.work(worker, job)
        background.advance_job(job.pk)
        assert Batch.objects.filter(queue=job.queue).count() == 2
        assert len(waiting(notices.TELL_TEAMS)) == 1

    def test_a_large_team_is_told_a_page_at_a_time(self, monkeypatch, django_assert_max_num_queries):
        monkeypatch.setattr(notices, "TEAM_PAGE", 2)
        job, workers = a_job_with_a_batch(workers=5)
        rest = [(job.queue_id, 0)]
        while rest:
            OrmQ.objects.all().delete()
            with django_assert_max_num_queries(12):
                background.tell_of_work(*rest.pop())
            rest = waiting(notices.TELL_TEAMS)
        assert [notice.user for notice in told(NoticeKind.WORK_AVAILABLE)] == [worker.user for worker in workers]

    def test_nobody_is_told_of_a_job_that_is_over(self):
        job, _ = a_job_with_a_batch()
        finishing.fail_job(job=job, reason="broken")
        background.tell_of_work(job.queue_id, 0)
        assert not told(NoticeKind.WORK_AVAILABLE)


class TestPrices:
    @staticmethod
    def raise_to(job: LabelingJob, micros: int) -> tuple:
        """The arguments of the message that a rise sends."""
        job = LabelingJob.objects.select_related("queue__workteam", "account").get(pk=job.pk)
        repricing.raise_price(job=job, price_micros=micros, by="user:1")
        return waiting(notices.TELL_PRICE)[-1]

    def test_whoever_had_the_work_on_offer_and_can_do_some_is_told_once(self):
        job, (told_only, worked, blocked, paused, done, new) = a_job_with_a_batch(
            objects=3, workers=6, workers_per_object=6, title="Bees"
        )
        background.tell_of_work(job.queue_id, 0)
        assert len(told(NoticeKind.WORK_AVAILABLE)) == 6
        Notice.objects.exclude(user=told_only.user).delete()
        for worker in (worked, blocked, paused):
            stories.claim_and_answer(worker, job)
        stories.work(done, job, most=3)
        eligibility.block(account=job.account, worker=blocked, by="system")
        acting.block(queue=job.queue, worker=paused, reason="spam", by="user:1")
        Notice.objects.filter(kind=NoticeKind.FLAG).delete()
        change, after = self.raise_to(job, 40_000)
        for _ in range(2):
            background.tell_of_price(change, after)
        found = [notice for notice in told(NoticeKind.WORK_AVAILABLE) if notice.subject_type == "price-change"]
        assert [notice.user for notice in found] == [told_only.user, worked.user]
        assert {notice.text for notice in found} == {
            f"{job.account.name} pays more for Bees: 0.04 dollars an answer instead of 0.036."
        }
        # The member who was never told nor had a task has it not on offer "before".
        assert new.user not in [notice.user for notice in found]

    def test_of_two_rises_the_second_is_told_a_page_at_a_time(self, monkeypatch):
        monkeypatch.setattr(notices, "TEAM_PAGE", 2)
        job, workers = a_job_with_a_batch(objects=2, workers=3, workers_per_object=3)
        for worker in workers:
            stories.claim_and_answer(worker, job)
        first, second = self.raise_to(job, 40_000), self.raise_to(job, 50_000)
        background.tell_of_price(*first)
        assert not told(NoticeKind.WORK_AVAILABLE)
        background.tell_of_price(*second)
        background.tell_of_price(*waiting(notices.TELL_PRICE)[-1])
        assert [notice.user for notice in told(NoticeKind.WORK_AVAILABLE)] == [worker.user for worker in workers]

    def test_nobody_is_told_of_a_rise_that_was_refused_or_once_the_job_is_over(self):
        job, (worker, *_) = a_job_with_a_batch(funds="0.3")
        stories.claim_and_answer(worker, job)
        with pytest.raises(InsufficientFunds):
            self.raise_to(job, 1_000_000)
        assert not waiting(notices.TELL_PRICE)
        message = self.raise_to(job, 37_000)
        finishing.fail_job(job=job, reason="broken")
        background.tell_of_price(*message)
        assert not told(NoticeKind.WORK_AVAILABLE)


class TestPublicWork:
    @pytest.fixture
    def pool(self) -> list[Worker]:
        crowd = stories.a_crowd(3)
        for worker in crowd:
            workteams.join_public_pool(worker)
        return crowd

    @staticmethod
    def a_public_job() -> LabelingJob:
        account = stories.an_account(funds="100")
        job = stories.a_job(account, workteams.public_pool(), objects=1, workers_per_object=1)
        background.advance_job(job.pk)
        return job

    def test_everybody_in_the_pool_hears_once_a_day_how_many_jobs_are_new_to_them(self, pool):
        first, _ = self.a_public_job(), self.a_public_job()
        assert not waiting(notices.TELL_TEAMS) and not told(NoticeKind.WORK_AVAILABLE)
        eligibility.block(account=first.account, worker=pool[1], by="system")
        people.suspend(worker=pool[2], reason="spam", by="system")
        until = int(timezone.now().timestamp()) + 1
        for _ in range(2):
            background.tell_of_public_work(until, 0)
        assert {(notice.user_id, notice.text) for notice in told(NoticeKind.WORK_AVAILABLE)} == {
            (pool[0].user_id, "2 new jobs are open to everybody."),
            (pool[1].user_id, "A new job is open to everybody."),
        }
        assert Notice.objects.filter(kind=NoticeKind.WORK_AVAILABLE).count() == 2

    def test_older_jobs_are_not_new(self, pool):
        job = self.a_public_job()
        Batch.objects.filter(queue=job.queue).update(opened_at=timezone.now() - timedelta(hours=25))
        background.tell_of_public_work(int(timezone.now().timestamp()), 0)
        assert not told(NoticeKind.WORK_AVAILABLE)

    def test_it_is_asked_for_once_in_the_hour_before_the_digests(self, settings):
        settings.DIGEST_HOUR = 6
        for minute in (0, 59):
            notices.request_public_digest(now=datetime(2026, 3, 1, 4, minute, tzinfo=UTC))
        assert not waiting(notices.TELL_PUBLIC)
        for minute in (0, 1, 59):
            notices.request_public_digest(now=datetime(2026, 3, 1, 5, minute, tzinfo=UTC))
        assert len(waiting(notices.TELL_PUBLIC)) == 1
        notices.request_public_digest(now=datetime(2026, 3, 2, 5, 0, tzinfo=UTC))
        assert len(waiting(notices.TELL_PUBLIC)) == 2

    def test_the_pool_is_told_a_page_at_a_time(self, pool, monkeypatch):
        monkeypatch.setattr(notices, "PUBLIC_PAGE", 2)
        self.a_public_job()
        until = int(timezone.now().timestamp()) + 1
        background.tell_of_public_work(until, 0)
        ((_, after),) = waiting(notices.TELL_PUBLIC)
        background.tell_of_public_work(until, after)
        assert [notice.user for notice in told(NoticeKind.WORK_AVAILABLE)] == [worker.user for worker in pool]


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda job: finishing.fail_job(job=job, reason="its images are gone"), "has failed: its images are gone."),
        (lambda job: stop(job), "was stopped: stopped; what was done is kept."),
    ],
)
def test_the_account_is_told_how_a_job_ended(end, said):
    job, _ = a_job_with_a_batch()
    end(job)
    (notice,) = told(NoticeKind.JOB_DONE)
    assert notice.user == job.account.members.get() and notice.text == f"The labeling job {job.name} {said}"
    assert (notice.subject_type, notice.subject_id) == ("labeling-job", job.pk)


def stop(job: LabelingJob) -> None:
    finishing.move(job, "Stopping", by="system")
    assert finishing.finish_stop(job=job)


def test_the_account_is_told_once_until_a_deposit_that_its_money_does_not_suffice():
    account = stories.an_account(funds="0.01")
    job = stories.a_job(account, builders.a_team(account=account, workers=1), objects=2)
    for _ in range(3):
        background.advance_job(job.pk)
    (notice,) = told(NoticeKind.LOW_FUNDS)
    assert f"holds 0.01 dollars, too little for the labeling job {job.name}" in notice.text
    wallets.deposit(account=account, amount_micros=10_000, reference="more", by="system")
    background.advance_job(job.pk)
    assert len(told(NoticeKind.LOW_FUNDS)) == 2


def test_the_admins_are_told_when_a_batch_leaves_less_than_they_want():
    job, _ = stories.a_funded_job(objects=2, workers=2, workers_per_object=2)
    funds.set_threshold(account=job.account, amount_micros=money.parse("1"), by="user:1")
    assert not told(NoticeKind.LOW_FUNDS)
    funds.set_threshold(account=job.account, amount_micros=wallets.balance(job.account), by="user:1")
    assert not told(NoticeKind.LOW_FUNDS)
    background.advance_job(job.pk)
    (notice,) = told(NoticeKind.LOW_FUNDS)
    assert "less than" in notice.text


class TestReviews:
    @pytest.fixture
    def job(self) -> LabelingJob:
        job, workers = a_job_with_a_batch(review_days=3)
        for worker in workers[:2]:
            stories.work(worker, job)
        return job

    def test_a_worker_is_told_of_all_their_rejected_answers_at_once(self, job):
        ids = list(AnswerReview.objects.values_list("pk", flat=True))
        assert len(ids) == 4
        deciding.reject(queue=job.queue, review_ids=ids, reason="not tight", by="user:1")
        first, second = told(NoticeKind.REJECTION)
        assert first.user != second.user
        assert first.text == f"2 answers of yours to {job.title} were rejected: not tight"
        rows = AuditEvent.objects.filter(account=job.account, object_type="labeling.AnswerReview")
        assert rows.count() == 4 and all("rejected: not tight" in row.because for row in rows)

    def test_accepting_is_recorded_with_the_workers(self, job):
        review = AnswerReview.objects.order_by("pk")[0]
        deciding.accept_one(review=review, by="user:1")
        row = AuditEvent.objects.get(account=job.account, because__startswith="1 answers accepted")
        assert row.by == "user:1" and f"worker:{review.worker_id}" in row.because

    @pytest.mark.parametrize(("answer", "said"), [(appeals.deny, "denied"), (appeals.uphold, "upheld")])
    def test_both_sides_hear_of_an_appeal(self, job, answer, said):
        review = AnswerReview.objects.select_related("queue", "worker").order_by("pk")[0]
        rejected = deciding.reject_one(review=review, reason="no", by="user:1")
        appeal = appeals.file_appeal(review=rejected, worker=review.worker, text="it is right")
        appeals.file_appeal(review=rejected, worker=review.worker, text="it is right")
        (filed,) = told(NoticeKind.APPEAL)
        assert filed.user == job.account.members.get() and review.worker.public_id in filed.text
        for _ in range(2):
            answer(appeal=appeal, text="look again", by="user:1")
        (answered,) = [notice for notice in told(NoticeKind.APPEAL) if notice.pk != filed.pk]
        assert answered.user == User.objects.get(worker=review.worker)
        assert answered.text == f"Your appeal about {job.title} was {said}: look again"
        rows = AuditEvent.objects.filter(account=job.account, object_type="labeling.Appeal").order_by("pk")
        assert [row.to_status for row in rows] == ["Open", said.capitalize()]
