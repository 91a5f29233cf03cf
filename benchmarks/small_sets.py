"""What checking a model's boxes costs in place of drawing, on small real sets, at which quality.

    make bench NAME=small_sets      or: python -m benchmarks.small_sets --sets raccoon --keep predictions

Of each set people draw a quarter, of which two fifths check the model, as in a loop over so few images; a model is
trained on the others and predicts the rest. People then check its boxes where they are expected to be good enough, but
for a blind share, which they draw. After another quarter a model is trained on all that is labeled by then (`--rounds
1`: none is). No image is labeled by the machine alone. The rules are the product's: cuts and expected quality
(selection/thresholds.py), what the model's boxes and people's answers prove (consolidation), and when nobody else is
asked (dynamic redundancy). People are simulated (labeling/simulation: of twelve two answer at random, and leave
proposed boxes as they are). The models are trained on true boxes.

`<set>_money_share` is the money over that of five people who draw each image; `<set>_f1`, `<set>_mean_iou` the labels'
F1 at an IoU of 0.5 and the mean IoU of the boxes that are right, `<set>_five_f1`, `<set>_five_mean_iou` those of the
five. `<set>_drawn_answers` and `<set>_checked_answers` are answers an image, `<set>_checked` the share of images that
were checked, `<set>_model_f1` what the model's boxes are alone. `<set>_by_redundancy` is the money when people draw
everything with dynamic redundancy.

With `--keep FOLDER` predictions are written there and read again, so that the trainings are made once.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import active_learning_sets as sets
from benchmarks.active_learning_sets import Effort, ImageSet
from benchmarks.options import datasets
from benchmarks.report import machine, report
from labeling.consolidation.answers import Proposal, WorkerAnswer
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

PEOPLE, SPAMMERS, SEATS = 12, 2, 5
FIRST, CHECKS_MODEL = 0.25, 0.4
KIND = BoundingBox()
MODEL = "model:small"


@dataclass
class Job:
    """One set with its crowd. `answers` has what five people would draw of each image, `proposed` what they are shown;
    `asked` how many answers each image has by now."""

    images: ImageSet
    names: list[str]
    sizes: dict[str, tuple[int, int]]
    truths: dict[str, list[Box]]
    answers: dict[str, list[WorkerAnswer[list[Box]]]]
    spammers: set[str]
    rule: Stopping
    proposed: dict[str, list[Box]] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)
    asked: dict[str, int] = field(default_factory=dict)
    workers: Any = None

    def image(self, name: str, answers: int) -> AnswersToImage[list[Box]]:
        """The image with its first answers."""
        given = self.answers[name][:answers]
        begun = self.proposed.get(name)
        if name in self.checked:
            given = [replace(one, value=self._checked(one, name)) for one in given]
        seen = frozenset(one.worker for one in given) if name in self.checked else frozenset()
        proposals = () if begun is None else (Proposal(MODEL, begun, seen),)
        return AnswersToImage(tuple(given), self.sizes[name], key=name, proposals=proposals)

    def _checked(self, answer: WorkerAnswer[list[Box]], name: str) -> list[Box]:
        begun = self.proposed[name]
        if answer.worker in self.spammers:
            return begun
        return checking.checked(begun, answer.value, self.truths[name])

    def label(self, names: list[str]) -> None:
        """People label these images, as many of them as each takes, and the workers are known better by it."""
        self.asked |= dict.fromkeys(names, self.rule.min_answers)
        live = list(names)
        while live:
            given = [self.image(name, self.asked[name]) for name in live]
            decisions = KIND.decide_many(given, labels=self.images.classes, rule=self.rule, workers=self.workers)
            live = [name for name, one in zip(live, decisions, strict=True) if one.ask and self.asked[name] < SEATS]
            for name in live:
                self.asked[name] += 1
        given = [self.image(name, count) for name, count in self.asked.items()]
        self.workers = KIND.fit_workers(given, labels=self.images.classes)

    def labels(self, names: list[str]) -> list[list[Box]]:
        """The labels of these images by all that is known of the workers."""
        given = [self.image(name, self.asked[name]) for name in names]
        found = KIND.consolidate_many(given, labels=self.images.classes, workers=self.workers)
        return [KIND.read_value(one.value or {"boxes": []}) for one in found]


def main() -> None:
    """Every set in turn; the report last."""
    options = _options()
    on, figures = machine(), {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.sets:
            found = study(name, Path(scratch), options)
            figures |= {f"{name}_{key}": value for key, value in found.items()}
            print(name, found, flush=True)
    report("small_sets", figures, on=on)


def study(name: str, scratch: Path, options: argparse.Namespace) -> dict[str, float]:
    """The figures of one set."""
    images = sets.load(
        name, datasets=options.datasets, scratch=scratch, scenes_count=0, most=options.images, most_test=options.images
    )
    drawn = a_job(images, options)
    order = drawn.names
    drawn.label(order)
    by_redundancy = sum(drawn.asked.values()) / (SEATS * len(order))
    everybody = replace(drawn, asked=dict.fromkeys(order, SEATS))
    everybody.workers = KIND.fit_workers([everybody.image(one, SEATS) for one in order], labels=images.classes)
    five = score(everybody, order, everybody.labels(order))
    job = a_job(images, options)
    first = max(round(len(order) * FIRST), 20)
    aside = order[: round(first * CHECKS_MODEL)]
    job.label(order[:first])
    rest, learned, model_right = order[first:], order[len(aside) : first], []
    for number in range(1, options.rounds + 1):
        seen = predictions(f"{name}-{number}", images, [*aside, *rest], learned, scratch, options)
        propose(job, seen, aside, rest, options.seed + number)
        batch = rest if number == options.rounds else rest[:first]
        model_right += [(job.proposed.get(one, []), job.truths[one]) for one in batch]
        job.label(batch)
        rest, learned = rest[len(batch) :], [*learned, *batch]
        if not rest:
            break
    job.label([])
    checked = [one for one in order if one in job.checked]
    others = [one for one in order if one not in job.checked]
    money = sum(job.asked[one] for one in others) + sum(job.asked[one] for one in checked) / CHECK_SHARE
    f1, mean_iou = score(job, order, job.labels(order))
    return {
        "images": float(len(order)),
        "money_share": money / (SEATS * len(order)),
        "f1": f1,
        "mean_iou": mean_iou,
        "five_f1": five[0],
        "five_mean_iou": five[1],
        "by_redundancy": by_redundancy,
        "checked": len(checked) / len(order),
        "drawn_answers": float(np.mean([job.asked[one] for one in others])),
        "checked_answers": float(np.mean([job.asked[one] for one in checked])) if checked else 0.0,
        "model_f1": _f1([labeled(found) for found, _ in model_right], [labeled(true) for _, true in model_right])[0],
    }


def a_job(images: ImageSet, options: argparse.Namespace) -> Job:
    """The images in a random order, and what five of the crowd would draw of each."""
    rng = np.random.default_rng([options.seed, 1])
    names = [str(one) for one in rng.permutation([*images.train, *images.test])]
    sizes = {one["file_name"]: (one["width"], one["height"]) for one in images.coco["images"]}
    truths = {name: _boxes(images.truths[name], images.classes) for name in names}
    simulation = BoxSimulation()
    rates = replace(simulation.presets[MIXED], objects=float(np.mean([len(one) for one in truths.values()])))
    crowd = simulation.workers(rates, rng, [place < SPAMMERS for place in range(PEOPLE)])
    seats = np.array([rng.permutation(PEOPLE)[:SEATS] for _ in names])
    objects = [SimulatedObject(truths[name], sizes[name]) for name in names]
    said = simulation.answers(rates, rng, crowd, objects, seats, images.classes)
    answers = {
        name: [WorkerAnswer(f"worker-{who}", boxes) for who, boxes in zip(seats[place], said[place], strict=True)]
        for place, name in enumerate(names)
    }
    rule = Stopping(max_answers=SEATS, min_answers=options.start, target_confidence=options.target)
    spammers = {f"worker-{place}" for place in range(SPAMMERS)}
    return Job(images, names, sizes, truths, answers, spammers, rule, workers=KIND.load_workers(None))


def propose(job: Job, seen: dict[str, Detections], aside: list[str], rest: list[str], seed: int) -> None:
    """Find the cuts on the images that people labeled unseen, and what each of the others is shown."""
    truths = [_detections(found, job.images.classes) for found in job.labels(aside)]
    certainty: Certainty = thresholds.choose(
        [seen[name] for name in aside], truths, classes=len(job.images.classes), target=0.6, confidence=0.9, seed=seed
    ).certainty
    rng = np.random.default_rng([seed, 2])
    for name in [*aside, *rest]:
        boxes = _boxes(kept(seen[name], certainty.cuts), job.images.classes)
        job.proposed[name] = KIND.proposing.begun(boxes, size=job.sizes[name])
        good = bool(boxes) and float(certainty.predict([seen[name]])[0]) >= USUAL_LEAST_QUALITY
        job.checked.discard(name)
        if good and name in rest and rng.random() >= USUAL_BLIND_SHARE:
            job.checked.add(name)


def predictions(
    key: str, images: ImageSet, names: list[str], learned: list[str], scratch: Path, options: argparse.Namespace
) -> dict[str, Detections]:
    """What a detector that learned from the `learned` images says of the others."""
    path = options.keep / f"{key}.json" if options.keep else None
    if path is None or not path.exists():
        effort = Effort(steps=options.steps, image_size=options.image_size)
        sets.train(scratch / key, replace(images, test=names[:20]), learned, effort, seed=options.seed)
        seen = sets.predict(scratch / key, images, names).boxes
        rows = {name: _rows(found) for name, found in zip(names, seen, strict=True)}
        if path is None:
            return {name: Detections.of([tuple(row) for row in found]) for name, found in rows.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows))
    return {name: Detections.of([tuple(row) for row in found]) for name, found in json.loads(path.read_text()).items()}


def _rows(found: Detections) -> list[list[float]]:
    sides = np.concatenate([found.corners[:, :2], found.corners[:, 2:] - found.corners[:, :2]], axis=1)
    return [
        [int(place), *map(float, box), float(score)]
        for place, box, score in zip(found.classes, sides, found.scores, strict=True)
    ]


def _boxes(found: Detections, classes: list[str]) -> list[Box]:
    return [Box(classes[int(place)], *box) for place, *box, _ in _rows(found)]


def _detections(boxes: list[Box], classes: list[str]) -> Detections:
    return Detections.of([(classes.index(b.label), b.left, b.top, b.width, b.height, 1.0) for b in boxes])


def score(job: Job, names: list[str], found: list[list[Box]]) -> tuple[float, float]:
    """F1 at an IoU of 0.5, and the mean IoU of the boxes that are right."""
    return _f1([labeled(one) for one in found], [labeled(job.truths[name]) for name in names])


def _f1(found: list[Any], true: list[Any]) -> tuple[float, float]:
    right, made, gold, overlap = tally(found, true).sum(axis=0)
    return float(2 * right / (made + gold)), float(overlap / right)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=["raccoon", "cards", "bccd"])
    parser.add_argument("--images", type=int, default=10_000, help="at most so many of each part of a set")
    parser.add_argument(
        "--rounds", type=int, default=2, help="models that are trained, each on more than the one before"
    )
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--target", type=float, default=0.95, help="the confidence from which nobody else is asked")
    parser.add_argument("--start", type=int, default=2, help="answers that each image begins with")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="where predictions are kept, to be read again")
    parser.add_argument("--datasets", type=Path, default=datasets())
    return parser.parse_args(sys.argv[1:])


if __name__ == "__main__":
    main()
