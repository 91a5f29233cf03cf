"""Simulated people who choose all classes of an object: which they overlook, which they choose wrongly.

Errors on one object are not independent: a class that is hard to see on an object is so for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from labeling.consolidation.arrays import Floats, Ints
from labeling.consolidation.classes.tags import NO, QUESTION, YES
from labeling.consolidation.workers.votes import VoteWorkers
from labeling.formats.shapes import Vote
from labeling.simulation.base import (
    CAREFUL,
    CARELESS,
    MIXED,
    SPAMMED,
    Assumption,
    Figure,
    SimulatedObject,
    Simulation,
    known_again,
    moved,
    shifted,
    spread_share,
    success,
    with_spammers,
)
from labeling.simulation.votes import FEWEST_VOTES, SIZE


@dataclass(frozen=True, slots=True)
class TagWorker:
    """One simulated worker: the chance of choosing a class that is there (`recall`) and one that is not (`wrong`),
    which rest on `evidence` classes that were there. `activity` is how many answers the worker gives against others,
    0 where nobody knows."""

    recall: float
    wrong: float
    spammer: bool = False
    evidence: float = 0.0
    activity: float = 0.0


@dataclass(frozen=True, slots=True)
class TagRates:
    """A crowd. `spread` is among workers and `difficulty` among (object, class), both in logits; `share` is that of
    the job's classes which an object has. `doubt` scales how far the rates may be off; `known` workers are drawn from
    where there are any."""

    recall: float = 0.87
    wrong: float = 0.05
    spread: float = 0.5
    difficulty: float = 1.0
    share: float = 0.35
    doubt: float = 1.0
    known: tuple[TagWorker, ...] = ()


class TagSimulation(Simulation[Vote, VoteWorkers, TagRates]):
    """Several classes: F1 of the classes of all labels."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("f1", "F1 of the classes", counted=True),)
    presets: ClassVar[Mapping[str, TagRates]] = {
        CAREFUL: TagRates(recall=0.95, wrong=0.02),
        MIXED: TagRates(),
        CARELESS: TagRates(recall=0.75, wrong=0.12),
        SPAMMED: TagRates(),
    }

    def things(self, rates: TagRates) -> float:
        """One look at the object."""
        return 1.0

    def describe(self, rates: TagRates) -> tuple[Assumption, ...]:
        """Of the ordinary worker and of the objects."""
        return (
            Assumption("Classes found by one worker", rates.recall, share=True),
            Assumption("Wrong classes chosen", rates.wrong, share=True),
            Assumption("Share of the classes that an object has", rates.share, share=True),
        )

    def vary(self, rates: TagRates, rng: np.random.Generator) -> TagRates:
        """Recall and wrong choices by a quarter of a logit, for all known workers together."""
        recall, wrong = rng.normal(0.0, 0.25 * rates.doubt, 2)
        return replace(
            rates,
            recall=shifted(rates.recall, recall),
            wrong=shifted(rates.wrong, wrong),
            difficulty=moved(rates.difficulty, 0.2 * rates.doubt, rng),
            known=tuple(
                replace(one, recall=shifted(one.recall, recall), wrong=shifted(one.wrong, wrong)) for one in rates.known
            ),
        )

    def workers(self, rates: TagRates, rng: np.random.Generator, spammers: Sequence[bool]) -> list[TagWorker]:
        """Known workers where there are any, else people around the crowd's rates."""
        if rates.known:
            chosen = known_again(rates.known, "recall", len(spammers), rng)
        else:
            recall = spread_share(rates.recall, rates.spread, rng, len(spammers))
            wrong = spread_share(rates.wrong, rates.spread, rng, len(spammers))
            chosen = [TagWorker(float(r), float(w)) for r, w in zip(recall, wrong, strict=True)]
        return with_spammers(chosen, spammers)

    def objects(
        self, rates: TagRates, rng: np.random.Generator, number: int, labels: Sequence[str]
    ) -> list[SimulatedObject[Vote]]:
        """Each class is on an object by itself, all alike; some objects have none."""
        has = rng.random((number, len(labels))) < rates.share
        return [SimulatedObject(_vote(row, labels), SIZE) for row in has]

    def answers(
        self,
        rates: TagRates,
        rng: np.random.Generator,
        workers: Sequence[TagWorker],
        objects: Sequence[SimulatedObject[Vote]],
        seats: Ints,
        labels: Sequence[str],
    ) -> list[list[Vote]]:
        """See Simulation.answers; how hard each class is to see on each object is drawn here, for all workers alike."""
        shape = (*seats.shape, len(labels))
        true = np.array([[label in one.truth.labels for label in labels] for one in objects], bool)
        hardness = rng.normal(size=true.shape)[:, None, :]
        recall, wrong = (
            np.array([getattr(worker, name) for worker in workers], float)[seats][:, :, None]
            for name in ("recall", "wrong")
        )
        right = success(np.where(true[:, None, :], recall, 1 - wrong), rates.difficulty, hardness)
        given = true[:, None, :] == (rng.random(shape) < right)
        spams = np.array([worker.spammer for worker in workers], bool)[seats][:, :, None]
        given = np.where(spams, rng.random(shape) < 0.5, given)
        return [[_vote(row, labels) for row in rows] for rows in given]

    def score(self, truth: Sequence[Vote], found: Sequence[Vote | None]) -> Floats:
        """An object without a label counts as one of which nothing was said."""
        rows = []
        for true, one in zip(truth, found, strict=True):
            given = set() if one is None else _chosen(one)
            rows.append([2 * len(given & set(true.labels)), len(given) + len(true.labels)])
        return np.array(rows, float)[:, None, :]

    def learn(self, jobs: Sequence[VoteWorkers], labels: Sequence[str]) -> TagRates | None:
        """Each worker's shrunk rates in each job, and how many of its classes an object had."""
        votes = sum(sum(rows.values()) for models in jobs for rows in models.workers.values())
        if votes / max(len(labels), 1) < FEWEST_VOTES:
            return None
        known = tuple(worker for models in jobs for worker in _known(models))
        yes, no = (sum(models.prior.get(answer, 0.0) for models in jobs) for answer in (YES, NO))
        weights = [one.evidence + 1 for one in known]
        return TagRates(
            recall=float(np.average([one.recall for one in known], weights=weights)),
            wrong=float(np.average([one.wrong for one in known], weights=weights)),
            share=float(np.clip(yes / max(yes + no, 1.0), 0.01, 0.99)),
            doubt=1.2,
            known=known,
        )


def _vote(row: Sequence[bool], labels: Sequence[str]) -> Vote:
    return Vote(tuple(label for label, has in zip(labels, row, strict=True) if has))


def _chosen(vote: Vote) -> set[str]:
    """The classes more likely right than not, as in the labels of consolidation."""
    sure = vote.confidences or (1.0,) * len(vote.labels)
    return {label for label, one in zip(vote.labels, sure, strict=True) if one > 0.5}


def _known(models: VoteWorkers) -> list[TagWorker]:
    """The workers of one job with their shrunk rates, workers in a fixed order."""
    counts = {worker: rows for worker, rows in sorted(models.workers.items()) if sum(rows.values()) > 0}
    usual = sum(sum(rows.values()) for rows in counts.values()) / max(len(counts), 1)
    known = []
    for worker, rows in counts.items():
        recall, wrong = models.likelihood(worker, YES, QUESTION)
        chances = sum(n for (true, _), n in rows.items() if true == YES)
        known.append(TagWorker(recall, wrong, evidence=chances, activity=sum(rows.values()) / usual))
    return known
