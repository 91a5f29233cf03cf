"""A price that rises while people work: what was shown is the least that is paid, and the money is set aside first."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from labeling.models import AnswerReview, Assignment, Batch, LabelingJob, PriceChange, WorkQueue
from labeling.services.jobs import advancing, pacing, pricing, repricing
from labeling.services.queue import assignments
from labeling.services.results import deciding
from marketplace.errors import InsufficientFunds, Invalid, LimitExceeded, WrongState
from marketplace.models import AuditEvent
from marketplace.services import earnings, ledger_audit, wallet_refunds, wallets
from tests.labeling import panel_stories, stories, vendor_stories
from tests.labeling.test_concurrency import in_threads

pytestmark = pytest.mark.django_db
PRICE, FEE, HIGHER = stories.PRICE, stories.FEE, 40_000
MORE = HIGHER + 8_000 - PRICE - FEE
HOUR = timedelta(hours=1)


def whole():
    assert ledger_audit.findings() == []


def fresh(job):
    return LabelingJob.objects.select_related("queue__workteam", "account").get(pk=job.pk)


def raised(job, price=HIGHER):
    return repricing.raise_price(job=fresh(job), price_micros=price, by="user:1")


def test_a_task_claimed_before_a_rise_is_paid_the_higher_price():
    job, (ana, ben, _) = stories.an_open_job(objects=2)
    stories.claim_and_answer(ana, job)
    held = assignments.claim(worker=ben, queue=job.queue)
    change = raised(job)
    whole()
    assert (change.old_price_micros, change.reserved_micros) == (PRICE, 5 * MORE)
    assert stories.answer(held).paid_micros == HIGHER
    seat = Assignment.objects.get(pk=held.pk)
    assert (seat.promised_micros, seat.paid_micros) == (PRICE, HIGHER)
    assert (earnings.balance(ana), earnings.balance(ben)) == (PRICE, HIGHER)
    assert stories.work_list(ben)[0].price_micros == HIGHER
    whole()
    assert AuditEvent.objects.filter(because__contains="raised from 0.036000 to 0.040000").exists()


def test_all_money_comes_back_after_a_rise():
    job, workers = stories.an_open_job(objects=2)
    raised(job)
    for worker in workers:
        stories.work(worker, job)
    advancing.advance_job(job.pk)
    assert wallets.held(job.account) == 0
    assert wallets.balance(job.account) == 100_000_000 - 6 * (HIGHER + 8_000)
    whole()


def test_a_rise_that_the_wallet_cannot_pay_changes_nothing():
    job, _ = stories.an_open_job(objects=2, funds="0.28")
    with pytest.raises(InsufficientFunds):
        raised(job)
    assert fresh(job).price_micros == PRICE and not PriceChange.objects.exists()
    whole()


def test_a_rise_stays_within_max_spend():
    job, _ = stories.an_open_job(objects=2, max_spend_micros=6 * (PRICE + FEE) + 5 * MORE)
    with pytest.raises(LimitExceeded, match="spending limit"):
        raised(job)
    assert fresh(job).price_micros == PRICE and wallets.held(job.account) == 6 * (PRICE + FEE)
    LabelingJob.objects.filter(pk=job.pk).update(max_spend_micros=6 * (PRICE + FEE + MORE))
    raised(job)
    whole()


def test_a_price_only_rises():
    job, _ = stories.an_open_job()
    for price in (PRICE, PRICE - 1):
        with pytest.raises(Invalid, match="only be raised"):
            raised(job, price)
    with pytest.raises(IntegrityError), transaction.atomic():
        PriceChange.objects.create(
            queue=job.queue, old_price_micros=2, price_micros=1, fee_micros=0, reserved_micros=0,
            because="", changed_by="user:1", changed_at=timezone.now(),
        )  # fmt: skip


def test_the_price_of_a_job_that_is_over_stays():
    job, _ = stories.an_open_job()
    LabelingJob.objects.filter(pk=job.pk).update(status="Stopping")
    with pytest.raises(WrongState):
        raised(job)


@pytest.mark.parametrize("rejected", [True, False])
def test_an_answer_under_review_keeps_its_price_and_its_seat_can_be_paid_the_new_one(rejected):
    job, (ana, ben, *_) = stories.an_open_job(workers=4, objects=1, review_days=3)
    stories.claim_and_answer(ana, job)
    change = raised(job)
    # The two open seats, and the one that a rejection would open.
    assert change.reserved_micros == 3 * MORE
    whole()
    review = AnswerReview.objects.select_related("queue").get()
    assert (review.price_micros, review.kept_micros) == (PRICE, MORE)
    if rejected:
        deciding.reject_one(review=review, reason="no", by="user:1")
    else:
        deciding.accept_one(review=review, by="user:1")
    whole()
    for worker in stories.Worker.objects.exclude(pk=ana.pk).order_by("pk"):
        stories.work(worker, job)
    whole()
    deciding.accept_due(now=timezone.now() + timedelta(days=4))
    advancing.advance_job(job.pk)
    assert wallets.held(job.account) == wallets.under_review(job.account) == 0
    assert earnings.balance(ana) == (0 if rejected else PRICE)
    assert earnings.balance(ben) == HIGHER
    whole()


def test_the_audit_finds_an_answer_that_was_paid_less_than_was_shown():
    job, (ana, *_) = stories.an_open_job()
    stories.claim_and_answer(ana, job)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE labeling_assignment SET promised_micros = 36001")
    assert [one.check for one in ledger_audit.findings()] == ["no answer is paid less than was shown"]


def refused(job):
    """The rise and the ceiling both say why they are refused."""
    wanted_end = timezone.now() + HOUR
    with pytest.raises(WrongState) as caught:
        raised(job, 50_000)
    with pytest.raises(WrongState):
        repricing.set_ceiling(job=fresh(job), price_ceiling_micros=50_000, wanted_end=wanted_end, by="user:1")
    with pytest.raises(Invalid, match="price_ceiling"):
        stories.a_job(
            job.account, job.workteam, price_micros=job.price_micros, price_ceiling_micros=50_000, wanted_end=wanted_end
        )
    return caught.value.message


def test_a_contract_fixes_the_price():
    job, *_ = vendor_stories.a_vendor_job()
    assert "contract" in refused(job)


def test_a_panel_has_no_price_to_raise():
    panel = panel_stories.a_panel(stories.an_account())
    assert "provider" in refused(panel_stories.a_job_of(panel, objects=1))


@pytest.mark.django_db(transaction=True)
def test_answers_on_their_way_while_the_price_rises_leave_the_escrow_exact():
    job, workers = stories.an_open_job(workers=3, objects=12)

    def rise():
        for step in range(1, 9):
            raised(job, PRICE + step * 1_000)

    in_threads(rise, *(lambda worker=worker: stories.work(worker, job) for worker in workers))
    assert Assignment.objects.filter(state="Submitted").count() == 36
    whole()
    advancing.advance_job(job.pk)
    assert wallets.held(job.account) == 0
    whole()


# --- the rule -------------------------------------------------------------------------------------------------------


@pytest.fixture
def slow():
    """A job of 20 answers, wanted in two hours, whose first answer came an hour ago."""
    job, workers = stories.an_open_job(workers=1, objects=20, workers_per_object=1)
    now = timezone.now()
    Batch.objects.update(opened_at=now - HOUR)
    repricing.set_ceiling(job=fresh(job), price_ceiling_micros=45_000, wanted_end=now + 2 * HOUR, by="user:1", now=now)
    stories.claim_and_answer(workers[0], job)
    now = timezone.now() + timedelta(minutes=1)
    return job, workers, now


def test_the_price_of_a_slow_job_rises_by_a_tenth_an_hour_up_to_the_ceiling(slow):
    job, _, now = slow
    found = pacing.pace(fresh(job), now=now)
    assert found.per_hour == pytest.approx(1, abs=0.05) and found.left == 19 and found.late
    seen = []
    for minutes in range(0, 240, 20):
        pacing.raise_if_slow(fresh(job), now=now + timedelta(minutes=minutes))
        seen.append(fresh(job).price_micros)
    assert seen == [40_000] * 3 + [44_000] * 3 + [45_000] * 6
    assert PriceChange.objects.first().changed_by == "system"
    whole()


def test_the_price_of_a_job_in_time_stays(slow):
    job, workers, now = slow
    LabelingJob.objects.update(wanted_end=now + 30 * HOUR)
    assert not pacing.raise_if_slow(fresh(job), now=now)
    LabelingJob.objects.update(wanted_end=now + 2 * HOUR)
    stories.work(workers[0], job, most=15)
    later = timezone.now() + timedelta(minutes=1)
    assert pacing.pace(fresh(job), now=later).left == 4
    assert not pacing.raise_if_slow(fresh(job), now=later)


@pytest.mark.parametrize("minutes", [0, 59])
def test_nothing_rises_before_a_pace_was_measured_for_an_hour(slow, minutes):
    job, _, now = slow
    Batch.objects.update(opened_at=now - timedelta(minutes=minutes))
    assert pacing.pace(fresh(job), now=now).per_hour is None
    assert not pacing.raise_if_slow(fresh(job), now=now)


def test_a_job_that_nobody_answers_is_late(slow):
    job, _, now = slow
    Assignment.objects.update(ended_at=now - 7 * HOUR)
    Batch.objects.update(opened_at=now - 8 * HOUR)
    found = pacing.pace(fresh(job), now=now)
    assert (found.per_hour, found.end, found.late) == (0, None, True)
    assert pacing.raise_if_slow(fresh(job), now=now)
    assert "forecast end never" in PriceChange.objects.get().because


def test_nothing_rises_that_cannot_be_funded_or_while_the_job_waits(slow):
    job, _, now = slow
    committed = 20 * (PRICE + FEE)
    LabelingJob.objects.update(max_spend_micros=committed + 1)
    assert not pacing.raise_if_slow(fresh(job), now=now)
    LabelingJob.objects.update(max_spend_micros=None)
    wallet_refunds.request(account=job.account, by="user:1")
    assert not pacing.raise_if_slow(fresh(job), now=now)
    assert fresh(job).price_micros == PRICE
    whole()
    wallets.deposit(account=job.account, amount_micros=10**7, reference="more", by="operator")
    LabelingJob.objects.update(paused="debt")
    assert not pacing.raise_if_slow(fresh(job), now=now)
    LabelingJob.objects.update(paused="")
    WorkQueue.objects.update(status="Paused")
    assert not pacing.raise_if_slow(fresh(job), now=now)


def test_an_advance_raises_the_price(slow):
    job, _, now = slow
    Batch.objects.update(opened_at=now - 2 * HOUR)
    advancing.advance_job(job.pk)
    assert fresh(job).price_micros == 40_000
    whole()


def test_the_public_pool_is_paid_the_next_listed_price():
    listed = pricing.prices("BoundingBox")
    place = listed.index(PRICE)
    assert pricing.step_up(PRICE, task_type="BoundingBox", public=True) == listed[place + 1]
    assert pricing.step_up(listed[-1], task_type="BoundingBox", public=True) == listed[-1]


@pytest.mark.parametrize(
    ("price", "step"), [(0, 1_000), (1, 1_000), (36_000, 40_000), (10_000, 11_000), (2_990_000, 2_999_000)]
)
def test_a_private_team_is_paid_a_tenth_more_in_tenths_of_a_cent(price, step):
    assert pricing.step_up(price, task_type="BoundingBox", public=False) == step


@pytest.mark.parametrize(
    ("ceiling", "hours", "field"),
    [
        (None, 5, "price_ceiling"),
        (50_000, None, "wanted_end"),
        (PRICE, 5, "price_ceiling"),
        (3_000_000, 5, "price_ceiling"),
        (50_000, -1, "wanted_end"),
        (50_000, 24 * 31, "wanted_end"),
    ],
)
def test_a_ceiling_that_makes_no_sense_is_refused(ceiling, hours, field):
    wanted_end = None if hours is None else timezone.now() + hours * HOUR
    job, _ = stories.an_open_job()
    with pytest.raises(Invalid) as caught:
        repricing.set_ceiling(job=fresh(job), price_ceiling_micros=ceiling, wanted_end=wanted_end, by="user:1")
    assert [name for name, _ in caught.value.errors] == [field]
    with pytest.raises(Invalid) as caught:
        stories.a_job(job.account, job.workteam, price_ceiling_micros=ceiling, wanted_end=wanted_end)
    assert [name for name, _ in caught.value.errors] == [field]
