"""Endpoints: configurations, what is served, updates, and the predictions themselves."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, parsers, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_endpoints
from frontend.rest.fields import Body, FiniteFloatField, members
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.parsing import TooLarge
from frontend.rest.scope import account_of, actor
from learning import queries
from learning.models import Endpoint, EndpointConfig
from learning.services import scope
from learning.services.hosting import hosting, invoke, strategies
from learning.services.hosting.endpoint_view import endpoint_view, endpoint_views
from marketplace import arns, names, strict
from marketplace.errors import Invalid
from marketplace.models import Role
from marketplace.services.boundaries import URI_LENGTH

CONTENT_TYPES = ("image/jpeg", "image/png", "application/x-image")
VARIANT_HEADER = "X-Amzn-SageMaker-Target-Variant"
INFERENCE_HEADER = "X-Amzn-SageMaker-Inference-Id"
INFERENCE_ID_LENGTH = 64


class VariantInput(Body):
    """A model, in how many processes it runs, and which share of the requests it gets: its weight by all weights."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)
    model = serializers.CharField(max_length=arns.LENGTH.longest, help_text="its name or its ARN")
    instance_count = serializers.IntegerField(required=False, default=1, **hosting.INSTANCES.bounds)
    weight = FiniteFloatField(required=False, default=1.0, **hosting.WEIGHT.bounds)


class CaptureInput(Body):
    """Which percentage of the requests and answers is kept, and where: by default in the account's own store."""

    percent = serializers.IntegerField(**hosting.CAPTURE_PERCENT.bounds)
    uri = serializers.CharField(required=False, default="", allow_blank=True, max_length=URI_LENGTH.longest)
    modes = serializers.ListField(
        child=serializers.ChoiceField(hosting.CAPTURE_MODES),
        required=False,
        min_length=1,
        max_length=hosting.CAPTURED_PARTS.longest,
    )


class ConfigInput(Body):
    """What an endpoint is to serve."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)
    variants = VariantInput(many=True, min_length=1, max_length=hosting.VARIANTS.longest)
    data_capture = CaptureInput(required=False)


class EndpointInput(Body):
    """A new endpoint."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)
    config = serializers.CharField(max_length=names.LENGTH.longest)


class StrategyInput(Body):
    """How requests go over to a new configuration, and what undoes it."""

    type = serializers.ChoiceField(strategies.TYPES, required=False)
    step_percent = serializers.IntegerField(required=False, **strategies.STEP_PERCENT.bounds)
    bake_seconds = serializers.IntegerField(required=False, **strategies.BAKE_SECONDS.bounds)
    start_seconds = serializers.IntegerField(required=False, **strategies.START_SECONDS.bounds)
    max_error_percent = FiniteFloatField(required=False, allow_null=True, **strategies.ERROR_PERCENT.bounds)
    max_p99_ms = FiniteFloatField(required=False, allow_null=True, **strategies.P99_MS.bounds)


class UpdateInput(Body):
    """Another configuration for an endpoint."""

    config = serializers.CharField(max_length=names.LENGTH.longest)
    strategy = StrategyInput(required=False)


class WeightInput(Body):
    """A new weight or number of instances of a variant; what is left out stays."""

    variant = serializers.CharField(max_length=names.LENGTH.longest)
    weight = FiniteFloatField(required=False, **hosting.WEIGHT.bounds)
    instance_count = serializers.IntegerField(required=False, **hosting.INSTANCES.bounds)


class WeightsInput(Body):
    """Changes of what is served."""

    variants = WeightInput(many=True, min_length=1, max_length=hosting.VARIANTS.longest)


def config_row(config: EndpointConfig) -> dict[str, Any]:
    """A configuration as the API shows it."""
    capture = {"percent": config.capture_percent, "uri": config.capture_uri, "modes": config.capture_modes}
    return {
        "name": config.name,
        "arn": hosting.config_arn(config),
        "variants": config.variants,
        "data_capture": capture if config.capture_percent else None,
        "created_at": config.created_at,
    }


