"""The audit of machine labels: how many people look at, and what their labels say about all of them.

People label a random sample of the machine's labels anew and do not see them: each label is as likely to be in it, or
where that takes fewer labels the doubted ones are more likely (weighted_audits.py). The realised error is the mean loss
(losses.py) of the sampled labels against people's; the realised quality is that of selection/quality.py. Each bound of
an interval is kept with the confidence of the job by itself.

**When a promise is broken.** An audit never proves a promise: the cut-off was proved before. It looks for proof of the
opposite, so that a promise that is kept is taken for a broken one in at most 1 - confidence of all audits: the error is
shown to be above what was promised (its *lower* bound is), or the quality below (its *upper* bound is).

People's labels stand for the truth here as they do in the promise. Knows nothing of models, rounds' states or jobs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.selection import bounds, quality, weighted_audits
from learning.selection.quality import Floats, Outcomes
from learning.selection.weighted_audits import Draws

USUAL_ERROR = 0.05
"""Of how many labels an audit is planned to find wrong where no error is promised."""

MOST = 2000
"""More labels are never looked at."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised of machine labels: with `confidence` at most this `error`, else at least this `quality`."""

    confidence: float
    quality: float
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """n machine labels that people labeled too: `losses` (n,) in 0..1, their `outcomes`, and the `rounds` (n,) that
    made them.

    `draws` of them where doubted labels were drawn more often (weighted_audits.py); None: each label was as likely.
    """

    losses: Floats
    outcomes: Outcomes
    rounds: NDArray[np.int64]
    draws: Draws | None = None

    @property
    def error(self) -> float:
        """The mean loss of all labels that the sample is of."""
        return float(self.losses.mean()) if self.draws is None else weighted_audits.estimate(self.draws, self.losses)

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Below and above which the mean loss of all labels is with a chance of at most `alpha` each."""
        if self.draws is None:
            return bounds.lower(self.losses, alpha), bounds.upper(self.losses, alpha)
        low = weighted_audits.lower(self.draws, self.losses, alpha)
        return low, weighted_audits.upper(self.draws, self.losses, alpha)

    def error_of_round(self, number: int) -> float:
        """The mean loss of the labels of one round, without any margin."""
        mine = self.rounds == number
        if self.draws is None:
            return float(self.losses[mine].mean())
        kept = self.draws.keep(mine)
        return float((kept.weights * self.losses[kept.places]).sum() / kept.weights.sum())


def size(labels: int, *, share: float, width: float, promise: Promise) -> int:
    """How many of so many machine labels to audit: what an interval of this `width` takes, within the price.

    An audited label costs what a label by people costs, and every machine label saves that. So `share`, the largest
    part of the labels that is audited, is also the part of what they save that goes into their audit. `width` in 0..1
    is that of the interval of the error, when as many are wrong as was promised.
    """
    wanted = for_width(width, error=promise.error or USUAL_ERROR, confidence=promise.confidence)
    return min(math.ceil(labels * share - 1e-9), wanted, labels)


@dataclass(frozen=True, slots=True)
class Design:
    """How an audit samples: `labels` of them, each as likely, or else the `draws` of all labels by their doubts."""

    labels: int
    draws: Draws | None = None


def design(
    doubts: Floats, *, share: float, width: float, promise: Promise, rng: np.random.Generator, known: bool
) -> Design:
    """The audit of labels with these `doubts` (n,), the chances that they are wrong, that asks about the fewest.

    `size` labels, each as likely, unless a promised error can be bounded as closely by fewer draws that follow the
    doubts. These have to be `known`.
    """
    plain = size(len(doubts), share=share, width=width, promise=promise)
    if promise.error is None or not known:
        return Design(plain)
    fewer = weighted_audits.fewest(doubts, width=width, confidence=promise.confidence, at_most=plain - 1)
    if fewer is None:
        return Design(plain)
    draws = weighted_audits.draw(doubts, fewer, rng)
    return Design(len(np.unique(draws.places)), draws)


def for_width(width: float, *, error: float, confidence: float) -> int:
    """The fewest labels whose exact interval is at most `width` wide when a share of `error` of them is wrong; at most
    MOST."""
    low, high = 1, MOST
    while low < high:
        middle = (low + high) // 2
        if _width(middle, error, confidence) <= width:
            high = middle
        else:
            low = middle + 1
    return low


def _width(labels: int, error: float, confidence: float) -> float:
    wrong = math.ceil(labels * error - 1e-9)
    losses = np.repeat([1.0, 0.0], [wrong, labels - wrong])
    return bounds.upper(losses, 1 - confidence) - bounds.lower(losses, 1 - confidence)


def figures(sample: Sample, promise: Promise) -> dict[str, Any]:
    """What an audit has found, as JSON: {"answered", "wrong", "error", "error_low", "error_high", "quality",
    "quality_low", "quality_high", "confidence", "promised_error", "promised_quality", "broken", "rounds"}.

    `wrong` is how many of the labels have anything wrong. Nothing is known, and nothing broken, without answers.
    `rounds` are the rounds in which the audit found more error than was promised, once the promise is broken; see
    `withdrawn_rounds`.
    """
    answered, alpha = len(sample.losses), 1 - promise.confidence
    broken = answered > 0 and _broken(sample, promise)
    concerned = [int(one) for one in np.unique(sample.rounds) if broken and _worse(sample, int(one), promise)]
    known: dict[str, Any] = dict.fromkeys(
        ("error", "error_low", "error_high", "quality", "quality_low", "quality_high"), None
    )
    if answered:
        low, high = sample.bounds(alpha)
        known |= {"error": sample.error, "error_low": low, "error_high": high}
    if answered and sample.draws is None:
        # Labels that were drawn because they are doubted say nothing of the quality of all.
        known |= {
            "quality": quality.set_quality(sample.outcomes),
            "quality_low": quality.lower_bound(sample.outcomes, promise.confidence),
            "quality_high": quality.upper_bound(sample.outcomes, promise.confidence),
        }
    return {
        "answered": answered,
        "wrong": int((sample.losses > 0).sum()),
        **{name: None if one is None else round(one, 6) for name, one in known.items()},
        "confidence": promise.confidence,
        "promised_error": promise.error,
        "promised_quality": None if promise.error is not None else promise.quality,
        "broken": broken,
        "rounds": concerned,
    }


def _broken(sample: Sample, promise: Promise) -> bool:
    if promise.error is not None:
        return sample.bounds(1 - promise.confidence)[0] > promise.error
    return quality.upper_bound(sample.outcomes, promise.confidence) < promise.quality


def _worse(sample: Sample, number: int, promise: Promise) -> bool:
    """Whether the labels of this round alone are worse than promised, without any margin."""
    if promise.error is not None:
        return sample.error_of_round(number) > promise.error
    return quality.set_quality(sample.outcomes.take(sample.rounds == number)) < promise.quality


def withdrawn_rounds(found: dict[str, Any], sampled: Sequence[int], labeled: Sequence[int]) -> list[int]:
    """The rounds whose labels are taken back after a broken promise: those in `figures`, and those of which none of the
    labels was looked at (`labeled` without `sampled`), because nothing speaks for them any more."""
    return sorted({*found["rounds"], *(set(labeled) - set(sampled))}) if found["broken"] else []
