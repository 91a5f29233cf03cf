"""The consensus of forms: each field of the answers is merged by its kind, and the merged fields make one answer.

Choices and flags are votes, labels are tags, numbers are robust means, rankings are Bradley & Terry's, of free texts
the one most like the others is taken. What is drawn in a form, and lists of other things, are not merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.consolidation.answers import (
    ObjectAnswers,
    WorkerAnswer,
    latest_answers,
    require_distinct,
    require_rereadable,
)
from labeling.consolidation.classes import tags, votes
from labeling.consolidation.fields import merging, numbers, ranking
from labeling.consolidation.fields.leaves import (
    APART,
    CHOICE,
    FLAG,
    LABELS,
    NUMBER,
    RANKING,
    TEXT,
    Leaf,
    Path,
    kind_of,
    leaves,
    name_of,
    written,
)
from labeling.consolidation.fields.merging import with_value
from labeling.consolidation.fields.models import FieldModels, FormWorkers
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.workers.skills import SkillRow

ALGORITHM = "forms/1"
"""The version that labels are stored with. Results that differ need another version."""

MOST_CHOICES = 50
"""A field of short texts with more different values than this in a job holds free text."""

FormAnswer = WorkerAnswer[Mapping[str, Any]]
ObjectForms = ObjectAnswers[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ConsolidatedForm:
    """`content` is the merged answer, as a crowd element would give it; empty where nothing could be merged.

    `confidences` are those of its fields by name, of a free text its likeness to the others. `confidence` is that of
    the least sure field, free texts left out; None where there is none.
    """

    content: dict[str, Any]
    confidences: dict[str, float]
    confidence: float | None
    explanation: dict[str, Any]
    algorithm: str


def consolidate(
    answers: Sequence[FormAnswer], *, labels: Sequence[str], workers: FormWorkers | None = None
) -> ConsolidatedForm:
    """The merged form of one object. A field that fewer than half of the workers gave is left out.

    Where a field's values are among `labels`, other values of it are ignored. Raises ValueError for repeated labels.
    """
    require_distinct(labels)
    models, latest = workers or FormWorkers(), _latest(answers)
    values: dict[Path, Leaf] = {}
    fields: dict[str, Any] = {}
    sure: list[tuple[float, float, float]] = []
    confidences: dict[str, float] = {}
    for path, (kind, given) in _fields(latest, models).items():
        told: dict[str, Any] = {"kind": kind, "given_by": len(given)}
        if kind == APART or 2 * len(given) < len(latest):
            told["left_out"] = "not merged" if kind == APART else "given by less than half of the workers"
            fields[name_of(path)] = told
            continue
        known = models.fields.get(path, FieldModels(kind))
        merged = merging.merge(kind, given, known, labels)
        told |= {"confidence": merged.confidence, **merged.figures}
        told["workers"] = [{"worker": name, "outvoted": not same} for name, same in sorted(merged.agrees.items())]
        fields[name_of(path)] = told
        if merged.leaf is None:
            told["left_out"] = "no value of this job"
            continue
        values[path], confidences[name_of(path)] = merged.leaf, merged.confidence
        if kind != TEXT:
            sure.append((merged.confidence, *(merged.figures[name] for name in merging.FIGURES)))
    least = min(sure, default=None)
    explanation = {
        "algorithm": ALGORITHM,
        "confidence_low": least[1] if least else None,
        "confidence_high": least[2] if least else None,
        "workers": [one.worker for one in latest],
        "fields": fields,
    }
    return ConsolidatedForm(written(values), confidences, least[0] if least else None, explanation, ALGORITHM)


def fit_workers(objects: Iterable[ObjectForms], *, labels: Sequence[str]) -> FormWorkers:
    """Learn each field's kind and its workers from the answers of a job. Raises ValueError for an iterator."""
    require_rereadable(objects)
    read = [[with_value(one, leaves(one.value)) for one in _latest(some.answers)] for some in objects]
    kinds: dict[Path, list[Leaf]] = {}
    for answers in read:
        for answer in answers:
            for path, leaf in answer.value.items():
                kinds.setdefault(path, []).append(leaf)
    learned = FormWorkers()
    for path, given in sorted(kinds.items()):
        known = FieldModels(_settled(given))
        of_kind = [_of_kind(answers, path, known.kind) for answers in read]
        known.values = tuple(sorted({word for some in of_kind for one in some for word in merging.words(one.value)}))
        learned.fields[path] = _fitted(known, of_kind, labels)
    return learned


