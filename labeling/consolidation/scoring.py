"""How right one answer is against the known truth, from 0 to 1: the F1 score of what it names. Pure.

Golds and qualification tests score with it. It knows nothing of who answered.
"""

from __future__ import annotations

from collections.abc import Iterable

from labeling.formats.shapes import Span


def f1(right: float, given: float, true: float) -> float:
    """F1 = 2 right / (given + true): 1 when nothing was to be named and nothing was."""
    return 2 * right / (given + true) if given + true else 1.0


def class_f1(given: Iterable[str], true: Iterable[str]) -> float:
    """Of two sets of classes; for one class each it is 1 when they are equal, else 0."""
    found, expected = set(given), set(true)
    return f1(len(found & expected), len(found), len(expected))


def span_f1(given: Iterable[Span], true: Iterable[Span]) -> float:
    """A span is right with the very offsets and the label; repeats count once."""
    found, expected = ({(span.label, span.start, span.end) for span in spans} for spans in (given, true))
    return f1(len(found & expected), len(found), len(expected))
