"""One job of the benchmark crowd_quality, event by event: who answers what when, and what the rules do about it."""

import heapq
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.consensus_data import Crowd, coco_truth, honest_boxes, spam_boxes
from labeling import task_types
from labeling.conduct.observed import LOOK_BACK, Activity, Conduct, SeenAnswer, usual_seconds
from labeling.conduct.rules import RULES, Action, decided, findings
from labeling.conduct.weights import agreement_weight
from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.refitting import FIRST_FIT, GROWTH
from labeling.formats.shapes import Box
from labeling.task_types.base import AnswersToImage
from marketplace.posterior import beliefs

KIND = task_types.get("BoundingBox")
ANSWERS = 3
HONEST_SECONDS, READING = 60.0, 90.0
GOOD = Crowd(workers=16, spammers=0.0, jitter=0.04, miss=0.08, false_positives=0.04, confusion=0.03)
SLOPPY = Crowd(workers=16, spammers=0.0, jitter=0.09, miss=0.3, false_positives=0.15, confusion=0.1)


@dataclass
class Person:
    """A worker: how they answer (`kind`, `style`), how long they take, and what the rules know of them."""

    name: str
    kind: str
    style: str
    seconds: float
    skill: Any
    bias: Any
    seen: list[SeenAnswer] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)
    had: set[int] = field(default_factory=set)
    evidence: dict[int, tuple[float, float]] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    since: dict[str, int] = field(default_factory=dict)
    closed_after: int | None = None
    paid: int = 0


@dataclass
class Outcome:
    """How a job went. `until_caught`: for each worker their kind and how many answers they had given when the job was
    closed to them, None when it was not. `wasted`: the share of the pay that spammers and scripts got."""

    f1: float
    wasted: float
    until_caught: list[tuple[str, int | None]]
    honest_findings: int
    log: list[tuple[str, str, int | None, list[str]]]


def people(rng: np.random.Generator) -> list[Person]:
    """12 honest, 4 sloppy, 4 spamming, 2 scripted."""
    styles = [("honest", "boxes")] * 12 + [("sloppy", "boxes")] * 4
    styles += [("spam", style) for style in ("random", "never", "same", "whole")]
    styles += [("script", "auto-submit"), ("script", "program")]
    return [
        Person(
            f"w{number:02d}",
            kind,
            style,
            HONEST_SECONDS * float(np.exp(rng.normal(0, 0.3))) * {"honest": 1.0, "sloppy": 0.6}.get(kind, 0.3),
            rng.lognormal(0, 0.25, 3),
            rng.normal(0, 0.4 * GOOD.jitter, 4),
        )
        for number, (kind, style) in enumerate(styles)
    ]


