"""The ledger: facts are booked once, entries balance, pockets do not go negative, history does not change."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from marketplace.errors import LimitExceeded
from marketplace.models import Account, Entry, EntryKind, LedgerKind, Posting, Subject
from marketplace.services import ledger, wallets
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def pockets():
    account = Account.objects.create(name="Bees & Co", number="123456789012")
    return ledger.pocket(LedgerKind.OUTSIDE), ledger.pocket(LedgerKind.WALLET, account=account)


def post(given, postings, kind=EntryKind.DEPOSIT):
    about = Subject("account", 1)
    return ledger.post(kind=kind, subject=about, given_reference=given, postings=postings, by="operator")


def test_a_balance_is_the_sum_of_postings(pockets):
    outside, wallet = pockets
    post("deposit:1", {outside: -5_000_000, wallet: 5_000_000})
    post("deposit:2", {outside: -1, wallet: 1})
    assert ledger.balance(wallet) == 5_000_001
    assert ledger.balance(outside) == -5_000_001


def test_the_same_fact_is_booked_once(pockets):
    outside, wallet = pockets
    post("deposit:1", {outside: -5, wallet: 5})
    with pytest.raises(IntegrityError), transaction.atomic():
        post("deposit:1", {outside: -5, wallet: 5})
    assert ledger.balance(wallet) == 5


def test_a_wallet_does_not_go_negative(pockets):
    outside, wallet = pockets
    with pytest.raises(LimitExceeded, match="holds 0.000000 dollars, 0.000007 are needed"):
        post("spend:1", {outside: 7, wallet: -7})
    assert not Entry.objects.exists()


def test_an_unbalanced_entry_is_refused_by_the_service_and_by_the_database(pockets):
    outside, wallet = pockets
    with pytest.raises(ValueError, match="sum to 1"):
        post("x", {outside: -5, wallet: 6})
    entry = Entry.objects.create(kind="deposit", subject_type="account", subject_id=1, reference="by hand", by="x")
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        Posting.objects.create(entry=entry, ledger_account=wallet, amount_micros=5)
        connection.check_constraints()


def test_history_cannot_be_changed(pockets):
    outside, wallet = pockets
    post("deposit:1", {outside: -5, wallet: 5})
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Posting.objects.filter(ledger_account=wallet).update(amount_micros=50)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Posting.objects.all().delete()
    assert ledger.balance(wallet) == 5


@pytest.mark.parametrize("read", [wallets.balance, wallets.held, lambda account: list(wallets.statement(account)[:50])])
def test_balances_read_their_own_postings_only(read):
    """A join to the pocket would make the planner read everybody's postings once there are many."""
    account = builders.an_account(funds="5")
    with CaptureQueriesContext(connection) as queries:
        read(account)
    of_postings = [q["sql"] for q in queries if "marketplace_posting" in q["sql"]]
    assert all('JOIN "marketplace_ledgeraccount"' not in sql for sql in of_postings)
    assert all('"ledger_account_id" IN (' in sql for sql in of_postings)
