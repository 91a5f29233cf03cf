"""What an account has waiting or running in the background: everything for which the message queue works by itself."""

from collections.abc import Callable

from labeling.models import Dataset, Export, LabelImport, LabelingJob
from marketplace.models import Account


def _exports(account: Account) -> int:
    return Export.objects.filter(job__account=account, status="InProgress").count()


def _datasets(account: Account) -> int:
    return Dataset.objects.filter(account=account, status__in=["Initializing", "InProgress"]).count()


def _imports(account: Account) -> int:
    return LabelImport.objects.filter(account=account, status__in=["Initializing", "InProgress"]).count()


def _jobs(account: Account) -> int:
    return LabelingJob.objects.filter(account=account, status="Initializing").count()


COUNTS: dict[str, Callable[[Account], int]] = {
    "exports": _exports,
    "data sets in the making": _datasets,
    "label imports": _imports,
    "labeling jobs in preparation": _jobs,
}
"""By the plural of what is counted, how many an account has."""
