"""What follows from the rules of conduct: in an account's jobs, in one job, or for operators wherever nobody chose."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import conduct_schemas
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.scope import account_of, actor, require_operator
from labeling.conduct.rules import RULES, Action
from labeling.models import WorkQueue
from labeling.services import scope
from labeling.services.conduct import policies
from marketplace.models import Account, Role


class RuleInput(Body):
    """What follows from a rule; `minutes` of a pause."""

    rule = serializers.ChoiceField(choices=list(RULES))
    action = serializers.ChoiceField(choices=[one.value for one in policies.OF_ACCOUNTS])
    minutes = serializers.IntegerField(default=policies.USUAL_MINUTES, **policies.MINUTES.bounds)


class OperatorRuleInput(RuleInput):
    """Also: a ban."""

    action = serializers.ChoiceField(choices=[one.value for one in Action])


def _rules(account: Account | None = None, queue: WorkQueue | None = None) -> Response:
    rows = [
        {
            "rule": key,
            "title": policy.rule.title,
            "states": policy.rule.states,
            "action": policy.action.value,
            "minutes": policy.minutes,
            "own": policy.own,
        }
        for key, policy in policies.policies(account=account, queue=queue).items()
    ]
    return Response({"rules": rows})


def _set(request: Request, form: type[RuleInput], account: Account | None, queue: WorkQueue | None = None) -> Response:
    data = form(data=request.data)
    data.is_valid(raise_exception=True)
    policies.set_policy(**data.validated_data, account=account, queue=queue, by=actor(request))
    return _rules(account, queue)


class RulesView(APIView):
    """The rules in an account's jobs."""

    @extend_schema(responses={200: conduct_schemas.ConductRules}, operation_id="list_conduct_rules")
    def get(self, request: Request) -> Response:
        """What follows from each."""
        return _rules(account_of(request))

    @extend_schema(request=RuleInput, responses={200: conduct_schemas.ConductRules}, operation_id="set_conduct_rule")
    @idempotent
    def put(self, request: Request) -> Response:
        """Choose what follows from one in every job of the account."""
        return _set(request, RuleInput, account_of(request, Role.ADMIN))


class JobRulesView(APIView):
    """The rules in one labeling job."""

    @extend_schema(responses={200: conduct_schemas.ConductRules}, operation_id="list_job_conduct_rules")
    def get(self, request: Request, job_id: int) -> Response:
        """What follows from each."""
        return _rules(queue=scope.job(account_of(request), job_id).queue)

    @extend_schema(
        request=RuleInput, responses={200: conduct_schemas.ConductRules}, operation_id="set_job_conduct_rule"
    )
    @idempotent
    def put(self, request: Request, job_id: int) -> Response:
        """Choose what follows from one in this job."""
        account = account_of(request, Role.MEMBER)
        return _set(request, RuleInput, account, scope.job(account, job_id).queue)


class OperatorRulesView(APIView):
    """The rules wherever no account chose."""

    @extend_schema(responses={200: conduct_schemas.ConductRules}, operation_id="list_default_conduct_rules")
    def get(self, request: Request) -> Response:
        """What follows from each."""
        require_operator(request)
        return _rules()

    @extend_schema(
        request=OperatorRuleInput,
        responses={200: conduct_schemas.ConductRules},
        operation_id="set_any_conduct_rule",
    )
    @idempotent
    def put(self, request: Request) -> Response:
        """Choose what follows from one wherever no account chose."""
        require_operator(request)
        return _set(request, OperatorRuleInput, None)
