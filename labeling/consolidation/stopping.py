"""Ask one more person, or stop: expected loss of stopping now against the price of one more answer.

Branson, Van Horn & Perona (CVPR 2017) stop an image when the expected risk of its current label is small enough; this
is that rule for every consolidator. Each computes its own expected loss and its own expected gain (what one more answer
by an ordinary worker would take off the loss); the decision is made here, in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Stopping:
    """When to stop. At least `min_answers`, at most `max_answers` (NumberOfHumanWorkersPerDataObject).

    Stop when the expected loss is at most `1 - target_confidence`, or when `price` is given and what one more answer
    is expected to save (in errors, times `loss_per_error`, in the unit of `price`) is less than it costs.
    """

    max_answers: int
    min_answers: int = 2
    target_confidence: float | None = None
    price: float | None = None
    loss_per_error: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.min_answers <= self.max_answers:
            raise ValueError(f"answers: found min {self.min_answers}, max {self.max_answers}; expected 1 <= min <= max")
        if self.target_confidence is not None and not 0 < self.target_confidence < 1:
            raise ValueError(f"target_confidence must be between 0 and 1, found {self.target_confidence}")
        if self.price is not None and self.price < 0:
            raise ValueError(f"price must not be negative, found {self.price}")


@dataclass(frozen=True, slots=True)
class Decision:
    """`expected_loss`: chance of a wrong answer when stopping now (boxes and spans: wrong or missing ones expected,
    over how many the job's average image or text holds); `expected_gain`: how many errors one more answer should save.
    `reason` is for the requester's page."""

    ask: bool
    answers: int
    expected_loss: float
    expected_gain: float
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, rounded to 4 digits."""
        return {
            "ask": self.ask,
            "answers": self.answers,
            "expected_loss": round(self.expected_loss, 4) + 0.0,
            "expected_gain": round(self.expected_gain, 4) + 0.0,
            "reason": self.reason,
        }


def decide(rule: Stopping, *, answers: int, loss: float, gain: float, models: int = 0) -> Decision:
    """Apply `rule` to `answers` answers whose consensus has expected `loss`; fixed redundancy when it has no target.

    `models` that people began with count with the first answers, of which one at least is a person's.
    """
    fewest = max(rule.min_answers - models, 1)
    if answers < fewest:
        return Decision(True, answers, loss, gain, f"{answers} of at least {fewest} answers")
    if answers >= rule.max_answers:
        return Decision(False, answers, loss, gain, f"all {rule.max_answers} answers are in")
    if rule.target_confidence is None and rule.price is None:
        return Decision(True, answers, loss, gain, f"{answers} of {rule.max_answers} answers")
    if rule.target_confidence is not None and loss <= 1 - rule.target_confidence + 1e-9:
        return Decision(
            False, answers, loss, gain, f"expected loss {loss:.3f} is within {1 - rule.target_confidence:.3f}"
        )
    if rule.price is not None and gain * rule.loss_per_error < rule.price:
        return Decision(
            False, answers, loss, gain, f"one more answer would save {gain:.3f} errors, less than its price"
        )
    return Decision(True, answers, loss, gain, f"expected loss {loss:.3f} is too high")
