"""Qualification tests: questions with known answers, and what workers answered. Nothing here is paid.

A question is a copy of what it was made from (an object of a job, a line of a data set), so it stays what it is.
"""

from django.db import models

from marketplace.addresses import AddressField
from marketplace.models import QualificationType, Worker


class QualificationTest(models.Model):
    """The test of a qualification type whose mark is the pass mark. Its questions never change."""

    qualification_type = models.OneToOneField(
        QualificationType, models.CASCADE, primary_key=True, related_name="qualification_test"
    )
    task_type = models.CharField(max_length=40)
    labels = models.JSONField()  # the classes, as a job has them
    instructions = models.TextField(blank=True)  # plain text
    # How many of its questions one exam asks, drawn anew for each attempt, and how long it may take.
    questions_asked = models.SmallIntegerField()
    time_limit_seconds = models.IntegerField()


class QualificationQuestion(models.Model):
    """A picture, or a text, and the true answer to it, as `Label.value` stores labels. Sizes are displayed pixels; of a
    text its length in code points, and 1."""

    test = models.ForeignKey(QualificationTest, models.CASCADE, related_name="questions", db_index=False)
    place = models.SmallIntegerField()
    # Training questions are answered before the exam, and show the truth at once; the others are asked in exams.
    training = models.BooleanField()
    source_ref = AddressField(max_length=1024)
    upright_uri = AddressField(max_length=1024, blank=True)
    text = models.TextField(blank=True, default="", db_default="")  # itself; "" for a picture
    width = models.IntegerField()
    height = models.IntegerField()
    truth = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["test", "place"], name="qualification_question_once")]

    @property
    def image_uri(self) -> str:
        """The file to show."""
        return self.upright_uri or self.source_ref


class QualificationAttempt(models.Model):
    """A worker's training, or their exam, which ends when all is answered or its time is up."""

    test = models.ForeignKey(QualificationTest, models.CASCADE, related_name="attempts", db_index=False)
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="qualification_attempts", db_index=False)
    training = models.BooleanField()
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # of an exam
    ended_at = models.DateTimeField(null=True)
    score = models.SmallIntegerField(null=True)  # percent, rounded down; once it has ended
    passed = models.BooleanField(null=True)  # of an exam that has ended

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["worker", "test", "training"],
                condition=models.Q(ended_at=None),
                name="qualification_attempt_one_open",
            )
        ]
        indexes = [models.Index(fields=["worker", "test", "-id"], name="qualification_attempt_worker")]


class QualificationAnswer(models.Model):
    """A question of an attempt, and the worker's answer once it is given."""

    attempt = models.ForeignKey(QualificationAttempt, models.CASCADE, related_name="answers", db_index=False)
    question = models.ForeignKey(QualificationQuestion, models.CASCADE, related_name="answers")
    place = models.SmallIntegerField()
    content = models.JSONField(null=True)  # the crowd element's JSON, rebuilt from the values that were read
    score = models.FloatField(null=True)  # 0 to 1, see TaskType.score_against_truth
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["attempt", "place"], name="qualification_answer_once")]
