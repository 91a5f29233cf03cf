"""The shapes of answers about working: tasks, claims, assignments, and the list of work."""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers as s

Money = s.CharField  # dollars with six decimals


class Task(s.Serializer):
    """What a worker's page needs to show a task."""

    task_id = s.IntegerField(allow_null=True)
    queue_id = s.IntegerField()
    task_type = s.CharField()
    title = s.CharField()
    price = Money()
    checks = s.BooleanField(help_text="the worker checks and corrects `initial_value`, for the price of that")
    paid_by_employer = s.BooleanField(help_text="by the vendor that employs the worker; `price` is 0 then")
    review_days = s.IntegerField(allow_null=True, help_text="paid after a review, within so many days; null: at once")
    image_url = s.CharField(allow_null=True)
    text_url = s.CharField(allow_null=True, help_text="where a text is labeled and no picture: its address")
    image_size = inline_serializer(
        "ImageSize",
        {"width": s.IntegerField(help_text="of a text its length in code points"), "height": s.IntegerField()},
    )
    labels = inline_serializer(
        "LabelChoice",
        {
            "label": s.CharField(),
            "categoryAttributes": s.ListField(
                child=s.JSONField(), required=False, help_text="what is said of each of its shapes"
            ),
            "shortDisplayName": s.CharField(required=False),
        },
        many=True,
    )
    instructions = s.JSONField()
    element = inline_serializer(
        "Element",
        {
            "tag": s.CharField(),
            "name": s.CharField(),
            "attributes": s.DictField(child=s.CharField()),
            "whole": s.BooleanField(),
            "comment": s.CharField(allow_blank=True, help_text="what asks for a comment; empty where none is wanted"),
        },
    )
    initial_value = s.JSONField(allow_null=True)
    frame_url = s.CharField(allow_null=True, help_text="the page of the worker template that shows the task")


class Assignment(Task):
    """A leased seat with its task."""

    id = s.IntegerField()
    accepted_at = s.DateTimeField()
    lease_expires_at = s.DateTimeField()
    seconds_left = s.FloatField()
    rejected_because = s.CharField(allow_null=True, help_text="why the answer was rejected that is to be improved")


class Claim(s.Serializer):
    """The next task, or null with the reason there is none; `next` is a hint for prefetching."""

    assignment = Assignment(allow_null=True)
    reason = s.CharField(required=False)
    next = inline_serializer(
        "NextImage",
        {
            "image_url": s.CharField(allow_null=True),
            "text_url": s.CharField(allow_null=True),
            "frame_url": s.CharField(allow_null=True),
        },
        allow_null=True,
    )


class Submitted(s.Serializer):
    """What a submit did; with claim_next also the next task."""

    status = s.CharField()
    paid = Money()
    held = Money()
    held_until = s.DateTimeField(allow_null=True, help_text="when the answer is accepted if nobody decides before")
    repeated = s.BooleanField()
    next_assignment = Assignment(allow_null=True, required=False)
    reason = s.CharField(required=False)


class SeatState(s.Serializer):
    """The state of a seat."""

    status = s.CharField()
    seconds_left = s.FloatField(required=False)


class Work(s.Serializer):
    """A work queue with tasks for the caller."""

    queue_id = s.IntegerField()
    job_id = s.IntegerField(allow_null=True, help_text="deprecated: the labeling job; claim with `queue_id`")
    title = s.CharField()
    description = s.CharField()
    task_type = s.CharField()
    price = Money()
    check_price = Money(allow_null=True, help_text="of tasks that begin with a label to be checked; null: as others")
    employer = s.CharField(allow_null=True, help_text="the vendor that pays the caller; `price` is 0 then")
    review_days = s.IntegerField(allow_null=True)
    expected_hourly = Money()
    tasks_left = s.IntegerField()
