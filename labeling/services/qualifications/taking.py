"""Taking a test: training with the truth shown at once, then the exam, whose score grants the qualification.

Knows no money: tests are not paid. An exam whose time is up ends when anybody looks at it.
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


def refusal(*, row: QualificationType, worker: Worker) -> str | None:
    """Why the worker cannot begin the exam now; None when they can. Ends an exam whose time is up."""
    try:
        qualifications.require_open(row=row, worker=worker)
    except WrongState as error:
        return error.message
    test = row.qualification_test
    if not trained(test, worker):
        return "do the training first"
    open_exam(test=test, worker=worker)
    ended = QualificationAttempt.objects.filter(test=test, worker=worker, training=False, ended_at__isnull=False)
    latest = ended.order_by("-pk").first()
    if latest is None:
        return None
    if row.most_attempts is not None and not latest.passed and ended.count() >= row.most_attempts:
        return f"you have taken this test {ended.count()} times, which is as often as it may be taken"
    again = latest.ended_at + timedelta(hours=row.retry_hours)
    if not latest.passed and again > timezone.now():
        return f"you may take this test again from {again:%Y-%m-%d %H:%M} UTC"
    return None


def trained(test: QualificationTest, worker: Worker) -> bool:
    """Whether the worker has done the training, or there is none."""
    done = QualificationAttempt.objects.filter(test=test, worker=worker, training=True, ended_at__isnull=False)
    return done.exists() or not test.questions.filter(training=True).exists()


def open_exam(*, test: QualificationTest, worker: Worker) -> QualificationAttempt | None:
    """The exam that the worker is in now, if they are in one."""
    attempt = QualificationAttempt.objects.filter(test=test, worker=worker, training=False, ended_at=None).first()
    return None if attempt is None or end_if_due(attempt) else attempt


def start(
    *, row: QualificationType, worker: Worker, training: bool, now: datetime | None = None
) -> QualificationAttempt:
    """Begin the training or the exam of a type that is granted by a test; what is under way already goes on.

    Raises WrongState, saying why, when there is no test, no training, or no attempt is allowed now.
    """
    test = QualificationTest.objects.filter(qualification_type=row).first()
    if test is None:
        raise WrongState("this qualification is not granted by a test", field="qualification_type")
    reason = None if training else refusal(row=row, worker=worker)
    running = QualificationAttempt.objects.filter(test=test, worker=worker, training=training, ended_at=None).first()
    if running is not None:
        return running
    if reason is not None:
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
    if attempt.ended_at is not None or end_if_due(attempt):
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
    text = answering.checked(content, task_type=test.task_type, labels=test.labels, size=size)
    kind, stored = task_types.get(test.task_type), json.loads(text)
    given = kind.read_answer(stored, labels=test.labels, size=size)
    score = kind.score_against_truth(given, kind.read_value(question.truth))
    now = timezone.now()
    with transaction.atomic():
        locked = QualificationAttempt.objects.select_for_update().get(pk=attempt.pk)
        if locked.ended_at is not None or _over(locked, now - GRACE):
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


def end_if_due(attempt: QualificationAttempt, *, now: datetime | None = None) -> bool:
    """End an exam whose time is up, with what was answered; returns whether it has ended. Safe to repeat."""
    at = (now or timezone.now()) - GRACE
    if attempt.ended_at is None and _over(attempt, at):
        with transaction.atomic():
            locked = QualificationAttempt.objects.select_for_update().get(pk=attempt.pk)
            if locked.ended_at is None:
                _end(locked, attempt.due_at or at)
        attempt.refresh_from_db()
    return attempt.ended_at is not None


def _over(attempt: QualificationAttempt, at: datetime) -> bool:
    return attempt.due_at is not None and attempt.due_at <= at


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
