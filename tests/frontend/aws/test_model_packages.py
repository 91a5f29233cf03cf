"""SageMaker's model registry by boto3: groups, their versions, approval."""

from learning.contract import JobFolder
from learning.models import Model, ModelGroup, TrainingJob, Variant
from learning.services import named_models
from learning.services.programs import kinds
from tests.frontend.aws.clients import Aws, code_of, refused
from tests.frontend.aws.training_requests import IMAGE, a_training
from tests.learning.hosting_stories import a_model
from tests.learning.serving import quadrants


def a_package(aws: Aws, model: Model, **more):
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": model.artifact_uri}],
        "SupportedContentTypes": ["image/jpeg"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    return aws.sagemaker.create_model_package(
        ModelPackageGroupName="hives",
        ModelPackageDescription="bees and wasps",
        InferenceSpecification=specification,
        **more,
    )["ModelPackageArn"], specification


def test_versions_of_a_group_are_registered_approved_and_deleted(inside: Aws):
    client = inside.sagemaker
    made = client.create_model_package_group(
        ModelPackageGroupName="hives", ModelPackageGroupDescription="of the north", Tags=[{"Key": "a", "Value": "b"}]
    )
    group = client.describe_model_package_group(ModelPackageGroupName=made["ModelPackageGroupArn"])
    assert (group["ModelPackageGroupStatus"], group["ModelPackageGroupDescription"]) == ("Completed", "of the north")
    assert code_of(client.create_model_package_group, ModelPackageGroupName="hives") == "ValidationException"

    model = a_model(inside.account)
    arn, specification = a_package(inside, model, ModelApprovalStatus="PendingManualApproval")
    assert arn.endswith(":model-package/hives/1")
    told = client.describe_model_package(ModelPackageName=arn)
    assert (told["ModelPackageVersion"], told["ModelApprovalStatus"]) == (1, "PendingManualApproval")
    assert told["InferenceSpecification"] == specification
    client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    told = client.describe_model_package(ModelPackageName=arn)
    assert (told["ModelApprovalStatus"], told["ApprovalDescription"]) == ("Approved", "good")
    second, _ = a_package(inside, a_model(inside.account, "second"))
    listed = client.list_model_packages(ModelPackageGroupName="hives", SortOrder="Descending")
    assert [one["ModelPackageArn"] for one in listed["ModelPackageSummaryList"]] == [second, arn]
    approved = client.list_model_packages(ModelApprovalStatus="Approved")["ModelPackageSummaryList"]
    assert [one["ModelPackageVersion"] for one in approved] == [1]
    groups = client.list_model_package_groups(NameContains="HIVE")["ModelPackageGroupSummaryList"]
    assert [one["ModelPackageGroupName"] for one in groups] == ["hives"]

    assert code_of(client.delete_model_package_group, ModelPackageGroupName="hives") == "ConflictException"
    for one in (arn, second):
        client.delete_model_package(ModelPackageName=one)
    assert code_of(client.describe_model_package, ModelPackageName=arn) == "ValidationException"
    client.delete_model_package_group(ModelPackageGroupName="hives")
    assert not ModelGroup.objects.filter(name="hives").exists()


def test_packages_that_cannot_be_are_refused(inside: Aws):
    client = inside.sagemaker
    model = a_model(inside.account)
    assert "hives does not exist" in refused(a_package, inside, model)["Message"]
    client.create_model_package_group(ModelPackageGroupName="hives")
    model.artifact_uri = "s3://none/model.tar.gz"
    error = refused(a_package, inside, model)
    assert "InferenceSpecification.Containers[0].ModelDataUrl" in error["Message"]
    assert "ModelPackageGroupName" in refused(client.create_model_package)["Message"]
    for name in ("hives/7", "arn:aws:sagemaker:us-east-1:123456789012:model-package/hives/1"):
        assert code_of(client.describe_model_package, ModelPackageName=name) == "ValidationException"


def test_an_approved_version_is_hosted_by_its_arn(inside: Aws):
    client = inside.sagemaker
    client.create_model_package_group(ModelPackageGroupName="hives")
    model, other = a_model(inside.account), a_model(inside.account, "second")
    arn, _ = a_package(inside, model)
    package = {"ModelPackageName": arn}
    error = refused(client.create_model, ModelName="served", PrimaryContainer=package)
    assert error["Code"] == "ValidationException" and "is PendingManualApproval" in error["Message"]
    client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    elsewhere = {**package, "ModelDataUrl": other.artifact_uri}
    assert "another model" in refused(client.create_model, ModelName="served", PrimaryContainer=elsewhere)["Message"]
    gone = {"ModelPackageName": f"{arn}7"}
    assert "does not exist" in refused(client.create_model, ModelName="served", PrimaryContainer=gone)["Message"]
    client.create_model(ModelName="served", Containers=[{**package, "Environment": {"A": "b"}}])
    told = client.describe_model(ModelName="served")
    assert told["Containers"] == [{**package, "Environment": {"A": "b"}}]
    assert named_models.model_of(inside.account, "served") == model
    variant = {"VariantName": "all", "ModelName": "served", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    client.create_endpoint_config(EndpointConfigName="hives", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="hives", EndpointConfigName="hives")
    assert Variant.objects.get().model == model


def test_a_version_is_found_by_the_source_of_its_data(inside: Aws):
    client = inside.sagemaker
    client.create_model_package_group(ModelPackageGroupName="hives")
    model = a_model(inside.account)
    source = {"S3Uri": model.artifact_uri, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    containers = [{"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}]
    specification = {"Containers": containers, "SupportedContentTypes": ["image/jpeg"]}
    arn = client.create_model_package(ModelPackageGroupName="hives", InferenceSpecification=specification)
    told = client.describe_model_package(ModelPackageName=arn["ModelPackageArn"])
    assert told["InferenceSpecification"] == specification


def test_a_training_makes_the_next_version_of_a_group(inside: Aws, tmp_path):
    client = inside.sagemaker
    group = client.create_model_package_group(ModelPackageGroupName="hives")["ModelPackageGroupArn"]
    source, _ = a_package(inside, a_model(inside.account))
    config = {"ModelPackageGroupArn": group, "SourceModelPackageArn": source}
    request = a_training(inside, ModelPackageConfig=config)
    client.create_training_job(**request)
    run = TrainingJob.objects.select_related("account").get(name="bees-1")
    assert run.channels["model"] == {"name": "quadrants"}
    told = client.describe_training_job(TrainingJobName="bees-1")
    assert told["ModelPackageConfig"] == config and "OutputModelPackageArn" not in told

    folder = JobFolder(tmp_path)
    folder.model.mkdir(parents=True)
    quadrants.write_model(folder.model)
    TrainingJob.objects.filter(pk=run.pk).update(**kinds.of(run).keep_result(run, folder)())
    arn = client.describe_training_job(TrainingJobName="bees-1")["OutputModelPackageArn"]
    assert arn == source.replace("/1", "/2")
    assert client.describe_model_package(ModelPackageName=arn)["ModelPackageName"] == "bees-1"

    input_of_model = {
        "ChannelName": "model",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": Model.objects.first().artifact_uri}},
    }
    for changed, says in (
        ({"InputDataConfig": [*request["InputDataConfig"], input_of_model]}, "there is a channel 'model' as well"),
        ({"ModelPackageConfig": config | {"ModelPackageGroupArn": f"{group}-2"}}, "hives-2 does not exist"),
        ({"ModelPackageConfig": config | {"SourceModelPackageArn": source.replace("/1", "/9")}}, "does not exist"),
    ):
        assert (
            says in refused(client.create_training_job, **request | {"TrainingJobName": "other"} | changed)["Message"]
        )
    assert not TrainingJob.objects.filter(name="other").exists()
