"""The consolidator of single-choice answers: one label for one object from several workers' votes.

The model of the crowd is chosen for the job (choosing.py) and stored with its workers; before there is one, votes are
weighed by the shrunk confusion matrices of workers/votes.py. An answer's value is a label.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeling.consolidation.answers import (
    ObjectAnswers,
    Proposal,
    WorkerAnswer,
    latest_answers,
    require_distinct,
    require_rereadable,
)
from labeling.consolidation.arrays import NINE_IN_TEN, Floats
from labeling.consolidation.classes import choosing, crowd, proposals
from labeling.consolidation.classes.table import VoteTable, table_of
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.workers.crowd import TEMPERATURE_ERROR, CrowdModel, rounded
from labeling.consolidation.workers.skills import SkillRow
from labeling.consolidation.workers.votes import VoteWorkers, rows_of_votes
from labeling.formats.shapes import Vote

ALGORITHM = "votes/2"
"""The version that labels are stored with. Results that differ need another version."""

DIFFICULTY_WEIGHT = 2.0
"""Votes of the ordinary worker that an object's difficulty is shrunk by."""

CAUTION = 1.0
"""Standard errors of the temperature below the likeliest at which it is decided whether to ask more."""

Cache = dict[tuple[str, str], Floats]


@dataclass(frozen=True, slots=True)
class ConsolidatedLabel:
    """`label` is None when no worker gave a label of the job; `confidence` is its posterior, which lies between
    `confidence_low` and `confidence_high` nine times in ten. `difficulty` is the chance that an ordinary worker gives
    this object a wrong label, as far as its votes tell."""

    label: str | None
    confidence: float
    explanation: dict[str, Any]
    algorithm: str
    confidence_low: float = 0.0
    confidence_high: float = 0.0
    difficulty: float = 0.0


def consolidate(
    answers: Sequence[WorkerAnswer[str]],
    *,
    labels: Sequence[str],
    workers: VoteWorkers | None = None,
    proposed: Sequence[Proposal[Vote]] = (),
) -> ConsolidatedLabel:
    """The most probable label of one object and why. Votes for a label the job does not have are set aside; ties go
    to the label that stands first in `labels`. Of `proposed` those have a part in it that count (proposals.py); without
    a vote of a person there is no label. Raises ValueError for repeated labels."""
    require_distinct(labels)
    models = workers or VoteWorkers()
    votes = latest_votes(answers)
    said = proposals.words(proposed, labels, counted=True)
    chance = proposals.weighed(posterior(votes, labels, models), said, models)
    counted = [vote for vote in votes if vote.value in chance]
    best = max(labels, key=lambda label: round(chance[label], 9)) if counted else None
    confidence = round(chance[best], 4) if best is not None else 0.0
    low, high = interval(best, counted, chance, models) if best is not None else (0.0, 0.0)
    hard = round(difficulty(counted, chance, models), 4) if best is not None else 0.0
    explanation = {
        "algorithm": ALGORITHM,
        "label": best,
        "method": models.model.method if models.model else choosing.MAJORITY.name,
        "chances": {label: round(chance[label], 4) + 0.0 for label in labels},
        "confidence_low": low,
        "confidence_high": high,
        "difficulty": hard,
        "votes": [
            {
                "worker": vote.worker,
                "label": vote.value,
                "weight": round(models.accuracy(vote.worker), 4),
                "outvoted": vote.value != best,
            }
            for vote in counted
        ],
        "ignored": [
            {"worker": v.worker, "label": v.value, "reason": "no label of this job"}
            for v in votes
            if v.value not in chance
        ],
    }
    if said:
        explanation["proposed_by"] = proposals.told(said, labels, [best] if best else [], models)
    return ConsolidatedLabel(best, confidence, explanation, ALGORITHM, low, high, hard)


def latest_votes(answers: Iterable[WorkerAnswer[str]]) -> list[WorkerAnswer[str]]:
    """One vote a worker, sorted by worker; of equal revisions the last label in alphabetical order."""
    return latest_answers(answers, str)


