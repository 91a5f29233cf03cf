"""SageMaker's training jobs by boto3: what is asked for becomes a training of ours, and is shown again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from learning import builtin_algorithms, transitions
from learning.contract import BadInput, Metric
from learning.models import TrainingJob
from learning.services import artifacts, run_deletion
from learning.services.programs import kinds
from tests.frontend.aws.clients import Aws, code_of, refused
from tests.frontend.aws.training_requests import IMAGE, a_channel, a_training
from tests.learning.hosting_stories import a_model


def test_a_training_is_created_described_and_stopped(inside: Aws):
    request = a_training(inside)
    client = inside.sagemaker
    arn = client.create_training_job(**request)["TrainingJobArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{inside.account.number}:training-job/bees-1"
    run = TrainingJob.objects.get(name="bees-1")
    assert run.hyperparameters["base_network"] == "resnet-50"
    assert run.hyperparameters["max_seconds"] == "86400"
    assert run.hyperparameters["label_attribute_name"] == "bees"
    source = request["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    assert run.channels["train"]["manifest_uri"] == source["S3Uri"]
    assert run.channels["train"]["input_mode"] == "Pipe"

    told = client.describe_training_job(TrainingJobName="bees-1")
    for member in request.keys() - {"TrainingJobName", "Tags", "OutputDataConfig"}:
        assert told[member] == request[member], member
    # SageMaker's SDK reads the key wherever it attaches to a training.
    assert told["OutputDataConfig"] == request["OutputDataConfig"] | {"KmsKeyId": ""}
    assert (told["TrainingJobStatus"], told["SecondaryStatus"]) == ("InProgress", "Starting")
    output = request["OutputDataConfig"]["S3OutputPath"]
    assert told["ModelArtifacts"]["S3ModelArtifacts"] == f"{output}bees-1/output/model.tar.gz"
    assert client.list_tags(ResourceArn=arn)["Tags"] == request["Tags"]

    client.stop_training_job(TrainingJobName="bees-1")
    client.stop_training_job(TrainingJobName="bees-1")
    assert client.describe_training_job(TrainingJobName="bees-1")["TrainingJobStatus"] in ("Stopping", "Stopped")


def test_a_training_that_is_over_tells_times_steps_and_metrics(inside: Aws):
    client = inside.sagemaker
    client.create_training_job(**a_training(inside))
    run = TrainingJob.objects.get(name="bees-1")
    began = timezone.now()
    TrainingJob.objects.filter(pk=run.pk).update(started_at=began, ended_at=began + timedelta(seconds=90))
    points = [Metric(name, 0.25, 7, 3, began.isoformat()) for name in ("train:loss", "validation:mAP")]
    kinds.of(run).store_metrics(run.pk, points)
    transitions.TRAINING_JOB.advance(run, "Completed", by="learner")
    told = client.describe_training_job(TrainingJobName="bees-1")
    assert [step["Status"] for step in told["SecondaryStatusTransitions"]] == ["Starting", "Training", "Completed"]
    assert [step["StatusMessage"] for step in told["SecondaryStatusTransitions"]][2] == "Training job completed"
    assert [(one["MetricName"], one["Value"]) for one in told["FinalMetricDataList"]] == [
        ("validation:mAP", 0.25),
        ("train:loss", 0.25),
    ]
    assert (told["TrainingTimeInSeconds"], told["BillableTimeInSeconds"]) == (90, 90)
    assert told["TrainingEndTime"] - told["TrainingStartTime"] == timedelta(seconds=90)
    client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="bees-1")
    # A later training of the name is another one.
    run_deletion.delete_training(training_job=run, by="user:1")
    assert client.list_tags(ResourceArn=told["TrainingJobArn"])["Tags"] == []
    TrainingJob.objects.create(account=inside.account, name="bees-1")
    assert "InputDataConfig" not in client.describe_training_job(TrainingJobName="bees-1")


def test_a_training_goes_on_from_a_model_named_by_its_address(inside: Aws):
    client = inside.sagemaker
    earlier = a_model(inside.account, "first")
    TrainingJob.objects.create(account=inside.account, name="first-run", model=earlier, status="Completed")
    channel = {
        "ChannelName": "model",
        "ContentType": "application/x-sagemaker-model",
        "CompressionType": "None",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": earlier.artifact_uri}},
    }
    request = a_training(inside)
    request["InputDataConfig"].append(channel)
    client.create_training_job(**request)
    assert TrainingJob.objects.get(name="bees-1").channels["model"] == {"name": "first"}
    request["TrainingJobName"] = "bees-2"
    channel["DataSource"]["S3DataSource"]["S3Uri"] = "s3://bees/none/model.tar.gz"
    error = refused(client.create_training_job, **request)
    assert error["Code"] == "ResourceNotFound" and "InputDataConfig[1].DataSource.S3DataSource" in error["Message"]
    assert not TrainingJob.objects.filter(name="bees-2").exists()


def test_the_address_that_sagemaker_would_have_chosen_is_understood(inside: Aws):
    request = a_training(inside)
    inside.sagemaker.create_training_job(**request)
    model = a_model(inside.account, "made")
    TrainingJob.objects.filter(name="bees-1").update(model=model)
    output = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    uri = f"{output}/bees-1/output/model.tar.gz"
    assert artifacts.model_at(account=inside.account, uri=uri, field="x") == model
    with pytest.raises(Exception, match="not the address of a model"):
        artifacts.model_at(account=inside.account, uri=uri.replace("/out/", "/other/"), field="x")


def test_what_is_not_served_is_refused_by_name(inside: Aws):
    client = inside.sagemaker
    for changed, says in (
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "AlgorithmSpecification.TrainingImage"),
        (
            {"AlgorithmSpecification": {"TrainingImage": IMAGE.replace("object", "word"), "TrainingInputMode": "File"}},
            "is not the image of a built-in algorithm",
        ),
        ({"HyperParameters": {"learning_rat": "0.1"}}, "did you mean 'learning_rate'"),
        ({"InputDataConfig": [a_channel(inside), a_channel(inside)]}, "two channels 'train'"),
        ({"InputDataConfig": [a_channel(inside, "trane")]}, "'trane'"),
        ({"OutputDataConfig": {"S3OutputPath": "file:///etc/out"}}, "file:///etc/out"),
        ({"MlflowConfig": {"MlflowResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:mlflow-app/x"}}, "MLflow"),
    ):
        error = refused(client.create_training_job, **a_training(inside, **changed))
        assert error["Code"] in ("ValidationException", "AccessDeniedException"), error
        assert says in error["Message"], error
    assert TrainingJob.objects.count() == 0
    assert code_of(client.describe_training_job, TrainingJobName="none") == "ResourceNotFound"
    assert code_of(client.stop_training_job, TrainingJobName="none") == "ResourceNotFound"
    client.create_training_job(**a_training(inside))
    assert code_of(client.create_training_job, **a_training(inside)) == "ResourceInUse"


def test_lists_are_paged_filtered_and_ordered(inside: Aws):
    for number, status in enumerate(("Completed", "Failed", "Completed")):
        TrainingJob.objects.create(account=inside.account, name=f"run-{number}", status=status)
    client = inside.sagemaker
    pages = client.get_paginator("list_training_jobs").paginate(
        SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    names = [[one["TrainingJobName"] for one in page["TrainingJobSummaries"]] for page in pages]
    assert names == [["run-2", "run-1"], ["run-0"]]
    failed = client.list_training_jobs(StatusEquals="Failed", NameContains="RUN")["TrainingJobSummaries"]
    assert [one["TrainingJobName"] for one in failed] == ["run-1"]
    assert client.list_training_jobs(LastModifiedTimeAfter=datetime.now(UTC))["TrainingJobSummaries"] == []


def test_hyperparameters_of_the_other_algorithms_become_ours():
    classes = builtin_algorithms.of_image(IMAGE.replace("object-detection:latest", "image-classification:1"))
    given = {
        "num_layers": "18", "image_shape": "3,224,224", "num_classes": "2", "mini_batch_size": "8", "multi_label": "1",
        "use_pretrained_model": "0", "augmentation_type": "crop_color",
    }  # fmt: skip
    assert classes.hyperparameters(given) == {
        "architecture": "resnet18", "image_size": "224", "num_classes": "2", "mini_batch_size": "8",
        "multi_label": "true", "weights": "none", "augmentation": "standard",
    }  # fmt: skip
    with pytest.raises(BadInput, match="augmentation_type"):
        classes.hyperparameters({"augmentation_type": "none"})
    masks = builtin_algorithms.of_image("1" * 12 + ".dkr.ecr.cn-north-1.amazonaws.com.cn/semantic-segmentation")
    given = {"backbone": "resnet-50", "algorithm": "fcn", "use_pretrained_model": "False", "crop_size": "240"}
    assert masks.hyperparameters(given) == {
        "architecture": "lraspp_mobilenet_v3_large", "weights": "none", "image_size": "240",
    }  # fmt: skip
    boxes = builtin_algorithms.of_image(IMAGE)
    assert boxes.hyperparameters({"epochs": "3"}) == {"epochs": "3", "preset": "builtin"}
    assert boxes.hyperparameters({"architecture": "compact"}) == {"architecture": "compact"}
