"""Which predictions of an endpoint people are asked about, and the training on what they answered."""

from typing import Any

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas_endpoints
from frontend.rest.fields import Body, FiniteFloatField, ObjectField, members
from frontend.rest.human_review import NameField
from frontend.rest.idempotency import idempotent
from frontend.rest.models import training_row
from frontend.rest.scope import account_of, actor
from labeling.services.jobs import limits
from labeling.services.review import flows
from learning.models import Endpoint
from learning.services import registry, review_training, scope
from learning.services.hosting import reviewing
from marketplace import arns, names
from marketplace.errors import Invalid, NotFound
from marketplace.models import Role


class EndpointReviewInput(Body):
    """When requests of an endpoint become human loops."""

    flow_definition = NameField()
    conditions = ObjectField(
        required=False, help_text="HumanLoopActivationConditions for own models; without them the flow definition's"
    )
    least_score = FiniteFloatField(
        required=False, help_text="from which score people are shown a box", **reviewing.LEAST_SCORE.bounds
    )
    most_per_hour = serializers.IntegerField(required=False, **reviewing.MOST_PER_HOUR.bounds)
    content_classifiers = serializers.ListField(
        child=serializers.ChoiceField(limits.CONTENT_CLASSIFIERS),
        required=False,
        max_length=limits.CERTIFICATES.longest,
    )


class ReviewTrainingInput(Body):
    """A training on the answers to a flow definition's loops; it goes on from a model, or that of an endpoint."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest, required=False)
    dataset_name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest, required=False)
    model = serializers.CharField(max_length=arns.LENGTH.longest, required=False, help_text="its name or its ARN")
    endpoint = serializers.CharField(max_length=names.LENGTH.longest, required=False)
    hyperparameters = serializers.DictField(child=serializers.CharField(), required=False)


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    found = reviewing.view(endpoint)
    if found is None:
        raise NotFound(f"people are asked about no requests of the endpoint {endpoint.name}")
    return found


class EndpointReviewView(APIView):
    """The human review of an endpoint."""

    @extend_schema(responses={200: schemas_endpoints.EndpointReview}, operation_id="get_endpoint_human_review")
    def get(self, request: Request, endpoint_name: str) -> Response:
        """When its requests become human loops, how many did, and what is in the way."""
        return Response(_shown(scope.endpoint(account_of(request), endpoint_name)))

    @extend_schema(
        request=EndpointReviewInput,
        responses={200: schemas_endpoints.EndpointReview},
        operation_id="set_endpoint_human_review",
    )
    def put(self, request: Request, endpoint_name: str) -> Response:
        """From now on requests that meet the conditions become human loops; holds within a second."""
        account = account_of(request, Role.MEMBER)
        endpoint = scope.endpoint(account, endpoint_name)
        given = members(EndpointReviewInput, request)
        flow = flows.flow(account, given.pop("flow_definition"))
        tree = orjson.dumps(given.pop("conditions")).decode() if "conditions" in given else ""
        reviewing.set_review(endpoint=endpoint, flow=flow, conditions=tree, by=actor(request), **given)
        return Response(_shown(endpoint))

    @extend_schema(responses={204: None}, operation_id="delete_endpoint_human_review")
    def delete(self, request: Request, endpoint_name: str) -> Response:
        """Ask people about no more requests; loops that run go on."""
        endpoint = scope.endpoint(account_of(request, Role.MEMBER), endpoint_name)
        reviewing.clear_review(endpoint=endpoint, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReviewTrainingView(APIView):
    """Training on what people answered."""

    @extend_schema(
        request=ReviewTrainingInput,
        responses={201: schemas_endpoints.ReviewTraining},
        operation_id="train_on_flow_definition",
    )
    @idempotent
    def post(self, request: Request, flow_name: str) -> Response:
        """Make a data set of the answers to all completed loops, and train the model further on it."""
        account = account_of(request, Role.MEMBER)
        flow = flows.flow(account, flow_name)
        given = members(ReviewTrainingInput, request)
        if ("model" in given) == ("endpoint" in given):
            raise Invalid("either a model or an endpoint is to be given", field="model")
        if "model" in given:
            model = registry.trainable(account=account, model_arn=given.pop("model"))
        else:
            model = review_training.model_of(scope.endpoint(account, given.pop("endpoint")))
        made = review_training.start(flow=flow, model=model, by=actor(request), **given)
        body = {
            "training_job": training_row(made.training),
            "dataset": {"id": made.dataset.pk, "name": made.dataset.name},
            "left_out": [{"human_loop": one.loop, "reason": one.reason} for one in made.left_out],
        }
        return Response(body, status=status.HTTP_201_CREATED)
