"""Forecasts of job designs: what a job would give, before it is launched."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest.forecast_schemas import Forecast as ForecastShape
from frontend.rest.job_inputs import ForecastInput, checks_of
from frontend.rest.scope import account_of
from frontend.rest.throttling import CallerThrottle, ForecastThrottle
from labeling.forecast.forecasting import Outcome
from labeling.forecast.intervals import Interval
from labeling.services.jobs import forecasting
from marketplace import money


class ForecastView(APIView):
    """What a design would give."""

    throttle_classes = [CallerThrottle, ForecastThrottle]

    @extend_schema(request=ForecastInput, responses={200: ForecastShape}, operation_id="forecast_labeling_job")
    def post(self, request: Request) -> Response:
        """Label quality, answers, cost, duration and hourly pay of a design, each with its 90 % interval.

        The job is simulated with an assumed crowd, or with one like that of your earlier jobs (`crowd`: "learned").
        """
        account = account_of(request)
        data = ForecastInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        checks, price = checks_of(given), money.read(given.pop("price"), field="price", zero=True)
        found = forecasting.forecast_job(account=account, price_micros=price, checks=checks, **given)
        return Response(forecast_row(found))


def forecast_row(found: forecasting.JobForecast) -> dict[str, Any]:
    """A forecast as JSON."""
    crowd = found.crowd
    return {
        "design": _outcome(found.forecast.outcome),
        "compared": [_outcome(one) for one in found.forecast.others],
        "figures": {figure.key: figure.title for figure in found.forecast.figures},
        "crowd": {
            "name": crowd.name,
            "workers": crowd.workers,
            "seconds_per_task": crowd.seconds,
            "share_of_time_at_work": list(crowd.presence),
            "share_answering_at_random": crowd.spammers,
            "rates": {one.title: one.value for one in found.forecast.assumptions},
            "learned_from_jobs": found.learned_from,
        },
        "pay_floor": money.text(found.floor_micros),
        "underpaid": found.underpaid,
    }


def _outcome(one: Outcome) -> dict[str, Any]:
    dynamic = one.redundancy.target is not None
    return {
        "redundancy": {
            "kind": "dynamic" if dynamic else "fixed",
            "workers_per_object": one.redundancy.mean,
            "start": one.redundancy.start if dynamic else None,
            "target_confidence": one.redundancy.target,
        },
        "quality": {key: asdict(interval) for key, interval in one.quality.items()},
        "answers_per_object": asdict(one.answers),
        "cost": _money(one.cost),
        "duration_seconds": asdict(one.duration),
        "hourly_pay": _money(one.hourly),
    }


def _money(interval: Interval) -> dict[str, str]:
    return {name: money.text(round(micros)) for name, micros in asdict(interval).items()}
