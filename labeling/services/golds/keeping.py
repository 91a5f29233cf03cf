"""A requester keeps golds: adds an object, corrects a truth, confirms a suspect gold, withdraws one."""

from collections.abc import Collection
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling import task_types
from labeling.models import (
    Assignment,
    DataObject,
    Gold,
    GoldResult,
    GoldSource,
    GoldStatus,
    Label,
    LabelingJob,
    LabelSource,
    ObjectState,
)
from labeling.queries import golds
from labeling.services.golds import mixing, scoring
from labeling.services.results import adjudication
from marketplace.errors import Invalid, LimitExceeded, WrongState
from marketplace.ranges import Range
from marketplace.services import audit

MOST = 500
"""Golds that a job has at most: the claim looks through those that a worker has seen."""

USED = "this object is a gold, or was one: none is used twice"
"""Why an object does not become a gold again."""

REASON_LENGTH = Range(0, 500)
"""Characters of the reason why a gold is withdrawn."""

APPEALED = "an answer that missed it was found right after an appeal"
"""Why a gold is put aside whose object nobody can decide at the moment."""


def refusal(data_object: DataObject) -> str | None:
    """Why the object cannot become a gold; None when it can. Needs `job`, `label` and `gold` to cost nothing."""
    if not data_object.job.open:
        return f"the labeling job is {data_object.job.status}; golds are added while it is InProgress"
    if hasattr(data_object, "gold"):
        return USED
    if not task_types.get(data_object.job.task_type).merges:
        return adjudication.SIDE_BY_SIDE
    if data_object.label is None or data_object.state != ObjectState.HUMAN:
        return "decide this object first: a gold needs a label that a person is sure of"
    if data_object.width is None:
        return adjudication.UNKNOWN_SIZE
    return None


def add(*, data_object: DataObject, by: str, content: Any = None) -> Gold:
    """Make an object of a running job a gold, with its label as the truth; it is mixed into the work from now on.

    With `content`, the crowd element's JSON, the object is decided by it first. People who know the object from their
    work do not get it. Raises Invalid for a bad answer, WrongState for an object that cannot be a gold (see `refusal`),
    LimitExceeded for a job with MOST golds.
    """
    with transaction.atomic():
        if content is not None:
            if hasattr(data_object, "gold"):
                raise WrongState(USED, field="object")
            adjudication.adjudicate(data_object=data_object, content=content, by=by)
        row = DataObject.objects.select_related("label", "gold").get(pk=data_object.pk)
        row.job = data_object.job
        if reason := refusal(row):
            raise WrongState(reason, field="object")
        if Gold.objects.filter(queue=row.job.queue_id).count() >= MOST:
            raise LimitExceeded(f"a labeling job has at most {MOST} golds", field="object")
        try:
            (gold,) = make([row], job=row.job, source=str(GoldSource.EXPERT), by=by)
        except IntegrityError:
            raise WrongState(USED, field="object") from None
        _note(gold, by, "added")
    mixing.open_now(gold, by=by)
    return gold


def make(objects: list[DataObject], *, job: LabelingJob, source: str, by: str) -> list[Gold]:
    """Store these objects, with `label` loaded, as golds. Whoever had a task about one of them is never given it.

    Needs a transaction.
    """
    now = timezone.now()
    made = Gold.objects.bulk_create(
        Gold(
            queue_id=job.queue_id,
            data_object=row,
            source=source,
            truth=row.label.value,
            created_at=now,
            changed_at=now,
            created_by=by,
        )
        for row in objects
        if row.label is not None
    )
    by_object = {gold.data_object_id: gold for gold in made}
    seen = Assignment.objects.filter(task__data_object__in=by_object).values_list("task__data_object", "worker")
    GoldResult.objects.bulk_create(GoldResult(gold=by_object[pk], worker_id=worker) for pk, worker in sorted(set(seen)))
    return made


def correct(*, gold: Gold, content: Any, by: str) -> Gold:
    """Decide the object of the gold anew: it is scored again for everybody who answered it, by the new truth.

    A suspect gold is given out again, from the next batch on. Raises Invalid for a bad answer, WrongState for a gold
    that was withdrawn.
    """
    with transaction.atomic():
        locked = _lock(gold)
        if locked.state == GoldStatus.WITHDRAWN:
            raise WrongState("this gold was withdrawn", field="gold")
        shown = DataObject.objects.select_related("job", "label").get(pk=locked.data_object_id)
        _replace(locked, adjudication.adjudicate(data_object=shown, content=content, by=by).value, by)
    return locked


