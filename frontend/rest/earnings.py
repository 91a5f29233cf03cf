"""What a worker can do and what they have earned."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.networks import caller
from frontend.rest import schemas, schemas_pay, schemas_work
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import worker_of
from frontend.rest.wallet import statement_row
from labeling.models import WorkQueue
from labeling.queries import hourly
from labeling.queries.hourly import Hourly
from labeling.queries.statements import StatementLine, statement_lines
from labeling.services import scope
from labeling.services.queue import worklist
from labeling.services.queue.worklist import AvailableWork
from marketplace import money
from marketplace.models import Posting
from marketplace.services import earnings


@listed(
    operation="list_work",
    page=schemas.page("Work", schemas_work.Work),
    description="Open work queues that admit the caller, best paid hour first: price, expected hourly pay, tasks left.",
)
class WorkView(ListView):
    """Work queues with tasks for the caller."""

    ordering = worklist.BEST_PAID_FIRST

    def rows(self, request: Request, **place: Any) -> QuerySet[WorkQueue]:
        """With a task that the caller can claim or holds."""
        return worklist.queues_with_work(worker_of(request), caller(request))

    def page(self, found: list[WorkQueue]) -> list[tuple[AvailableWork, int | None]]:
        """With the numbers of tasks, and the job: clients of version 0.1 know work by it."""
        job_ids = scope.jobs_of_queues(row.pk for row in found)
        counted = worklist.with_counts(worker_of(self.request), found)
        return [(work, job_ids.get(work.queue_id)) for work in counted]

    def row(self, found: tuple[AvailableWork, int | None]) -> dict[str, Any]:
        """In short."""
        work, job_id = found
        return {
            "queue_id": work.queue_id,
            "job_id": job_id,
            "title": work.title,
            "description": work.description,
            "task_type": work.task_type,
            "price": money.text(work.price_micros),
            "check_price": None if work.check_price_micros is None else money.text(work.check_price_micros),
            "employer": work.employer or None,
            "review_days": work.review_days,
            "expected_hourly": money.text(work.hourly_micros),
            "tasks_left": work.tasks_left,
        }


def hourly_row(work: Hourly) -> dict[str, Any]:
    """What some work was paid for an hour."""
    return {
        "answers": work.answers,
        "active_seconds": work.seconds,
        "paid": money.text(work.paid_micros),
        "hourly": None if work.hourly_micros is None else money.text(work.hourly_micros),
        "underpaid": work.underpaid,
    }


class HourlyView(APIView):
    """What the caller was paid for an hour of active work."""

    @extend_schema(responses={200: schemas_pay.WeekOfWork(many=True)}, operation_id="get_hourly_pay")
    def get(self, request: Request) -> Response:
        """The last weeks, job by job, newest first."""
        rows = hourly.weeks_of(worker_of(request))
        return Response([{"week": row.week, "title": row.title, **hourly_row(row.work)} for row in rows])


@listed(
    operation="get_earnings",
    page=schemas.page("Earning", schemas.Movement, balance=serializers.CharField(), held=serializers.CharField()),
    description="Each payment, newest first, the balance, and what is held for answers under review.",
)
class EarningsView(ListView):
    """The caller's earnings."""

    def rows(self, request: Request, **place: Any) -> QuerySet[Posting]:
        """The caller's own."""
        return earnings.statement(worker=worker_of(request))

    def page(self, found: list[Posting]) -> list[StatementLine]:
        """With the jobs they were for."""
        return statement_lines(found)

    def row(self, found: StatementLine) -> dict[str, Any]:
        """One payment."""
        return statement_row(found, job=found.job.title if found.job else None)

    def beside(self, request: Request) -> dict[str, Any]:
        """The balance, and what is held."""
        worker = worker_of(request)
        return {
            "balance": money.text(earnings.balance(worker=worker)),
            "held": money.text(earnings.held(worker=worker)),
        }
