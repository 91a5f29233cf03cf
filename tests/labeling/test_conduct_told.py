"""Who is told of what was found in a worker's conduct, of appeals against it, and of workers who agree too much."""

import logging
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from labeling.conduct.rules import Action
from labeling.models import ConductAppeal, ConductFinding
from labeling.services.conduct import acting, appeals, checks, deciding, policies
from marketplace.models import Notice, NoticeKind, Role, User, WebhookDelivery
from marketplace.services import accounts, earnings, webhooks
from tests import builders
from tests.labeling import stories
from tests.labeling.test_conduct import spam

pytestmark = pytest.mark.django_db
REASON = "3 of your last answers are the same to the pixel, on different images."


def told(user: User, kind: NoticeKind = NoticeKind.FLAG) -> list[str]:
    """What the person was told of this kind, oldest first."""
    return list(Notice.objects.filter(user=user, kind=kind).order_by("pk").values_list("text", flat=True))


def a_day(days: int) -> str:
    return f"{timezone.now() + timedelta(days=days):%Y-%m-%d}"


def find(job, worker, action: Action) -> ConductFinding:
    """Three times the same boxes, and what follows where the rule about them has this action."""
    policies.set_policy(rule="same-marks", action=action, minutes=10 if action == Action.PAUSE else 0, by="user:1")
    spam(worker, job, 3, content=stories.ONE_BEE)
    return ConductFinding.objects.get(worker=worker, rule="same-marks")


@pytest.fixture
def admin(job) -> User:
    """An admin of the job's account, beside its owner and a member who answers no appeals."""
    for role in (Role.MEMBER, Role.ADMIN):
        user = builders.a_user()
        accounts.add_member(account=job.account, user=user, role=role)
    return user


@pytest.fixture
def job_and_workers():
    return stories.an_open_job(workers=2, objects=6, review_days=3, title="Bees")


@pytest.fixture
def job(job_and_workers):
    return job_and_workers[0]


@pytest.fixture
def worker(job_and_workers):
    return job_and_workers[1][0]


class TestFindings:
    @pytest.mark.parametrize(
        ("action", "said"),
        [
            (Action.WARN, "A warning about your answers to Bees: "),
            (Action.RETRAIN, "Bees is closed to you until you have read its instructions again: "),
            (Action.BLOCK, "Bees is closed to you: "),
            (Action.BAN, "You are shown no work any more: "),
        ],
    )
    def test_the_worker_is_told_why_what_follows_and_until_when_to_appeal(self, job, worker, action, said):
        endpoint, _ = webhooks.create(url="https://hooks.example/x", kinds=["flag"], by="x", user=worker.user)
        find(job, worker, action)
        checks.check(queue=job.queue, worker=worker)
        text = f"{said}{REASON} You may appeal until {a_day(30)}."
        assert told(worker.user) == [text]
        notice = Notice.objects.get(user=worker.user, kind=NoticeKind.FLAG)
        assert (notice.account, notice.subject_type) == (job.account, "conduct-finding")
        assert text in WebhookDelivery.objects.get(endpoint=endpoint).body

    def test_a_pause_says_when_it_ends(self, job, worker):
        row = find(job, worker, Action.PAUSE)
        (text,) = told(worker.user)
        assert text.startswith(f"Bees is closed to you until {row.until:%Y-%m-%d %H:%M} UTC: ")

    def test_a_note_is_told_to_nobody(self, job, worker):
        find(job, worker, Action.NOTE)
        acting.dismiss(finding=ConductFinding.objects.get(), by="user:1")
        assert not Notice.objects.filter(kind=NoticeKind.FLAG).exists()

    def test_a_person_closes_the_job_and_opens_it_again(self, job, worker):
        stories.claim_and_answer(worker, job)
        for _ in range(2):
            row = acting.block(queue=job.queue, worker=worker, reason="wrong language", by="user:1")
        for _ in range(2):
            acting.dismiss(finding=row, by="user:1")
        closed, opened = told(worker.user)
        assert closed.startswith("Bees is closed to you: wrong language.")
        assert opened == (
            "What was found in your answers to Bees was taken back and counts no more: wrong language. "
            "Answers that were withdrawn because of it are accepted and paid."
        )
        # Not once more for each answer.
        assert told(worker.user, NoticeKind.APPEAL) == []
        assert earnings.balance(worker=worker) == stories.PRICE

    def test_a_ban_that_an_operator_makes_of_a_finding_can_be_appealed_from_then_on(self, job, worker):
        find(job, worker, Action.WARN)
        ConductFinding.objects.update(found_at=timezone.now() - timedelta(days=40))
        row = ConductFinding.objects.get()
        assert appeals.refusal(row) is not None
        for _ in range(2):
            row = acting.ban(finding=row, by="user:1")
        assert appeals.refusal(row) is None
        assert told(worker.user)[1:] == [f"You are shown no work any more: {REASON} You may appeal until {a_day(30)}."]