def posterior(
    votes: Iterable[WorkerAnswer[str]], labels: Sequence[str], models: VoteWorkers, cache: Cache | None = None
) -> dict[str, float]:
    """P(true label | votes). `cache` keeps each worker's log-likelihoods for as long as `models` and `labels` stay."""
    if not labels:
        return {}
    cache = {} if cache is None else cache
    model = _model(models, labels)
    z, weight = crowd.nodes(bool(model and any(model.difficulty)))
    if model:
        prior = np.log([model.prior[model.labels.index(label)] for label in labels])
    else:
        total = sum(models.prior.get(label, 0.0) for label in labels)
        prior = np.log([(models.prior.get(label, 0.0) + 1) / (total + len(labels)) for label in labels])
    score = prior[:, None] + np.log(weight)
    known = set(labels)
    for vote in votes:
        if vote.value in known:
            key = (vote.worker, vote.value)
            if key not in cache:
                cache[key] = _log_likelihood(*key, labels, models, z)
            score = score + cache[key]
    chance = np.exp(score - score.max()).sum(axis=1)
    chance = choosing.sharpened((chance / chance.sum())[None], model.temperature if model else 1.0)[0]
    return dict(zip(labels, chance.tolist(), strict=True))


def interval(
    best: str, votes: Sequence[WorkerAnswer[str]], chance: dict[str, float], models: VoteWorkers
) -> tuple[float, float]:
    """Between which the chance of `best` lies nine times in ten: what is not known of the workers, and of how much
    the crowd shares its errors, in log-odds. Rounded to 4 digits."""
    rivals = [label for label in chance if label != best]
    if not rivals:
        return round(chance[best], 4), round(chance[best], 4)
    rival = max(rivals, key=lambda label: chance[label])
    sure = min(max(chance[best], 1e-9), 1 - 1e-9)
    odds = math.log(sure / (1 - sure))
    model = _model(models, list(chance))
    variance, doubt = 0.0, TEMPERATURE_ERROR
    for vote in votes:
        if model:
            variance += model.temperature**2 * model.vote_variance(vote.worker, vote.value, best, rival)
        else:
            share = models.accuracy(vote.worker)
            logit = models.standard_error(vote.worker) / (share * (1 - share))
            variance += logit**2 * (share**2 + (1 - share) ** 2)
    if model:
        doubt = model.temperature_error
    reach = NINE_IN_TEN * math.sqrt(variance + (doubt * odds) ** 2)
    low, high = (1 / (1 + math.exp(-min(max(odds + side, -30.0), 30.0))) for side in (-reach, reach))
    return round(min(low, chance[best]), 4), round(max(high, chance[best]), 4)


def difficulty(votes: Sequence[WorkerAnswer[str]], chance: dict[str, float], models: VoteWorkers) -> float:
    """The chance that an ordinary worker gives this object a wrong label: the share of its votes that are wrong, as far
    as is known, shrunk towards the crowd's. 0 to 1."""
    wrong = sum(1 - chance[vote.value] for vote in votes)
    return (wrong + DIFFICULTY_WEIGHT * (1 - models.accuracy())) / (len(votes) + DIFFICULTY_WEIGHT)


def fit_workers(
    objects: Iterable[ObjectAnswers[str]],
    *,
    labels: Sequence[str],
    start: VoteWorkers | None = None,
    proposed: Iterable[ObjectAnswers[str]] | None = None,
) -> VoteWorkers:
    """The model that a job's votes call for, and each worker's counts under it; golds are taken as given. Without a
    single vote (or with fewer than two labels) what is known stays `start`.

    What is known of models that count as one more answer is learned afterwards, and changes nothing of the rest.
    `proposed` are the objects that have proposals, `objects` if left out.
    """
    require_rereadable(objects)
    table = table_of(objects, labels)
    if not len(table.task) or len(labels) < 2:
        return start or VoteWorkers()
    choice = choosing.choose(table)
    found = choice.fit
    learned = VoteWorkers(model=_stored(table, choice))
    by_worker = np.asarray(table.votes_by_worker().T @ found.chances)
    counts = by_worker.reshape(len(table.workers), len(labels), len(labels))  # worker, given, true
    learned.crowd = _counted(counts.sum(axis=0), table.labels)
    learned.workers = {name: _counted(counts[i], table.labels) for i, name in enumerate(table.workers)}
    learned.prior = dict(zip(table.labels, rounded(found.chances.sum(axis=0)), strict=True))
    unseen = _labeled_unseen(objects if proposed is None else proposed, labels, learned)
    learned.proposers = proposals.learned(unseen, labels, learned)
    return learned


def _labeled_unseen(
    objects: Iterable[ObjectAnswers[str]], labels: Sequence[str], models: VoteWorkers
) -> Iterator[tuple[list[proposals.Word], dict[str, float]]]:
    """What models say of the objects on which none of them counts, and the chances by the answers of people."""
    cache: Cache = {}
    for one in objects:
        if not one.proposals or any(given.counts for given in one.proposals):
            continue
        votes = [vote for vote in latest_votes(one.answers) if vote.value in labels]
        if one.gold in labels:
            yield (
                proposals.words(one.proposals, labels, counted=False),
                {name: float(name == one.gold) for name in labels},
            )
        elif votes:
            yield proposals.words(one.proposals, labels, counted=False), posterior(votes, labels, models, cache)


