"""What a task type has to say so that its jobs can be simulated: how objects look, how people err, how labels score.

Pure: knows no job, no money, no time and no consolidator. `Rates` are a type's own description of a crowd.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from labeling.consolidation.arrays import Floats, Ints, logistic, logit

Answer = TypeVar("Answer")
Models = TypeVar("Models")
Rates = TypeVar("Rates")
Worker = TypeVar("Worker", bound=Any)

CAREFUL, MIXED, CARELESS, SPAMMED = "careful", "mixed", "careless", "spammed"

PRESETS = {
    CAREFUL: "Careful: trained people who take their time",
    MIXED: "Mixed: what an open crowd is like",
    CARELESS: "Careless: hurried people, little training",
    SPAMMED: "Mixed, and one in four answers at random",
}
"""The crowds that can be assumed, by name. Every type has rates for each."""

SPAMMERS = {CAREFUL: 0.0, MIXED: 0.03, CARELESS: 0.05, SPAMMED: 0.25}
"""Share of the workers of each assumed crowd who answer at random."""

MOST_EVIDENCE = 60.0
"""A worker's record counts for at most so many observations: another job has other objects."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of label quality between 0 and 1: a sum over objects divided by another.

    `counted`: it counts things that are right or wrong, so that none wrong among a few simulated ones proves little.
    """

    key: str
    title: str
    counted: bool


@dataclass(frozen=True, slots=True)
class SimulatedObject(Generic[Answer]):
    """An object that nobody has labeled, with its true label and the size of its picture in pixels."""

    truth: Answer
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that a crowd is assumed to be like, in words, with its number; `share`: of one, else any number."""

    title: str
    value: float
    share: bool


class SimulatedWorker(Protocol):
    """One worker of a simulated crowd; how it errs is the type's own."""

    @property
    def spammer(self) -> bool:
        """Whether the worker answers at random."""

    @property
    def activity(self) -> float:
        """How many answers the worker gives, 1 is usual; 0 where nobody knows."""


class Simulation(ABC, Generic[Answer, Models, Rates]):
    """How jobs of one task type are simulated. `n` objects, `w` workers, `k` answers an object."""

    figures: ClassVar[tuple[Figure, ...]]
    presets: ClassVar[Mapping[str, Any]]
    """The rates of each crowd of PRESETS."""

    @abstractmethod
    def things(self, rates: Rates) -> float:
        """About how many things (boxes, choices) one answer holds: what simulating it costs."""

    @abstractmethod
    def describe(self, rates: Rates) -> tuple[Assumption, ...]:
        """What the crowd is assumed to be like, for people to read; how often an ordinary worker is right first."""

    @abstractmethod
    def vary(self, rates: Rates, rng: np.random.Generator) -> Rates:
        """A crowd that `rates` might turn out to be: they are known only so well."""

    @abstractmethod
    def workers(self, rates: Rates, rng: np.random.Generator, spammers: Sequence[bool]) -> list[Any]:
        """A worker for each of `spammers` (w), drawn from the crowd; where it is true one who answers at random."""

    @abstractmethod
    def objects(
        self, rates: Rates, rng: np.random.Generator, number: int, labels: Sequence[str]
    ) -> list[SimulatedObject[Answer]]:
        """So many new objects."""

    @abstractmethod
    def answers(
        self,
        rates: Rates,
        rng: np.random.Generator,
        workers: Sequence[Any],
        objects: Sequence[SimulatedObject[Answer]],
        seats: Ints,
        labels: Sequence[str],
    ) -> list[list[Answer]]:
        """What worker `seats[i, s]` (n, k) says about object i, for each i and s."""

    @abstractmethod
    def score(self, truth: Sequence[Answer], found: Sequence[Answer | None]) -> Floats:
        """(n, figures, 2): what each object adds to the upper and the lower sum of each figure. None: no label."""

    @abstractmethod
    def learn(self, jobs: Sequence[Models], labels: Sequence[str]) -> Rates | None:
        """The rates of the crowd that worked on earlier jobs, from their worker models; None when they say too
        little."""


def spread_share(share: float, by: float, rng: np.random.Generator, number: int) -> Floats:
    """`number` shares around `share`, with a standard deviation of `by` logits."""
    return logistic(logit(share) + rng.normal(0.0, by, number))


def shifted(share: float, by: float) -> float:
    """The share `by` logits higher."""
    return float(logistic(logit(share) + by))


def moved(value: float, by: float, rng: np.random.Generator) -> float:
    """One positive value beside `value`; `by` is the standard deviation of its logarithm."""
    return float(value * np.exp(rng.normal(0.0, by)))


def believed(share: float, evidence: float, rng: np.random.Generator) -> float:
    """A share that `evidence` observations, of which `share` were right, leave possible."""
    weight = min(evidence, MOST_EVIDENCE) + 2.0
    return float(rng.beta(max(share * weight, 0.05), max((1 - share) * weight, 0.05)))


def success(share: Floats, difficulty: float, hardness: Floats) -> Floats:
    """Chance of being right about an object of `hardness` (standard normal) for those who are at `share` over all.

    The model of labeling/consolidation/existence.py: logistic(logit(share) * stretch - difficulty * hardness).
    """
    stretch = np.sqrt(1 + difficulty**2 * np.pi / 8)
    return logistic(logit(share) * stretch - difficulty * hardness)


def returning(known: Sequence[Any], number: int, rng: np.random.Generator) -> list[Any]:
    """`number` of the `known` workers, each once as far as they go; the rest are like some of them."""
    order = rng.permutation(len(known))[:number].tolist()
    order += rng.integers(0, len(known), max(0, number - len(known))).tolist()
    return [known[place] for place in order]


def known_again(known: Sequence[Worker], share: str, number: int, rng: np.random.Generator) -> list[Worker]:
    """`number` of the `known` workers, with a `share` (the name of a field) that their evidence leaves possible."""
    return [
        replace(one, **{share: believed(getattr(one, share), one.evidence, rng)})
        for one in returning(known, number, rng)
    ]


def with_spammers(workers: Sequence[Worker], spammers: Sequence[bool]) -> list[Worker]:
    """The workers, of whom those answer at random for whom `spammers` says so."""
    return [replace(one, spammer=spams) for one, spams in zip(workers, spammers, strict=True)]
