"""Whether the promised share of wrong machine labels is kept, and how much is labeled, beside other rules.

    make bench NAME=auto_label_promise      or: python -m benchmarks.auto_label_promise --sets scenes --draws 200

A detector is trained on a part of each set and predicts the rest; predictions are kept in `--folder`, so that the rules
can be run again without a training. Then the rest is split again and again at random into images that people checked
and a pool. From the checked ones each rule finds a cut-off; the labels that it gives in the pool are compared with the
truth. Every rule gets the same checked images and the same model. Trainings have a number of steps, so that nothing
depends on how busy the machine is:

- `ours`: at most e of the machine's labels are wrong, with 95 % confidence (learning/selection/error_rates.py).
- `ground_truth`: the lowest cut-off with a mean IoU of 0.6 on the checked images, by its expected quality.
- `tbal`: the lowest cut-off at which the share of wrong checked images plus a quarter of its standard error is at most
  e (Vishwakarma et al., NeurIPS 2023, by our trust score).
- `pac`: PAC labels: the share of wrong ones among *all* images, people's counted as right, is at most e with 95 %
  confidence (arXiv 2506.10908, with Clopper and Pearson's bound, by our trust score). It is a weaker promise: kept is
  what it promises itself, and `error` the share of its machine labels that are wrong, as of the others.

A label is wrong if any of its objects is (losses.py). `kept` is the share of draws in which the realised error is at
most e; `coverage` the share of the pool that is labeled; `hindsight` that of the lowest cut-off that would have kept e;
`people_share` what people label of all images, the checked ones and the rest of the pool: with `--checked` it shows how
many are worth checking.

*Audits* of what `ours` has labeled, in the first `--audits` draws: how many labels an interval of the error of the
width .1 or .04 (`w10`, `w4`) takes when each label is as likely (`audit_plain_labels`), and by the design that a loop
takes (`audit_labels`), which draws doubted labels more often where that asks about fewer (PAC labels' importance
sampling). `audit_covers` is the share of the audits whose interval has the realised error in it, `audit_width` its
mean width.
"""

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.label_errors_data import predict_with, train_on
from benchmarks.options import datasets
from benchmarks.report import machine, report
from frontend.demo import scenes
from learning.contract import JobFolder, read_predictions
from learning.selection import audits, bounds, error_rates, losses, quality, thresholds, trust, weighted_audits
from learning.selection.audits import Promise
from learning.selection.error_rates import Pool
from learning.selection.quality import Detections
from learning.selection.seen import detections
from learning.selection.thresholds import BoxCandidates, CutTable, Decision
from learning.selection.trust import Trust
from learning.selection.views import Signs, Views

TARGETS = {"e5": 0.05, "e10": 0.10}
AUDIT_WIDTHS = {"w10": 0.1, "w4": 0.04}
TRAINED_ON = {"scenes": 300, "cards": 120, "bccd": 120, "raccoon": 80}
CONFIDENCE, GROUND_TRUTH_IOU, TBAL_ERRORS = 0.95, 0.6, 0.25
MOST_CHECKED, CHECKED_SHARE = 300, 0.4
BATCH = 8
"""Images of a step of the trainings."""


@dataclass(frozen=True)
class Kept:
    """Images that a model was not trained on: what it finds, and what is there."""

    predicted: list[Detections]
    truths: list[Detections]
    classes: int


