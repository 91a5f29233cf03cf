"""Stories with Stripe: the fake as a fixture, workers who are paid there, and events as the system receives them."""

from collections.abc import Iterator
from typing import Any

import pytest

from marketplace.models import Account, PaymentWay, StripeDeposit, StripePayee, Worker
from marketplace.services.bank_files import Line
from marketplace.services.payments import registry
from marketplace.services.payments.provider import Message
from tests import builders
from tests.fake_stripe import CONNECT_SECRET, SECRET_KEY, SIGNING_SECRET, FakeStripe

BACK = "https://waggle.example/wallet/"


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeStripe]:
    """Stripe, which this installation is set up to use."""
    found = FakeStripe()
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    settings.STRIPE_WEBHOOK_SECRETS = (SIGNING_SECRET, CONNECT_SECRET)
    settings.STRIPE_API_BASE = found.base
    settings.FETCH_ALLOWED_HOSTS = frozenset({found.host})
    yield found
    found.stop()


def stripe() -> Any:
    """The provider."""
    return registry.provider(PaymentWay.STRIPE)


def tell(fake: FakeStripe, kind: str, found: dict[str, Any], **more: Any) -> Line:
    """Stripe reports an event; returns what became of it."""
    (line,) = stripe().receive(Message(*fake.event(kind, found, **more)), by="stripe")
    return line


def start(account: Account, micros: int = 25_000_000) -> str:
    """Somebody wants to pay by card; returns the id of the session."""
    stripe().start_deposit(account=account, amount_micros=micros, by="user:1", back=BACK)
    return str(StripeDeposit.objects.latest("pk").session_id)


def a_payee(fake: FakeStripe, micros: int = 12_345_678) -> Worker:
    """A worker who has earned something and is paid by Stripe."""
    worker = builders.a_worker()
    builders.earn(worker, micros)
    stripe().connect(worker=worker, back=BACK)
    account_id = str(StripePayee.objects.get(worker=worker).account_id)
    assert tell(fake, "account.updated", fake.onboard(account_id), account=account_id).done
    return worker
