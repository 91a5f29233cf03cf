"""What text, whole numbers and JSON from outside may be: the one check of pages, REST requests and commands.

Only values that a database column and a JSON answer can hold pass. Pure; knows neither requests nor settings.
"""

import json
import math
import re
from typing import Any

from marketplace.errors import Invalid
from marketplace.ranges import Range

INT64 = Range(-(2**63), 2**63 - 1)
"""Whole numbers that a bigint column holds."""

COUNTS = Range(0, 2**63 - 1)
"""Numbers of things."""

KEYS = Range(1, 2**63 - 1)
"""Primary keys."""

JSON_DEPTH = 32
"""Levels of lists and objects in a JSON document; an answer has five."""

LONGEST_PATH = 200
"""Characters of a path into a document that an error message repeats."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# A number of more digits is beyond 64 bits, and reading it takes time that grows with the square of its length.
_WHOLE = re.compile(r"-?[0-9]{1,19}")


class NotJson(ValueError):
    """The text is no JSON document, or one that is nested too deeply."""


def text_problem(text: str) -> str | None:
    """Why the text cannot be stored; None when it can. PostgreSQL holds no NUL, UTF-8 no half of a surrogate pair."""
    found = _UNSTORABLE.search(text)
    if found is None:
        return None
    return "holds a NUL character" if found[0] == "\0" else "holds half of a surrogate pair, which is no character"


def whole_number(text: str, *, allowed: Range = KEYS) -> int | None:
    """The number that the text writes with the digits 0 to 9; None for another text and for a number not `allowed`."""
    if not _WHOLE.fullmatch(text):
        return None
    number = int(text)
    return number if number in allowed else None


def read_json(raw: bytes | str) -> Any:
    """The JSON document in `raw` (UTF-8).

    Raises NotJson for what is no JSON, for NaN and Infinity, and for more than JSON_DEPTH levels; Invalid, which names
    the field by a dotted path, for a text that cannot be stored and for a number that is infinite or beyond 64 bits.
    """
    document = _parsed(raw)
    _check(document)
    return document


def _parsed(raw: bytes | str) -> Any:
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise NotJson(f"the JSON document is nested deeper than {JSON_DEPTH} levels") from None
    except UnicodeDecodeError as error:
        raise NotJson(f"the JSON document is not UTF-8: byte {error.start} is wrong") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"the JSON document is wrong: {error}") from None
    except NotJson:
        raise
    except ValueError:
        # What is left is Python's own limit for the digits of a number.
        raise NotJson("the JSON document holds a number of more digits than any field takes") from None


def _refuse_constant(name: str) -> Any:
    raise NotJson(f"the JSON document holds {name}, which is no JSON")


def _check(document: Any) -> None:
    """Walks without recursion, so that the walk itself has no limit."""
    waiting: list[tuple[str, int, Any]] = [("", 1, document)]
    while waiting:
        path, level, value = waiting.pop()
        if reason := _value_problem(value):
            raise Invalid(reason, field=path[:LONGEST_PATH] or None)
        if not isinstance(value, dict | list):
            continue
        if level > JSON_DEPTH:
            raise NotJson(f"the JSON document is nested deeper than {JSON_DEPTH} levels")
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        waiting += [(f"{path}.{name}" if path else str(name), level + 1, part) for name, part in inner]


def _value_problem(value: Any) -> str | None:
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, float):
        return None if math.isfinite(value) else "a number too large for any field found"
    if isinstance(value, int) and not isinstance(value, bool):
        return None if value in INT64 else "a whole number beyond 64 bits found"
    if isinstance(value, dict):
        # The name itself is not repeated: the answer could not be written.
        return next((f"a name {problem}" for name in value if (problem := text_problem(name))), None)
    return None
