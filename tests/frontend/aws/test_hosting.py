"""SageMaker's hosting by boto3: models, endpoint configurations, endpoints and their invocation."""

import json

import pytest

from learning.models import Endpoint, EndpointReplica, Variant
from learning.services import registry
from learning.services.hosting import deploying
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace.services import boundaries
from tests import builders
from tests.frontend.aws.clients import Aws, code_of, refused
from tests.frontend.aws.training_requests import IMAGE
from tests.learning.hosting_stories import a_model, answer_all, follow, status_is
from tests.learning.serving.test_serve import picture


def a_named_model(aws: Aws, name: str = "bees-model", artifact: str | None = None):
    """A model of AWS's, made of one of the registry."""
    uri = artifact or a_model(aws.account, f"trained-{name}").artifact_uri
    return aws.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri, "Environment": {"A": "b"}},
        ExecutionRoleArn=f"arn:aws:iam::{aws.account.number}:role/hosting",
        Tags=[{"Key": "hive", "Value": "north"}],
    )["ModelArn"]


def a_variant(model: str = "bees-model", name: str = "AllTraffic", **more):
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m4.xlarge",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
        **more,
    }


def in_service(name: str) -> None:
    """Its instances answer, and it has noticed."""
    endpoint = Endpoint.objects.get(name=name)
    answer_all(endpoint)
    deploying.advance(endpoint_id=endpoint.pk)


def test_a_model_is_a_name_for_what_a_training_left(inside: Aws):
    client = inside.sagemaker
    arn = a_named_model(inside)
    assert arn == f"arn:aws:sagemaker:us-east-1:{inside.account.number}:model/bees-model"
    told = client.describe_model(ModelName="bees-model")
    assert told["ModelArn"] == arn and told["PrimaryContainer"]["Environment"] == {"A": "b"}
    assert told["ExecutionRoleArn"].endswith("role/hosting")
    # The model of a training, a loop or an import is found by its own name.
    found = client.describe_model(ModelName="trained-bees-model")["PrimaryContainer"]
    assert found["ModelDataUrl"] == told["PrimaryContainer"]["ModelDataUrl"]
    assert "already existing model" in refused(a_named_model, inside, artifact=found["ModelDataUrl"])["Message"]
    error = refused(a_named_model, inside, "other", "s3://bees/none/model.tar.gz")
    assert error["Code"] == "ValidationException" and "PrimaryContainer.ModelDataUrl" in error["Message"]
    a_named_model(inside, "trained-bees-model", found["ModelDataUrl"])
    assert [one["ModelName"] for one in client.list_models(SortBy="Name")["Models"]] == [
        "trained-bees-model",
        "bees-model",
    ]
    assert [one["ModelName"] for one in client.list_models(NameContains="ED-BEES")["Models"]] == ["trained-bees-model"]
    assert registry.by_arn(account=inside.account, model_arn=arn).name == "trained-bees-model"
    client.delete_model(ModelName="bees-model")
    assert client.list_tags(ResourceArn=arn)["Tags"] == []
    error = refused(client.describe_model, ModelName="bees-model")
    assert (error["Code"], error["Message"]) == (
        "ValidationException",
        "model: Could not find model 'bees-model'.",
    ) or ("ModelName: Could not find model" in error["Message"])
    client.delete_model(ModelName="trained-bees-model")
    # What a training has made is not lost by a program that cleans up.
    assert "delete it in the portal" in refused(client.delete_model, ModelName="trained-bees-model")["Message"]


def test_containers_that_are_not_run_are_refused(inside: Aws):
    client = inside.sagemaker
    uri = a_model(inside.account).artifact_uri
    masks = IMAGE.replace("object-detection", "semantic-segmentation")
    for given, says in (
        ({}, "either PrimaryContainer or Containers"),
        ({"Containers": [{"ModelDataUrl": uri}, {"ModelDataUrl": uri}]}, "no pipelines"),
        ({"PrimaryContainer": {"Image": IMAGE}}, "PrimaryContainer.ModelDataUrl"),
        ({"PrimaryContainer": {"Image": "busybox", "ModelDataUrl": uri}}, "PrimaryContainer.Image"),
        ({"PrimaryContainer": {"Image": masks, "ModelDataUrl": uri}}, "the model is a detector"),
        ({"Containers": [{"Mode": "MultiModel", "ModelDataUrl": uri}]}, "Containers[0].Mode"),
    ):
        error = refused(client.create_model, ModelName="bees", **given)
        assert error["Code"] == "ValidationException" and says in error["Message"], error


