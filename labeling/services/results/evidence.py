"""What answers say about their workers' accuracy: agreement with the label, and reviews. Recorded in their reputation.

Golds record their own. Knows labels and reviews, not what is done with a reputation.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from labeling import subjects, task_types
from labeling.conduct.weights import agreement_weight
from labeling.models import AnswerReview, Assignment, AssignmentStatus, DataObject, LabelingJob, ReviewStatus
from labeling.services.one_by_one import OF_ONE_OBJECT
from labeling.task_types.base import AnswersToImage
from marketplace.models import EvidenceSource, Subject
from marketplace.services import reputation
from marketplace.services.reputation import Finding

BY_NOBODY = ("system", "finding:")
"""Reviews that were decided by a date or a finding, and say nothing about the answer."""


def record_agreement(job: LabelingJob, images: Mapping[int, AnswersToImage[Any]], *, at: datetime) -> None:
    """Record how far each answer agrees with the label of its object. Needs the transaction that wrote the labels.

    `images`: the answers by the object's key. An object with one answer says nothing, nor do answers that began with a
    pre-label, as they agree by themselves.
    """
    kind = task_types.get(job.task_type)
    rows = Assignment.objects.filter(task__data_object__in=list(images), state=AssignmentStatus.SUBMITTED)
    columns = ("task__data_object_id", "worker__public_id", "worker_id", "pk")
    seats = {(pk, name): (worker, seat) for pk, name, worker, seat in rows.order_by("pk").values_list(*columns)}
    labels = DataObject.objects.filter(pk__in=list(images)).exclude(label=None).select_related("label")
    findings: list[Finding] = []
    for row in labels:
        began = {name for proposal in images[row.pk].proposals for name in proposal.seen_by}
        answers = [
            answer
            for answer in images[row.pk].answers
            if (row.pk, answer.worker) in seats and answer.worker not in began
        ]
        if row.label is None or (weight := agreement_weight(len(answers), row.label.confidence)) <= 0:
            continue
        try:
            label = kind.read_value(row.label.value)
            shares = [(answer.worker, _shares(kind, answer.value, label)) for answer in answers]
        except OF_ONE_OBJECT:
            # A label that cannot be read again says nothing about its answers.
            continue
        findings += [
            Finding(
                worker_id=seats[row.pk, worker][0],
                task_type=job.task_type,
                label=name,
                source=EvidenceSource.AGREEMENT,
                correct=min(max(share, 0.0), 1.0),
                subject=Subject(subjects.ASSIGNMENT, seats[row.pk, worker][1]),
                at=at,
                weight=weight,
            )
            for worker, of_worker in shares
            for name, share in of_worker
        ]
    reputation.record_all(findings)


def record_reviews(rows: Sequence[AnswerReview], *, at: datetime) -> None:
    """Record what these decided reviews say, in the transaction that decides them. Needs `queue` loaded.

    An acceptance by date, or a rejection because of a finding, is nobody's look at the answer.
    """
    reputation.record_all(
        Finding(
            worker_id=row.worker_id,
            task_type=row.queue.task_type,
            label="",
            source=EvidenceSource.REVIEW,
            correct=float(row.state == ReviewStatus.ACCEPTED),
            subject=Subject(subjects.ANSWER_REVIEW, row.pk),
            at=at,
        )
        for row in rows
        if is_a_look(row.decided_by)
    )


def is_a_look(by: str) -> bool:
    """Whether whoever decided about an answer, or about an appeal, has looked at it."""
    return not by.startswith(BY_NOBODY)


def replace_review(row: AnswerReview, *, at: datetime) -> None:
    """What a review says after an appeal, instead of what it said before."""
    reputation.forget(subject=Subject(subjects.ANSWER_REVIEW, row.pk), source=EvidenceSource.REVIEW)
    record_reviews([row], at=at)


def forget_agreement(seats: Iterable[int]) -> None:
    """Take back what was recorded about answers that count no more."""
    for seat in sorted(set(seats)):
        reputation.forget(subject=Subject(subjects.ASSIGNMENT, seat), source=EvidenceSource.AGREEMENT)


def _shares(kind: Any, answer: Any, label: Any) -> list[tuple[str, float]]:
    return [("", kind.agreement(answer, label)), *sorted(kind.agreement_by_class(answer, label).items())]
