"""Running totals of the ledger: what has been added is never read again, and nothing is missed or added twice."""

import threading
import time

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from marketplace.models import LedgerTotal, LedgerTotalsMark
from marketplace.services import ledger_totals, wallets
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)


def deposit(account, reference: str, micros: int = 1_000_000) -> None:
    wallets.deposit(account=account, amount_micros=micros, reference=reference, by="operator")


def stored() -> dict[str, int]:
    return dict(LedgerTotal.objects.values_list("kind", "entries"))


def catch_up_to(entries: int) -> None:
    """What ran in another database of the server may hold up what is certain."""
    deadline = time.monotonic() + 120
    while stored() != {"deposit": entries}:
        assert time.monotonic() < deadline, stored()
        ledger_totals.catch_up()
        time.sleep(0.02)


def test_they_are_right_before_during_and_after_catching_up():
    account = builders.an_account(funds="5")
    for number in range(3):
        deposit(account, f"a{number}")
    expected = {"deposit": ledger_totals.Total(8_000_000, 4)}
    assert ledger_totals.totals() == expected and not stored()
    ledger_totals.catch_up()
    assert not stored(), "an entry that was not committed at the last look may still come"
    catch_up_to(4)
    assert ledger_totals.totals() == expected
    deposit(account, "b")
    for _ in range(3):
        assert ledger_totals.totals() == {"deposit": ledger_totals.Total(9_000_000, 5)}
        ledger_totals.catch_up()
    catch_up_to(5)
    assert ledger_totals.totals() == {"deposit": ledger_totals.Total(9_000_000, 5)}


def test_an_entry_that_commits_after_a_later_one_is_not_missed():
    account, other = builders.an_account(funds="0"), builders.an_account(funds="0")
    # The pocket of the world outside is made once, and whoever makes it is waited for.
    deposit(other, "first")
    written, go_on = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            deposit(account, "late")
            written.set()
            assert go_on.wait(120)
        connections.close_all()

    thread = threading.Thread(target=late)
    thread.start()
    assert written.wait(120)
    deposit(other, "early")
    for _ in range(3):
        ledger_totals.catch_up()
    # The transaction of the late one still runs: nothing after it is certain.
    assert not stored()
    go_on.set()
    thread.join()
    catch_up_to(3)
    assert ledger_totals.totals() == {"deposit": ledger_totals.Total(3_000_000, 3)}


def test_what_is_added_up_is_not_read_again():
    account = builders.an_account(funds="1")
    for number in range(300):
        deposit(account, f"a{number}", 10)
    catch_up_to(301)
    mark = LedgerTotalsMark.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE marketplace_entry, marketplace_posting")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT TEXT) " + ledger_totals.SINCE, [mark.until_id])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan on marketplace_entry" not in plan and "Index" in plan, plan
    with CaptureQueriesContext(connection) as asked:
        assert ledger_totals.totals()["deposit"].entries == 301
    assert len(asked) == 4
