"""Finding answers under review: by state, worker, label, age, agreement with the label; and a random sample of them."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from labeling.models import AnswerReview, Assignment, ReviewStatus, WorkQueue
from marketplace.errors import Invalid
from marketplace.ranges import Range

AGREEMENT = Range(0, 1)
"""How far an answer agrees with the label of its object: 0 not at all, 1 wholly."""

HOURS = Range(0, 10_000)
"""How long ago an answer was given at least, in hours."""

WORKER_LENGTH = Range(1, 32)
"""Characters of a worker's public id."""

SAMPLE = Range(1, 500)
"""Answers that a random sample has."""


@dataclass(frozen=True)
class ReviewFilter:
    """Which answers of a queue: an empty field leaves all in.

    `most_agreement` keeps those whose agreement with the label is at most so much. `reviewer`, the key of a worker,
    keeps those that this worker may decide about: neither golds nor answers to tasks that they worked on.
    """

    state: str = ""
    worker: str = ""
    label: str = ""
    submitted_before: datetime | None = None
    most_agreement: float | None = None
    sampled: bool | None = None
    reviewer: int | None = None

    def check(self) -> None:
        """Raises Invalid naming every field that is wrong."""
        errors = []
        if self.state and self.state not in ReviewStatus.values:
            errors.append(("state", f"one of {', '.join(ReviewStatus.values)} expected"))
        if self.most_agreement is not None and self.most_agreement not in AGREEMENT:
            errors.append(("most_agreement", f"{self.most_agreement!r} found, {AGREEMENT} expected"))
        if errors:
            raise Invalid("this is no filter of answers", errors=errors)


def reviews(queue: WorkQueue, wanted: ReviewFilter | None = None) -> QuerySet[AnswerReview]:
    """The reviews of a queue that a filter keeps. Raises Invalid for a filter that is none."""
    return kept(wanted or ReviewFilter()).filter(queue=queue)


def kept(wanted: ReviewFilter) -> QuerySet[AnswerReview]:
    """The reviews, of all queues, that a filter keeps. Raises Invalid for a filter that is none."""
    wanted.check()
    found = AnswerReview.objects.all()
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.worker:
        found = found.filter(worker__public_id=wanted.worker)
    if wanted.label:
        found = found.filter(labels__contains=[wanted.label])
    if wanted.submitted_before is not None:
        found = found.filter(submitted_at__lte=wanted.submitted_before)
    if wanted.most_agreement is not None:
        found = found.filter(agreement__lte=wanted.most_agreement)
    if wanted.sampled is not None:
        found = found.filter(sampled=wanted.sampled)
    if wanted.reviewer is not None:
        worked_on = Assignment.objects.filter(task=OuterRef("assignment__task"), worker=wanted.reviewer)
        found = found.filter(~Exists(worked_on), assignment__task__gold=None)
    return found


def draw_sample(*, queue: WorkQueue, size: int, wanted: ReviewFilter | None = None) -> int:
    """Mark a random sample of the pending answers that a filter keeps, instead of an earlier sample of pending ones.

    Returns how many were marked: fewer than `size` when there are no more. Raises Invalid for another size.
    """
    if size not in SAMPLE:
        raise Invalid(f"{size!r} found, {SAMPLE} answers expected", field="size")
    with transaction.atomic():
        pending = reviews(queue, wanted).filter(state=ReviewStatus.PENDING)
        chosen = set(pending.order_by("?").values_list("pk", flat=True)[: int(size)])
        earlier = AnswerReview.objects.filter(queue=queue, state=ReviewStatus.PENDING, sampled=True)
        involved = chosen | set(earlier.values_list("pk", flat=True))
        locked = AnswerReview.objects.select_for_update(no_key=True).filter(pk__in=involved).order_by("pk")
        still = {row.pk for row in locked if row.state == ReviewStatus.PENDING}
        AnswerReview.objects.filter(pk__in=still - chosen).update(sampled=False)
        return AnswerReview.objects.filter(pk__in=still & chosen).update(sampled=True)