def should_ask_more(
    answers: Sequence[FormAnswer], *, labels: Sequence[str], rule: Stopping, workers: FormWorkers | None = None
) -> Decision:
    """Whether one more answer is worth having: the loss is of the least certain field, the gain is on it.

    Where there are free texts alone, every object gets the most answers: none of them says that there are enough.
    """
    models, latest = workers or FormWorkers(), _latest(answers)
    doubts = []
    for path, (kind, given) in _fields(latest, models).items():
        if kind != APART and 2 * len(given) >= len(latest):
            doubts.append(merging.doubt(kind, given, models.fields.get(path, FieldModels(kind)), labels))
    told = [one for one in doubts if one is not None]
    if not told:
        return decide(rule, answers=len(latest), loss=1.0, gain=1.0)
    worst = max(told, key=lambda one: one.expected_loss)
    return decide(rule, answers=len(latest), loss=worst.expected_loss, gain=worst.expected_gain)


def skill_rows(models: FormWorkers, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all choices, flags, labels and pairs of rankings; none are kept by label."""
    total: dict[str, list[float]] = {}
    for known in models.fields.values():
        rows: list[SkillRow] = []
        if known.kind in (CHOICE, FLAG):
            rows = [row for row in votes.skill_rows(known.votes, known.values) if not row.label]
        elif known.kind == LABELS:
            rows = [row for row in tags.skill_rows(known.votes, known.values) if not row.label]
        elif known.kind == RANKING:
            rows = [SkillRow(w, "", 0.0, n, known.ranks.pairs[w], 0.0, 0.0) for w, n in known.ranks.agreed.items()]
        for row in rows:
            counts = total.setdefault(row.worker, [0.0] * 5)
            counts[0] = max(counts[0], row.answers)
            for place, value in enumerate(
                (row.found, row.chances, row.false_positives, row.false_positive_chances), start=1
            ):
                counts[place] += value
    return [SkillRow(worker, "", *counts) for worker, counts in sorted(total.items())]


def _latest(answers: Iterable[FormAnswer]) -> list[FormAnswer]:
    return latest_answers(answers, lambda content: repr(sorted(content.items(), key=lambda item: item[0])))


def _fields(latest: Sequence[FormAnswer], models: FormWorkers) -> dict[Path, tuple[str, list[WorkerAnswer[Leaf]]]]:
    """Each field's kind, and the values of it that are of that kind, fields sorted by path."""
    read = [with_value(one, leaves(one.value)) for one in latest]
    paths: list[Path] = sorted({path for one in read for path in one.value})
    found: dict[Path, tuple[str, list[WorkerAnswer[Leaf]]]] = {}
    for path in paths:
        here = [one.value[path] for one in read if path in one.value]
        kind = models.fields[path].kind if path in models.fields else kind_of(here)
        found[path] = (kind, _of_kind(read, path, kind))
    return found


def _of_kind(read: Sequence[WorkerAnswer[Any]], path: Path, kind: str) -> list[WorkerAnswer[Leaf]]:
    """The values of the field that are of its kind; short words count as free text where the field holds that."""
    out = []
    for one in read:
        leaf = one.value.get(path)
        if leaf is not None and (leaf.kind == kind or (kind == TEXT and leaf.kind == CHOICE)):
            out.append(with_value(one, leaf))
    return out


def _settled(given: Sequence[Leaf]) -> str:
    """The kind of a field over a job."""
    kind = kind_of(given)
    if kind != CHOICE:
        return kind
    counts = Counter(leaf.value for leaf in given)
    return TEXT if len(counts) > MOST_CHOICES else CHOICE


def _fitted(known: FieldModels, given: Sequence[list[WorkerAnswer[Leaf]]], labels: Sequence[str]) -> FieldModels:
    asked = merging.options([one for some in given for one in some], known, labels)
    if known.kind in (CHOICE, FLAG):
        said = [ObjectAnswers(tuple(with_value(one, merging.words(one.value)[0]) for one in some)) for some in given]
        known.votes = votes.fit_workers(said, labels=asked)
        return known
    plain = [ObjectAnswers(tuple(with_value(one, one.value.value) for one in some)) for some in given]
    if known.kind == LABELS:
        known.votes = tags.fit_workers(plain, labels=asked)
    elif known.kind == NUMBER:
        known.numbers = numbers.fit_workers(plain)
    elif known.kind == RANKING:
        known.ranks = ranking.fit_workers(plain)
    return known
