"""Scores answers to golds and passes the result on as evidence of how good each worker is.

Scores follow soon after the answer, in the advance of the queue's owner and not in the submit, whose duration would
tell the worker that the task was a gold. Safe to repeat, and to be killed anywhere.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Avg, Case, FloatField, Q, Value, When
from django.utils import timezone

from labeling import subjects, task_types
from labeling.models import Answer, AssignmentStatus, Gold, GoldResult, GoldStatus, LabelingJob, WorkQueue
from labeling.queries import golds
from labeling.services.golds import mixing, verdicts
from labeling.services.golds.verdicts import Answered
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.services.results import reviewing
from marketplace.models import EvidenceSource, Subject
from marketplace.services import reputation
from marketplace.services.reputation import Finding

log = logging.getLogger(__name__)

CHUNK = 200
"""Answers that one transaction scores."""

VALID = (GoldStatus.ACTIVE, GoldStatus.SUSPECT, GoldStatus.RETIRED)
"""The states in which an answer to a gold says something about its worker."""


def score_new(job: LabelingJob) -> int:
    """Score the answers to the job's golds that were not yet; returns how many."""
    queue, done = job.queue, 0
    if not queue.gold_salt:
        return 0
    fresh = Q(score=None, assignment__state=AssignmentStatus.SUBMITTED, gold__queue=queue)
    while True:
        with transaction.atomic():
            ids = dict(GoldResult.objects.filter(fresh).order_by("pk").values_list("pk", "gold")[:CHUNK])
            # The golds first: whoever changes a truth holds its gold, and scores again what was scored before.
            list(Gold.objects.select_for_update(no_key=True).filter(pk__in=set(ids.values())).order_by("pk"))
            rows = GoldResult.objects.select_for_update(no_key=True, of=("self",)).filter(fresh, pk__in=list(ids))
            found = list(rows.select_related("gold__data_object", "assignment").order_by("pk"))
            if found:
                _score(queue, found)
            if found and queue.review_days is not None:
                reviewing.record_agreement(job, [row.gold.data_object_id for row in found])
        if not found:
            return done
        for gold in {row.gold_id: row.gold for row in found}.values():
            _judge(job, gold)
        done += len(found)


def score_again(gold: Gold) -> int:
    """Score every answer to the gold by its truth as it is now, and pass that on; returns how many.

    What was answered to a gold that was withdrawn says nothing any more. Needs a transaction that has locked the gold.
    """
    queue = WorkQueue.objects.get(pk=gold.queue_id)
    rows = GoldResult.objects.select_for_update(no_key=True, of=("self",)).filter(gold=gold, score__isnull=False)
    found = list(rows.select_related("gold__data_object", "assignment").order_by("pk"))
    for row in found:
        row.gold = gold
    for start in range(0, len(found), CHUNK):
        _score(queue, found[start : start + CHUNK])
    return len(found)


def _score(queue: WorkQueue, rows: Sequence[GoldResult]) -> None:
    """Store the scores of these results, which are locked, with what they say about the workers."""
    answers = newest_answers([row.assignment_id for row in rows])
    now = timezone.now()
    for row in rows:
        row.score, row.by_label = _scores(queue, row.gold, answers.get(row.assignment_id))
        row.scored_at = row.scored_at or now
    GoldResult.objects.bulk_update(rows, ["score", "by_label", "scored_at"])
    for row in rows:
        # Also before recording again: a corrected truth may have fewer classes than the earlier one.
        if row.gold.state not in VALID or row.gold.changed_at > row.gold.created_at:
            reputation.forget(subject=Subject(subjects.ASSIGNMENT, row.assignment_id), source=EvidenceSource.GOLD)
    reputation.record_all(
        finding for row in rows if row.gold.state in VALID for finding in _findings(queue.task_type, row)
    )


def _scores(queue: WorkQueue, gold: Gold, content: Any) -> tuple[float, dict[str, float]]:
    kind = task_types.get(queue.task_type)
    shown = gold.data_object
    try:
        truth = kind.read_value(gold.truth)
        size = (shown.width or 0, shown.height or 0)
        answer = kind.read_stored(content, labels=queue.labels, earlier=queue.earlier_labels, size=size)
        return kind.score_against_truth(answer, truth), kind.scores_by_class(answer, truth)
    except OF_ONE_OBJECT:
        log.exception("gold %d: an answer could not be scored, it counts as wrong", gold.pk)
        return 0.0, {}


def _findings(task_type: str, row: GoldResult) -> Iterable[Finding]:
    at = row.assignment.ended_at or timezone.now()
    for label, correct in {"": row.score or 0.0, **row.by_label}.items():
        yield Finding(
            worker_id=row.worker_id,
            task_type=task_type,
            label=label,
            source=EvidenceSource.GOLD,
            correct=correct,
            subject=Subject(subjects.ASSIGNMENT, row.assignment_id),
            at=at,
        )


def newest_answers(seats: Collection[int]) -> dict[int, Any]:
    """The newest revision of the answer of each of these assignments, by the assignment's key."""
    rows = Answer.objects.filter(assignment__in=seats).order_by("assignment", "revision")
    return dict(rows.values_list("assignment", "content"))


# --- what the answers say about the gold -----------------------------------------------------------------------------


def _judge(job: LabelingJob, gold: Gold) -> None:
    """Retire the gold or put it aside, if its answers say so."""
    mark = golds.pass_mark(job)
    with transaction.atomic():
        gold = Gold.objects.select_for_update(no_key=True).get(pk=gold.pk)
        if gold.state != GoldStatus.ACTIVE:
            return
        found = verdicts.verdict(_answered(gold, mark))
        if found is None or (found[0] == GoldStatus.SUSPECT and gold.confirmed):
            return
        gold.state, gold.reason = found
        gold.save(update_fields=["state", "reason"])
        mixing.take_away(gold)


def _answered(gold: Gold, mark: float) -> list[Answered]:
    rows = list(
        GoldResult.objects.filter(gold=gold, score__isnull=False)
        .order_by("scored_at", "assignment")
        .values_list("worker", "score", "assignment__seconds_spent")
    )
    passes = Case(When(score__gte=mark, then=Value(1.0)), default=Value(0.0), output_field=FloatField())
    others = GoldResult.objects.filter(
        gold__queue=gold.queue_id, gold__state__in=VALID, worker__in=[worker for worker, _, _ in rows]
    ).exclude(gold=gold)
    shares: dict[int, float] = defaultdict(float)
    shares.update(others.filter(score__isnull=False).values_list("worker").annotate(share=Avg(passes)).order_by())
    return [Answered(score >= mark, seconds or 0.0, shares.get(worker)) for worker, score, seconds in rows]