def test_configurations_are_kept_shown_and_deleted(inside: Aws):
    client = inside.sagemaker
    a_named_model(inside)
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 20,
        "DestinationS3Uri": f"{boundaries.base_of(inside.account)}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    variants = [a_variant()]
    made = client.create_endpoint_config(
        EndpointConfigName="hives", ProductionVariants=variants, DataCaptureConfig=capture
    )
    told = client.describe_endpoint_config(EndpointConfigName="hives")
    assert told["EndpointConfigArn"] == made["EndpointConfigArn"]
    assert (told["ProductionVariants"], told["DataCaptureConfig"]) == (variants, capture)
    error = refused(client.create_endpoint_config, EndpointConfigName="hives", ProductionVariants=variants)
    assert error["Code"] == "ValidationException" and "EndpointConfigName" in error["Message"]
    for broken, says in (
        (a_variant("none"), "Could not find model 'none'"),
        (a_variant(InitialInstanceCount=65), "ProductionVariants[0].InitialInstanceCount"),
        (a_variant(InitialVariantWeight=0.0), "ProductionVariants"),
    ):
        error = refused(client.create_endpoint_config, EndpointConfigName="other", ProductionVariants=[broken])
        assert error["Code"] == "ValidationException" and says in error["Message"], error
    assert [one["EndpointConfigName"] for one in client.list_endpoint_configs()["EndpointConfigs"]] == ["hives"]
    client.delete_endpoint_config(EndpointConfigName="hives")
    assert code_of(client.describe_endpoint_config, EndpointConfigName="hives") == "ValidationException"


def test_an_endpoint_from_its_creation_to_its_end(inside: Aws):
    client = inside.sagemaker
    a_named_model(inside)
    for name in ("first", "second"):
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[a_variant()])
    arn = client.create_endpoint(EndpointName="Bees", EndpointConfigName="first")["EndpointArn"]
    assert client.describe_endpoint(EndpointName="Bees")["EndpointStatus"] == "Creating"
    assert "EndpointName" in refused(client.create_endpoint, EndpointName="Bees", EndpointConfigName="first")["Message"]
    in_service("Bees")
    client.get_waiter("endpoint_in_service").wait(EndpointName="Bees")
    told = client.describe_endpoint(EndpointName="Bees")
    assert (told["EndpointArn"], told["EndpointConfigName"]) == (arn, "first")
    assert told["ProductionVariants"] == [
        {
            "VariantName": "AllTraffic",
            "CurrentWeight": 1.0,
            "DesiredWeight": 1.0,
            "CurrentInstanceCount": 1,
            "DesiredInstanceCount": 1,
        }
    ]
    wanted = [{"VariantName": "AllTraffic", "DesiredWeight": 2.0, "DesiredInstanceCount": 1}]
    client.update_endpoint_weights_and_capacities(EndpointName="Bees", DesiredWeightsAndCapacities=wanted)
    assert Variant.objects.get().weight == 2.0
    in_service("Bees")
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 30,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 20},
    }
    deployment = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    client.update_endpoint(EndpointName="Bees", EndpointConfigName="second", DeploymentConfig=deployment)
    told = client.describe_endpoint(EndpointName="Bees")
    assert told["EndpointStatus"] == "Updating"
    assert told["PendingDeploymentSummary"]["EndpointConfigName"] == "second"
    assert told["LastDeploymentConfig"] == deployment
    strategy = Endpoint.objects.get().deployments.get(config__name="second").strategy
    assert (strategy["type"], strategy["step_percent"], strategy["bake_seconds"]) == ("Canary", 20, 30)
    error = refused(client.update_endpoint, EndpointName="Bees", EndpointConfigName="first")
    assert error["Code"] == "ValidationException" and "Updating" in error["Message"]
    assert [one["EndpointStatus"] for one in client.list_endpoints(StatusEquals="Updating")["Endpoints"]] == [
        "Updating"
    ]
    # SageMaker's SDK deletes the configuration of an endpoint before the endpoint.
    client.delete_endpoint_config(EndpointConfigName="second")
    assert code_of(client.describe_endpoint_config, EndpointConfigName="second") == "ValidationException"
    told = client.describe_endpoint(EndpointName="Bees")
    assert told["PendingDeploymentSummary"]["EndpointConfigName"] == "second"
    client.delete_endpoint(EndpointName="Bees")
    assert client.describe_endpoint(EndpointName="Bees")["EndpointStatus"] == "Deleting"
    Endpoint.objects.all().delete()
    client.get_waiter("endpoint_deleted").wait(EndpointName="Bees")
    assert code_of(client.delete_endpoint, EndpointName="Bees") == "ValidationException"


