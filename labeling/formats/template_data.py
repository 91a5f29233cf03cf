"""What templates see of JSON: objects and arrays that print as JSON, and values that are not there.

A value that is not there prints as nothing, as Liquid has it, and is noted with its line and the keys there are:
templates ask on purpose whether a key is there, so a note is no error. It must not know filters or tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import orjson
from liquid import Token, Undefined
from liquid.exceptions import LiquidError

MAX_NOTES = 100
_MAX_KEYS_NAMED = 20
_MAX_KEYS_COMPARED = 200
_MAX_WRITTEN = 200


@dataclass(frozen=True, slots=True)
class Note:
    """Something a render left empty or left out; `line` is 1-based, None where it is not known."""

    line: int | None
    problem: str


_notes: ContextVar[dict[Any, Missing]] = ContextVar("notes")


def start() -> None:
    """Forget the notes of an earlier render in this thread or task."""
    _notes.set({})


def notes() -> tuple[Note, ...]:
    """What the render since `start` did not find, in the order of lines."""
    found = [Note(line_of(one.token), one.why) for one in _notes.get().values()]
    return tuple(sorted(found, key=lambda note: note.line or 0))


class Missing(Undefined):
    """A value that the data does not have. `obj` is what leads to it: (path, holder, depth), see `why_missing`."""

    __slots__ = ()

    @property
    def why(self) -> str:
        """What is missing, and what there is."""
        return why_missing(*self.obj) if isinstance(self.obj, tuple) else f"{self.name[:_MAX_WRITTEN]!r} is not defined"

    def __str__(self) -> str:
        self.noted()
        return ""

    def items(self) -> Any:
        """Of a loop: there is nothing to go through."""
        self.noted()
        return ()

    def noted(self) -> None:
        """Add it to the notes of this render, once for each place."""
        notes = _notes.get()
        if len(notes) < MAX_NOTES:
            notes.setdefault((self.token.start_index if self.token else None, self.name), self)


def line_of(token: Token | None) -> int | None:
    """The 1-based line of a token of a template."""
    found = LiquidError("", token=token).context() if token is not None else None
    return found[0] if found else None


def why_missing(path: list[Any], holder: Any, depth: int) -> str:
    """Why `path` leads nowhere: `holder` is what its first `depth` segments lead to."""
    key = path[depth]
    if depth == 0:
        return f"there is no variable {str(key)[:_MAX_WRITTEN]!r}"
    where = written(path[:depth])
    if isinstance(holder, Mapping):
        keys = [str(one) for one in holder]
        told = f"{where} has no key {str(key)[:_MAX_WRITTEN]!r}; "
        told += f"it has {listed(keys)}" if keys else "it is an empty object"
        near = get_close_matches(str(key)[:60], keys[:_MAX_KEYS_COMPARED], n=1)
        return told + (f". Was {near[0]!r} meant?" if near else "")
    if isinstance(holder, list | tuple):
        return f"{where} is a list of {len(holder)}, it has no item {key!r}"
    if holder is None:
        return f"{where} is null, so it has no {key!r}"
    return f"{where} is {'a text' if isinstance(holder, str) else 'no object'}, so it has no {key!r}"


def written(path: list[Any]) -> str:
    """A path as a template writes it, at most 200 characters of it."""
    text = str(path[0])
    for one in path[1:]:
        plain = isinstance(one, str) and one.replace("-", "a").replace("_", "a").isalnum() and not one[0].isdigit()
        text += f".{one}" if plain else f"[{one!r}]"
    return text[:_MAX_WRITTEN]


def listed(keys: list[str]) -> str:
    """Keys for a message: the first 20 of them."""
    named = ", ".join(key[:60] for key in keys[:_MAX_KEYS_NAMED])
    return named + (f" and {len(keys) - _MAX_KEYS_NAMED} more" if len(keys) > _MAX_KEYS_NAMED else "")


def to_json(value: Any) -> str:
    """JSON that can stand inside a script element as well: `</script>` and entities cannot appear in it."""
    text = orjson.dumps(value, default=_jsonable, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, tuple | range):
        return list(value)
    if isinstance(value, str):
        return str.__str__(value)
    return None  # an undefined variable


class Object(dict[str, Any]):
    """A JSON object as Liquid expects hashes: loops see [key, value] pairs, printing gives JSON."""

    def __missing__(self, key: Any) -> Any:
        # class-map[class_id] with a number: JSON keys are always strings
        if isinstance(key, int) and not isinstance(key, bool) and str(key) in self:
            return self[str(key)]
        raise KeyError(key)

    def items(self) -> Any:
        """Pairs that print as JSON."""
        return _Pairs(self)

    def __str__(self) -> str:
        return to_json(self)


class _Pairs:
    def __init__(self, holder: Mapping[str, Any]) -> None:
        self._holder = holder

    def __iter__(self) -> Iterator[Array]:
        return (Array((key, self._holder[key])) for key in self._holder)

    def __len__(self) -> int:
        return len(self._holder)


class Array(tuple[Any, ...]):
    """A JSON array that prints as JSON (a plain list would print as its items run together)."""

    __slots__ = ()

    def __str__(self) -> str:
        return to_json(self)


def plain(value: Any) -> Any:
    """JSON data as templates see it. Raises TypeError for anything else, RecursionError when nested too deeply."""
    if isinstance(value, Mapping):
        return Object((str(key), plain(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return Array(plain(item) for item in value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"task input must be JSON data, found {type(value).__name__}")
