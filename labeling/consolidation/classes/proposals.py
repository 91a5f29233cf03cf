"""What a model says of an object's class, where that counts as one more answer: what it proves, and how it is learned.

Nobody who answers sees it. With P(c) the chance of class c by people's answers, and r the share of the objects that are
of the class m which the model names,

    log-odds that m is right = logit(P(m)) + e        e = usual + slope * (logit(score) - logit(r) - centre)

and the other classes share what is left in the proportions they had: what a model adds is how much oftener it is right
than one that guesses by how common the classes are. `usual` and `slope` are learned on objects on which no model
counts, where people's label is independent of it (`workers/proposers.py`), by expectation maximisation with people's
skills as they are: the model has no part in those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, isnan, log, nan

import numpy as np

from labeling.consolidation.answers import Proposal
from labeling.consolidation.arrays import Floats, logistic, logit
from labeling.consolidation.workers.proposers import UNSEEN, Precision, fit_precision, fit_precisions
from labeling.consolidation.workers.votes import Proposers, VoteWorkers
from labeling.formats.shapes import Vote

MOST = log(99)
"""The most log-odds that one model adds or takes away: the few objects that it is judged by cannot prove more."""

ROUNDS = 4
"""How often the models are learned anew, each time with what they said of the same objects before."""

ANY = ""
"""Stands for every class among what is known of a model (Proposers)."""


@dataclass(frozen=True, slots=True)
class Word:
    """A model's class of one object, and how sure it is of it; NaN where it does not say."""

    model: str
    label: str
    score: float


def words(proposals: Iterable[Proposal[Vote]], labels: Sequence[str], *, counted: bool) -> list[Word]:
    """What those models say that count, or those that do not, sorted by model; nothing of one that does not name
    exactly one of `labels`.

    A score of 0 or 1 is what labels carry whose maker did not say how sure it was, and counts as none.
    """
    found = []
    for one in proposals:
        if one.counts == counted and len(one.value.labels) == 1 and one.value.label in labels:
            score = one.value.confidences[0] if one.value.confidences else nan
            found.append(Word(one.model, one.value.label, score if 0 < score < 1 else nan))
    return sorted(found, key=lambda word: (word.model, word.label))


def weighed(chance: dict[str, float], said: Sequence[Word], models: VoteWorkers) -> dict[str, float]:
    """The chance of each class by people's answers and by what models say; `chance` is by people's answers alone."""
    if not said:
        return chance
    score = {label: log(max(one, 1e-300)) for label, one in chance.items()}
    for word in said:
        score[word.label] += evidence(word, list(chance), models)
    highest = max(score.values())
    power = {label: exp(one - highest) for label, one in score.items()}
    total = sum(power.values())
    return {label: one / total for label, one in power.items()}


def evidence(word: Word, labels: Sequence[str], models: VoteWorkers) -> float:
    """The log-odds that a model's class gains by its being named."""
    known = models.proposers.get(word.model, {})
    precision = known.get(word.label) or known.get(ANY)
    if precision is None:
        # Whatever its scores are.
        return UNSEEN.usual
    found = float(precision.log_odds(_claimed([word], _common([word], labels, models)))[0])
    return min(max(found, -MOST), MOST)


def told(
    said: Sequence[Word], labels: Sequence[str], best: Iterable[str], models: VoteWorkers
) -> list[dict[str, object]]:
    """The rows of an explanation's `proposed_by`; `weight` is the chance that the model's class is right by itself."""
    kept = set(best)
    return [
        {
            "worker": word.model,
            "label": word.label,
            "score": None if isnan(word.score) else round(word.score, 4),
            "weight": round(float(logistic(_common([word], labels, models)[0] + evidence(word, labels, models))), 4),
            "outvoted": word.label not in kept,
        }
        for word in said
    ]


def learned(
    objects: Iterable[tuple[Sequence[Word], Mapping[str, float]]], labels: Sequence[str], models: VoteWorkers
) -> Proposers:
    """What objects on which no model counts say of the models; of each: what they say, and the chances by people's
    answers alone."""
    rows: dict[str, list[tuple[Word, float]]] = defaultdict(list)
    for said, chance in objects:
        for word in said:
            rows[word.model].append((word, chance[word.label]))
    tables = {model: _Table.of(rows[model], labels, models) for model in sorted(rows)}
    added = {model: np.zeros(len(table.people)) for model, table in tables.items()}
    found: dict[str, dict[str, Precision]] = {}
    for _ in range(ROUNDS):
        seen = {model: table.rows(added[model]) for model, table in tables.items()}
        overall = fit_precisions(seen)
        found = {model: table.by_class(seen[model], overall[model]) for model, table in tables.items()}
        added = {model: table.evidence(found[model]) for model, table in tables.items()}
    return {model: {label: _rounded(one) for label, one in by_class.items()} for model, by_class in found.items()}


@dataclass(frozen=True, slots=True)
class _Table:
    """What one model said of N objects: the class, what its scores claim (N,), NaN for none, the log-odds of the class
    by how common it is (N,) and by people's answers (N,)."""

    label: tuple[str, ...]
    claimed: Floats
    common: Floats
    people: Floats

    @classmethod
    def of(cls, rows: Sequence[tuple[Word, float]], labels: Sequence[str], models: VoteWorkers) -> _Table:
        said = [word for word, _ in rows]
        common = _common(said, labels, models)
        people = logit([chance for _, chance in rows])
        return cls(tuple(word.label for word in said), _claimed(said, common), common, people)

    def rows(self, added: Floats) -> tuple[Floats, Floats, Floats]:
        """As `fit_precision` takes them, where the model's own word has `added` log-odds to those by people's."""
        return self.claimed, logistic(self.people + added), self.common

    def by_class(self, rows: tuple[Floats, ...], overall: Precision) -> dict[str, Precision]:
        """What is known of the model by the class that it names, beginning with all of them."""
        found = {ANY: overall}
        for label in sorted(set(self.label)):
            mine = np.array([one == label for one in self.label])
            found[label] = fit_precision(*(part[mine] for part in rows), start=overall)
        return found

    def evidence(self, known: Mapping[str, Precision]) -> Floats:
        """(N,) the log-odds that each class gains by the model's word."""
        each = [known[label].log_odds(self.claimed[[place]])[0] for place, label in enumerate(self.label)]
        return np.clip(np.array(each), -MOST, MOST)


def _common(said: Sequence[Word], labels: Sequence[str], models: VoteWorkers) -> Floats:
    """(N,) the log-odds of each of these classes by how common it is."""
    share = dict(zip(labels, models.frequencies(labels), strict=True))
    return logit([share[word.label] for word in said])


def _claimed(said: Sequence[Word], common: Floats) -> Floats:
    """(N,) what the scores say beyond how common the classes are, as chances; NaN for none."""
    return logistic(logit([word.score for word in said]) - common)


def _rounded(one: Precision) -> Precision:
    return Precision(round(one.usual, 6), round(one.slope, 6), round(one.centre, 6))
