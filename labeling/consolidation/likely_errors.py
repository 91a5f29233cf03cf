"""How likely a label is wrong: the kinds of errors, what the answers alone say, and what a model adds to it.

Every figure is a chance between 0 and 1. Knows neither models nor jobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log, prod, sqrt
from typing import Any

OVERLOOKED, BADLY_PLACED, WRONG_CLASS, NOT_THERE, WRONG = KINDS = (
    "overlooked",
    "badly_placed",
    "wrong_class",
    "not_there",
    "wrong",
)
"""An object without a box, a box at the wrong place, one of the wrong class, one about nothing; the whole label."""

MOST_RECALL = 0.99
"""No worker is believed to draw every object."""
FAR_OFF = 0.3
"""How much of the IoU a box that is badly placed has lost."""
EDGE = 1e-4
"""Chances are kept so far from 0 and 1."""
BASE = (0.005, 0.5)
"""Within this the usual chance of an error is believed."""


def any_of(chances: Sequence[float]) -> float:
    """The chance that at least one of independent events happens."""
    return 1.0 - prod(1.0 - chance for chance in chances)


def of_confidence(confidence: float | None) -> dict[str, float]:
    """Of a label with one confidence; nothing where nobody has one, as after a single answer."""
    return {} if confidence is None else {WRONG: 1.0 - confidence}


def of_boxes(explanation: Mapping[str, Any]) -> dict[str, float]:
    """Of boxes merged from people's answers, by the explanation of their consolidation."""
    clusters: Sequence[Mapping[str, Any]] = explanation["clusters"]
    kept = [one for one in clusters if one["kept"]]
    dropped = [one["exists"] for one in clusters if not one["kept"] and one["label"] is not None]
    unseen = prod(1.0 - min(one["recall"], MOST_RECALL) for one in explanation["workers"])
    # By chance nobody drew an object: so many are to be expected beside those that somebody drew.
    drawn_by_nobody = 1.0 - exp(-(len(kept) + 0.5) * unseen / (1.0 - unseen))
    compared = [one["members"] for one in kept if len(one["members"]) > 1]
    placed = {BADLY_PLACED: any_of([_far_off(members) for members in compared])} if compared else {}
    return placed | {
        OVERLOOKED: any_of([*dropped, drawn_by_nobody]),
        WRONG_CLASS: any_of([1.0 - one["label_chance"] for one in kept]),
        NOT_THERE: any_of([1.0 - one["exists"] for one in kept]),
    }


def _far_off(members: Sequence[Mapping[str, Any]]) -> float:
    """The chance that the mean of these boxes is far off, if the IoU that is lost has an exponential distribution."""
    lost = sum(1.0 - one["iou"] for one in members) / len(members) / sqrt(len(members))
    return exp(-FAR_OFF / lost) if lost > 0 else 0.0


def combined(
    by_answers: Mapping[str, float], by_model: Mapping[str, float], usual: Mapping[str, float]
) -> dict[str, float]:
    """Both as independent evidence, kind by kind; `usual` is the mean of what the model says of all labels.

    The odds by the model, over the usual ones, are how much it changes the odds by the answers.
    """
    found = dict(by_answers)
    for kind, chance in by_model.items():
        if kind not in by_answers:
            found[kind] = chance
            continue
        odds = _log_odds(by_answers[kind]) + _log_odds(chance) - _log_odds(min(max(usual[kind], BASE[0]), BASE[1]))
        found[kind] = 1.0 / (1.0 + exp(-odds))
    return found


def _log_odds(chance: float) -> float:
    inside = min(max(chance, EDGE), 1.0 - EDGE)
    return log(inside / (1.0 - inside))


def in_words(kinds: Mapping[str, float]) -> str:
    """The likeliest error as a sentence for people, "" without any."""
    if not kinds:
        return ""
    text, percent = likeliest(kinds)
    return text.format(percent=percent)


def likeliest(kinds: Mapping[str, float]) -> tuple[str, str]:
    """The sentence about the likeliest error, and the chance of it in percent. Raises KeyError where there is none."""
    kind = max(KINDS, key=lambda name: kinds.get(name, -1.0))
    return SENTENCES[kind], f"{100 * kinds[kind]:.0f} %"


SENTENCES = {
    OVERLOOKED: "An object may have been overlooked: the chance is {percent}.",
    BADLY_PLACED: "A box may be badly placed: the chance is {percent}.",
    WRONG_CLASS: "A box may have the wrong class: the chance is {percent}.",
    NOT_THERE: "A box may mark something that is no object: the chance is {percent}.",
    WRONG: "The label may be wrong: the chance is {percent}.",
}
