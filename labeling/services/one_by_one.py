"""One bad object fails alone: errors that its own values cause are caught, and all others are let through.

Whether the database, the store or the memory gave out is never a property of one object, so such errors are not caught.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

log = logging.getLogger(__name__)

OF_ONE_OBJECT = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What reading, consolidating or writing the values of one object raises when they are not what they should be."""

MOST_CHARACTERS = 300

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Failure:
    """Why there is no result for an object."""

    reason: str


def reason_of(error: BaseException) -> str:
    """The error in one line that can be stored; its kind is named when its text says little."""
    text = " ".join(str(error).replace("\x00", "\ufffd").split())
    return (text if " " in text else f"{type(error).__name__} {text}".strip())[:MOST_CHARACTERS]


def results(
    items: Sequence[Item], work: Callable[[Sequence[Item]], Sequence[Result]], *, doing: str
) -> list[Result | Failure]:
    """`work` on all items at once; if that fails, on each alone, so that only those fail that fail alone too.

    `doing` is what the work does, for the log.
    """
    if not items:
        return []
    try:
        return list(work(items))
    except OF_ONE_OBJECT:
        log.exception("%s of %d objects at once failed; each is tried alone", doing, len(items))
    return [_alone(item, work) for item in items]


def _alone(item: Item, work: Callable[[Sequence[Item]], Sequence[Result]]) -> Result | Failure:
    try:
        (result,) = work([item])
    except OF_ONE_OBJECT as error:
        return Failure(reason_of(error))
    return result
