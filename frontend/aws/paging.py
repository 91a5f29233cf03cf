"""Lists: pages by NextToken, sort orders and filters. A token serves only the list that gave it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import Model, Q, QuerySet

from frontend.aws.errors import VALIDATION, AwsError
from frontend.aws.registry import Call

PAGE = 10
"""Rows of a page whose size is not given, as AWS has it."""

ASCENDING, DESCENDING = "Ascending", "Descending"
_PLACE = ("NextToken", "MaxResults")


@dataclass(frozen=True)
class Page:
    """The rows of one page and the token of the next, None at the end."""

    rows: list[Any]
    token: str | None

    def members(self, name: str, rows: list[Any]) -> dict[str, Any]:
        """The members of a list's output: the rendered rows under `name`, and NextToken."""
        return {name: rows, "NextToken": self.token}


def page(call: Call, rows: QuerySet[Any], *, by: str = "created_at", descending: bool = False) -> Page:
    """The page of `rows` that the call asks for, in the order of the column `by` and then of the primary key.

    Raises AwsError (ValidationException) for a token that this list, with these filters, has not given.
    """
    size = call.members.get("MaxResults") or PAGE
    token = call.members.get("NextToken")
    if token is not None:
        rows = rows.filter(_after(by, *_opened(call, token), descending))
    sign = "-" if descending else ""
    found = list(rows.order_by(f"{sign}{by}", f"{sign}pk")[: size + 1])
    if len(found) <= size:
        return Page(found, None)
    last = found[size - 1]
    return Page(found[:size], _sealed(call, _value(last, by), last.pk))


def parts(call: Call, rows: list[Any], *, size: int = PAGE) -> Page:
    """The page of a list that is short and complete in memory, in its order."""
    size = call.members.get("MaxResults") or size
    token = call.members.get("NextToken")
    begin = int(_opened(call, token)[1]) if token is not None else 0
    found = rows[begin : begin + size]
    more = begin + size < len(rows)
    return Page(found, _sealed(call, "", begin + size) if more else None)


def descending(call: Call, default: str) -> bool:
    """Whether the call wants the last first."""
    return bool(call.members.get("SortOrder", default) == DESCENDING)


def filtered(call: Call, rows: QuerySet[Any], columns: Mapping[str, str]) -> QuerySet[Any]:
    """The rows that the call's filters leave: member of the input -> lookup of the column, for those that are given."""
    given = {lookup: call.members[name] for name, lookup in columns.items() if call.members.get(name) is not None}
    return rows.filter(**given)


def _after(by: str, value: Any, pk: int, descending: bool) -> Q:
    side = "lt" if descending else "gt"
    return Q(**{f"{by}__{side}": value}) | Q(**{by: value, f"pk__{side}": pk})


def _value(row: Model, by: str) -> Any:
    found: Any = row
    for part in by.split("__"):
        found = getattr(found, part)
    return found


def _salt(call: Call) -> str:
    """What makes the tokens of a list its own: the operation, the account, and every member but the place."""
    members = {name: value for name, value in call.members.items() if name not in _PLACE}
    text = json.dumps(members, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return f"{call.operation.service_model.service_name}.{call.operation.name}.{call.account.pk}.{digest}"


def _sealed(call: Call, value: Any, pk: int) -> str:
    moment = isinstance(value, datetime)
    return signing.dumps([value.isoformat() if moment else value, moment, pk], salt=_salt(call))


def _opened(call: Call, token: str) -> tuple[Any, int]:
    try:
        value, moment, pk = signing.loads(token, salt=_salt(call))
    except signing.BadSignature:
        raise AwsError(VALIDATION, "The NextToken is not one that this list gave: begin again without it") from None
    return datetime.fromisoformat(value) if moment else value, pk
