"""Improvement policies: make one, change its parameters, and read what it did."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_improvement
from frontend.rest.endpoints import StrategyInput
from frontend.rest.fields import Body, FiniteFloatField, ObjectField, members
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.services.jobs.limits import LABEL_ATTRIBUTE_NAME_LENGTH
from labeling.services.review import flows, task_uis
from labeling.services.scope import dataset as dataset_of
from learning.models import Detection, ImprovementPolicy, PolicyRun
from learning.services import scope
from learning.services.improvement import creating, detecting, queue_reports, view
from learning.services.improvement import parameters as known
from marketplace import names
from marketplace.models import Account, Role


def _field(one: known.Parameter) -> serializers.Field:
    if one.range is None:
        return serializers.BooleanField(required=False, help_text=one.help)
    kind = serializers.IntegerField if one.whole else FiniteFloatField
    made: serializers.Field = kind(required=False, help_text=one.help, **one.range.bounds)
    return made


ParametersInput = type(
    "ParametersInput",
    (Body,),
    {
        "__doc__": "Parameters to change; what is left out stays.",
        "__module__": __name__,
        **{one.name: _field(one) for one in known.PARAMETERS},
    },
)


class QueueInput(Body):
    """An SQS queue that reports new images."""

    arn = serializers.CharField(max_length=queue_reports.LENGTH.longest)
    role_arn = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=queue_reports.LENGTH.longest,
        help_text="assumed with the account's number as external id; without it the installation's own credentials",
    )
    endpoint_url = serializers.CharField(
        required=False, allow_blank=True, max_length=queue_reports.LENGTH.longest, help_text="of a server beside AWS"
    )


class SettingsInput(Body):
    """What is fixed at creation: held-out share, margin of the gate, trainings, and how the endpoint is updated."""

    holdout_percent = serializers.IntegerField(required=False, **creating.HOLDOUT_PERCENT.bounds)
    margin = FiniteFloatField(required=False, **creating.MARGIN.bounds)
    hyperparameters = ObjectField(required=False, help_text="of the trainings")
    strategy = StrategyInput(required=False)
    queue = QueueInput(required=False)


class PolicyInput(Body):
    """A new policy on the detector of an endpoint."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)
    endpoint = serializers.CharField(max_length=names.LENGTH.longest)
    flow_definition = serializers.CharField(max_length=task_uis.NAME_LENGTH.longest)
    location = serializers.CharField(max_length=creating.LOCATION_LENGTH.longest)
    test_dataset = serializers.IntegerField(help_text="the fixed test set, which is copied")
    test_attribute = serializers.CharField(
        required=False, allow_blank=True, max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest
    )
    training_dataset = serializers.IntegerField(required=False, help_text="what the live model was trained on")
    training_attribute = serializers.CharField(
        required=False, allow_blank=True, max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest
    )
    parameters = ParametersInput(required=False)
    settings = SettingsInput(required=False)


def _one(request: Request, name: str, role: Role | str | None = None) -> ImprovementPolicy:
    account = account_of(request, role) if role is not None else account_of(request)
    return view.policy(account, name)


