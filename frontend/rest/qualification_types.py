"""Qualification types of an account and of the operator: make, change, and who holds them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import qualification_schemas as shapes
from frontend.rest import schemas
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, require_operator
from labeling import task_types
from labeling.models import QualificationTest
from labeling.services import scope as labeling_scope
from labeling.services.jobs import limits
from labeling.services.qualifications import making, showing
from labeling.services.qualifications.making import TestDesign
from marketplace.models import Account, GrantedBy, Qualification, QualificationType, Role, Worker
from marketplace.services import qualifications, scope
from marketplace.services.requirements import VALUE


class QualificationTestInput(Body):
    """What a test is made from: a job whose objects have labels, or a data set with labels under an attribute."""

    job = serializers.IntegerField(required=False)
    dataset = serializers.IntegerField(required=False)
    label_attribute_name = serializers.CharField(required=False, max_length=limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest)
    task_type = serializers.ChoiceField(choices=list(task_types.names()), default=task_types.DEFAULT)
    questions = serializers.IntegerField(default=TestDesign.questions, **making.QUESTIONS.bounds)
    training = serializers.IntegerField(default=TestDesign.training, **making.TRAINING.bounds)
    time_limit_minutes = serializers.IntegerField(
        default=TestDesign.time_limit_minutes, **making.TIME_LIMIT_MINUTES.bounds
    )
    instructions = serializers.CharField(
        required=False, allow_blank=True, max_length=making.INSTRUCTIONS_LENGTH.longest, default=""
    )


class QualificationTypeInput(Body):
    """A new qualification type. `mark` is a pass mark or an approval rate in percent, or a number of tasks."""

    name = serializers.CharField(max_length=qualifications.NAME_LENGTH.longest)
    description = serializers.CharField(max_length=qualifications.DESCRIPTION_LENGTH.longest)
    granted_by = serializers.ChoiceField(choices=list(GrantedBy.values))
    mark = serializers.IntegerField(required=False, **qualifications.TASKS.bounds)
    valid_days = serializers.IntegerField(required=False, allow_null=True, **qualifications.VALID_DAYS.bounds)
    retry_hours = serializers.IntegerField(default=0, **qualifications.RETRY_HOURS.bounds)
    most_attempts = serializers.IntegerField(required=False, allow_null=True, **qualifications.ATTEMPTS.bounds)
    test = QualificationTestInput(required=False)


class QualificationChangeInput(Body):
    """What changes of a type."""

    description = serializers.CharField(required=False, max_length=qualifications.DESCRIPTION_LENGTH.longest)
    active = serializers.BooleanField(required=False)


class GrantInput(Body):
    """A worker by public id, and the value."""

    worker = serializers.CharField(max_length=Worker._meta.get_field("public_id").max_length)
    value = serializers.IntegerField(default=100, **VALUE.bounds)


class RevocationInput(Body):
    """Why a qualification is taken away."""

    reason = serializers.CharField(max_length=qualifications.REASON_LENGTH.longest)


def type_row(row: QualificationType) -> dict[str, Any]:
    """A type as lists show it."""
    return {
        "id": row.pk,
        "name": row.name,
        "description": row.description,
        "status": row.status,
        "owned_by_operator": row.account_id is None,
        "granted_by": row.granted_by,
        "mark": row.mark,
        "valid_days": row.valid_days,
        "retry_hours": row.retry_hours,
        "most_attempts": row.most_attempts,
        "created_at": row.created_at,
    }


def test_row(test: QualificationTest | None) -> dict[str, Any] | None:
    """How a test is taken; None for none."""
    if test is None:
        return None
    return {
        "task_type": test.task_type,
        "labels": test.labels,
        "instructions": test.instructions,
        "questions_asked": test.questions_asked,
        "training_questions": test.questions.filter(training=True).count(),
        "time_limit_seconds": test.time_limit_seconds,
    }


def type_detail(row: QualificationType) -> dict[str, Any]:
    """A type with its test."""
    return {**type_row(row), "test": test_row(QualificationTest.objects.filter(qualification_type=row).first())}


def holder_row(held: Qualification) -> dict[str, Any]:
    """Who holds a qualification."""
    return {
        "worker": held.worker.public_id,
        "value": held.value,
        "state": showing.state_of(held),
        "granted_at": held.granted_at,
        "granted_by": held.granted_by,
        "expires_at": held.expires_at,
        "revoked_at": held.revoked_at,
        "reason": held.reason or None,
    }


class _OfAccount:
    """The types of the caller's account."""

    def owner(self, request: Request, at_least: Role | str = Role.VIEWER) -> Account | None:
        """Whose types they are; None for the operator's. Raises Forbidden for those who may not."""
        return account_of(request, at_least)


