"""One field of one object: the value that follows from several workers' values, by the kind of the field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.classes import tags, votes
from labeling.consolidation.fields import numbers, ranking
from labeling.consolidation.fields.leaves import CHOICE, FLAG, LABELS, NUMBER, RANKING, TEXT, Leaf
from labeling.consolidation.fields.models import FieldModels
from labeling.consolidation.stopping import Decision, Stopping

YES, NO = "true", "false"
LONGEST_COMPARED = 2_000
"""Characters of free texts that are compared."""

FIGURES = ("confidence_low", "confidence_high")


@dataclass(frozen=True, slots=True)
class Merged:
    """`leaf` is None where no value follows. `figures` are plain JSON: confidence and what else belongs to the kind;
    `agrees` says for each worker who gave the field whether it is theirs."""

    leaf: Leaf | None
    confidence: float
    figures: dict[str, Any]
    agrees: dict[str, bool]


def merge(kind: str, given: Sequence[WorkerAnswer[Leaf]], known: FieldModels, labels: Sequence[str]) -> Merged:
    """The field's value from the values `given`, all of `kind`; `labels` are the job's."""
    if kind in (CHOICE, FLAG):
        return _choice(given, known, labels)
    if kind == LABELS:
        return _labels(given, known, labels)
    if kind == NUMBER:
        return _number(given, known)
    if kind == RANKING:
        return _ranking(given, known)
    return _text(given)


def doubt(kind: str, given: Sequence[WorkerAnswer[Leaf]], known: FieldModels, labels: Sequence[str]) -> Decision | None:
    """Expected loss and gain of one more answer for the field; None for free text, which no answer makes surer."""
    free = Stopping(max_answers=len(given) + 1, min_answers=1)
    if kind in (CHOICE, FLAG):
        asked = options(given, known, labels)
        return votes.should_ask_more(_words(given), labels=asked, rule=free, workers=known.votes)
    if kind == LABELS:
        asked = options(given, known, labels)
        sets = [with_value(one, one.value.value) for one in given]
        return tags.should_ask_more(sets, labels=asked, rule=free, workers=known.votes)
    if kind in (NUMBER, RANKING):
        sure = merge(kind, given, known, labels).confidence
        # The doubt of a mean falls with the number of answers.
        return Decision(True, len(given), 1 - sure, (1 - sure) / (len(given) + 1), "")
    return None


def options(given: Sequence[WorkerAnswer[Leaf]], known: FieldModels, labels: Sequence[str]) -> tuple[str, ...]:
    """What a choice is among: the job's labels where any value is one of them, else every value that was ever given."""
    values = {word for one in given for word in words(one.value)} | set(known.values)
    if any(value in labels for value in values):
        return tuple(labels)
    offered = {name for one in given for name in one.value.options}
    return tuple(sorted(values | offered))


def words(leaf: Leaf) -> tuple[str, ...]:
    """The words that a choice, a flag or labels consist of."""
    if leaf.kind == FLAG:
        return (YES if leaf.value else NO,)
    if leaf.kind == LABELS:
        return tuple(sorted(leaf.value))
    return (leaf.value,) if leaf.kind == CHOICE else ()


def likeness(one: Leaf, other: Leaf) -> float:
    """How alike two values of a field are, 1 for the same, 0 for nothing in common or another kind."""
    if one.kind == NUMBER == other.kind:
        apart = abs(one.value - other.value)
        return 1 / (1 + 10 * apart / max(abs(one.value), abs(other.value))) if apart else 1.0
    if one.kind == LABELS == other.kind:
        union = one.value | other.value
        return len(one.value & other.value) / len(union) if union else 1.0
    if one.kind == RANKING == other.kind and len(one.value) == len(other.value):
        agreed, pairs = ranking.agreement_counts(one.value, other.value)
        return agreed / pairs if pairs else 1.0
    if TEXT in (one.kind, other.kind) and {one.kind, other.kind} <= {TEXT, CHOICE}:
        return _text_likeness(one.value, other.value)
    return float(one.kind == other.kind and one.value == other.value)


