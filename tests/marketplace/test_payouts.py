"""Paying workers out: the money leaves the earnings once, and comes back when the bank refuses."""

import contextlib
import threading

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.errors import InUse, Invalid, LimitExceeded, NotFound, WrongState
from marketplace.models import AuditEvent, LedgerKind, Notice, NoticeKind, Payout, Posting
from marketplace.services import earnings, ledger, ledger_audit, payouts
from tests import builders

IBAN = "DE89 3704 0044 0532 0130 00"


@pytest.fixture
def worker(db):
    """A worker who has earned 12.345678 dollars and said where to send them."""
    found = builders.a_worker()
    builders.earn(found, 12_345_678)
    payouts.set_details(worker=found, holder="Ana Bee", destination=IBAN)
    return found


def request(worker, **more):
    return payouts.request(worker=worker, by="user:1", **more)


def under_way(worker):
    return ledger.total(LedgerKind.PAYOUTS, worker=worker)


def test_all_that_was_earned_is_paid_out_in_whole_cents(worker):
    payout = request(worker)
    assert (payout.status, payout.amount_micros) == ("Requested", 12_340_000)
    assert (earnings.balance(worker), under_way(worker)) == (5_678, 12_340_000)
    name = payouts.send(by="user:2")
    payout.refresh_from_db()
    assert (payout.status, payout.sent_with) == ("Sent", name)
    outside = ledger.total(LedgerKind.OUTSIDE)
    assert payouts.mark_paid(payout=payout, by="user:2")
    assert (earnings.balance(worker), under_way(worker)) == (5_678, 0)
    assert ledger.total(LedgerKind.OUTSIDE) == outside + 12_340_000
    assert ledger_audit.findings() == []
    told = AuditEvent.objects.filter(object_type="marketplace.Payout", object_id=payout.pk).order_by("pk")
    assert [(row.from_status, row.to_status, row.by) for row in told] == [
        ("", "Requested", "user:1"),
        ("Requested", "Sent", "user:2"),
        ("Sent", "Paid", "user:2"),
    ]


def told(worker):
    rows = Notice.objects.filter(user=worker.user, kind=NoticeKind.PAYOUT).order_by("pk")
    return list(rows.values_list("text", flat=True))


def test_the_worker_is_told_once_of_each_step(worker):
    for end in ("paid", "failed"):
        payout = request(worker, amount_micros=2_500_000)
        payouts.send(by="x")
        for _ in range(2):
            if end == "paid":
                payouts.mark_paid(payout=payout, by="x")
            else:
                payouts.mark_failed(payout=payout, reason="no such account", by="x")
        begin = f"Your payout {payout.reference} of 2.50 dollars "
        ended = "was paid." if end == "paid" else "failed and is in your earnings again: no such account."
        assert told(worker)[-2:] == [begin + "is on its way to your bank.", begin + ended]
    assert len(told(worker)) == 4


def test_a_refused_transfer_gives_the_money_back_with_the_reason(worker):
    payout = request(worker, amount_micros=10_000_000)
    payouts.send(by="x")
    assert payouts.mark_failed(payout=payout, reason=" account closed ", by="x")
    assert (payout.status, payout.failure_reason) == ("Failed", "account closed")
    assert (earnings.balance(worker), under_way(worker)) == (12_345_678, 0)
    assert request(worker).amount_micros == 12_340_000


def test_a_payout_can_be_cancelled_until_it_is_sent(worker):
    payout = request(worker)
    assert payouts.cancel(payout=payout, by="user:1")
    assert not payouts.cancel(payout=payout, by="user:1")
    assert earnings.balance(worker) == 12_345_678
    sent = request(worker)
    payouts.send(by="x")
    with pytest.raises(WrongState, match="is Sent and cannot become Cancelled"):
        payouts.cancel(payout=sent, by="user:1")


def test_nothing_is_booked_twice(worker):
    payout = request(worker)
    payouts.send(by="x")
    assert payouts.mark_paid(payout=payout, by="x")
    before = Posting.objects.count()
    assert not payouts.mark_paid(payout=payout, by="x")
    with pytest.raises(WrongState):
        payouts.mark_failed(payout=payout, reason="late", by="x")
    assert Posting.objects.count() == before


def test_one_payout_is_under_way_at_a_time(worker):
    first = request(worker, amount_micros=2_000_000)
    with pytest.raises(WrongState, match="is under way"):
        request(worker, amount_micros=2_000_000)
    assert earnings.balance(worker) == 10_345_678
    payouts.send(by="x")
    with pytest.raises(WrongState, match="is under way"):
        request(worker)
    payouts.mark_paid(payout=first, by="x")
    assert request(worker).amount_micros == 10_340_000


@pytest.mark.parametrize(
    ("amount", "error", "message"),
    [
        (12_345_679, Invalid, "whole cents"),
        (12_350_000, LimitExceeded, "you have earned 12.345678 dollars, 12.350000 are asked for"),
        (990_000, Invalid, "the least that is paid out is 1.000000 dollars"),
        (0, Invalid, "the least"),
        (-5_000_000, Invalid, "the least"),
    ],
)
def test_amounts_that_are_refused(worker, amount, error, message):
    with pytest.raises(error, match=message) as caught:
        request(worker, amount_micros=amount)
    assert caught.value.field == "amount"
    assert not Payout.objects.exists()
    assert earnings.balance(worker) == 12_345_678


