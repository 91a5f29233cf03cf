"""Accuracy and conduct: what workers are told and may appeal, and what accounts and operators decide."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.conduct_forms import TITLES
from frontend.rest import conduct_schemas, schemas
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, require_operator, worker_of
from labeling.models import Assignment, AssignmentStatus, ConductFinding
from labeling.services import scope
from labeling.services.conduct import acting, appeals, deciding, lists
from labeling.services.results import accuracy
from labeling.services.results.appeals import TEXT_LENGTH
from marketplace.models import Reputation, Role, Worker
from marketplace.services import reputation
from marketplace.services import scope as marketplace_scope

FILTERS = {"state": "state", "rule": "rule", "action": "action"}


class ConductAppealInput(Body):
    """Why the finding is wrong."""

    text = serializers.CharField(max_length=TEXT_LENGTH.longest)


class DecideInput(Body):
    """Let it stand or dismiss it, and the answer to its appeal, which an open one needs."""

    decision = serializers.ChoiceField(choices=list(deciding.OF_ACCOUNTS))
    text = serializers.CharField(max_length=TEXT_LENGTH.longest, required=False, allow_blank=True, default="")


class OperatorDecideInput(DecideInput):
    """Also: ban the worker."""

    decision = serializers.ChoiceField(choices=list(deciding.OF_OPERATORS))


class CloseJobInput(Body):
    """The worker to whom the job is closed, by public id, and why."""

    worker = serializers.CharField(max_length=Worker._meta.get_field("public_id").max_length)
    reason = serializers.CharField(max_length=acting.REASON_LENGTH.longest)


def my_row(row: ConductFinding) -> dict[str, Any]:
    """A finding as its worker sees it."""
    appeal = getattr(row, "appeal", None)
    return {
        "id": row.pk,
        "rule": row.rule,
        "title": TITLES.get(row.rule, row.rule),
        "action": row.action,
        "state": row.state,
        "reason": row.reason,
        "queue_id": row.queue_id,
        "job_title": row.queue.title if row.queue is not None else None,
        "found_at": row.found_at,
        "until": row.until,
        "may_appeal": appeals.refusal(row) is None,
        "appeal": None
        if appeal is None
        else {
            "state": appeal.state,
            "text": appeal.text,
            "filed_at": appeal.filed_at,
            "due_at": appeal.due_at,
            "answer": appeal.answer or None,
            "answered_at": appeal.answered_at,
        },
    }


def full_row(row: ConductFinding) -> dict[str, Any]:
    """A finding as whoever decides about it sees it."""
    return {
        **my_row(row),
        "worker": row.worker.public_id,
        "numbers": row.numbers,
        "found_by": row.found_by,
        "closed_at": row.closed_at,
        "closed_by": row.closed_by or None,
    }


@listed(
    operation="list_my_accuracies",
    page=schemas.page("MyAccuracy", conduct_schemas.Accuracy),
    description="How accurate the caller's answers are, by task type and class, wherever there is evidence.",
)
class MyAccuraciesView(ListView):
    """The caller's reputation."""

    filters = {"task_type": "task_type"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Reputation]:
        """The caller's own."""
        return accuracy.told_sums(worker_of(request))

    def page(self, found: list[Reputation]) -> list[reputation.Accuracy]:
        """What is believed now, without golds that are in use."""
        return accuracy.told(worker_of(self.request), found)

    def row(self, found: reputation.Accuracy) -> dict[str, Any]:
        """One task type and class."""
        return asdict(found)


@listed(
    operation="list_job_accuracies",
    page=schemas.page("WorkerAccuracy", conduct_schemas.WorkerAccuracy),
    description="How accurate the workers of a labeling job are at its task type, from all jobs.",
)
class JobAccuraciesView(ListView):
    """The accuracies of a job's workers."""

    def rows(self, request: Request, **place: Any) -> QuerySet[Reputation]:
        """Of those who have answered in the job."""
        job = scope.job(account_of(request), place["job_id"])
        answered = Assignment.objects.filter(queue=job.queue_id, state=AssignmentStatus.SUBMITTED).values("worker")
        return reputation.sums_at(job.task_type).filter(worker__in=answered).select_related("worker")

    def page(self, found: list[Reputation]) -> list[tuple[Reputation, reputation.Accuracy]]:
        """What is believed now."""
        return list(zip(found, reputation.believed(found), strict=True))

    def row(self, found: tuple[Reputation, reputation.Accuracy]) -> dict[str, Any]:
        """One worker."""
        return {"worker": found[0].worker.public_id, **asdict(found[1])}


@listed(
    operation="list_my_findings",
    page=schemas.page("MyFinding", conduct_schemas.MyFinding),
    description="What was found in the caller's conduct, newest first, with the reason and what followed.",
)
class MyFindingsView(ListView):
    """What the caller is told."""

    filters = FILTERS

    def rows(self, request: Request, **place: Any) -> QuerySet[ConductFinding]:
        """The caller's own."""
        return lists.of_worker(worker_of(request))

    def row(self, found: ConductFinding) -> dict[str, Any]:
        """With its appeal."""
        return my_row(found)


