"""The ledger: facts are booked once, entries balance, pockets do not go negative, history does not change."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from labeling.services.jobs.batches import open_batch
from marketplace.errors import LimitExceeded
from marketplace.models import Account, Entry, EntryKind, LedgerKind, Posting, Subject
from marketplace.services import earnings, ledger, wallets
from tests.labeling import stories

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


@pytest.fixture
def paid_for_work():
    """(the account, a worker of it) with a wallet, an escrow and earnings: two answers of four are given."""
    job, (worker, *_) = stories.a_funded_job(objects=2, workers=2, workers_per_object=2, funds="5")
    open_batch(job=job, object_ids=list(job.objects_of_job.values_list("pk", flat=True)), by="system")
    assert stories.work(worker, job) == 2
    return job.account, worker


COST = stories.PRICE + stories.FEE


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda account, _: wallets.balance(account), 5_000_000 - 4 * COST),
        (lambda account, _: wallets.held(account), 2 * COST),
        (
            lambda account, _: [*wallets.funds_of_many([account]).values()],
            [wallets.Funds(5_000_000 - 4 * COST, 2 * COST)],
        ),
        (lambda account, _: [posting.amount_micros for posting in wallets.statement(account)], [-4 * COST, 5_000_000]),
        (lambda _, worker: earnings.balance(worker), 2 * stories.PRICE),
        (lambda _, worker: [posting.amount_micros for posting in earnings.statement(worker)], [stories.PRICE] * 2),
    ],
)
def test_balances_read_their_own_postings_only(paid_for_work, read, expected):
    """A join to the pocket would make the planner read everybody's postings once there are many."""
    account, worker = paid_for_work
    with CaptureQueriesContext(connection) as queries:
        found = read(account, worker)
    assert found == expected
    of_postings = [q["sql"] for q in queries if "marketplace_posting" in q["sql"]]
    assert of_postings
    assert not [sql for sql in of_postings if 'JOIN "marketplace_ledgeraccount"' in sql]
    assert all('"ledger_account_id" IN (' in sql for sql in of_postings)
