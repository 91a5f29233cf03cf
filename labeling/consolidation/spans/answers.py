"""What goes into and comes out of the consolidation of text spans, as plain values.

Knows nothing of jobs, files or texts: a span is two offsets, `start` included and `end` not, in whatever unit the task
counts in (characters or tokens), and a label.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer, latest_answers
from labeling.formats.shapes import Span

SpanAnswer = WorkerAnswer[tuple[Span, ...]]
ObjectSpans = ObjectAnswers[tuple[Span, ...]]


@dataclass(frozen=True, slots=True)
class ConsolidatedSpan(Span):
    """A span of the consensus. `confidence` is the chance that it is there with these very offsets and this label;
    `cluster` is its index in the explanation's `clusters`."""

    confidence: float = 0.0
    cluster: int = 0


@dataclass(frozen=True, slots=True)
class ConsolidatedSpans:
    """The consensus on one text, with why; `confidence` is the chance that every cluster is judged right."""

    spans: tuple[ConsolidatedSpan, ...]
    confidence: float
    explanation: dict[str, Any]
    algorithm: str


def latest_spans(answers: Iterable[SpanAnswer]) -> list[SpanAnswer]:
    """One answer a worker, sorted by worker; of equal revisions the one with more spans, then the one whose spans sort
    last. Raises ValueError for a span whose offsets are negative or that holds nothing."""
    latest = latest_answers(answers, lambda spans: (len(spans), [_key(span) for span in in_order(spans)]))
    for answer in latest:
        check_spans(answer.value)
    return latest


def check_spans(spans: Iterable[Span]) -> None:
    """Raises ValueError for a span whose offsets are negative or that holds nothing."""
    for span in spans:
        if not 0 <= span.start < span.end:
            raise ValueError(f"span {span.start}-{span.end}: expected 0 <= start < end")


def in_order(spans: Iterable[Span]) -> list[Span]:
    """The canonical order, without repeats: ties are broken on it, so that the order of answers changes nothing."""
    return sorted(set(spans), key=_key)


def _key(span: Span) -> tuple[int, int, str]:
    return span.start, span.end, span.label
