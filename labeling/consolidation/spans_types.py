"""What goes into and comes out of the consensus of text spans: plain values, checked when made.

Knows nothing of jobs, files or texts: a span is two offsets, `start` included and `end` not, in whatever unit the task
counts in (characters or tokens), and a label.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """One marked stretch of a text. Raises ValueError for offsets that are negative or that hold nothing."""

    start: int
    end: int
    label: str

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"span {self.start}-{self.end}: expected 0 <= start < end")


@dataclass(frozen=True, slots=True)
class SpanAnswer:
    """All spans of one worker on one text; no spans is an answer too. Of several answers by one worker the highest
    `revision` counts, among equals the one whose spans sort last."""

    worker: str
    spans: tuple[Span, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ObjectSpans:
    """The answers on one text, and its true spans where a gold knows them: None means unknown, () that there are
    none."""

    answers: tuple[SpanAnswer, ...]
    gold: tuple[Span, ...] | None = None
    key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ConsolidatedSpan:
    """A span of the consensus. `confidence` is the chance that it is there with these very offsets and this label;
    `cluster` is its index in the explanation's `clusters`."""

    start: int
    end: int
    label: str
    confidence: float
    cluster: int


@dataclass(frozen=True, slots=True)
class ConsolidatedSpans:
    """The consensus on one text, with why; `confidence` is the chance that every cluster is judged right."""

    spans: tuple[ConsolidatedSpan, ...]
    confidence: float
    explanation: dict[str, Any]
    algorithm: str


def latest_answers(answers: Iterable[SpanAnswer]) -> list[SpanAnswer]:
    """One answer a worker, the last revision of each, sorted by worker; a span marked twice counts once."""
    latest: dict[str, SpanAnswer] = {}
    for answer in answers:
        kept = latest.get(answer.worker)
        if kept is None or _rank(answer) > _rank(kept):
            latest[answer.worker] = answer
    return [latest[worker] for worker in sorted(latest)]


def in_order(spans: Iterable[Span]) -> list[Span]:
    """The canonical order, without repeats: every tie of this package is broken on it."""
    return sorted(set(spans), key=_key)


def _key(span: Span) -> tuple[int, int, str]:
    return span.start, span.end, span.label


def _rank(answer: SpanAnswer) -> tuple[int, int, list[tuple[int, int, str]]]:
    return answer.revision, len(answer.spans), [_key(span) for span in in_order(answer.spans)]
