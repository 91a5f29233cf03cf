"""Simulated people who mark stretches of texts: what they overlook, where they place boundaries, what they confuse.

Errors on one span are not independent: one that is hard to see is overlooked by everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.consolidation.workers.spans import SpanWorkers
from labeling.formats.shapes import Span
from labeling.simulation.base import (
    CAREFUL,
    CARELESS,
    MIXED,
    SPAMMED,
    Assumption,
    Figure,
    known_again,
    moved,
    shifted,
    spread_share,
    with_spammers,
)
from labeling.simulation.things import ThingSimulation, taken_for

LENGTH = 600
"""Characters of every simulated text."""

SLOT = 24
"""Characters in each of which at most one span begins, so that true spans do not overlap."""

FURTHEST = 3
"""Characters by which an inexact boundary is off at most."""

FEWEST_TEXTS = 20.0
"""Answers that earlier jobs must have had in all, before a crowd is learned from them."""

Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class SpanWorker:
    """One simulated worker: shares of spans marked, of boundaries at the very character, of right classes, and marks a
    text about nothing. `evidence` is the number of spans that they rest on, `activity` how many answers the worker
    gives against others, 0 where nobody knows."""

    recall: float
    exact: float
    accuracy: float
    false_positives: float
    spammer: bool = False
    evidence: float = 0.0
    activity: float = 0.0


@dataclass(frozen=True, slots=True)
class SpanRates:
    """A crowd. `spread` is among workers and `difficulty` among spans, both in logits; `spans` are those of a text.
    `doubt` scales how far the rates may be off; `known` workers are drawn from where there are any."""

    recall: float = 0.87
    exact: float = 0.93
    accuracy: float = 0.95
    false_positives: float = 0.15
    spread: float = 0.5
    difficulty: float = 1.0
    spans: float = 3.0
    doubt: float = 1.0
    known: tuple[SpanWorker, ...] = ()


class SpanSimulation(ThingSimulation[Spans, SpanWorkers, SpanRates, Span]):
    """Spans: F1 of those with the very offsets and the right class."""

    size = (LENGTH, 1)
    figures: ClassVar[tuple[Figure, ...]] = (Figure("f1", "F1 of exact entities", counted=True),)
    presets: ClassVar[Mapping[str, SpanRates]] = {
        CAREFUL: SpanRates(recall=0.95, exact=0.97, accuracy=0.98, false_positives=0.05),
        MIXED: SpanRates(),
        CARELESS: SpanRates(recall=0.75, exact=0.85, accuracy=0.88, false_positives=0.4),
        SPAMMED: SpanRates(),
    }

    def describe(self, rates: SpanRates) -> tuple[Assumption, ...]:
        """Of the ordinary worker and of the texts."""
        return (
            Assumption("Entities found by one worker", rates.recall, share=True),
            Assumption("Boundaries at the very character", rates.exact, share=True),
            Assumption("Right class", rates.accuracy, share=True),
            Assumption("False marks per text", rates.false_positives, share=False),
            Assumption("Entities per text", rates.spans, share=False),
        )

    def vary(self, rates: SpanRates, rng: np.random.Generator) -> SpanRates:
        """Each share by a quarter of a logit, for all known workers together."""
        recall, exact, accuracy = rng.normal(0.0, 0.25 * rates.doubt, 3)
        return replace(
            rates,
            recall=shifted(rates.recall, recall),
            exact=shifted(rates.exact, exact),
            accuracy=shifted(rates.accuracy, accuracy),
            difficulty=moved(rates.difficulty, 0.2 * rates.doubt, rng),
            spans=moved(rates.spans, 0.1 * rates.doubt, rng),
            known=tuple(
                replace(one, recall=shifted(one.recall, recall), exact=shifted(one.exact, exact)) for one in rates.known
            ),
        )

    def workers(self, rates: SpanRates, rng: np.random.Generator, spammers: Sequence[bool]) -> list[SpanWorker]:
        """Known workers where there are any, else people around the crowd's rates."""
        number = len(spammers)
        if rates.known:
            chosen = known_again(rates.known, "recall", number, rng)
        else:
            shares = [
                spread_share(share, rates.spread, rng, number) for share in (rates.recall, rates.exact, rates.accuracy)
            ]
            false = rates.false_positives * np.exp(rng.normal(0.0, rates.spread, number))
            chosen = [
                SpanWorker(float(r), float(e), float(a), float(f)) for r, e, a, f in zip(*shares, false, strict=True)
            ]
        return with_spammers(chosen, spammers)

    def usual(self, rates: SpanRates) -> float:
        """Spans of a text."""
        return rates.spans

    def parts(self, truth: Spans) -> Spans:
        """The spans."""
        return truth

    def seen(
        self,
        rates: SpanRates,
        rng: np.random.Generator,
        worker: SpanWorker,
        thing: Span,
        size: tuple[int, int],
        labels: Sequence[str],
    ) -> Span:
        """With boundaries that may be off, perhaps as another class."""
        length = size[0]
        off = rng.integers(1, FURTHEST + 1, 2) * rng.choice([-1, 1], 2) * (rng.random(2) >= worker.exact)
        start = int(np.clip(thing.start + off[0], 0, length - 1))
        end = int(np.clip(thing.end + off[1], start + 1, length))
        return Span(taken_for(thing.label, worker.accuracy, labels, rng), start, end)

    def anywhere(self, rng: np.random.Generator, count: int, size: tuple[int, int], labels: Sequence[str]) -> Spans:
        """In the order of the text, none within another."""
        length = size[0]
        slots = max(1, length // SLOT)
        chosen = sorted(rng.permutation(slots)[:count].tolist())
        spans = []
        for slot in chosen:
            start = min(slot * SLOT + int(rng.integers(0, SLOT // 3)), length - 1)
            end = min(start + int(rng.integers(3, SLOT // 2)), length)
            spans.append(Span(labels[int(rng.integers(0, len(labels)))], start, end))
        return tuple(spans)

    def together(
        self, seen: Sequence[Span], false: Sequence[Span], size: tuple[int, int], labels: Sequence[str]
    ) -> Spans:
        """In the order of the text, each once."""
        return tuple(sorted({*seen, *false}, key=lambda span: (span.start, span.end, span.label)))

    def score(self, truth: Sequence[Spans], found: Sequence[Spans | None]) -> Floats:
        """A text without a label counts as one in which nothing was marked."""
        rows = []
        for true, one in zip(truth, found, strict=True):
            given, expected = ({(s.label, s.start, s.end) for s in spans or ()} for spans in (one, true))
            rows.append([2 * len(given & expected), len(given) + len(expected)])
        return np.array(rows, float)[:, None, :]

    def learn(self, jobs: Sequence[SpanWorkers], labels: Sequence[str]) -> SpanRates | None:
        """Each worker's shrunk rates in each job; the crowd's are the means over jobs, by texts."""
        weights = np.array([sum(skill.images for skill in models.marking.skills.values()) for models in jobs], float)
        if weights.sum() < FEWEST_TEXTS:
            return None
        known = tuple(worker for models in jobs for worker in _known(models))

        def mean(values: Sequence[float]) -> float:
            return float(np.average(values, weights=weights))

        return SpanRates(
            recall=mean([models.marking.population.recall for models in jobs]),
            exact=mean([models.exactness() for models in jobs]),
            accuracy=mean([models.labels.accuracy() for models in jobs]) if len(labels) > 1 else 1.0,
            false_positives=float(np.mean([one.false_positives for one in known])),
            spans=max(0.1, mean([models.marking.population.objects for models in jobs])),
            doubt=1.0,
            known=known,
        )


def _known(models: SpanWorkers) -> list[SpanWorker]:
    """The workers of one job with their shrunk rates, workers in a fixed order."""
    skills = models.marking.skills
    names = sorted(name for name, skill in skills.items() if skill.images >= 1)
    recall = models.marking.rates(names).recall.tolist()
    usual = sum(skills[name].images for name in names) / max(len(names), 1)
    return [
        SpanWorker(
            recall=share,
            exact=models.exactness(name),
            accuracy=models.labels.accuracy(name),
            false_positives=float(max(skills[name].false_positives, 0.0) / skills[name].images),
            evidence=float(max(skills[name].chances, 0.0)),
            activity=float(skills[name].images / usual),
        )
        for name, share in zip(names, recall, strict=True)
    ]
