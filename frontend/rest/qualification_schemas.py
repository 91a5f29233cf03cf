"""The shapes of answers about qualifications; see schemas.py."""

from rest_framework import serializers as s

from labeling.services.qualifications import showing
from marketplace.models import ActionsGuarded, Comparator, GrantedBy


class QualificationTest(s.Serializer):
    """How a test is taken."""

    task_type = s.CharField()
    labels = s.ListField(child=s.CharField())
    instructions = s.CharField(allow_blank=True)
    questions_asked = s.IntegerField()
    training_questions = s.IntegerField()
    time_limit_seconds = s.IntegerField()


class QualificationTypeRow(s.Serializer):
    """A qualification type."""

    id = s.IntegerField()
    name = s.CharField()
    description = s.CharField()
    status = s.CharField()
    owned_by_operator = s.BooleanField()
    granted_by = s.ChoiceField(GrantedBy.choices)
    mark = s.IntegerField(help_text="the least value that is granted; 0 where it is given by hand")
    valid_days = s.IntegerField(allow_null=True)
    retry_hours = s.IntegerField()
    most_attempts = s.IntegerField(allow_null=True)
    created_at = s.DateTimeField()


class QualificationType(QualificationTypeRow):
    """A qualification type with its test, if it has one."""

    test = QualificationTest(allow_null=True)


class Qualification(s.Serializer):
    """Who holds, or held, a qualification."""

    worker = s.CharField()
    value = s.IntegerField()
    state = s.ChoiceField([showing.HELD, showing.EXPIRED, showing.REVOKED])
    granted_at = s.DateTimeField()
    granted_by = s.CharField()
    expires_at = s.DateTimeField(allow_null=True)
    revoked_at = s.DateTimeField(allow_null=True)
    reason = s.CharField(allow_null=True, help_text="why it was revoked")


class QualificationRequirement(s.Serializer):
    """What a job asks of its workers."""

    qualification_type = s.IntegerField()
    name = s.CharField()
    comparator = s.ChoiceField(Comparator.choices)
    integer_values = s.ListField(child=s.IntegerField())
    actions_guarded = s.ChoiceField(ActionsGuarded.choices)
    head_start_minutes = s.IntegerField(allow_null=True)


class MyQualification(QualificationTypeRow):
    """A qualification type as a worker is shown it, with what they have of it."""

    requester = s.CharField(allow_null=True)
    state = s.ChoiceField([showing.HELD, showing.EXPIRED, showing.REVOKED, showing.NOT_TAKEN])
    value = s.IntegerField(allow_null=True)
    expires_at = s.DateTimeField(allow_null=True)
    revoked_because = s.CharField(allow_null=True)


class MyStanding(MyQualification):
    """The same with how one comes by it."""

    test = QualificationTest(allow_null=True)
    figure = s.IntegerField(allow_null=True, help_text="of the caller's work; null while there are too few answers")
    refusal = s.CharField(allow_null=True, help_text="why the caller cannot come by it now")
    attempts = s.IntegerField()


class TestQuestion(s.Serializer):
    """A question of a test."""

    question = s.IntegerField()
    place = s.IntegerField(help_text="from 1")
    image_url = s.CharField(allow_null=True, help_text="null for a text")
    text_url = s.CharField(allow_null=True, help_text="null for a picture")
    width = s.IntegerField()
    height = s.IntegerField()


class TestAttempt(s.Serializer):
    """A training or an exam, with the question that comes next."""

    id = s.IntegerField()
    qualification_type = s.IntegerField()
    training = s.BooleanField()
    task_type = s.CharField()
    labels = s.ListField(child=s.CharField())
    instructions = s.CharField(allow_blank=True)
    paid = s.CharField(help_text="tests are not paid")
    started_at = s.DateTimeField()
    due_at = s.DateTimeField(allow_null=True)
    ended_at = s.DateTimeField(allow_null=True)
    score = s.IntegerField(allow_null=True, help_text="percent")
    passed = s.BooleanField(allow_null=True)
    questions = s.IntegerField()
    answered = s.IntegerField()
    next = TestQuestion(allow_null=True)


class TestAnswered(TestAttempt):
    """The attempt after an answer; of a training also how right it was, and the truth."""

    answer_score = s.FloatField(allow_null=True, help_text="0 to 1")
    truth = s.JSONField(allow_null=True, help_text="as an answer of the task's crowd element")


class ClosedWork(s.Serializer):
    """Work that is open to others and not to the caller."""

    queue_id = s.IntegerField()
    title = s.CharField()
    requester = s.CharField()
    task_type = s.CharField()
    price = s.CharField()
    reason = s.CharField()
    action = s.ChoiceField(["", showing.JOIN_POOL, showing.TAKE_TEST, showing.ASK], help_text="what would help")
    qualification_type = s.IntegerField(allow_null=True)
