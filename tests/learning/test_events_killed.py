"""The queue process is killed (SIGKILL) while it sends events: each arrives once by its id, in order of its subject."""

import json
import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from learning import transitions
from learning.models import Model
from marketplace.models import Account, Event, EventDelivery
from marketplace.services import event_destinations
from marketplace.services.event_sending import EVENTS
from tests.aws_server import KEY_ID, SECRET, AwsServer, aws
from tests.builders import an_account
from tests.labeling import test_killed_anywhere
from tests.webhook_receiver import receiving

__all__ = ["aws"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SUBJECTS, CHANGES = 4, 6
KILLED_BY_RECEIVER = (3, 9, 15)
"""The requests at which the receiver kills the process that sends them, before it answers."""

KILLED_AT_RANDOM = 4
SECONDS = 420


def change_everything(account: Account) -> None:
    """Models that are approved and rejected in turn."""
    models = [
        Model.objects.create(account=account, name=f"model-{number}", architecture="compact", labels=["bee"])
        for number in range(SUBJECTS)
    ]
    for turn in range(CHANGES):
        for model in models:
            with transaction.atomic():
                transitions.MODEL.advance(model, "Rejected" if turn % 2 else "Approved", by="test")


class Queue(test_killed_anywhere.Queue):
    """A queue process that may reach the servers of the test."""

    def __init__(self, log: Any, aws: AwsServer, hosts: Iterable[str]):
        self.allowed = {
            "WAGGLE_FETCH_ALLOWED_HOSTS": ",".join(hosts),
            "WAGGLE_EVENTS_ENDPOINT_URLS": aws.url,
        }
        super().__init__(log)

    def start(self) -> None:
        os.environ.update(self.allowed)
        try:
            super().start()
        finally:
            for name in self.allowed:
                del os.environ[name]

    def kill_and_wait_for_the_leases(self) -> None:
        """Kill; then let pass the time after which what was taken is due again."""
        self.end()
        self.kills += 1
        EventDelivery.objects.exclude(next_at=None).update(next_at=timezone.now())
        EVENTS.sweep()
        self.start()


def once_by_id(events: list[dict[str, Any]], ids: list[str]) -> dict[str, list[str]]:
    """The statuses of each resource in the order in which they came first."""
    seen, found = set(), defaultdict(list)
    for event, identifier in zip(events, ids, strict=True):
        if identifier not in seen:
            seen.add(identifier)
            found[event["resources"][0]].append(event["detail"]["ModelApprovalStatus"])
    assert len(seen) == SUBJECTS * CHANGES
    return dict(found)


def test_events_arrive_once_and_in_order_through_kills_of_the_queue(aws: AwsServer, tmp_path: Any) -> None:
    account, rng = an_account(funds="0"), random.Random(7)
    keys = {"credentials": "keys", "access_key_id": KEY_ID, "secret_access_key": SECRET, "endpoint_url": aws.url}
    name = f"bees-{time.monotonic_ns()}"
    queue_arn, of_topic, of_bus = aws.queue(f"{name}.fifo"), aws.queue(f"{name}-t.fifo"), aws.queue(f"{name}-b")
    pattern = {"source": ["waggle.sagemaker"]}
    targets = {
        "sqs": queue_arn,
        "sns": aws.topic(f"{name}.fifo", of_topic),
        "eventbridge": aws.bus(name, of_bus, pattern),
    }
    with receiving() as receiver, (tmp_path / "log").open("wb") as log:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("django.conf.settings.EVENTS_ENDPOINT_URLS", (aws.url,))
            for kind, target in targets.items():
                event_destinations.create(account=account, kind=kind, target=target, by="test", **keys)
        event_destinations.create(account=account, kind="webhook", target=receiver.url, by="test")
        change_everything(account)
        queue = Queue(log, aws, (aws.host, receiver.host))
        receiver.before_answer = lambda number: (
            os.killpg(queue.process.pid, signal.SIGKILL) if number in KILLED_BY_RECEIVER else None
        )
        until, next_kill = time.monotonic() + SECONDS, time.monotonic() + 10
        try:
            while EventDelivery.objects.exclude(next_at=None).exists():
                assert time.monotonic() < until, (tmp_path / "log").read_text()[-3000:]
                at_random = queue.kills < KILLED_AT_RANDOM and time.monotonic() > next_kill
                if queue.process.poll() is not None or at_random:
                    queue.kill_and_wait_for_the_leases()
                    next_kill = time.monotonic() + rng.uniform(6, 12)
                time.sleep(0.05)
        finally:
            queue.end()
    assert queue.kills >= len(KILLED_BY_RECEIVER)
    assert set(EventDelivery.objects.values_list("response_status", flat=True)) == {200}
    wanted = {
        row.resource: ["Rejected" if turn % 2 else "Approved" for turn in range(CHANGES)]
        for row in Event.objects.filter(sequence=1)
    }
    posted = [headers["webhook-id"] for _, headers in receiver.got]
    assert len(posted) >= SUBJECTS * CHANGES + len(KILLED_BY_RECEIVER), "what was sent before a kill is sent again"
    assert once_by_id(receiver.events, posted) == wanted
    direct = [json.loads(message["Body"]) for message in aws.received(queue_arn)]
    assert len(direct) == SUBJECTS * CHANGES, "a FIFO queue knows repeats by itself"
    assert once_by_id(direct, [event["id"] for event in direct]) == wanted
    topic = [json.loads(json.loads(message["Body"])["Message"]) for message in aws.received(of_topic)]
    assert once_by_id(topic, [event["id"] for event in topic]) == wanted
    bus = [json.loads(message["Body"]) for message in aws.received(of_bus)]
    assert once_by_id(bus, [event["resources"][1] for event in bus]) == wanted