def _stored(table: VoteTable, choice: choosing.Choice) -> CrowdModel:
    """The fit as jobs keep it, rounded."""
    found = choice.fit
    each = table.workers if choice.method.workers else ()
    return CrowdModel(
        labels=table.labels,
        method=choice.method.name,
        centre=rounded(found.centre),
        spread=rounded(found.spread),
        difficulty=rounded(found.difficulty),
        prior=rounded(found.prior),
        logits={name: rounded(found.logits[i]) for i, name in enumerate(each)},
        errors={name: rounded(found.errors[i]) for i, name in enumerate(each)},
        temperature=round(choice.temperature, 6),
        temperature_error=round(choice.error, 6),
        warning=choice.warning,
    )


def _counted(counts: Floats, labels: Sequence[str]) -> dict[tuple[str, str], float]:
    """Counts (K, K) by given and true label, as VoteWorkers keeps them."""
    return {
        (labels[true], labels[given]): round(float(counts[given, true]), 6)
        for given, true in zip(*np.nonzero(counts > 5e-7), strict=True)
    }


def _model(models: VoteWorkers, labels: Sequence[str]) -> CrowdModel | None:
    """The fitted model, where it knows all of `labels`."""
    model = models.model
    return model if model and set(labels) <= set(model.labels) else None


def _log_likelihood(worker: str, given: str, labels: Sequence[str], models: VoteWorkers, z: Floats) -> Floats:
    """(K, Q): log P(given | true, z), the labels in the order of `labels`."""
    model = _model(models, labels)
    if not model:
        return np.log(models.likelihood(worker, given, labels))[:, None]
    known = worker if worker in model.logits else None
    others = np.array(models.wrong_labels(known, given, model.labels))
    rows = model.likelihood(worker, given, others, z)
    return np.asarray(rows[[model.labels.index(label) for label in labels]])


def should_ask_more(
    answers: Sequence[WorkerAnswer[str]],
    *,
    labels: Sequence[str],
    rule: Stopping,
    workers: VoteWorkers | None = None,
    proposed: Sequence[Proposal[Vote]] = (),
) -> Decision:
    """Whether one more vote is worth having. The loss is the chance that the present label is wrong, the gain what one
    more vote by an ordinary worker takes off it on average, over every label that the worker could give.

    The numbers of answers in `rule` are those of people. A label that only a model has given is no surer than people's
    answers make it.
    """
    models = workers or VoteWorkers()
    votes = latest_votes(answers)
    by_people = _cautious(posterior(votes, labels, models), _model(models, labels))
    chance = proposals.weighed(by_people, proposals.words(proposed, labels, counted=True), models)
    loss = 1 - max(chance.values(), default=0.0)
    kept = 0.0
    for given in labels:
        likelihood = _ordinary(given, labels, models)
        kept += max(chance[label] * p for label, p in zip(labels, likelihood, strict=True))
    gain = max(kept - (1 - loss), 0.0)
    best = max(chance, key=lambda label: round(chance[label], 9), default=None)
    if best is not None and all(vote.value != best for vote in votes):
        loss = max(loss, 1 - by_people[best])
    return decide(rule, answers=len(votes), loss=loss, gain=gain)


def skill_rows(models: VoteWorkers, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all votes and for each of `labels`, to be added to those of other jobs."""
    return rows_of_votes(models, labels)


def _ordinary(given: str, labels: Sequence[str], models: VoteWorkers) -> list[float]:
    """P(given | true) for each true label, of a worker nobody has seen."""
    model = _model(models, labels)
    if not model:
        return models.likelihood(None, given, labels)
    others = np.array(models.wrong_labels(None, given, model.labels))
    rows = np.exp(model.likelihood(None, given, others, np.zeros(1)))[:, 0]
    return [float(rows[model.labels.index(label)]) for label in labels]


def _cautious(chance: dict[str, float], model: CrowdModel | None) -> dict[str, float]:
    """The chances at the low end of what the temperature may be: a stop cannot be taken back."""
    if not model:
        return chance
    lower = choosing.sharpened(np.array([list(chance.values())]), math.exp(-CAUTION * model.temperature_error))
    return dict(zip(chance, lower[0].tolist(), strict=True))
