"""Human review as Amazon A2I has it: human task UIs, flow definitions and human loops."""

from typing import Any

import orjson
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_human_review
from frontend.rest.fields import Body, DollarsField, FiniteFloatField, ObjectField
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.schemas_human_review import flow_row, loop_row, ui_row, ui_shown
from frontend.rest.scope import account_of, actor
from labeling.formats import conditions as conditions_format
from labeling.models import FlowDefinition, HumanLoop, HumanTaskUi
from labeling.services.jobs import limits
from labeling.services.review import activation, flows, loops, task_uis
from marketplace import arns, money
from marketplace.models import Role
from marketplace.services import scope
from marketplace.services.boundaries import URI_LENGTH


class NameField(serializers.RegexField):
    """The name of a human task UI, a flow definition or a human loop."""

    def __init__(self, **options: Any):
        super().__init__(task_uis.NAME, max_length=task_uis.NAME_LENGTH.longest, **options)


class HumanTaskUiInput(Body):
    """A new human task UI."""

    name = NameField()
    content = serializers.CharField(max_length=task_uis.CONTENT_LENGTH.longest, trim_whitespace=False)


class FlowDefinitionInput(Body):
    """A new flow definition."""

    name = NameField()
    workteam = serializers.IntegerField()
    human_task_ui = NameField()
    title = serializers.CharField(max_length=limits.TITLE_LENGTH.longest)
    description = serializers.CharField(max_length=limits.DESCRIPTION_LENGTH.longest)
    output_uri = serializers.CharField(max_length=URI_LENGTH.longest)
    task_count = serializers.IntegerField(required=False, **flows.TASK_COUNT.bounds)
    price = DollarsField(zero=True, required=False, help_text="for an answer; nothing when it is left out")
    expected_seconds = FiniteFloatField(required=False, **limits.EXPECTED_SECONDS.bounds)
    task_time_limit_seconds = serializers.IntegerField(required=False, **limits.TASK_TIME_LIMIT_SECONDS.bounds)
    task_availability_seconds = serializers.IntegerField(required=False, **flows.AVAILABILITY_SECONDS.bounds)
    keywords = serializers.ListField(
        child=serializers.CharField(max_length=limits.KEYWORD_LENGTH.longest),
        required=False,
        max_length=limits.KEYWORDS.longest,
    )
    request_source = serializers.ChoiceField(
        [source for source in conditions_format.SOURCES if source], required=False, allow_blank=True
    )
    conditions = ObjectField(required=False, help_text="HumanLoopActivationConditions")
    role_arn = serializers.CharField(required=False, allow_blank=True, max_length=arns.LENGTH.longest)


class HumanLoopInput(Body):
    """A human loop to start."""

    name = NameField()
    flow_definition = NameField()
    input_content = ObjectField(help_text="what the template reads as task.input")
    content_classifiers = serializers.ListField(
        child=serializers.ChoiceField(limits.CONTENT_CLASSIFIERS),
        required=False,
        default=list,
        max_length=limits.CERTIFICATES.longest,
    )


class ActivationInput(Body):
    """A response of the service that a flow definition has as its request source."""

    name = NameField(help_text="of the human loop, if one is started")
    ai_service_request = ObjectField(help_text="what the service was asked")
    ai_service_response = ObjectField(help_text="what it answered")
    content_classifiers = serializers.ListField(
        child=serializers.ChoiceField(limits.CONTENT_CLASSIFIERS),
        required=False,
        default=list,
        max_length=limits.CERTIFICATES.longest,
    )


