"""Deposits that are paid at Stripe's Checkout: started here, booked when Stripe reports the payment, once."""

from typing import Any

from django.utils import timezone

from marketplace import money
from marketplace.errors import BookedAlready, Invalid, TooManyTries
from marketplace.models import Account, StripeDeposit, StripeEvent
from marketplace.services import debts, payouts, rates, wallets
from marketplace.services.payments import stripe_api

LEAST, MOST = 500_000, 999_999_990_000
"""Micro-dollars of the smallest and the largest payment that Stripe takes."""

STARTS_PER_HOUR = 20
"""Payments that an account can start in an hour: each is a request to Stripe."""

TAKEN_BACK = ("charge.refunded", "charge.dispute.created", "charge.dispute.funds_withdrawn")
"""The events by which a deposit is reversed."""


def start(*, account: Account, amount_micros: int, by: str, back: str) -> str:
    """Prepare a payment at Stripe; returns the URL where it is made. Must not be called in a transaction.

    Raises Invalid for an amount that is finer than a cent or that Stripe does not take, TooManyTries, and Unavailable.
    """
    if amount_micros % payouts.CENT or not LEAST <= amount_micros <= MOST:
        least, most = money.plain(LEAST), f"{MOST // money.MICROS:,}"
        raise Invalid(f"whole cents from {least} to {most} dollars can be paid by card", field="amount")
    granted, left = rates.take(f"stripe deposit {account.pk}", most=STARTS_PER_HOUR, seconds=3600)
    if not granted:
        raise TooManyTries(f"{STARTS_PER_HOUR} payments were started within an hour; wait {round(left / 60)} minutes")
    deposit = StripeDeposit.objects.create(account=account, amount_micros=amount_micros, started_by=by)
    key = str(deposit.key)
    with stripe_api.errors():
        session = stripe_api.client().v1.checkout.sessions.create(
            {
                "mode": "payment",
                "client_reference_id": key,
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": "usd",
                            "unit_amount": amount_micros // payouts.CENT,
                            "product_data": {"name": f"Deposit for account {account.number}"},
                        },
                    }
                ],
                # Otherwise the payer may be asked for another currency.
                "adaptive_pricing": {"enabled": False},
                "metadata": {"waggle_deposit": key},
                "payment_intent_data": {"metadata": {"waggle_deposit": key}},
                "success_url": back,
                "cancel_url": back,
            },
            {"idempotency_key": f"waggle-deposit-{key}"},
        )
    StripeDeposit.objects.filter(pk=deposit.pk).update(session_id=session.id)
    if not session.url:
        raise LookupError(f"the session {session.id} has no URL")
    return session.url


def paid(session: dict[str, Any]) -> str:
    """Book a session that was paid, for an event in a transaction; returns why it cannot be booked, "" when it is.

    A session that is completed and not paid yet is paid later, or never.
    """
    key = str((session.get("metadata") or {}).get("waggle_deposit", ""))
    # Payments of other programs at the same account of Stripe are none of ours.
    if session.get("payment_status") != "paid" or not key:
        return ""
    deposit = StripeDeposit.objects.select_for_update(no_key=True).filter(key=key).first()
    if deposit is None:
        return f"{session['id']} was paid for a deposit that is not known here"
    if deposit.booked_at is not None:
        return ""
    found = (session.get("currency"), session.get("amount_total"))
    if found != ("usd", deposit.amount_micros // payouts.CENT):
        return f"{session['id']}: {found[1]} {found[0]} were paid, {deposit.amount_micros // payouts.CENT} usd expected"
    deposit.payment_id, deposit.session_id = str(session["payment_intent"]), str(session["id"])
    deposit.booked_at = timezone.now()
    deposit.save(update_fields=["payment_id", "session_id", "booked_at"])
    wallets.deposit(
        account=deposit.account,
        amount_micros=deposit.amount_micros,
        reference=deposit.reference,
        by=stripe_api.BY,
        description="Deposit by card",
    )
    # Events come in any order.
    earlier = StripeEvent.objects.filter(about=deposit.payment_id, type__in=TAKEN_BACK, problem="").first()
    if earlier is not None:
        _reverse(deposit, because="taken back at Stripe", by_what=earlier.id)
    return ""


def refunded(charge: dict[str, Any]) -> str:
    """A payment was given back at Stripe: reverse its deposit. Returns why that cannot be, "" when it is done."""
    if not charge.get("refunded"):
        return f"{charge['id']} was refunded in part at Stripe; take that out of the wallet by hand"
    deposit = _of_payment(charge)
    return "" if deposit is None else _reverse(deposit, because="refunded at Stripe", by_what=str(charge["id"]))


def disputed(dispute: dict[str, Any]) -> str:
    """The payer's bank wants the money back: reverse the deposit. Returns why that cannot be, "" when it is done."""
    deposit = _of_payment(dispute)
    if deposit is None:
        return ""
    if dispute.get("amount") != deposit.amount_micros // payouts.CENT:
        return f"{dispute['id']} is about a part of {deposit.reference}; take that out of the wallet by hand"
    return _reverse(deposit, because="disputed by the payer", by_what=str(dispute["id"]))


def reinstated(dispute: dict[str, Any]) -> str:
    """A dispute was won and its money is back: book it again. Returns why that cannot be, "" when it is done."""
    deposit = _of_payment(dispute)
    if deposit is None:
        return ""
    if deposit.reversed_by != str(dispute["id"]):
        return f"{dispute['id']} was won, but {deposit.reference} was not reversed by it"
    wallets.deposit(
        account=deposit.account,
        amount_micros=deposit.amount_micros,
        reference=f"stripe:{dispute['id']}",
        by=stripe_api.BY,
        description="A dispute was won",
    )
    return ""


def _of_payment(charge_or_dispute: dict[str, Any]) -> StripeDeposit | None:
    rows = StripeDeposit.objects.select_for_update(no_key=True, of=("self",)).select_related("account")
    return rows.filter(payment_id=str(charge_or_dispute.get("payment_intent"))).first()


def _reverse(deposit: StripeDeposit, *, because: str, by_what: str) -> str:
    try:
        debts.reverse_deposit(reference=deposit.reference, reason=because, by=stripe_api.BY)
    except BookedAlready:
        return ""
    deposit.reversed_by = by_what
    deposit.save(update_fields=["reversed_by"])
    return ""