@pytest.fixture
def served(inside: Aws) -> Aws:
    """With an endpoint whose only instance does not exist."""
    a_named_model(inside)
    client = inside.sagemaker
    client.create_endpoint_config(EndpointConfigName="hives", ProductionVariants=[a_variant()])
    client.create_endpoint(EndpointName="bees", EndpointConfigName="hives")
    in_service("bees")
    return inside


def test_an_instance_that_does_not_answer_is_a_fault_of_the_service_or_of_the_model(served: Aws):
    runtime = served.client("sagemaker-runtime")
    asked = {"EndpointName": "bees", "Body": builders.image_bytes(), "ContentType": "image/png"}
    error = refused(runtime.invoke_endpoint, **asked)
    assert (error["Code"], error["status"]) == ("ServiceUnavailable", 503)
    EndpointReplica.objects.update(url="http://127.0.0.1:1")
    error = refused(runtime.invoke_endpoint, **asked)
    assert (error["Code"], error["status"]) == ("ModelError", 424)
    assert "Received server error (500) from primary" in error["Message"]


@pytest.mark.django_db(transaction=True)
def test_an_instance_answers_over_http(aws: Aws, tmp_path):
    a_model(aws.account)
    aws.sagemaker.create_endpoint_config(EndpointConfigName="hives", ProductionVariants=[a_variant("quadrants")])
    aws.sagemaker.create_endpoint(EndpointName="bees", EndpointConfigName="hives")
    learner = Supervisor(executor=LocalExecutor(threads=1), slots=1, root=tmp_path / "programs")
    try:
        endpoint = Endpoint.objects.get()
        follow(endpoint, learner, status_is(endpoint, "InService"))
        runtime = aws.client("sagemaker-runtime")
        told = runtime.invoke_endpoint(EndpointName="bees", Body=picture(), ContentType="image/png", Accept="*/*")
        assert (told["ContentType"], told["InvokedProductionVariant"]) == ("application/json", "AllTraffic")
        rows = json.loads(told["Body"].read())["prediction"]
        assert {row[0] for row in rows[:2]} == {3.0, 7.0}
        for body, kind, status in ((b"no picture", "image/png", 400), (b"{}", "text/csv", 415)):
            with pytest.raises(runtime.exceptions.ModelError) as caught:
                runtime.invoke_endpoint(EndpointName="bees", Body=body, ContentType=kind)
            response = caught.value.response
            assert (response["OriginalStatusCode"], response["ResponseMetadata"]["HTTPStatusCode"]) == (status, 424)
            assert f"Received client error ({status})" in response["Error"]["Message"]
        error = refused(runtime.invoke_endpoint, EndpointName="bees", Body=picture(), TargetVariant="other")
        assert error["Code"] == "ValidationError" and "TargetVariant" in error["Message"]
    finally:
        learner.shut_down()


def test_an_invocation_that_cannot_be_is_refused(served: Aws):
    runtime = served.client("sagemaker-runtime")
    error = refused(runtime.invoke_endpoint, EndpointName="wasps", Body=b"x")
    expected = f"Endpoint wasps of account {served.account.number} not found."
    assert (error["Code"], error["status"], error["Message"]) == ("ValidationError", 400, expected)
    for given in ({"Accept": "text/csv"}, {"Accept": "application/json;annotation=1"}, {"TargetModel": "a.tar.gz"}):
        error = refused(runtime.invoke_endpoint, EndpointName="bees", Body=b"x", **given)
        assert error["Code"] == "ValidationError" and next(iter(given)) in error["Message"]