def main() -> None:
    """Train, predict, draw, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=sorted(TRAINED_ON), default=list(TRAINED_ON))
    parser.add_argument("--datasets", type=Path, default=None, help="the folder of the real sets")
    parser.add_argument(
        "--folder", type=absolute, default=absolute("var/auto-label-promise"), help="where predictions are kept"
    )
    parser.add_argument("--scenes", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--audits", type=int, default=20, help="draws whose labels are audited")
    parser.add_argument("--checked", type=int, default=0, help="images that people checked; 0: 2 of 5, at most 300")
    parser.add_argument("--steps", dest="promise_steps", type=int, default=1200, help="of each training")
    parser.add_argument("--image-size", type=int, default=192)
    options = parser.parse_args()
    on, figures = machine(), dict[str, float]()
    for name in options.sets:
        found = measure(keep(name, options), draws=options.draws, checked=options.checked, audited=options.audits)
        print(name, {key: round(value, 3) for key, value in found.items()}, flush=True)
        figures |= {f"{name}_{key}": value for key, value in found.items()}
    for target in TARGETS:
        figures[f"promise_kept_{target}"] = min(figures[f"{name}_promise_kept_{target}"] for name in options.sets)
    report("auto_label_promise", figures, on=on)


def absolute(path: str) -> Path:
    """The folder from the root on: programs that read its images run elsewhere."""
    return Path(path).absolute()


def keep(name: str, options: argparse.Namespace) -> Kept:
    """The predictions of a set, made now or kept from before."""
    source = options.folder / "scenes" if name == "scenes" else (options.datasets or datasets()) / name
    if name == "scenes" and not (source / "annotations.coco.json").exists():
        scenes.write_dataset(source, count=options.scenes, seed=11)
    coco = json.loads((source / "annotations.coco.json").read_text())
    names = sorted(one["file_name"] for one in coco["images"])
    order = np.random.default_rng(11).permutation(len(names))
    trained = [names[place] for place in order[: TRAINED_ON[name]]]
    rest = [names[place] for place in order[TRAINED_ON[name] :]]
    job, predictions = JobFolder(options.folder / f"{name}-0"), JobFolder(options.folder / f"{name}-0-predictions")
    if not (predictions.root / "done").exists():
        train_on(job, coco, trained, rest[:60], _training(options, len(trained)), source / "images")
        predict_with(predictions, job, coco, rest, source / "images", mirrored=True)
        (predictions.root / "done").touch()
    return _read(coco, predictions)


def _training(options: argparse.Namespace, images: int) -> dict[str, float]:
    """A number of steps, not of seconds: what comes out does not depend on how busy the machine is."""
    epochs = max(round(options.promise_steps / math.ceil(images / BATCH)), 1)
    return {"max_seconds": 0, "epochs": epochs, "batch_size": BATCH, "image_size": options.image_size}


def _read(coco: dict, predictions: JobFolder) -> Kept:
    places = {one: place for place, one in enumerate(sorted(one["id"] for one in coco["categories"]))}
    ids = {one["file_name"]: one["id"] for one in coco["images"]}
    boxes: dict[int, list[tuple]] = {number: [] for number in ids.values()}
    for one in coco["annotations"]:
        boxes[one["image_id"]].append((places[one["category_id"]], *one["bbox"], 1.0))
    predicted, truths = [], []
    for found in read_predictions(predictions.predictions):
        predicted.append(detections(found))
        truths.append(Detections.of(boxes[ids[Path(found.source_ref).name]]))
    return Kept(predicted, truths, len(places))


def measure(data: Kept, *, draws: int, checked: int = 0, audited: int = 0) -> dict[str, float]:
    """The figures of one set over so many draws of `checked` images (0: a share of the set); the first `audited` draws
    with an audit of their labels."""
    count = len(data.predicted)
    checked = checked or min(MOST_CHECKED, round(count * CHECKED_SHARE))
    known = Known.of(data)
    figures: dict[str, float] = {"images": count, "checked": checked}
    for name, target in TARGETS.items():
        found = [_draw(known, checked, target, seed, audited=seed < audited) for seed in range(draws)]
        for figure in sorted({key for one in found for key in one if key.startswith("audit_")}):
            figures[f"{figure}_{name}"] = float(np.mean([one[figure] for one in found if figure in one]))
        for rule in RULES:
            for figure in ("kept", "coverage", "error"):
                figures[f"{rule}_{figure}_{name}"] = float(np.mean([one[f"{rule}_{figure}"] for one in found]))
        hindsight = float(np.mean([one["hindsight"] for one in found]))
        figures[f"hindsight_{name}"] = hindsight
        figures[f"promise_kept_{name}"] = figures[f"ours_kept_{name}"]
        unlabeled = (1 - figures[f"ours_coverage_{name}"]) * (count - checked)
        figures[f"people_share_{name}"] = (checked + unlabeled) / count
        # Where nothing could have been labeled, nothing was left out.
        figures[f"coverage_of_hindsight_{name}"] = figures[f"ours_coverage_{name}"] / hindsight if hindsight else 1.0
    return figures


@dataclass(frozen=True)
class Known:
    """What all draws of a set share: the outcomes at all cuts, and for any cuts the losses and the signs."""

    data: Kept
    whole: BoxCandidates
    losses: Callable[[np.ndarray], np.ndarray]
    signs: Callable[[np.ndarray], Signs]

    @classmethod
    def of(cls, data: Kept) -> "Known":
        """Each label, and each set of cuts, is looked at once however many draws ask for it."""
        whole = thresholds.box_candidates(data.predicted, data.truths, data.classes)
        losses_of_labels: list[dict[bytes, float]] = [{} for _ in data.predicted]

        def loss(place: int, cuts: np.ndarray) -> float:
            image, known = data.predicted[place], losses_of_labels[place]
            mask = image.scores >= cuts[image.classes]
            if (key := mask.tobytes()) not in known:
                known[key] = losses.loss(image.keep(mask), data.truths[place])
            return known[key]

        def lost(cuts: tuple[float, ...]) -> np.ndarray:
            return np.array([loss(place, np.array(cuts)) for place in range(len(data.predicted))])

        views = Views.of(data.predicted)
        lost_by_cuts = cache(lost)
        signs_by_cuts = cache(lambda cuts: views.signs(np.array(cuts)))
        return cls(
            data,
            whole,
            lambda cuts: lost_by_cuts(tuple(cuts.tolist())),
            lambda cuts: signs_by_cuts(tuple(cuts.tolist())),
        )

    def candidates(self, seen: np.ndarray) -> trust.TrustedBoxes:
        """These images, checked by people."""
        table = CutTable(self.whole.table.iou[:, seen], self.whole.table.boxes[:, seen])
        boxes = BoxCandidates([self.data.predicted[place] for place in seen], table, self.whole.truths[seen])
        return trust.TrustedBoxes(boxes, lambda cuts: self.losses(cuts)[seen], lambda cuts: self.signs(cuts).take(seen))


def _draw(known: Known, checked: int, target: float, seed: int, *, audited: bool) -> dict[str, float]:
    order = np.random.default_rng([seed, checked]).permutation(len(known.data.predicted))
    seen, unseen = order[:checked], order[checked:]

    def scored(rule: Trust) -> np.ndarray:
        return rule.of(known.signs(rule.cuts).take(unseen))

    decision = error_rates.decide(
        known.candidates(seen),
        target_error=target,
        confidence=CONFIDENCE,
        pool=Pool(scored, len(unseen)),
        seed=seed,
    )
    scores, wrong = scored(decision.certainty), known.losses(decision.certainty.cuts)[unseen]
    found: dict[str, float] = {}
    for name, rule in RULES.items():
        cut = rule(decision, target)
        passed = np.zeros(len(unseen), dtype=bool) if cut is None else scores >= cut
        error = float(wrong[passed].mean()) if passed.any() else 0.0
        promised = float((wrong * passed).sum() / len(order)) if name == "pac" else error
        found |= {f"{name}_kept": promised <= target, f"{name}_coverage": passed.mean(), f"{name}_error": error}
    if audited and decision.threshold is not None and (labeled := scores >= decision.threshold).any():
        found |= _audits(1 - scores[labeled], wrong[labeled], target, seed)
    found["hindsight"] = in_hindsight(scores, wrong, target) / len(unseen)
    return found


def in_hindsight(scores: np.ndarray, wrong: np.ndarray, target: float) -> int:
    """How many of the labels with these `scores` and losses `wrong`, (n,) each, the lowest cut-off lets pass that keeps
    the `target`."""
    running = np.cumsum(wrong[np.argsort(-scores, kind="stable")]) / np.arange(1, len(wrong) + 1)
    return int(np.flatnonzero(running <= target).max(initial=-1)) + 1


def _audits(doubts: np.ndarray, wrong: np.ndarray, target: float, seed: int) -> dict[str, float]:
    """The audits of labels with these `doubts` (n,) and true losses `wrong` (n,), one for each width."""
    promise, found = Promise(CONFIDENCE, GROUND_TRUTH_IOU, target), dict[str, float]()
    for end, width in AUDIT_WIDTHS.items():
        rng = np.random.default_rng([seed, len(doubts)])
        made = audits.design(doubts.clip(0, 1), share=1, width=width, promise=promise, rng=rng, known=True)
        plain = audits.size(len(doubts), share=1, width=width, promise=promise)
        if made.draws is None:
            seen = rng.permutation(len(doubts))[: made.labels]
            low, high = bounds.lower(wrong[seen], 1 - CONFIDENCE), bounds.upper(wrong[seen], 1 - CONFIDENCE)
        else:
            low = weighted_audits.lower(made.draws, wrong, 1 - CONFIDENCE)
            high = weighted_audits.upper(made.draws, wrong, 1 - CONFIDENCE)
        inside = low <= float(wrong.mean()) <= high
        figures = {"plain_labels": plain, "labels": made.labels, "covers": inside, "width": high - low}
        found |= {f"audit_{figure}_{end}": float(value) for figure, value in figures.items()}
    return found


def _ours(decision: Decision, target: float) -> float | None:
    return decision.threshold


def _ground_truth(decision: Decision, target: float) -> float | None:
    def passes(first: np.ndarray) -> bool:
        return quality.set_quality(decision.outcomes.take(first)) >= GROUND_TRUTH_IOU

    return _lowest(decision, passes)


def _tbal(decision: Decision, target: float) -> float | None:
    def passes(first: np.ndarray) -> bool:
        error = decision.losses[first].mean()
        return bool(error + TBAL_ERRORS * np.sqrt(error * (1 - error) / len(first)) <= target)

    return _lowest(decision, passes)


def _pac(decision: Decision, target: float) -> float | None:
    def passes(first: np.ndarray) -> bool:
        of_all = np.zeros(len(decision.losses))
        of_all[first] = decision.losses[first]
        return bounds.upper(of_all, 1 - CONFIDENCE) <= target

    return _lowest(decision, passes)


def _lowest(decision: Decision, passes: Callable[[np.ndarray], bool]) -> float | None:
    """The score of the lowest cut-off at which the surest checked images, as indices, pass the rule."""
    order = np.argsort(-decision.scores, kind="stable")
    size = next((size for size in range(len(order), 0, -1) if passes(order[:size])), 0)
    return float(decision.scores[order[size - 1]]) if size else None


RULES = {"ours": _ours, "ground_truth": _ground_truth, "tbal": _tbal, "pac": _pac}


if __name__ == "__main__":
    main()
