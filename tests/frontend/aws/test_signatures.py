"""Signature Version 4: what is signed with a live key is answered, whatever else is refused as AWS refuses it."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from django.test import Client

from frontend.aws import signatures
from marketplace.models import AccessKey, Role
from marketplace.services import access_keys, accounts
from tests import builders
from tests.frontend.aws.clients import DIRECT, REGION, Aws, direct

BODY = b"{}"
TARGET = "SageMaker.ListTags"
STS = "Action=GetCallerIdentity&Version=2011-06-15"


def signed(aws: Aws, *, body: bytes = BODY, service: str = "sagemaker", query: str = "", **headers: str) -> AWSRequest:
    """A request signed by botocore's signer."""
    given = {"X-Amz-Target": TARGET, "Content-Type": "application/x-amz-json-1.1", **headers}
    request = AWSRequest("POST", f"{DIRECT}/{query}", headers=given, data=body)
    SigV4Auth(Credentials(aws.key.key_id, aws.secret), service, REGION).add_auth(request)
    return request


def sent(request: AWSRequest, *, body: bytes | None = None, **changed: str) -> tuple[int, str, str]:
    """(status, code, message) of the answer; `changed` headers are put in place of those that were signed."""
    headers = {**dict(request.headers), **changed}
    kind = headers.pop("Content-Type")
    url = urlsplit(request.url)
    path = f"{url.path}?{url.query}" if url.query else url.path
    answer = Client().generic(request.method, path, request.data if body is None else body, kind, headers=headers)
    told = json.loads(answer.content)
    return answer.status_code, told.get("__type", ""), told.get("message", "")


def test_a_tampered_body_or_header_is_refused(inside: Aws):
    assert sent(signed(inside))[1] == "ValidationException"  # ListTags needs an ARN: the signature was right.
    for tampered in (
        sent(signed(inside), body=b'{"ResourceArn": "x"}'),
        sent(signed(inside), **{"X-Amz-Target": "SageMaker.ListLabelingJobs"}),
        sent(signed(inside), **{"X-Amz-Date": datetime.now(UTC).strftime("%Y%m%dT000000Z")}),
        sent(signed(inside), **{"X-Amz-Extra": "1"}),
    ):
        assert tampered[:2] == (403, "InvalidSignatureException")


def test_another_secret_an_unknown_key_and_a_revoked_one_are_refused(inside: Aws):
    secret, inside.secret = inside.secret, "x" * 40
    status, code, message = sent(signed(inside))
    assert (status, code) == (403, "InvalidSignatureException")
    assert "does not match the signature you provided" in message
    inside.secret = secret
    access_keys.revoke(key=inside.key, by="test")
    assert sent(signed(inside))[:2] == (403, "UnrecognizedClientException")
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        inside.client("sts").get_caller_identity()


def test_a_key_dies_with_the_membership(inside: Aws):
    member = builders.a_user()
    accounts.add_member(account=inside.account, user=member, role=Role.MEMBER)
    theirs = direct(member, inside.account)
    assert theirs.client("sts").get_caller_identity()["Account"] == inside.account.number
    accounts.remove_member(account=inside.account, user=member, acting=inside.user)
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        theirs.client("sts").get_caller_identity()


def test_a_body_may_be_left_out_of_the_signature_only_if_the_request_says_so(inside: Aws):
    unsigned = signed(inside, **{"X-Amz-Content-SHA256": signatures.UNSIGNED})
    assert sent(unsigned, body=b'{"MaxResults": 50}')[1] == "ValidationException"
    assert sent(signed(inside, **{"X-Amz-Content-SHA256": "0" * 64}))[1] == "InvalidSignatureException"


def test_clocks_may_differ_by_a_quarter_of_an_hour(inside: Aws, monkeypatch):
    for minutes, code, says in (
        (14, "ValidationException", "resourceArn"),
        (-14, "ValidationException", "resourceArn"),
        (16, "InvalidSignatureException", "Signature not yet current"),
        (-16, "InvalidSignatureException", "Signature expired"),
    ):
        moment = datetime.now(UTC) + timedelta(minutes=minutes)
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda moment=moment: moment)
        found = sent(signed(inside))
        assert found[1] == code and says in found[2]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "MissingAuthenticationTokenException"),
        ("Bearer wgl_x", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=A", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=A/B, SignedHeaders=host, Signature=x", "IncompleteSignatureException"),
    ],
)
def test_an_incomplete_signature_is_named(inside: Aws, header: str | None, code: str):
    headers = {"X-Amz-Target": TARGET} | ({"Authorization": header} if header else {})
    answer = Client().post("/aws/", BODY, content_type="application/x-amz-json-1.1", headers=headers)
    assert (answer.status_code, json.loads(answer.content)["__type"]) == (403, code)
    assert answer["x-amzn-ErrorType"] == code and answer["x-amzn-RequestId"]


def presigned(aws: Aws, expires: int) -> str:
    request = AWSRequest("GET", f"{DIRECT}/?{STS}")
    SigV4QueryAuth(Credentials(aws.key.key_id, aws.secret), "sts", REGION, expires=expires).add_auth(request)
    return request.url.removeprefix("http://testserver")


def test_a_presigned_address_is_good_until_it_expires(inside: Aws, monkeypatch):
    address = presigned(inside, 60)
    answer = Client().get(address)
    assert answer.status_code == 200 and inside.account.number in answer.content.decode()
    assert b"SignatureDoesNotMatch" in Client().get(address.replace("GetCallerIdentity", "GetSessionToken")).content
    earlier = datetime.now(UTC) - timedelta(minutes=2)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: earlier)
    assert b"RequestExpired" in Client().get(presigned(inside, 60)).content


def test_a_session_token_that_was_left_in_the_environment_is_named(inside: Aws):
    found = sent(signed(inside, **{"X-Amz-Security-Token": "left over"}))
    assert found[1] == "UnrecognizedClientException" and "AWS_SESSION_TOKEN" in found[2]


def test_the_last_use_is_written_once_a_minute_at_most(inside: Aws):
    sent(signed(inside))
    first = AccessKey.objects.get(pk=inside.key.pk).last_used_at
    assert first is not None
    sent(signed(inside))
    assert AccessKey.objects.get(pk=inside.key.pk).last_used_at == first


def test_the_database_holds_no_secret(inside: Aws):
    stored = AccessKey.objects.get(pk=inside.key.pk)
    assert inside.secret not in str(vars(stored))
    assert access_keys.holder(inside.key.key_id).secret == inside.secret


def test_a_viewer_may_not_change_anything(inside: Aws):
    viewer = builders.a_user()
    accounts.add_member(account=inside.account, user=viewer, role=Role.VIEWER)
    theirs = direct(viewer, inside.account)
    with pytest.raises(ClientError) as refused:
        theirs.sagemaker.add_tags(ResourceArn="arn:aws:sagemaker:us-east-1:1:x", Tags=[{"Key": "a", "Value": "b"}])
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "sagemaker:AddTags" in refused.value.response["Error"]["Message"]
