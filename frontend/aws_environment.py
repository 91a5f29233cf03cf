"""The environment variables with which AWS's clients speak to this installation. Knows no request."""

import shlex
from collections.abc import Iterator

from django.conf import settings

PATH = "/aws"
"""Where the AWS wire is."""

SERVICES = ("SAGEMAKER", "SAGEMAKER_RUNTIME", "SAGEMAKER_A2I_RUNTIME", "STS", "IAM", "CLOUDWATCH_LOGS")
"""The services that the wire answers for, as boto3 and the AWS CLI spell them in AWS_ENDPOINT_URL_<SERVICE>."""

KEY_ID, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"


def address() -> str:
    """The address of the wire: `endpoint_url`, or AWS_ENDPOINT_URL for all services at once."""
    return settings.PUBLIC_URL.rstrip("/") + PATH


def variables(*, key_id: str = "", secret: str = "") -> Iterator[tuple[str, str]]:
    """(name, value) of every variable; without a key the two of the key are left out."""
    if key_id:
        yield KEY_ID, key_id
        yield SECRET, secret
    yield "AWS_DEFAULT_REGION", settings.REGION
    for service in SERVICES:
        yield f"AWS_ENDPOINT_URL_{service}", address()
    if settings.S3_PUBLIC_ENDPOINT_URL:
        yield "AWS_ENDPOINT_URL_S3", settings.S3_PUBLIC_ENDPOINT_URL


def lines(*, key_id: str = "", secret: str = "") -> list[str]:
    """The variables as commands of a shell."""
    return [f"export {name}={shlex.quote(value)}" for name, value in variables(key_id=key_id, secret=secret)]
