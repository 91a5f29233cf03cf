"""The figures and the stuck things of every room, together: for `/metrics` and for the operator's page."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from django.db import DatabaseError

from frontend import automation
from labeling.services import figures as of_labeling
from marketplace import metrics
from marketplace.services import figures as of_marketplace
from marketplace.stuck import KINDS, Stuck

T = TypeVar("T")
log = logging.getLogger(__name__)


def found(things: Sequence[Stuck]) -> metrics.Found:
    """Every figure, also of these stuck things. Without the database only which parts work."""
    figures = [of_marketplace.parts_up()]
    figures += _each((of_marketplace.found, of_labeling.found, *automation.figures()))
    return [*figures, (metrics.STUCK, {(kind,): float(sum(one.what == kind for one in things)) for kind in KINDS})]


def stuck_things() -> list[Stuck]:
    """Everything that does not go on by itself, what has waited longest first."""
    things = _each((of_marketplace.stuck_things, of_labeling.stuck_things, *automation.stuck_things()))
    return sorted(things, key=lambda one: (one.since is None, one.since.timestamp() if one.since else 0.0))


def _each(asked: Iterable[Callable[[], list[T]]]) -> list[T]:
    """What all of these find; one that the database does not answer finds nothing, and the log says so."""
    found: list[T] = []
    for ask in asked:
        try:
            found += ask()
        except DatabaseError as error:
            log.warning("%s.%s: %s", ask.__module__, ask.__name__, str(error).strip().partition("\n")[0])
    return found
