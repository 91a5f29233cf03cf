"""Running totals of the ledger by kind of entry, for metrics: reading them costs the same however long the ledger is.

They are made from the entries and never used for anything but showing: what anybody has is a sum of postings.
"""

from dataclasses import dataclass

from django.db import connection, transaction

from marketplace.models import LedgerTotal, LedgerTotalsMark

PART = 100_000
"""Entries that are added at a time."""

MOST_READ = 200_000
"""Entries beyond the totals that are still read when totals are asked for; with more, only the totals are told."""


@dataclass(frozen=True)
class Total:
    """What entries of one kind have moved, in micro-dollars, and how many there are."""

    moved_micros: int
    entries: int


ADD = """
    INSERT INTO marketplace_ledgertotal (kind, moved_micros, entries)
    SELECT kind, coalesce(sum(moved), 0), count(*) FROM (
        SELECT e.kind, (SELECT sum(p.amount_micros) FROM marketplace_posting p
                        WHERE p.entry_id = e.id AND p.amount_micros > 0) AS moved
        FROM marketplace_entry e WHERE e.id > %s AND e.id <= %s) one
    GROUP BY kind
    ON CONFLICT (kind) DO UPDATE SET moved_micros = marketplace_ledgertotal.moved_micros + excluded.moved_micros,
                                     entries = marketplace_ledgertotal.entries + excluded.entries"""

SINCE = """
    SELECT e.kind, coalesce(sum(p.amount_micros) FILTER (WHERE p.amount_micros > 0), 0), count(DISTINCT e.id)
    FROM marketplace_entry e JOIN marketplace_posting p ON p.entry_id = e.id WHERE e.id > %s GROUP BY e.kind"""


def catch_up() -> None:
    """Add the entries that are certain by now. Does nothing while another process does; safe to repeat."""
    while _add_part():
        pass


def _add_part() -> bool:
    """Whether there is more to add."""
    with transaction.atomic():
        LedgerTotalsMark.objects.get_or_create(pk=1)
        mark = LedgerTotalsMark.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if mark is None:
            return False
        with connection.cursor() as cursor:
            cursor.execute("""SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
                                     pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
                                     (SELECT coalesce(max(id), 0) FROM marketplace_entry)""")
            oldest, following, last = cursor.fetchone()
            until = min(mark.next_id, mark.until_id + PART)
            if until > mark.until_id and oldest >= mark.next_xid:
                cursor.execute(ADD, [mark.until_id, until])
                mark.until_id = until
            more = mark.until_id < mark.next_id and oldest >= mark.next_xid
            if mark.until_id >= mark.next_id and last > mark.next_id:
                mark.next_id, mark.next_xid = last, following
        mark.save()
    return more


def totals() -> dict[str, Total]:
    """What the entries of each kind have moved so far."""
    mark = LedgerTotalsMark.objects.filter(pk=1).first()
    until = mark.until_id if mark else 0
    found = {row.kind: Total(row.moved_micros, row.entries) for row in LedgerTotal.objects.all()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM marketplace_entry")
        if cursor.fetchone()[0] - until > MOST_READ:
            return found
        cursor.execute(SINCE, [until])
        for kind, moved, entries in cursor.fetchall():
            before = found.get(kind, Total(0, 0))
            found[kind] = Total(before.moved_micros + int(moved), before.entries + entries)
    return found
