"""The cut-off above which at most a stated share of the machine's labels are wrong, with a stated confidence.

**The promise.** With probability of at least `confidence`, the labels that the machine gives *in the whole job* have a
mean loss (losses.py) of at most `target_error`: of the loss `image`, at most that share of them is wrong. It is about
the labels that are really given, not about a population they might come from, where the pool is known.

**How a cut-off is found.** The images that people checked (the validation split) are a random sample and never trained
on. (1) A rule that makes labels and a trust score are fitted on four fifths of them and applied to the rest, five
times, so that no image is scored by a rule that has seen it. Scores of five rules do not mean the same: compared is by
each rule how many objects of the pool are at least as sure. (2) The cut-offs are nested: the m surest checked images
pass, for the values of m at which the test begins to allow for one more wrong image. (3) "The risk is above the target"
is tested at one of them and then at each lower one, as long as it is rejected (bounds.fixed_sequence). The lowest that
is rejected is the cut-off. Begun is where most labels are to be expected in the end: further down more is gained, but
nothing if the first test fails, so the whole sequence is played through with losses drawn by the trust scores. Neither
the cut-offs nor the start depend on the losses that are tested, so no correction for several looks is needed.

**All rounds together.** Checked images that passed in an earlier round represent what was labeled in it. They count,
with the loss that they had then, and so do the labels given then; they are no candidates any more. So each round tests
all labels of the job so far. Each test spends its share of 1 - confidence (bounds.spent); a round that cannot prove
anything, even if all of its images are right, or is hopeless by the trust scores, is not tested and spends nothing.
With probability of at least `confidence` no test of the job is wrong, so the last one that allowed labels is right,
whenever the job ends. This round's labels alone must also keep the target on average, so that good early rounds do not
make up for a bad late one.

**What is assumed.** People's labels are the truth, or err independently of the machine (`doubt`, see
bounds.target_for_doubtful_truth). Objects that people labeled meanwhile *because* the model was uncertain are no more
often right, among those that would pass now, than those left. That the rule is fitted on other folds of the same
images, and that a later model's training depends on earlier cut-offs, is not covered by a theorem; tests draw many
whole jobs and count the broken promises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from learning.selection import bounds, quality
from learning.selection.quality import Floats, Outcomes
from learning.selection.thresholds import Bools, Candidates, Decision, cross_fit, curve_places
from learning.selection.uncertainty import log_odds

_HOPELESS = 0.75
"""At such an expected p-value one round in ten or fewer would be proved: its share is better kept for a later one."""
_PLAYED = 200
"""So many times the tests are played through to choose where they begin."""
_STEPS = 20
"""Of losses other than 0 and 1, for which no number of wrong images is allowed: so many cut-offs."""


class CheckedCandidates(Candidates, Protocol):
    """Candidates that also know the loss of each label."""

    def losses(self, rule: Any, which: Bools) -> Floats:
        """The losses in 0..1 of the labels that the rule gives the objects `which` (n,)."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier rounds did: the `losses` and `scores` of the checked objects that passed, and their `labels`."""

    losses: Floats = field(default_factory=lambda: np.zeros(0))
    scores: Floats = field(default_factory=lambda: np.zeros(0))
    labels: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """The objects that the machine may label, `size` in all: `scores` gives those of some or all of them by a rule."""

    scores: Callable[[Any], Floats]
    size: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One round's candidates by falling sureness, with what there is from earlier rounds: what is tested of it.

    `order` (n,) are the candidates by rising `places` (n,); a cut-off never parts those of one place. `scores` and
    `losses` (n,) are in the order of the candidates. If the m surest pass, objects of a score of at least
    `thresholds[m - 1]` do, and the job then has `unseen[m - 1]` machine labels; `unseen` is None without a pool.
    `target` is what is tested, `trusted` its share of what is promised (bounds.target_for_doubtful_truth).
    """

    places: Floats
    order: NDArray[np.int64]
    scores: Floats
    losses: Floats
    earlier: Earlier
    target: float
    trusted: float
    alpha: float
    thresholds: Floats
    unseen: list[int] | None

    def sample(self, size: int) -> Floats:
        """The losses that are tested if the `size` surest candidates pass."""
        return np.concatenate([self.earlier.losses, self.losses[self.order[:size]]])

    def _unseen(self, size: int) -> int | None:
        return None if self.unseen is None else self.unseen[size - 1]

    def p(self, size: int) -> float:
        """The p-value of "the risk is above the target" if the `size` surest pass."""
        return bounds.p_value(self.sample(size), self.target, unseen=self._unseen(size))

    def upper(self, size: int) -> float:
        """The upper bound of the risk if the `size` surest pass, with what doubt there is about people's labels."""
        labels, sample = self._unseen(size), self.sample(size)
        found = bounds.upper(sample, self.alpha) if labels is None else bounds.upper_unseen(sample, self.alpha, labels)
        return min(1.0, found / self.trusted) if self.trusted else 1.0

    def sizes(self) -> list[int]:
        """How many pass at each cut-off to be tested, rising: those at which one more wrong image becomes allowed."""
        count, found, allowed = len(self.losses), [], -1.0
        for size in self._whole():
            most = self._most_lost(size, counted=True)
            if most > allowed or (size == count and most >= 0):
                found.append(size)
            allowed = max(allowed, most)
        if found and not bounds.only_right_or_wrong(self.sample(count)):
            possible = np.array([size for size in self._whole() if size >= found[0]])
            return sorted(set(possible[np.linspace(0, len(possible) - 1, _STEPS).astype(int)].tolist()))
        return found

    def _whole(self) -> list[int]:
        """How many pass at each possible cut-off at which the machine labels anything, rising."""
        ordered = self.places[self.order]
        last = np.append(ordered[1:] != ordered[:-1], True) if len(ordered) else np.zeros(0, dtype=bool)
        sizes = (np.flatnonzero(last) + 1).tolist()
        return [size for size in sizes if self.unseen is None or self.unseen[size - 1] > self.earlier.labels]

    def _most_lost(self, size: int, *, counted: bool) -> float:
        images = len(self.earlier.losses) + size
        return bounds.most_lost(images, self.target, self.alpha, unseen=self._unseen(size), counted=counted)

    def start(self, sizes: list[int], seed: int) -> int:
        """The place among the cut-offs (at least one) at which to begin: that which leads to most labels on average.

        Losses are drawn as the trust scores have it. What they are wrong about in common is drawn too: a shift of the
        log-odds, as uncertain as a rate of so many expected wrong images is (1 over the square root of their number).
        """
        rng, before = np.random.default_rng(seed), self.earlier.losses.sum()
        odds = log_odds(1 - self.scores[self.order])
        shift = rng.normal(size=(_PLAYED, 1)) / np.sqrt(max(float((1 - self.scores).sum()), 1.0))
        lost = np.cumsum(rng.random((_PLAYED, len(odds))) < expit(odds + shift), axis=1)[:, np.array(sizes) - 1]
        counted = bounds.only_right_or_wrong(self.sample(len(self.losses)))
        proved = lost + before <= np.array([self._most_lost(size, counted=counted) for size in sizes])
        labels = np.array([size if self.unseen is None else self.unseen[size - 1] for size in sizes], dtype=np.float64)
        reached = np.zeros(_PLAYED)
        expected = np.zeros(len(sizes))
        for place in range(len(sizes) - 1, -1, -1):
            reached = np.where(proved[:, place], np.maximum(reached, labels[place]), 0.0)
            expected[place] = reached.mean()
        return int(expected.argmax())

    def chances(self, sizes: list[int]) -> Floats:
        """(sizes,) the p-values that are to be expected at each cut-off if the trust scores are right."""
        before = len(self.earlier.losses)
        expected = np.append(0.0, np.cumsum(1 - self.scores[self.order])) + (1 - self.earlier.scores).sum()
        return np.array(
            [
                bounds.hoeffding_bentkus_p(float(expected[size] / (before + size)), before + size, self.target)
                for size in sizes
            ]
        )


