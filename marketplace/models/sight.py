"""What an operator is shown of running processes, and running totals of the ledger for metrics."""

from django.db import models

from marketplace.models.ledger import EntryKind


class Heartbeat(models.Model):
    """A queue or a learner of a machine that works, or did. `figures`: what it says of itself, as of its GPUs."""

    # "queue" or "learner".
    kind = models.CharField(max_length=10)
    # The machine, and for a learner its folder.
    place = models.CharField(max_length=80)
    seen_at = models.DateTimeField()
    figures = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "place"], name="heartbeat_once_per_place")]


class LedgerTotal(models.Model):
    """What all entries of a kind up to LedgerTotalsMark.until_id have moved, in micro-dollars, and their number."""

    kind = models.CharField(max_length=10, choices=EntryKind, primary_key=True)
    moved_micros = models.BigIntegerField(default=0)
    entries = models.BigIntegerField(default=0)


class LedgerTotalsMark(models.Model):
    """Up to which entry the totals go: one row.

    Entries get their keys before they are committed. So `next_id`, the last one there was at a look, becomes `until_id`
    only once every transaction that ran then (those before `next_xid`) is over.
    """

    until_id = models.BigIntegerField(default=0)
    next_id = models.BigIntegerField(default=0)
    next_xid = models.BigIntegerField(default=0)
