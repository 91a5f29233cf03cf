"""What trainings, transform jobs and tuning jobs have in common on the wire: how they are listed and found by name."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from frontend.aws import paging
from frontend.aws.paging import Page
from frontend.aws.registry import Call
from marketplace.errors import NotFound

_FILTERS = {
    "CreationTimeAfter": "created_at__gt",
    "CreationTimeBefore": "created_at__lt",
    "LastModifiedTimeAfter": "modified__gt",
    "LastModifiedTimeBefore": "modified__lt",
    "NameContains": "name__icontains",
    "StatusEquals": "status",
}
_COLUMNS = {"Name": "name", "CreationTime": "created_at", "Status": "status"}


def page(call: Call, rows: QuerySet[Any], *, by: str = "CreationTime", order: str = paging.ASCENDING) -> Page:
    """The page of these rows that a list's call asks for. `by` and `order`: where it says none."""
    dated = rows.annotate(modified=Coalesce("status_changed_at", "created_at"))
    column = _COLUMNS.get(call.members.get("SortBy") or by, _COLUMNS[by])
    return paging.page(
        call, paging.filtered(call, dated, _FILTERS), by=column, descending=paging.descending(call, order)
    )


def named(rows: QuerySet[Any], name: str, *, noun: str) -> Any:
    """The row of this name. Raises NotFound."""
    found = rows.filter(name=name).first()
    if found is None:
        raise NotFound(f"Could not find the {noun} job {name!r}")
    return found