def with_value(answer: WorkerAnswer[Any], value: Any) -> WorkerAnswer[Any]:
    """The same worker's answer with another value."""
    return WorkerAnswer(answer.worker, value, answer.revision)


def _words(given: Sequence[WorkerAnswer[Leaf]]) -> list[WorkerAnswer[str]]:
    return [with_value(one, words(one.value)[0]) for one in given]


def _choice(given: Sequence[WorkerAnswer[Leaf]], known: FieldModels, labels: Sequence[str]) -> Merged:
    asked = options(given, known, labels)
    found = votes.consolidate(_words(given), labels=asked, workers=known.votes)
    like = next((one.value for one in given if words(one.value) == (found.label,)), None)
    figures = {"chances": found.explanation["chances"], **_interval(found.explanation, found.confidence)}
    agrees = {one.worker: words(one.value) == (found.label,) for one in given}
    return Merged(like, found.confidence, figures, agrees)


def _labels(given: Sequence[WorkerAnswer[Leaf]], known: FieldModels, labels: Sequence[str]) -> Merged:
    asked = options(given, known, labels)
    sets = [with_value(one, one.value.value) for one in given]
    found = tags.consolidate(sets, labels=asked, workers=known.votes)
    kept = frozenset(found.labels)
    figures = {"chances": found.explanation["chances"], **_interval(found.explanation, found.confidence)}
    leaf = replace(given[0].value, value=kept)
    return Merged(leaf, found.confidence, figures, {one.worker: one.value.value == kept for one in given})


def _number(given: Sequence[WorkerAnswer[Leaf]], known: FieldModels) -> Merged:
    found = numbers.consolidate([with_value(one, one.value.value) for one in given], workers=known.numbers)
    if found.value is None or found.low is None or found.high is None:
        return Merged(None, 0.0, {}, {})
    whole = all(float(one.value.value).is_integer() for one in given)
    value = float(round(found.value)) if whole else round(found.value, 6)
    figures = {"value": round(found.value, 6), "low": round(found.low, 6), "high": round(found.high, 6)}
    agrees = {one.worker: found.low <= one.value.value <= found.high for one in given}
    return Merged(Leaf(NUMBER, value), found.confidence, figures | _interval({}, found.confidence), agrees)


def _ranking(given: Sequence[WorkerAnswer[Leaf]], known: FieldModels) -> Merged:
    found = ranking.consolidate([with_value(one, one.value.value) for one in given], workers=known.ranks)
    if found.ranks is None:
        return Merged(None, 0.0, {}, {})
    figures = {"strengths": list(found.strengths), **_interval({}, found.confidence)}
    agrees = {one.worker: one.value.value == found.ranks for one in given}
    return Merged(Leaf(RANKING, found.ranks), found.confidence, figures, agrees)


def _text(given: Sequence[WorkerAnswer[Leaf]]) -> Merged:
    """The text most like the others; of equals the first in alphabetical order. Its confidence is that likeness."""
    if len(given) == 1:
        return Merged(given[0].value, 0.0, {}, {given[0].worker: True})
    mean = {
        place: sum(_text_likeness(one.value.value, other.value.value) for at, other in enumerate(given) if at != place)
        / (len(given) - 1)
        for place, one in enumerate(given)
    }
    best = min(mean, key=lambda place: (-round(mean[place], 9), str(given[place].value.value), given[place].worker))
    chosen = given[best].value
    agrees = {one.worker: one.value.value == chosen.value for one in given}
    return Merged(chosen, round(mean[best], 4), {"likeness": round(mean[best], 4)}, agrees)


def _text_likeness(one: str, other: str) -> float:
    a, b = (" ".join(text[:LONGEST_COMPARED].casefold().split()) for text in (one, other))
    return 1.0 if a == b else SequenceMatcher(None, min(a, b), max(a, b), autojunk=False).ratio()


def _interval(explanation: dict[str, Any], confidence: float) -> dict[str, float]:
    return {name: explanation.get(name, confidence) for name in FIGURES}
