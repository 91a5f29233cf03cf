"""Appeals: a worker asks the requester to look at a rejection again; who answers, by when, and what follows.

An appeal that nobody answers in time is upheld. One that is upheld pays, from the account's wallet because the money
went back with the rejection, and the answer counts again.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from labeling import subjects
from labeling.models import (
    AnswerReview,
    Appeal,
    AppealStatus,
    Assignment,
    AssignmentStatus,
    Batch,
    ReviewStatus,
    Task,
)
from labeling.services import notices
from labeling.services.golds import keeping
from labeling.services.queue import rejected_seats
from labeling.services.queue.locking import lock_positions
from labeling.services.results import evidence, labels
from marketplace.errors import InsufficientFunds, Invalid, WrongState
from marketplace.models import Subject, Worker
from marketplace.ranges import Range
from marketplace.services import audit, reviewed_pay

log = logging.getLogger(__name__)

DAYS_TO_FILE = 7
"""After a rejection."""

DAYS_TO_ANSWER = 9
"""After an appeal was filed."""

TO_FILE = timedelta(days=DAYS_TO_FILE)

TEXT_LENGTH = Range(1, 2000)
"""Characters of an appeal, and of the answer to it."""

CHUNK = 100
"""Overdue appeals that one sweep looks at."""

UNANSWERED = f"nobody answered within {DAYS_TO_ANSWER} days"


def refusal(review: AnswerReview, *, now: datetime | None = None) -> str | None:
    """Why the worker cannot appeal now; None when they can. Needs `assignment` and `appeal` loaded to cost nothing."""
    if review.state != ReviewStatus.REJECTED or review.decided_at is None:
        return "only a rejected answer can be appealed"
    if hasattr(review, "appeal"):
        return "there is an appeal already"
    if review.assignment.state != AssignmentStatus.REJECTED:
        return "this task came back to you: answer it again, or return it first"
    if (now or timezone.now()) > review.decided_at + TO_FILE:
        return f"an appeal had to be filed within {DAYS_TO_FILE} days of the rejection"
    return None


def file_appeal(*, review: AnswerReview, worker: Worker, text: str) -> Appeal:
    """Appeal against the rejection of the worker's answer. Filing the same text again returns the appeal there is.

    Raises Invalid for a text of no or too many characters, WrongState when the answer cannot be appealed.
    """
    text, now = checked_text(text, "text"), timezone.now()
    with transaction.atomic():
        # The seat is locked before the review, as in every other code path.
        Assignment.objects.select_for_update(no_key=True).get(pk=review.assignment_id)
        locked = AnswerReview.objects.select_for_update(no_key=True).get(pk=review.pk, worker=worker)
        earlier = Appeal.objects.filter(review=locked).first()
        if earlier is not None and earlier.text == text:
            return earlier
        if reason := refusal(locked, now=now):
            raise WrongState(reason, field="review")
        appeal = Appeal.objects.create(
            review=locked, text=text, filed_at=now, due_at=now + timedelta(days=DAYS_TO_ANSWER)
        )
        account, by = locked.queue.account, f"user:{worker.user_id}"
        audit.record(appeal, by=by, because="filed", account=account, to_status=appeal.state)
        notices.appeal_filed(appeal)
        return appeal


def file_late(*, review: AnswerReview, text: str) -> Appeal:
    """An appeal in the worker's name, whatever the date, which is upheld by itself at once or as soon as there is
    money.

    For rejections whose cause was taken back. One that was filed before is returned.
    """
    now = timezone.now()
    return Appeal.objects.get_or_create(review=review, defaults={"text": text, "filed_at": now, "due_at": now})[0]


def deny(*, appeal: Appeal, text: str, by: str) -> Appeal:
    """Let the rejection stand. Safe to repeat; raises Invalid for a bad text, WrongState for an upheld appeal."""
    text = checked_text(text, "answer")
    with transaction.atomic():
        AnswerReview.objects.select_for_update(no_key=True).get(pk=appeal.review_id)
        locked = Appeal.objects.select_for_update(no_key=True).get(pk=appeal.pk)
        if locked.state == AppealStatus.OPEN:
            _answer(locked, AppealStatus.DENIED, text, by)
    return _must_be(locked, AppealStatus.DENIED)


def uphold(*, appeal: Appeal, text: str, by: str) -> Appeal:
    """Accept the answer after all: it is paid from the wallet and counts again. Safe to repeat.

    Raises Invalid for a bad text, WrongState for an appeal that was denied, InsufficientFunds when the wallet holds too
    little: then the appeal stays open and says so in its attention.
    """
    text = checked_text(text, "answer")
    try:
        with transaction.atomic():
            locked = _uphold(appeal, text, by)
    except InsufficientFunds as error:
        attention = f"it cannot be paid, deposit money and answer again: {error.message}"
        Appeal.objects.filter(pk=appeal.pk, state=AppealStatus.OPEN).update(attention=attention[:500])
        raise
    return _must_be(locked, AppealStatus.UPHELD)


def uphold_overdue(*, now: datetime | None = None) -> int:
    """Uphold the appeals that were not answered in time; returns how many. Safe to repeat and to kill anywhere.

    One that cannot be paid stays open, with the reason in its attention, and is tried again.
    """
    overdue = Appeal.objects.filter(state=AppealStatus.OPEN, due_at__lte=now or timezone.now())
    done = 0
    # Those that could be paid at the last look come first, so that an empty wallet does not keep others waiting.
    for appeal in overdue.order_by("attention", "due_at", "pk")[:CHUNK]:
        try:
            done += uphold(appeal=appeal, text=UNANSWERED, by="system").state == AppealStatus.UPHELD
        except InsufficientFunds as error:
            log.warning("appeal %d cannot be paid: %s", appeal.pk, error.message)
        except WrongState as error:
            log.info("appeal %d was answered meanwhile: %s", appeal.pk, error.message)
    return done


def _uphold(appeal: Appeal, text: str, by: str) -> Appeal:
    """The order of locks is that of a rejection (queue/locking.py)."""
    review = AnswerReview.objects.select_related("assignment__task").get(pk=appeal.review_id)
    gold = keeping.missed_by(assignment_id=review.assignment_id) if review.assignment.task.gold_id else None
    lock_positions(review.queue_id)
    task_id = review.assignment.task_id
    Batch.objects.select_for_update(no_key=True).get(pk=review.assignment.task.batch_id)
    task = Task.objects.select_for_update(no_key=True).get(pk=task_id)
    seat = Assignment.objects.select_for_update(no_key=True).get(pk=review.assignment_id)
    if gold is not None:
        # Before the reviews, as where a label is made again.
        labels.lock_objects([gold.data_object_id])
    rows = AnswerReview.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "worker", "queue__account", "queue__contract"
    )
    review = rows.get(pk=review.pk)
    looked_at = evidence.is_a_look(review.decided_by) and evidence.is_a_look(by)
    locked = Appeal.objects.select_for_update(no_key=True).get(pk=appeal.pk)
    if locked.state != AppealStatus.OPEN:
        return locked
    rejected_seats.count_again(queue=review.queue, task=task, seat=seat)
    review.state, review.decided_at, review.decided_by = ReviewStatus.ACCEPTED, timezone.now(), by
    review.to_wallet_micros -= review.price_micros + review.fee_micros
    review.save(update_fields=["state", "decided_at", "decided_by", "to_wallet_micros"])
    reviewed_pay.pay_from_wallet(
        subject=Subject(subjects.ANSWER_REVIEW, review.pk),
        account=review.queue.account,
        worker=review.worker,
        price_micros=review.price_micros,
        fee_micros=review.fee_micros,
        employer=review.queue.employer,
        by=by,
        description=review.queue.title,
    )
    _answer(locked, AppealStatus.UPHELD, text, by)
    evidence.replace_review(review, at=review.decided_at)
    if gold is not None and looked_at:
        keeping.believe(gold=gold, assignment_id=seat.pk, by=by)
    return locked


def _answer(locked: Appeal, state: str, text: str, by: str) -> None:
    locked.state, locked.answer, locked.answered_at, locked.answered_by = state, text, timezone.now(), by
    locked.attention = ""
    locked.save(update_fields=["state", "answer", "answered_at", "answered_by", "attention"])
    audit.record(
        locked,
        by=by,
        because=f"appeal of worker:{locked.review.worker_id} {state.lower()}",
        account=locked.review.queue.account,
        to_status=state,
    )
    # One in the worker's name is told by what was taken back, once for all of its answers.
    if locked.due_at > locked.filed_at:
        notices.appeal_answered(locked)


def _must_be(appeal: Appeal, state: str) -> Appeal:
    if appeal.state != state:
        raise WrongState(f"this appeal was {appeal.state.lower()} already", field="appeal")
    return appeal


def checked_text(text: str, field: str) -> str:
    """The text of an appeal, or of the answer to one. Raises Invalid, naming the field, for one of a wrong length."""
    text = text.strip()
    if len(text) not in TEXT_LENGTH:
        raise Invalid(f"a text of {TEXT_LENGTH} characters expected, {len(text)} found", field=field)
    return text
