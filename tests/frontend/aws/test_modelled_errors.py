"""Every error that botocore's models give an operation is met by boto3, or it is said why it cannot be."""

from typing import Any, NamedTuple

from frontend import rates
from frontend.aws.operations import OPERATIONS
from learning import background
from learning.models import HyperParameterTuningJob, TrainingJob
from tests.frontend.aws import test_hosting, test_labeling_jobs, test_transform_jobs, test_tuning_jobs
from tests.frontend.aws.clients import Aws, refused
from tests.frontend.aws.test_review import a_flow, a_ui
from tests.frontend.aws.test_teams import MEMBERS
from tests.frontend.aws.training_requests import a_training
from tests.labeling.test_human_loops import TEMPLATE
from tests.learning.hosting_stories import a_model

SAGEMAKER, A2I, LOGS, RUNTIME = "sagemaker", "sagemaker-a2i-runtime", "logs", "sagemaker-runtime"
Pair = tuple[str, str, str]
"""Service, operation, code of the error."""

_OURS = "a fault of this installation: test_access_keys.py shows what clients are answered"
_TEAM = "only a new team counts"
NEVER: dict[Pair, str] = {
    ("iam", "GetRole", "NoSuchEntityException"): "an account has every execution role that is asked for",
    ("iam", "GetRole", "ServiceFailureException"): _OURS,
    ("iam", "SimulatePrincipalPolicy", "InvalidInputException"): "what breaks a constraint is a ValidationError",
    ("iam", "SimulatePrincipalPolicy", "PolicyEvaluationException"): "there are no policies",
    (SAGEMAKER, "CreateModelPackage", "ConflictException"): "the same version again is the same",
    (SAGEMAKER, "CreateModelPackage", "ResourceLimitExceeded"): "the models of an account are not counted",
    (SAGEMAKER, "DeleteModelPackage", "ConflictException"): "learning's rules refuse it as a ValidationException",
    (SAGEMAKER, "UpdateModelPackage", "ConflictException"): "the last approval holds",
    (SAGEMAKER, "UpdateWorkforce", "ConflictException"): "a change takes effect at once",
    (SAGEMAKER, "DeleteFlowDefinition", "ResourceInUse"): "human loops go on without it",
    (SAGEMAKER, "DeleteWorkteam", "ResourceLimitExceeded"): _TEAM,
    (SAGEMAKER, "UpdateWorkteam", "ResourceLimitExceeded"): _TEAM,
    **{(LOGS, name, "ServiceUnavailableException"): _OURS for name in ("DescribeLogStreams", "GetLogEvents")},
    **{
        (A2I, f"{verb}HumanLoop{'s' if verb == 'List' else ''}", "InternalServerException"): _OURS
        for verb in ("Delete", "Describe", "List", "Start", "Stop")
    },
    (RUNTIME, "InvokeEndpoint", "InternalFailure"): _OURS,
    (RUNTIME, "InvokeEndpoint", "InternalDependencyException"): _OURS,
    (RUNTIME, "InvokeEndpoint", "ModelNotReadyException"): "a model is loaded before its endpoint is InService",
}
ELSEWHERE: dict[Pair, str] = {
    (RUNTIME, "InvokeEndpoint", "ServiceUnavailable"): "test_hosting.py",
    (RUNTIME, "InvokeEndpoint", "ValidationError"): "test_hosting.py",
    (RUNTIME, "InvokeEndpoint", "ModelError"): "test_hosting.py",
    (SAGEMAKER, "DeleteModelPackageGroup", "ConflictException"): "test_model_packages.py",
    ("iam", "SimulatePrincipalPolicy", "NoSuchEntityException"): "test_identity.py",
    (LOGS, "DescribeLogStreams", "InvalidParameterException"): "test_shapes.py",
    (LOGS, "GetLogEvents", "InvalidParameterException"): "test_transform_jobs.py",
    (A2I, "StartHumanLoop", "ConflictException"): "test_review.py",
    **{
        (A2I, f"{verb}HumanLoop{'s' if verb == 'List' else ''}", "ValidationException"): "test_shapes.py"
        for verb in ("Delete", "Describe", "List", "Start", "Stop")
    },
}


