"""Lists: scope, filters by allow-list, cursor paging, in one base view. No field name from outside reaches the ORM."""

from collections.abc import Callable, Mapping
from datetime import UTC
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import exceptions, serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import strict
from marketplace.errors import InvalidCursor, InvalidFilter
from marketplace.ranges import Range

RESERVED = frozenset({"cursor", "page_size"})
Filters = Mapping[str, str]
PAGE_SIZES = Range(1, 200)
"""Rows of a page."""


KEY = {"type": "integer", "minimum": strict.COUNTS.low, "maximum": strict.COUNTS.high}
TEXT = {"type": "string"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
FLAG = {"type": "boolean"}
MOMENT = {"type": "string", "format": "date-time"}
"""What the values of filters are, in the words of OpenAPI."""


class Pages(CursorPagination):
    """Pages by primary key, newest first unless the view orders otherwise; `page_size` within PAGE_SIZES."""

    ordering: str | tuple[str, ...] = "-id"
    page_size = 50
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        """Rows of a page. Raises InvalidFilter for a size that the document does not allow."""
        given = request.query_params.get(self.page_size_query_param)
        if given is None:
            return self.page_size
        size = strict.whole_number(given, allowed=PAGE_SIZES)
        if size is None:
            raise InvalidFilter(f"{given[:40]!r} found, {PAGE_SIZES} expected", field=self.page_size_query_param)
        return size

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any]:
        """The rows of one page. Raises InvalidCursor for a cursor that no list of this kind made."""
        try:
            return super().paginate_queryset(queryset, request, view) or []
        except (exceptions.NotFound, ValueError, TypeError, ValidationError):
            raise InvalidCursor("this is not a cursor of this list", field="cursor") from None


def filtered(
    request: Request, rows: QuerySet[Any], allowed: Filters, shapes: Mapping[str, Any] = MappingProxyType({})
) -> QuerySet[Any]:
    """Apply the query parameters in `allowed` (name -> lookup); any other parameter is an error.

    `shapes` say in the words of OpenAPI what the values of some are; the others are texts, or keys where the name ends
    with "_id".

    Raises InvalidFilter naming the parameter that is unknown or whose value does not fit.
    """
    for name, value in request.query_params.items():
        if name in RESERVED:
            continue
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise InvalidFilter(f"this filter does not exist; there are: {known}", field=name)
        # The database refuses such a text only when the rows are fetched.
        if problem := strict.text_problem(value):
            raise InvalidFilter(problem, field=name)
        try:
            rows = rows.filter(**{allowed[name]: _read(_shape(name, shapes), value)})
        except (ValueError, TypeError, OverflowError, ValidationError):
            raise InvalidFilter(f"{value!r} does not fit", field=name) from None
    return rows


def _shape(name: str, shapes: Mapping[str, Any]) -> Any:
    return shapes.get(name) or (KEY if name.endswith("_id") else TEXT)


def _read(shape: Mapping[str, Any], value: str) -> Any:
    """The value of a filter. Raises ValueError for one that has not the shape."""
    found: Any = value
    if shape["type"] == "integer":
        found = strict.whole_number(value, allowed=strict.COUNTS)
    elif shape["type"] == "number":
        found = float(value)
        found = found if shape["minimum"] <= found <= shape["maximum"] else None
    elif shape["type"] == "boolean":
        found = {"true": True, "false": False}.get(value)
    elif shape.get("format") == "date-time":
        found = parse_datetime(value)
        # In UTC, because the database knows fewer time zones than there are.
        found = found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    if found is None:
        raise ValueError(value)
    return found


class ListView(APIView):
    """A list of rows. A list says which rows there are for the caller (`rows`) and how one looks (`row`)."""

    filters: ClassVar[Filters] = {}
    shapes: ClassVar[Mapping[str, Any]] = {}
    ordering: ClassVar[str | tuple[str, ...]] = Pages.ordering

    def rows(self, request: Request, **place: Any) -> QuerySet[Any]:
        """The rows the caller may see; `place` are the parts of the address. Raises DomainErrors."""
        raise NotImplementedError

    def page(self, found: list[Any]) -> list[Any]:
        """The rows of one page, with what is looked up for all of them at once."""
        return found

    def row(self, found: Any) -> dict[str, Any]:
        """One row as the API shows it."""
        raise NotImplementedError

    def beside(self, request: Request) -> dict[str, Any]:
        """What stands beside the rows on every page."""
        return {}

    def get(self, request: Request, **place: Any) -> Response:
        """One page."""
        pages = Pages()
        pages.ordering = self.ordering
        rows = filtered(request, self.rows(request, **place), self.filters, self.shapes)
        page = pages.paginate_queryset(rows, request, self)
        response = pages.get_paginated_response([self.row(found) for found in self.page(page)])
        response.data |= self.beside(request)
        return response


CURSOR = {"type": "string", "format": "cursor"}
SIZE = {"type": "integer", "minimum": PAGE_SIZES.low, "maximum": PAGE_SIZES.high, "default": Pages.page_size}
V = TypeVar("V", bound=type[ListView])


def listed(*, operation: str, page: serializers.Serializer, description: str) -> Callable[[V], V]:
    """Decorate a ListView: how the OpenAPI document describes it, with the filters it has."""

    def decorate(view: V) -> V:
        parameters = [
            OpenApiParameter("cursor", CURSOR, description="from `next` or `previous` of another page"),
            OpenApiParameter("page_size", SIZE, description="rows of the page"),
            *(
                OpenApiParameter(name, _shape(name, view.shapes), description=_described(how))
                for name, how in view.filters.items()
            ),
        ]
        schema = extend_schema(
            operation_id=operation, responses={200: page}, parameters=parameters, description=description
        )
        decorated: V = extend_schema_view(get=schema)(view)
        return decorated

    return decorate


def _described(lookup: str) -> str:
    return "contains, in whatever case" if lookup.endswith("__icontains") else "equals"
