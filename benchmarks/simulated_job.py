"""A labeling job of benchmarks: its simulated crowd, who is asked, what they say, and what that costs.

The rules are the product's: when nobody else is asked (dynamic redundancy), when the workers' models are fitted again,
and who is shown no more work because their answers agree too little with the labels (labeling/conduct).
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmarks.active_learning_sets import ImageSet
from labeling.conduct.rules import too_low
from labeling.conduct.weights import agreement_weight
from labeling.consolidation.answers import Proposal, WorkerAnswer
from labeling.consolidation.refitting import FIRST_FIT, GROWTH
from labeling.consolidation.stopping import Stopping
from labeling.formats.shapes import Box
from labeling.simulation import checking
from labeling.simulation.base import MIXED, SimulatedObject
from labeling.simulation.boxes import BoxSimulation
from labeling.simulation.matching import labeled, tally
from labeling.task_types.base import AnswersToImage
from labeling.task_types.bounding_box import BoundingBox
from labeling.task_types.proposing import CHECK_SHARE, USUAL_BLIND_SHARE, USUAL_LEAST_QUALITY
from learning.selection import thresholds
from learning.selection.quality import Detections
from learning.selection.uncertainty import Certainty, kept
from marketplace import posterior

AT_ONCE = 12
"""So many images are labeled at the same time: after them the job knows more of its workers."""
KIND = BoundingBox()
PEOPLE, SPAMMERS, SEATS = 12, 2, 5


@dataclass(frozen=True)
class Crowd:
    """A crowd by its number, and the job's dynamic redundancy: answers to begin with, and the confidence from which
    nobody else is asked."""

    seed: int
    start: int = 2
    target: float = 0.95


@dataclass
class Record:
    """How far a worker's answers agreed with the labels: sums of weights, and of how many answers."""

    right: float = 0.0
    wrong: float = 0.0
    pieces: int = 0

    @property
    def too_low(self) -> bool:
        """As the rule of conduct has it (labeling/conduct/rules.py: low_accuracy)."""
        return too_low(self.pieces, posterior.beliefs([self.right], [self.wrong])[0].high)


@dataclass
class Job:
    """One set with its crowd. `said` has what each worker would draw of each image, in the order in which they come;
    `proposed` what each model says of an image, and `checked` the images where people begin with what the newest says.
    `given` are the answers so far, `blocked` the workers who get no more work."""

    images: ImageSet
    names: list[str]
    sizes: dict[str, tuple[int, int]]
    truths: dict[str, list[Box]]
    said: dict[str, list[WorkerAnswer[list[Box]]]]
    spammers: set[str]
    rule: Stopping
    proposed: dict[str, dict[str, list[Box]]] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)
    given: dict[str, list[WorkerAnswer[list[Box]]]] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    fitted: int = 0
    workers: Any = field(default_factory=lambda: KIND.load_workers(None))

    def image(self, name: str) -> AnswersToImage[list[Box]]:
        """The image with its answers."""
        given, models = self.given[name], self.proposed.get(name, {})
        seen = {next(reversed(models)): frozenset(one.worker for one in given)} if name in self.checked else {}
        proposals = tuple(Proposal(model, boxes, seen.get(model, frozenset())) for model, boxes in models.items())
        return AnswersToImage(tuple(given), self.sizes[name], key=name, proposals=proposals)

    def newest(self, name: str) -> list[Box]:
        """What the newest model says of an image."""
        models = self.proposed.get(name, {})
        return models[next(reversed(models))] if models else []

    def label(self, names: list[str]) -> None:
        """People label these images, as many of them as each takes."""
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            self._label(some)
            self._learn(some)

    def _label(self, names: list[str]) -> None:
        for name in names:
            self.given[name] = []
        live = list(names)
        while live:
            for name in live:
                self._ask(name)
            decisions = KIND.decide_many(
                [self.image(name) for name in live], labels=self.images.classes, rule=self.rule, workers=self.workers
            )
            live = [name for name, one in zip(live, decisions, strict=True) if one.ask]

    def _ask(self, name: str) -> None:
        """The next worker who may answer does."""
        asked = {one.worker for one in self.given[name]}
        free = (one for one in self.said[name] if one.worker not in asked and one.worker not in self.blocked)
        answer = next(free)
        if name in self.checked:
            begun = self.newest(name)
            spammer = answer.worker in self.spammers
            value = begun if spammer else checking.checked(begun, answer.value, self.truths[name])
            answer = WorkerAnswer(answer.worker, value)
        self.given[name].append(answer)

    def _learn(self, names: list[str]) -> None:
        """Who agrees with the labels of these images; and the workers' models again where there is enough new."""
        drawn = [name for name in names if name not in self.checked]
        for name, label in zip(drawn, self._consolidated(drawn), strict=True):
            answers = self.given[name]
            weight = agreement_weight(len(answers), label.confidence)
            for one in answers if weight > 0 else []:
                record = self.records.setdefault(one.worker, Record())
                right = KIND.agreement(one.value, KIND.read_value(label.value or {"boxes": []}))
                record.right, record.wrong = record.right + weight * right, record.wrong + weight * (1 - right)
                record.pieces += 1
        self.blocked |= {worker for worker, record in self.records.items() if record.too_low}
        if len(self.given) >= max(FIRST_FIT, self.fitted * GROWTH):
            self.fit()

    def fit(self) -> None:
        """The workers' models by all answers."""
        self.fitted = len(self.given)
        self.workers = KIND.fit_workers([self.image(name) for name in self.given], labels=self.images.classes)

    def labels(self, names: list[str]) -> list[list[Box]]:
        """The labels of these images by all that is known of the workers."""
        return [KIND.read_value(one.value or {"boxes": []}) for one in self._consolidated(names)]

    def _consolidated(self, names: list[str]) -> list[Any]:
        given = [self.image(name) for name in names]
        return list(KIND.consolidate_many(given, labels=self.images.classes, workers=self.workers))

    def answers(self, names: list[str]) -> float:
        """How many answers an image has, on average."""
        return float(np.mean([len(self.given[one]) for one in names])) if names else 0.0

    def money(self) -> float:
        """What all answers cost, in prices of an answer that is drawn."""
        return sum(len(given) / (CHECK_SHARE if name in self.checked else 1) for name, given in self.given.items())


