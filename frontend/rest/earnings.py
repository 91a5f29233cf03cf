"""What a worker can do and what they have earned."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import worker_of
from frontend.rest.wallet import statement_row
from labeling.queries.statements import StatementLine, statement_lines
from labeling.services import scope
from labeling.services.queue import worklist
from marketplace import money
from marketplace.models import Posting
from marketplace.services import earnings

WORK = inline_serializer("WorkList", {"results": schemas.Work(many=True)})


class WorkView(APIView):
    """Work queues with tasks for the caller."""

    @extend_schema(responses={200: WORK}, operation_id="list_work")
    def get(self, request: Request) -> Response:
        """Open work queues that admit the caller: price, expected hourly pay, tasks left."""
        rows = worklist.work_available(worker=worker_of(request))
        # Clients of version 0.1 know work by its job.
        job_ids = scope.jobs_of_queues(row.queue_id for row in rows)
        return Response(
            {
                "results": [
                    {
                        "queue_id": row.queue_id,
                        "job_id": job_ids.get(row.queue_id),
                        "title": row.title,
                        "description": row.description,
                        "task_type": row.task_type,
                        "price": money.text(row.price_micros),
                        "expected_hourly": money.text(row.hourly_micros),
                        "tasks_left": row.tasks_left,
                    }
                    for row in rows
                ]
            }
        )


@listed(
    operation="get_earnings",
    page=schemas.page("Earning", schemas.Movement, balance=serializers.CharField()),
    description="Each payment, newest first, and the balance.",
)
class EarningsView(ListView):
    """The caller's earnings."""

    def rows(self, request: Request, **place: Any) -> QuerySet[Posting]:
        """The caller's own."""
        return earnings.payments(worker=worker_of(request))

    def page(self, found: list[Posting]) -> list[StatementLine]:
        """With the jobs they were for."""
        return statement_lines(found)

    def row(self, found: StatementLine) -> dict[str, Any]:
        """One payment."""
        return statement_row(found, job=found.job.title if found.job else None)

    def beside(self, request: Request) -> dict[str, Any]:
        """The balance."""
        return {"balance": money.text(earnings.balance(worker=worker_of(request)))}
