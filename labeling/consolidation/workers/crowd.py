"""What a fit found out about a crowd that votes: the parameters of classes/crowd.py and how far to trust them.

A chance is P(true label | votes) under the model, to the power of `temperature` and normed again: people who vote on
the same object share more than the model knows of, so that its log-odds are too large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labeling.consolidation.arrays import Floats, logistic

TEMPERATURE_ERROR = 0.2
"""Standard error of the logarithm of a temperature that rests on any number of votes, but on no golds: between real
crowds of like spreads it differs by as much."""

Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CrowdModel:
    """All numbers are logits by label of `labels`, in its order, unless said otherwise.

    `method` names the model. `centre` and `spread` are of a worker nobody has seen, `logits` and `errors` of each known
    one (the latter standard errors); `difficulty` is the spread of objects; `prior` are the chances of the labels.
    `warning` is a plain sentence for the requester where votes alone cannot say how sure they are, else empty.
    """

    labels: tuple[str, ...]
    method: str
    centre: Numbers
    spread: Numbers
    difficulty: Numbers
    prior: Numbers
    logits: Mapping[str, Numbers] = field(default_factory=dict)
    errors: Mapping[str, Numbers] = field(default_factory=dict)
    temperature: float = 1.0
    temperature_error: float = TEMPERATURE_ERROR
    warning: str = ""

    def of(self, worker: str | None) -> tuple[Floats, Floats]:
        """(K,) logits and their standard errors, of a known worker or of any."""
        if worker is not None and worker in self.logits:
            return np.array(self.logits[worker]), np.array(self.errors[worker])
        return np.array(self.centre), np.array(self.spread)

    def likelihood(self, worker: str | None, given: str, others: Floats, z: Floats) -> Floats:
        """(K, Q): log P(given | true label, z). `others` (K,) is P(given | wrong, true). What is not known of a worker
        is averaged over, which brings each chance nearer to one half."""
        logits, errors = self.of(worker)
        flat = 1.0 if worker in self.logits else 1 / np.sqrt(1 + np.pi * errors[:, None] ** 2 / 8)
        at = (logits[:, None] + np.array(self.difficulty)[:, None] * z) * flat
        wrong = -np.logaddexp(0, at) + np.log(np.maximum(others, 1e-12))[:, None]
        place = self.labels.index(given)
        wrong[place] = -np.logaddexp(0, -at[place])
        return np.asarray(wrong)

    def vote_variance(self, worker: str, given: str, best: str, rival: str) -> float:
        """How much of the variance of the log-odds of `best` against `rival` is doubt about this one worker's vote."""
        logits, errors = self.of(worker)
        chance = logistic(logits)
        total = 0.0
        for label in (best, rival):
            at = self.labels.index(label)
            slope = 1 - chance[at] if given == label else chance[at]
            total += float(slope * errors[at]) ** 2
        return total

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, workers sorted. The numbers were rounded when the model was made."""
        return {
            "labels": list(self.labels),
            "method": self.method,
            **{name: list(getattr(self, name)) for name in ("centre", "spread", "difficulty", "prior")},
            "workers": {name: [list(self.logits[name]), list(self.errors[name])] for name in sorted(self.logits)},
            "temperature": self.temperature,
            "temperature_error": self.temperature_error,
            "warning": self.warning,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CrowdModel:
        """Read `to_json`'s output."""
        workers = data["workers"]
        return cls(
            labels=tuple(data["labels"]),
            method=data["method"],
            centre=rounded(data["centre"]),
            spread=rounded(data["spread"]),
            difficulty=rounded(data["difficulty"]),
            prior=rounded(data["prior"]),
            logits={name: rounded(rows[0]) for name, rows in workers.items()},
            errors={name: rounded(rows[1]) for name, rows in workers.items()},
            temperature=float(data["temperature"]),
            temperature_error=float(data["temperature_error"]),
            warning=str(data["warning"]),
        )


def rounded(values: Sequence[float] | Floats) -> Numbers:
    """To 6 digits, as they are stored; -0.0 becomes 0.0."""
    return tuple(round(float(value), 6) + 0.0 for value in values)
