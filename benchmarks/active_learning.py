"""What choosing the images to label is worth, and what automated labeling at a stated error costs.

    make bench NAME=active_learning      or: python -m benchmarks.active_learning --quick

*Choosing*: on `bccd`, `cards`, `raccoon` and generated scenes, detectors are trained on images chosen at random, by
entropy, as a core-set, and as the product chooses; all ways begin with the same random images, and every training
starts from the same weights and has the same number of steps. `<set>_<way>_mAP` is the mean over the rounds after the
first of the mAP (0.5:0.95) on the test images, at equal numbers of images; `<set>_<way>_mAP_by_boxes` the mean over
equal numbers of boxes drawn; `<set>_map_margin_over_best_rival` the lead of ours over the best of the others, in
standard deviations over the seeds. `<set>_<way>_mAP_at_<images>` and `_boxes_at_<images>` are the curve.

*Money*: the loop's own rules on the predictions of these detectors. `money_saved_<set>_e5` is the share of the money of
five answers for each image that is saved when at most 5 % of the machine's labels are wrong with 95 % confidence, and
simulated people label the rest: with dynamic redundancy, and from the second round on by checking the model's boxes at
a third of the price where these are good (`<set>_money_saved_drawing_e5`: where they draw all).
`<set>_realised_error_e5` is what was wrong of the machine's labels, `<set>_f1_e5` how good all are, and
`<set>_five_f1_e5` those of five people: means over `--crowds` runs with the same models, other calibration images and
another crowd.

*Promise*: the figures of benchmarks/auto_label_promise.py, by `--draws` resampled calibrations, with its names.

*Time*: on two idle cores a training takes 15 to 40 seconds; the whole run (4 sets, 3 seeds, 4 rounds after the first:
204 trainings, four long ones for the money, four for the promise) about four hours by these, `--quick` (one set, one
seed, tiny trainings) about one minute.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import active_learning_money, auto_label_promise
from benchmarks import active_learning_sets as sets
from benchmarks.active_learning_money import Rules
from benchmarks.active_learning_sets import SCENES, Effort, ImageSet
from benchmarks.active_learning_ways import OURS, WAYS, Question
from benchmarks.options import datasets
from benchmarks.report import machine, report
from benchmarks.simulated_job import Crowd

GRID = 50
"""Points at which curves over boxes are compared."""


@dataclass(frozen=True)
class Point:
    """A detector of one round: how many images and boxes were labeled for it, and its mAP on the test images."""

    images: int
    boxes: int
    mean_ap: float


Curves = dict[str, list[list[Point]]]
"""By way, one curve for each seed."""


def main() -> None:
    """Every set in turn; the report last."""
    options = _options()
    on = machine()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.sets:
            began = time.monotonic()
            images = _load(name, Path(scratch), options)
            curves: Curves = {way: [] for way in options.ways}
            for seed in range(options.seeds):
                for way, curve in study(images, Path(scratch) / name, options, seed):
                    curves[way].append(curve)
                    print(f"{name} seed {seed} {way:8s}", *(_said(point) for point in curve), flush=True)
            figures |= {f"{name}_{key}": value for key, value in compared(curves).items()}
            figures[f"{name}_s"] = time.monotonic() - began
        for name in options.money_sets:
            figures |= money(name, options.keep or Path(scratch), options)
    for name in options.promise_sets:
        found = auto_label_promise.measure(auto_label_promise.keep(name, options), draws=options.draws)
        figures |= {f"{name}_{key}": value for key, value in found.items()}
    report("active_learning", figures, on=on)


def money(name: str, scratch: Path, options: argparse.Namespace) -> dict[str, float]:
    """The figures of whole loops on one set, at each promised error."""
    images = _load(name, scratch, options)
    found: dict[str, float] = {}
    for error in options.errors:
        rules = Rules(
            error,
            rounds=options.money_rounds,
            seed_share=options.seed_share,
            batch_share=options.batch_share,
            box_cost=options.box_cost,
        )
        effort = Effort(options.architecture, options.money_steps, image_size=options.money_image_size)
        keep = scratch / f"money-{name}"
        crowds = [Crowd(number, target=options.confidence) for number in range(options.crowds)]
        made = active_learning_money.run(images, keep, effort, rules, crowds=crowds, seed=0)
        end = f"e{error * 100:g}"
        found[f"money_saved_{name}_{end}"] = made.pop("money_saved")
        found |= {f"{name}_{key}_{end}": value for key, value in made.items()}
    return found


def _load(name: str, scratch: Path, options: argparse.Namespace) -> ImageSet:
    return sets.load(
        name, datasets=options.datasets or datasets(), scratch=scratch, scenes_count=options.scenes,
        most=options.pool, most_test=options.test,
    )  # fmt: skip


def _said(point: Point) -> str:
    return f"{point.images}/{point.boxes}: {point.mean_ap:.3f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=["bccd", "cards", "raccoon", SCENES])
    parser.add_argument("--datasets", type=Path, default=None, help="the folder of the real sets")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scenes", type=int, default=2000, help="generated scenes, of which a fifth are for testing")
    parser.add_argument("--pool", type=int, default=2000, help="at most so many images may be labeled")
    parser.add_argument("--test", type=int, default=400, help="at most so many images measure the detectors")
    parser.add_argument("--start", type=int, default=20, help="random images of the first round")
    parser.add_argument("--batch", type=int, default=20, help="images of each further round")
    parser.add_argument("--rounds", type=int, default=4, help="after the first")
    parser.add_argument("--box-cost", type=float, default=0.0, help="the price of a box over that of an image")
    parser.add_argument("--steps", type=int, default=Effort.steps, help="of each training")
    parser.add_argument("--image-size", type=int, default=Effort.image_size)
    parser.add_argument("--architecture", default=Effort.architecture)
    parser.add_argument("--money-sets", nargs="*", default=[SCENES])
    parser.add_argument("--errors", nargs="+", type=float, default=[0.05, 0.1])
    parser.add_argument("--money-rounds", type=int, default=2, help="models at most of a loop")
    parser.add_argument("--money-image-size", type=int, default=256)
    parser.add_argument("--money-steps", type=int, default=2000, help="of each training of a loop")
    parser.add_argument("--seed-share", type=float, default=0.08, help="of all images, half of it for calibration")
    parser.add_argument("--batch-share", type=float, default=0.2, help="of all images, the batch of a further round")
    parser.add_argument(
        "--crowds", type=int, default=10, help="that are paid for a loop's work, each with other calibration images"
    )
    parser.add_argument("--confidence", type=float, default=0.9, help="from which nobody else is asked of an image")
    parser.add_argument(
        "--keep", type=auto_label_promise.absolute, help="where models of loops are kept, to be read again"
    )
    parser.add_argument("--promise-sets", nargs="*", default=["bccd", "cards", "raccoon", SCENES])
    parser.add_argument("--draws", type=int, default=200, help="resampled calibrations of the promise")
    parser.add_argument("--promise-steps", type=int, default=1200, help="of each training of the promise")
    parser.add_argument(
        "--folder",
        type=auto_label_promise.absolute,
        default=auto_label_promise.absolute("var/auto-label-promise"),
        help="where the promise's predictions are kept",
    )
    parser.add_argument("--quick", action="store_true", help="one set, one seed, tiny trainings")
    options = parser.parse_args()
    if options.quick:
        options.sets = options.sets if len(options.sets) == 1 else [SCENES]
        options.money_sets, options.promise_sets, options.errors = options.sets, [], [0.05]
        small = {
            "money_rounds": 1,
            "money_steps": 4,
            "seeds": 1,
            "scenes": 60,
            "pool": 48,
            "test": 12,
            "start": 8,
            "batch": 8,
            "rounds": 1,
            "steps": 4,
            "money_image_size": 96,
        }
        vars(options).update(small | {"image_size": 96})
    return options


def study(images: ImageSet, scratch: Path, options: argparse.Namespace, seed: int) -> Iterator[tuple[str, list[Point]]]:
    """The curve of each way from the same first images."""
    effort = Effort(options.architecture, options.steps, image_size=options.image_size)
    first = [images.train[place] for place in np.random.default_rng(seed).permutation(len(images.train))]
    first = first[: options.start]
    common = scratch / "start"
    metrics = sets.train(common, images, first, effort, seed=seed)
    if len(first) >= len(images.train):
        sys.exit(
            f"the first round has {len(first)} images and there are {len(images.train)}: nothing is left to choose"
        )
    for way in options.ways:
        labeled, found, root = list(first), metrics, common
        curve = [Point(len(labeled), images.boxes(labeled), metrics["mAP"])]
        for number in range(1, options.rounds + 1):
            rng = np.random.default_rng([seed, number])
            chosen = _chosen(way, root, images, labeled, found, options, rng)
            if not chosen:
                break
            labeled += chosen
            root = scratch / way
            found = sets.train(root, images, labeled, effort, seed=seed)
            curve.append(Point(len(labeled), images.boxes(labeled), found["mAP"]))
        yield way, curve


def _chosen(
    way: str, root: Path, images: ImageSet, labeled: list[str], metrics: dict[str, float],
    options: argparse.Namespace, rng: np.random.Generator,
) -> list[str]:  # fmt: skip
    """The images that this way labels next, by the detector in `root`."""
    known = set(labeled)
    rest = [name for name in images.train if name not in known]
    precision = np.array([metrics.get(f"AP_50:{name}", np.nan) for name in images.classes])
    seen = sets.predict(root, images, [*rest, *labeled])
    pool = sets.Seen(seen.boxes[: len(rest)], seen.embeddings[: len(rest)])
    mine = sets.Seen(seen.boxes[len(rest) :], seen.embeddings[len(rest) :])
    truths = [images.truths[name] for name in labeled]
    asked = Question(pool, mine, truths, precision, options.box_cost, rng)
    return [rest[place] for place in WAYS[way](asked, options.batch)]


def compared(curves: Curves) -> dict[str, float]:
    """The figures of one set; margins only where there are several seeds and rivals."""
    figures: dict[str, float] = {}
    means: dict[str, list[float]] = {}
    by_boxes: dict[str, list[float]] = {}
    seeds = range(min(len(runs) for runs in curves.values()))
    for seed in seeds:
        first = max(runs[seed][0].boxes for runs in curves.values())
        last = min(runs[seed][-1].boxes for runs in curves.values())
        grid = np.linspace(first, last, GRID)
        for way, runs in curves.items():
            points = runs[seed]
            means.setdefault(way, []).append(float(np.mean([point.mean_ap for point in points[1:]])))
            drawn, found = [point.boxes for point in points], [point.mean_ap for point in points]
            by_boxes.setdefault(way, []).append(float(np.interp(grid, drawn, found).mean()))
    for way, runs in curves.items():
        figures |= {f"{way}_mAP": float(np.mean(means[way])), f"{way}_mAP_by_boxes": float(np.mean(by_boxes[way]))}
        for place, point in enumerate(runs[0]):
            same = [run[place] for run in runs if place < len(run)]
            figures[f"{way}_mAP_at_{point.images}"] = float(np.mean([one.mean_ap for one in same]))
            figures[f"{way}_boxes_at_{point.images}"] = float(np.mean([one.boxes for one in same]))
    figures |= {f"map_margin_over_best_rival{end}": value for end, value in (("", margin(means)),
                ("_by_boxes", margin(by_boxes))) if value is not None}  # fmt: skip
    return figures


def margin(found: dict[str, list[float]]) -> float | None:
    """The lead of ours over the rival of the best mean, in standard deviations over the seeds, pooled over the ways."""
    rivals = [way for way in found if way != OURS]
    if OURS not in found or not rivals or len(found[OURS]) < 2:
        return None
    spread = float(np.sqrt(np.mean([np.var(values, ddof=1) for values in found.values()])))
    lead = float(np.mean(found[OURS]) - max(np.mean(found[way]) for way in rivals))
    return lead / spread if spread else 0.0


if __name__ == "__main__":
    main()
