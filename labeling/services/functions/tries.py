"""Tries of calls to functions: a try is counted, and the next one dated, before the function is asked.

So a process that dies in between has used up one try, and whatever kills it each time ends.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling.models import FunctionCall, LabelingJob
from labeling.services.functions.waiting import Asked

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600))
"""After the first try, the second and so on; then the object is given up."""

STOPPING_TRIES = 2
"""Tries of an object whose job is being stopped, so that the job does not wait for hours."""

MOST_CHARACTERS = 450
"""Of a reason, beside the number of tries."""


def take(rows: Sequence[FunctionCall]) -> None:
    """Count a try of these calls, and date the next one as if this one failed."""
    now = timezone.now()
    for row in rows:
        row.due_at = now + PAUSES[min(row.tries, len(PAUSES) - 1)]
        row.tries += 1
    with transaction.atomic():
        held = _locked(FunctionCall.objects.filter(pk__in=[row.pk for row in rows]))
        asked = {row.pk: row.asked_at for row in held}
        # One that was asked anew since it was read starts over.
        same = [row for row in rows if asked.get(row.pk) == row.asked_at]
        FunctionCall.objects.bulk_update(same, ["due_at", "tries"])


def used_up(row: FunctionCall, job: LabelingJob) -> bool:
    """Whether a call that has failed again is given up."""
    return row.tries > len(PAUSES) or (job.status != "InProgress" and row.tries >= STOPPING_TRIES)


def note(rows: Iterable[FunctionCall], problem: str) -> None:
    """Keep why calls that are tried again have failed."""
    FunctionCall.objects.filter(pk__in=[row.pk for row in rows]).update(problem=problem[:500])


def postpone(job: LabelingJob, asked: Asked) -> None:
    """The function does not answer anybody: leave it alone for as long as the call that has waited least would."""
    now = timezone.now()
    waiting = FunctionCall.objects.filter(job=job, step=asked.step)
    until = waiting.filter(due_at__gt=now).order_by("due_at").values_list("due_at", flat=True).first()
    if until is not None:
        with transaction.atomic():
            held = _locked(waiting.filter(due_at__lte=now))
            FunctionCall.objects.filter(pk__in=[row.pk for row in held]).update(due_at=until)


def still_asked(rows: Iterable[FunctionCall]) -> set[int]:
    """The objects of those calls that nobody has asked anew or given up meanwhile; their calls are deleted.

    Needs a transaction that has locked the objects.
    """
    asked = {row.pk: row for row in rows}
    held = _locked(FunctionCall.objects.filter(pk__in=list(asked)))
    kept = [row for row in held if row.asked_at == asked[row.pk].asked_at]
    FunctionCall.objects.filter(pk__in=[row.pk for row in kept]).delete()
    return {row.data_object_id for row in kept}


def message_id(rows: Sequence[FunctionCall]) -> str:
    """The same for every try of the same calls, so that a receiver can tell a repeat."""
    said = ",".join(f"{row.pk}:{row.asked_at.timestamp()}" for row in rows)
    return f"msg_{hashlib.sha256(said.encode()).hexdigest()[:28]}"


def reason(asked: Asked, row: FunctionCall, problem: Exception) -> str:
    """Why an object has failed: the function, the object, what was wrong, and how often it was tried."""
    after = f" (after {row.tries} tries)" if row.tries > 1 else ""
    return f"{asked} gave nothing for object {row.data_object.index}: {problem}"[:MOST_CHARACTERS] + after


def _locked(rows: QuerySet[FunctionCall]) -> list[FunctionCall]:
    """The rows, locked in the order in which questions are written."""
    return list(rows.select_for_update().order_by("data_object"))
