"""How the variants of endpoints do: requests, errors and latencies by the minute.

What happens is counted in this process and written once a second, so that an answer waits for no statement; a process
that is killed loses a second of counts. Knows neither how requests are sent nor what follows from the figures.
"""

import logging
import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from learning.models import Variant, VariantTraffic

log = logging.getLogger(__name__)

BUCKETS_MS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 2000, 5000, 10_000, 60_000)
"""Upper bounds of the buckets in milliseconds; a last bucket has what took longer."""
FLUSH_SECONDS = 1.0
KEPT = timedelta(days=14)


@dataclass
class Counts:
    """What happened to one variant; `latencies` has one number for each bucket, and one more."""

    requests: int = 0
    errors: int = 0
    refused: int = 0
    left_out: int = 0
    latencies: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_MS) + 1))

    def add(self, other: "Counts | VariantTraffic") -> None:
        """Add another's counts to these."""
        self.requests += other.requests
        self.errors += other.errors
        self.refused += other.refused
        self.left_out += other.left_out
        self.latencies = [a + b for a, b in zip(self.latencies, other.latencies, strict=True)]

    @property
    def error_percent(self) -> float:
        """The share of requests that failed, in percent; 0 without requests."""
        return 100 * self.errors / self.requests if self.requests else 0.0

    def latency_ms(self, share: float) -> float | None:
        """The latency that `share` (0 to 1) of the answers do not exceed, to the next bucket; None without answers."""
        return quantile(self.latencies, share)


def quantile(latencies: Sequence[int], share: float) -> float | None:
    """The upper bound of the bucket in which that share of the answers is reached; None without any."""
    total, reached = sum(latencies), 0
    for bound, count in zip((*BUCKETS_MS, BUCKETS_MS[-1]), latencies, strict=True):
        reached += count
        if total and reached >= share * total:
            return float(bound)
    return None


class Counter:
    """The counts of this process that are not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[int, datetime], Counts] = {}
        self._timer: threading.Timer | None = None

    def note(self, variant_id: int, *, seconds: float | None, error: bool = False, refused: bool = False) -> None:
        """One request to a variant: its latency in seconds (None without an answer), and whether it failed."""
        counts = Counts(requests=1, errors=int(error), refused=int(refused))
        if seconds is not None:
            counts.latencies[bisect_left(BUCKETS_MS, seconds * 1000)] += 1
        self._add(variant_id, counts)

    def leave_out(self, variant_id: int) -> None:
        """One answer of a variant that people were not asked about, though it met the conditions."""
        self._add(variant_id, Counts(left_out=1))

    def _add(self, variant_id: int, counts: Counts) -> None:
        minute = timezone.now().replace(second=0, microsecond=0)
        with self._lock:
            self._waiting.setdefault((variant_id, minute), Counts()).add(counts)
            if self._timer is None:
                self._timer = threading.Timer(FLUSH_SECONDS, self._flush_later)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write what is waiting."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        # In one order, so that two processes never wait for each other.
        for (variant_id, minute), counts in sorted(waiting.items(), key=lambda item: item[0]):
            _write(variant_id, minute, counts)

    def _flush_later(self) -> None:
        try:
            self.flush()
        except Exception:
            log.exception("a second of endpoints' traffic was not counted")
        finally:
            connection.close()


COUNTER = Counter()
note, leave_out, flush = COUNTER.note, COUNTER.leave_out, COUNTER.flush


def _write(variant_id: int, minute: datetime, counts: Counts) -> None:
    with transaction.atomic():
        if not Variant.objects.filter(pk=variant_id).exists():
            return  # its endpoint was deleted
        empty = Counts()
        VariantTraffic.objects.bulk_create(
            [VariantTraffic(variant_id=variant_id, minute=minute, latencies=empty.latencies)], ignore_conflicts=True
        )
        row = VariantTraffic.objects.select_for_update().get(variant_id=variant_id, minute=minute)
        counts.add(row)
        row.requests, row.errors, row.refused = counts.requests, counts.errors, counts.refused
        row.left_out, row.latencies = counts.left_out, counts.latencies
        row.save()


def totals(variant_ids: Sequence[int], *, since: datetime | None = None) -> dict[int, Counts]:
    """The counts of each of these variants that has any, from a minute on or of all times."""
    rows = VariantTraffic.objects.filter(variant_id__in=variant_ids)
    found: dict[int, Counts] = {}
    for row in rows.filter(minute__gte=since) if since else rows:
        found.setdefault(row.variant_id, Counts()).add(row)
    return found


def together(counts: Sequence[Counts]) -> Counts:
    """The sum."""
    whole = Counts()
    for one in counts:
        whole.add(one)
    return whole


def forget_old() -> None:
    """Delete what is older than KEPT."""
    VariantTraffic.objects.filter(minute__lt=timezone.now() - KEPT).delete()