def a_job(images: ImageSet, names: list[str], crowd: Crowd) -> Job:
    """These images, and what each of a crowd would draw of them."""
    rng = np.random.default_rng([crowd.seed, 3, len(names)])
    sizes = {one["file_name"]: (one["width"], one["height"]) for one in images.coco["images"]}
    truths = {name: _boxes(images.truths[name], images.classes) for name in names}
    simulation = BoxSimulation()
    rates = replace(simulation.presets[MIXED], objects=float(np.mean([len(one) for one in truths.values()])))
    workers = simulation.workers(rates, rng, [place < SPAMMERS for place in range(PEOPLE)])
    seats = np.array([rng.permutation(PEOPLE) for _ in names])
    objects = [SimulatedObject(truths[name], sizes[name]) for name in names]
    said = simulation.answers(rates, rng, workers, objects, seats, images.classes)
    answers = {
        name: [WorkerAnswer(f"worker-{who}", boxes) for who, boxes in zip(seats[place], said[place], strict=True)]
        for place, name in enumerate(names)
    }
    rule = Stopping(max_answers=SEATS, min_answers=crowd.start, target_confidence=crowd.target)
    spammers = {f"worker-{place}" for place in range(SPAMMERS)}
    return Job(images, names, sizes, truths, answers, spammers, rule)


def propose(job: Job, seen: dict[str, Detections], aside: list[str], rest: list[str], number: int) -> None:
    """Find the cuts on the images `aside`, which people labeled unseen, and what each of the `rest` is shown:
    by the model of this `number`."""
    truths = [_detections(found, job.images.classes) for found in job.labels(aside)]
    certainty: Certainty = thresholds.choose(
        [seen[name] for name in aside], truths, classes=len(job.images.classes), target=0.6, confidence=0.9, seed=number
    ).certainty
    rng = np.random.default_rng([number, 2])
    for name in [*aside, *rest]:
        found = boxes(kept(seen[name], certainty.cuts), job.images.classes)
        job.proposed.setdefault(name, {})[f"model:{number}"] = KIND.proposing.begun(found, size=job.sizes[name])
        good = bool(found) and float(certainty.predict([seen[name]])[0]) >= USUAL_LEAST_QUALITY
        job.checked.discard(name)
        if good and name in rest and rng.random() >= USUAL_BLIND_SHARE:
            job.checked.add(name)
    job.fit()


def rows(found: Detections) -> list[list[float]]:
    """Class, left, top, width, height and score of each box."""
    sides = np.concatenate([found.corners[:, :2], found.corners[:, 2:] - found.corners[:, :2]], axis=1)
    return [
        [int(place), *map(float, box), float(score)]
        for place, box, score in zip(found.classes, sides, found.scores, strict=True)
    ]


def _boxes(found: Detections, classes: list[str]) -> list[Box]:
    return [Box(classes[int(place)], *box) for place, *box, _ in rows(found)]


def boxes(found: Detections, classes: list[str]) -> list[Box]:
    """A detector's boxes with their scores."""
    return [Box(classes[int(place)], *box, score) for place, *box, score in rows(found)]


def _detections(boxes: list[Box], classes: list[str]) -> Detections:
    return Detections.of([(classes.index(b.label), b.left, b.top, b.width, b.height, 1.0) for b in boxes])


def score(job: Job, names: list[str]) -> tuple[float, float]:
    """F1 at an IoU of 0.5, and the mean IoU of the boxes that are right."""
    return f1([labeled(one) for one in job.labels(names)], [labeled(job.truths[name]) for name in names])


def f1(found: list[Any], true: list[Any]) -> tuple[float, float]:
    """F1 of labels at an IoU of 0.5, and the mean IoU of the boxes that are right."""
    right, made, gold, overlap = tally(found, true).sum(axis=0)
    return float(2 * right / (made + gold)), float(overlap / right)
