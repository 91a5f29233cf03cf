"""The consolidator of multiple-choice answers: the set of labels of one object, each label a yes-or-no question.

Binary Dawid & Skene for each label (see votes.py), with one record a worker over all labels, because workers who
overlook one label overlook others. Labels that nobody gave are not asked about. An answer's value is a set of labels:
the empty set means "none of these", but an answer with nothing but labels that the job does not have is ignored.
A model that counts as one more answer says yes or no to each label that people gave, too (proposals.py). One that only
the model gives is left out: people who overlook a label do so together, and a model alone added more wrong ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from labeling.consolidation.answers import (
    ObjectAnswers,
    Proposal,
    WorkerAnswer,
    latest_answers,
    require_distinct,
    require_rereadable,
)
from labeling.consolidation.classes import proposals, votes
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.workers.skills import SkillRow
from labeling.consolidation.workers.votes import VoteWorkers
from labeling.formats.shapes import Vote

ALGORITHM = "tags/3"
"""The version that labels are stored with. Results that differ need another version."""

YES, NO = "yes", "no"
QUESTION = (YES, NO)
"""The labels of each yes-or-no question."""

CUT_OFF = 0.5
"""A label is part of the consensus, or of what a model says, when it is more likely right than this."""

Tags = WorkerAnswer[frozenset[str]]
ObjectTags = ObjectAnswers[frozenset[str]]


@dataclass(frozen=True, slots=True)
class ConsolidatedTags:
    """`labels` in the job's order; `confidence` is the chance that all of the job's labels are judged right, which lies
    between `confidence_low` and `confidence_high`. `difficulty` is the chance that an ordinary worker judges a label
    wrongly, on average over those that somebody gave."""

    labels: tuple[str, ...]
    confidence: float
    explanation: dict[str, Any]
    algorithm: str
    confidence_low: float = 0.0
    confidence_high: float = 0.0
    difficulty: float = 0.0


def consolidate(
    answers: Sequence[Tags],
    *,
    labels: Sequence[str],
    workers: VoteWorkers | None = None,
    proposed: Sequence[Proposal[Vote]] = (),
) -> ConsolidatedTags:
    """The labels more likely true than not, and why. Labels the job does not have are set aside. Of `proposed` those
    have a part in it that count; without an answer of a person there are no labels. Raises ValueError for repeated
    labels."""
    require_distinct(labels)
    models = workers or VoteWorkers()
    latest = latest_tags(answers)
    usable = _usable(latest, labels)
    said = [one for one in proposed if one.counts]
    chance = _chances(usable, labels, models, said)
    kept = tuple(label for label in labels if chance[label] > CUT_OFF)
    confidence = 1.0 if usable else 0.0
    for label in labels:
        confidence *= max(chance[label], 1 - chance[label])
    asked = _given_labels(usable, labels)
    intervals = _intervals(usable, chance, asked, models)
    low, high = (round(math.prod(one[side] for one in intervals.values()), 4) if usable else 0.0 for side in (0, 1))
    hard = _difficulty(usable, chance, asked, models)
    explanation = {
        "algorithm": ALGORITHM,
        "labels": list(kept),
        "confidence_low": low,
        "confidence_high": high,
        "intervals": {label: list(one) for label, one in intervals.items()},
        "difficulty": hard,
        "chances": {label: round(chance[label], 4) + 0.0 for label in labels},
        "answers": [
            {
                "worker": one.worker,
                "labels": sorted(one.value & set(labels)),
                "weight": round(models.accuracy(one.worker), 4),
                "outvoted": set(kept) != one.value & set(labels),
            }
            for one in usable
        ],
        "ignored": [
            {"worker": one.worker, "label": label, "reason": "no label of this job"}
            for one in latest
            for label in sorted(one.value - set(labels))
        ],
    }
    if usable and said:
        explanation["proposed_by"] = [_told(one, labels, kept, models) for one in sorted(said, key=lambda s: s.model)]
    return ConsolidatedTags(kept, round(confidence, 4), explanation, ALGORITHM, low, high, hard)


def latest_tags(answers: Iterable[Tags]) -> list[Tags]:
    """One answer a worker, sorted by worker; of equal revisions the one whose sorted labels come last."""
    return latest_answers(answers, sorted)


def fit_workers(
    objects: Iterable[ObjectTags],
    *,
    labels: Sequence[str],
    start: VoteWorkers | None = None,
) -> VoteWorkers:
    """EM over every (object, label) as a yes-or-no question; golds are taken as given.

    Labels that no worker gave an object are asked about, too: if each question had at least one yes, EM would learn
    that a no means little.
    """
    require_rereadable(objects)
    proposed = [one for one in objects if one.proposals]
    questions = _Questions(objects, labels)
    return votes.fit_workers(questions, labels=QUESTION, start=start, proposed=_Questions(proposed, labels))


def should_ask_more(
    answers: Sequence[Tags],
    *,
    labels: Sequence[str],
    rule: Stopping,
    workers: VoteWorkers | None = None,
    proposed: Sequence[Proposal[Vote]] = (),
) -> Decision:
    """Whether one more answer is worth having: the loss is of the least certain label, the gain is on it.

    The numbers of answers in `rule` are those of people.
    """
    models = workers or VoteWorkers()
    usable = _usable(latest_tags(answers), labels)
    free = Stopping(max_answers=len(usable) + 1, min_answers=1)

    def decided(label: str | None) -> Decision:
        given, said = _votes(usable, label), _said(proposed, label)
        return votes.should_ask_more(given, labels=QUESTION, rule=free, workers=models, proposed=said)

    decisions = [decided(label) for label in _given_labels(usable, labels)]
    least_certain = max(decisions, key=lambda decision: decision.expected_loss, default=None)
    if least_certain is None:
        alone = decided(None)
        return decide(rule, answers=len(usable), loss=alone.expected_loss, gain=alone.expected_gain)
    return decide(rule, answers=len(usable), loss=least_certain.expected_loss, gain=least_certain.expected_gain)


def skill_rows(models: VoteWorkers, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all labels, to be added to those of other jobs; none are kept by label.

    Every answer answers a question for each of `labels`: `chances` counts those where the label is true,
    `false_positives` the labels that were given and are not true.
    """
    rows = []
    for worker, counts in sorted(models.workers.items()):
        found, missed = counts.get((YES, YES), 0.0), counts.get((YES, NO), 0.0)
        false, avoided = counts.get((NO, YES), 0.0), counts.get((NO, NO), 0.0)
        answers = sum(counts.values()) / max(len(labels), 1)
        rows.append(SkillRow(worker, "", answers, found, found + missed, false, false + avoided))
    return rows


