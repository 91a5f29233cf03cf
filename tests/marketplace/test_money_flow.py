"""Wallet -> escrow -> worker and fee -> wallet: every micro-dollar has its place, every fact counts once."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from marketplace.errors import InUse, Invalid, LimitExceeded
from marketplace.models import Entry, LedgerKind, Posting
from marketplace.services import earnings, escrow, ledger, wallets
from tests import builders

JOB = "labeling-job:1"


def pay(account, worker, seat, price=36_000, fee=7_200):
    escrow.pay(
        reference=JOB,
        account=account,
        worker=worker,
        price_micros=price,
        fee_micros=fee,
        fact=f"assignment:{seat}:pay",
        by="system",
        description="Draw boxes",
    )


def reserve(account, micros, fact="batch:1:fund"):
    return escrow.reserve(account=account, reference=JOB, amount_micros=micros, fact=fact, by="system")


@pytest.mark.django_db
class TestOneJob:
    def test_the_whole_way(self):
        account, worker = builders.an_account(funds="1"), builders.a_worker()
        reserve(account, 86_400)
        assert (wallets.balance(account), escrow.held(account=account, reference=JOB)) == (913_600, 86_400)
        pay(account, worker, 1)
        assert earnings.balance(worker) == 36_000
        assert ledger.total(LedgerKind.FEES) == 7_200
        back = escrow.refund(account=account, reference=JOB, fact="job:1:refund", by="system")
        assert back == 43_200
        assert wallets.balance(account) == 1_000_000 - 43_200
        assert escrow.held(account=account, reference=JOB) == 0
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
        assert earnings.payments(worker)[0].entry.description == "Draw boxes"

    def test_a_fact_is_paid_once(self):
        account, worker = builders.an_account(), builders.a_worker()
        reserve(account, 500_000)
        pay(account, worker, 1)
        with pytest.raises(IntegrityError), transaction.atomic():
            pay(account, worker, 1)
        assert earnings.balance(worker) == 36_000
        with pytest.raises(IntegrityError), transaction.atomic():
            reserve(account, 500_000)
        assert escrow.held(account=account, reference=JOB) == 500_000 - 43_200

    def test_work_for_nothing_books_nothing(self):
        account, worker = builders.an_account(), builders.a_worker()
        entries = Entry.objects.count()
        assert reserve(account, 0) is None
        pay(account, worker, 1, price=0, fee=0)
        assert escrow.refund(account=account, reference=JOB, fact="refund", by="system") == 0
        assert Entry.objects.count() == entries

    def test_a_wallet_is_not_overdrawn(self):
        account = builders.an_account(funds="0.5")
        with pytest.raises(LimitExceeded):
            reserve(account, 500_001)
        assert wallets.balance(account) == 500_000
        assert escrow.held(account=account, reference=JOB) == 0

    def test_a_part_is_refunded_and_never_more_than_is_there(self):
        account = builders.an_account(funds="1")
        reserve(account, 400_000)
        assert escrow.refund(account=account, reference=JOB, fact="r:1", by="s", amount_micros=100_000) == 100_000
        with pytest.raises(LimitExceeded):
            escrow.refund(account=account, reference=JOB, fact="r:2", by="s", amount_micros=300_001)
        assert escrow.held(account=account, reference=JOB) == 300_000

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

    def test_legs_must_balance(self):
        with pytest.raises(ValueError, match="sum to 1"):
            ledger.post_legs(reference="x", legs=[ledger.Leg(LedgerKind.FEES, 1)], by="s")


@pytest.mark.django_db(transaction=True)
def test_many_reservations_at_once_never_overdraw_the_wallet():
    account = builders.an_account(funds="1")
    outcomes = []

    def spend(number):
        try:
            reserve(account, 300_000, fact=f"batch:{number}:fund")
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
            pay(account, worker, f"{place}-{seat}")
        connection.close()

    threads = [threading.Thread(target=work, args=item) for item in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [earnings.balance(worker) for worker in workers] == [360_000] * 4
    assert ledger.total(LedgerKind.FEES) == 40 * 7_200
    assert escrow.held(account=account, reference=JOB) == 0
