"""The shapes of answers under review, decisions and appeals, for the OpenAPI document."""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers as s

from frontend.rest.schemas import Money


class Appeal(s.Serializer):
    """A worker's appeal against a rejection."""

    id = s.IntegerField()
    state = s.CharField(help_text="Open, Upheld or Denied")
    text = s.CharField()
    filed_at = s.DateTimeField()
    due_at = s.DateTimeField(help_text="when it is upheld if nobody has answered")
    answer = s.CharField(allow_null=True)
    answered_at = s.DateTimeField(allow_null=True)


class AppealToAnswer(Appeal):
    """An appeal as whoever answers it sees it."""

    review_id = s.IntegerField()
    assignment_id = s.IntegerField()
    worker = s.CharField()
    title = s.CharField()
    rejected_because = s.CharField()
    price = Money()
    attention = s.CharField(allow_null=True, help_text="why it could not be upheld yet")


class MyAppeal(Appeal):
    """An appeal as its worker sees it."""

    assignment_id = s.IntegerField()
    title = s.CharField()
    rejected_because = s.CharField()
    price = Money()


class Review(s.Serializer):
    """The review of one answer."""

    id = s.IntegerField()
    state = s.CharField(help_text="Pending, Accepted or Rejected")
    assignment_id = s.IntegerField()
    worker = s.CharField()
    price = Money()
    submitted_at = s.DateTimeField()
    due_at = s.DateTimeField(help_text="when it is accepted if nobody decides before")
    decided_at = s.DateTimeField(allow_null=True)
    reviewer = s.CharField(allow_null=True, help_text="the worker who decided; null where it was the account or a date")
    reason = s.CharField(allow_null=True)
    returned = s.BooleanField(help_text="rejected and given to the same worker again")
    labels = s.ListField(child=s.CharField(), help_text="the classes that the answer names")
    agreement = s.FloatField(allow_null=True, help_text="with the object's label, 0 to 1")
    sampled = s.BooleanField()


class ReviewRow(Review):
    """An answer under review beside the label of its object."""

    object_id = s.IntegerField(allow_null=True)
    object_index = s.IntegerField(allow_null=True)
    image_url = s.CharField(allow_null=True)
    answer = s.JSONField()
    label = s.JSONField(allow_null=True)
    appeal = Appeal(allow_null=True)


class Reviewer(s.Serializer):
    """A worker who reviews the answers to a job."""

    worker = s.CharField(help_text="public id")
    added_at = s.DateTimeField()


class ReviewQueue(s.Serializer):
    """Work whose answers the caller reviews."""

    queue_id = s.IntegerField()
    title = s.CharField()
    description = s.CharField()
    requester = s.CharField()
    task_type = s.CharField()
    labels = s.ListField(child=s.CharField())
    instructions = s.JSONField()
    review_days = s.IntegerField(help_text="after so many days an answer is accepted by itself")
    waiting = s.IntegerField(help_text="answers that the caller can decide about now")


class ReviewedAnswer(s.Serializer):
    """An answer as whoever reviews it for the account sees it."""

    id = s.IntegerField()
    state = s.CharField(help_text="Pending, Accepted or Rejected")
    worker = s.CharField(help_text="public id of its author")
    submitted_at = s.DateTimeField()
    due_at = s.DateTimeField(help_text="when it is accepted if nobody decides before")
    decided_at = s.DateTimeField(allow_null=True)
    reason = s.CharField(allow_null=True)
    returned = s.BooleanField(help_text="rejected and given to the same worker again")
    labels = s.ListField(child=s.CharField(), help_text="the classes that the answer names")
    agreement = s.FloatField(allow_null=True, help_text="with the object's label, 0 to 1")
    sampled = s.BooleanField()


class AnswerToReview(ReviewedAnswer):
    """The answer itself, beside the label of its object."""

    image_url = s.CharField(allow_null=True)
    answer = s.JSONField()
    label = s.JSONField(allow_null=True)


class Decided(s.Serializer):
    """What a decision by filter did; call again while `left` is above 0."""

    decided = s.IntegerField()
    left = s.IntegerField()


SAMPLED = inline_serializer("Sampled", {"sampled": s.IntegerField()})


class ToldGold(s.Serializer):
    """That the true answer of the task was known, told once the gold is retired or the job is over."""

    score = s.FloatField(help_text="how right the answer was, 0 to 1")
    passed = s.BooleanField(allow_null=True, help_text="null where the gold was withdrawn: it says nothing then")
    truth = s.JSONField()


class AnswerFate(s.Serializer):
    """What became of one of the caller's answers."""

    assignment_id = s.IntegerField()
    title = s.CharField()
    state = s.CharField(help_text="Pending, Accepted or Rejected; Paid where there is no review")
    price = Money()
    submitted_at = s.DateTimeField()
    due_at = s.DateTimeField(allow_null=True)
    reason = s.CharField(allow_null=True)
    may_appeal = s.BooleanField()
    appeal_until = s.DateTimeField(allow_null=True)
    appeal = Appeal(allow_null=True)
    gold = ToldGold(allow_null=True)