class FindingAppealView(APIView):
    """Appealing against a finding."""

    @extend_schema(
        request=ConductAppealInput, responses={201: conduct_schemas.MyFinding}, operation_id="appeal_finding"
    )
    @idempotent
    def post(self, request: Request, finding_id: int) -> Response:
        """To the account whose job it closed, or to the operator against a ban; the same text again is safe."""
        worker = worker_of(request)
        finding = lists.one(lists.of_worker(worker), finding_id)
        data = ConductAppealInput(data=request.data)
        data.is_valid(raise_exception=True)
        appeals.file_appeal(finding=finding, worker=worker, text=data.validated_data["text"])
        return Response(my_row(lists.one(lists.of_worker(worker), finding_id)), status=status.HTTP_201_CREATED)


class InstructionsReadView(APIView):
    """Having read the instructions again."""

    @extend_schema(request=None, responses={200: conduct_schemas.MyFinding}, operation_id="confirm_instructions")
    @idempotent
    def post(self, request: Request, finding_id: int) -> Response:
        """Opens a job again that was closed until its instructions were read; safe to repeat."""
        worker = worker_of(request)
        acting.instructions_read(finding=lists.one(lists.of_worker(worker), finding_id))
        return Response(my_row(lists.one(lists.of_worker(worker), finding_id)))


@listed(
    operation="list_findings",
    page=schemas.page("Finding", conduct_schemas.Finding),
    description="What was found in the conduct of workers in the account's jobs, newest first.",
)
class FindingsView(ListView):
    """The account's findings."""

    filters = FILTERS | {"queue_id": "queue_id", "worker": "worker__public_id"}

    def rows(self, request: Request, **place: Any) -> QuerySet[ConductFinding]:
        """In the account's jobs."""
        return lists.of_account(account_of(request))

    def row(self, found: ConductFinding) -> dict[str, Any]:
        """With its numbers."""
        return full_row(found)


@listed(
    operation="list_all_findings",
    page=schemas.page("AnyFinding", conduct_schemas.Finding),
    description="What was found in the conduct of workers in every account's jobs, newest first, for operators.",
)
class AllFindingsView(ListView):
    """Every account's findings."""

    filters = FILTERS | {"worker": "worker__public_id"}

    def rows(self, request: Request, **place: Any) -> QuerySet[ConductFinding]:
        """All of them, for operators."""
        require_operator(request)
        return lists.of_operator()

    def row(self, found: ConductFinding) -> dict[str, Any]:
        """With its numbers."""
        return full_row(found)


class FindingDecisionView(APIView):
    """The account's decision about a finding."""

    @extend_schema(request=DecideInput, responses={200: conduct_schemas.Finding}, operation_id="decide_finding")
    @idempotent
    def post(self, request: Request, finding_id: int) -> Response:
        """Let it stand or dismiss it; the latter opens the job again and pays the answers that it withdrew."""
        finding = lists.one(lists.of_account(account_of(request, Role.MEMBER)), finding_id)
        data = DecideInput(data=request.data)
        data.is_valid(raise_exception=True)
        done = deciding.decide(finding=finding, **data.validated_data, by=actor(request), operator=False)
        return Response(full_row(done))


class OperatorDecisionView(APIView):
    """An operator's decision about a finding."""

    @extend_schema(
        request=OperatorDecideInput, responses={200: conduct_schemas.Finding}, operation_id="decide_any_finding"
    )
    @idempotent
    def post(self, request: Request, finding_id: int) -> Response:
        """Let it stand, dismiss it, or ban the worker, who then sees no work at all."""
        require_operator(request)
        data = OperatorDecideInput(data=request.data)
        data.is_valid(raise_exception=True)
        finding = lists.one(lists.of_operator(), finding_id)
        done = deciding.decide(finding=finding, **data.validated_data, by=actor(request), operator=True)
        return Response(full_row(done))


class CloseJobView(APIView):
    """Closing one job to a worker."""

    @extend_schema(request=CloseJobInput, responses={201: conduct_schemas.Finding}, operation_id="close_job_to_worker")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Their tasks go to others, answers still under review are withdrawn; dismiss the finding to open it again."""
        job = scope.job(account_of(request, Role.MEMBER), job_id)
        data = CloseJobInput(data=request.data)
        data.is_valid(raise_exception=True)
        worker = marketplace_scope.worker_named(data.validated_data["worker"])
        made = acting.block(queue=job.queue, worker=worker, reason=data.validated_data["reason"], by=actor(request))
        found = lists.one(lists.of_account(job.account), made.pk)
        return Response(full_row(found), status=status.HTTP_201_CREATED)