class _Questions:
    """The yes-or-no questions of a re-iterable of objects, made as they are read."""

    def __init__(self, objects: Iterable[ObjectTags], labels: Sequence[str]) -> None:
        self.objects, self.labels = objects, labels

    def __iter__(self) -> Iterator[ObjectAnswers[str]]:
        for one in self.objects:
            usable = _usable(latest_tags(one.answers), self.labels)
            for label in self.labels if usable else ():
                gold = None if one.gold is None else YES if label in one.gold else NO
                said = tuple(_said(one.proposals, label))
                yield ObjectAnswers(tuple(_votes(usable, label)), gold, proposals=said)


def _usable(answers: Sequence[Tags], labels: Sequence[str]) -> list[Tags]:
    """The answers that name a label of the job, or none at all."""
    return [one for one in answers if not one.value or one.value & set(labels)]


def _named(proposal: Proposal[Vote]) -> list[str]:
    """The labels that a model says yes to."""
    return [label for label, sure in _scores(proposal).items() if not sure <= CUT_OFF]


def _scores(proposal: Proposal[Vote]) -> dict[str, float]:
    """The chance that a model gives each label that it speaks of; NaN where it has none."""
    sure = proposal.value.confidences or (math.nan,) * len(proposal.value.labels)
    return dict(zip(proposal.value.labels, sure, strict=True))


def _said(proposed: Iterable[Proposal[Vote]], label: str | None) -> list[Proposal[Vote]]:
    """What each model answers to the question about a label: no, without a score, where it does not speak of it."""
    found = []
    for one in proposed:
        scores = _scores(one)
        sure = scores.get(label or "", 0.0)
        answer = Vote((NO,), (1 - sure,)) if sure <= CUT_OFF else Vote((YES,), (sure,))
        found.append(replace(one, value=answer))
    return found


def _told(said: Proposal[Vote], labels: Sequence[str], kept: Sequence[str], models: VoteWorkers) -> dict[str, Any]:
    """The row of an explanation's `proposed_by`: `weights` are the chances that each label it names is right."""
    named = [label for label in labels if label in _named(said)]
    rows = {
        label: proposals.told(proposals.words(_said([said], label), QUESTION, counted=True), QUESTION, (YES,), models)
        for label in named
    }
    return {
        "worker": said.model,
        "labels": named,
        "weights": {label: row[0]["weight"] for label, row in rows.items()},
        "outvoted": set(named) != set(kept),
    }


def _given_labels(usable: Sequence[Tags], labels: Sequence[str]) -> list[str]:
    return [label for label in labels if any(label in one.value for one in usable)]


def _votes(usable: Sequence[Tags], label: str | None) -> list[WorkerAnswer[str]]:
    return [WorkerAnswer(one.worker, YES if label in one.value else NO) for one in usable]


def _chances(
    usable: Sequence[Tags], labels: Sequence[str], models: VoteWorkers, said: Sequence[Proposal[Vote]]
) -> dict[str, float]:
    """The chance of each label that people gave; of others 0, also where a model names them."""
    found = dict.fromkeys(labels, 0.0)
    for label in _given_labels(usable, labels):
        answers = proposals.words(_said(said, label), QUESTION, counted=True)
        by_people = votes.posterior(_votes(usable, label), QUESTION, models)
        found[label] = proposals.weighed(by_people, answers, models)[YES]
    return found


def _intervals(
    usable: Sequence[Tags], chance: dict[str, float], asked: Sequence[str], models: VoteWorkers
) -> dict[str, tuple[float, float]]:
    """By label that was given, between which the chance lies that it is judged rightly (see votes.interval)."""
    found = {}
    for label in asked if usable else ():
        both = {YES: chance[label], NO: 1 - chance[label]}
        found[label] = votes.interval(YES if chance[label] > CUT_OFF else NO, _votes(usable, label), both, models)
    return found


def _difficulty(usable: Sequence[Tags], chance: dict[str, float], asked: Sequence[str], models: VoteWorkers) -> float:
    """The mean over labels that were given (see votes.difficulty); 0 where nobody gave one."""
    each = [
        votes.difficulty(_votes(usable, label), {YES: chance[label], NO: 1 - chance[label]}, models)
        for label in asked
        if usable
    ]
    return round(sum(each) / len(each), 4) if each else 0.0
