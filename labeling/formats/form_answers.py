"""Answers of forms that requesters design: any JSON object within limits, rebuilt member by member.

Knows nothing of what the fields mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling.formats.answers import AnswerError

MAX_DEPTH = 32
MAX_VALUES = 50_000
MAX_NAME = 1_000
MAX_TEXT = 1_000_000
"""Characters of one text: masks are sent as text."""
MAX_NUMBER = 2**53


def read_form(content: Any) -> dict[str, Any]:
    """The answer as new plain JSON. Raises AnswerError naming the member that cannot be stored."""
    if not isinstance(content, Mapping):
        raise AnswerError("form", "an object expected")
    if not content:
        raise AnswerError("form", "the answer is empty")
    left = [MAX_VALUES]
    return {_name(key): _value(item, str(key), 1, left) for key, item in content.items()}


def _name(key: Any) -> str:
    if not isinstance(key, str) or len(key) > MAX_NAME:
        raise AnswerError(str(key)[:60], f"a name of at most {MAX_NAME:,} characters expected")
    return _text(key, key[:60])


def _value(value: Any, path: str, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise AnswerError(path[:200], f"the answer holds more than {MAX_VALUES:,} values")
    if depth > MAX_DEPTH:
        raise AnswerError(path[:200], f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        return {_name(key): _value(item, f"{path}.{key}", depth + 1, left) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_value(item, f"{path}[{place}]", depth + 1, left) for place, item in enumerate(value)]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not abs(value) <= MAX_NUMBER:  # which NaN is not, either
            raise AnswerError(path[:200], "a finite number of at most 2^53 expected")
        return value
    if isinstance(value, str):
        return _text(value, path)
    raise AnswerError(path[:200], f"JSON expected, found {type(value).__name__}")


def _text(text: str, path: str) -> str:
    if len(text) > MAX_TEXT:
        raise AnswerError(path[:200], f"{len(text):,} characters, at most {MAX_TEXT:,} expected")
    if "\0" in text:
        raise AnswerError(path[:200], "holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise AnswerError(path[:200], "holds half of a surrogate pair") from None
    return text
