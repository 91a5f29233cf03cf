"""The fields of a form's answer: what kind of value each holds, and how it is written back. Knows no workers.

A form's answer is a JSON object as crowd elements make it. A field is named by its path through the object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FLAG, NUMBER, CHOICE, TEXT, LABELS, RANKING, APART = "flag", "number", "choice", "text", "labels", "ranking", "apart"
"""Kinds of values: true or false, a number, one of a few words, free text, several labels, an order of things, and what
is not merged."""

LONGEST_CHOICE = 60
"""A text of more characters, or of several lines, is free text."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field's value. `wrapped` says how it stood in the answer: "" plainly, else the member that held it ("label",
    "labels"), or ONE_OF; `options` are the names of a ONE_OF in their order."""

    kind: str
    value: Any
    wrapped: str = ""
    options: tuple[str, ...] = ()


ONE_OF = "one of"
"""Radio buttons: {"yes": true, "no": false} is the choice "yes"."""


def leaves(content: Mapping[str, Any]) -> dict[Path, Leaf]:
    """The fields of an answer, in its order."""
    found: dict[Path, Leaf] = {}
    _collect(content, (), found)
    return found


def written(values: Mapping[Path, Leaf]) -> dict[str, Any]:
    """The JSON object with these fields, as `leaves` reads it."""
    out: dict[str, Any] = {}
    for path, leaf in values.items():
        place = out
        for name in path[:-1]:
            place = place.setdefault(name, {})
        if leaf.kind == RANKING:
            row = {"name": path[-1], "responseRankings": list(leaf.value)}
            place.setdefault("ordinalRankingDimensions", []).append(row)
        else:
            place[path[-1]] = plain(leaf)
    return out


def name_of(path: Path) -> str:
    """A field's name for people and as the key of its figures: the names on its path, joined by dots."""
    return ".".join(path)


def _collect(content: Mapping[str, Any], path: Path, found: dict[Path, Leaf]) -> None:
    for name, value in content.items():
        here = (*path, name)
        leaf = _leaf(value)
        if leaf is not None:
            found[here] = leaf
        elif isinstance(value, Mapping) and isinstance(value.get("ordinalRankingDimensions"), list):
            _collect_rankings(value["ordinalRankingDimensions"], here, found)
        elif isinstance(value, Mapping) and value and not _drawn(value):
            _collect(value, here, found)
        else:
            found[here] = Leaf(APART, value)


def _collect_rankings(dimensions: list[Any], path: Path, found: dict[Path, Leaf]) -> None:
    for dimension in dimensions:
        ranks = dimension.get("responseRankings") if isinstance(dimension, Mapping) else None
        name = dimension.get("name") if isinstance(dimension, Mapping) else None
        if isinstance(name, str) and isinstance(ranks, list) and ranks and all(_whole(rank) for rank in ranks):
            found[*path, name] = Leaf(RANKING, tuple(ranks))


def _leaf(value: Any) -> Leaf | None:
    """The field of a value that is one, None for what holds several or is not merged."""
    if isinstance(value, bool):
        return Leaf(FLAG, value)
    if isinstance(value, int | float):
        return Leaf(NUMBER, float(value))
    if isinstance(value, str):
        return _words(value)
    if _texts(value):
        return Leaf(LABELS, frozenset(value))
    if not isinstance(value, Mapping):
        return None
    if set(value) == {"label"} and isinstance(value["label"], str):
        return Leaf(CHOICE, value["label"], "label")
    if set(value) == {"labels"} and _texts(value["labels"]):
        return Leaf(LABELS, frozenset(value["labels"]), "labels")
    if len(value) > 1 and all(isinstance(one, bool) for one in value.values()) and sum(value.values()) == 1:
        return Leaf(CHOICE, next(name for name, one in value.items() if one), ONE_OF, tuple(value))
    return None


def _words(text: str) -> Leaf:
    short = len(text) <= LONGEST_CHOICE and "\n" not in text
    return Leaf(CHOICE if short else TEXT, text)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _drawn(value: Mapping[str, Any]) -> bool:
    """Whether it is the value of an element that draws, which comes with lists of shapes or with a picture."""
    return any(isinstance(one, list) and one and isinstance(one[0], Mapping) for one in value.values()) or any(
        name in value for name in ("labeledImage", "inputImageProperties")
    )


def plain(leaf: Leaf) -> Any:
    """A field's value as it stands in an answer."""
    if leaf.wrapped == ONE_OF:
        return {name: name == leaf.value for name in (*leaf.options, *{leaf.value}.difference(leaf.options))}
    value: Any = leaf.value
    if leaf.kind == LABELS:
        value = sorted(leaf.value)
    elif leaf.kind == RANKING:
        value = list(leaf.value)
    elif leaf.kind == NUMBER:
        value = int(leaf.value) if float(leaf.value).is_integer() else leaf.value
    return {leaf.wrapped: value} if leaf.wrapped else value


def kind_of(given: Iterable[Leaf]) -> str:
    """The kind of a field of which these values are known: that of most of them; short words among free text are text.

    Two kinds alike often: APART.
    """
    kinds = [leaf.kind for leaf in given]
    if set(kinds) == {CHOICE, TEXT}:
        return TEXT
    most = sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))
    return APART if len(most) > 1 and kinds.count(most[0]) == kinds.count(most[1]) else most[0]
