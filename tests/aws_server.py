"""SNS, SQS and EventBridge of a real server on this machine: moto in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from tests.object_stores import free_port, wait_for

KEY_ID, SECRET = "WAGGLETESTKEYIDX", "waggle-test-secret"
NUMBER = "123456789012"
"""The account whose queues and topics moto has."""

REGION = "us-east-1"


class AwsServer:
    """A server and clients of it."""

    def __init__(self, url: str):
        self.url = url

    @property
    def host(self) -> str:
        """host:port, as WAGGLE_FETCH_ALLOWED_HOSTS has it."""
        return urlsplit(self.url).netloc

    def client(self, service: str) -> Any:
        """A client of boto3."""
        return boto3.session.Session().client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
        )

    def queue(self, name: str) -> str:
        """A new queue, FIFO if its name says so; returns its ARN."""
        fifo = {"Attributes": {"FifoQueue": "true"}} if name.endswith(".fifo") else {}
        self.client("sqs").create_queue(QueueName=name, **fifo)
        return f"arn:aws:sqs:{REGION}:{NUMBER}:{name}"

    def topic(self, name: str, queue_arn: str) -> str:
        """A new topic to which a queue is subscribed; returns its ARN."""
        client = self.client("sns")
        fifo = {"Attributes": {"FifoTopic": "true"}} if name.endswith(".fifo") else {}
        arn = client.create_topic(Name=name, **fifo)["TopicArn"]
        client.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
        return str(arn)

    def bus(self, name: str, queue_arn: str, pattern: dict[str, Any]) -> str:
        """A new event bus with a rule for which a queue is the target; returns its ARN."""
        client = self.client("events")
        arn = client.create_event_bus(Name=name)["EventBusArn"]
        client.put_rule(Name="all", EventBusName=name, EventPattern=json.dumps(pattern))
        client.put_targets(Rule="all", EventBusName=name, Targets=[{"Id": "1", "Arn": queue_arn}])
        return str(arn)

    def received(self, queue_arn: str) -> list[dict[str, Any]]:
        """The messages of a queue in its order; they are taken from it."""
        client, found = self.client("sqs"), []
        url = f"{self.url}/{NUMBER}/{queue_arn.rpartition(':')[2]}"
        while True:
            answer = client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
            )
            if not (messages := answer.get("Messages", [])):
                return found
            for message in messages:
                found.append(message)
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture(scope="session")
def aws() -> Iterator[AwsServer]:
    """The server; it is stopped when the test session ends."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(process, port)
        yield AwsServer(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()
