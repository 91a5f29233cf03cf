"""Simulated people who choose one class: how often they are right, how hard objects are, what they confuse.

Errors on one object are not independent: a hard object is hard for everybody, and has one class that it looks like,
so that many people who are wrong are wrong alike and no number of answers makes every label right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from labeling.consolidation.arrays import Floats, Ints
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

SIZE = (640, 480)
"""Width and height of every simulated picture, in pixels."""

FEWEST_VOTES = 60.0
"""Answers that earlier jobs must have had in all, before a crowd is learned from them."""

CROWD_STRENGTH = 20.0
"""Votes with the crowd's accuracy that are added to each worker's own: what looks like skill is partly luck, and where
workers are wrong alike their error becomes the label."""


@dataclass(frozen=True, slots=True)
class VoteWorker:
    """One simulated worker: the share of answers that are right, which rests on `evidence` answers. `activity` is how
    many answers the worker gives against others, 0 where nobody knows."""

    accuracy: float
    spammer: bool = False
    evidence: float = 0.0
    activity: float = 0.0


@dataclass(frozen=True, slots=True)
class VoteRates:
    """A crowd. `accuracy_spread` is among workers and `difficulty` among objects, both in logits; `lookalike` is the
    share of wrong answers that name the class which the object looks like. `doubt` scales how far the rates may be
    off; `known` workers are drawn from where there are any; `classes` are the shares of the true classes."""

    accuracy: float = 0.87
    accuracy_spread: float = 0.5
    difficulty: float = 1.2
    lookalike: float = 0.5
    doubt: float = 1.0
    known: tuple[VoteWorker, ...] = ()
    classes: tuple[tuple[str, float], ...] = ()


class VoteSimulation(Simulation[Vote, VoteWorkers, VoteRates]):
    """One class: the share of labels that are right."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("accuracy", "Right labels", counted=True),)
    presets: ClassVar[Mapping[str, VoteRates]] = {
        CAREFUL: VoteRates(accuracy=0.94),
        MIXED: VoteRates(),
        CARELESS: VoteRates(accuracy=0.75),
        SPAMMED: VoteRates(),
    }

    def things(self, rates: VoteRates) -> float:
        """One choice."""
        return 1.0

    def describe(self, rates: VoteRates) -> tuple[Assumption, ...]:
        """Of the ordinary worker and of the objects."""
        return (
            Assumption("Right answers of one worker", rates.accuracy, share=True),
            Assumption("Spread of difficulty, logits", rates.difficulty, share=False),
        )

    def vary(self, rates: VoteRates, rng: np.random.Generator) -> VoteRates:
        """Accuracy by a quarter of a logit, for all known workers together."""
        shift = float(rng.normal(0.0, 0.25 * rates.doubt))
        return replace(
            rates,
            accuracy=shifted(rates.accuracy, shift),
            difficulty=moved(rates.difficulty, 0.2 * rates.doubt, rng),
            lookalike=float(np.clip(rates.lookalike + rng.normal(0.0, 0.15 * rates.doubt), 0.0, 1.0)),
            known=tuple(replace(one, accuracy=shifted(one.accuracy, shift)) for one in rates.known),
        )

    def workers(self, rates: VoteRates, rng: np.random.Generator, spammers: Sequence[bool]) -> list[VoteWorker]:
        """Known workers where there are any, else people around the crowd's accuracy."""
        if rates.known:
            chosen = known_again(rates.known, "accuracy", len(spammers), rng)
        else:
            accuracy = spread_share(rates.accuracy, rates.accuracy_spread, rng, len(spammers))
            chosen = [VoteWorker(float(share)) for share in accuracy]
        return with_spammers(chosen, spammers)

    def objects(
        self, rates: VoteRates, rng: np.random.Generator, number: int, labels: Sequence[str]
    ) -> list[SimulatedObject[Vote]]:
        """Objects of each class, as often as the class was seen; classes never seen are as rare as they may be."""
        seen = dict(rates.classes)
        shares = np.array([seen.get(label, 0.0) for label in labels], float)
        shares = shares + max(shares.sum(), 1.0) / (20 * len(labels)) if seen else np.ones(len(labels))
        return [
            SimulatedObject(Vote((labels[kind],)), SIZE)
            for kind in rng.choice(len(labels), number, p=shares / shares.sum()).tolist()
        ]

    def answers(
        self,
        rates: VoteRates,
        rng: np.random.Generator,
        workers: Sequence[VoteWorker],
        objects: Sequence[SimulatedObject[Vote]],
        seats: Ints,
        labels: Sequence[str],
    ) -> list[list[Vote]]:
        """See Simulation.answers; how hard an object is and what it looks like is drawn here, for all workers alike."""
        classes, true = len(labels), np.array([labels.index(one.truth.label) for one in objects], np.int64)
        hardness = rng.normal(size=len(objects))
        accuracy = np.array([worker.accuracy for worker in workers], float)[seats]
        spams = np.array([worker.spammer for worker in workers], bool)[seats]
        right = rng.random(seats.shape) < success(accuracy, rates.difficulty, hardness[:, None])
        alike = rng.random(seats.shape) < rates.lookalike
        lookalike = rng.integers(1, max(classes, 2), len(objects))[:, None]
        step = np.where(right, 0, np.where(alike, lookalike, rng.integers(1, max(classes, 2), seats.shape)))
        given = np.where(spams, rng.integers(0, classes, seats.shape), (true[:, None] + step) % classes)
        return [[Vote((labels[kind],)) for kind in row] for row in given.tolist()]

    def score(self, truth: Sequence[Vote], found: Sequence[Vote | None]) -> Floats:
        """An object without a label is not right."""
        right = [one is not None and one.label == true.label for true, one in zip(truth, found, strict=True)]
        return np.stack([np.array(right, float), np.ones(len(right))], axis=1)[:, None, :]

    def learn(self, jobs: Sequence[VoteWorkers], labels: Sequence[str]) -> VoteRates | None:
        """Each worker's shrunk accuracy in each job, and how often the classes of this job occurred."""
        known = tuple(worker for models in jobs for worker in _known(models))
        if sum(one.evidence for one in known) < FEWEST_VOTES:
            return None
        classes = {label: sum(models.prior.get(label, 0.0) for models in jobs) for label in labels}
        return VoteRates(
            accuracy=float(np.average([one.accuracy for one in known], weights=[one.evidence for one in known])),
            doubt=1.2,
            known=known,
            classes=tuple(classes.items()) if any(classes.values()) else (),
        )


def _known(models: VoteWorkers) -> list[VoteWorker]:
    """The workers of one job with their shrunk accuracies, workers in a fixed order."""
    counts = {worker: sum(rows.values()) for worker, rows in sorted(models.workers.items())}
    usual = sum(counts.values()) / max(len(counts), 1)
    crowd, strength = models.accuracy(), CROWD_STRENGTH
    return [
        VoteWorker(
            (models.accuracy(worker) * count + strength * crowd) / (count + strength),
            evidence=count,
            activity=count / usual,
        )
        for worker, count in counts.items()
        if count > 0
    ]