@listed(
    operation="list_improvement_policies",
    page=schemas.page("ImprovementPolicy", schemas_improvement.ImprovementPolicyRow),
    description="Improvement policies, newest first.",
)
class PoliciesView(ListView):
    """The account's improvement policies."""

    filters = {"status": "status", "name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[ImprovementPolicy]:
        """Of the account."""
        return view.policies(account_of(request))

    def row(self, found: ImprovementPolicy) -> dict[str, Any]:
        """Without what has to be counted."""
        return view.listed(found)

    @extend_schema(
        request=PolicyInput,
        responses={201: schemas_improvement.ImprovementPolicyMade},
        operation_id="create_improvement_policy",
    )
    def post(self, request: Request) -> Response:
        """Begin to improve the detector of an endpoint. The answer has a secret, so it is not kept for a repeat."""
        account = account_of(request, Role.MEMBER)
        made, token = creating.create(
            account=account, by=actor(request), **_given(account, members(PolicyInput, request))
        )
        shown = {**view.shown(made), "report_address": view.report_address(token)}
        return Response(shown, status=status.HTTP_201_CREATED)


def _given(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    """The arguments of creating.create. Raises NotFound for what the account does not have."""
    training, flow = body.pop("training_dataset", None), body.pop("flow_definition")
    return {
        **body,
        "endpoint": scope.endpoint(account, body["endpoint"]),
        "flow": flows.flow(account, flow),
        "test_dataset": dataset_of(account, body["test_dataset"]),
        "training_dataset": None if training is None else dataset_of(account, training),
    }


class PolicyView(APIView):
    """One improvement policy."""

    @extend_schema(responses={200: schemas_improvement.ImprovementPolicyShown}, operation_id="get_improvement_policy")
    def get(self, request: Request, policy_name: str) -> Response:
        """With its parameters, how many images it met, and drift."""
        return Response(view.shown(_one(request, policy_name)))

    @extend_schema(responses={204: None}, operation_id="delete_improvement_policy")
    def delete(self, request: Request, policy_name: str) -> Response:
        """Delete a stopped policy with its history; models and images stay."""
        creating.delete(policy=_one(request, policy_name, Role.MEMBER), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ParametersView(APIView):
    """The parameters of a policy."""

    @extend_schema(
        request=ParametersInput,
        responses={200: schemas_improvement.ImprovementPolicyShown},
        operation_id="change_improvement_parameters",
    )
    def patch(self, request: Request, policy_name: str) -> Response:
        """Change parameters, with effect at once; each change is in the audit log with both values."""
        found = _one(request, policy_name, Role.MEMBER)
        given = members(ParametersInput, request)
        creating.change_parameters(policy=found, given=given, by=actor(request))
        return Response(view.shown(view.policy(found.account, found.name)))


class _ActView(APIView):
    """Something that is done with a policy; a repeat does no harm. `act(policy, by)` does it."""

    act: Callable[..., None]

    @idempotent
    def post(self, request: Request, policy_name: str) -> Response:
        """Do it, and show the policy."""
        found = _one(request, policy_name, Role.MEMBER)
        type(self).act(policy=found, by=actor(request))
        return Response(view.shown(view.policy(found.account, found.name)))


def _documented(operation_id: str, said: str) -> Callable[[type[APIView]], type[APIView]]:
    shown = {200: schemas_improvement.ImprovementPolicyShown}
    schema = extend_schema(request=None, responses=shown, operation_id=operation_id, description=said)
    return extend_schema_view(post=schema)


@_documented("check_improvement_policy", "Look for new images and for new training now.")
class CheckView(_ActView):
    """A check that does not wait for the poll frequency."""

    act = staticmethod(creating.check_now)


@_documented("stop_improvement_policy", "Detect and train no more; a training under way is stopped.")
class StopView(_ActView):
    """The end of what a policy does by itself."""

    act = staticmethod(creating.stop)


@_documented("start_improvement_policy", "Go on with a policy that was stopped.")
class StartView(_ActView):
    """Going on."""

    act = staticmethod(creating.start)


class ReportAddressView(APIView):
    """The address to which stores report new images."""

    @extend_schema(
        request=None,
        responses={200: schemas_improvement.ReportAddress},
        operation_id="renew_improvement_report_address",
    )
    def post(self, request: Request, policy_name: str) -> Response:
        """Another address; the earlier one is refused from now on."""
        token = creating.renew_token(policy=_one(request, policy_name, Role.MEMBER), by=actor(request))
        return Response({"report_address": view.report_address(token)})


@listed(
    operation="list_improvement_runs",
    page=schemas.page("ImprovementRun", schemas_improvement.ImprovementRun),
    description="The trainings of a policy with their figures and decisions, newest first.",
)
class RunsView(ListView):
    """The runs of a policy."""

    filters = {"status": "status"}

    def rows(self, request: Request, **place: Any) -> QuerySet[PolicyRun]:
        """Of the policy."""
        return view.runs(_one(request, place["policy_name"]))

    def row(self, found: PolicyRun) -> dict[str, Any]:
        """All of it."""
        return view.run_shown(found)


class UseAgainView(APIView):
    """The images that were set aside with a run."""

    @extend_schema(
        request=None, responses={200: schemas_improvement.Counted}, operation_id="use_improvement_images_again"
    )
    @idempotent
    def post(self, request: Request, policy_name: str, run_number: int) -> Response:
        """Let later trainings learn from the images of a run that was refused or rolled back."""
        run = view.run(_one(request, policy_name, Role.MEMBER), run_number)
        return Response({"images": creating.use_again(run=run, by=actor(request))})


@listed(
    operation="list_improvement_images",
    page=schemas.page("ImprovementImage", schemas_improvement.ImprovementImage),
    description="The images that a policy met, newest first.",
)
class ImagesView(ListView):
    """The images of a policy."""

    filters = {"status": "status", "label": "label"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Detection]:
        """Of the policy."""
        return view.detections(_one(request, place["policy_name"]))

    def row(self, found: Detection) -> dict[str, Any]:
        """What was said of it."""
        return view.image_shown(found)


class TryAgainView(APIView):
    """The images that could not be detected."""

    @extend_schema(
        request=None, responses={200: schemas_improvement.Counted}, operation_id="try_improvement_images_again"
    )
    @idempotent
    def post(self, request: Request, policy_name: str) -> Response:
        """Detect the images again that failed."""
        found = _one(request, policy_name, Role.MEMBER)
        return Response({"images": detecting.try_again(policy=found, by=actor(request))})
