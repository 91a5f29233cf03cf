"""How many things of a kind an account may have: the operator's limits (WAGGLE_QUOTAS). Knows no kind's rows."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from marketplace.errors import LimitExceeded
from marketplace.models import Account
from marketplace.services.accounts import is_actor
from marketplace.settings_quotas import KINDS


def require(*, account: Account, kind: str, rows: QuerySet[Any], by: str | None = None) -> None:
    """Call this in the transaction that makes one more, before anything else is locked. Raises LimitExceeded.

    `rows`: those of the account that count. Requests for one account wait for each other here until they commit. `by`:
    who asks; what is made for a job by the installation itself is not refused.
    """
    most = settings.QUOTAS.get(kind)
    if most is None or (by is not None and not is_actor(by)):
        return
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if (count := rows.count()) >= most:
        raise LimitExceeded(
            f"The account-level service limit '{KINDS[kind]}' is {most}, with current utilization of {count} and a "
            "request delta of 1. The operator sets it (WAGGLE_QUOTAS)."
        )
