"""Deposits by card, at a Stripe of our own: booked once, exactly, and only when Stripe has reported the payment."""

import time

import pytest

from marketplace.errors import Invalid, NotFound, TooManyTries, Unavailable, WrongState
from marketplace.models import Account, Entry, PaymentWay, StripeDeposit, StripeEvent
from marketplace.services import debts, ledger_audit, wallet_refunds, wallets
from marketplace.services.payments import registry, stripe_deposits
from marketplace.services.payments.provider import Message
from tests import builders
from tests.stripe_stories import BACK, fake, start, stripe, tell

__all__ = ["fake"]
pytestmark = pytest.mark.django_db
COMPLETED = "checkout.session.completed"


@pytest.fixture
def account() -> Account:
    return builders.an_account(funds="0")


def paid(fake, account, micros=25_000_000):
    """A deposit that was paid and booked; returns its session."""
    session = fake.pay(start(account, micros))
    assert tell(fake, COMPLETED, session).done
    return session


def test_a_session_asks_for_the_amount_in_cents_and_books_nothing(fake, account):
    url = stripe().start_deposit(account=account, amount_micros=25_010_000, by="user:1", back=BACK)
    (session,) = fake.of_kind("checkout.session")
    assert (session["amount_total"], session["currency"], session["success_url"]) == (2501, "usd", BACK)
    assert url == session["url"]
    assert wallets.balance(account) == 0


def test_a_payment_is_booked_once_however_often_it_is_reported(fake, account):
    session = paid(fake, account)
    for kind, event_id in (
        (COMPLETED, "evt_1"),
        (COMPLETED, "evt_1"),
        ("checkout.session.async_payment_succeeded", ""),
    ):
        assert tell(fake, kind, session, event_id=event_id).done
    assert wallets.balance(account) == 25_000_000
    assert Entry.objects.filter(reference=f"deposit:stripe:{session['payment_intent']}").count() == 1
    assert ledger_audit.findings() == []


def test_a_payment_that_takes_days_is_booked_when_it_succeeds(fake, account):
    session = fake.pay(start(account), status="unpaid")
    assert tell(fake, COMPLETED, session).done and wallets.balance(account) == 0
    session["payment_status"] = "paid"
    tell(fake, "checkout.session.async_payment_succeeded", session)
    assert wallets.balance(account) == 25_000_000


@pytest.mark.parametrize(
    "change", [{"amount_total": 2499}, {"currency": "eur"}, {"metadata": {"waggle_deposit": "0" * 32}}]
)
def test_another_amount_currency_or_deposit_is_not_booked_and_operators_read_why(fake, account, change):
    session = fake.pay(start(account)) | change
    line = tell(fake, COMPLETED, session)
    assert not line.done and wallets.balance(account) == 0
    assert stripe().problems() == [f"{COMPLETED} ({StripeEvent.objects.get().pk}): {line.what}"]


def test_payments_of_other_programs_and_of_connected_accounts_are_none_of_ours(fake, account):
    session = fake.pay(start(account))
    assert tell(fake, COMPLETED, session | {"metadata": {}}).done
    assert tell(fake, COMPLETED, session, account="acct_of_somebody").done
    assert tell(fake, "customer.created", {"id": "cus_1"}).done
    assert wallets.balance(account) == 0 and stripe().problems() == []


@pytest.mark.parametrize("how", ["secret", "old", "body", "none"])
def test_an_event_without_a_right_signature_is_refused(fake, account, settings, how):
    session = fake.pay(start(account))
    body, signature = fake.event(COMPLETED, session, at=time.time() - 301 if how == "old" else None)
    if how == "secret":
        settings.STRIPE_WEBHOOK_SECRETS = ("whsec_other",)
    message = Message(body.replace(b"2500", b"9900") if how == "body" else body, "" if how == "none" else signature)
    with pytest.raises(Invalid, match="missing, wrong or too old"):
        stripe().receive(message, by="stripe")
    assert wallets.balance(account) == 0 and not StripeEvent.objects.exists()