class _OfOperator:
    """The operator's types, which every account may require."""

    def owner(self, request: Request, at_least: Role | str = Role.VIEWER) -> Account | None:
        """Nobody's account."""
        require_operator(request)
        return None


class _Types(ListView):
    filters = {"status": "status", "name_contains": "name__icontains"}

    def row(self, found: QualificationType) -> dict[str, Any]:
        """In short."""
        return type_row(found)

    def make(self, request: Request, account: Account | None) -> Response:
        """Make a type out of the request."""
        data = QualificationTypeInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        test = given.pop("test", None)
        if test is not None and account is not None:
            for name, find in (("job", labeling_scope.job), ("dataset", labeling_scope.dataset)):
                if name in test:
                    test[name] = find(account, test[name])
        design = None if test is None else TestDesign(**({"job": None, "dataset": None} | test))
        row = making.create(account=account, by=actor(request), test=design, **given)
        return Response(type_detail(row), status=status.HTTP_201_CREATED)


@listed(
    operation="list_qualification_types",
    page=schemas.page("QualificationType", shapes.QualificationTypeRow),
    description="The types that the account's jobs may require: its own, and the operator's. Newest first.",
)
class TypesView(_OfAccount, _Types):
    """Qualification types for the account's jobs."""

    def rows(self, request: Request, **place: Any) -> QuerySet[QualificationType]:
        """Its own and the operator's."""
        return scope.qualification_types(account_of(request))

    @extend_schema(
        request=QualificationTypeInput,
        responses={201: shapes.QualificationType},
        operation_id="create_qualification_type",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a type; one granted by a test gets its questions from labeled objects."""
        return self.make(request, self.owner(request, Role.ADMIN))


@listed(
    operation="list_operator_qualification_types",
    page=schemas.page("OperatorQualificationType", shapes.QualificationTypeRow),
    description="The operator's types, which every account may require, newest first.",
)
class OperatorTypesView(_OfOperator, _Types):
    """Qualification types for everybody's jobs."""

    def rows(self, request: Request, **place: Any) -> QuerySet[QualificationType]:
        """The operator's."""
        return scope.own_qualification_types(self.owner(request))

    @extend_schema(
        request=QualificationTypeInput,
        responses={201: shapes.QualificationType},
        operation_id="create_operator_qualification_type",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a type for everybody, by approval rate, number of tasks or by hand: tests belong to accounts."""
        return self.make(request, self.owner(request, Role.ADMIN))


class _Type(APIView):
    def change(self, request: Request, row: QualificationType) -> Response:
        """Change a type as the request says."""
        data = QualificationChangeInput(data=request.data)
        data.is_valid(raise_exception=True)
        changes = {"description": None, "active": None, **data.validated_data}
        qualifications.change_type(row=row, by=actor(request), **changes)
        return Response(type_detail(row))


class TypeView(_OfAccount, _Type):
    """One qualification type."""

    @extend_schema(responses={200: shapes.QualificationType}, operation_id="get_qualification_type")
    def get(self, request: Request, type_id: int) -> Response:
        """A type with its test."""
        return Response(type_detail(scope.qualification_type(account_of(request), type_id)))

    @extend_schema(
        request=QualificationChangeInput,
        responses={200: shapes.QualificationType},
        operation_id="change_qualification_type",
    )
    def put(self, request: Request, type_id: int) -> Response:
        """Describe it anew, or stop (`active` false) and allow that it is come by."""
        return self.change(request, scope.own_qualification_type(self.owner(request, Role.ADMIN), type_id))


class OperatorTypeView(_OfOperator, _Type):
    """One of the operator's types."""

    @extend_schema(
        request=QualificationChangeInput,
        responses={200: shapes.QualificationType},
        operation_id="change_operator_qualification_type",
    )
    def put(self, request: Request, operator_type_id: int) -> Response:
        """Describe it anew, or stop (`active` false) and allow that it is come by."""
        return self.change(request, scope.own_qualification_type(self.owner(request), operator_type_id))


class _Holders(ListView):
    filters = {"worker": "worker__public_id"}
    key = "type_id"

    def owner(self, request: Request, at_least: Role | str = Role.VIEWER) -> Account | None:
        """See _OfAccount."""
        raise NotImplementedError

    def rows(self, request: Request, **place: Any) -> QuerySet[Qualification]:
        """Of one type of the caller's own."""
        return qualifications.of_type(scope.own_qualification_type(self.owner(request), place[self.key]))

    def row(self, found: Qualification) -> dict[str, Any]:
        """Who, with which value, since and until when."""
        return holder_row(found)

    def grant(self, request: Request, row: QualificationType) -> Response:
        """Grant the qualification as the request says."""
        data = GrantInput(data=request.data)
        data.is_valid(raise_exception=True)
        worker, value = scope.worker_named(data.validated_data["worker"]), data.validated_data["value"]
        held = qualifications.grant(row=row, worker=worker, value=value, how="by hand", by=actor(request))
        return Response(holder_row(held), status=status.HTTP_201_CREATED)


@listed(
    operation="list_qualifications",
    page=schemas.page("Qualification", shapes.Qualification),
    description="Who has, or had, a qualification of the account's own type, newest first.",
)
class HoldersView(_OfAccount, _Holders):
    """Who holds a qualification of the account."""

    @extend_schema(request=GrantInput, responses={201: shapes.Qualification}, operation_id="grant_qualification")
    @idempotent
    def post(self, request: Request, type_id: int) -> Response:
        """Grant it by hand, whatever its type is granted by; a revoked or expired one counts again."""
        return self.grant(request, scope.own_qualification_type(self.owner(request, Role.ADMIN), type_id))


@listed(
    operation="list_operator_qualifications",
    page=schemas.page("OperatorQualification", shapes.Qualification),
    description="Who has, or had, a qualification of the operator's type, newest first.",
)
class OperatorHoldersView(_OfOperator, _Holders):
    """Who holds a qualification of the operator."""

    key = "operator_type_id"

    @extend_schema(
        request=GrantInput, responses={201: shapes.Qualification}, operation_id="grant_operator_qualification"
    )
    @idempotent
    def post(self, request: Request, operator_type_id: int) -> Response:
        """Grant it by hand, whatever its type is granted by; a revoked or expired one counts again."""
        return self.grant(request, scope.own_qualification_type(self.owner(request), operator_type_id))


def _revoke(request: Request, row: QualificationType, worker_id: str) -> Response:
    data = RevocationInput(data=request.data)
    data.is_valid(raise_exception=True)
    worker = scope.worker_named(worker_id)
    qualifications.revoke(row=row, worker=worker, reason=data.validated_data["reason"], by=actor(request))
    return Response(holder_row(qualifications.of_type(row).get(worker=worker)))


class RevocationView(_OfAccount, APIView):
    """Taking a qualification away."""

    @extend_schema(request=RevocationInput, responses={200: shapes.Qualification}, operation_id="revoke_qualification")
    @idempotent
    def post(self, request: Request, type_id: int, worker_id: str) -> Response:
        """The worker is told the reason, and comes by the qualification again only by hand."""
        row = scope.own_qualification_type(self.owner(request, Role.ADMIN), type_id)
        return _revoke(request, row, worker_id)


class OperatorRevocationView(_OfOperator, APIView):
    """Taking one of the operator's qualifications away."""

    @extend_schema(
        request=RevocationInput, responses={200: shapes.Qualification}, operation_id="revoke_operator_qualification"
    )
    @idempotent
    def post(self, request: Request, operator_type_id: int, worker_id: str) -> Response:
        """The worker is told the reason, and comes by the qualification again only by hand."""
        return _revoke(request, scope.own_qualification_type(self.owner(request), operator_type_id), worker_id)
