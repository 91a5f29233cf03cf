"""What topics send: whether SNS sent it, and what it says. Whatever it says of an object waits until the job takes it.

A message that was delivered before, or is about an object that was, is dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from labeling import transitions
from labeling.formats import stream_lines
from labeling.models import JobTopics, StreamMessage
from labeling.services.queue import advance_requests
from labeling.services.streams import topics as job_topics
from marketplace import queue, sns_messages, store_events, strict
from marketplace.errors import Forbidden, Invalid, LimitExceeded, WrongState
from marketplace.sns_messages import SnsMessage


@dataclass(frozen=True)
class _Object:
    """An object that a message is about: its line as it was sent, and what is kept to know it again."""

    line: str
    digest: str


def receive(*, token: str, body: bytes) -> str:
    """Take a message that was posted to the address of a job; says what was done with it.

    Raises NotFound for an unknown address, Invalid for what SNS does not send, Forbidden for what it did not sign or
    for another topic, WrongState for a job that is over, LimitExceeded while too much waits, FetchFailed when the
    certificate of its signature cannot be had.
    """
    found = job_topics.by_token(token)
    message = sns_messages.read(body)
    if message.topic_arn != found.input_topic:
        raise Forbidden(f"the topic {message.topic_arn[:200]!r} is not that of the labeling job")
    sns_messages.verify(message, endpoint_url=found.endpoint_url)
    if message.type == sns_messages.CONFIRMATION:
        return _to_confirm(found, message)
    if message.type == sns_messages.UNSUBSCRIBED:
        job_topics.note_problem(found, "the subscription to the topic was ended; subscribe the address again")
        return "noted"
    if found.job.status in transitions.LABELING_JOB.final:
        raise WrongState(f"the labeling job is {found.job.status}: it takes no objects any more")
    return f"{_keep(found, message)} new"


def _to_confirm(found: JobTopics, message: SnsMessage) -> str:
    if not sns_messages.is_address_of_sns(message.subscribe_url, endpoint_url=found.endpoint_url):
        raise Forbidden("the SubscribeURL is no address of SNS")
    with transaction.atomic():
        JobTopics.objects.filter(pk=found.pk).update(confirm_url=message.subscribe_url)
        queue.enqueue(job_topics.ADVANCE, found.pk)
    return "the subscription will be confirmed"


def _keep(found: JobTopics, message: SnsMessage) -> int:
    """Store the objects of a message; how many are new."""
    waiting = StreamMessage.objects.filter(job=found.pk, taken=False)
    if waiting[settings.STREAM_WAITING - 1 : settings.STREAM_WAITING].exists():
        raise LimitExceeded(f"{settings.STREAM_WAITING:,} messages of the labeling job wait already; send it later")
    rows = [
        StreamMessage(
            job_id=found.pk,
            digest=one.digest,
            message_id=message.message_id[:100],
            line=one.line,
        )
        for one in _objects(message)
    ]
    with transaction.atomic():
        known = StreamMessage.objects.filter(job=found.pk, digest__in=[row.digest for row in rows])
        known_digests = set(known.values_list("digest", flat=True))
        new = {row.digest: row for row in rows if row.digest not in known_digests}
        # The same message may be delivered twice at the same time.
        StreamMessage.objects.bulk_create(new.values(), ignore_conflicts=True)
        now = timezone.now()
        JobTopics.objects.filter(pk=found.pk).update(last_message_at=now, problem="")
        # A server that stands in for Amazon's may ask for no confirmation.
        JobTopics.objects.filter(pk=found.pk, confirmed_at=None).update(confirmed_at=now)
        if new:
            advance_requests.request_advance(found.job.queue_id)
    return len(new)


def _objects(message: SnsMessage) -> list[_Object]:
    """The objects that a message is about. What is no line of a manifest is kept as it is, and refused by the job."""
    of_message = stream_lines.digest_of_message(message.message_id)
    text = message.text.replace("\0", "\N{REPLACEMENT CHARACTER}").strip()
    try:
        read = strict.read_json(text)
    except (strict.NotJson, Invalid):
        return [_Object(_one_line(text), of_message)]
    if store_events.is_report(read):
        return [
            _Object(_as_line(one), stream_lines.digest_of_event(one.uri, one.sequencer or message.message_id))
            for one in store_events.created(read)
        ]
    try:
        named = stream_lines.identity(read) if isinstance(read, Mapping) else None
    except ValueError:
        named = None
    return [_Object(_one_line(text, read), of_message if named is None else stream_lines.digest_of_id(named))]


def _as_line(one: store_events.Created) -> str:
    members = {"source-ref": one.uri} | ({stream_lines.SEQUENCER: one.sequencer} if one.sequencer else {})
    return orjson.dumps(members).decode()


def _one_line(text: str, read: Any = None) -> str:
    """The text as it came, but on one line, as it has to be in a manifest."""
    if "\n" not in text and "\r" not in text:
        return text
    return orjson.dumps(read).decode() if read is not None else " ".join(text.split())