@pytest.mark.parametrize("micros", [490_000, 10_005_000, 1_000_000_000_000, 1])
def test_amounts_that_stripe_does_not_take_are_refused_before_it_is_asked(fake, account, micros):
    with pytest.raises(Invalid, match="whole cents from 0.50"):
        start(account, micros)
    assert not fake.calls and not StripeDeposit.objects.exists()


def test_payments_cannot_be_started_without_end(fake, account, monkeypatch):
    monkeypatch.setattr(stripe_deposits, "STARTS_PER_HOUR", 1)
    start(account)
    with pytest.raises(TooManyTries):
        start(account)


class TestTakenBack:
    def test_a_refund_at_stripe_reverses_the_deposit_once(self, fake, account):
        session = paid(fake, account)
        charge = fake.charge_of(session, refunded=2500)
        assert tell(fake, "charge.refunded", charge).done
        assert tell(fake, "charge.refunded", charge).done
        assert tell(fake, "charge.dispute.created", fake.dispute_of(session)).done
        assert wallets.balance(account) == 0 and ledger_audit.findings() == []

    def test_a_dispute_makes_the_account_owe_what_it_has_spent_and_a_won_one_settles_it(self, fake, account):
        session = paid(fake, account)
        gone = wallet_refunds.request(account=account, amount_micros=20_000_000, by="user:1")
        wallet_refunds.mark_paid(refund=gone, by="operator")
        dispute = fake.dispute_of(session)
        tell(fake, "charge.dispute.created", dispute)
        tell(fake, "charge.dispute.funds_withdrawn", dispute)
        assert (wallets.balance(account), debts.owed(account)) == (0, 20_000_000)
        for _ in range(2):
            assert tell(fake, "charge.dispute.funds_reinstated", dispute | {"status": "won"}).done
        assert (wallets.balance(account), debts.owed(account)) == (5_000_000, 0)

    def test_a_question_of_the_bank_takes_nothing(self, fake, account):
        session = paid(fake, account)
        assert tell(fake, "charge.dispute.created", fake.dispute_of(session, status="warning_needs_response")).done
        assert wallets.balance(account) == 25_000_000

    def test_a_part_is_left_to_the_operator(self, fake, account):
        session = paid(fake, account)
        assert not tell(fake, "charge.refunded", fake.charge_of(session, refunded=100)).done
        assert not tell(fake, "charge.dispute.created", fake.dispute_of(session) | {"amount": 5}).done
        assert wallets.balance(account) == 25_000_000 and len(stripe().problems()) == 2

    def test_events_in_the_wrong_order_end_the_same(self, fake, account):
        session = fake.pay(start(account))
        assert tell(fake, "charge.refunded", fake.charge_of(session, refunded=2500)).done
        assert tell(fake, COMPLETED, session).done
        assert wallets.balance(account) == 0 and StripeDeposit.objects.get().reversed_by
        assert ledger_audit.findings() == []


class TestSetUp:
    def test_without_a_key_there_is_no_stripe(self, db):
        with pytest.raises(NotFound, match="not set up"):
            registry.provider(PaymentWay.STRIPE)

    def test_the_operator_of_the_manual_way_books_deposits(self, account):
        manual = registry.provider(PaymentWay.MANUAL)
        with pytest.raises(WrongState, match=account.number):
            manual.start_deposit(account=account, amount_micros=5_000_000, by="user:1", back=BACK)
        content = f"account,amount,reference\n{account.number},5,bank-7\n".encode()
        assert [line.done for line in manual.receive(Message(content, "deposits"), by="operator")] == [True]
        assert wallets.balance(account) == 5_000_000

    def test_a_wrong_key_and_a_stripe_that_is_away_are_told_apart_from_refusals(self, fake, account, settings):
        settings.STRIPE_SECRET_KEY = "sk_test_wrong"  # noqa: S105
        with pytest.raises(Unavailable, match="AuthenticationError"):
            start(account)
        fake.stop()
        with pytest.raises(Unavailable, match="APIConnectionError"):
            start(account)

    def test_requests_leave_by_the_one_door(self, fake, account, settings):
        settings.FETCH_ALLOWED_HOSTS = frozenset()
        with pytest.raises(Unavailable):
            start(account)
        assert not fake.calls
