"""Simulated people who find things in an object one by one: masks, shapes or spans, each seen or overlooked.

How hard a thing is to see is the same for everybody who looks. Knows no kind of thing: each type says how one of its
own looks, and how a worker gives it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from labeling.consolidation.arrays import Floats, Ints
from labeling.simulation.base import Answer, Models, Rates, SimulatedObject, Simulation, success

Thing = TypeVar("Thing")


class ThingSimulation(Simulation[Answer, Models, Rates], Generic[Answer, Models, Rates, Thing]):
    """Rates have `recall`, `difficulty` and `false_positives`, workers `recall`, `false_positives` and `spammer`."""

    size: ClassVar[tuple[int, int]]
    """Of every simulated object."""

    @abstractmethod
    def usual(self, rates: Any) -> float:
        """Things of an object, on average."""

    @abstractmethod
    def parts(self, truth: Answer) -> Sequence[Thing]:
        """The things of an object's true label."""

    @abstractmethod
    def seen(
        self,
        rates: Any,
        rng: np.random.Generator,
        worker: Any,
        thing: Thing,
        size: tuple[int, int],
        labels: Sequence[str],
    ) -> Thing:
        """The thing as the worker gives it who sees it."""

    @abstractmethod
    def anywhere(
        self, rng: np.random.Generator, count: int, size: tuple[int, int], labels: Sequence[str]
    ) -> Sequence[Thing]:
        """So many things, fewer where there is no room, anywhere in an object."""

    @abstractmethod
    def together(
        self, seen: Sequence[Thing], false: Sequence[Thing], size: tuple[int, int], labels: Sequence[str]
    ) -> Answer:
        """One answer: what is there and was seen, and what is not there."""

    def things(self, rates: Any) -> float:
        """Things of one answer, at least one."""
        return max(1.0, self.usual(rates) * rates.recall + rates.false_positives)

    def objects(
        self, rates: Rates, rng: np.random.Generator, number: int, labels: Sequence[str]
    ) -> list[SimulatedObject[Answer]]:
        """With a Poisson number of things anywhere in them, classes alike."""
        counts = rng.poisson(self.usual(rates), number).tolist()
        drawn = (self.anywhere(rng, count, self.size, labels) for count in counts)
        return [SimulatedObject(self.together((), things, self.size, labels), self.size) for things in drawn]

    def answers(
        self,
        rates: Rates,
        rng: np.random.Generator,
        workers: Sequence[Any],
        objects: Sequence[SimulatedObject[Answer]],
        seats: Ints,
        labels: Sequence[str],
    ) -> list[list[Answer]]:
        """See Simulation.answers; how hard a thing is to see is drawn here, the same for all workers."""
        given = []
        for one, who in zip(objects, seats.tolist(), strict=True):
            things = self.parts(one.truth)
            hardness = rng.normal(size=len(things))
            given.append([self._answer(rates, rng, workers[seat], things, hardness, one.size, labels) for seat in who])
        return given

    def _answer(
        self,
        rates: Any,
        rng: np.random.Generator,
        worker: Any,
        things: Sequence[Thing],
        hardness: Floats,
        size: tuple[int, int],
        labels: Sequence[str],
    ) -> Answer:
        if worker.spammer:
            return self.together(
                (), self.anywhere(rng, int(rng.poisson(self.usual(rates))), size, labels), size, labels
            )
        finds = rng.random(len(things)) < success(np.full(len(things), worker.recall), rates.difficulty, hardness)
        seen = [
            self.seen(rates, rng, worker, thing, size, labels)
            for thing, found in zip(things, finds.tolist(), strict=True)
            if found
        ]
        return self.together(
            seen, self.anywhere(rng, int(rng.poisson(worker.false_positives)), size, labels), size, labels
        )


def taken_for(label: str, accuracy: float, labels: Sequence[str], rng: np.random.Generator) -> str:
    """The label, or one of the others, for which whoever is right that often takes it."""
    if len(labels) > 1 and rng.random() >= accuracy:
        return labels[(labels.index(label) + int(rng.integers(1, len(labels)))) % len(labels)]
    return label
