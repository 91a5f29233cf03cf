"""Clients of the AWS wire: boto3 as it comes, over HTTP or straight into Django, signing with an access key."""

import io
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from django.test import Client

from marketplace.models import Account, User
from marketplace.services import access_keys

REGION = "us-east-1"
DIRECT = "http://testserver/aws"


class Aws:
    """A member of an account with an access key, and the clients that sign with it."""

    def __init__(self, url: str, user: User, account: Account, **client: Any):
        self.url, self.user, self.account = url, user, account
        self.key, self.secret = access_keys.create(user=user, account=account, name="test")
        self._session = boto3.Session(self.key.key_id, self.secret, region_name=REGION)
        self._settings = client

    def client(self, service: str, **settings: Any) -> Any:
        """A client of the service at this installation."""
        config = Config(retries={"max_attempts": 1}, **{**self._settings, **settings})
        made = self._session.client(service, endpoint_url=self.url, config=config)
        if self.url == DIRECT:
            made.meta.events.register("before-send", _into_django)
        return made

    @property
    def sagemaker(self) -> Any:
        """A client of SageMaker."""
        return self.client("sagemaker")

    @property
    def a2i(self) -> Any:
        """A client of Augmented AI's runtime."""
        return self.client("sagemaker-a2i-runtime")


def direct(user: User, account: Account, **settings: Any) -> Aws:
    """A client whose requests go straight into Django, in the transaction of the test."""
    return Aws(DIRECT, user, account, **settings)


def _into_django(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    """Botocore's request as a request of Django's test client, and its answer as botocore knows answers."""
    # botocore keeps what it has signed as bytes.
    headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    kind = headers.pop("Content-Type", "application/octet-stream")
    headers.pop("Content-Length", None)
    body = request.body or b""
    path = request.url.removeprefix("http://testserver")
    answered = Client(raise_request_exception=True).generic(
        request.method, path, body if isinstance(body, bytes) else body.encode(), content_type=kind, headers=headers
    )
    return AWSResponse(request.url, answered.status_code, dict(answered.items()), _Body(answered.content))


class _Body(io.BytesIO):
    """What urllib3's responses give besides `read`."""

    def stream(self, **_: Any) -> Any:
        yield self.read()


def refused(call: Any, *args: Any, **given: Any) -> dict[str, Any]:
    """The error with which a call is refused, as botocore has read it, with the HTTP status."""
    with pytest.raises(ClientError) as caught:
        call(*args, **given)
    response = caught.value.response
    return {**response["Error"], "status": response["ResponseMetadata"]["HTTPStatusCode"]}


def code_of(call: Any, *args: Any, **given: Any) -> str:
    """The code of that error."""
    return str(refused(call, *args, **given)["Code"])
