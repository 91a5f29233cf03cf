"""What a model saves that counts as one more worker for classes, and whether a bad one does harm.

Simulated people (labeling/simulation) answer by dynamic redundancy at one target confidence, with a simulated
classifier of a given accuracy and without. Its scores are informative and too sure of themselves, as those of networks
are. On a share of the objects, by lot, it does not count; there it is learned how good it is. People and model err
independently, which those of a model that was trained on people's labels do less.

    make bench NAME=counted_model

needs no GPU, trains nothing and takes about ten minutes on two busy cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.report import report
from labeling import task_types
from labeling.consolidation.answers import Proposal
from labeling.consolidation.arrays import Floats, Ints, logistic, logit
from labeling.forecast.simulated_job import Redundancy, SimulatedJob, simulation_of
from labeling.formats.shapes import Vote
from labeling.simulation.base import CARELESS, MIXED
from labeling.task_types.base import AnswersToImage
from labeling.task_types.proposing import USUAL_BLIND_SHARE

OBJECTS, WORKERS, MOST = 400, 24, 5
LABELS = ("ant", "bee", "fly", "moth", "wasp")
ACCURACIES = (0.6, 0.8, 0.9, 0.95)
GUESSING = {"one": 1 / len(LABELS), "several": 0.5}
"""How often a model is right that knows nothing, by kind of question."""

SPREAD, TOO_SURE = 1.5, 1.5
"""Standard deviation, in logits, of how sure a model is by right; what it multiplies these logits by."""

TYPES = {"one": "ImageMultiClass", "several": "ImageMultiClassMultiLabel"}
CROWDS = (MIXED, CARELESS)


class CountedJob(SimulatedJob):
    """A simulated job whose objects have these proposals."""

    proposals: Sequence[Proposal[Vote]] | None = None

    def _seen(self, places: Iterable[int], counts: Ints) -> list[AnswersToImage[Any]]:
        chosen = list(places)
        seen = super()._seen(chosen, counts)
        if self.proposals is None:
            return seen
        return [replace(one, proposals=(self.proposals[place],)) for place, one in zip(chosen, seen, strict=True)]


def said(job: SimulatedJob, accuracy: float, rng: np.random.Generator) -> list[Vote]:
    """What a classifier says of each object that is right about this share of the questions it is asked: which class,
    or of each class whether the object has it; with its scores."""
    if not job.kind.several:
        sure, right = judged(accuracy, len(job.truth), rng)
        wrong = rng.integers(1, len(LABELS), len(job.truth))
        places = [LABELS.index(one.label) for one in job.truth]
        return [
            Vote((LABELS[(place + (0 if good else step)) % len(LABELS)],), (score,))
            for place, good, step, score in zip(places, right, wrong.tolist(), sure.tolist(), strict=True)
        ]
    found = []
    for true in job.truth:
        sure, right = judged(accuracy, len(LABELS), rng)
        named = [(label in true.labels) == good for label, good in zip(LABELS, right, strict=True)]
        scores = [one if yes else 1 - one for one, yes in zip(np.maximum(sure, 0.501).tolist(), named, strict=True)]
        found.append(Vote(LABELS, tuple(scores)))
    return found


def judged(accuracy: float, number: int, rng: np.random.Generator) -> tuple[Floats, list[bool]]:
    """Scores (number,) and whether each answer is right, which is so for the share `accuracy` on average."""
    stretch = np.sqrt(1 + SPREAD**2 * np.pi / 8)
    chance = logistic(logit(accuracy) * stretch + rng.normal(0.0, SPREAD, number))
    right = rng.random(number) < chance
    return logistic(TOO_SURE * logit(chance)), right.tolist()


def proposals(job: SimulatedJob, accuracy: float, rng: np.random.Generator) -> list[Proposal[Vote]]:
    """What the model says of each object; it counts on all but USUAL_BLIND_SHARE of them."""
    blind = rng.random(len(job.truth)) < USUAL_BLIND_SHARE
    return [
        Proposal("model:m", vote, counts=not unseen)
        for vote, unseen in zip(said(job, accuracy, rng), blind.tolist(), strict=True)
    ]


def a_job(name: str, crowd: str, seed: int) -> CountedJob:
    """The same people, objects and answers for each seed."""
    kind, rng = task_types.get(TYPES[name]), np.random.default_rng([seed, len(crowd), len(name)])
    simulation = simulation_of(kind)
    rates = simulation.presets[crowd]
    workers = simulation.workers(rates, rng, [False] * WORKERS)
    return CountedJob(kind, LABELS, rates, workers, np.ones(WORKERS), objects=OBJECTS, seats=MOST, rng=rng)


def measured(job: CountedJob, redundancy: Redundancy) -> Floats:
    """(2,): answers an object, and the first figure of the labels' quality."""
    found = job.run(redundancy, of=OBJECTS)
    over, under = found.quality[:, 0, 0].sum(), found.quality[:, 0, 1].sum()
    return np.array([found.answers.mean(), over / max(under, 1e-9)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--target", type=float, default=0.95)
    asked = parser.parse_args()
    redundancy = Redundancy(MOST, start=1, target=asked.target)
    figures: dict[str, float] = {"target": asked.target, "objects": OBJECTS, "seeds": asked.seeds}
    for name in TYPES:
        for crowd in CROWDS:
            rows: dict[str, list[Floats]] = {}
            for seed in range(asked.seeds):
                job = a_job(name, crowd, seed)
                rows.setdefault("people", []).append(measured(job, redundancy))
                for accuracy in (GUESSING[name], *ACCURACIES):
                    job.proposals = proposals(job, accuracy, np.random.default_rng([seed, round(100 * accuracy)]))
                    way = f"model_{accuracy}" if accuracy in ACCURACIES else "guessing"
                    rows.setdefault(way, []).append(measured(job, redundancy))
                job.proposals = None
            for way, some in rows.items():
                answers, quality = np.mean(some, axis=0)
                key = f"{name}_{crowd}_{way}"
                figures |= {f"{key}_answers": round(float(answers), 3), f"{key}_quality": round(float(quality), 4)}
                print(f"{key}: {answers:.2f} answers an object, quality {quality:.4f}", flush=True)
    report("counted_model", figures)


if __name__ == "__main__":
    main()
