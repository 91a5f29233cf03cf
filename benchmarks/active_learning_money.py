"""What a whole learning loop costs at a stated error: its own rules on real predictions, simulated people.

Rounds of training, predicting, choosing a cut-off (error_rates.py), labeling what passes, planning (planning.py) and
choosing the next images (next_batch.py), as a loop does them, without its database and queue. Models learn the truth,
and calibration compares with it. What people are paid is counted afterwards, for crowds of benchmarks/simulated_job.py:
with dynamic redundancy, and where they check the newest model's boxes, except for calibration images.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import active_learning_sets as sets
from benchmarks.active_learning_sets import Effort, ImageSet, Said, Seen
from benchmarks.active_learning_ways import OURS, WAYS, Question
from benchmarks.auto_label_promise import in_hindsight
from benchmarks.simulated_job import SEATS, Crowd, a_job, boxes, f1, propose, score
from labeling.simulation.matching import labeled
from learning.selection import bounds, error_rates, losses, planning, trust
from learning.selection.error_rates import Earlier
from learning.selection.planning import Curve, ErrorRate, State
from learning.selection.quality import Detections
from learning.selection.thresholds import Decision
from learning.selection.uncertainty import kept

CHECKING_COSTS = 0.4
"""What people cost for an image of a later batch, over one that they draw: most are checked, by 2.2 people at a third
of the price, and the blind share is drawn by 2.8. The plans are made with it."""
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


@dataclass(frozen=True)
class Work:
    """Images that people label: `drawn` ones, and `offered` ones, which they check where the newest model's boxes are
    good. `seen` is what that model says of these, and of the images `aside` that tell how good it is."""

    drawn: list[str]
    offered: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    seen: dict[str, Detections] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """A round that was trained: what its model says, the images `learned` until then, and how many more were set
    `aside` for it."""

    said: Said
    learned: list[str]
    aside: int


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
    work: list[Work] = field(default_factory=list)
    said: dict[str, Detections] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    asides: int = 0
    hindsight: int = 0


def run(
    images: ImageSet, scratch: Path, effort: Effort, rules: Rules, *, crowds: Sequence[Crowd], seed: int
) -> dict[str, float]:
    """One job over all images, whose predictions are kept in `scratch`; then the same job again for each crowd, with
    other images at random for calibration, but the same models. Figures are means over these.

    `money_saved`: 1 minus the money over that of five answers for each image, all drawn, and `money_saved_drawing`
    where people draw all that they label; `machine_share` of all images; `realised_error` of the machine's labels, and
    `kept` where it is at most what was promised; `coverage_of_hindsight`: the machine's labels over those that the best
    cut-off of the last round would have allowed, had the truth been known; `models` that were trained, and
    `calibration` images. `f1`, `five_f1`: of all labels, and of those of five people.
    """
    names = [*images.train, *images.test]
    order = [names[place] for place in np.random.default_rng([seed, 1]).permutation(len(names))]
    first = round(len(order) * rules.seed_share)
    aside = round(first * rules.calibration_share)
    books = Books(rest=order[first:], learned=order[aside:first], aside=order[:aside])
    books.asides = aside
    for number, said in _rounds(images, scratch, effort, rules, books, seed):
        print(f"  e {rules.target_error:.0%}, round {number}: {said}", flush=True)
    found = []
    for crowd in crowds:
        again = _replayed(images, books.stages, rules, crowd.seed)
        found.append(_paid(images, order, again, crowd) | _kept(again, rules, len(order)))
        print(f"  crowd {crowd.seed}: { {key: round(value, 3) for key, value in found[-1].items()} }", flush=True)
    means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
    calibration = float(sum(stage.aside for stage in books.stages))
    return means | {"models": float(len(books.history)), "calibration": calibration}


def _kept(books: Books, rules: Rules, count: int) -> dict[str, float]:
    error = books.wrong / max(books.machine, 1)
    share = books.machine / count
    return {
        "machine_share": share,
        "realised_error": error,
        "kept": float(error <= rules.target_error),
        "coverage_of_hindsight": books.machine / max(books.hindsight, 1),
    }


def _replayed(images: ImageSet, stages: Sequence[Stage], rules: Rules, draw: int) -> Books:
    """The job again, with the same models, and other images for calibration of those that no model has learned from."""
    last, names = set(stages[-1].learned), [*images.train, *images.test]
    free = [one for one in np.random.default_rng([draw, 5]).permutation(names).tolist() if one not in last]
    count = stages[0].aside
    books = Books(rest=free[count:], learned=stages[0].learned, aside=free[:count])
    books.work.append(Work([*books.learned, *books.aside]))
    for place, stage in enumerate(stages):
        further = stages[place + 1] if place + 1 < len(stages) else None
        known = set(stage.learned)
        chosen = [] if further is None else [one for one in further.learned if one not in known]
        calibrating = [*books.aside, *books.passed]
        pool = stage.said.of(books.rest)
        decision = _decide(images, books, pool, stage.said.of(books.aside), rules)
        sure = _label(images, books, pool, decision)
        _pass(books, decision)
        left = [one for one, labeled_now in zip(books.rest, sure, strict=True) if not labeled_now]
        new = [] if further is None else left[: further.aside]
        offered = left if further is None else chosen
        asked = [*offered, *calibrating]
        seen = dict(zip(asked, stage.said.of(asked).boxes, strict=True))
        books.work.append(Work(new, offered, calibrating, seen))
        books.hindsight = books.machine - int(sure.sum()) + _best(images, books, pool, decision, rules)
        books.aside, books.rest = [*books.aside, *new], left[len(new) :]
    return books


def _paid(images: ImageSet, order: list[str], books: Books, crowd: Crowd) -> dict[str, float]:
    """What one crowd is paid for its work of a loop, and how good all labels are."""
    drawing, job = a_job(images, order, crowd), a_job(images, order, crowd)
    for number, work in enumerate(books.work):
        drawing.label([*work.drawn, *work.offered])
        job.label(work.drawn)
        if work.offered:
            propose(job, work.seen, work.aside, work.offered, number)
            job.label(work.offered)
    job.fit()
    five = replace(drawing, given={one: drawing.said[one][:SEATS] for one in order})
    five.fit()
    by_machine = [one for one in order if one not in job.given]
    machine = [labeled(boxes(books.said[one], images.classes)) for one in by_machine]
    people = list(job.given)
    truths = [labeled(job.truths[one]) for one in (*people, *by_machine)]
    return {
        "money_saved": 1 - job.money() / (SEATS * len(order)),
        "money_saved_drawing": 1 - drawing.money() / (SEATS * len(order)),
        "checked_share": len(job.checked) / len(order),
        "drawn_answers": job.answers([one for one in people if one not in job.checked]),
        "checked_answers": job.answers(sorted(job.checked)),
        "f1": f1([*map(labeled, job.labels(people)), *machine], truths)[0],
        "five_f1": score(five, order)[0],
    }


def _rounds(
    images: ImageSet, scratch: Path, effort: Effort, rules: Rules, books: Books, seed: int
) -> Iterator[tuple[int, str]]:
    batch = max(round((len(images.train) + len(images.test)) * rules.batch_share), 1)
    for number in range(1, rules.rounds + 1):
        tested_on = (books.aside or books.learned)[:TESTED_ON]
        metrics, said = sets.kept(scratch, images, books.learned, effort, tested_on=tested_on, seed=seed)
        pool, checked, learned = (said.of(some) for some in (books.rest, books.aside, books.learned))
        books.stages.append(Stage(said, list(books.learned), books.asides))
        books.history.append((len(books.learned), 1 - metrics["mAP_50"]))
        decision = _decide(images, books, pool, checked, rules)
        sure = _label(images, books, pool, decision)
        scores, lost = decision.scores[~decision.passed], _losses(decision)[~decision.passed]
        _pass(books, decision)
        left = [place for place in range(len(pool.boxes)) if not sure[place]]
        plan = _plan(books, len(left), Curve.of(scores, lost), rules, batch, rules.rounds - number)
        yield number, f"{metrics['mAP_50']:.3f} mAP_50, {books.machine} by machine, {books.wrong} wrong, {plan}"
        if not plan.pays or not left:
            return
        precision = np.array([metrics.get(f"AP_50:{name}", np.nan) for name in images.classes])
        rng = np.random.default_rng([seed, number, 2])
        left = rng.permutation(left).tolist()
        aside, free = left[: plan.calibration], np.array(left[plan.calibration :], dtype=np.int64)
        truths = [images.truths[name] for name in books.learned]
        asked = Question(_part(pool, free), learned, truths, precision, rules.box_cost, rng)
        chosen = free[WAYS[OURS](asked, min(batch, len(left)) - len(aside))].tolist()
        before, taken = books.rest, {*aside, *chosen}
        books.asides = len(aside)
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
        name, label = books.rest[place], kept(pool.boxes[place], rule.cuts)
        books.said[name] = label
        books.wrong += bool(losses.loss(label, images.truths[name]))
    books.machine += int(sure.sum())
    return sure


def _best(images: ImageSet, books: Books, pool: Seen, decision: Decision, rules: Rules) -> int:
    """How many of the pool the lowest cut-off would label that keeps the promise in fact."""
    rule = decision.certainty
    names = zip(pool.boxes, books.rest, strict=True)
    wrong = np.array([losses.loss(kept(boxes, rule.cuts), images.truths[name]) for boxes, name in names])
    return in_hindsight(rule.predict(pool.boxes), wrong, rules.target_error)


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
        relative_price=CHECKING_COSTS,
    )  # fmt: skip
    spent = [bounds.spent(1 - rules.confidence, books.tests + ahead) for ahead in range(1, max(rounds, 1) + 1)]
    tests = [ErrorRate(rules.target_error, alpha) for alpha in spent]
    return planning.plan(state, curve, tests, least_saving=rules.least_saving)
