"""Lets SageMaker's Python SDK obey the environment: import this before `sagemaker`, nothing else changes.

boto3 takes the addresses of services from AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> unless a program names one.
The SDK names one: it asks https://sts.<region>.amazonaws.com who is calling, in `default_bucket`, `account_id` and
`get_execution_role`. With this the address in the environment comes first.
"""

import os
from typing import Any

import boto3


class Session(boto3.Session):
    """boto3's session, whose clients and resources ask the addresses that the environment names."""

    def client(self, service_name: str, *args: Any, **given: Any) -> Any:
        """A client of a service."""
        variable = f"AWS_ENDPOINT_URL_{service_name.upper().replace('-', '_')}"
        named = os.environ.get(variable) or os.environ.get("AWS_ENDPOINT_URL")
        return super().client(service_name, *args, **(given | {"endpoint_url": named} if named else given))


# The SDK takes boto3's default session where a program gives it none.
boto3.DEFAULT_SESSION = Session()
