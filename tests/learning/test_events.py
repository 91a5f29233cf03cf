"""The events of trainings, tuning jobs, batch transforms, endpoints and models, in Amazon's own shapes."""

import pytest
from django.db import transaction
from django.utils import timezone

from learning import transitions
from learning.services import model_approval
from learning.services.hosting import deploying, hosting
from learning.services.improvement import creating as improvement_creating
from learning.services.improvement import runs
from learning.services.tuning import advancing, creating
from marketplace.models import Account, Event
from tests.builders import an_account
from tests.learning.hosting_stories import a_config, a_model, an_endpoint
from tests.learning.improvement import stories as improvement
from tests.learning.kind_cases import a_training, a_transform
from tests.learning.tuning import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return an_account(name="Apiary")


def of_type(noun: str) -> list[Event]:
    return list(Event.objects.filter(detail_type=f"SageMaker {noun} State Change").order_by("pk"))


def test_a_training(account: Account) -> None:
    run = a_training(account)
    with transaction.atomic():
        transitions.TRAINING_JOB.advance(
            run, "Failed", by="learner", failure_reason="no such image", started_at=timezone.now()
        )
    began, failed = of_type("Training Job")
    arn = f"arn:aws:sagemaker:us-east-1:{account.number}:training-job/bees"
    assert (began.resource, began.status, began.detail["SecondaryStatus"]) == (arn, "InProgress", "Starting")
    assert "FailureReason" not in began.detail
    detail = failed.detail
    assert (detail["TrainingJobName"], detail["TrainingJobArn"]) == ("bees", arn)
    assert (detail["TrainingJobStatus"], detail["SecondaryStatus"]) == ("Failed", "Failed")
    assert detail["FailureReason"] == "no such image" and detail["HyperParameters"]["architecture"] == "compact"
    (channel,) = detail["InputDataConfig"]
    source = channel["DataSource"]["S3DataSource"]
    assert (channel["ChannelName"], source["S3DataType"]) == ("train", "AugmentedManifestFile")
    assert source["S3Uri"].endswith("/bees.manifest")
    assert abs(detail["CreationTime"] - run.created_at.timestamp() * 1000) <= 1 and detail["TrainingEndTime"] is None


def test_a_batch_transform(account: Account) -> None:
    run = a_transform(account)
    with transaction.atomic():
        transitions.TRANSFORM_JOB.advance(run, "Completed", by="learner", ended_at=timezone.now())
    began, completed = of_type("Transform Job")
    assert began.detail["TransformJobStatus"] == "InProgress"
    detail = completed.detail
    assert detail["TransformJobArn"] == f"arn:aws:sagemaker:us-east-1:{account.number}:transform-job/bees"
    assert (detail["TransformJobStatus"], detail["ModelName"]) == ("Completed", run.model.name)
    assert detail["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].endswith("/bees.manifest")
    assert detail["TransformOutput"] == {"S3OutputPath": run.output_uri}
    assert detail["TransformEndTime"] >= detail["CreationTime"]


def test_a_tuning_job_counts_its_trainings_and_names_the_best(account: Account) -> None:
    tuning = stories.a_tuning(account)
    stories.drive(tuning, most=2)
    creating.stop(tuning_job=tuning, by="user:1")
    advancing.advance(tuning_id=tuning.pk)
    rows = of_type("HyperParameter Tuning Job")
    assert [row.status for row in rows] == ["InProgress", "Stopping", "Stopped"]
    detail = rows[-1].detail
    assert rows[0].resource == f"arn:aws:sagemaker:us-east-1:{account.number}:hyper-parameter-tuning-job/hive"
    assert detail["HyperParameterTuningJobConfig"] == {"Strategy": "Bayesian"}
    assert detail["TrainingJobStatusCounters"]["Completed"] >= 1
    best = tuning.trials.exclude(objective_value=None).order_by("-objective_value").first()
    assert best is not None and detail["BestTrainingJob"]["TrainingJobName"] == best.name
    assert not Event.objects.filter(resource__contains="tuning-job-").exists(), "the trials of the check are undone"


def test_an_endpoint_has_amazons_upper_case_state_here(account: Account) -> None:
    model = a_model(account)
    endpoint = an_endpoint(account, a_config(account, model))
    hosting.delete(endpoint=endpoint, by="user:1")
    deploying.advance(endpoint_id=endpoint.pk)
    rows = of_type("Endpoint")
    assert [row.status for row in rows] == ["Creating", "InService", "Deleting"]
    assert [row.detail["EndpointStatus"] for row in rows] == ["CREATING", "IN_SERVICE", "DELETING"]
    detail = rows[1].detail
    assert (detail["EndpointName"], detail["EndpointConfigName"]) == ("bees", "first")
    assert detail["EndpointArn"] == rows[1].resource
    assert detail["ProductionVariants"] == [
        {"VariantName": "quadrants", "DesiredWeight": 1.0, "DesiredInstanceCount": 1}
    ]


def test_a_model_package_tells_of_its_approval(account: Account) -> None:
    model = a_model(account)
    model_approval.decide(model=model, status="Approved", by="user:1", comment="good on bees")
    model_approval.decide(model=model, status="Approved", by="user:1", comment="very good")
    made, approved = of_type("Model Package")
    assert made.detail["ModelApprovalStatus"] == "PendingManualApproval" and "ApprovalDescription" not in made.detail
    detail = approved.detail
    arn = f"arn:aws:sagemaker:us-east-1:{account.number}:model-package/quadrants/1"
    assert (detail["ModelPackageArn"], detail["ModelPackageGroupName"]) == (arn, "quadrants")
    assert (detail["ModelPackageVersion"], detail["ModelApprovalStatus"]) == (1, "Approved")
    assert detail["ApprovalDescription"] == "good on bees"
    assert detail["UpdatedModelPackageFields"] == ["ModelApprovalStatus"]
    container = detail["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"].endswith("model.tar.gz")


def test_a_policy_and_its_trainings_tell_of_their_states_in_words_of_our_own(account: Account) -> None:
    policy = improvement.a_policy(account=account)
    with transaction.atomic():
        run = runs.begin(policy, improvement_creating.live_model(policy), images=7)
        runs.move(run, "Stopped", "stopped by its owner")
        improvement_creating.stop(policy=policy, by="user:1")
    told = Event.objects.filter(detail_type__startswith="Waggle").order_by("pk")
    arn = f"arn:aws:sagemaker:us-east-1:{account.number}:improvement-policy/{policy.name}"
    assert {row.resource for row in told} == {arn}
    of_run = told.filter(detail_type="Waggle Improvement Run State Change")
    assert [row.status for row in of_run] == ["InitiateTraining", "Stopped"]
    assert of_run[1].detail["Reason"] == "stopped by its owner" and of_run[1].detail["Images"] == 7
    of_policy = told.filter(detail_type="Waggle Improvement Policy State Change")
    assert [row.detail["PolicyStatus"] for row in of_policy] == ["Active", "Stopped"]