class Job:
    """A job in progress; `play` runs it to its end."""

    def __init__(self, seed: int, *, images: int, golds: float, control: bool, review: bool) -> None:
        self.rng = np.random.default_rng([seed, 5])
        self.labels, truth = coco_truth("bccd")
        chosen = self.rng.permutation(len(truth))[: 2 * images].tolist()
        self.truth = [truth[place] for place in chosen[:images]]
        self.known = [truth[place] for place in chosen[images:]]
        self.golds, self.control, self.review = golds, control, review
        self.people = people(self.rng)
        self.free = deque((task, ANSWERS) for task in range(images))
        self.given: list[dict[str, tuple[Any, float]]] = [{} for _ in range(images)]
        self.final: dict[int, Any] = {}
        self.models, self.fitted = KIND.load_workers(None), 0
        self.seat = 0

    def play(self) -> Outcome:
        """Until no task is left for anybody."""
        events: list[tuple[float, int, int]] = []
        for who in range(len(self.people)):
            heapq.heappush(events, (float(self.rng.exponential(10)), who, 0))
        idle = 0
        while events and idle < 2000:
            now, who, _ = heapq.heappop(events)
            person = self.people[who]
            if person.closed_after is not None:
                continue
            task = self._claim(person)
            if task is None:
                idle += 1
                if any(free for free in self.free) or len(self.final) < len(self.truth):
                    heapq.heappush(events, (now + 20, who, 0))
                continue
            idle = 0
            spent = self._seconds(person)
            wait = self._answer(person, task, spent)
            heapq.heappush(events, (now + spent + wait, who, 0))
        return self._outcome()

    def _claim(self, person: Person) -> int | None:
        for place, (task, seats) in enumerate(self.free):
            if task not in person.had:
                person.had.add(task)
                if seats > 1:
                    self.free[place] = (task, seats - 1)
                else:
                    del self.free[place]
                return task
        return None

    def _seconds(self, person: Person) -> float:
        if person.style == "auto-submit":
            return float(self.rng.uniform(2.5, 4.5))
        if person.style == "program":
            return 0.5
        return person.seconds * float(np.exp(self.rng.normal(0, 0.45)))

    def _draw(self, person: Person, image: tuple[Any, list[Box]]) -> list[Box]:
        size, boxes = image
        if person.kind in ("honest", "sloppy"):
            crowd = GOOD if person.kind == "honest" else SLOPPY
            missed = dict.fromkeys(self.labels, 0.0)
            return honest_boxes(self.rng, crowd, size, missed, boxes, person.skill, person.bias)
        if person.style == "never":
            return []
        if person.style in ("same", "auto-submit"):
            return [Box(self.labels[0], 100.0, 100.0, 80.0, 80.0), Box(self.labels[1], 300.0, 200.0, 90.0, 70.0)]
        if person.style == "whole":
            return [
                Box(self.labels[int(self.rng.integers(len(self.labels)))], 0.0, 0.0, float(size[0]), float(size[1]))
            ]
        return spam_boxes(self.rng, size, self.labels, int(self.rng.integers(2, 15)))

    def _activity(self, person: Person, spent: float) -> Activity | None:
        if person.style == "program":
            return None
        if person.style == "auto-submit":
            return Activity(0, 0, 9, 0, spent, 0.0)
        moves = int(self.rng.integers(80, 900))
        return Activity(moves, moves + 30, 0, int(self.rng.integers(0, 20)), spent, spent * 0.8)

    def _answer(self, person: Person, task: int, spent: float) -> float:
        """Hand an answer in; returns how long the worker is kept from the next one."""
        self.seat += 1
        if self.golds and self.rng.random() < self.golds * (3 if len(person.tasks) < 10 else 1):
            # A task with a known label, beside the task itself.
            image = self.known[int(self.rng.integers(len(self.known)))]
            share = KIND.agreement(self._draw(person, image), image[1])
            person.evidence[-self.seat] = (share, 1.0)
        answer = self._draw(person, self.truth[task])
        self.given[task][person.name] = (answer, spent)
        person.tasks.append(task)
        size = self.truth[task][0]
        person.seen.append(
            SeenAnswer(
                self.seat,
                spent,
                KIND.classes(answer),
                KIND.marks(answer),
                (int(size[0]), int(size[1])),
                self._activity(person, spent),
            )
        )
        person.paid += 1
        if len(self.given[task]) >= ANSWERS and not any(task == free for free, _ in self.free):
            self._label(task)
        return self._look(person) if self.control else 0.0

    # --- labels

    def _image(self, task: int) -> AnswersToImage[Any]:
        answers = tuple(WorkerAnswer(name, answer) for name, (answer, _) in self.given[task].items())
        size = self.truth[task][0]
        return AnswersToImage(answers, (int(size[0]), int(size[1])), key=str(task))

    def _label(self, task: int) -> None:
        result = KIND.consolidate_many([self._image(task)], labels=self.labels, workers=self.models)[0]
        self.final[task] = result
        self._rate(task)
        if len(self.final) >= max(FIRST_FIT, self.fitted * GROWTH):
            self.models = KIND.fit_workers([self._image(one) for one in sorted(self.final)], labels=self.labels)
            self.fitted = len(self.final)

    def _rate(self, task: int) -> None:
        result, answers = self.final[task], self.given[task]
        if result.value is None or (weight := agreement_weight(len(answers), result.confidence)) <= 0:
            return
        label = KIND.read_value(result.value)
        for person in self.people:
            if person.name in answers:
                person.evidence[task] = (KIND.agreement(answers[person.name][0], label), weight)

    # --- conduct

    def _conduct(self, person: Person) -> Conduct:
        answers, times = [], defaultdict(list)
        for seen, task in zip(person.seen[-LOOK_BACK:], person.tasks[-LOOK_BACK:], strict=True):
            others = []
            for name, (answer, spent) in self.given[task].items():
                if name != person.name:
                    others.append((KIND.classes(answer), len(answer)))
                    times[name].append(spent)
            answers.append(
                SeenAnswer(seen.seat, seen.elapsed, seen.classes, seen.marks, seen.size, seen.activity, tuple(others))
            )
        right = sum(share * weight for share, weight in person.evidence.values())
        wrong = sum((1 - share) * weight for share, weight in person.evidence.values())
        return Conduct(
            answers,
            HONEST_SECONDS,
            self.labels,
            usual_seconds(times),
            seats=len(answers),
            accuracy_high=beliefs([right], [wrong])[0].high,
            accuracy_pieces=len(person.evidence),
            since=person.since,
        )

    def _look(self, person: Person) -> float:
        wait = 0.0
        for key, found in findings(self._conduct(person)).items():
            rule = RULES[key]
            action = decided(rule, rule.action, earlier=person.found)
            person.found.append(key)
            person.since[key] = found.seat
            if action == Action.PAUSE:
                wait = max(wait, rule.minutes * 60.0)
            elif action == Action.RETRAIN:
                wait = max(wait, READING)
            elif action in (Action.BLOCK, Action.BAN):
                person.closed_after = len(person.tasks)
                if self.review:
                    self._withdraw(person)
                return 0.0
        return wait

    def _withdraw(self, person: Person) -> None:
        """Under a review nobody has accepted anything yet: every answer is taken back and asked again."""
        person.paid = 0
        for task in person.tasks:
            self.given[task].pop(person.name, None)
            self.final.pop(task, None)
            self.free.append((task, 1))

    def _outcome(self) -> Outcome:
        # A last look at every label with all that is known of the workers, as a job has it.
        if len(self.final) >= FIRST_FIT:
            self.models = KIND.fit_workers([self._image(one) for one in sorted(self.final)], labels=self.labels)
        tasks = range(len(self.truth))
        results = KIND.consolidate_many([self._image(task) for task in tasks], labels=self.labels, workers=self.models)
        found = [None if one.value is None else KIND.read_value(one.value) for one in results]
        sums = KIND.simulation.score([boxes for _, boxes in self.truth], found).sum(axis=0)
        paid = sum(person.paid for person in self.people)
        bad = sum(person.paid for person in self.people if person.kind in ("spam", "script"))
        return Outcome(
            f1=float(sums[0, 0] / sums[0, 1]),
            wasted=bad / paid,
            until_caught=[(person.kind, person.closed_after) for person in self.people],
            honest_findings=sum(len(person.found) for person in self.people if person.kind == "honest"),
            log=[
                (person.kind, person.style, person.closed_after, person.found)
                for person in self.people
                if person.found or person.kind in ("spam", "script")
            ],
        )


def play(seed: int, *, images: int, golds: float, control: bool, review: bool) -> Outcome:
    """Play one job of a seed: the same images and people whatever is switched on."""
    return Job(seed, images=images, golds=golds, control=control, review=review).play()