def follow(*, job: LabelingJob, object_ids: Collection[int], by: str) -> int:
    """Correct the golds among these objects whose label a member has decided otherwise since; returns how many."""
    changed = 0
    decided = Gold.objects.filter(
        queue=job.queue_id, data_object__in=object_ids, data_object__label__source=LabelSource.ADJUDICATED
    ).exclude(state=GoldStatus.WITHDRAWN)
    for gold in decided.select_related("data_object__label").order_by("pk"):
        label = gold.data_object.label
        with transaction.atomic():
            locked = _lock(gold)
            if label is not None and locked.truth != label.value and locked.state != GoldStatus.WITHDRAWN:
                _replace(locked, label.value, by)
                changed += 1
    return changed


def missed_by(*, assignment_id: int) -> Gold | None:
    """The gold in use that the answer of this assignment did not pass, locked; None where there is no such gold.

    Needs a transaction; the lock comes before those of queue/locking.py.
    """
    gold = Gold.objects.select_for_update(no_key=True).filter(results__assignment=assignment_id).first()
    return gold if gold is not None and assignment_id in golds.missed([assignment_id]) else None


def believe(*, gold: Gold, assignment_id: int, by: str) -> None:
    """Take the answer of this assignment for the truth of the gold that it missed: it was found right after all.

    It becomes the object's label as well, and everybody who answered the gold is scored again. While people work on
    the object the gold is put aside instead, until a member decides. Needs a transaction that has locked the gold.
    """
    shown = DataObject.objects.select_related("job", "label").get(pk=gold.data_object_id)
    if adjudication.refusal(shown):
        gold.state, gold.reason = GoldStatus.SUSPECT, APPEALED
        gold.save(update_fields=["state", "reason"])
        mixing.take_away(gold)
        _note(gold, by, APPEALED)
        return
    content = scoring.newest_answers([assignment_id])[assignment_id]
    correct(gold=gold, content=content, by=by)


def _replace(locked: Gold, truth: dict[str, Any], by: str) -> None:
    """Give the gold another truth, and score it again."""
    locked.truth, locked.changed_at, locked.confirmed = truth, timezone.now(), True
    if locked.state == GoldStatus.SUSPECT:
        locked.state, locked.reason = GoldStatus.ACTIVE, ""
    locked.save(update_fields=["truth", "changed_at", "confirmed", "state", "reason"])
    scoring.score_again(locked)
    _note(locked, by, "corrected")


def decide(*, data_object: DataObject, content: Any, by: str) -> Label:
    """Store the requester's answer as the object's label; where the object is a gold, as its truth as well.

    Raises as `adjudication.adjudicate`.
    """
    gold = Gold.objects.filter(data_object=data_object.pk).exclude(state=GoldStatus.WITHDRAWN).first()
    if gold is None:
        return adjudication.adjudicate(data_object=data_object, content=content, by=by)
    correct(gold=gold, content=content, by=by)
    return Label.objects.filter(data_object=data_object.pk).order_by("-revision")[0]


def confirm(*, gold: Gold, by: str) -> Gold:
    """Say that a suspect gold is right: it is given out again, from the next batch on. Safe to repeat.

    Raises WrongState for a gold that is retired or withdrawn.
    """
    with transaction.atomic():
        locked = _lock(gold)
        if locked.state not in (GoldStatus.SUSPECT, GoldStatus.ACTIVE):
            raise WrongState(f"this gold is {locked.state}", field="gold")
        if locked.state == GoldStatus.SUSPECT:
            _note(locked, by, "confirmed")
        locked.state, locked.reason, locked.confirmed = GoldStatus.ACTIVE, "", True
        locked.save(update_fields=["state", "reason", "confirmed"])
    return locked


def withdraw(*, gold: Gold, reason: str = "", by: str) -> Gold:
    """Take a gold out for good: it is given to nobody, and what was answered to it counts for nobody. Safe to repeat.

    Answers that were given are paid, and the object keeps its label. Raises Invalid for a long reason.
    """
    if len(reason) not in REASON_LENGTH:
        raise Invalid(f"a reason of {REASON_LENGTH} characters expected, {len(reason)} found", field="reason")
    with transaction.atomic():
        locked = _lock(gold)
        if locked.state != GoldStatus.WITHDRAWN:
            locked.state, locked.reason, locked.changed_at = GoldStatus.WITHDRAWN, reason, timezone.now()
            locked.save(update_fields=["state", "reason", "changed_at"])
            scoring.score_again(locked)
            mixing.take_away(locked)
            _note(locked, by, reason or "withdrawn")
    return locked


def _lock(gold: Gold) -> Gold:
    return Gold.objects.select_for_update(no_key=True).get(pk=gold.pk)


def _note(gold: Gold, by: str, because: str) -> None:
    audit.record(gold, by=by, because=because, to_status=gold.state, account=gold.data_object.job.account)
