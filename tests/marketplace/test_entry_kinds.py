"""The migration that gives ledger entries their kinds, on a database that holds entries of before."""

import pytest
from django.db import DatabaseError

from tests.marketplace.old_database import migrate, old_database

BEFORE = ("marketplace", "0002_ledger_zero_sum")
AFTER = ("marketplace", "0003_entry_kinds")
# reference -> what the entry moved, pocket by pocket
ENTRIES = {
    "deposit:1": {"outside": -1000, "wallet": 1000},
    # An operator may have named a deposit anything.
    "1": {"outside": -7, "wallet": 7},
    "assignment:5:pay": {"outside": -9, "wallet": 9},
    "batch:12:fund": {"wallet": -300, "escrow": 300},
    "assignment:81:pay": {"escrow": -120, "earnings": 100, "fees": 20},
    "assignment:82:pay": {"escrow": -20, "fees": 20},
    "batch:12:refund": {"escrow": -160, "wallet": 160},
}


@pytest.fixture
def old(django_db_blocker):
    with django_db_blocker.unblock(), old_database(BEFORE) as connection:
        with connection.cursor() as cursor:
            fill(cursor)
        yield connection


def fill(cursor):
    """An account with a wallet, a worker, a job's escrow, and ENTRIES."""
    cursor.execute(
        """INSERT INTO marketplace_user (id, username, email, password, first_name, last_name, display_name, is_active,
                                         is_staff, is_operator, is_superuser, date_joined)
           VALUES (1, 'ada', 'ada@example.org', '', '', '', 'Ada', true, false, false, false, now());
           INSERT INTO marketplace_account (id, name, number, created_at) VALUES (3, 'Apiary', '123456789012', now());
           INSERT INTO marketplace_worker (id, user_id, public_id, status, created_at)
           VALUES (4, 1, 'W1', 'Active', now());
           INSERT INTO marketplace_ledgeraccount (id, kind, account_id, worker_id, reference, created_at)
           VALUES (1, 'outside', NULL, NULL, '', now()), (2, 'wallet', 3, NULL, '', now()),
                  (3, 'escrow', 3, NULL, 'labeling-job:12', now()), (4, 'earnings', NULL, 4, '', now()),
                  (5, 'fees', NULL, NULL, '', now())"""
    )
    pockets = {"outside": 1, "wallet": 2, "escrow": 3, "earnings": 4, "fees": 5}
    for number, (reference, moved) in enumerate(ENTRIES.items(), 1):
        add_entry(cursor, number, reference, {pockets[kind]: micros for kind, micros in moved.items()})


def add_entry(cursor, number, reference, moved):
    values = ", ".join(f"({number}, {pocket}, {micros})" for pocket, micros in moved.items())
    cursor.execute(
        f"""INSERT INTO marketplace_entry (id, reference, description, by, created_at)
            VALUES ({number}, %s, 'as it was', 'system', now());
            INSERT INTO marketplace_posting (entry_id, ledger_account_id, amount_micros) VALUES {values}""",
        [reference],
    )


def rows(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@pytest.mark.slow
def test_existing_entries_learn_what_they_are(old):
    postings = rows(old, "SELECT * FROM marketplace_posting ORDER BY id")
    migrate(old, AFTER)
    assert rows(
        old, "SELECT reference, kind, subject_type, subject_id, description FROM marketplace_entry ORDER BY id"
    ) == [
        ("deposit:deposit:1", "deposit", "account", 3, "as it was"),
        ("deposit:1", "deposit", "account", 3, "as it was"),
        ("deposit:assignment:5:pay", "deposit", "account", 3, "as it was"),
        ("reserve:batch:12", "reserve", "batch", 12, "as it was"),
        ("payment:assignment:81", "payment", "assignment", 81, "as it was"),
        ("payment:assignment:82", "payment", "assignment", 82, "as it was"),
        ("refund:batch:12", "refund", "batch", 12, "as it was"),
    ]
    assert rows(old, "SELECT kind, purpose_type, purpose_id FROM marketplace_ledgeraccount ORDER BY id") == [
        ("outside", "", None),
        ("wallet", "", None),
        ("escrow", "labeling-job", 12),
        ("earnings", "", None),
        ("fees", "", None),
    ]
    assert rows(old, "SELECT * FROM marketplace_posting ORDER BY id") == postings


@pytest.mark.slow
def test_the_ledger_is_append_only_again(old):
    migrate(old, AFTER)
    for statement in ("UPDATE marketplace_entry SET description = ''", "DELETE FROM marketplace_posting"):
        with pytest.raises(DatabaseError, match="append-only"):
            rows(old, statement)
    with pytest.raises(DatabaseError, match="unique"):
        rows(
            old,
            "INSERT INTO marketplace_entry (kind, subject_type, subject_id, reference, description, by, created_at) "
            "VALUES ('payment', 'assignment', 81, 'payment:assignment:81', '', 'system', now())",
        )


@pytest.mark.slow
def test_the_way_back_gives_the_entries_their_old_references(old):
    before = rows(old, "SELECT id, reference, description, created_at FROM marketplace_entry ORDER BY id")
    pockets = rows(old, "SELECT id, kind, account_id, worker_id, reference FROM marketplace_ledgeraccount ORDER BY id")
    migrate(old, AFTER)
    migrate(old, BEFORE)
    assert rows(old, "SELECT id, reference, description, created_at FROM marketplace_entry ORDER BY id") == before
    assert (
        rows(old, "SELECT id, kind, account_id, worker_id, reference FROM marketplace_ledgeraccount ORDER BY id")
        == pockets
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reference", "moved"),
    [("by hand", {2: -1, 1: 1}), ("batch:12:pay", {3: -1, 4: 1}), ("assignment:83:pay", {2: -1, 3: 1})],
)
def test_an_entry_of_no_kind_is_named_and_nothing_is_changed(old, reference, moved):
    with old.cursor() as cursor:
        add_entry(cursor, 99, reference, moved)
    with pytest.raises(DatabaseError, match=rf"no deposit, reserve, payment or refund: 99 \({reference}\)"):
        migrate(old, AFTER)
    assert rows(old, "SELECT reference FROM marketplace_entry WHERE id = 1") == [("deposit:1",)]
    with pytest.raises(DatabaseError, match="append-only"):
        rows(old, "DELETE FROM marketplace_entry")