def decide(
    candidates: CheckedCandidates,
    *,
    target_error: float,
    confidence: float = 0.95,
    test: int = 1,
    earlier: Earlier | None = None,
    pool: Pool | None = None,
    doubt: Floats | None = None,
    seed: int = 0,
) -> Decision:
    """The lowest cut-off that keeps the promise of this file's head.

    `test`: which test of the job it is, counted from 1, of those that a Decision calls `tested`. Without a
    `pool` the promise is about a population. `doubt` (n,): the chance that people's
    label of each object is wrong. Raises ValueError for a target, confidence or test out of range.
    """
    if not (0 < target_error < 1 and 0 < confidence < 1):
        raise ValueError(f"target {target_error} and confidence {confidence} must lie between 0 and 1")
    rule, _ = candidates.fit(np.ones(candidates.shape[0], dtype=bool))
    scores, found, folds = cross_fit(candidates, seed)
    losses = np.zeros(len(scores))
    for held_out, fitted in folds:
        losses[held_out] = candidates.losses(fitted, held_out)
    target = bounds.target_for_doubtful_truth(target_error, np.zeros(0) if doubt is None else doubt)
    evidence = _evidence(
        scores, losses, earlier or Earlier(), rule, folds, pool,
        target=target,
        trusted=target / target_error,
        alpha=bounds.spent(1 - confidence, test),
    )  # fmt: skip
    sizes = evidence.sizes()
    tested = bool(sizes) and bool(evidence.chances(sizes).min() <= _HOPELESS)
    chosen = _lowest(evidence, sizes, start=evidence.start(sizes, seed)) if tested else None
    passed = np.zeros(len(scores), dtype=bool)
    if chosen is not None:
        passed[evidence.order[:chosen]] = True
    return Decision(
        threshold=None if chosen is None else float(evidence.thresholds[chosen - 1]),
        certainty=rule,
        quality=None if chosen is None else quality.set_quality(found.take(passed)),
        lower=None,
        coverage=float(passed.mean()) if len(passed) else 0.0,
        passed=passed,
        scores=scores,
        outcomes=found,
        curve=_curve(evidence, found, chosen),
        losses=losses,
        target_error=target_error,
        risk=None if chosen is None else float(losses[passed].mean()),
        risk_upper=None if chosen is None else evidence.upper(chosen),
        tested=tested,
        needed=None if sizes else bounds.least_clean(evidence.target, evidence.alpha),
    )


