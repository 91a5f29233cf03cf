"""Who is calling: STS and IAM as far as SDKs need them, and with nothing but boto3's own environment variables."""

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.frontend.aws.clients import REGION, Aws

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_caller_is_told_who_they_are(aws: Aws):
    told = aws.client("sts").get_caller_identity()
    assert told["Account"] == aws.account.number
    assert told["Arn"] == f"arn:aws:iam::{aws.account.number}:user/{aws.user.email}"


def test_the_execution_role_of_an_account_has_an_arn(aws: Aws):
    role = aws.client("iam").get_role(RoleName="SageMakerRole")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{aws.account.number}:role/SageMakerRole"
    assert role["CreateDate"].date() == aws.account.created_at.date()


def test_an_execution_role_may_do_what_sagemaker_does_with_it(aws: Aws):
    iam = aws.client("iam")
    role = iam.get_role(RoleName="SageMakerRole")["Role"]["Arn"]
    asked = {"PolicySourceArn": role, "ActionNames": ["sagemaker:CreateTrainingJob", "s3:ListBucket"]}
    pages = list(iam.get_paginator("simulate_principal_policy").paginate(**asked))
    assert [(one["EvalActionName"], one["EvalDecision"]) for one in pages[0]["EvaluationResults"]] == [
        ("sagemaker:CreateTrainingJob", "allowed"),
        ("s3:ListBucket", "allowed"),
    ]
    foreign = asked | {"PolicySourceArn": role.replace(aws.account.number, "111122223333")}
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.simulate_principal_policy(**foreign)


def test_one_environment_variable_is_enough(aws: Aws, monkeypatch):
    """The host tells the services apart by what requests are signed for."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", aws.key.key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", aws.secret)
    session = boto3.Session(region_name=REGION)
    assert session.client("sts").get_caller_identity()["Account"] == aws.account.number
    assert session.client("iam").get_role(RoleName="r")["Role"]["RoleName"] == "r"
    for service, call in (("sagemaker", "list_artifacts"), ("logs", "describe_destinations")):
        with pytest.raises(ClientError, match="UnknownOperationException"):
            getattr(session.client(service), call)()
    with pytest.raises(ClientError, match="AWS_ENDPOINT_URL_S3"):
        session.client("s3").list_buckets()
