"""One simulated job: the people answer, and the real consolidation and stopping rule do what they will do in earnest.

Pure: asks the task type only. The same people give the same answers under every redundancy that is tried, so that two
redundancies differ by what they do and not by luck.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeling import redundancy as means
from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.arrays import Bools, Floats, Ints
from labeling.consolidation.refitting import FIRST_FIT, GROWTH
from labeling.consolidation.stopping import Stopping
from labeling.simulation.base import Simulation
from labeling.task_types.base import AnswersToImage, TaskType

PARTS = 3
"""In so many parts is each round of decisions divided; after each the models may be fitted again."""


@dataclass(frozen=True, slots=True)
class Redundancy:
    """`most` answers to each object; with a `target` at first `start`, then more until the label is this certain.

    Without a target `fewer_percent` of the objects get one answer less (labeling/redundancy.py).
    """

    most: int
    start: int = 0
    target: float | None = None
    fewer_percent: int = 0

    @property
    def mean(self) -> float:
        """The most answers to an object; without a target those to each, on average."""
        return means.mean(self.most, self.fewer_percent)

    def total(self, objects: int) -> int:
        """The most answers to so many objects; without a target those that they get."""
        return means.total(objects, self.most, self.fewer_percent)

    def fixed(self, objects: int, seats: int) -> Ints:
        """Without a target: the answers of each object, where none can get more than `seats`."""
        keys = [str(place) for place in range(objects)]
        return np.minimum(means.shared_out(keys, self.most, self.fewer_percent), seats)

    def rule(self, seats: int) -> Stopping | None:
        """The stopping rule for a crowd in which an object can get at most `seats` answers; None for fixed ones."""
        if self.target is None:
            return None
        most = min(self.most, seats)
        return Stopping(max_answers=most, min_answers=min(self.start, most), target_confidence=self.target)


@dataclass(frozen=True, slots=True)
class Simulated:
    """Of each of n objects: `quality` (n, figures, 2) as Simulation.score gives it, `answers` (n,) how many it got."""

    quality: Floats
    answers: Ints


def simulation_of(kind: TaskType[Any, Any]) -> Simulation[Any, Any, Any]:
    """How jobs of this type are simulated. Raises ValueError for a type that does not say."""
    if kind.simulation is None:
        raise ValueError(f"jobs of the task type {kind.name} cannot be simulated")
    return kind.simulation


class SimulatedJob:
    """A number of objects with more answers than any redundancy asks for, in order of arrival."""

    def __init__(
        self,
        kind: TaskType[Any, Any],
        labels: Sequence[str],
        rates: Any,
        workers: Sequence[Any],
        weights: Floats,
        *,
        objects: int,
        seats: int,
        rng: np.random.Generator,
    ) -> None:
        """`weights` (w,): how many answers a worker gives, against others. `seats` is at most the number of workers."""
        self.kind, self.labels, self.seats = kind, labels, seats
        self.simulation = simulation_of(kind)
        made = self.simulation.objects(rates, rng, objects, labels)
        # Who comes first, by weight (the Gumbel-top-k trick): nobody answers an object twice.
        arrival = np.argsort(-np.log(weights) - rng.gumbel(size=(objects, len(workers))), axis=1)[:, :seats]
        given = self.simulation.answers(rates, rng, workers, made, arrival, labels)
        self.truth = [one.truth for one in made]
        self.sizes = [one.size for one in made]
        self.given = [
            tuple(WorkerAnswer(f"w{who:03d}", value) for who, value in zip(row, values, strict=True))
            for row, values in zip(arrival.tolist(), given, strict=True)
        ]

    def run(self, redundancy: Redundancy, *, of: int) -> Simulated:
        """What comes out under this redundancy, where the simulated objects are a part of a job of `of` objects."""
        rule = redundancy.rule(self.seats)
        if rule is None:
            counts = redundancy.fixed(len(self.given), self.seats)
        else:
            counts = self._ask(rule, times=of / len(self.given))
        seen = self._seen(range(len(self.given)), counts)
        results = self.kind.consolidate_many(seen, labels=self.labels, workers=self._fit(seen))
        found = [None if one.value is None else self.kind.read_value(one.value) for one in results]
        return Simulated(self.simulation.score(self.truth, found), counts)

    def _seen(self, places: Iterable[int], counts: Ints) -> list[AnswersToImage[Any]]:
        return [
            AnswersToImage(self.given[place][: counts[place]], self.sizes[place], key=str(place)) for place in places
        ]

    def _fit(self, seen: Sequence[AnswersToImage[Any]]) -> Any:
        """The models of the workers, as the job would have them: none before FIRST_FIT objects."""
        if len(seen) < FIRST_FIT:
            return self.kind.load_workers(None)
        return self.kind.fit_workers(seen, labels=self.labels)

    def _ask(self, rule: Stopping, *, times: float) -> Ints:
        """How many answers each object gets, where each object stands for `times` objects of the job.

        As in a real job a further seat goes to the end of the queue: no object gets its next answer before all others
        had their turn, and the workers' models are fitted when enough objects of the whole job are done.
        """
        number = len(self.given)
        counts = np.full(number, rule.min_answers)
        models, fitted, done = self.kind.load_workers(None), 0.0, np.zeros(number, bool)
        asking = list(range(number))
        while asking:
            again: list[int] = []
            for some in np.array_split(np.array(asking), min(PARTS, len(asking))):
                decisions = self.kind.decide_many(
                    self._seen(some.tolist(), counts), labels=self.labels, rule=rule, workers=models
                )
                asked = [place for place, decision in zip(some.tolist(), decisions, strict=True) if decision.ask]
                done[some] = True
                done[asked] = False
                again += asked
                finished = float(done.sum()) * times
                if again and finished >= max(FIRST_FIT, fitted * GROWTH):
                    models, fitted = self._fit(self._seen(self._known(done), counts)), finished
            counts[again] += 1
            asking = again
        return counts

    def _known(self, done: Bools) -> list[int]:
        """The objects that models are fitted to: those that are done, filled up to FIRST_FIT by others, because each
        stands for several."""
        others = np.flatnonzero(~done)[: max(0, FIRST_FIT - int(done.sum()))]
        return sorted([*np.flatnonzero(done).tolist(), *others.tolist()])
