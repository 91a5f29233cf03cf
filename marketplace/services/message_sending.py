"""Sending messages to programs: attempts, and what follows when nobody answers. Run by the message queue.

An attempt is a short transaction that takes the message, a request without any lock, and a short transaction that
writes what came of it. A process that dies in between leaves a message that is due again after the lease. Knows
nothing of what is sent: services that send have a subclass of Sending.
"""

import logging
from abc import abstractmethod
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from standardwebhooks import Webhook

from marketplace import fetch, queue, sealing
from marketplace.errors import DomainError
from marketplace.models import EndpointStatus, MessageEndpoint
from marketplace.services import rates
from marketplace.services.message_log import D, E, MessageLog

log = logging.getLogger(__name__)

SECONDS = 10
"""How long a receiver may take to answer."""

FAILING_PAUSE = 300
"""Seconds between attempts to an endpoint that fails, whatever number of messages waits for it: each holds a process of
the queue until the receiver answers."""

PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Between the attempts, as Standard Webhooks recommends; then the message is given up."""

ANSWER_BYTES = 256 * 1024
"""The most that is read of an answer."""

EXCERPT = 500
"""Characters that are kept of an answer."""

SWEPT_AT_ONCE = 500
GONE = 410


class Outcome(NamedTuple):
    """What came of an attempt: the status of the answer, None for none, and its beginning or the reason."""

    status: int | None
    text: str

    @property
    def delivered(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.status is not None and 200 <= self.status < 300


class Sending(Generic[E, D]):
    """How messages of one kind are sent. `lease`: after it one whose attempt left no trace is due again."""

    lease = timedelta(minutes=5)

    def __init__(self, messages: MessageLog[E, D]):
        self.messages = messages

    @abstractmethod
    def attempt(self, message: D) -> Outcome:
        """Send a message once. Raises DomainError with the reason when there is no answer."""

    @abstractmethod
    def tell_owners(self, endpoint: E, because: str) -> None:
        """The endpoint was disabled: tell those to whom it belongs, in the transaction that disables it."""

    def sendable(self, rows: "QuerySet[D]") -> "QuerySet[D]":
        """Those of these messages that may be sent now; all of them, unless messages wait for each other."""
        return rows

    def ended(self, message: D) -> None:
        """A message was delivered or given up; called after the transaction that says so."""

    def deliver(self, message_id: int) -> None:
        """Attempt to send a message that is due; does nothing for another. Safe to run twice."""
        taken = self.take(message_id)
        if taken is None:
            return
        try:
            outcome = self.attempt(taken)
        except DomainError as error:
            outcome = Outcome(None, error.message)
        if self._conclude(taken, outcome):
            self.ended(taken)

    def sweep(self) -> None:
        """Queue what is due, because its pause is over or its attempt was lost. Run every minute."""
        due = self.messages.messages._default_manager.filter(next_at__lte=timezone.now())
        for message_id in self.sendable(due).order_by("next_at").values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
            queue.enqueue(self.messages.function, message_id)

    def take(self, message_id: int) -> D | None:
        """The message, taken for one attempt; None when it is not due or another process has it."""
        now = timezone.now()
        with transaction.atomic():
            rows: Any = self.messages.messages._default_manager.select_for_update(
                no_key=True, of=("self",), skip_locked=True
            )
            due = self.sendable(rows.filter(pk=message_id, next_at__lte=now))
            row: Any = due.select_related("endpoint__account").first()
            if row is None:
                return None
            if row.endpoint.status != EndpointStatus.ACTIVE:
                row.next_at = None
                row.save(update_fields=["next_at"])
                return None
            left = self._must_wait(row)
            if left > 0:
                row.next_at = now + timedelta(seconds=left)
                row.save(update_fields=["next_at"])
                return None
            row.next_at, row.attempted_at = now + self.lease, now
            row.attempts, row.tries = row.attempts + 1, row.tries + 1
            row.save(update_fields=["next_at", "attempted_at", "attempts", "tries"])
        found: D = row
        return found

    def _must_wait(self, row: Any) -> float:
        """Seconds for which nothing is sent to an endpoint that fails; what is sent again by hand need not wait."""
        if row.endpoint.failing_since is None or (row.attempts > 0 and row.tries == 0):
            return 0
        name = f"failing {self.messages.noun} {row.endpoint_id}"
        granted, left = rates.take(name, most=1, seconds=FAILING_PAUSE)
        return 0 if granted else max(left, 1)

    def _conclude(self, row: Any, outcome: Outcome) -> bool:
        """Write what came of an attempt; returns whether it was the last one."""
        now = timezone.now()
        endpoints, messages = self.messages.endpoints._default_manager, self.messages.messages._default_manager
        with transaction.atomic():
            endpoint: Any = endpoints.select_for_update(no_key=True).filter(pk=row.endpoint_id).first()
            if endpoint is None:
                return False
            again = not outcome.delivered and row.tries <= len(PAUSES) and endpoint.status == EndpointStatus.ACTIVE
            # Only if nobody has taken it meanwhile, as after an attempt that outlived its lease.
            written = messages.filter(pk=row.pk, attempts=row.attempts).update(
                delivered_at=now if outcome.delivered else None,
                next_at=now + PAUSES[row.tries - 1] if again else None,
                response_status=outcome.status,
                response=outcome.text[:EXCERPT],
            )
            if outcome.delivered:
                endpoints.filter(pk=endpoint.pk).exclude(failing_since=None).update(failing_since=None)
            else:
                self._failed(row, endpoint, outcome, now)
        return bool(written) and not again

    def _failed(self, row: Any, endpoint: Any, outcome: Outcome, now: datetime) -> None:
        noun = self.messages.noun
        log.info("%s %d: attempt %d of %s failed: %s", noun, endpoint.pk, row.attempts, row.message_id, outcome.text)
        if endpoint.failing_since is None:
            self.messages.endpoints._default_manager.filter(pk=endpoint.pk).update(failing_since=row.attempted_at)
            endpoint.failing_since = row.attempted_at
        self._give_up_on(endpoint, outcome, now)

    def _give_up_on(self, endpoint: Any, outcome: Outcome, now: datetime) -> None:
        """Disable an endpoint that has failed for days, or says that it is gone."""
        days = settings.WEBHOOK_FAILING_DAYS
        if outcome.status == GONE:
            reason = "it answered that it is gone"
        elif endpoint.failing_since <= now - timedelta(days=days):
            reason = f"nothing could be delivered for {days} days"
        else:
            return
        if self.messages.disable(endpoint, by="system", because=reason):
            self.tell_owners(endpoint, reason)


def post(*, endpoint: MessageEndpoint, url: str, message_id: str, body: str, at: datetime) -> Outcome:
    """Post a signed message. Raises DomainError when there is no answer, WrongState for a secret of another key."""
    answer = fetch.fetch(
        url,
        method="POST",
        body=body.encode(),
        headers=_headers(endpoint, message_id, body, at),
        max_bytes=ANSWER_BYTES,
        seconds=SECONDS,
    )
    return Outcome(answer.status, answer.body[: 4 * EXCERPT].decode(errors="replace").replace("\0", "\ufffd"))


def _headers(endpoint: MessageEndpoint, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """The headers of a message: its id, the time, a signature for each secret that is valid."""
    valid = [endpoint.secret]
    if endpoint.earlier_secret and endpoint.earlier_until is not None and endpoint.earlier_until > now:
        valid.append(endpoint.earlier_secret)
    signatures = [Webhook(sealing.unseal(secret)).sign(message_id, now, body) for secret in valid]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
