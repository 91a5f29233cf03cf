"""What a whole learning loop costs at a stated error: its own rules on real predictions, people who draw the truth.

Rounds of training, predicting, choosing a cut-off (error_rates.py), labeling what passes, planning (planning.py) and
choosing the next images (next_batch.py), as a loop does them, without its database, queue and simulated crowd.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import active_learning_sets as sets
from benchmarks.active_learning_sets import Effort, ImageSet, Seen
from benchmarks.active_learning_ways import OURS, WAYS, Question
from learning.selection import bounds, error_rates, losses, planning, trust
from learning.selection.error_rates import Earlier
from learning.selection.planning import Curve, ErrorRate, State
from learning.selection.thresholds import Decision
from learning.selection.uncertainty import kept

WORKERS = 5
"""Answers for each image where people label everything."""
TESTED_ON = 50
"""At most so many calibration images measure each model: its figures are not what is looked for here."""


@dataclass(frozen=True)
class Rules:
    """How the loop is run; shares of all images, or of a batch."""

    target_error: float
    confidence: float = 0.95
    seed_share: float = 0.15
    calibration_share: float = 0.5
    batch_share: float = 0.1
    random_share: float = 0.5
    rounds: int = 4
    least_saving: float = 0.02
    box_cost: float = 0.0


@dataclass
class Books:
    """Who labeled what so far. `aside` are people's images that calibrate and have passed in no round yet."""

    rest: list[str]
    learned: list[str]
    aside: list[str]
    passed: list[str] = field(default_factory=list)
    earlier: Earlier = field(default_factory=Earlier)
    tests: int = 0
    machine: int = 0
    wrong: int = 0
    history: list[tuple[int, float]] = field(default_factory=list)

    @property
    def people(self) -> int:
        """Images that people have labeled."""
        return len(self.learned) + len(self.aside) + len(self.passed)


def run(
    images: ImageSet, scratch: Path, effort: Effort, rules: Rules, *, answers: float, seed: int
) -> dict[str, float]:
    """One job over all images; `answers` is how many answers people's images get on average.

    `money_saved`: 1 minus the money over that of five answers for each image; `machine_share` of all images;
    `realised_error` of the machine's labels; `models` that were trained.
    """
    names = [*images.train, *images.test]
    order = [names[place] for place in np.random.default_rng([seed, 1]).permutation(len(names))]
    first = round(len(order) * rules.seed_share)
    aside = round(first * rules.calibration_share)
    books = Books(rest=order[first:], learned=order[aside:first], aside=order[:aside])
    for number, said in _rounds(images, scratch, effort, rules, books, seed):
        print(f"  e {rules.target_error:.0%}, round {number}: {said}", flush=True)
    people = books.people + len(books.rest)
    return {
        "money_saved": 1 - people * answers / (WORKERS * len(order)),
        "machine_share": books.machine / len(order),
        "realised_error": books.wrong / max(books.machine, 1),
        "models": float(len(books.history)),
    }