class TestAppeals:
    def test_admins_are_told_by_when_to_answer_and_the_worker_of_the_answer(self, job, worker, admin):
        operator = builders.an_operator()
        row = find(job, worker, Action.BLOCK)
        for _ in range(2):
            appeal = appeals.file_appeal(finding=row, worker=worker, text="They differ.")
        owner = job.account.memberships.get(role=Role.OWNER).user
        for user in (owner, admin):
            assert told(user, NoticeKind.APPEAL) == [
                f"Worker {worker.public_id} appeals against what was found in their answers to Bees: {REASON} "
                f"Unless you answer by {a_day(9)}, the appeal is upheld."
            ]
        told_of_it = Notice.objects.filter(kind=NoticeKind.APPEAL).exclude(user=worker.user)
        assert set(told_of_it.values_list("user", flat=True)) == {owner.pk, admin.pk}
        for _ in range(2):
            appeals.deny(appeal=appeal, text="Look again.", by="user:1")
        assert told(worker.user, NoticeKind.APPEAL) == [
            f"Your appeal about Bees was filed. Unless it is answered by {a_day(9)}, it is upheld.",
            "Your appeal about Bees was denied: Look again.",
        ]
        assert told(operator, NoticeKind.APPEAL) == []

    def test_operators_are_told_of_an_appeal_against_a_ban(self, job, worker, admin):
        operator = builders.an_operator()
        row = find(job, worker, Action.BAN)
        appeals.file_appeal(finding=row, worker=worker, text="It was my brother.")
        assert told(operator, NoticeKind.APPEAL) == [
            f"Worker {worker.public_id} appeals against a ban: {REASON} The appeal waits for an operator."
        ]
        assert told(admin, NoticeKind.APPEAL) == []
        deciding.decide(
            finding=ConductFinding.objects.get(), decision="dismiss", text="Right.", by="user:1", operator=True
        )
        assert told(worker.user, NoticeKind.APPEAL)[1:] == ["Your appeal against the ban was upheld: Right."]
        # The answer to the appeal says it: it is not told a second time.
        assert len(told(worker.user)) == 1

    def test_one_that_cannot_be_upheld_keeps_no_other_waiting(self, job_and_workers, caplog):
        job, workers = job_and_workers
        for worker in workers:
            appeals.file_appeal(finding=find(job, worker, Action.BLOCK), worker=worker, text="No.")
        broken, sound = ConductAppeal.objects.order_by("pk")
        with connection.cursor() as cursor:
            # What is still to be checked of the rows would refuse the change of the table.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                f"ALTER TABLE labeling_conductappeal ADD CONSTRAINT stuck CHECK (id <> {broken.pk} OR state = 'Open')"
            )
        later = timezone.now() + timedelta(days=10)
        with caplog.at_level(logging.ERROR), pytest.raises(IntegrityError, match="stuck") as caught:
            appeals.uphold_overdue(now=later)
        assert ConductAppeal.objects.get(pk=sound.pk).state == "Upheld"
        assert ConductAppeal.objects.get(pk=broken.pk).state == "Open"
        logged = [record for record in caplog.records if record.exc_info and record.exc_info[1] is caught.value]
        assert len(logged) == 1 and f"({broken.pk})" in logged[0].getMessage()
