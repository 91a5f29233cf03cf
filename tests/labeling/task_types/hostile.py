"""Hostile values, and every way to put one into a JSON document."""

import copy
from collections.abc import Iterator
from typing import Any


def nested(depth: int, *, objects: bool = False) -> Any:
    """Lists, or objects, so deep in each other."""
    value: Any = 1
    for _ in range(depth):
        value = {"x": value} if objects else [value]
    return value


VALUES: dict[str, Any] = {
    "65 bits": 2**64,
    "400 digits": 10**400,
    "minus 400 digits": -(10**400),
    "5,000 digits": 10**5000,
    "10^12": 10**12,
    "largest float": 1e308,
    "smallest float": 5e-324,
    "infinity": float("inf"),
    "not a number": float("nan"),
    "negative": -7,
    "zero": 0,
    "true": True,
    "null": None,
    "text": "x",
    "digits as text": "9" * 5000,
    "exponent as text": "1e999",
    "superscript": "²",
    "NUL": "a\x00b",
    "surrogate": "a\ud800b",
    "list": [],
    "object": {},
    "300 lists": nested(300),
    "900 lists": nested(900),
    "3,000 lists": nested(3000),
    "300 objects": nested(300, objects=True),
    "list of 65 bits": [2**64],
}


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every member of the document, and of one more, unknown member of every object."""
    members = document.items() if isinstance(document, dict) else enumerate(document)
    if isinstance(document, dict):
        yield (*path, "unknown")
    for key, value in list(members):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of the document with this value at the path."""
    copied = copy.deepcopy(document)
    at = copied
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return copied


def keys(document: Any) -> set[str]:
    """All names of members, at any depth."""
    if isinstance(document, list):
        return set().union(*map(keys, document)) if document else set()
    if isinstance(document, dict):
        return set(document).union(*map(keys, document.values()))
    return set()
