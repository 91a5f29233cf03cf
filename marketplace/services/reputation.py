"""Reputation: how often a worker is right, by task type and label, with how sure that is; carried from job to job.

The only writer of evidence and its sums. Knows workers and rows of evidence, not what a task is. The accuracy of a
worker has a Beta distribution: the prior of marketplace/posterior.py plus the evidence, each piece of which
counts half after HALF_LIFE_DAYS. The rate of decay is the same for all pieces, so each is stored as it would count at
EPOCH, and a sum needs no update as time passes: read at time t it is multiplied by 2 ** -((t - EPOCH) / half-life).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal
from math import isfinite

from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from marketplace import posterior
from marketplace.errors import Invalid
from marketplace.models import Evidence, EvidenceSource, Reputation, Subject, Worker

HALF_LIFE_DAYS = 180.0
"""After so many days a piece of evidence counts half: people learn, and grow careless, over months."""

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_PLACES = Decimal("1e-9")
_EXACT = Context(prec=60)
_MOST_DAYS = 20_000.0
BATCH = 1000
"""Rows that one statement writes."""

Key = tuple[int, str, str]
"""Worker, task type, label: what one sum is about."""


@dataclass(frozen=True)
class Finding:
    """A piece of evidence: `worker_id`'s answer `subject` was right to the share `correct` (0 to 1).

    `label` "" is about the answer as a whole, and enters the sum for all labels; a class has findings of its own.
    `weight`: how many looks at a known true label it is worth.
    """

    worker_id: int
    task_type: str
    label: str
    source: str
    correct: float
    subject: Subject
    at: datetime
    weight: float = 1.0


@dataclass(frozen=True)
class Accuracy:
    """What is believed of a worker's accuracy at a task type, for one label ("" for all together).

    `mean` with its 90 % interval `low` to `high`; `answers` is the evidence that still counts, in answers, `pieces` how
    many pieces there are.
    """

    task_type: str
    label: str
    mean: float
    low: float
    high: float
    answers: float
    pieces: int


def record(
    *,
    worker: Worker,
    task_type: str,
    label: str,
    source: str,
    correct: float,
    weight: float = 1.0,
    subject: Subject,
    at: datetime,
) -> None:
    """Record how far the worker's answer `subject` was right; see Finding. Recording again replaces it.

    Raises Invalid for a share outside 0 to 1, a weight that is not positive, or an unknown source.
    """
    record_all([Finding(worker.pk, task_type, label, source, correct, subject, at, weight)])


def record_all(findings: Iterable[Finding]) -> None:
    """Record many findings in a few statements. A finding replaces the one with the same worker, subject, source and
    label. Raises Invalid as `record` does, before anything is written.
    """
    rows = {_identity(row): row for row in map(_row, findings)}
    ordered = [rows[one] for one in sorted(rows)]
    for start in range(0, len(ordered), BATCH):
        _record_chunk(ordered[start : start + BATCH])


def forget(*, subject: Subject, source: str | None = None) -> None:
    """Take back what was recorded about a subject, from one source or from all. Safe to repeat."""
    about = Q(subject_type=subject.type, subject_id=subject.id)
    if source is not None:
        about &= Q(source=source)
    with transaction.atomic():
        keys = {_key(row) for row in Evidence.objects.filter(about)}
        sums = _lock_sums(keys)
        rows = [row for row in Evidence.objects.filter(about) if _key(row) in sums]
        for row in rows:
            _add(sums[_key(row)], row, -1)
        Evidence.objects.filter(pk__in=[row.pk for row in rows]).delete()
        Reputation.objects.bulk_update(sums.values(), ["right", "wrong", "pieces"], batch_size=BATCH)


def relabel(*, subject_type: str, subject_ids: Sequence[int], old: str, new: str) -> int:
    """What was recorded of these subjects for the label `old` is about `new` from now on; returns how many pieces were.

    Where a look at an answer has a piece for both, they become one: their mean by weight, with the greater weight. Safe
    to repeat.
    """
    of_subjects = Evidence.objects.filter(subject_type=subject_type, subject_id__in=subject_ids)
    rows = list(of_subjects.filter(label=old))
    if not rows or old == new:
        return 0
    with transaction.atomic():
        keys = {_key(row) for row in rows}
        sums = _lock_sums(keys | {(worker, task_type, new) for worker, task_type, _ in keys})
        # Read under the locks of the sums: whoever writes the same evidence has to hold them.
        rows = [row for row in of_subjects.filter(label=old) if _key(row) in sums]
        there = {
            _identity(row): row for row in of_subjects.filter(label=new, worker__in={row.worker_id for row in rows})
        }
        for row in rows:
            _add(sums[_key(row)], row, -1)
            row.label = new
            if (other := there.get(_identity(row))) is not None:
                _add(sums[_key(other)], other, -1)
                total = row.weight + other.weight
                row.correct = min(1.0, (row.weight * row.correct + other.weight * other.correct) / total)
                row.weight, row.at = max(row.weight, other.weight), max(row.at, other.at)
            _add(sums[_key(row)], row, 1)
        joined = {_identity(row) for row in rows}
        Evidence.objects.filter(pk__in=[row.pk for one, row in there.items() if one in joined]).delete()
        Evidence.objects.bulk_update(rows, ["label", "correct", "weight", "at"], batch_size=BATCH)
        Reputation.objects.bulk_update(sums.values(), ["right", "wrong", "pieces"], batch_size=BATCH)
    return len(rows)


def rebuild(*, worker: Worker) -> None:
    """Make the worker's sums again from the evidence; they come out as they were. Safe to repeat."""
    with transaction.atomic():
        keys = {_key(row) for row in Reputation.objects.filter(worker=worker)}
        keys |= {_key(row) for row in Evidence.objects.filter(worker=worker)}
        sums = _lock_sums(keys)
        for one in sums.values():
            one.right, one.wrong, one.pieces = Decimal(0), Decimal(0), 0
        for row in Evidence.objects.filter(worker=worker).iterator(chunk_size=BATCH):
            _add(sums[_key(row)], row, 1)
        Reputation.objects.bulk_update(sums.values(), ["right", "wrong", "pieces"], batch_size=BATCH)


