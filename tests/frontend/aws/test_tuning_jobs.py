"""SageMaker's automatic model tuning by boto3: what is asked for becomes a tuning job of ours, and is shown again."""

from typing import Any

from learning import background
from learning.models import HyperParameterTuningJob, TrainingJob
from learning.services.tuning.config import TuningConfig
from tests.frontend.aws.clients import Aws, code_of, refused
from tests.frontend.aws.training_requests import a_training
from tests.frontend.tuning_world import a_trial, a_tuning

CONFIG: dict[str, Any] = {
    "Strategy": "Bayesian",
    "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:mAP"},
    "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2, "MaxRuntimeInSeconds": 3600},
    "ParameterRanges": {
        "ContinuousParameterRanges": [
            {"Name": "learning_rate", "MinValue": "1e-6", "MaxValue": "0.5", "ScalingType": "Logarithmic"}
        ],
        "IntegerParameterRanges": [{"Name": "mini_batch_size", "MinValue": "1", "MaxValue": "3"}],
        "CategoricalParameterRanges": [{"Name": "optimizer", "Values": ["sgd", "adam"]}],
    },
    "TrainingJobEarlyStoppingType": "Auto",
    "TuningJobCompletionCriteria": {
        "TargetObjectiveMetricValue": 0.5,
        "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3},
        "ConvergenceDetected": {"CompleteOnConvergence": "Enabled"},
    },
    "RandomSeed": 7,
}


def a_request(aws: Aws, name: str = "hives", **config: Any) -> dict[str, Any]:
    training = a_training(aws)
    searched = ("learning_rate", "mini_batch_size", "optimizer")
    static = {key: value for key, value in training["HyperParameters"].items() if key not in searched}
    common = ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig")
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": CONFIG | config,
        "TrainingJobDefinition": {
            "StaticHyperParameters": static | {"_tuning_objective_metric": "validation:mAP"},
            "StoppingCondition": training["StoppingCondition"],
            **{member: training[member] for member in common},
        },
        "Tags": training["Tags"],
    }


def test_a_search_is_created_described_and_stopped(inside: Aws):
    client = inside.sagemaker
    request = a_request(inside)
    arn = client.create_hyper_parameter_tuning_job(**request)["HyperParameterTuningJobArn"]
    assert arn.endswith(":hyper-parameter-tuning-job/hives")
    job = HyperParameterTuningJob.objects.get()
    asked = TuningConfig.load(job.config)
    assert (asked.max_jobs, asked.max_parallel, asked.max_seconds, asked.seed) == (4, 2, 3600, 7)
    assert (asked.target, asked.not_improving, asked.converge, asked.early_stopping) == (0.5, 3, True, "Auto")
    assert {one.name: (one.low, one.high, one.values) for one in asked.searched} == {
        "learning_rate": (1e-6, 0.5, None),
        "mini_batch_size": (1.0, 3.0, None),
        "optimizer": (None, None, ("sgd", "adam")),
    }
    assert job.hyperparameters["base_network"] == "resnet-50"
    assert "_tuning_objective_metric" not in job.hyperparameters
    told = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="hives")
    for member in ("HyperParameterTuningJobConfig", "TrainingJobDefinition"):
        assert told[member] == request[member], member
    assert told["HyperParameterTuningJobStatus"] == "InProgress"
    assert told["TrainingJobStatusCounters"]["Completed"] == 0
    # What its trainings make goes where the definition says.
    a_trial(job, 0.5)
    trial = client.describe_training_job(TrainingJobName="hives-001")
    assert trial["ModelArtifacts"]["S3ModelArtifacts"].endswith("/out/hives-001/output/model.tar.gz")
    # SageMaker's SDK deploys the best of them by what this says.
    for member in ("AlgorithmSpecification", "InputDataConfig", "ResourceConfig", "StoppingCondition", "RoleArn"):
        assert trial[member] == request["TrainingJobDefinition"][member], member
    assert client.list_tags(ResourceArn=trial["TrainingJobArn"])["Tags"] == []
    assert trial["HyperParameters"] == TrainingJob.objects.get(name="hives-001").hyperparameters
    # The SDK names the machines in a member that only tuning jobs have.
    other = a_request(inside, "hives-sdk")
    machines = other["TrainingJobDefinition"].pop("ResourceConfig")
    other["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"] = machines
    client.create_hyper_parameter_tuning_job(**other)
    a_trial(HyperParameterTuningJob.objects.get(name="hives-sdk"), 0.5)
    assert client.describe_training_job(TrainingJobName="hives-sdk-001")["ResourceConfig"] == machines
    client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="hives")
    told = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="hives")
    assert told["HyperParameterTuningJobStatus"] in ("Stopping", "Stopped")
    assert code_of(client.create_hyper_parameter_tuning_job, **request) == "ResourceInUse"


