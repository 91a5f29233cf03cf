"""Consensus of classes beside crowd-kit's methods: accuracy and calibration on real crowds with golds (read for scoring
only), on generated crowds beside majority, stopping at a target confidence, and speed on a million labels.

How to install crowd-kit: see label_rivals.py.
"""

from collections.abc import Mapping

import numpy as np

from benchmarks import label_rivals
from benchmarks.label_crowds import GENERATED, SETS, Crowd, arrival, calibration_error, real, right, thinned
from benchmarks.label_speed import measured
from benchmarks.report import report
from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.arrays import Bools, Floats
from labeling.consolidation.classes import choosing, votes
from labeling.consolidation.classes.table import VoteTable
from labeling.consolidation.stopping import Stopping

TARGETS = (0.9, 0.95, 0.98)
WORLDS = 10
THINNED = {"bluebirds": (5, 7, 12, 20), "snow_rte": (3, 5, 7), "snow_wsd": (3,), "barzan_tweets": (3,)}
"""Votes an object that the real sets are cut down to."""


def answers(table: VoteTable) -> list[list[WorkerAnswer[str]]]:
    """The votes by object, as jobs have them."""
    given: list[list[WorkerAnswer[str]]] = [[] for _ in range(table.objects)]
    for task, worker, label in zip(table.task, table.worker, table.given, strict=True):
        given[task].append(WorkerAnswer(table.workers[worker], table.labels[label]))
    return given


def ours(table: VoteTable) -> tuple[Floats, choosing.Choice]:
    """(T, K) chances as jobs would state them, and the choice they come from."""
    choice = choosing.choose(table)
    return choosing.sharpened(choice.fit.chances, choice.temperature), choice


def on_real_sets() -> dict[str, float]:
    """Accuracy and calibration of everybody on the real sets, and ours on cut-down ones beside majority."""
    figures: dict[str, float] = {}
    margins = []
    for name in SETS:
        crowd = real(name)
        table, truth = crowd.votes, crowd.truth
        chances, choice = ours(table)
        best = 0.0
        for rival in label_rivals.METHODS:
            said = label_rivals.chances(rival, table.task, table.worker, table.given, table.objects, len(table.labels))
            figures |= scored(f"{name}_{rival}", said, truth)
            best = max(best, figures[f"{name}_{rival}_accuracy"])
        figures |= scored(f"{name}_ours", chances, truth)
        figures[f"{name}_temperature"] = choice.temperature
        margins.append(figures[f"{name}_ours_accuracy"] - best)
        print(name, choice.method.name, choice.warning or "no warning", flush=True)
        for count in THINNED[name]:
            cut = [thinned(crowd, count, seed) for seed in range(6)]
            figures |= beside_majority(f"{name}_{count}_votes", cut)
    return figures | {"worst_margin_to_best_rival": min(margins)}


def scored(name: str, chances: Floats, truth: np.ndarray) -> dict[str, float]:
    """Accuracy and calibration error."""
    correct = right(chances, truth)
    error = calibration_error(chances.max(axis=1), correct)
    return {f"{name}_accuracy": float(correct.mean()), f"{name}_ece": error}


def beside_majority(name: str, crowds: list[Crowd]) -> dict[str, float]:
    """Mean accuracy less majority's, the least significant and the worst of them in standard errors, and calibration.
    Below -2 ours is significantly below majority in one of them."""
    gains, errors, signs = [], [], []
    for crowd in crowds:
        chances, _ = ours(crowd.votes)
        correct = right(chances, crowd.truth)
        gain = correct - right(crowd.votes.shares(), crowd.truth)
        gains.append(float(gain.mean()))
        signs.append(float(gain.sum() / max(np.sqrt((gain**2).sum()), 1.0)))
        errors.append(calibration_error(chances.max(axis=1), correct))
    pooled = float(np.mean(gains) / max(np.std(gains) / np.sqrt(len(gains)), 1e-9)) if np.any(gains) else 0.0
    return {
        f"{name}_over_majority": float(np.mean(gains)),
        f"{name}_worst_in_errors": min(signs),
        f"{name}_all_in_errors": max(min(pooled, 99.0), -99.0),
        f"{name}_ece": float(np.mean(errors)),
    }


def stopping(name: str, target: float, seed: int) -> dict[str, float]:
    """Votes arrive at random, two first; workers are fitted anew after each round of asking. What the objects are worth
    that stopped by themselves, before their votes ran out."""
    crowd = real(name)
    rank = arrival(crowd.votes, seed)
    given = answers(crowd.votes.without(np.array([], np.int64)))
    order = np.lexsort((rank, crowd.votes.task))
    counts = np.bincount(crowd.votes.task, minlength=crowd.votes.objects)
    queue = [
        [
            WorkerAnswer(crowd.votes.workers[crowd.votes.worker[i]], crowd.votes.labels[crowd.votes.given[i]])
            for i in rows
        ]
        for rows in np.split(order, np.cumsum(counts)[:-1])
    ]
    seen = np.minimum(2, counts)
    waiting: Bools = np.ones(len(given), bool)
    by_itself, sure, correct = np.zeros(len(given), bool), np.zeros(len(given)), np.zeros(len(given))
    labels = crowd.votes.labels
    while waiting.any():
        so_far = [rows[:count] for rows, count in zip(queue, seen, strict=True)]
        models = votes.fit_workers([ObjectAnswers(tuple(rows)) for rows in so_far], labels=labels)
        for task in np.flatnonzero(waiting):
            most = int(counts[task])
            rule = Stopping(max_answers=most, min_answers=min(2, most), target_confidence=target)
            decision = votes.should_ask_more(so_far[task], labels=labels, rule=rule, workers=models)
            if decision.ask:
                seen[task] += 1
                continue
            waiting[task] = False
            found = votes.consolidate(so_far[task], labels=labels, workers=models)
            by_itself[task] = decision.expected_loss <= 1 - target + 1e-9
            sure[task], correct[task] = found.confidence, found.label == labels[crowd.truth[task]]
    stopped = int(by_itself.sum())
    reached = float(correct[by_itself].mean()) if stopped else float("nan")
    return {
        f"{name}_{target}_votes": float(seen.mean()),
        f"{name}_{target}_accuracy": float(correct.mean()),
        f"{name}_{target}_stopped": stopped / len(given),
        f"{name}_{target}_stopped_accuracy": reached,
        f"{name}_{target}_standard_error": float(np.sqrt(target * (1 - target) / max(stopped, 1))),
    }


def shown(figures: Mapping[str, float]) -> None:
    print({name: round(value, 4) for name, value in figures.items()}, flush=True)


def main() -> None:
    figures = on_real_sets()
    shown(figures)
    for name, make in GENERATED.items():
        found = beside_majority(f"generated_{name}", [make(seed) for seed in range(WORLDS)])
        shown(found)
        figures |= found
    for name in SETS:
        for target in TARGETS:
            found = stopping(name, target, 1)
            shown(found)
            figures |= found
    us, them = measured("ours"), measured("crowdkit")
    figures |= {"ds_seconds": us["seconds"], "ds_mib": us["mib"]}
    figures |= {"ds_speed_ratio": them["seconds"] / us["seconds"], "ds_memory_ratio": us["mib"] / them["mib"]}
    report("label_consensus", figures)


if __name__ == "__main__":
    main()
