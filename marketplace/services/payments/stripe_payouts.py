"""Payouts by Stripe Connect: a transfer to the worker's account there, and from it a payout to their bank.

A payout is Sent before Stripe is asked. Each step first looks at Stripe whether it was made before, then makes it under
a key of its own, then writes what was made: a process that dies in between makes nothing twice, however much later the
step is repeated. What became of it is reported by events.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from marketplace import queue
from marketplace.errors import Unavailable
from marketplace.models import PaymentWay, StripeTransfer
from marketplace.services import payouts
from marketplace.services.payments import stripe_api

STEP = "marketplace.background.step_stripe_payout"
"""The background function that takes the next step of a payout."""

LEASE = timedelta(minutes=5)
"""After this a step that left no trace is due again. Longer than all its requests may take."""

PAUSE = timedelta(minutes=10)
"""Before a step that Stripe did not take is tried again."""

SWEPT_AT_ONCE = 200
LISTED = 100
"""Payouts of one worker's account that are looked through; they have one under way at a time."""


def send(*, by: str) -> int:
    """Send every requested payout that goes to Stripe; returns how many. Stripe is asked afterwards, by the queue."""
    with transaction.atomic():
        sent = payouts.mark_sent(provider=PaymentWay.STRIPE, by=by, because="sent by Stripe")
        for payout in sent:
            StripeTransfer.objects.create(payout=payout, next_at=timezone.now())
            queue.enqueue(STEP, payout.pk)
    return len(sent)


def sweep() -> None:
    """Queue the steps that are due. Run every minute."""
    due = StripeTransfer.objects.filter(next_at__lte=timezone.now()).order_by("next_at")
    for payout_id in due.values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
        queue.enqueue(STEP, payout_id)


def step(payout_id: int) -> None:
    """Take the next step of a payout, if one is due. Safe to repeat; must not be called in a transaction."""
    row = _take(payout_id)
    if row is None:
        return
    try:
        if row.failure:
            _bring_back(row)
        else:
            _transfer(row)
            _to_the_bank(row)
    except stripe_api.Refused as error:
        # Stripe repeats its refusal for a key; where it may have done it, the key has to stay.
        _later(row, error.message, refusals=row.refusals + 1)
    except Unavailable as error:
        _later(row, error.message)
    except Exception as error:
        _later(row, f"an error of Waggle: {error!r}")
        raise


def _later(row: StripeTransfer, problem: str, **changes: int) -> None:
    """Try again after a pause; operators see why."""
    StripeTransfer.objects.filter(pk=row.pk).update(next_at=timezone.now() + PAUSE, problem=problem[:300], **changes)


def _take(payout_id: int) -> StripeTransfer | None:
    """The row, taken for one step; None when no step is due or another process has it."""
    now = timezone.now()
    with transaction.atomic():
        rows = StripeTransfer.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
        row = rows.filter(pk=payout_id, next_at__lte=now).select_related("payout").first()
        if row is not None:
            row.next_at = now + LEASE
            row.save(update_fields=["next_at"])
    return row


def _transfer(row: StripeTransfer) -> None:
    """Move the money to the worker's account at Stripe, unless that was done.

    When Stripe refuses for good, nothing has moved and the payout fails.
    """
    payout, group = row.payout, _group(row)
    if row.transfer_id:
        return
    found = _found_transfer(row)
    if found is None:
        try:
            with stripe_api.errors():
                transfer = stripe_api.client().v1.transfers.create(
                    {
                        "amount": payout.amount_micros // payouts.CENT,
                        "currency": "usd",
                        "destination": payout.destination,
                        "transfer_group": group,
                        "description": payout.reference,
                        "metadata": {"waggle_payout": str(row.key)},
                    },
                    {"idempotency_key": f"{group}-transfer-{row.refusals}"},
                )
        except stripe_api.Refused as error:
            if error.waits:
                raise
            _end(row, reason=error.message)
            return
        found = transfer.id
    row.transfer_id = found
    row.save(update_fields=["transfer_id"])


def _to_the_bank(row: StripeTransfer) -> None:
    """Let Stripe pay the money out to the worker's bank, unless that was done. When it refuses, bring it back."""
    payout, group = row.payout, _group(row)
    if not row.transfer_id:
        return
    theirs: stripe_api.Options = {"stripe_account": payout.destination}
    with stripe_api.errors():
        listed = stripe_api.client().v1.payouts.list({"limit": LISTED}, theirs)
    keys = {one.id: (one.to_dict().get("metadata") or {}).get("waggle_payout") for one in listed.data}
    made = next((found for found, key in keys.items() if key == str(row.key)), None)
    if made is None:
        try:
            with stripe_api.errors():
                bank_payout = stripe_api.client().v1.payouts.create(
                    {
                        "amount": payout.amount_micros // payouts.CENT,
                        "currency": "usd",
                        "description": payout.reference,
                        "metadata": {"waggle_payout": str(row.key)},
                    },
                    {**theirs, "idempotency_key": f"{group}-payout-{row.refusals}"},
                )
        except stripe_api.Refused as error:
            if error.waits:
                raise
            _fail(row, reason=error.message)
            return
        made = bank_payout.id
    StripeTransfer.objects.filter(pk=row.pk).update(bank_payout_id=made, problem="")
    # Not when its failure was reported meanwhile.
    StripeTransfer.objects.filter(pk=row.pk, failure="").update(next_at=None)


