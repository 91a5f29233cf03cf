"""What a worker can do and what they have earned."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest.paging import Pages, filtered
from frontend.rest.scope import worker_of
from frontend.rest.wallet import statement_row
from labeling.services import assignments
from marketplace import money
from marketplace.services import earnings


class WorkView(APIView):
    """Jobs with tasks for the caller."""

    @extend_schema(responses={200: dict}, operation_id="list_work")
    def get(self, request: Request) -> Response:
        """Open jobs of the caller's teams: price, expected hourly pay, tasks left."""
        rows = assignments.work_available(worker=worker_of(request))
        return Response(
            {
                "results": [
                    {
                        "job_id": row.job_id,
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


class EarningsView(APIView):
    """The caller's earnings."""

    @extend_schema(responses={200: dict}, operation_id="get_earnings")
    def get(self, request: Request) -> Response:
        """Each payment, newest first, and the balance."""
        worker = worker_of(request)
        pages = Pages()
        page = pages.paginate_queryset(filtered(request, earnings.payments(worker=worker), {}), request, self)
        response = pages.get_paginated_response([statement_row(p) for p in page or []])
        response.data["balance"] = money.text(earnings.balance(worker=worker))
        return response
