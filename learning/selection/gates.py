"""Whether a new model may replace the live one, and whether one that did has to go again. Pure rules.

The gate: F1 on the fixed test set reaches the minimum, and on neither the fixed nor the fresh set is the new model
worse than the live one by more than a margin. The watch: the agreement of model and people on reviewed images has
fallen with the switch, and on the same images the model before agrees with people more. The first alone may be the
people's doing, who have begun to draw wrong boxes; the second alone the selection's, for people are asked about images
that the new model finds hard.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

PASSED, LOW, WORSE = "passed", "low", "worse"
FIXED, FRESH = "fixed", "fresh"
LEAST_FRESH = 5
"""With fewer fresh images their F1 is shown but decides nothing: one box would."""

LOOKS = (10, 20, 40, 80)
"""After so many reviewed images of the new model it is compared with its predecessor."""

ALPHA = 0.05
"""The chance that a model which is no worse is taken back, over all looks together (Bonferroni)."""

LEAST_BEFORE = 10
"""With fewer reviewed images of its predecessor nothing is said."""


@dataclass(frozen=True)
class Verdict:
    """What the gate says: `outcome` is PASSED, LOW (F1 below the minimum) or WORSE (a regression), and why."""

    outcome: str
    reason: str


def judge(
    *,
    new: Mapping[str, float | None],
    live: Mapping[str, float | None],
    fresh_images: int,
    minimum: float,
    margin: float,
) -> Verdict:
    """The gate. `new` and `live`: F1 of both models on the sets FIXED and FRESH, None where it is not known.

    A regression goes before a low F1: its images are kept from later trainings.
    """
    compared = (FIXED, FRESH) if fresh_images >= LEAST_FRESH else (FIXED,)
    for name in compared:
        mine, theirs = new.get(name), live.get(name)
        if mine is not None and theirs is not None and mine < theirs - margin:
            return Verdict(
                WORSE,
                f"F1 on the {name} test set is {mine:.3f}, that of the live model {theirs:.3f}: worse by more than the "
                f"margin of {margin:g}",
            )
    found = new.get(FIXED)
    if found is None or found < minimum:
        shown = "not known" if found is None else f"{found:.3f}"
        return Verdict(LOW, f"F1 on the fixed test set is {shown}, below Minimum-F1-Score {minimum:g}")
    told = [f"F1 on the fixed test set is {found:.3f}, that of the live model {_shown(live.get(FIXED))}"]
    if FRESH in compared and new.get(FRESH) is not None:
        told.append(f"on the fresh one {_shown(new[FRESH])} against {_shown(live.get(FRESH))}")
    return Verdict(PASSED, "; ".join(told))


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


@dataclass(frozen=True)
class Look:
    """One look at a model that was deployed: at how many images, both means, the p-value, and what it means."""

    images: int
    after: float
    before: float
    p: float
    worse: bool


def next_look(looked: int) -> int | None:
    """The number of images of the look after so many looks; None after the last."""
    return LOOKS[looked] if looked < len(LOOKS) else None


def watch(before: Sequence[float], after: Sequence[float]) -> Look:
    """Whether agreement has fallen with the switch: one-sided Mann-Whitney U test at ALPHA over the number of looks.

    Raises ValueError for an empty sequence.
    """
    if not before or not after:
        raise ValueError("agreements of both models expected")
    return _look(after, before, float(stats.mannwhitneyu(after, before, alternative="less").pvalue))


def confirm(before: Sequence[float], after: Sequence[float]) -> Look:
    """Whether the model before agrees more with people on the same images, in the same order: one-sided Wilcoxon
    signed-rank test at ALPHA over the number of looks. Raises ValueError for other lengths and for no image."""
    if not after or len(before) != len(after):
        raise ValueError("agreements of both models on the same images expected")
    differences = [new - old for new, old in zip(after, before, strict=True)]
    # Without a difference there is nothing to rank.
    differ = any(differences)
    return _look(after, before, float(stats.wilcoxon(differences, alternative="less").pvalue) if differ else 1.0)


def _look(after: Sequence[float], before: Sequence[float], p: float) -> Look:
    return Look(len(after), sum(after) / len(after), sum(before) / len(before), p, p < ALPHA / len(LOOKS))