def _shown(endpoint: Endpoint, view: dict[str, Any]) -> dict[str, Any]:
    return {**view, "arn": hosting.arn(endpoint)}


@listed(
    operation="list_endpoint_configs",
    page=schemas.page("EndpointConfig", schemas_endpoints.EndpointConfig),
    description="Configurations of endpoints, newest first.",
)
class ConfigsView(ListView):
    """The account's configurations of endpoints."""

    filters = {"name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[EndpointConfig]:
        """Of the account."""
        return queries.endpoint_configs(account_of(request))

    def row(self, found: EndpointConfig) -> dict[str, Any]:
        """All of it."""
        return config_row(found)

    @extend_schema(
        request=ConfigInput, responses={201: schemas_endpoints.EndpointConfig}, operation_id="create_endpoint_config"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a configuration; it starts nothing."""
        account = account_of(request, Role.MEMBER)
        given = members(ConfigInput, request)
        capture = given.pop("data_capture", {})
        config = hosting.create_config(
            account=account, **given, **{f"capture_{name}": value for name, value in capture.items()}
        )
        return Response(config_row(config), status=status.HTTP_201_CREATED)


class ConfigView(APIView):
    """One configuration."""

    @extend_schema(responses={200: schemas_endpoints.EndpointConfig}, operation_id="get_endpoint_config")
    def get(self, request: Request, config_name: str) -> Response:
        """The configuration."""
        return Response(config_row(scope.endpoint_config(account_of(request), config_name)))

    @extend_schema(responses={204: None}, operation_id="delete_endpoint_config")
    def delete(self, request: Request, config_name: str) -> Response:
        """Delete a configuration; endpoints that have it go on as they are."""
        config = scope.endpoint_config(account_of(request, Role.MEMBER), config_name)
        hosting.delete_config(config=config)
        return Response(status=status.HTTP_204_NO_CONTENT)


@listed(
    operation="list_endpoints",
    page=schemas.page("Endpoint", schemas_endpoints.Endpoint),
    description="Endpoints, newest first.",
)
class EndpointsView(ListView):
    """The account's endpoints."""

    filters = {"status": "status", "name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Endpoint]:
        """Of the account."""
        return queries.endpoints(account_of(request))

    def page(self, found: list[Any]) -> list[Any]:
        """With what they serve."""
        return list(zip(found, endpoint_views(found), strict=True))

    def row(self, found: Any) -> dict[str, Any]:
        """All of it."""
        return _shown(*found)

    @extend_schema(request=EndpointInput, responses={201: schemas_endpoints.Endpoint}, operation_id="create_endpoint")
    @idempotent
    def post(self, request: Request) -> Response:
        """Serve a configuration; the endpoint is InService once all of its instances answer."""
        account = account_of(request, Role.MEMBER)
        given = members(EndpointInput, request)
        config = scope.endpoint_config(account, given["config"])
        endpoint = hosting.create(account=account, name=given["name"], config=config, by=actor(request))
        return Response(_shown(endpoint, endpoint_view(endpoint)), status=status.HTTP_201_CREATED)


class EndpointView(APIView):
    """One endpoint."""

    @extend_schema(responses={200: schemas_endpoints.Endpoint}, operation_id="get_endpoint")
    def get(self, request: Request, endpoint_name: str) -> Response:
        """The endpoint with its variants, their instances and figures, and its update."""
        endpoint = scope.endpoint(account_of(request), endpoint_name)
        return Response(_shown(endpoint, endpoint_view(endpoint)))

    @extend_schema(responses={202: None}, operation_id="delete_endpoint")
    def delete(self, request: Request, endpoint_name: str) -> Response:
        """Stop serving; the endpoint is gone once its instances have ended."""
        endpoint = scope.endpoint(account_of(request, Role.MEMBER), endpoint_name)
        hosting.delete(endpoint=endpoint, by=actor(request))
        return Response(status=status.HTTP_202_ACCEPTED)


class EndpointUpdateView(APIView):
    """Another configuration for an endpoint."""

    @extend_schema(request=UpdateInput, responses={200: schemas_endpoints.Endpoint}, operation_id="update_endpoint")
    @idempotent
    def post(self, request: Request, endpoint_name: str) -> Response:
        """Start instances of the configuration, and let requests go over to them; what is served now goes on."""
        account = account_of(request, Role.MEMBER)
        endpoint = scope.endpoint(account, endpoint_name)
        given = members(UpdateInput, request)
        config = scope.endpoint_config(account, given["config"])
        strategy = given.get("strategy")
        hosting.update(endpoint=endpoint, config=config, strategy=strategy, by=actor(request))
        return Response(_shown(endpoint, endpoint_view(endpoint)))


class EndpointWeightsView(APIView):
    """Weights and numbers of instances of what is served."""

    @extend_schema(
        request=WeightsInput, responses={200: schemas_endpoints.Endpoint}, operation_id="update_endpoint_weights"
    )
    @idempotent
    def post(self, request: Request, endpoint_name: str) -> Response:
        """Weights hold at once; instances are started or stopped."""
        endpoint = scope.endpoint(account_of(request, Role.MEMBER), endpoint_name)
        given = members(WeightsInput, request)
        changes = given["variants"]
        hosting.set_weights_and_capacities(endpoint=endpoint, changes=changes, by=actor(request))
        return Response(_shown(endpoint, endpoint_view(endpoint)))


class ImageParser(parsers.BaseParser):
    """A body as it is, of at most what InvokeEndpoint takes; whether it is a picture the model says."""

    media_type = CONTENT_TYPES[0]

    def parse(
        self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The bytes. Raises TooLarge before anything is read."""
        request = (parser_context or {})["request"]
        length = strict.whole_number(request.META.get("CONTENT_LENGTH") or "0", allowed=strict.INT64) or 0
        if length > invoke.MAX_BODY_BYTES:
            raise TooLarge(f"the body has {length:,} bytes, at most {invoke.MAX_BODY_BYTES:,} are taken")
        return stream.read()


class InvocationsView(APIView):
    """The predictions of an endpoint."""

    parser_classes = tuple(type(f"Parser of {one}", (ImageParser,), {"media_type": one}) for one in CONTENT_TYPES)
    # The queues of the instances bound what is asked of them; a limit by the minute would bound what they can do.
    throttle_classes = ()

    @extend_schema(
        request=dict.fromkeys(CONTENT_TYPES, OpenApiTypes.BINARY),
        responses={200: schemas_endpoints.Predictions},
        operation_id="invoke_endpoint",
        parameters=[
            OpenApiParameter(VARIANT_HEADER, str, OpenApiParameter.HEADER, description="the variant that answers"),
            OpenApiParameter(INFERENCE_HEADER, str, OpenApiParameter.HEADER, description="kept with a captured sample"),
        ],
    )
    def post(self, request: Request, endpoint_name: str) -> HttpResponse:
        """The boxes in an image (the body, at most 6 MiB), best first, with corners as shares of its width and height.

        They are not filtered by score. The header `x-Amzn-Invoked-Production-Variant` says who answered.
        """
        endpoint = scope.endpoint(account_of(request, Role.MEMBER), endpoint_name)
        kind = str(request.content_type).partition(";")[0].strip().lower()
        if kind not in CONTENT_TYPES:
            raise exceptions.UnsupportedMediaType(kind)
        inference_id = request.headers.get(INFERENCE_HEADER, "")
        if len(inference_id) > INFERENCE_ID_LENGTH:
            raise Invalid(f"at most {INFERENCE_ID_LENGTH} characters expected", field=INFERENCE_HEADER)
        answer = invoke.invoke(
            endpoint=endpoint,
            # A request without a body has no data of any kind.
            image=request.data if isinstance(request.data, bytes) else b"",
            content_type=kind,
            target_variant=request.headers.get(VARIANT_HEADER, ""),
            inference_id=inference_id,
        )
        if answer.status != status.HTTP_200_OK:
            raise Invalid(answer.message)
        response = HttpResponse(answer.body, content_type="application/json")
        response["x-Amzn-Invoked-Production-Variant"] = answer.variant
        return response