def _rounds(
    images: ImageSet, scratch: Path, effort: Effort, rules: Rules, books: Books, seed: int
) -> Iterator[tuple[int, str]]:
    batch = max(round((len(images.train) + len(images.test)) * rules.batch_share), 1)
    for number in range(1, rules.rounds + 1):
        measured = replace(images, test=(books.aside or books.learned)[:TESTED_ON])
        metrics = sets.train(scratch, measured, books.learned, effort, seed=seed)
        seen = sets.predict(scratch, images, [*books.rest, *books.aside, *books.learned])
        ends = np.cumsum([len(books.rest), len(books.aside)])
        pool, checked, learned = (_part(seen, rows) for rows in np.split(np.arange(len(seen.boxes)), ends))
        books.history.append((len(books.learned), 1 - metrics["mAP_50"]))
        decision = _decide(images, books, pool, checked, rules)
        sure = _label(images, books, pool, decision)
        scores, lost = decision.scores[~decision.passed], _losses(decision)[~decision.passed]
        _pass(books, decision)
        left = [place for place in range(len(pool.boxes)) if not sure[place]]
        plan = _plan(books, len(left), Curve.of(scores, lost), rules, batch, rules.rounds - number)
        yield number, f"{metrics['mAP_50']:.3f} mAP_50, {books.machine} by machine, {books.wrong} wrong, {plan}"
        if not plan.pays or not left:
            books.rest = [books.rest[place] for place in left]
            return
        precision = np.array([metrics.get(f"AP_50:{name}", np.nan) for name in images.classes])
        rng = np.random.default_rng([seed, number, 2])
        left = rng.permutation(left).tolist()
        aside, free = left[: plan.calibration], np.array(left[plan.calibration :], dtype=np.int64)
        truths = [images.truths[name] for name in books.learned]
        asked = Question(_part(pool, free), learned, truths, precision, rules.box_cost, rng)
        chosen = free[WAYS[OURS](asked, min(batch, len(left)) - len(aside))].tolist()
        before, taken = books.rest, {*aside, *chosen}
        books.aside += [before[place] for place in aside]
        books.learned += [before[place] for place in chosen]
        books.rest = [before[place] for place in left if place not in taken]


def _part(seen: Seen, rows: NDArray[np.int64]) -> Seen:
    return Seen([seen.boxes[row] for row in rows], seen.embeddings[rows])


def _decide(images: ImageSet, books: Books, pool: Seen, checked: Seen, rules: Rules) -> Decision:
    truths = [images.truths[name] for name in books.aside]
    candidates = trust.boxes(checked.boxes, truths, classes=len(images.classes))
    decision = error_rates.decide(
        candidates, target_error=rules.target_error, confidence=rules.confidence, test=books.tests + 1,
        earlier=books.earlier, pool=error_rates.Pool(lambda rule: rule.predict(pool.boxes), len(pool.boxes)),
    )  # fmt: skip
    books.tests += decision.tested
    return decision


def _label(images: ImageSet, books: Books, pool: Seen, decision: Decision) -> NDArray[np.bool_]:
    """Label what passes; which of the pool did."""
    if decision.threshold is None or not pool.boxes:
        return np.zeros(len(pool.boxes), dtype=bool)
    rule = decision.certainty
    sure: NDArray[np.bool_] = rule.predict(pool.boxes) >= decision.threshold
    for place in np.flatnonzero(sure):
        books.wrong += bool(losses.loss(kept(pool.boxes[place], rule.cuts), images.truths[books.rest[place]]))
    books.machine += int(sure.sum())
    return sure


def _pass(books: Books, decision: Decision) -> None:
    """What passed is no candidate any more, and counts for the labels given."""
    passed, before = decision.passed, books.earlier
    books.earlier = Earlier(
        np.concatenate([before.losses, _losses(decision)[passed]]),
        np.concatenate([before.scores, decision.scores[passed]]),
        books.machine,
    )
    books.passed += [name for name, one in zip(books.aside, passed, strict=True) if one]
    books.aside = [name for name, one in zip(books.aside, passed, strict=True) if not one]


def _losses(decision: Decision) -> NDArray[np.float64]:
    return np.zeros(0) if decision.losses is None else decision.losses


def _plan(books: Books, left: int, curve: Curve, rules: Rules, batch: int, rounds: int) -> planning.Plan:
    state = State(
        learned=len(books.learned), calibration=len(books.aside), pool=left, batch=batch,
        most_calibration=round(batch * rules.random_share), rounds=rounds, exponent=planning.exponent(books.history),
    )  # fmt: skip
    spent = [bounds.spent(1 - rules.confidence, books.tests + ahead) for ahead in range(1, max(rounds, 1) + 1)]
    tests = [ErrorRate(rules.target_error, alpha) for alpha in spent]
    return planning.plan(state, curve, tests, least_saving=rules.least_saving)