KINDS = {
    "CreateLabelingJob": "labeling-job",
    "CreateTrainingJob": "training-job",
    "CreateHyperParameterTuningJob": "hyper-parameter-tuning-job",
    "CreateTransformJob": "transform-job",
    "CreateFlowDefinition": "flow-definition",
    "CreateHumanTaskUi": "human-task-ui",
    "CreateWorkteam": "workteam",
    "CreateModel": "model",
    "CreateModelPackageGroup": "model-package-group",
    "CreateEndpointConfig": "endpoint-config",
    "CreateEndpoint": "endpoint",
    "StartHumanLoop": "human-loop",
}
"""Operation -> what the quota of what it makes is called."""


NAME = {"HumanLoopName": "none"}
LOOP = NAME | {
    "FlowDefinitionArn": "arn:aws:sagemaker:us-east-1:123456789012:flow-definition/none",
    "HumanLoopInput": {"InputContent": "{}"},
}


class Asked(NamedTuple):
    """A request: its operation, and its members."""

    service: str
    name: str
    given: dict[str, Any]

    def answer(self, aws: Aws) -> dict[str, Any]:
        """What boto3 gives."""
        found: dict[str, Any] = aws.client(self.service)._make_api_call(self.name, self.given)
        return found

    def refusal(self, aws: Aws) -> tuple[Pair, str]:
        """The error that it meets, and its message."""
        error = refused(self.answer, aws)
        return (self.service, self.name, error["Code"]), error["Message"]


def of_nothing(aws: Aws) -> list[Asked]:
    """Requests that name what there is not."""
    arn = f"arn:aws:sagemaker:us-east-1:{aws.account.number}"
    role = f"arn:aws:iam::{aws.account.number}:role/r"
    training = a_training(aws)
    channel = {
        "ChannelName": "model",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bees/none/model.tar.gz"}},
    }
    training["InputDataConfig"].append(channel)
    rendered = {"HumanTaskUiArn": f"{arn}:human-task-ui/none", "Task": {"Input": "{}"}, "RoleArn": role}
    stream = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamName": "none"}
    named = {
        "HumanTaskUi": ("Describe", "Delete"),
        "FlowDefinition": ("Describe", "Delete"),
        "HyperParameterTuningJob": ("Describe", "Stop"),
        "LabelingJob": ("Describe", "Stop"),
        "TrainingJob": ("Describe", "Stop"),
        "TransformJob": ("Describe", "Stop"),
    }
    loops = [Asked(A2I, f"{verb}HumanLoop", NAME) for verb in ("Describe", "Stop", "Delete")]
    return [
        *(
            Asked(SAGEMAKER, f"{verb}{noun}", {f"{noun}Name": "none"})
            for noun, verbs in named.items()
            for verb in verbs
        ),
        *loops,
        Asked(A2I, "ListHumanLoops", {"FlowDefinitionArn": f"{arn}:flow-definition/none"}),
        Asked(SAGEMAKER, "ListLabelingJobsForWorkteam", {"WorkteamArn": f"{arn}:workteam/private-crowd/none"}),
        Asked(SAGEMAKER, "ListTrainingJobsForHyperParameterTuningJob", {"HyperParameterTuningJobName": "none"}),
        Asked(SAGEMAKER, "RenderUiTemplate", rendered),
        Asked(SAGEMAKER, "CreateTrainingJob", training),
        Asked(SAGEMAKER, "CreateTransformJob", test_transform_jobs.a_request(aws) | {"ModelName": "none"}),
        Asked(LOGS, "DescribeLogStreams", {"logGroupName": "/none"}),
        Asked(LOGS, "GetLogEvents", stream),
    ]


