"""The functions of this room that the message queue calls. Each is safe to run twice."""

from marketplace import queue
from marketplace.models import PaymentWay
from marketplace.services import (
    billing,
    contracts,
    debts,
    event_destinations,
    event_sending,
    events,
    heartbeats,
    idempotency,
    invitations,
    ledger_totals,
    notifications,
    rates,
    retention,
    signups,
    stored_deletion,
    webhook_sending,
    webhooks,
)
from marketplace.services.payments import registry


def sweep() -> None:
    """Run every minute: end and delete what is over, and send what people and programs are to be told by now."""
    queue.run_each(
        (
            rates.forget_ended,
            idempotency.forget_old,
            invitations.expire_overdue,
            signups.forget_expired,
            contracts.end_overdue,
            debts.settle_all,
            billing.charge_taxes,
            notifications.request_due_mail,
            notifications.forget_old,
            webhook_sending.WEBHOOKS.sweep,
            webhooks.LOG.forget_old,
            event_sending.EVENTS.sweep,
            event_destinations.LOG.forget_old,
            events.forget_old,
            retention.forget_failures,
            retention.forget_sessions,
            retention.forget_audit,
            sweep_stripe_payouts,
            heartbeats.note_queue,
            heartbeats.forget_old,
            ledger_totals.catch_up,
        )
    )


def sweep_stripe_payouts() -> None:
    """Queue the steps of Stripe's payouts that are due, where Stripe is set up."""
    if registry.stripe_is_on():
        registry.provider(PaymentWay.STRIPE).sweep()


def step_stripe_payout(payout_id: int) -> None:
    """Take the next step of a payout by Stripe, where Stripe is set up; the sweep comes back to it."""
    if registry.stripe_is_on():
        registry.provider(PaymentWay.STRIPE).step(payout_id)


def delete_stored(kept: str) -> None:
    """Delete an object of the store that no row names any more; a backup that is being made delays it."""
    stored_deletion.delete_kept(kept)


def deliver_webhook(delivery_id: int) -> None:
    """Attempt to send a webhook message that is due."""
    webhook_sending.WEBHOOKS.deliver(delivery_id)


def deliver_event(delivery_id: int) -> None:
    """Attempt to send an event to a destination, if it is due and no earlier one of its subject waits."""
    event_sending.EVENTS.deliver(delivery_id)
