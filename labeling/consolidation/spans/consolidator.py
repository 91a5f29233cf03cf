"""The consensus of text spans (named entities and the like): several workers' spans of one text in, one set out.

Spans are clustered by overlap, at most one of a worker in a cluster; who marked it and who did not says whether it is
there (as for boxes), Dawid & Skene say what it is, and each boundary goes to the offset that workers who are usually
exact have chosen. A pure function of the answers and the worker models; the order of answers changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from labeling.consolidation.answers import ObjectAnswers
from labeling.consolidation.spans.answers import ConsolidatedSpan, ConsolidatedSpans, ObjectSpans, SpanAnswer
from labeling.consolidation.spans.asking import risk
from labeling.consolidation.spans.fit import expect_and_maximise
from labeling.consolidation.spans.inference import Candidate, Inference, infer
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.workers.skills import SkillRow, rows_of_skills
from labeling.consolidation.workers.spans import SpanWorkers

ALGORITHM = "spans/1"
"""The version that labels are stored with. Results that differ need another version."""


def consolidate(
    answers: Sequence[SpanAnswer], *, labels: Sequence[str], workers: SpanWorkers | None = None
) -> ConsolidatedSpans:
    """The spans of one text that are more likely there than not, and why.

    A span with a label the job does not have counts as a sign of something but votes for no label. Raises ValueError
    for repeated labels.
    """
    models = workers or SpanWorkers()
    found = infer([ObjectAnswers(tuple(answers))], labels, models)
    candidates, here = found.candidates[0], found.answered[0]
    spans = tuple(
        ConsolidatedSpan(one.label, *one.bounds, round(one.confidence, 4), cluster)
        for cluster, one in enumerate(candidates)
        if one.kept and one.label is not None
    )
    confidence = low = high = 1.0 if here else 0.0
    for one in candidates:
        least, most = one.exists_interval
        confidence *= one.confidence if one.kept else 1 - one.exists
        low *= least * one.right if one.kept else 1 - most
        high *= most * one.right if one.kept else 1 - least
    explanation = {
        "algorithm": ALGORITHM,
        "confidence_low": _rounded(low),
        "confidence_high": _rounded(high),
        "workers": [_worker(name, found, models) for name in here],
        "clusters": [_cluster(one, here) for one in candidates],
    }
    return ConsolidatedSpans(spans, round(confidence, 4) + 0.0, explanation, ALGORITHM)


def fit_workers(
    objects: Iterable[ObjectSpans], *, labels: Sequence[str], start: SpanWorkers | None = None, rounds: int = 6
) -> SpanWorkers:
    """Learn the crowd and its workers from a job's answers (an iterable that can be read `rounds` times), golds taken
    as given. Raises ValueError for an iterator, which could be read only once."""
    return expect_and_maximise(objects, labels=labels, start=start, rounds=rounds)


def should_ask_more(
    answers: Sequence[SpanAnswer], *, labels: Sequence[str], rule: Stopping, workers: SpanWorkers | None = None
) -> Decision:
    """Whether one more person should read the text; the loss is of wrong or missing spans per span of the text."""
    models = workers or SpanWorkers()
    found = infer([ObjectAnswers(tuple(answers))], labels, models)
    ((loss, gain),) = risk(found, labels, models)
    return decide(rule, answers=len(found.answered[0]), loss=loss, gain=gain)


def skill_rows(models: SpanWorkers, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all labels, to be added to those of other jobs; none are kept by label."""
    return rows_of_skills(models.marking.skills)


def _worker(name: str, found: Inference, models: SpanWorkers) -> dict[str, Any]:
    row = found.workers.index(name)
    return {
        "worker": name,
        "recall": _rounded(found.rates.recall[row]),
        "false_positive_rate": _rounded(found.rates.false_positive_rate[row]),
        "exact": _rounded(models.exactness(name)),
    }


def _cluster(one: Candidate, here: Sequence[str]) -> dict[str, Any]:
    marked_by = {name for name, _ in one.members}
    start, end = one.bounds
    reason = f"marked by {len(marked_by)} of {len(here)}"
    if one.label is None:
        reason += "; no label of this job"
    elif not one.kept:
        reason += f"; chance {_rounded(one.exists)} of being there is below 0.5"
    return {
        "kept": one.kept,
        "reason": reason,
        "span": [start, end],
        "label": one.label,
        "confidence": _rounded(one.confidence),
        "exists": _rounded(one.exists),
        "label_chance": _rounded(one.labels[one.label] if one.label is not None else 0.0),
        "start_chance": _rounded(one.starts[start]),
        "end_chance": _rounded(one.ends[end]),
        "members": [
            {
                "worker": name,
                "span": [span.start, span.end],
                "label": span.label,
                "outvoted": not one.kept or (span.start, span.end, span.label) != (start, end, one.label),
            }
            for name, span in one.members
        ],
        "not_marked_by": [name for name in here if name not in marked_by],
    }


def _rounded(value: float) -> float:
    return round(float(value), 4) + 0.0
