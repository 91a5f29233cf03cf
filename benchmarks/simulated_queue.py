"""A labeling job played through event by event: workers come and leave, claim and answer, and the job decides.

What benchmarks/job_forecast.py holds forecasts against. It shares with the forecast how people err and what a crowd is,
and nothing of how the forecast shortens a job: here every object, every claim, every refit and every hour happens.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.refitting import FIRST_FIT, GROWTH
from labeling.forecast.crowds import Crowd, People, draw_people
from labeling.forecast.learning import MOSTLY, EarlierJob, WorkerTimes
from labeling.forecast.simulated_job import Redundancy
from labeling.task_types.base import AnswersToImage, TaskType

SESSION = 1800.0
"""Mean seconds that a worker stays at work."""

TASK_SPREAD = 0.5
"""Standard deviation of the logarithm of a worker's seconds from task to task."""

POLL = 1.0
"""Seconds after which a worker who found no task looks again."""

TOGETHER = 8
"""Tasks that are judged together while there are others to hand out."""


@dataclass(frozen=True)
class Played:
    """How a job went: quality by figure, answers an object, seconds, seconds a task; `earlier` is what a later forecast
    may know of it."""

    quality: dict[str, float]
    answers: float
    duration: float
    seconds: float
    earlier: EarlierJob


class QueueOfJob:
    """One job of `objects` objects; `workers` err as they do, row `people` of an array says how fast and present."""

    def __init__(
        self,
        kind: TaskType[Any, Any],
        labels: Sequence[str],
        rates: Any,
        workers: Sequence[Any],
        people: People,
        redundancy: Redundancy,
        objects: int,
        rng: np.random.Generator,
    ) -> None:
        self.kind, self.labels, self.rng = kind, labels, rng
        self.seconds, self.presence = people.seconds[0], people.presence[0]
        made = kind.simulation.objects(rates, rng, objects, labels)
        everybody = np.tile(np.arange(len(workers)), (objects, 1))
        self.said = kind.simulation.answers(rates, rng, workers, made, everybody, labels)
        self.truth, self.sizes = [one.truth for one in made], [one.size for one in made]
        self.most = min(redundancy.most, len(workers))
        self.rule = redundancy.rule(len(workers))
        self.free = deque([(task, self.rule.min_answers if self.rule else self.most) for task in range(objects)])
        self.seats = [self.rule.min_answers if self.rule else self.most] * objects
        self.gave: list[list[int]] = [[] for _ in range(objects)]
        self.taken: list[set[int]] = [set() for _ in range(objects)]
        self.due: list[int] = []
        self.done: list[int] = []
        self.models, self.fitted = kind.load_workers(None), 0
        self.tasks = [[0, 0.0] for _ in workers]
        self.now = self.last = 0.0
        self.times: list[float] = []
        self.until = [0.0] * len(workers)

    def play(self) -> Played:
        """Until every object is done."""
        ends = [0.0] * len(self.seconds)
        events: list[tuple[float, int, int, int]] = []
        for who in range(len(self.seconds)):
            here = self.rng.random() < self.presence[who]
            ends[who] = self.rng.exponential(SESSION) if here else 0.0
            heapq.heappush(events, (0.0 if here else self._away(who), 0, who, -1))
        while len(self.done) < len(self.truth):
            self.now, _, who, task = heapq.heappop(events)
            if task >= 0:
                self._answered(who, task)
            if self.now >= ends[who]:
                if task >= 0 or ends[who] > 0:
                    ends[who] = 0.0
                    heapq.heappush(events, (self.now + self._away(who), 1, who, -1))
                    continue
                ends[who] = self.now + self.rng.exponential(SESSION)
            if ends[who] == 0.0:
                ends[who] = self.now + self.rng.exponential(SESSION)
            claimed = self._claim(who)
            if claimed is None:
                heapq.heappush(events, (self.now + POLL, 2, who, -1))
                continue
            spent = self.seconds[who] * np.exp(self.rng.normal(-(TASK_SPREAD**2) / 2, TASK_SPREAD))
            self.tasks[who][0] += 1
            self.tasks[who][1] += spent
            heapq.heappush(events, (self.now + spent, 3, who, claimed))
        return self._result()

    def _away(self, who: int) -> float:
        return float(self.rng.exponential(SESSION * (1 - self.presence[who]) / self.presence[who]))

    def _claim(self, who: int) -> int | None:
        """The first task in the queue with a free seat that this worker has not had."""
        for place, (task, seats) in enumerate(self.free):
            if who not in self.taken[task]:
                self.taken[task].add(who)
                if seats > 1:
                    self.free[place] = (task, seats - 1)
                else:
                    del self.free[place]
                return task
        if self.due:
            self._judge()
            return self._claim(who)
        return None

    def _answered(self, who: int, task: int) -> None:
        self.gave[task].append(who)
        self.last = self.now
        self.until[who] = self.now
        self.times.append(self.now)
        if len(self.gave[task]) < self.seats[task]:
            return
        if self.rule is None:
            self.done.append(task)
            return
        self.due.append(task)
        if len(self.due) >= TOGETHER or not self.free:
            self._judge()

    def _judge(self) -> None:
        tasks, self.due = self.due, []
        decisions = self.kind.decide_many(self._seen(tasks), labels=self.labels, rule=self.rule, workers=self.models)
        for task, decision in zip(tasks, decisions, strict=True):
            if decision.ask and self.seats[task] < self.most:
                self.seats[task] += 1
                self.free.append((task, 1))
            else:
                self.done.append(task)
        if len(self.done) >= max(FIRST_FIT, self.fitted * GROWTH):
            self._fit()

    def _fit(self) -> None:
        self.models = self.kind.fit_workers(self._seen(sorted(self.done)), labels=self.labels)
        self.fitted = len(self.done)

    def _seen(self, tasks: Sequence[int]) -> list[AnswersToImage[Any]]:
        return [
            AnswersToImage(
                tuple(WorkerAnswer(f"w{who:03d}", self.said[task][who]) for who in self.gave[task]),
                self.sizes[task],
                key=str(task),
            )
            for task in tasks
        ]

    def _result(self) -> Played:
        if len(self.done) >= FIRST_FIT:
            self._fit()
        results = self.kind.consolidate_many(
            self._seen(range(len(self.truth))), labels=self.labels, workers=self.models
        )
        found = [None if one.value is None else self.kind.read_value(one.value) for one in results]
        sums = self.kind.simulation.score(self.truth, found).sum(axis=0)
        answers, spent = sum(count for count, _ in self.tasks), sum(seconds for _, seconds in self.tasks)
        figures = [figure.key for figure in self.kind.simulation.figures]
        return Played(
            quality={key: float(up / down) for key, (up, down) in zip(figures, sums, strict=True) if down > 0},
            answers=answers / len(self.truth),
            duration=self.last,
            seconds=spent / answers,
            earlier=EarlierJob(
                self.models,
                tuple(
                    WorkerTimes(count, seconds / count, self.until[who])
                    for who, (count, seconds) in enumerate(self.tasks)
                    if count
                ),
                len(self.truth),
                self.times[int(MOSTLY * (len(self.times) - 1))],
            ),
        )


def population(kind: TaskType[Any, Any], crowd: Crowd, rng: np.random.Generator) -> tuple[Any, list[Any], People]:
    """One crowd that `crowd` may be: its rates, its workers and their times."""
    people = draw_people(crowd, rng, 1)
    rates = kind.simulation.vary(crowd.rates, rng)
    return rates, kind.simulation.workers(rates, rng, people.spammer[0].tolist()), people
