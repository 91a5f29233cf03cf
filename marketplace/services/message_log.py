"""Messages to programs: their endpoints are disabled and enabled, their secrets changed, messages sent again.

The same for every kind of endpoint; what is sent, and why, is their services' to know. The convention is Standard
Webhooks: a `whsec_` secret, an id that repeats keep. Sending is in message_sending.py.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace import queue, sealing
from marketplace.errors import NotFound, WrongState
from marketplace.models import EndpointStatus, MessageDelivery, MessageEndpoint
from marketplace.ranges import Range
from marketplace.services import audit
from marketplace.states import Machine

E = TypeVar("E", bound=MessageEndpoint)
D = TypeVar("D", bound=MessageDelivery)

URL_LENGTH = Range(1, 500)
"""Characters of an endpoint's address."""

DESCRIPTION_LENGTH = Range(0, 80)
"""Characters of what an endpoint is for."""

SECRET_BYTES = 24
ROTATION = timedelta(hours=24)
"""How long messages are signed with the earlier secret too, so that the receiver has time to change it."""

DELETED_AT_ONCE = 5000


@dataclass(frozen=True)
class MessageLog(Generic[E, D]):
    """One kind of endpoints and the messages to them. `noun` names one; `function` delivers a message by its key."""

    noun: str
    endpoints: type[E]
    messages: type[D]
    machine: Machine
    function: str

    def disable(self, endpoint: E, *, by: str, because: str = "") -> bool:
        """Send nothing to the endpoint any more; what waits for it is given up. Safe to repeat; returns if it moved."""
        with transaction.atomic():
            moved = self.machine.advance(endpoint, EndpointStatus.DISABLED, by=by, because=because)
            self._to(endpoint).exclude(next_at=None).update(next_at=None)
        return moved

    def enable(self, endpoint: E, *, by: str) -> None:
        """Send to the endpoint again, from now on. Safe to repeat."""
        with transaction.atomic():
            self.machine.advance(endpoint, EndpointStatus.ACTIVE, by=by, failing_since=None)

    def must_be_active(self, endpoint: MessageEndpoint) -> None:
        """Raises WrongState for a disabled endpoint."""
        if endpoint.status != EndpointStatus.ACTIVE:
            raise WrongState(f"the {self.noun} is disabled; enable it first", field="status")

    def new_secret(self, endpoint: E, *, by: str) -> str:
        """Change the secret and return it; messages are signed with the earlier one too for ROTATION."""
        secret = make_secret()
        with transaction.atomic():
            row = self.endpoints._default_manager.select_for_update(no_key=True).get(pk=endpoint.pk)
            row.earlier_secret, row.earlier_until = row.secret, timezone.now() + ROTATION
            row.secret = sealing.seal(secret)
            row.save(update_fields=["secret", "earlier_secret", "earlier_until"])
            audit.record(row, by=by, because="secret changed")
        return secret

    def redeliver(self, message: D) -> None:
        """Send a message once more, under the same id, with the whole row of retries. Safe to repeat.

        Raises WrongState for a disabled endpoint.
        """
        self.must_be_active(message.endpoint)  # type: ignore[attr-defined]
        with transaction.atomic():
            row = self.messages._default_manager.select_for_update(no_key=True).get(pk=message.pk)
            if row.next_at is None:
                row.next_at, row.delivered_at, row.tries = timezone.now(), None, 0
                row.save(update_fields=["next_at", "delivered_at", "tries"])
                queue.enqueue(self.function, row.pk)

    def log(self, endpoint: E) -> "QuerySet[D]":
        """The delivery log of an endpoint, newest first."""
        return self._to(endpoint).select_related("endpoint").order_by("-pk")

    def message(self, endpoint: E, message_id: int) -> D:
        """A message to the endpoint. Raises NotFound."""
        found = self.log(endpoint).filter(pk=message_id).first()
        if found is None:
            raise NotFound(f"the {self.noun} has no delivery {message_id}")
        return found

    def forget_old(self) -> None:
        """Delete messages that are older than WAGGLE_DELIVERIES_KEPT_DAYS; run by the sweep."""
        messages = self.messages._default_manager
        old = messages.filter(created_at__lt=timezone.now() - timedelta(days=settings.DELIVERIES_KEPT_DAYS))
        oldest = old.order_by("created_at").values_list("pk", flat=True)[:DELETED_AT_ONCE]
        messages.filter(pk__in=list(oldest)).delete()

    def _to(self, endpoint: E) -> "QuerySet[D]":
        return self.messages._default_manager.filter(endpoint=endpoint)


def make_secret() -> str:
    """A new secret, as Standard Webhooks writes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def address_refusal(url: str) -> str:
    """Why nothing can be posted to an address, "" when it can. Where it leads is checked when something is."""
    if len(url) not in URL_LENGTH:
        return f"an address has {URL_LENGTH} characters"
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or "@" in url.split("?")[0] or any(ord(character) <= 32 or ord(character) == 127 for character in url):
        return "https://host/... without spaces or credentials expected"
    return ""
