"""What is written of payments by Stripe, for pages; reading it needs neither Stripe nor its library."""

from marketplace.models import Account, StripeDeposit, StripePayee, Worker


def payee_of(worker: Worker) -> StripePayee | None:
    """The worker's account at Stripe, None until they have begun to set it up."""
    return StripePayee.objects.filter(worker=worker, account_id__isnull=False).first()


def recent_deposits(account: Account, *, most: int) -> list[StripeDeposit]:
    """The account's latest deposits by card, newest first, booked or not."""
    return list(StripeDeposit.objects.filter(account=account).order_by("-pk")[:most])
