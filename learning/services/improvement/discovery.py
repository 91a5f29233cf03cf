"""Finds the images that were dropped for detection: by reports of the store, and by listing it part after part.

An image is noted once for each version that the store has of it, whoever finds it first.
"""

from collections.abc import Iterable
from datetime import timedelta

import orjson
from django.db import transaction
from django.utils import timezone

from learning.models import Detection, ImprovementPolicy
from learning.services.improvement import queue_reports
from learning.services.improvement.creating import ADVANCE, FOLDER
from marketplace import aws_messages, storage, store_events
from marketplace.errors import DomainError, Invalid, NotFound, StoreUnavailable
from marketplace.queue import enqueue
from marketplace.services import boundaries
from marketplace.storage_files import StoredVersion, Versions

LISTED_AT_ONCE = 1000
"""Objects of one part of the listing."""

LIST_AGAIN = timedelta(seconds=55)
"""After the end of a listing the next one begins with the next sweep."""

POLL, EVENT = "poll", "event"


def folder_of(policy: ImprovementPolicy) -> str:
    """Where the policy's images are dropped, with a slash at its end."""
    return storage.join(policy.location, FOLDER) + "/"


def poll(policy: ImprovementPolicy) -> bool:
    """Note the next part of the listing; whether there is more of it. Raises what the store raises."""
    again = policy.listed_at is None or policy.listed_at + LIST_AGAIN <= timezone.now()
    if not policy.listing_after and not again:
        return False
    try:
        part = storage.versions(folder_of(policy), after=policy.listing_after, most=LISTED_AT_ONCE)
    except NotFound:
        # A folder of the machine's own store is there with its first file.
        part = Versions([], "")
    with transaction.atomic():
        _note(policy, part.objects, POLL)
        listed_at = policy.listed_at if part.after else timezone.now()
        ImprovementPolicy.objects.filter(pk=policy.pk).update(listing_after=part.after, listed_at=listed_at)
    return bool(part.after)


def _note(policy: ImprovementPolicy, found: Iterable[StoredVersion], by: str) -> int:
    """Note those that are not known yet; returns how many there are."""
    objects = list(found)
    rows = policy.detections.filter(uri__in=[one.uri for one in objects])
    known = set(rows.values_list("uri", "version"))
    new = [one for one in objects if (one.uri, one.version) not in known]
    # Whoever notes the same at the same time is no error.
    Detection.objects.bulk_create(
        [Detection(policy=policy, uri=one.uri, version=one.version, found_by=by) for one in new], ignore_conflicts=True
    )
    return len(new)


def report(*, policy: ImprovementPolicy, body: bytes) -> int:
    """Note the images of a store's report (store_events.py); returns how many are new.

    What lies elsewhere than in the policy's folder, or is not there, is passed over: a report is believed only as far
    as the store confirms it. Raises Invalid for what is no report, StoreUnavailable.
    """
    if address := _confirmation(body):
        ImprovementPolicy.objects.filter(pk=policy.pk).update(confirm_address=address[:1024])
        return 0
    found = []
    for uri in store_events.addresses(body):
        if not uri.startswith(folder_of(policy)) or policy.status != "Active":
            continue
        try:
            boundaries.require_readable(account=policy.account, uri=uri)
            found.append(storage.version(uri))
        except StoreUnavailable:
            raise
        except DomainError:
            continue
    with transaction.atomic():
        ImprovementPolicy.objects.filter(pk=policy.pk).exclude(confirm_address="").update(confirm_address="")
        many = _note(policy, found, EVENT)
        if many:
            enqueue(ADVANCE, policy.pk)
    return many


def read_queue(policy: ImprovementPolicy) -> bool:
    """Note what the next messages of the policy's SQS queue report; whether there may be more of them.

    They are believed no further than those that come to the policy's address. A message is deleted after what it
    reports is noted, so that a crash loses none; one that is read twice finds nothing new. A message that is no report
    stays in the queue, for its dead-letter queue; when the others are noted, Invalid says so. Raises what
    aws_messages.receive raises, StoreUnavailable.
    """
    queue = policy.settings.get("queue")
    if not queue:
        return False
    target, strange = queue_reports.target(policy, queue), ""
    messages = aws_messages.receive(target)
    for message in messages:
        try:
            report(policy=policy, body=message.body.encode())
        except Invalid as error:
            strange = error.message
            continue
        aws_messages.discard(target, message.receipt)
    if strange:
        raise Invalid(f"a message of the queue {queue['arn']} is no report of new images, and stays there: {strange}")
    return len(messages) == aws_messages.RECEIVED_AT_ONCE


def _confirmation(body: bytes) -> str:
    """The address that confirms a subscription of Amazon SNS, "" in any other report."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    asks = isinstance(read, dict) and read.get("Type") == "SubscriptionConfirmation"
    return str(read.get("SubscribeURL", "")) if asks else ""
