"""The price of a labeling job while it runs: raised by its requester, or by itself within a ceiling; its history."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest.fields import Body, DollarsField
from frontend.rest.idempotency import idempotent
from frontend.rest.schemas import Money
from frontend.rest.scope import account_of, actor
from labeling.models import LabelingJob, PriceChange
from labeling.services import scope
from labeling.services.jobs import pacing, pricing, repricing
from marketplace import money
from marketplace.models import Role

SHOWN = 100
"""The newest rises of a job's price that are shown: a step is a tenth, so none has more."""


class JobPriceInput(Body):
    """The new price of an answer; higher than the one now."""

    price = DollarsField(help_text=f"at most {money.text(pricing.MOST_MICROS)} dollars; the public pool has a list")


class CeilingInput(Body):
    """How far the price may rise for the job to be done by the wanted end; both null: it stays."""

    price_ceiling = DollarsField(allow_null=True)
    wanted_end = serializers.DateTimeField(allow_null=True)


class PriceChangeShape(serializers.Serializer):  # type: ignore[type-arg]
    """One rise of a price."""

    old_price = Money()
    price = Money()
    reserved = Money(help_text="set aside for the tasks that were open")
    because = serializers.CharField()
    changed_by = serializers.CharField()
    changed_at = serializers.DateTimeField()


class JobPrice(serializers.Serializer):  # type: ignore[type-arg]
    """The price of a job, how far it may rise, and the forecast end beside the wanted one."""

    price = Money()
    fee = Money()
    price_ceiling = Money(allow_null=True)
    next_price = Money(allow_null=True, help_text="one step up; null when it does not rise by itself any more")
    wanted_end = serializers.DateTimeField(allow_null=True)
    forecast_end = serializers.DateTimeField(
        allow_null=True, help_text="at the pace now; null while it was not measured for an hour, or nobody answers"
    )
    answers_per_hour = serializers.FloatField(allow_null=True)
    answers_left = serializers.IntegerField(help_text="at most")
    late = serializers.BooleanField()
    changes = PriceChangeShape(many=True, help_text="the rises, newest first")


def change_row(change: PriceChange) -> dict[str, Any]:
    """A rise as the API shows it."""
    return {
        "old_price": money.text(change.old_price_micros),
        "price": money.text(change.price_micros),
        "reserved": money.text(change.reserved_micros),
        "because": change.because,
        "changed_by": change.changed_by,
        "changed_at": change.changed_at,
    }


def _optional(micros: int | None) -> str | None:
    return None if micros is None else money.text(micros)


def price_row(job: LabelingJob) -> dict[str, Any]:
    """The price of a job as the API shows it."""
    found = pacing.pace(job)
    return {
        "price": money.text(job.price_micros),
        "fee": money.text(job.fee_micros),
        "price_ceiling": _optional(job.price_ceiling_micros),
        "next_price": _optional(pacing.next_price(job)),
        "wanted_end": job.wanted_end,
        "forecast_end": found.end,
        "answers_per_hour": found.per_hour,
        "answers_left": found.left,
        "late": found.late,
        "changes": [change_row(one) for one in repricing.history(job)[:SHOWN]],
    }


class JobPriceView(APIView):
    """The price of a job."""

    @extend_schema(responses={200: JobPrice}, operation_id="get_job_price")
    def get(self, request: Request, job_id: int) -> Response:
        """The price, its history, and whether the job will be done when it is wanted."""
        return Response(price_row(scope.job(account_of(request), job_id)))

    @extend_schema(request=JobPriceInput, responses={200: JobPrice}, operation_id="raise_job_price")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Pay more for each answer that is handed in from now on; the difference for open tasks is set aside."""
        job = scope.job(account_of(request, Role.MEMBER), job_id)
        data = JobPriceInput(data=request.data)
        data.is_valid(raise_exception=True)
        price = money.read(data.validated_data["price"], field="price")
        repricing.raise_price(job=job, price_micros=price, by=actor(request))
        return Response(price_row(job))


class PriceCeilingView(APIView):
    """How far the price may rise by itself."""

    @extend_schema(request=CeilingInput, responses={200: JobPrice}, operation_id="set_price_ceiling")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Let the price rise by a tenth an hour while the job would not be done by the wanted end, or let it stay."""
        job = scope.job(account_of(request, Role.MEMBER), job_id)
        data = CeilingInput(data=request.data)
        data.is_valid(raise_exception=True)
        ceiling = data.validated_data["price_ceiling"]
        repricing.set_ceiling(
            job=job,
            price_ceiling_micros=None if ceiling is None else money.read(ceiling, field="price_ceiling"),
            wanted_end=data.validated_data["wanted_end"],
            by=actor(request),
        )
        return Response(price_row(job))
