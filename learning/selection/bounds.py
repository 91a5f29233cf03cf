"""What n people's checks prove of the machine's labels that nobody checked: p-values, bounds, and tests in sequence.

The risk of labels is their mean loss (losses.py), in 0..1; of the loss `image` it is the share of wrong labels. A test
of "the risk is above `target`" that is rejected at the level `alpha` proves, with confidence 1 - alpha, that the risk
is at most `target`. Every figure holds for any number of images, however few; nothing is asymptotic.

**Which test.** Losses of only 0 and 1 are counted exactly. Others are bounded by Hoeffding's and Bentkus's
inequalities, the smaller of both (Bates, Angelopoulos, Lei, Malik, Jordan, "Distribution-Free, Risk-Controlling
Prediction Sets", JACM 2021, theorem 4; Angelopoulos, Bates, Candes, Jordan, Lei, "Learn then Test", 2021, equation 4).

**What is it about.** Without `unseen` about the population that the images were drawn from. With it about exactly the
`unseen` labels of a finite set, of which the n images were a random sample: the realised mean loss of these labels is
at most `target`. Let the checked labels lose x in all, and all n + unseen of them T. If the unseen ones lose more than
target * unseen, then T > x + target * unseen, and the chance that a random n of all lose as little as x is at most what
it is at that total, because it falls in T: this is the p-value. So it is at least that of the true T, which is at most
alpha in at most alpha of all samples. For losses of 0 and 1 the chance is hypergeometric. For others the two
inequalities hold for sampling without replacement too, as they bound means of convex functions (Hoeffding, "Probability
inequalities for sums of bounded random variables", JASA 1963, theorem 4).

Knows nothing of models, scores, jobs or what people are paid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import bdtr, betaincinv, gammaln

from learning.selection.quality import Floats

_CLOSE = 1e-9


def p_value(losses: Floats, target: float, *, unseen: int | None = None) -> float:
    """The p-value of "the risk is above `target`", by n `losses` in 0..1 of labels that people checked.

    With `unseen`, of "the mean loss of these `unseen` labels is above `target`". 1 for no loss at all, 0 where `unseen`
    is 0. Raises ValueError for losses or a target outside 0..1.
    """
    _check(losses, target)
    return lost_p(float(losses.sum()), len(losses), target, unseen=unseen, counted=only_right_or_wrong(losses))


def lost_p(lost: float, images: int, target: float, *, unseen: int | None, counted: bool) -> float:
    """As `p_value`, of `images` that lost so much together, each 0 or 1 if they are `counted`. It rises in `lost`."""
    if unseen == 0:
        return 0.0
    if not images or target == 0:
        return 1.0
    if counted:
        return counted_p(round(lost), images, target, unseen=unseen)
    if unseen is None:
        return hoeffding_bentkus_p(lost / images, images, target)
    return hoeffding_bentkus_p(lost / images, images, (lost + target * unseen) / (images + unseen))


def most_lost(images: int, target: float, alpha: float, *, unseen: int | None, counted: bool) -> float:
    """The most that so many images may lose together for "the risk is above `target`" to be rejected; -1: nothing is.

    Of losses that are not counted to within a thousandth of an image.
    """
    step = 1.0 if counted else 0.001
    few, many = -1, math.floor(images / step) + 1
    while many - few > 1:
        middle = (few + many) // 2
        if lost_p(middle * step, images, target, unseen=unseen, counted=counted) <= alpha:
            few = middle
        else:
            many = middle
    return few * step if few >= 0 else -1.0


def counted_p(wrong: int, images: int, target: float, *, unseen: int | None = None) -> float:
    """As `p_value`, of `wrong` ones among so many `images` of losses 0 and 1."""
    if unseen is None or not images:
        return binomial_p(wrong, images, target)
    # The fewest wrong ones among the unseen that are too many.
    too_many = math.floor(target * unseen + _CLOSE) + 1
    return _hypergeometric(wrong, images, wrong + too_many, images + unseen) if too_many <= unseen else 0.0


def _hypergeometric(wrong: int, images: int, all_wrong: int, everything: int) -> float:
    """P(at most `wrong` of `images` drawn of `everything`, of which `all_wrong` are wrong), without replacement.

    Equal to scipy.stats.hypergeom.cdf, which takes ten times as long, and a cut-off asks thousands of times.
    """
    drawn = np.arange(max(0, images - everything + all_wrong), min(wrong, images, all_wrong) + 1)
    if not len(drawn):
        return 0.0
    ways = _log_ways(all_wrong, drawn) + _log_ways(everything - all_wrong, images - drawn)
    return min(1.0, float(np.exp(ways - _log_ways(everything, np.array(images))).sum()))


def _log_ways(of: int, chosen: NDArray[np.int64]) -> Floats:
    return gammaln(of + 1) - gammaln(chosen + 1) - gammaln(of - chosen + 1)


def binomial_p(wrong: int, images: int, target: float) -> float:
    """P(at most `wrong` of `images` are wrong), each with the chance `target`: the exact p-value of a higher risk."""
    return float(bdtr(wrong, images, target)) if images else 1.0


def hoeffding_bentkus_p(mean: float, images: int, target: float) -> float:
    """The p-value of "the risk is above `target`" by the `mean` of so many losses anywhere in 0..1.

    min(exp(-n h(min(mean, target), target)), e P(Bin(n, target) <= ceil(n mean))) with the relative entropy
    h(a, b) = a log(a / b) + (1 - a) log((1 - a) / (1 - b)).
    """
    if not images or not 0 < target < 1:
        return float(not images or target <= 0 or mean >= 1)
    near = min(mean, target)
    entropy = (near * math.log(near / target) if near else 0.0) + (
        (1 - near) * math.log((1 - near) / (1 - target)) if near < 1 else 0.0
    )
    bentkus = math.e * binomial_p(math.ceil(images * mean - _CLOSE), images, target)
    return min(1.0, math.exp(-images * entropy), bentkus)


def upper(losses: Floats, alpha: float) -> float:
    """A value that the risk exceeds with a chance of at most `alpha`, by n losses in 0..1; 1 for none.

    Clopper and Pearson's for losses of 0 and 1 (Biometrika 1934), else the largest risk that `hoeffding_bentkus_p` does
    not reject. Raises ValueError for losses or an `alpha` outside 0..1.
    """
    _check(losses, alpha)
    images = len(losses)
    if not images or losses.min() >= 1:
        return 1.0
    if only_right_or_wrong(losses):
        wrong = round(float(losses.sum()))
        return float(betaincinv(wrong + 1, images - wrong, 1 - alpha))
    mean = float(losses.mean())

    def left(risk: float) -> float:
        return hoeffding_bentkus_p(mean, images, risk) - alpha

    return float(brentq(left, mean, 1 - _CLOSE)) if left(1 - _CLOSE) < 0 < left(mean) else 1.0


def lower(losses: Floats, alpha: float) -> float:
    """A value that the risk falls short of with a chance of at most `alpha`: `upper` of what was not lost."""
    _check(losses, alpha)
    return 1.0 - upper(1.0 - losses, alpha)


def upper_unseen(losses: Floats, alpha: float, unseen: int) -> float:
    """As `upper`, of the mean loss of `unseen` labels (see the head of this file): the least target that is proved.

    0 where `unseen` is 0. Raises ValueError for losses or an `alpha` outside 0..1.
    """
    _check(losses, alpha)
    if unseen == 0:
        return 0.0
    if len(losses) and only_right_or_wrong(losses):
        wrong, images = round(float(losses.sum())), len(losses)
        few, many = 0, unseen + 1
        # The greatest number of wrong ones among the unseen that is not rejected; the chance falls with the number.
        while many - few > 1:
            middle = (few + many) // 2
            if _hypergeometric(wrong, images, wrong + middle, images + unseen) > alpha:
                few = middle
            else:
                many = middle
        return few / unseen
    if not len(losses):
        return 1.0

    def left(risk: float) -> float:
        return p_value(losses, risk, unseen=unseen) - alpha

    return float(brentq(left, 0.0, 1 - _CLOSE)) if left(1 - _CLOSE) < 0 < left(0.0) else 1.0


def fixed_sequence(p_values: Sequence[float] | Callable[[int], float], alpha: float, starts: Sequence[int]) -> set[int]:
    """Which of a sequence of hypotheses, in a fixed order, are rejected so that with 1 - alpha no true one is.

    From each of the `starts` (places in the sequence) a chain of tests goes on, each at alpha / len(starts), until the
    first hypothesis that is not rejected. A true hypothesis is rejected by a chain only if the first true one of that
    chain is, which happens with at most alpha / len(starts); summed over the chains that is alpha (Learn then Test,
    algorithm 1: fixed sequence testing with several starts). The order and the starts must not depend on the losses
    that are tested. `p_values` by place; a function of the place is called as far as a chain gets, and must raise
    IndexError at the end.
    """
    rejected: set[int] = set()
    get = p_values if callable(p_values) else p_values.__getitem__
    for start in sorted(set(starts)):
        place = start
        while place not in rejected:
            try:
                value = get(place)
            except IndexError:
                break
            if value > alpha / len(set(starts)):
                break
            rejected.add(place)
            place += 1
    return rejected


def spent(alpha: float, test: int) -> float:
    """The share of `alpha` that the `test`-th test of a job may use, counted from 1: 3 alpha / 4 ** test.

    The shares of all tests, however many there will be, sum to alpha (a geometric series). So with 1 - alpha every
    rejection of the job is right. The first test, which most jobs need only, gets three quarters: at 5 % and 95 % it
    needs 65 images without an error in place of 59, the next ones 92 and 119. Raises ValueError for a `test` below 1.
    """
    if test < 1:
        raise ValueError(f"tests are counted from 1, not {test}")
    return 3 * alpha / 4.0**test


def least_clean(target: float, alpha: float) -> int:
    """How many checked labels, all of them right, prove a risk of at most `target`: log(alpha) / log(1 - target)."""
    return math.ceil(math.log(alpha) / math.log1p(-target) - _CLOSE)


def target_for_doubtful_truth(target: float, doubt: Floats) -> float:
    """The risk against people's labels that proves a risk of `target` against the truth; `doubt` (n,) in 0..1.

    `doubt` is, of each checked image, the chance that people's label of it is wrong, by the posterior of their
    consensus; q is its mean. Let D be that machine and people disagree and L that the machine is wrong. No disagreement
    is excused as the people's error: P(L) <= P(D) + P(not D and people wrong). To agree with people who are wrong, the
    machine must be wrong too, and *if it is no more often wrong where people are* that has a chance of at most q P(L).
    So P(L) <= P(D) / (1 - q), and P(D) <= target (1 - q) is what has to be proved.

    Assumed: the posterior is no more confident than it should be, and people and machine err independently of each
    other. Objects that deceive both alike break the second one; only an audit by other people would show them.
    """
    return target * (1 - float(np.clip(doubt.mean(), 0, 1))) if len(doubt) else target


def only_right_or_wrong(losses: Floats) -> bool:
    """Whether there are no losses but 0 and 1, which can be counted."""
    return bool(((losses == 0) | (losses == 1)).all())


def _check(losses: Floats, share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"{share} must lie between 0 and 1")
    if len(losses) and (losses.min() < 0 or losses.max() > 1):
        raise ValueError(f"losses from {losses.min()} to {losses.max()} found, 0 to 1 expected")
