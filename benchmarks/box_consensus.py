"""Consensus of boxes on real MTurk workers against expert golds: seven ways to merge, fixed and dynamic redundancy.

Everything that is tuned or fitted on golds (quorums, worker models, calibration, the stopping target) is chosen on
four fifths of the images and scored on the fifth; the fifths are runs of consecutive frames, so that near-duplicates
stay together. Run by `python -m benchmarks.box_consensus [--draw docs/consensus.svg]`.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.bench_environment import with_bench_packages
from benchmarks.chart import Line, draw
from benchmarks.consensus_data import pedestrians, some_answers
from benchmarks.consensus_methods import (
    greedy_median,
    intersect_merge,
    majority,
    single_worker,
    weighted_boxes_fusion,
)
from benchmarks.consensus_scores import (
    Labeled,
    calibration_error,
    difference,
    interval,
    labeled,
    matches,
    summary,
    tally,
)
from benchmarks.report import report
from labeling.consolidation.arrays import iou
from labeling.consolidation.boxes import consolidator as boxes
from labeling.consolidation.boxes.answers import ImageAnswers
from labeling.consolidation.stopping import Stopping
from labeling.consolidation.workers.models import WorkerModels

LABELS = ["person"]
FOLDS = 5
TARGETS = (0.9, 0.95, 0.965, 0.973, 0.985)
ORDERS = tuple(range(1, 11))
Method = Callable[[Sequence[ImageAnswers], Sequence[str]], list[Labeled]]


class Study:
    """The images, which have golds, and which fold each of those is in."""

    def __init__(self) -> None:
        self.images = pedestrians()
        self.scored = [i for i, image in enumerate(self.images) if image.gold is not None]
        self.fold = np.arange(len(self.scored)) * FOLDS // len(self.scored)
        self.golds = [labeled(self.images[i].gold or ()) for i in self.scored]

    def answers(self, count: int, seed: int) -> list[ImageAnswers]:
        return some_answers(self.images, count, seed)

    def fits(self, images: Sequence[ImageAnswers], *, golds: bool = True) -> list[WorkerModels]:
        """One model a fold, fitted on every answer and on the golds of the other folds (or on no gold at all)."""
        if not golds:
            return [boxes.fit_workers([replace(image, gold=None) for image in images], labels=LABELS)] * FOLDS
        models = []
        first = boxes.fit_workers([replace(image, gold=None) for image in images], labels=LABELS)
        for fold in range(FOLDS):
            hidden = {i for i, f in zip(self.scored, self.fold, strict=True) if f == fold}
            shown = [replace(image, gold=None) if i in hidden else image for i, image in enumerate(images)]
            models.append(boxes.fit_workers(shown, labels=LABELS, start=first, rounds=4))
        return models

    def merge(
        self, images: Sequence[ImageAnswers], models: list[WorkerModels], threshold: float | None = None
    ) -> list[Labeled]:
        """Our consensus of the scored images, each under the model that has not seen its gold."""
        found: list[Labeled] = []
        for fold in range(FOLDS):
            mine = [images[i] for i, f in zip(self.scored, self.fold, strict=True) if f == fold]
            for result in boxes.consolidate_many(mine, labels=LABELS, workers=models[fold], threshold=threshold):
                found.append(labeled(result.boxes, [box.confidence for box in result.boxes]))
        return found

    def tuned(self, by_quorum: list[list[Labeled]]) -> list[Labeled]:
        """For each fold the quorum that is best on the other folds."""
        tallies = [tally(found, self.golds) for found in by_quorum]
        found: list[Labeled] = []
        for fold in range(FOLDS):
            train = self.fold != fold
            best = max(range(len(tallies)), key=lambda q: summary(tallies[q][train])["f1"])
            found += [by_quorum[best][n] for n in np.flatnonzero(~train)]
        return found


def others(study: Study, images: Sequence[ImageAnswers], count: int) -> dict[str, list[Labeled]]:
    """Every other method on the scored images, its quorum tuned."""
    mine = [images[i] for i in study.scored]
    methods: dict[str, Method] = {"greedy": greedy_median, "majority": majority, "wbf": weighted_boxes_fusion}
    out = {"single": single_worker(mine, LABELS)}
    for name, method in methods.items():
        found = method(mine, LABELS)
        votes = range(1, count + 1)
        out[name] = study.tuned([[one.above((q - 0.5) / count) for one in found] for q in votes])
    near = {max(count // 2, 1), count // 2 + 1, min(count // 2 + 2, count)}
    quorums = [intersect_merge(mine, LABELS, q) for q in sorted(near)]
    out["datumaro"] = study.tuned(quorums)
    return out


def dynamic(
    study: Study, seed: int, target: float, pilot: list[WorkerModels]
) -> tuple[list[Labeled], float, list[int]]:
    """Ask while the rule says so, from two answers on; workers are known from everybody's first two answers only.

    Returns the consensus, the mean number of answers an image, and the number on each scored image."""
    full = some_answers(study.images, 7, seed)
    taken = [2] * len(full)
    rule = Stopping(max_answers=7, min_answers=2, target_confidence=target)
    where = dict(zip(study.scored, study.fold, strict=True))
    open_ = list(range(len(full)))
    while open_:
        again = []
        for fold in range(FOLDS):
            mine = [i for i in open_ if where.get(i, i % FOLDS) == fold]
            now = [replace(full[i], answers=full[i].answers[: taken[i]]) for i in mine]
            decisions = boxes.decide_many(now, labels=LABELS, rule=rule, workers=pilot[fold])
            again += [i for i, decision in zip(mine, decisions, strict=True) if decision.ask]
        for i in again:
            taken[i] += 1
        open_ = again
    seen = [replace(image, answers=image.answers[:n]) for image, n in zip(full, taken, strict=True)]
    counts = [taken[i] for i in study.scored]
    return study.merge(seen, study.fits(seen)), float(np.mean(counts)), counts


def calibration(study: Study, found: list[Labeled]) -> float:
    """Expected calibration error of the confidences of kept boxes."""
    confidence, right = [], []
    for one, gold in zip(found, study.golds, strict=True):
        right_ones = {i for i, _, _ in matches(one, gold, 0.5)}
        confidence += one.score.tolist()
        right += [float(i in right_ones) for i in range(len(one.score))]
    return calibration_error(np.array(confidence), np.array(right))


def ceilings(study: Study, images: Sequence[ImageAnswers], models: list[WorkerModels]) -> dict[str, float]:
    """What nobody who keeps or drops our candidates can pass, chosen with the golds in hand: `best_choice`, every right
    candidate and no wrong one; `best_threshold`, our confidences cut where it happens to be best. `undrawn`: golds that
    no box of anybody overlaps by half."""
    everything = study.merge(images, models, threshold=0.0)
    rows = tally(everything, study.golds)
    right, _, golds, _ = rows.sum(axis=0)
    cuts = np.unique(np.concatenate([one.score for one in everything]))
    best = max(summary(tally([one.above(cut) for one in everything], study.golds))["f1"] for cut in cuts)
    undrawn = 0
    for number, gold in zip(study.scored, study.golds, strict=True):
        drawn = labeled([box for answer in images[number].answers for box in answer.value])
        overlap = iou(gold.ltrb[:, None], drawn.ltrb[None]).max(axis=1, initial=0.0)
        undrawn += int((overlap < 0.5).sum())
    return {"best_choice_7_f1": 2 * right / (right + golds), "best_threshold_7_f1": best, "undrawn_7": undrawn}


def fixed_figures(study: Study, seed: int, counts: Sequence[int]) -> tuple[dict[str, float], dict[str, Line]]:
    """Figures of every method with the same number of answers on each image, and their curves."""
    figures: dict[str, float] = {}
    lines: dict[str, Line] = {}
    for count in counts:
        images = study.answers(count, seed)
        found = others(study, images, count)
        found["ours_no_golds"] = study.merge(images, study.fits(images, golds=False))
        models = study.fits(images)
        found["ours"] = study.merge(images, models)
        for name, one in found.items():
            rows, strict = tally(one, study.golds), tally(one, study.golds, 0.75)
            said = summary(rows)
            print(
                count,
                name,
                {k: round(v, 4) for k, v in said.items()},
                "f1_75",
                round(summary(strict)["f1"], 4),
                flush=True,
            )
            figures |= {f"{name}_{count}_{key}": value for key, value in said.items()}
            figures[f"{name}_{count}_f1_75"] = summary(strict)["f1"]
            lines.setdefault(name, []).append((float(count), said["f1"]))
            if count == 7:
                for key in ("f1", "mean_iou"):
                    low, high = interval(rows, key)
                    figures |= {f"{name}_7_{key}_low": low, f"{name}_7_{key}_high": high}
        figures[f"ours_{count}_calibration_error"] = calibration(study, found["ours"])
        if count == 7:
            figures |= _margins(study, found) | ceilings(study, images, models)
    return figures, lines


def _margins(study: Study, found: dict[str, list[Labeled]]) -> dict[str, float]:
    """Ours minus the best other method, with bootstrap intervals."""
    rows = {name: tally(one, study.golds) for name, one in found.items()}
    rest = [name for name in rows if not name.startswith("ours")]
    figures = {}
    for key in ("f1", "mean_iou", "iou_missed_as_0"):
        best = max(rest, key=lambda name: summary(rows[name])[key])
        low, high = difference(rows["ours"], rows[best], key)
        figures[f"margin_7_{key}"] = summary(rows["ours"])[key] - summary(rows[best])[key]
        figures |= {f"margin_7_{key}_low": low, f"margin_7_{key}_high": high}
    return figures


def dynamic_figures(study: Study) -> tuple[dict[str, float], Line]:
    """Figures of every target, means over ORDERS of arrival: which answers come first moves F1 by half a point, more
    than what there is to see. `ours_5_f1_mean` is five fixed answers in the same orders."""
    five, points = [], []
    for seed in ORDERS:
        images = study.answers(5, seed)
        five.append(summary(tally(study.merge(images, study.fits(images)), study.golds))["f1"])
        pilot = study.fits(study.answers(2, seed))
        for target in TARGETS:
            found, mean, _ = dynamic(study, seed, target, pilot)
            points.append((target, mean, summary(tally(found, study.golds))["f1"]))
            print(
                "dynamic", seed, target, round(mean, 3), round(points[-1][2], 4), "five", round(five[-1], 4), flush=True
            )
    figures = {"ours_5_f1_mean": float(np.mean(five))}
    curve: Line = []
    for target in TARGETS:
        _, answers, reached = np.mean([point for point in points if point[0] == target], axis=0).tolist()
        figures |= {f"dynamic_{target}_answers": answers, f"dynamic_{target}_f1": reached}
        curve.append((answers, reached))
    whole = study.answers(7, 1)
    seven = summary(tally(study.merge(whole, study.fits(whole)), study.golds))["f1"]
    for most, wanted in ((4.0, seven - 0.004), (3.0, figures["ours_5_f1_mean"])):
        # The dearest target within the budget, not the one that happens to score best.
        mean, reached = max(point for point in curve if point[0] <= most)
        figures |= {f"dynamic_within_{most:.0f}_answers": mean, f"dynamic_within_{most:.0f}_f1": reached}
        figures[f"dynamic_within_{most:.0f}_margin"] = reached - wanted
    return figures, curve


def main() -> None:
    with_bench_packages("benchmarks.box_consensus")
    study = Study()
    figures, lines = fixed_figures(study, 1, (7, 5, 3, 2, 1))
    asked, curve = dynamic_figures(study)
    figures |= asked
    lines["ours, dynamic"] = sorted(curve)
    if "--draw" in sys.argv:
        Path(sys.argv[sys.argv.index("--draw") + 1]).write_text(
            draw(lines, title="F1 at IoU 0.5 against answers per image", x="answers per image", y="F1"),
            encoding="utf-8",
        )
    report("box_consensus", figures)


if __name__ == "__main__":
    main()
