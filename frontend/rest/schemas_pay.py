"""The shape of what work was paid for an hour, for the OpenAPI document; see schemas.py. Amounts are texts."""

from rest_framework import serializers as s


class HourlyPay(s.Serializer):
    """What some work was paid for an hour."""

    answers = s.IntegerField(help_text="with a measured time")
    active_seconds = s.FloatField()
    paid = s.CharField(help_text="with bonuses; nothing for rejected answers, whose time counts")
    hourly = s.CharField(allow_null=True)
    underpaid = s.BooleanField()


class JobHourlyPay(HourlyPay):
    """What the people of a job were paid for an hour, and below what its requester is warned."""

    floor = s.CharField()


class WeekOfWork(HourlyPay):
    """A worker's work on one job in one week."""

    week = s.DateField(help_text="the Monday with which it begins")
    title = s.CharField()