@listed(
    operation="list_human_task_uis",
    page=schemas.page("HumanTaskUi", schemas_human_review.HumanTaskUiRow),
    description="Worker templates of human loops, newest first.",
)
class HumanTaskUisView(ListView):
    """The account's human task UIs."""

    filters = {"name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[HumanTaskUi]:
        """Of the account."""
        return task_uis.task_uis(account_of(request))

    def row(self, found: HumanTaskUi) -> dict[str, Any]:
        """Without its template."""
        return ui_row(found)

    @extend_schema(
        request=HumanTaskUiInput,
        responses={201: schemas_human_review.HumanTaskUiShown},
        operation_id="create_human_task_ui",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Keep a worker template for human loops; it never changes."""
        account = account_of(request, Role.MEMBER)
        data = HumanTaskUiInput(data=request.data)
        data.is_valid(raise_exception=True)
        made = task_uis.create_task_ui(account=account, by=actor(request), **data.validated_data)
        return Response(ui_shown(made), status=status.HTTP_201_CREATED)


class HumanTaskUiView(APIView):
    """One human task UI."""

    @extend_schema(responses={200: schemas_human_review.HumanTaskUiShown}, operation_id="get_human_task_ui")
    def get(self, request: Request, ui_name: str) -> Response:
        """With its template."""
        return Response(ui_shown(task_uis.task_ui(account_of(request), ui_name)))

    @extend_schema(responses={204: None}, operation_id="delete_human_task_ui")
    def delete(self, request: Request, ui_name: str) -> Response:
        """Delete it; flow definitions that use it keep their copy of the template."""
        found = task_uis.task_ui(account_of(request, Role.MEMBER), ui_name)
        task_uis.delete_task_ui(task_ui=found, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@listed(
    operation="list_flow_definitions",
    page=schemas.page("FlowDefinition", schemas_human_review.FlowDefinitionShown),
    description="Flow definitions of human review, newest first.",
)
class FlowDefinitionsView(ListView):
    """The account's flow definitions."""

    filters = {"status": "status", "name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[FlowDefinition]:
        """Of the account, without those that were deleted."""
        return flows.flows(account_of(request))

    def row(self, found: FlowDefinition) -> dict[str, Any]:
        """All of it."""
        return flow_row(found)

    @extend_schema(
        request=FlowDefinitionInput,
        responses={201: schemas_human_review.FlowDefinitionShown},
        operation_id="create_flow_definition",
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Say who reviews, what they are shown and paid, and when."""
        account = account_of(request, Role.MEMBER)
        data = FlowDefinitionInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        made = flows.create_flow(
            account=account,
            by=actor(request),
            workteam=scope.team(account, given.pop("workteam")),
            task_ui=task_uis.task_ui(account, given.pop("human_task_ui")),
            price_micros=money.parse(given.pop("price", "0")),
            conditions=orjson.dumps(given.pop("conditions")).decode() if "conditions" in given else "",
            **given,
        )
        return Response(flow_row(made), status=status.HTTP_201_CREATED)


class FlowDefinitionView(APIView):
    """One flow definition."""

    @extend_schema(responses={200: schemas_human_review.FlowDefinitionShown}, operation_id="get_flow_definition")
    def get(self, request: Request, flow_name: str) -> Response:
        """All of it."""
        return Response(flow_row(flows.flow(account_of(request), flow_name)))

    @extend_schema(responses={204: None}, operation_id="delete_flow_definition")
    def delete(self, request: Request, flow_name: str) -> Response:
        """No new human loop starts; people finish those that run."""
        found = flows.flow(account_of(request, Role.MEMBER), flow_name)
        flows.delete_flow(flow=found, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class FlowActivationView(APIView):
    """The conditions of a flow definition on a service's response."""

    @extend_schema(
        request=ActivationInput, responses={200: schemas_human_review.Activation}, operation_id="activate_human_loop"
    )
    @idempotent
    def post(self, request: Request, flow_name: str) -> Response:
        """Evaluate the conditions, and start the human loop if they hold; says either way which did."""
        account = account_of(request, Role.MEMBER)
        data = ActivationInput(data=request.data)
        data.is_valid(raise_exception=True)
        flow = flows.flow(account, flow_name)
        made = activation.activate(flow=flow, by=actor(request), **data.validated_data)
        loop = None if made.loop is None else loop_row(loops.loop(account, made.loop.name))
        said = {"activated": loop is not None, "human_loop": loop, "human_loop_activation_output": made.output()}
        return Response(said)


@listed(
    operation="list_human_loops",
    page=schemas.page("HumanLoop", schemas_human_review.HumanLoopRow),
    description="Human loops, newest first.",
)
class HumanLoopsView(ListView):
    """The account's human loops."""

    filters = {
        "flow_definition": "flow__name",
        "status": "status",
        "created_after": "created_at__gte",
        "created_before": "created_at__lte",
    }

    def rows(self, request: Request, **place: Any) -> QuerySet[HumanLoop]:
        """Of the account; their inputs, which may be large, are not read."""
        return loops.loops(account_of(request)).defer("content")

    def row(self, found: HumanLoop) -> dict[str, Any]:
        """Without its input."""
        return loop_row(found)

    @extend_schema(
        request=HumanLoopInput, responses={201: schemas_human_review.HumanLoopShown}, operation_id="start_human_loop"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask people to look at something. A repeat with the same name and input gives the same loop."""
        account = account_of(request, Role.MEMBER)
        data = HumanLoopInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        made = loops.start_loop(
            flow=flows.flow(account, given["flow_definition"]),
            name=given["name"],
            content=orjson.dumps(given["input_content"]).decode(),
            content_classifiers=given["content_classifiers"],
            by=actor(request),
        )
        return Response(_shown(made), status=status.HTTP_201_CREATED)


def _shown(found: HumanLoop) -> dict[str, Any]:
    more = {"input_content": orjson.loads(found.content), "content_classifiers": found.content_classifiers}
    return loop_row(found) | more


class HumanLoopView(APIView):
    """One human loop."""

    @extend_schema(responses={200: schemas_human_review.HumanLoopShown}, operation_id="get_human_loop")
    def get(self, request: Request, loop_name: str) -> Response:
        """With its input."""
        return Response(_shown(loops.loop(account_of(request), loop_name)))

    @extend_schema(responses={204: None}, operation_id="delete_human_loop")
    def delete(self, request: Request, loop_name: str) -> Response:
        """Forget one that is over; its output stays."""
        found = loops.loop(account_of(request, Role.MEMBER), loop_name)
        loops.delete_loop(loop=found, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class HumanLoopStopView(APIView):
    """End a human loop early."""

    @extend_schema(request=None, responses={200: schemas_human_review.HumanLoopShown}, operation_id="stop_human_loop")
    def post(self, request: Request, loop_name: str) -> Response:
        """Nobody is asked any more; those who have begun may finish."""
        found = loops.loop(account_of(request, Role.MEMBER), loop_name)
        loops.stop_loop(loop=found, by=actor(request))
        return Response(_shown(loops.loop(found.account, loop_name)))