def test_trainings_of_a_search_are_listed_by_what_they_reached(inside: Aws):
    client = inside.sagemaker
    job = a_tuning(inside.account, name="hives")
    a_trial(job, 0.8)
    a_trial(job, 0.2)
    told = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="hives")
    best = told["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Maximize",
        "MetricName": "validation:mAP",
        "Value": 0.8,
    }
    assert best["TunedHyperParameters"] == {"learning_rate": "0.01", "optimizer": "sgd"}
    assert told["HyperParameterTuningJobConfig"]["ParameterRanges"]["CategoricalParameterRanges"] == [
        {"Name": "optimizer", "Values": ["sgd", "adam"]}
    ]
    pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName="hives",
        SortBy="FinalObjectiveMetricValue",
        SortOrder="Descending",
        PaginationConfig={"PageSize": 2},
    )
    found = [[one["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for one in page["TrainingJobSummaries"]]
             for page in pages]  # fmt: skip
    assert found == [[0.8, 0.5], [0.2]]
    trained = client.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert trained["TuningJobArn"].endswith("/hives")
    a_tuning(inside.account, name="wasps", status="Completed")
    listed = client.list_hyper_parameter_tuning_jobs(StatusEquals="Completed")["HyperParameterTuningJobSummaries"]
    assert [one["HyperParameterTuningJobName"] for one in listed] == ["wasps"]


def test_what_is_wrong_is_named(inside: Aws):
    client = inside.sagemaker
    ranges = {"ContinuousParameterRanges": [{"Name": "learning_rate", "MinValue": "low", "MaxValue": "1"}]}
    for config, says in (
        ({"ParameterRanges": ranges}, "learning_rate: 'low' found, a number expected"),
        ({"ParameterRanges": {}}, "HyperParameterTuningJobConfig.ParameterRanges"),
        ({"ResourceLimits": {"MaxParallelTrainingJobs": 101}}, "ResourceLimits.max_parallel_jobs"),
        ({"Strategy": "Grid"}, "Categorical ranges only"),
    ):
        error = refused(client.create_hyper_parameter_tuning_job, **a_request(inside, **config))
        assert error["Code"] == "ValidationException" and says in error["Message"], error
    request = a_request(inside)
    del request["TrainingJobDefinition"]
    error = refused(client.create_hyper_parameter_tuning_job, **request)
    assert "TrainingJobDefinition" in error["Message"]
    assert HyperParameterTuningJob.objects.count() == 0
    for call in (
        client.describe_hyper_parameter_tuning_job,
        client.stop_hyper_parameter_tuning_job,
        client.list_training_jobs_for_hyper_parameter_tuning_job,
    ):
        assert code_of(call, HyperParameterTuningJobName="none") == "ResourceNotFound"


def several(aws: Aws) -> dict[str, Any]:
    """A request with two definitions of trainings: a detector and one that is small, each with its own ranges."""
    request = a_request(aws)
    one = request.pop("TrainingJobDefinition")
    config = request["HyperParameterTuningJobConfig"]
    ranges, objective = config["ParameterRanges"], config["HyperParameterTuningJobObjective"]
    request["HyperParameterTuningJobConfig"] = {
        name: value
        for name, value in config.items()
        if name not in ("ParameterRanges", "HyperParameterTuningJobObjective")
    }
    output = {"S3OutputPath": one["OutputDataConfig"]["S3OutputPath"] + "small"}
    rate = {"ContinuousParameterRanges": ranges["ContinuousParameterRanges"]}
    static = one["StaticHyperParameters"] | {"mini_batch_size": "2", "optimizer": "sgd"}
    request["TrainingJobDefinitions"] = [
        {**one, "DefinitionName": "usual", "TuningObjective": objective, "HyperParameterRanges": ranges},
        {
            **one,
            "DefinitionName": "small",
            "TuningObjective": {"Type": "Maximize", "MetricName": "validation:mAP_50"},
            "HyperParameterRanges": rate,
            "StaticHyperParameters": static,
            "OutputDataConfig": output,
        },
    ]
    return request


def test_several_definitions_of_trainings_are_searched(inside: Aws):
    client = inside.sagemaker
    request = several(inside)
    client.create_hyper_parameter_tuning_job(**request)
    job = HyperParameterTuningJob.objects.get()
    told = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="hives")
    for member in ("HyperParameterTuningJobConfig", "TrainingJobDefinitions"):
        assert told[member] == request[member], member
    for _ in range(2):
        background.advance_tuning(job.pk)
    trials = client.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="hives")
    shown = {one["TrainingJobDefinitionName"]: one for one in trials["TrainingJobSummaries"]}
    assert set(shown) == {"usual", "small"}
    assert set(shown["usual"]["TunedHyperParameters"]) == {"learning_rate", "mini_batch_size", "optimizer"}
    assert set(shown["small"]["TunedHyperParameters"]) == {"learning_rate"}
    described = client.describe_training_job(TrainingJobName=shown["small"]["TrainingJobName"])
    assert "/out/small/" in described["ModelArtifacts"]["S3ModelArtifacts"]
    assert described["HyperParameters"]["mini_batch_size"] == "2"
    small = request["TrainingJobDefinitions"][1]
    assert described["InputDataConfig"] == small["InputDataConfig"]
    assert described["ResourceConfig"] == small["ResourceConfig"]


