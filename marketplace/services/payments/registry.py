"""The providers of this installation. One that is not set up is not imported: its library is large."""

from importlib import import_module

from django.conf import settings

from marketplace.errors import NotFound
from marketplace.models import PaymentWay
from marketplace.services.payments.manual import Manual
from marketplace.services.payments.provider import Provider


def stripe_is_on() -> bool:
    """Whether the operator has set up Stripe."""
    return bool(settings.STRIPE_SECRET_KEY)


def require_stripe() -> None:
    """Raises NotFound where Stripe is not set up."""
    if not stripe_is_on():
        raise NotFound("payments by Stripe are not set up on this installation")


def provider(way: str) -> Provider:
    """The provider that is stored as `way`. Raises NotFound for one that is not set up."""
    if way == PaymentWay.MANUAL:
        return Manual()
    require_stripe()
    found: Provider = import_module("marketplace.services.payments.stripe_provider").Stripe()
    return found