def sums_of(worker: Worker) -> QuerySet[Reputation]:
    """The worker's sums wherever there is evidence, for lists in pages; `believed` says what they mean."""
    return Reputation.objects.filter(worker=worker, pieces__gt=0)


@dataclass(frozen=True)
class Hidden:
    """Evidence of one source about these rows, which its worker is not to learn of yet."""

    source: str
    subject_type: str
    subject_ids: Sequence[int]


def told_sums(worker: Worker, hidden: Hidden) -> QuerySet[Reputation]:
    """`sums_of` without those that rest on hidden evidence only; `told` says what the others mean."""
    about = Evidence.objects.filter(
        worker=OuterRef("worker"),
        task_type=OuterRef("task_type"),
        label=OuterRef("label"),
        source=hidden.source,
        subject_type=hidden.subject_type,
        subject_id__in=hidden.subject_ids,
    )
    count = about.order_by().values("worker").annotate(n=Count("pk")).values("n")
    return sums_of(worker).annotate(hidden=Coalesce(Subquery(count), 0)).filter(pieces__gt=F("hidden"))


def told(worker: Worker, sums: Sequence[Reputation], hidden: Hidden, *, at: datetime | None = None) -> list[Accuracy]:
    """What follows from each of these sums of the worker without the hidden evidence."""
    by_key = {_key(row): row for row in sums}
    rows = Evidence.objects.filter(
        worker=worker,
        source=hidden.source,
        subject_type=hidden.subject_type,
        subject_id__in=hidden.subject_ids,
    )
    for row in rows:
        if (total := by_key.get(_key(row))) is not None:
            _add(total, row, -1)
    return _accuracies(sums, at)


def sums_at(task_type: str, label: str = "") -> QuerySet[Reputation]:
    """Everybody's sums at a task type for one label, for lists in pages; `believed` says what they mean."""
    return Reputation.objects.filter(task_type=task_type, label=label, pieces__gt=0)


def believed(sums: Sequence[Reputation], *, at: datetime | None = None) -> list[Accuracy]:
    """What follows from each of these sums."""
    return _accuracies(sums, at)


def accuracies(worker: Worker, *, at: datetime | None = None) -> list[Accuracy]:
    """What is believed of the worker wherever there is evidence, by task type and label, "" first."""
    return _accuracies(list(sums_of(worker).order_by("task_type", "label")), at)


def accuracies_of(
    worker_ids: Iterable[int], *, task_type: str, label: str = "", at: datetime | None = None
) -> dict[int, Accuracy]:
    """What is believed of several workers at a task type, by the worker's key; the prior where there is no evidence."""
    wanted = list(dict.fromkeys(worker_ids))
    found = list(Reputation.objects.filter(worker__in=wanted, task_type=task_type, label=label))
    known = dict(zip([row.worker_id for row in found], _accuracies(found, at), strict=True))
    nothing = _accuracies([Reputation(task_type=task_type, label=label)], at)[0]
    return {pk: known.get(pk, nothing) for pk in wanted}


