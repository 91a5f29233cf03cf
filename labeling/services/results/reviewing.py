"""What a review is for labels: it starts with an answer, knows how far the answer agrees with the label, and fails
objects that are left without an answer. Who decides is in deciding.py.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Max

from labeling import subjects, task_types
from labeling.models import (
    Answer,
    AnswerReview,
    Assignment,
    DataObject,
    LabelingJob,
    ObjectState,
    ReviewStatus,
    Task,
)
from labeling.services.one_by_one import OF_ONE_OBJECT
from marketplace.models import Account, Employer, Subject, Worker
from marketplace.services import reviewed_pay


def open_review(
    *,
    assignment_id: int,
    queue_id: int,
    account_id: int,
    worker: Worker,
    labels: frozenset[str],
    price_micros: int,
    fee_micros: int,
    employer: Employer | None = None,
    review_days: int,
    title: str,
    now: datetime,
) -> datetime:
    """Put the answer that was just stored under review and hold its pay; returns when it is accepted by itself.

    Needs the transaction that stored the answer. `labels` are the classes that the answer names.
    """
    newest = (
        Answer.objects.filter(assignment=assignment_id).order_by("-revision").values_list("pk", flat=True)[:1].get()
    )
    due_at = now + timedelta(days=review_days)
    review = AnswerReview.objects.create(
        answer_id=newest,
        assignment_id=assignment_id,
        queue_id=queue_id,
        worker=worker,
        price_micros=price_micros,
        fee_micros=fee_micros,
        submitted_at=now,
        due_at=due_at,
        labels=sorted(labels),
    )
    reviewed_pay.hold(
        purpose=Subject(subjects.WORK_QUEUE, queue_id),
        subject=Subject(subjects.ANSWER_REVIEW, review.pk),
        account=Account(pk=account_id),
        worker=worker,
        price_micros=price_micros,
        fee_micros=fee_micros,
        employer=employer,
        by=f"worker:{worker.pk}",
        description=title,
    )
    return due_at


def held_until(assignment_id: int) -> datetime | None:
    """When the newest answer to this seat is accepted by itself; None when its pay is not held."""
    review = AnswerReview.objects.filter(assignment=assignment_id).order_by("-pk").first()
    return review.due_at if review is not None and review.state == ReviewStatus.PENDING else None


def answer_key(assignment_id: int) -> str:
    """A key for the next submit of this seat where the client gives none: another one once its answer was rejected."""
    rejected = AnswerReview.objects.filter(assignment=assignment_id, state=ReviewStatus.REJECTED).count()
    return f"assignment:{assignment_id}" + (f":{rejected}" if rejected else "")


def reasons_of_returned(seats: Iterable[Assignment]) -> dict[int, str]:
    """Why the answers to these leased seats were rejected that are to be improved, by the seat's key, in one query."""
    rows = AnswerReview.objects.filter(assignment__in=[seat.pk for seat in seats], returned=True)
    return dict(rows.order_by("pk").values_list("assignment", "reason"))


def record_agreement(job: LabelingJob, object_ids: Sequence[int]) -> None:
    """Store how far each answer under review agrees with its object's label. Needs a transaction."""
    kind = task_types.get(job.task_type)
    rows = (
        AnswerReview.objects.filter(assignment__task__data_object__in=object_ids, state=ReviewStatus.PENDING)
        .select_for_update(no_key=True, of=("self",))
        .select_related("answer", "assignment__task__data_object__label")
        .order_by("pk")
    )
    changed = []
    for row in rows:
        shown = row.assignment.task.data_object
        agreement = None
        if shown.label is not None:
            try:
                size = (shown.width or 0, shown.height or 0)
                answer = kind.read_stored(row.answer.content, labels=job.labels, earlier=job.earlier_labels, size=size)
                agreement = kind.agreement(answer, kind.read_value(shown.label.value))
            except OF_ONE_OBJECT:
                # An answer that cannot be read agrees with nothing, and is found first.
                agreement = 0.0
        if agreement != row.agreement:
            row.agreement = agreement
            changed.append(row)
    AnswerReview.objects.bulk_update(changed, ["agreement"])


def fail_rejected(job: LabelingJob, tasks: Sequence[Task]) -> None:
    """Fail the objects of tasks that are over and whose answers were all rejected, with the reason.

    Needs the transaction that closes the tasks. The output is written again, also of a job that is over.
    """
    if not tasks:
        return
    last = AnswerReview.objects.filter(assignment__task__in=tasks, state=ReviewStatus.REJECTED)
    newest = last.values_list("assignment__task__data_object").annotate(newest=Max("pk")).order_by()
    reasons = dict(AnswerReview.objects.filter(pk__in=[pk for _, pk in newest]).values_list("pk", "reason"))
    failed = [
        DataObject(
            pk=object_id,
            state=ObjectState.FAILED,
            failure_reason=f"every answer was rejected, the last one because: {reasons[pk]}"[:500],
            label=None,
        )
        for object_id, pk in sorted(newest)
    ]
    DataObject.objects.bulk_update(failed, ["state", "failure_reason", "label"])
    LabelingJob.objects.filter(pk=job.pk).update(output_written_at=None)
