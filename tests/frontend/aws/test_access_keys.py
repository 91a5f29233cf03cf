"""Access keys by page and REST, the environment variables that make boto3 use them, and the limits of a caller."""

import io
import json
import shlex

import boto3
import pytest
from botocore.config import Config
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from frontend import aws_environment, rates
from marketplace import local_s3
from marketplace.errors import LimitExceeded
from marketplace.models import AccessKey, AuditEvent, Role
from marketplace.services import access_keys, accounts
from tests import builders
from tests.frontend.aws.clients import Aws, code_of, refused

PAGE = reverse("requester:access-keys")


@pytest.fixture
def owner(inside: Aws) -> Client:
    client = Client()
    client.force_login(inside.user)
    return client


def test_a_key_is_made_shown_once_and_revoked_on_its_page(inside: Aws, owner: Client):
    made = owner.post(reverse("requester:access-key-create"), {"name": "notebook"})
    key = AccessKey.objects.get(name="notebook")
    secret = access_keys.holder(key.key_id).secret
    assert secret in made.content.decode() and made["Cache-Control"] == "no-store"
    shown = owner.get(PAGE).content.decode()
    assert key.key_id in shown and secret not in shown
    assert f"export AWS_ENDPOINT_URL_SAGEMAKER={aws_environment.address()}" in shown
    # The page that follows names it once more, as revoked.
    owner.post(reverse("requester:access-key-revoke", args=[key.pk]), follow=True)
    assert access_keys.holder(key.key_id) is None and key.key_id not in owner.get(PAGE).content.decode()
    assert AuditEvent.objects.filter(object_type="marketplace.AccessKey", object_id=key.pk).count() == 2


def test_what_a_service_refuses_stands_on_the_page(inside: Aws, owner: Client, monkeypatch):
    monkeypatch.setattr(access_keys, "MOST", 1)
    answer = owner.post(reverse("requester:access-key-create"), {"name": "second"})
    assert answer.status_code == 422 and "at most 1 access keys" in answer.content.decode()
    with pytest.raises(LimitExceeded):
        access_keys.create(user=inside.user, account=inside.account, name="third")
    assert AccessKey.objects.count() == 1


def test_keys_over_rest(inside: Aws, owner: Client):
    made = owner.post("/api/v1/access-keys", {"name": "ci"}, content_type="application/json").json()
    assert access_keys.holder(made["access_key_id"]).secret == made["secret_access_key"]
    listed = owner.get("/api/v1/access-keys").json()["results"]
    assert [one["name"] for one in listed] == ["ci", "test"] and "secret_access_key" not in listed[0]
    other = Client()
    other.force_login(builders.a_requester()[0])
    assert other.delete(f"/api/v1/access-keys/{made['id']}").status_code == 404
    assert owner.delete(f"/api/v1/access-keys/{made['id']}").status_code == 204
    assert access_keys.holder(made["access_key_id"]) is None


@pytest.mark.django_db(transaction=True)
def test_the_printed_variables_are_all_that_boto3_needs(live_server, settings, monkeypatch):
    settings.PUBLIC_URL = live_server.url
    user, account = builders.a_requester()
    printed = io.StringIO()
    call_command("aws_env", new_key=user.email, stdout=printed)
    for line in printed.getvalue().splitlines():
        if line.startswith("export "):
            name, _, value = shlex.split(line)[1].partition("=")
            monkeypatch.setenv(name, value)
    assert boto3.client("sts").get_caller_identity()["Account"] == account.number
    assert boto3.client("iam").get_role(RoleName="r")["Role"]["RoleName"] == "r"
    assert boto3.client("sagemaker").list_labeling_jobs()["LabelingJobSummaryList"] == []
    nowhere = f"arn:aws:sagemaker:us-east-1:{account.number}:flow-definition/none"
    a2i = boto3.client("sagemaker-a2i-runtime")
    assert code_of(a2i.list_human_loops, FlowDefinitionArn=nowhere) == "ResourceNotFoundException"
    assert code_of(boto3.client("logs").describe_destinations) == "UnknownOperationException"
    runtime = boto3.client("sagemaker-runtime", config=Config(retries={"max_attempts": 1}))
    assert code_of(runtime.invoke_endpoint_async, EndpointName="e", InputLocation="s3://b/k") == (
        "UnknownOperationException"
    )