def test_somebody_who_has_earned_too_little_is_told_so(db, settings):
    settings.MINIMUM_PAYOUT = "2.50"
    poor = builders.a_worker()
    builders.earn(poor, 2_499_999)
    payouts.set_details(worker=poor, holder="Ana", destination="acct 7")
    with pytest.raises(Invalid, match=r"least that is paid out is 2.500000 dollars, you have earned 2.499999"):
        request(poor)


def test_without_details_nothing_is_paid_out(db):
    rich = builders.a_worker()
    builders.earn(rich, 5_000_000)
    with pytest.raises(WrongState, match="say first where") as caught:
        request(rich)
    assert caught.value.field == "destination"


@pytest.mark.parametrize(
    ("holder", "destination", "field"),
    [
        ("", IBAN, "holder"),
        ("=HYPERLINK(1)", IBAN, "holder"),
        ("Ana\x00Bee", IBAN, "holder"),
        ("A" * 71, IBAN, "holder"),
        ("Ana", "", "destination"),
        ("Ana", "+49 1", "destination"),
        ("Ana", "@me", "destination"),
        ("Ana", "DE89 3704 0044 0532 0130 01", "destination"),
        ("Ana", "de89370400440532013001", "destination"),
    ],
)
def test_details_that_no_bank_file_can_carry(db, holder, destination, field):
    with pytest.raises(Invalid) as caught:
        payouts.set_details(worker=builders.a_worker(), holder=holder, destination=destination)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("de89370400440532013000", IBAN),
        ("GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 32"),
        ("021000021/123456789", "021000021/123456789"),
        ("ana.bee@bank.example", "ana.bee@bank.example"),
    ],
)
def test_details_are_stored_as_banks_write_them(db, given, stored):
    found = payouts.set_details(worker=builders.a_worker(), holder="  Łucja   O'Née ", destination=given)
    assert (found.holder, found.destination) == ("Łucja O'Née", stored)


def test_a_payout_goes_where_it_was_asked_to_go(worker):
    payout = request(worker)
    payouts.set_details(worker=worker, holder="Somebody Else", destination="elsewhere 1")
    payout.refresh_from_db()
    assert (payout.holder, payout.destination) == ("Ana Bee", IBAN)


def test_a_payout_of_somebody_else_is_not_found(worker):
    payout = request(worker)
    with pytest.raises(NotFound):
        payouts.one_of(builders.a_worker(), payout.pk)
    assert payouts.one_of(worker, payout.pk) == payout


def test_a_bank_file_holds_what_was_requested_and_nothing_else(worker):
    assert payouts.send(by="x") == ""
    request(worker)
    name = payouts.send(by="x")
    assert [row.worker_id for row in payouts.in_file(name)] == [worker.pk]
    assert payouts.send(by="x") == ""
    for wrong in ("", "payouts-1"):
        with pytest.raises(NotFound):
            payouts.in_file(wrong)


ACTS = st.lists(
    st.tuples(st.sampled_from(["earn", "request", "cancel", "send", "paid", "failed"]), st.integers(0, 2)), max_size=40
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
@builders.rolled_back()
def test_money_adds_up_after_any_sequence_of_events(db, acts):
    people = [builders.a_worker() for _ in range(3)]
    earned = dict.fromkeys(people, 0)
    for worker in people:
        payouts.set_details(worker=worker, holder="Ana Bee", destination=IBAN)
    for act, who in acts:
        worker, newest = people[who], payouts.of_worker(people[who]).first()
        with contextlib.suppress(InUse, Invalid):
            if act == "earn":
                builders.earn(worker, 1_234_567)
                earned[worker] += 1_234_567
            elif act == "request":
                request(worker)
            elif act == "send":
                payouts.send(by="x")
            elif newest is not None and act == "cancel":
                payouts.cancel(payout=newest, by="x")
            elif newest is not None and act == "paid":
                payouts.mark_paid(payout=newest, by="x")
            elif newest is not None:
                payouts.mark_failed(payout=newest, reason="no", by="x")
        assert ledger_audit.findings() == []
    for worker in people:
        paid = sum(row.amount_micros for row in payouts.of_worker(worker) if row.status == "Paid")
        assert earnings.balance(worker) + under_way(worker) + paid == earned[worker]


@pytest.mark.django_db(transaction=True)
def test_many_requests_at_once_make_one_payout():
    worker = builders.a_worker()
    builders.earn(worker, 9_000_000)
    payouts.set_details(worker=worker, holder="Ana Bee", destination=IBAN)
    refused = []

    def ask():
        try:
            request(worker)
        except (WrongState, Invalid) as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Payout.objects.count() == 1 and len(refused) == 5
    assert (earnings.balance(worker), under_way(worker)) == (0, 9_000_000)


def test_an_audit_finds_money_that_is_on_its_way_to_nobody(worker):
    payout = request(worker)
    Payout.objects.filter(pk=payout.pk).delete()
    ((check, what),) = ledger_audit.findings()
    assert check == "payouts hold what is on its way"
    assert what == (f"worker {worker.pk} has payouts of 0.000000 dollars under way, 12.340000 are held for them")