# --- one sum -----------------------------------------------------------------------------------------------------


def _days(at: datetime) -> float:
    return max(-_MOST_DAYS, min(_MOST_DAYS, (at - EPOCH).total_seconds() / 86_400))


def _add(total: Reputation, row: Evidence, sign: int) -> None:
    grown = row.weight * 2.0 ** (_days(row.at) / HALF_LIFE_DAYS)
    total.right = _EXACT.add(total.right, _decimal(sign * grown * row.correct))
    total.wrong = _EXACT.add(total.wrong, _decimal(sign * grown * (1 - row.correct)))
    total.pieces += sign


def _decimal(number: float) -> Decimal:
    return _EXACT.quantize(Decimal(number), _PLACES)


def _accuracies(rows: Sequence[Reputation], at: datetime | None) -> list[Accuracy]:
    if not rows:
        return []
    left = 2.0 ** (-_days(at or timezone.now()) / HALF_LIFE_DAYS)
    right, wrong = [float(row.right) * left for row in rows], [float(row.wrong) * left for row in rows]
    return [
        Accuracy(row.task_type, row.label, *belief, answers=a + b, pieces=row.pieces)
        for row, belief, a, b in zip(rows, posterior.beliefs(right, wrong), right, wrong, strict=True)
    ]


# --- rows --------------------------------------------------------------------------------------------------------


def _row(finding: Finding) -> Evidence:
    if not 0 <= finding.correct <= 1:
        raise Invalid(f"{finding.correct} found, a share from 0 to 1 expected", field="correct")
    if not (isfinite(finding.weight) and finding.weight > 0):
        raise Invalid(f"{finding.weight} found, a positive weight expected", field="weight")
    if finding.source not in EvidenceSource.values:
        raise Invalid(f"{finding.source!r} found, one of {EvidenceSource.values} expected", field="source")
    return Evidence(
        worker_id=finding.worker_id,
        subject_type=finding.subject.type,
        subject_id=finding.subject.id,
        source=finding.source,
        task_type=finding.task_type,
        label=finding.label,
        correct=finding.correct,
        weight=finding.weight,
        at=finding.at,
    )


def _identity(row: Evidence) -> tuple[int, str, int, str, str]:
    return row.worker_id, row.subject_type, row.subject_id, row.source, row.label


def _key(row: Evidence | Reputation) -> Key:
    return row.worker_id, row.task_type, row.label


def _record_chunk(rows: Sequence[Evidence]) -> None:
    with transaction.atomic():
        sums = _lock_sums({_key(row) for row in rows} | {_key(row) for row in _stored(rows).values()})
        # Read under the locks of the sums: whoever writes the same evidence has to hold them.
        earlier = _stored(rows)
        for row in rows:
            if (old := earlier.get(_identity(row))) is not None:
                _add(sums[_key(old)], old, -1)
            _add(sums[_key(row)], row, 1)
        Evidence.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["worker", "subject_type", "subject_id", "source", "label"],
            update_fields=["task_type", "correct", "weight", "at"],
        )
        Reputation.objects.bulk_update(sums.values(), ["right", "wrong", "pieces"], batch_size=BATCH)


def _stored(rows: Sequence[Evidence]) -> dict[tuple[int, str, int, str, str], Evidence]:
    found = Evidence.objects.filter(
        worker__in={row.worker_id for row in rows},
        subject_type__in={row.subject_type for row in rows},
        subject_id__in={row.subject_id for row in rows},
    )
    wanted = {_identity(row) for row in rows}
    return {_identity(row): row for row in found if _identity(row) in wanted}


def _lock_sums(keys: Iterable[Key]) -> dict[Key, Reputation]:
    """The sums of these keys, locked in the order of the keys, as everywhere; those that are missing are made."""
    ordered = sorted(keys)
    Reputation.objects.bulk_create(
        [Reputation(worker_id=worker, task_type=task_type, label=label) for worker, task_type, label in ordered],
        ignore_conflicts=True,
    )
    rows = Reputation.objects.select_for_update(no_key=True).filter(worker__in={worker for worker, _, _ in ordered})
    # Only these rows: another writer may hold further labels of the same workers.
    rows = rows.filter(task_type__in={one for _, one, _ in ordered}, label__in={label for _, _, label in ordered})
    wanted = set(ordered)
    return {_key(row): row for row in rows.order_by("worker_id", "task_type", "label") if _key(row) in wanted}
