"""Wallet -> escrow -> worker and fee -> wallet: every micro-dollar has its place, every fact is booked once."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.errors import InUse, Invalid, LimitExceeded
from marketplace.models import Entry, EntryKind, LedgerKind, Posting, Subject
from marketplace.services import earnings, escrow, ledger, wallets
from tests import builders

JOB = Subject("labeling-job", 1)


def pay(account, worker, seat, price=36_000, fee=7_200):
    escrow.pay(
        purpose=JOB,
        subject=Subject("assignment", seat),
        account=account,
        worker=worker,
        price_micros=price,
        fee_micros=fee,
        by="system",
        description="Draw boxes",
    )


def reserve(account, micros, batch=1):
    return escrow.reserve(
        account=account, purpose=JOB, subject=Subject("batch", batch), amount_micros=micros, by="system"
    )


def refund(account, batch=1, micros=None):
    return escrow.refund(
        account=account, purpose=JOB, subject=Subject("batch", batch), by="system", amount_micros=micros
    )


@pytest.mark.django_db
class TestOneJob:
    def test_the_whole_way(self):
        account, worker = builders.an_account(funds="1"), builders.a_worker()
        reserve(account, 86_400)
        assert (wallets.balance(account), escrow.held(account=account, purpose=JOB)) == (913_600, 86_400)
        pay(account, worker, 1)
        assert earnings.balance(worker) == 36_000
        assert ledger.total(LedgerKind.FEES) == 7_200
        assert refund(account) == 43_200
        assert wallets.balance(account) == 1_000_000 - 43_200
        assert escrow.held(account=account, purpose=JOB) == 0
        assert Posting.objects.aggregate(total=Sum("amount_micros"))["total"] == 0
        connection.check_constraints()

    def test_paying_is_one_round_trip(self):
        account, worker = builders.an_account(), builders.a_worker()
        reserve(account, 500_000)
        pay(account, worker, 1)
        with CaptureQueriesContext(connection) as queries:
            pay(account, worker, 2)
        assert len(queries) == 1
        assert "FOR UPDATE" not in queries[0]["sql"]
        assert earnings.statement(worker)[0].entry.description == "Draw boxes"

    def test_a_fact_is_paid_once(self):
        account, worker = builders.an_account(), builders.a_worker()
        reserve(account, 500_000)
        pay(account, worker, 1)
        with pytest.raises(IntegrityError), transaction.atomic():
            pay(account, worker, 1)
        assert earnings.balance(worker) == 36_000
        with pytest.raises(IntegrityError), transaction.atomic():
            reserve(account, 500_000)
        assert escrow.held(account=account, purpose=JOB) == 500_000 - 43_200

    def test_work_for_nothing_books_nothing(self):
        account, worker = builders.an_account(), builders.a_worker()
        entries = Entry.objects.count()
        assert reserve(account, 0) is None
        pay(account, worker, 1, price=0, fee=0)
        assert refund(account) == 0
        assert Entry.objects.count() == entries

    def test_a_wallet_is_not_overdrawn(self):
        account = builders.an_account(funds="0.5")
        with pytest.raises(LimitExceeded):
            reserve(account, 500_001)
        assert wallets.balance(account) == 500_000
        assert escrow.held(account=account, purpose=JOB) == 0

    def test_a_part_is_refunded_and_never_more_than_is_there(self):
        account = builders.an_account(funds="1")
        reserve(account, 400_000)
        assert refund(account, 1, 100_000) == 100_000
        with pytest.raises(LimitExceeded):
            refund(account, 2, 300_001)
        assert escrow.held(account=account, purpose=JOB) == 300_000

    def test_a_deposit_counts_once_and_is_positive(self):
        account = builders.an_account(funds="0")
        wallets.deposit(account=account, amount_micros=5, reference="bank:1", by="operator")
        with pytest.raises(InUse):
            wallets.deposit(account=account, amount_micros=5, reference="bank:1", by="operator")
        for amount in (0, -5):
            with pytest.raises(Invalid):
                wallets.deposit(account=account, amount_micros=amount, reference="bank:2", by="operator")
        assert wallets.balance(account) == 5
        assert [row.amount_micros for row in wallets.statement(account)] == [5]

    @pytest.mark.parametrize("given", ["assignment:1:pay", "payment:assignment:1", "reserve:batch:1", "refund:batch:1"])
    def test_a_deposit_with_the_reference_of_another_entry_does_not_block_it(self, given):
        account, worker = builders.an_account(funds="1"), builders.a_worker()
        made = wallets.deposit(account=account, amount_micros=5, reference=given, by="operator")
        assert (made.kind, made.subject) == ("deposit", ("account", account.pk))
        assert ledger.shown_reference(made) == given
        reserve(account, 86_400)
        pay(account, worker, 1)
        assert refund(account) == 43_200
        assert earnings.balance(worker) == 36_000
        with pytest.raises(InUse):
            wallets.deposit(account=account, amount_micros=5, reference=given, by="operator")

    def test_deposits_whose_references_begin_with_the_kind_are_told_apart(self):
        account = builders.an_account(funds="0")
        for given in ("bank:1", "deposit:bank:1", "deposit:deposit:bank:1", "x" * 120):
            wallets.deposit(account=account, amount_micros=5, reference=given, by="operator")
        shown = [ledger.shown_reference(row.entry) for row in wallets.statement(account)]
        assert shown == ["x" * 120, "deposit:deposit:bank:1", "deposit:bank:1", "bank:1"]

    def test_entries_say_what_they_are(self):
        account, worker = builders.an_account(funds="1"), builders.a_worker()
        reserve(account, 86_400, batch=3)
        pay(account, worker, 8)
        refund(account, batch=3)
        rows = Entry.objects.order_by("pk").values_list("kind", "subject_type", "subject_id", "reference")
        assert list(rows)[1:] == [
            ("reserve", "batch", 3, "reserve:batch:3"),
            ("payment", "assignment", 8, "payment:assignment:8"),
            ("refund", "batch", 3, "refund:batch:3"),
        ]

    def test_only_payments_are_spending(self):
        account, worker = builders.an_account(funds="1"), builders.a_worker()
        reserve(account, 86_400)
        since = timezone.now() - timedelta(days=1)
        assert wallets.spent_by_day(account, since=since) == {}
        pay(account, worker, 1)
        refund(account)
        assert list(wallets.spent_by_day(account, since=since).values()) == [43_200]
        assert wallets.spent_by_day(builders.an_account(), since=since) == {}

    def test_legs_must_balance(self):
        with pytest.raises(ValueError, match="sum to 1"):
            ledger.post_legs(kind=EntryKind.PAYMENT, subject=JOB, legs=[ledger.Leg(LedgerKind.FEES, 1)], by="s")


@pytest.mark.django_db(transaction=True)
def test_many_reservations_at_once_never_overdraw_the_wallet():
    account = builders.an_account(funds="1")
    outcomes = []

    def spend(number):
        try:
            reserve(account, 300_000, batch=number)
            outcomes.append("paid")
        except LimitExceeded:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=spend, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["paid"] * 3 + ["refused"] * 5
    assert wallets.balance(account) == 100_000


@pytest.mark.django_db(transaction=True)
def test_payments_at_once_all_arrive_though_the_pockets_are_new():
    account = builders.an_account(funds="10")
    workers = [builders.a_worker() for _ in range(4)]
    reserve(account, 40 * 43_200)

    def work(place, worker):
        for seat in range(10):
            pay(account, worker, 100 * place + seat)
        connection.close()

    threads = [threading.Thread(target=work, args=item) for item in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [earnings.balance(worker) for worker in workers] == [360_000] * 4
    assert ledger.total(LedgerKind.FEES) == 40 * 7_200
    assert escrow.held(account=account, purpose=JOB) == 0
