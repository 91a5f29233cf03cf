"""The shapes of forecasts, for the OpenAPI document and the client code made from it."""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers as s

from frontend.rest.schemas import Money


class Interval(s.Serializer):
    """An outcome is between `low` and `high` in 90 of 100 jobs."""

    low = s.FloatField()
    expected = s.FloatField()
    high = s.FloatField()


class MoneyInterval(s.Serializer):
    """The same of an amount."""

    low = Money()
    expected = Money()
    high = Money()


class ForecastOutcome(s.Serializer):
    """What one redundancy gives. `quality` is by figure, see `figures`; `cost` is with the fee."""

    redundancy = inline_serializer(
        "ForecastRedundancy",
        {
            "kind": s.CharField(),
            "workers_per_object": s.FloatField(),
            "start": s.IntegerField(allow_null=True),
            "target_confidence": s.FloatField(allow_null=True),
        },
    )
    quality = s.DictField(child=Interval())
    answers_per_object = Interval()
    cost = MoneyInterval()
    duration_seconds = Interval()
    hourly_pay = MoneyInterval()


class Forecast(s.Serializer):
    """The forecast of a design, others to compare it with, and what crowd it rests on."""

    design = ForecastOutcome()
    compared = ForecastOutcome(many=True)
    figures = s.DictField(child=s.CharField())
    crowd = inline_serializer(
        "ForecastCrowd",
        {
            "name": s.CharField(),
            "workers": s.IntegerField(),
            "seconds_per_task": s.FloatField(),
            "share_of_time_at_work": s.ListField(child=s.FloatField()),
            "share_answering_at_random": s.FloatField(),
            "rates": s.DictField(child=s.FloatField()),
            "learned_from_jobs": s.IntegerField(),
        },
    )
    pay_floor = Money()
    underpaid = s.BooleanField()