def of_one_more(aws: Aws) -> list[Asked]:
    """Requests that make something; what they refer to is there."""
    artifact = a_model(aws.account).artifact_uri
    test_hosting.a_named_model(aws, "served", artifact)
    variants = [test_hosting.a_variant("served")]
    aws.sagemaker.create_endpoint_config(EndpointConfigName="one", ProductionVariants=variants)
    arn, config = a_flow(aws, a_ui(aws, "shown"), "flow")
    flow = aws.sagemaker.describe_flow_definition(FlowDefinitionName="flow")
    loop = {"HumanLoopName": "further", "FlowDefinitionArn": arn, "HumanLoopInput": {"InputContent": "{}"}}
    reviews = {
        "FlowDefinitionName": "further",
        "HumanLoopConfig": config,
        **{name: flow[name] for name in ("OutputConfig", "RoleArn")},
    }
    made = {
        "CreateLabelingJob": test_labeling_jobs.a_request(aws),
        "CreateTrainingJob": a_training(aws),
        "CreateHyperParameterTuningJob": test_tuning_jobs.a_request(aws),
        "CreateTransformJob": test_transform_jobs.a_request(aws),
        "CreateFlowDefinition": reviews,
        "CreateHumanTaskUi": {"HumanTaskUiName": "further", "UiTemplate": {"Content": TEMPLATE}},
        "CreateWorkteam": {"WorkteamName": "further", "MemberDefinitions": MEMBERS, "Description": "They know bees"},
        "CreateModel": {"ModelName": "further", "PrimaryContainer": {"ModelDataUrl": artifact}},
        "CreateModelPackageGroup": {"ModelPackageGroupName": "further"},
        "CreateEndpointConfig": {"EndpointConfigName": "further", "ProductionVariants": variants},
        "CreateEndpoint": {"EndpointName": "further", "EndpointConfigName": "one"},
    }
    return [*(Asked(SAGEMAKER, name, given) for name, given in made.items()), Asked(A2I, "StartHumanLoop", loop)]


def of_more_instances() -> list[Asked]:
    """Requests that make an endpoint larger than the account may have it."""
    wanted = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    larger = {"EndpointName": "further", "DesiredWeightsAndCapacities": wanted}
    return [
        Asked(SAGEMAKER, "UpdateEndpoint", {"EndpointName": "further", "EndpointConfigName": "further"}),
        Asked(SAGEMAKER, "UpdateEndpointWeightsAndCapacities", larger),
    ]


def test_every_modelled_error_is_met_or_it_is_said_why_not(inside: Aws, settings, monkeypatch):
    met: set[Pair] = set()
    for asked in of_nothing(inside):
        pair, _ = asked.refusal(inside)
        assert pair[2] in ("ResourceNotFound", "ResourceNotFoundException"), pair
        met.add(pair)
    for asked in of_one_more(inside):
        settings.QUOTAS = {KINDS[asked.name]: 0}
        pair, says = asked.refusal(inside)
        assert pair[2] in ("ResourceLimitExceeded", "ServiceQuotaExceededException"), (pair, says)
        assert says.startswith("The account-level service limit"), says
        met.add(pair)
        settings.QUOTAS = {}
        asked.answer(inside)
        # The same human loop again is the same one.
        if asked.service == SAGEMAKER:
            met.add(asked.refusal(inside)[0])
    test_hosting.in_service("further")
    settings.ENDPOINT_INSTANCES_PER_ACCOUNT = 1
    for asked in of_more_instances():
        pair, says = asked.refusal(inside)
        assert pair[2] == "ResourceLimitExceeded", (pair, says)
        met.add(pair)
    monkeypatch.setattr(rates, "CALLS", rates.Allowances())
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"user": "1/day"}}
    for asked in (*of_nothing(inside), Asked(A2I, "StartHumanLoop", LOOP)):
        if asked.service == A2I:
            # One call may be allowed where a window has just begun.
            asked.refusal(inside)
            met.add(asked.refusal(inside)[0])

    modelled = {(one.service, one.name, shape.name) for one in OPERATIONS.values() for shape in one.model.error_shapes}
    assert modelled - met - NEVER.keys() - ELSEWHERE.keys() == set(), "neither met nor explained"
    assert (NEVER.keys() | ELSEWHERE.keys()) - modelled == set(), "there is no such error"
    assert met & NEVER.keys() == set(), "it was met"


def test_what_the_installation_makes_for_a_job_is_not_refused(inside: Aws, settings):
    settings.QUOTAS = {"training-job": 1}
    (training,) = (one for one in of_one_more(inside) if one.name == "CreateTrainingJob")
    training.answer(inside)
    search = test_tuning_jobs.a_request(inside)
    inside.sagemaker.create_hyper_parameter_tuning_job(**search)
    background.advance_tuning(HyperParameterTuningJob.objects.get().pk)
    assert TrainingJob.objects.filter(tuning_trial__isnull=False).exists()
    other = Asked(SAGEMAKER, "CreateTrainingJob", training.given | {"TrainingJobName": "bees-2"})
    _, says = other.refusal(inside)
    assert "'training jobs that are not over' is 1, with current utilization of 3" in says
    # What is over counts no more.
    TrainingJob.objects.update(status="Completed")
    other.answer(inside)