def _bring_back(row: StripeTransfer) -> None:
    """Take the transfer back from the worker's account at Stripe, unless that was done, then end the payout."""
    transfer_id = row.transfer_id or _found_transfer(row)
    if transfer_id is None:
        raise Unavailable(f"{row.payout.reference} failed, and its transfer is not found")
    with stripe_api.errors():
        api = stripe_api.client().v1
        transfer = api.transfers.retrieve(transfer_id)
        if not transfer.reversed:
            api.transfers.reversals.create(
                transfer.id,
                {"metadata": {"waggle_payout": str(row.key)}},
                {"idempotency_key": f"{_group(row)}-reversal-{row.refusals}"},
            )
    _end(row, reason=row.failure)


def _group(row: StripeTransfer) -> str:
    """What all that is made at Stripe for a payout is called there."""
    return f"waggle-{row.payout.reference}-{row.key}"


def _found_transfer(row: StripeTransfer) -> str | None:
    """The transfer that was made by a step which died; Stripe forgets idempotency keys after a day."""
    with stripe_api.errors():
        listed = stripe_api.client().v1.transfers.list({"transfer_group": _group(row), "limit": 1})
    return listed.data[0].id if listed.data else None


def _end(row: StripeTransfer, *, reason: str) -> None:
    """The money is not, or not any more, at the worker's account at Stripe: it is back in their earnings."""
    with transaction.atomic():
        # First this row and then the payout, as events do.
        StripeTransfer.objects.select_for_update(no_key=True).get(pk=row.pk)
        payouts.bring_back(payout=row.payout, reason=reason, by=stripe_api.BY, provider=PaymentWay.STRIPE)
        StripeTransfer.objects.filter(pk=row.pk).update(next_at=None, problem="")


def _fail(row: StripeTransfer, *, reason: str) -> None:
    StripeTransfer.objects.filter(pk=row.pk).update(failure=reason, next_at=timezone.now(), problem="")
    queue.enqueue(STEP, row.pk)


# --- what events report ---------------------------------------------------------------------------------------------


def bank_paid(bank_payout: dict[str, Any], account_id: str) -> str:
    """The worker's bank has the money. Returns why that cannot be booked, "" when it is."""
    row = _of(bank_payout, account_id)
    # Events come in any order: one that failed was paid before that.
    if row is None or row.failure:
        return ""
    payouts.mark_paid(payout=row.payout, by=stripe_api.BY, provider=PaymentWay.STRIPE)
    return ""


def bank_failed(bank_payout: dict[str, Any], account_id: str) -> str:
    """The worker's bank does not take the money, or has sent it back: bring it back. Returns "" always."""
    row = _of(bank_payout, account_id)
    if row is None or row.failure:
        return ""
    reason = str(bank_payout.get("failure_message") or "the bank has not taken the money")
    _fail(row, reason=f"Stripe: {reason}"[:300])
    return ""


def reversed_at_stripe(transfer: dict[str, Any]) -> str:
    """A transfer was taken back. Returns why that cannot be booked, "" when it is."""
    row = _of(transfer, str(transfer.get("destination")))
    if row is None:
        return ""
    if not transfer.get("reversed"):
        return f"{transfer['id']} of {row.payout.reference} was taken back in part; that cannot be booked"
    _end(row, reason=row.failure or "the transfer was taken back at Stripe")
    return ""


def _of(found: dict[str, Any], account_id: str) -> StripeTransfer | None:
    """The row of a payout or transfer at Stripe, locked; None for those of other programs at the same account."""
    key = str((found.get("metadata") or {}).get("waggle_payout", ""))
    rows = StripeTransfer.objects.select_for_update(no_key=True, of=("self",)).select_related("payout__worker__user")
    return rows.filter(key=key, payout__destination=account_id).first() if key else None


def problems() -> list[StripeTransfer]:
    """The payouts with which Stripe cannot go on, and why, for operators."""
    return list(StripeTransfer.objects.exclude(problem="").select_related("payout").order_by("pk")[:SWEPT_AT_ONCE])
