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
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import active_learning_sets as sets
from benchmarks.active_learning_sets import Effort, ImageSet
from benchmarks.options import datasets
from benchmarks.report import machine, report
from benchmarks.simulated_job import SEATS, Crowd, a_job, f1, propose, rows, score
from labeling.simulation.matching import labeled
from learning.selection.quality import Detections

FIRST, CHECKS_MODEL = 0.25, 0.4


def main() -> None:
    """Every set in turn; the report last."""
    options = _options()
    on, figures = machine(), {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.sets:
            images = sets.load(
                name,
                datasets=options.datasets,
                scratch=Path(scratch),
                scenes_count=0,
                most=options.images,
                most_test=options.images,
            )
            crowds = [study(name, images, Path(scratch), options, crowd) for crowd in range(options.crowds)]
            found = {key: float(np.mean([one[key] for one in crowds])) for key in crowds[0]}
            figures |= {f"{name}_{key}": value for key, value in found.items()}
            print(name, found, flush=True)
    report("small_sets", figures, on=on)


def study(name: str, images: ImageSet, scratch: Path, options: argparse.Namespace, crowd: int) -> dict[str, float]:
    """The figures of one set and one crowd."""
    order = [str(one) for one in np.random.default_rng([options.seed, 1]).permutation([*images.train, *images.test])]
    people = Crowd(crowd, options.start, options.target)
    drawn = a_job(images, order, people)
    drawn.label(order)
    drawn.fit()
    everybody = replace(drawn, given={one: drawn.said[one][:SEATS] for one in order})
    everybody.fit()
    five, redundant = score(everybody, order), score(drawn, order)
    job = a_job(images, order, people)
    first = max(round(len(order) * FIRST), 20)
    aside = order[: round(first * CHECKS_MODEL)]
    job.label(order[:first])
    rest, learned, model_right = order[first:], order[len(aside) : first], []
    for number in range(1, options.rounds + 1):
        seen = predictions(f"{name}-{number}", images, [*aside, *rest], learned, scratch, options)
        propose(job, seen, aside, rest, number)
        batch = rest if number == options.rounds else rest[:first]
        model_right += [(job.newest(one), job.truths[one]) for one in batch]
        job.label(batch)
        rest, learned = rest[len(batch) :], [*learned, *batch]
        if not rest:
            break
    job.fit()
    checked = [one for one in order if one in job.checked]
    others = [one for one in order if one not in job.checked]
    reached = score(job, order)
    return {
        "images": float(len(order)),
        "money_share": job.money() / (SEATS * len(order)),
        "f1": reached[0],
        "mean_iou": reached[1],
        "five_f1": five[0],
        "five_mean_iou": five[1],
        "by_redundancy": drawn.money() / (SEATS * len(order)),
        "by_redundancy_f1": redundant[0],
        "by_redundancy_mean_iou": redundant[1],
        "checked": len(checked) / len(order),
        "drawn_answers": job.answers(others),
        "checked_answers": job.answers(checked),
        "model_f1": f1([labeled(found) for found, _ in model_right], [labeled(true) for _, true in model_right])[0],
    }


def predictions(
    key: str, images: ImageSet, names: list[str], learned: list[str], scratch: Path, options: argparse.Namespace
) -> dict[str, Detections]:
    """What a detector that learned from the `learned` images says of the others."""
    path = options.keep / f"{key}.json" if options.keep else None
    if path is None or not path.exists():
        effort = Effort(steps=options.steps, image_size=options.image_size)
        sets.train(scratch / key, replace(images, test=names[:20]), learned, effort, seed=options.seed)
        seen = sets.predict(scratch / key, images, names).boxes
        said = {name: rows(found) for name, found in zip(names, seen, strict=True)}
        if path is None:
            return {name: Detections.of([tuple(row) for row in found]) for name, found in said.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(said))
    return {name: Detections.of([tuple(row) for row in found]) for name, found in json.loads(path.read_text()).items()}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=["raccoon", "cards", "bccd"])
    parser.add_argument("--images", type=int, default=10_000, help="at most so many of each part of a set")
    parser.add_argument(
        "--rounds", type=int, default=2, help="models that are trained, each on more than the one before"
    )
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--target", type=float, default=0.95, help="the confidence from which nobody else is asked")
    parser.add_argument("--start", type=int, default=2, help="answers that each image begins with")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--crowds", type=int, default=5, help="crowds that label the set; figures are their means")
    parser.add_argument("--keep", type=Path, help="where predictions are kept, to be read again")
    parser.add_argument("--datasets", type=Path, default=datasets())
    return parser.parse_args(sys.argv[1:])


if __name__ == "__main__":
    main()