def test_without_a_key_the_variables_of_the_host_are_printed(db, settings):
    settings.S3_PUBLIC_ENDPOINT_URL = "https://s3.example.org"
    printed = io.StringIO()
    call_command("aws_env", stdout=printed)
    assert "export AWS_ENDPOINT_URL_S3=https://s3.example.org" in printed.getvalue()
    assert "AWS_SECRET_ACCESS_KEY" not in printed.getvalue()
    with pytest.raises(CommandError, match="sign-in"):
        call_command("aws_env", new_key="nobody@example.org", stdout=printed)


def test_a_key_of_the_operators_command_opens_the_local_s3_server_until_it_is_revoked(db, settings, tmp_path):
    settings.LOCAL_S3, settings.VAR_DIR = True, tmp_path
    user, account = builders.a_requester()
    printed = io.StringIO()
    call_command("aws_env", new_key=user.email, stdout=printed)
    key = AccessKey.objects.get(user=user)
    assert local_s3.secret_of(tmp_path, key.key_id) == access_keys.holder(key.key_id).secret
    of_the_portal, _ = access_keys.create(user=user, account=account, name="portal")
    assert local_s3.secret_of(tmp_path, of_the_portal.key_id) is None
    access_keys.revoke(key=key, by="user:1")
    assert local_s3.secret_of(tmp_path, key.key_id) is None


def test_calls_count_against_the_rate_of_their_caller(inside: Aws, settings, monkeypatch):
    monkeypatch.setattr(rates, "CALLS", rates.Allowances())
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": {"user": "2/min"}}
    codes = [code_of(inside.sagemaker.describe_workteam, WorkteamName="none") for _ in range(3)]
    assert codes == ["ValidationException", "ValidationException", "ThrottlingException"]
    assert refused(inside.a2i.describe_human_loop, HumanLoopName="l")["status"] == 429


def test_large_bodies_are_taken_from_holders_of_keys_only(inside: Aws):
    body = json.dumps({"HumanTaskUiName": "large", "UiTemplate": {"Content": "x" * 127_000}})
    headers = {"X-Amz-Target": "SageMaker.CreateHumanTaskUi"}
    client = Client(raise_request_exception=False)
    answer = client.post("/aws/", body, content_type="application/x-amz-json-1.1", headers=headers)
    assert answer.status_code == 413
    assert json.loads(answer.content)["__type"] == "RequestEntityTooLargeException"
    made = inside.sagemaker.create_human_task_ui(
        HumanTaskUiName="large", UiTemplate={"Content": "<crowd-form>" + "x" * 127_000 + "</crowd-form>"}
    )
    assert made["HumanTaskUiArn"].endswith("/large")


def test_a_fault_of_ours_is_an_error_that_clients_understand(inside: Aws, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("a fault")

    client = Client(raise_request_exception=False)
    headers = {"X-Amz-Target": "SageMaker.ListTags"}
    monkeypatch.setattr("frontend.aws.views.signatures.read", fail)
    answer = client.post("/aws/", "{}", content_type="application/json", headers=headers)
    assert answer.status_code == 500 and json.loads(answer.content)["__type"] == "InternalFailure"


def test_a_viewer_makes_no_key_in_the_portal(inside: Aws):
    viewer = builders.a_user()
    accounts.add_member(account=inside.account, user=viewer, role=Role.VIEWER)
    client = Client()
    client.force_login(viewer)
    assert client.get(PAGE).status_code == 200
    assert client.post(reverse("requester:access-key-create"), {"name": "x"}).status_code == 403
    assert not access_keys.keys(viewer, inside.account).exists()
