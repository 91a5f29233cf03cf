"""The SQS queue into which a store, a topic or a bus puts reports of new images: how it is named, and may be read."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from learning.models import ImprovementPolicy
from marketplace import aws_messages
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.ranges import Range
from marketplace.services import event_destinations

MEMBERS = ("arn", "role_arn", "endpoint_url")
LENGTH = Range(0, 1024)
"""Characters of each member."""


def parse(account: Account, given: Mapping[str, Any]) -> dict[str, str]:
    """The queue of a policy, {} for none: `arn`, `role_arn` to read it with, `endpoint_url` of a server beside AWS.

    Without a role the installation's own credentials are used, where the operator allows that. The role has to expect
    the account's number as external id. Raises Invalid naming the member that is wrong.
    """
    if unknown := sorted(given.keys() - set(MEMBERS)):
        raise Invalid(f"{unknown[0][:100]!r} is not known; there are {', '.join(MEMBERS)}", field="queue")
    found = {name: str(given.get(name) or "").rstrip("/") for name in MEMBERS}
    for name, value in found.items():
        if len(value) not in LENGTH:
            raise Invalid(f"{LENGTH} characters expected", field=f"queue.{name}")
    if not any(found.values()):
        return {}
    try:
        aws_messages.parts("sqs", found["arn"])
    except Invalid as error:
        raise Invalid(error.message, field="queue.arn") from None
    if found["role_arn"] and aws_messages.ROLE_ARN.fullmatch(found["role_arn"]) is None:
        raise Invalid("arn:aws:iam::123456789012:role/a-name expected", field="queue.role_arn")
    if not found["role_arn"]:
        _must_use_own(account)
    if found["endpoint_url"] and found["endpoint_url"] not in settings.EVENTS_ENDPOINT_URLS:
        allowed = ", ".join(settings.EVENTS_ENDPOINT_URLS) or "none"
        raise Invalid(f"the operator allows these addresses besides AWS's own: {allowed}", field="queue.endpoint_url")
    return {name: value for name, value in found.items() if value}


def _must_use_own(account: Account) -> None:
    if not event_destinations.may_use_own(account):
        raise Invalid(
            "the operator does not let this account use the installation's own credentials: name a role",
            field="queue.role_arn",
        )


def target(policy: ImprovementPolicy, queue: Mapping[str, str]) -> aws_messages.Target:
    """The policy's queue, to be read. Raises Invalid when its account may no longer use the credentials."""
    credentials: aws_messages.Keys | aws_messages.Role
    if queue.get("role_arn"):
        credentials = aws_messages.Role(queue["role_arn"], policy.account.number)
    else:
        _must_use_own(policy.account)
        credentials = aws_messages.installation_keys()
    return aws_messages.Target("sqs", queue["arn"], credentials, queue.get("endpoint_url", ""))
