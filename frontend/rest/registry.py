"""The model registry: groups of versions, approval, imports of detectors trained elsewhere, comparisons of two."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_registry
from frontend.rest.fields import Body, members
from frontend.rest.idempotency import idempotent
from frontend.rest.models import model_detail
from frontend.rest.paging import KEY, ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.services import scope as labeling_scope
from learning import queries, transitions
from learning.models import ModelGroup, ModelImport
from learning.services import comparison, model_approval, model_groups, model_imports, scope
from learning.services.lineage import same_validation
from learning.services.programs import kinds
from marketplace import names, strict
from marketplace.errors import Invalid
from marketplace.models import Account, Role
from marketplace.services.boundaries import URI_LENGTH


@listed(
    operation="list_model_groups",
    page=schemas.page("ModelGroup", schemas_registry.ModelGroup),
    description="Groups of models, newest first; their versions are models of the group.",
)
class ModelGroupsView(ListView):
    """The account's groups of models."""

    filters = {"name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[ModelGroup]:
        """Of the account."""
        return queries.model_groups(account_of(request))

    def row(self, found: Any) -> dict[str, Any]:
        """With the number of its versions."""
        return {"id": found.pk, "name": found.name, "versions": found.versions, "created_at": found.created_at}


class ModelApprovalInput(Body):
    """A decision on a model."""

    approval_status = serializers.ChoiceField(choices=list(transitions.MODEL.states))
    comment = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=model_approval.COMMENT_LENGTH.longest
    )


class ModelApprovalView(APIView):
    """Approving and rejecting a model."""

    @extend_schema(request=ModelApprovalInput, responses={200: schemas.ModelDetail}, operation_id="decide_on_model")
    @idempotent
    def post(self, request: Request, model_id: int) -> Response:
        """Approve or reject it, or take that back."""
        model = scope.model(account_of(request, Role.MEMBER), model_id)
        given = members(ModelApprovalInput, request)
        model_approval.decide(model=model, status=given["approval_status"], comment=given["comment"], by=actor(request))
        return Response(model_detail(model))


class ModelGroupInput(Body):
    """The group that a model shall belong to."""

    group = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)


class ModelGroupOfView(APIView):
    """Which group a model belongs to."""

    @extend_schema(request=ModelGroupInput, responses={200: schemas.ModelDetail}, operation_id="move_model")
    @idempotent
    def post(self, request: Request, model_id: int) -> Response:
        """Make it the newest version of a group, which is made when there is none of that name."""
        model = scope.model(account_of(request, Role.MEMBER), model_id)
        given = members(ModelGroupInput, request)
        model_groups.move(model=model, group_name=given["group"], by=actor(request))
        return Response(model_detail(model))


def import_row(run: ModelImport) -> dict[str, Any]:
    """A model import as the API shows it."""
    return {
        "id": run.pk,
        "name": run.name,
        "status": run.status,
        "failure_reason": run.failure_reason or None,
        "model": run.model_id,
        "created_at": run.created_at,
        "ended_at": run.ended_at,
    }


class ModelImportInput(Body):
    """An ONNX detector and the config.json that says its input, output and classes.

    The addresses are those in a store, or what an upload answered.
    """

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)
    onnx_uri = serializers.CharField(max_length=URI_LENGTH.longest)
    config_uri = serializers.CharField(max_length=URI_LENGTH.longest)
    group = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest, required=False)


@listed(
    operation="list_model_imports",
    page=schemas.page("ModelImport", schemas_registry.ModelImport),
    description="Imports of models, newest first.",
)
class ModelImportsView(ListView):
    """The account's imports of models."""

    filters = {"status": "status", "name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[ModelImport]:
        """Of the account."""
        return queries.model_imports(account_of(request))

    def row(self, found: ModelImport) -> dict[str, Any]:
        """As one alone is shown."""
        return import_row(found)

    @extend_schema(
        request=ModelImportInput, responses={201: schemas_registry.ModelImport}, operation_id="create_model_import"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Start taking a detector in; follow `status`, then use `model`."""
        account = account_of(request, Role.MEMBER)
        given = members(ModelImportInput, request)
        group_name = given.pop("group", "")
        run = model_imports.create_import(account=account, by=actor(request), group_name=group_name, **given)
        return Response(import_row(run), status=status.HTTP_201_CREATED)


class ModelImportView(APIView):
    """One import of a model."""

    @extend_schema(responses={200: schemas_registry.ModelImport}, operation_id="get_model_import")
    def get(self, request: Request, model_import_id: int) -> Response:
        """Its status, and why it failed if it did."""
        return Response(import_row(scope.model_import(account_of(request), model_import_id)))


class ModelImportStopView(APIView):
    """Stopping an import of a model."""

    @extend_schema(request=None, responses={200: schemas_registry.ModelImport}, operation_id="stop_model_import")
    @idempotent
    def post(self, request: Request, model_import_id: int) -> Response:
        """Stop it; no model is made."""
        run = scope.model_import(account_of(request, Role.MEMBER), model_import_id)
        kinds.of(run).stop(run, by=actor(request))
        run.refresh_from_db()
        return Response(import_row(run))


class ModelComparisonInput(Body):
    """The data set whose images are compared."""

    dataset = serializers.IntegerField()


class ModelComparisonView(APIView):
    """Two models side by side."""

    @extend_schema(
        parameters=[OpenApiParameter("dataset", KEY, description="the data set whose images are compared")],
        responses={200: schemas_registry.ModelComparison},
        operation_id="get_model_comparison",
    )
    def get(self, request: Request, model_id: int, other_id: int) -> Response:
        """Their figures and, with a data set that both have predicted, the images where they differ most."""
        given = request.query_params.get("dataset")
        dataset = None if given is None else strict.whole_number(given, allowed=strict.COUNTS)
        if given is not None and dataset is None:
            raise Invalid("a whole number expected", field="dataset")
        return Response(_compared(account_of(request), model_id, other_id, dataset))

    @extend_schema(
        request=ModelComparisonInput,
        responses={201: schemas_registry.ModelComparison},
        operation_id="start_model_comparison",
    )
    @idempotent
    def post(self, request: Request, model_id: int, other_id: int) -> Response:
        """Let both models predict a data set, as far as they have not."""
        account = account_of(request, Role.MEMBER)
        left, right = scope.model(account, model_id), scope.model(account, other_id)
        given = members(ModelComparisonInput, request)
        dataset = labeling_scope.dataset(account, given["dataset"])
        comparison.start(account=account, left=left, right=right, dataset=dataset, by=actor(request))
        return Response(_compared(account, model_id, other_id, dataset.pk), status=status.HTTP_201_CREATED)


def _compared(account: Account, model_id: int, other_id: int, dataset_id: int | None) -> dict[str, Any]:
    left, right = scope.model(account, model_id), scope.model(account, other_id)
    before = after = None
    if dataset_id is not None:
        before, after = comparison.found(left, right, labeling_scope.dataset(account, dataset_id))
    done = before is not None and after is not None and before.status == after.status == "Completed"
    return {
        "figures": comparison.figures(left, right),
        "same_validation": same_validation(left, right),
        "left_transform": before.pk if before else None,
        "right_transform": after.pk if after else None,
        "differences": comparison.differences(before, after) if before and after and done else None,
    }
