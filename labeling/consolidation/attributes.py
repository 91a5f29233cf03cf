"""What becomes of the attributes of merged shapes: of classes the majority, of numbers the median, of texts what the
most trusted worker said.

Works on the explanation of a consolidation, whose members have what each worker said. A pure function: the order of
answers changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from labeling.formats import label_attributes
from labeling.formats.label_attributes import CLASS, KEY, NUMBER, TEXT, Declared, Value

MAJORITY, MEDIAN, TRUSTED = "majority", "median", "most trusted worker"
"""How an attribute of a merged shape was settled, in the explanation's words."""

_HOW = {CLASS: MAJORITY, NUMBER: MEDIAN, TEXT: TRUSTED}


@dataclass(frozen=True, slots=True)
class Said:
    """What one worker said of an attribute. `trust` is what is known of the worker (the share of things they find),
    `nearness` how like their shape is to the merged one, which counts among workers of the same trust."""

    worker: str
    value: Value
    trust: float
    nearness: float


def settle(
    rows: Sequence[dict[str, Any]],
    clusters: Sequence[dict[str, Any]],
    *,
    declared: Declared,
    trust: Mapping[str, float],
    nearness: str,
    undeclared: bool = False,
) -> None:
    """Write the attributes of merged shapes into the rows of a label, and how they came about into their clusters.

    Each row has a `label` and the `cluster` it was made of (None: of none, and it stays as it is); `nearness` is the
    member of a cluster's members that says how like their shape is to the merged one. What is not declared for the
    label is dropped; with `undeclared`, for earlier labels that people adjust, it is settled as its values are: numbers
    as such, texts as classes.
    """
    for row in rows:
        cluster = None if row.get("cluster") is None else clusters[row["cluster"]]
        if cluster is None or not any(KEY in member for member in cluster["members"]):
            continue
        given = _given(cluster["members"], trust, nearness)
        kinds = {one.name: one.kind for one in declared.of(row["label"])}
        found: dict[str, dict[str, Any]] = {}
        for name in sorted(given):
            # What somebody said of another label, or of one that has changed since, may be no value of this one.
            said = [
                one for one in given[name] if name not in kinds or declared.known(row["label"], ((name, one.value),))
            ]
            if said and (name in kinds or undeclared):
                found[name] = _settled(said, kinds.get(name))
        if found:
            row |= label_attributes.written(tuple((name, one["value"]) for name, one in found.items()))
            cluster["attributes"] = found


def _given(members: Sequence[Mapping[str, Any]], trust: Mapping[str, float], nearness: str) -> dict[str, list[Said]]:
    given: dict[str, list[Said]] = {}
    for member in members:
        worker = member["worker"]
        for name, value in member.get(KEY, {}).items():
            given.setdefault(name, []).append(Said(worker, value, trust.get(worker, 0.0), member[nearness]))
    return given


def _settled(said: Sequence[Said], kind: str | None) -> dict[str, Any]:
    """The value, how it was settled, and how many workers of those who said anything said the same."""
    if kind is None:
        kind = NUMBER if all(not isinstance(one.value, str) for one in said) else CLASS
    ordered = sorted(said, key=lambda one: (-one.trust, -one.nearness, one.worker, str(one.value)))
    if kind == NUMBER:
        numbers = [one.value for one in said if not isinstance(one.value, str)]
        value: Value = median(numbers)
        value = int(value) if all(isinstance(one, int) for one in numbers) and value == int(value) else value
    elif kind == CLASS:
        votes = Counter(one.value for one in ordered)
        # `max` keeps the first of equals: of choices with as many votes that of the most trusted worker.
        value = max(votes, key=lambda choice: votes[choice])
    else:
        value = ordered[0].value
    agreed = sum(one.value == value for one in said)
    return {"value": value, "how": _HOW[kind], "agreed": agreed, "of": len(said)}
