"""Of what there are events: the rooms name their machines, and how AWS calls and describes their changes.

Pure: it knows neither models nor what is done with an event.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class EventKind:
    """What the changes of one machine's rows are called, and how one is described. `subject`: stored, so never changed.

    `detail_type` and `detail(row, status)` in AWS's words; `arn(row)` is the resource. Rows have an `account`.
    """

    subject: str
    detail_type: str
    arn: Callable[[Any], str]
    detail: Callable[[Any, str], dict[str, Any]]


KINDS: dict[str, tuple[EventKind, tuple[str, ...]]] = {}
"""By the type of the subject: what its events are, and the states that it may have."""


TEXTS: set[str] = set()
"""What destinations are sent besides events, as texts of their own: named like detail-types, and chosen with them."""


def detail_types() -> list[str]:
    """The detail-types of all events, and what texts are called, in the order of the alphabet."""
    return sorted({kind.detail_type for kind, _ in KINDS.values()} | TEXTS)


def statuses() -> list[str]:
    """The states that events can be about, in the order of the alphabet."""
    return sorted({state for _, states in KINDS.values() for state in states})


def milliseconds(moment: datetime | None) -> int | None:
    """A moment as AWS's events have most of them: milliseconds since 1970; None for none."""
    return None if moment is None else int(moment.timestamp() * 1000)


def iso(moment: datetime) -> str:
    """A moment in UTC with milliseconds: 2019-11-14T17:37:36.740Z."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
