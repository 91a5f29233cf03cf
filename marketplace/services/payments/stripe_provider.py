"""Stripe as a provider: Checkout for deposits, Connect for payouts, and its events, each of which is booked once.

Only registry.py imports this file, and only where Stripe is set up.
"""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from marketplace.errors import BookedAlready, DomainError, Invalid
from marketplace.models import Account, PaymentWay, StripeEvent, Worker
from marketplace.services.bank_files import Line
from marketplace.services.payments import stripe_api, stripe_deposits, stripe_payees, stripe_payouts
from marketplace.services.payments.provider import Message, Provider

log = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any], str], str]
"""Books what an event says of an object, which belongs to the named account at Stripe; returns a problem, or ""."""

OWN: dict[str, Handler] = {
    "checkout.session.completed": lambda found, _: stripe_deposits.paid(found),
    "checkout.session.async_payment_succeeded": lambda found, _: stripe_deposits.paid(found),
    "charge.refunded": lambda found, _: stripe_deposits.refunded(found),
    "charge.dispute.created": lambda found, _: stripe_deposits.disputed(found),
    "charge.dispute.funds_withdrawn": lambda found, _: stripe_deposits.disputed(found),
    "charge.dispute.funds_reinstated": lambda found, _: stripe_deposits.reinstated(found),
    "transfer.reversed": lambda found, _: stripe_payouts.reversed_at_stripe(found),
}
"""Events of the operator's own account."""

OF_CONNECTED: dict[str, Handler] = {
    "account.updated": lambda found, _: stripe_payees.updated(found),
    "payout.paid": stripe_payouts.bank_paid,
    "payout.failed": stripe_payouts.bank_failed,
    "payout.canceled": stripe_payouts.bank_failed,
}
"""Events of the accounts of workers. The same words of the own account, and the others of theirs, say nothing to us."""


PAGES = ("https://checkout.stripe.com", "https://connect.stripe.com")
"""Where people pay, and where workers set up their account."""

PROBLEMS_SHOWN = 50

PROBLEMS_KEPT = timedelta(days=30)
"""How long operators are shown an event that could not be booked."""


class Stripe(Provider):
    """Payments by Stripe."""

    way = PaymentWay.STRIPE

    def start_deposit(self, *, account: Account, amount_micros: int, by: str, back: str) -> str:
        """A page of Stripe's Checkout."""
        return stripe_deposits.start(account=account, amount_micros=amount_micros, by=by, back=back)

    def send_payouts(self, *, by: str) -> str:
        """Transfers, which the queue makes at once."""
        count = stripe_payouts.send(by=by)
        return f"{count} payout{'' if count == 1 else 's'}" if count else ""

    def receive(self, message: Message, *, by: str) -> list[Line]:
        """Book one event. Raises Invalid for a bad signature, and Unavailable for what Stripe has to report again."""
        stripe_api.verify(message.content, message.label)
        event = json.loads(message.content)
        try:
            kind, event_id, found = str(event["type"]), str(event["id"]), event["data"]["object"]
            about = str(found.get("payment_intent") or found["id"])
        except (KeyError, TypeError, AttributeError) as error:
            raise Invalid(f"this is not an event: {error!r}") from None
        account_id = str(event.get("account") or "")
        handler = (OF_CONNECTED if account_id else OWN).get(kind)
        if handler is None or _is_inquiry(kind, found):
            return [Line(1, True, f"{kind} is nothing to book")]
        return [_booked_once(event_id, kind, about, lambda: handler(found, account_id))]

    def connect(self, *, worker: Worker, back: str) -> str:
        """Let a worker set up an account at Stripe; see stripe_payees."""
        return stripe_payees.connect(worker=worker, back=back)

    def step(self, payout_id: int) -> None:
        """Ask Stripe for what is due."""
        stripe_payouts.step(payout_id)

    def sweep(self) -> None:
        """Queue the steps that are due."""
        stripe_payouts.sweep()

    def problems(self) -> list[str]:
        """Payouts that Stripe does not take, and events that could not be booked."""
        stuck = [f"{row.payout.reference}: {row.problem}" for row in stripe_payouts.problems()]
        rows = StripeEvent.objects.filter(problem__gt="", received_at__gt=timezone.now() - PROBLEMS_KEPT)
        events = rows.order_by("-received_at")[:PROBLEMS_SHOWN]
        return stuck + [f"{event.type} ({event.id}): {event.problem}" for event in events]

    def origins(self) -> tuple[str, ...]:
        """Stripe's pages; under another address of the API, its pages are there as well."""
        base = urlsplit(settings.STRIPE_API_BASE)
        return (*PAGES, f"{base.scheme}://{base.netloc}")


def _is_inquiry(kind: str, found: dict[str, Any]) -> bool:
    """Whether a dispute is only a question of the payer's bank; the money is not taken away yet."""
    return kind.startswith("charge.dispute.") and str(found.get("status", "")).startswith("warning")


def _booked_once(event_id: str, kind: str, about: str, book: Callable[[], str]) -> Line:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Events about the same payment wait for each other: each looks for what the others have booked.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"stripe {about}"])
        event, new = StripeEvent.objects.get_or_create(id=event_id, defaults={"type": kind, "about": about})
        if not new:
            return Line(1, True, f"{event_id} was dealt with before")
        try:
            with transaction.atomic():
                problem = book()
        except BookedAlready:
            problem = ""
        except DomainError as error:
            problem = error.message
        if problem:
            log.error("%s (%s) cannot be booked: %s", event_id, kind, problem)
            event.problem = problem[:300]
            event.save(update_fields=["problem"])
    return Line(1, not problem, problem or f"{kind} is booked")
