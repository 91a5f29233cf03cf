"""Bonuses of a labeling job."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from frontend.rest import schemas, schemas_money
from frontend.rest.fields import Body, DollarsField
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.models import Bonus
from labeling.services import bonuses, scope
from marketplace import money
from marketplace.models import Role, Worker


class BonusInput(Body):
    """A worker of the job by public id, dollars as text, and why, which the worker reads."""

    worker = serializers.CharField(max_length=Worker._meta.get_field("public_id").max_length)
    amount = DollarsField()
    reason = serializers.CharField(max_length=bonuses.REASON_LENGTH.longest)
    token = serializers.CharField(
        max_length=bonuses.TOKEN_LENGTH.longest,
        help_text="your own name of this bonus, as UniqueRequestToken: it is paid once, however often it is sent",
    )


@listed(
    operation="list_bonuses",
    page=schemas.page("Bonus", schemas_money.Bonus),
    description="The bonuses of a labeling job, newest first.",
)
class BonusesView(ListView):
    """The bonuses of a job."""

    filters = {"worker": "worker__public_id"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Bonus]:
        """Of one job of the account."""
        return bonuses.of_job(scope.job(account_of(request), place["job_id"]))

    def row(self, found: Bonus) -> dict[str, Any]:
        """Who got how much, and why."""
        return {
            "id": found.pk,
            "worker": found.worker.public_id,
            "amount": money.text(found.amount_micros),
            "fee": money.text(found.fee_micros),
            "reason": found.reason,
            "token": found.token,
            "paid_by": found.paid_by,
            "created_at": found.created_at,
        }

    @extend_schema(request=BonusInput, responses={201: schemas_money.Bonus}, operation_id="pay_bonus")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Pay a bonus from the wallet, with the platform's fee on top. It cannot be taken back."""
        job = scope.job(account_of(request, Role.MEMBER), job_id)
        data = BonusInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        bonus = bonuses.pay(
            job=job,
            worker=bonuses.worker_who_worked(job, given["worker"]),
            amount_micros=money.read(given["amount"], field="amount"),
            reason=given["reason"],
            token=given["token"],
            by=actor(request),
        )
        return Response(self.row(bonus), status=status.HTTP_201_CREATED)