def test_definitions_that_cannot_be_searched_together_are_refused(inside: Aws):
    create = inside.sagemaker.create_hyper_parameter_tuning_job
    request = several(inside)
    first, second = request["TrainingJobDefinitions"]
    minimized = {"Type": "Minimize", "MetricName": "validation:loss"}
    fixed = first["StaticHyperParameters"] | {"learning_rate": "0.1"}
    nothing = {key: value for key, value in second.items() if key != "TuningObjective"}
    for definitions, says in (
        ([first, {**second, "DefinitionName": "usual"}], "two definitions 'usual'"),
        ([first, {**second, "TuningObjective": minimized}], "TrainingJobDefinitions.1.objective.type: Minimize found"),
        ([first, nothing], "TrainingJobDefinitions[1].TuningObjective: the metric to tune for"),
        ([first, {**second, "StaticHyperParameters": fixed}], "TrainingJobDefinitions.1.ranges.0.name"),
    ):
        error = refused(create, **request | {"TrainingJobDefinitions": definitions})
        assert error["Code"] == "ValidationException" and says in error["Message"], (says, error)
    both = {**request, "TrainingJobDefinition": {k: v for k, v in first.items() if k != "DefinitionName"}}
    assert "either what all trainings" in refused(create, **both)["Message"]
    parents = {
        "WarmStartType": "TransferLearning",
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "bees"}],
    }
    assert "only a tuning job with one definition" in refused(create, **request, WarmStartConfig=parents)["Message"]
    few = request["HyperParameterTuningJobConfig"] | {
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    }
    error = refused(create, **request | {"HyperParameterTuningJobConfig": few})
    assert "1 trainings for 2 definitions" in error["Message"]
    assert not HyperParameterTuningJob.objects.exists()
