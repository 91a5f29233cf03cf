"""The one importer of Stripe's library: its client, whose requests leave by the one outbound door, and its errors."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import stripe
from django.conf import settings
from urllib3 import HTTPHeaderDict

from marketplace import fetch
from marketplace.errors import DomainError, Invalid, Unavailable

Options = stripe.RequestOptions
"""Of a request: its idempotency key, and the connected account for which it is made."""

log = logging.getLogger(__name__)

BY = "stripe"
"""Who books what Stripe reports, in the ledger and the audit trail."""

SECONDS = 30
"""How long Stripe may take to answer."""

TOLERANCE = 300
"""Seconds after which an event that was signed is not accepted any more, so that nobody can repeat an old one."""

NO_BALANCE = frozenset({"balance_insufficient", "insufficient_funds"})
"""Codes of refusals that end by themselves, when there is money in the account at Stripe."""


class Refused(Unavailable):
    """Stripe has not done what was asked, and says why; `waits` when that is only a matter of its balance."""

    def __init__(self, message: str, *, waits: bool):
        super().__init__(message)
        self.waits = waits


class Door(stripe.HTTPClient):
    """Sends the library's requests through marketplace.fetch, and only to the address in the settings."""

    name = "waggle"

    # The library's own signature has a further argument, which it never passes.
    def request(  # type: ignore[override]
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[str, int, Mapping[str, str]]:
        """(body, status, headers) of one request. Raises stripe.APIConnectionError when there is no answer."""
        if not url.startswith(f"{settings.STRIPE_API_BASE}/"):
            raise stripe.APIConnectionError(f"{url} does not begin with {settings.STRIPE_API_BASE}")
        body = post_data.encode() if isinstance(post_data, str) else post_data
        try:
            answer = fetch.fetch(
                url, method=method.upper(), body=body, headers=dict(headers or {}), seconds=SECONDS, max_redirects=0
            )
        except DomainError as error:
            raise stripe.APIConnectionError(error.message) from error
        return answer.body.decode(errors="replace"), answer.status, HTTPHeaderDict(answer.headers)

    def close(self) -> None:
        """Nothing stays open between requests."""


def client() -> stripe.StripeClient:
    """The library's client. Whoever calls it does so inside `errors()`, and outside of transactions."""
    # Nothing is tried again here: each request has a key, and who made it tries again later.
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_BASE},
        http_client=Door(),
        max_network_retries=0,
    )


@contextmanager
def errors() -> Iterator[None]:
    """Turn the library's errors into ours.

    Raises Refused when Stripe says that it did not do it, Unavailable when it may have done it or not.
    """
    try:
        yield
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        log.warning("Stripe refuses: %s (%s)", error, error.code)
        raise Refused(f"Stripe: {error.user_message or 'refused'}"[:300], waits=error.code in NO_BALANCE) from error
    except stripe.StripeError as error:
        # Its text can hold a part of the key.
        log.exception("Stripe did not answer as expected")
        raise Unavailable(f"Stripe cannot be asked now ({type(error).__name__}); try again later") from error


def verify(content: bytes, signature: str) -> None:
    """Raises Invalid unless one of the signing secrets has signed the content within the last TOLERANCE seconds."""
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(content, signature, secret, TOLERANCE)
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
            log.info("an event is not signed with one of the secrets: %s", error)
        else:
            return
    raise Invalid("the signature of this event is missing, wrong or too old", field="Stripe-Signature")
