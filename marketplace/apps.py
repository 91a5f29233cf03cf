"""The marketplace as a Django app."""

from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    """Accounts, workforces, the ledger and the tools all rooms share."""

    name = "marketplace"
