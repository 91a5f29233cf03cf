"""Workers who are paid by Stripe: their account there, which Stripe sets up with them on its own pages."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from marketplace.errors import TooManyTries
from marketplace.models import PaymentWay, StripePayee, Worker
from marketplace.services import payouts, rates
from marketplace.services.payments import stripe_api

HOLDER = "Stripe"
"""What stands as the holder of an account at Stripe: Stripe knows the name, Waggle does not."""

CONNECTS_PER_HOUR = 20
"""How often a worker can go on to Stripe in an hour: each time is two requests to Stripe."""


def connect(*, worker: Worker, back: str) -> str:
    """Let a worker set up an account at Stripe; returns the URL where they do, "" when Stripe knows all it needs.

    Then their pay is sent there. Must not be called in a transaction. Raises Unavailable, TooManyTries.
    """
    granted, _ = rates.take(f"stripe payee {worker.pk}", most=CONNECTS_PER_HOUR, seconds=3600)
    if not granted:
        raise TooManyTries("too many tries within an hour; wait until it is over")
    payee, _ = StripePayee.objects.get_or_create(worker=worker)
    with stripe_api.errors():
        api = stripe_api.client().v1
        if payee.account_id is None:
            account = api.accounts.create(
                {
                    "type": "express",
                    "capabilities": {"transfers": {"requested": True}},
                    # Each payout of Waggle is one payout to the bank, so that Stripe can say what became of it.
                    "settings": {"payouts": {"schedule": {"interval": "manual"}}},
                    "metadata": {"waggle_worker": worker.public_id},
                },
                {"idempotency_key": f"waggle-account-{payee.key}"},
            )
            payee.account_id = account.id
            payee.save(update_fields=["account_id"])
        else:
            account = api.accounts.retrieve(payee.account_id)
        if _is_ready(account.to_dict()):
            with transaction.atomic():
                _now_ready(payee)
                _pay_there(payee)
            return ""
        link = api.account_links.create(
            {"account": account.id, "refresh_url": back, "return_url": back, "type": "account_onboarding"}
        )
    return link.url


def updated(account: dict[str, Any]) -> str:
    """Stripe says what it knows of an account: once it is enough, pay is sent there. Returns "" always."""
    payee = StripePayee.objects.select_for_update(no_key=True).filter(account_id=str(account["id"])).first()
    if payee is None:
        return ""
    if not _is_ready(account):
        StripePayee.objects.filter(pk=payee.pk).update(ready=False)
        return ""
    # Later on the worker may have chosen another way.
    first = payee.first_ready_at is None
    _now_ready(payee)
    if first:
        _pay_there(payee)
    return ""


def _is_ready(account: dict[str, Any]) -> bool:
    able = (account.get("capabilities") or {}).get("transfers") == "active"
    return able and bool(account.get("payouts_enabled"))


def _now_ready(payee: StripePayee) -> None:
    payee.ready, payee.first_ready_at = True, payee.first_ready_at or timezone.now()
    payee.save(update_fields=["ready", "first_ready_at"])


def _pay_there(payee: StripePayee) -> None:
    payouts.set_details(
        worker=payee.worker, holder=HOLDER, destination=str(payee.account_id), provider=PaymentWay.STRIPE
    )
