"""Cursor paging and filters by allow-list: no field name from outside ever reaches the ORM."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from marketplace.errors import Invalid

RESERVED = frozenset({"cursor", "page_size", "order"})


class Pages(CursorPagination):
    """Pages by primary key, newest first unless the view orders otherwise; `page_size` up to 200."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


def filtered(
    request: Request, rows: QuerySet[Any], allowed: Mapping[str, str | Callable[[QuerySet[Any], str], QuerySet[Any]]]
) -> QuerySet[Any]:
    """Apply the query parameters in `allowed` (name -> lookup, or function); any other parameter is an error.

    Raises Invalid naming the parameter that is unknown or whose value does not fit.
    """
    for name, value in request.query_params.items():
        if name in RESERVED:
            continue
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise Invalid(f"this filter does not exist; there are: {known}", field=name)
        how = allowed[name]
        try:
            rows = how(rows, value) if callable(how) else rows.filter(**{how: value})
        except (ValueError, TypeError):
            raise Invalid(f"{value!r} does not fit", field=name) from None
    return rows


def ordered(request: Request, allowed: Mapping[str, str], default: str) -> str:
    """The ordering named by `order` ("name" or "-name") as a model field. Raises Invalid for one not allowed."""
    wanted = request.query_params.get("order", default)
    field = allowed.get(wanted.lstrip("-"))
    if field is None:
        raise Invalid(f"cannot order by this; there are: {', '.join(sorted(allowed))}", field="order")
    return f"-{field}" if wanted.startswith("-") else field