def _evidence(
    scores: Floats,
    losses: Floats,
    earlier: Earlier,
    rule: Any,
    folds: list[tuple[Bools, Any]],
    pool: Pool | None,
    *,
    target: float,
    trusted: float,
    alpha: float,
) -> Evidence:
    if pool is None:
        order = np.argsort(-scores, kind="stable")
        return Evidence(-scores, order, scores, losses, earlier, target, trusted, alpha, scores[order], None)
    places = np.zeros(len(scores))
    for held_out, fitted in folds:
        places[held_out] = _at_least(np.sort(pool.scores(fitted)), scores[held_out])
    order = np.argsort(places, kind="stable")
    known = np.sort(pool.scores(rule))
    # The surest of the pool by the final rule, as many as there are by each candidate's own.
    thresholds = known[::-1][np.maximum(places[order].astype(int) - 1, 0)] if len(known) else scores[order]
    passing = np.where(places[order] > 0, _at_least(known, thresholds), 0)
    share = pool.size / max(len(known), 1)
    unseen = [earlier.labels + round(count * share) for count in passing.tolist()]
    return Evidence(places, order, scores, losses, earlier, target, trusted, alpha, thresholds, unseen)


def _at_least(rising: Floats, scores: Floats) -> NDArray[np.int64]:
    """How many of the `rising` ones are at least as high, of each of the scores."""
    return len(rising) - np.searchsorted(rising, scores, side="left")


def _lowest(evidence: Evidence, sizes: list[int], *, start: int) -> int | None:
    """How many candidates pass at the lowest cut-off that is proved and keeps the target by itself."""
    proved = bounds.fixed_sequence(lambda place: evidence.p(sizes[place]), evidence.alpha, [start])
    own = [sizes[place] for place in proved]
    return max((size for size in own if evidence.losses[evidence.order[:size]].mean() <= evidence.target), default=None)


def _curve(evidence: Evidence, found: Outcomes, chosen: int | None) -> list[dict[str, Any]]:
    """At most fifty cut-offs by falling threshold: coverage, risk and its upper bound, with that chosen."""
    count = len(evidence.scores)
    places = sorted({*curve_places(count)[::2], *([chosen] if chosen else [])})
    return [
        {
            "threshold": round(float(evidence.thresholds[size - 1]), 6),
            "quality": round(quality.set_quality(found.take(evidence.order[:size])), 6),
            "coverage": round(size / count, 6),
            "risk": round(float(evidence.losses[evidence.order[:size]].mean()), 6),
            "upper": round(evidence.upper(size), 6),
            "chosen": size == chosen,
        }
        for size in places
    ]
