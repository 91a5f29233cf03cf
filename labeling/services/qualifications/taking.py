"""Taking a test: training with the truth shown at once, then the exam, whose score grants the qualification.

Knows no money: tests are not paid. An exam whose time is up is ended by the sweep, or when its worker goes on.
"""

import json
import random
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling import task_types
from labeling.models import QualificationAnswer, QualificationAttempt, QualificationTest
from labeling.services.results import answering
from marketplace.errors import WrongState
from marketplace.models import QualificationType, Worker
from marketplace.services import qualifications

GRACE = timedelta(seconds=15)
"""For an answer that was on its way when the time was up."""

CHUNK = 500
"""Exams that one sweep ends."""


def refusal(*, row: QualificationType, worker: Worker) -> str | None:
    """Why the worker cannot begin the exam now; None when they can, or are in one."""
    try:
        qualifications.require_open(row=row, worker=worker)
    except WrongState as error:
        return error.message
    test = row.qualification_test
    if not trained(test, worker):
        return "do the training first"
    running = running_attempt(test=test, worker=worker, training=False)
    if running is not None:
        return "the time is up; your result is here within a minute" if is_over(running) else None
    ended = QualificationAttempt.objects.filter(test=test, worker=worker, training=False)
    latest = ended.order_by("-pk").first()
    if latest is None or latest.passed or latest.ended_at is None:
        return None
    if row.most_attempts is not None and ended.count() >= row.most_attempts:
        return f"you have taken this test {ended.count()} times, which is as often as it may be taken"
    again = latest.ended_at + timedelta(hours=row.retry_hours)
    return f"you may take this test again from {again:%Y-%m-%d %H:%M} UTC" if again > timezone.now() else None


def trained(test: QualificationTest, worker: Worker) -> bool:
    """Whether the worker has done the training, or there is none."""
    done = QualificationAttempt.objects.filter(test=test, worker=worker, training=True, ended_at__isnull=False)
    return done.exists() or not test.questions.filter(training=True).exists()


def running_attempt(*, test: QualificationTest, worker: Worker, training: bool) -> QualificationAttempt | None:
    """The training or the exam that the worker has begun and not ended."""
    return QualificationAttempt.objects.filter(test=test, worker=worker, training=training, ended_at=None).first()


def is_over(attempt: QualificationAttempt, *, now: datetime | None = None) -> bool:
    """Whether nothing more can be answered: the attempt has ended, or its time is up."""
    at = (now or timezone.now()) - GRACE
    return attempt.ended_at is not None or (attempt.due_at is not None and attempt.due_at <= at)


def start(
    *, row: QualificationType, worker: Worker, training: bool, now: datetime | None = None
) -> QualificationAttempt:
    """Begin the training or the exam of a type that is granted by a test; what is under way already goes on.

    Raises WrongState, saying why, when there is no test, no training, or no attempt is allowed now.
    """
    test = QualificationTest.objects.filter(qualification_type=row).first()
    if test is None:
        raise WrongState("this qualification is not granted by a test", field="qualification_type")
    running = running_attempt(test=test, worker=worker, training=training)
    if running is not None and not end_if_due(running):
        return running
    if not training and (reason := refusal(row=row, worker=worker)) is not None:
        raise WrongState(reason, field="qualification_type")
    questions = list(test.questions.filter(training=training).order_by("place"))
    if not questions:
        raise WrongState("this test has no training", field="training")
    if not training:
        questions = random.sample(questions, test.questions_asked)
    at = now or timezone.now()
    try:
        with transaction.atomic():
            attempt = QualificationAttempt.objects.create(
                test=test,
                worker=worker,
                training=training,
                started_at=at,
                due_at=None if training else at + timedelta(seconds=test.time_limit_seconds),
            )
            QualificationAnswer.objects.bulk_create(
                QualificationAnswer(attempt=attempt, question=question, place=place)
                for place, question in enumerate(questions)
            )
    except IntegrityError:
        # Begun twice at the same moment: the other one is the attempt.
        return QualificationAttempt.objects.get(test=test, worker=worker, training=training, ended_at=None)
    return attempt


def current(attempt: QualificationAttempt) -> QualificationAnswer | None:
    """The question to answer next; None when the attempt has ended."""
    if is_over(attempt):
        return None
    return attempt.answers.filter(answered_at=None).select_related("question").order_by("place").first()


def answer(*, attempt: QualificationAttempt, question_id: int, content: Any) -> QualificationAnswer:
    """Store and score the answer to a question of the attempt; with the last one the attempt ends.

    `content` is the crowd element's JSON. Raises Invalid for a bad answer, WrongState when the attempt has ended, the
    question is none of it or was answered before.
    """
    test = attempt.test
    asked = attempt.answers.filter(question=question_id).select_related("question").first()
    if asked is None:
        raise WrongState(f"question {question_id} is not asked in this attempt", field="question")
    question = asked.question
    size = (question.width, question.height)
    checked = answering.checked(content, task_type=test.task_type, labels=test.labels, size=size)
    kind, stored = task_types.get(test.task_type), json.loads(checked.text)
    score = kind.score_against_truth(checked.answer, kind.read_value(question.truth))
    now = timezone.now()
    with transaction.atomic():
        locked = QualificationAttempt.objects.select_for_update().get(pk=attempt.pk)
        if is_over(locked, now=now):
            refused = "the time for this exam is up" if not locked.training else "this training has ended"
        else:
            changed = QualificationAnswer.objects.filter(pk=asked.pk, answered_at=None).update(
                content=stored, score=score, answered_at=now
            )
            refused = "" if changed else "this question is answered already"
            if changed and not locked.answers.filter(answered_at=None).exists():
                _end(locked, now)
    attempt.refresh_from_db()
    if refused:
        end_if_due(attempt)
        raise WrongState(refused, field="question")
    asked.refresh_from_db()
    return asked


def end_if_due(attempt: QualificationAttempt) -> bool:
    """End an exam whose time is up, with what was answered; returns whether the attempt has ended. Safe to repeat."""
    if attempt.ended_at is None and is_over(attempt):
        with transaction.atomic():
            locked = QualificationAttempt.objects.select_for_update().get(pk=attempt.pk)
            if locked.ended_at is None:
                _end(locked, attempt.due_at or timezone.now())
        attempt.refresh_from_db()
    return attempt.ended_at is not None


def end_overdue() -> int:
    """End the exams whose time is up and that nobody has ended; returns how many. Run by the sweep."""
    overdue = QualificationAttempt.objects.filter(ended_at=None, due_at__lte=timezone.now() - GRACE)
    return sum(end_if_due(attempt) for attempt in overdue.order_by("pk")[:CHUNK])


def _end(attempt: QualificationAttempt, at: datetime) -> None:
    """Score the attempt, which the caller has locked, and grant the qualification when it is an exam that was passed.

    A question that was not answered counts as wrong.
    """
    scores = [score or 0.0 for score in attempt.answers.values_list("score", flat=True)]
    # Rounded first: a sum of thirds must not miss a mark by the last bit.
    attempt.score = int(round(100 * sum(scores) / len(scores), 6))
    attempt.ended_at = at
    if not attempt.training:
        row = attempt.test.qualification_type
        attempt.passed = attempt.score >= row.mark
        if attempt.passed:
            how = f"test passed with {attempt.score} %"
            qualifications.grant(row=row, worker=attempt.worker, value=attempt.score, how=how, by="system")
    attempt.save(update_fields=["score", "ended_at", "passed"])
