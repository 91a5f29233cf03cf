"""Consensus of text spans and of several labels, on simulated crowds: ours against plain votes, fixed and dynamic.

There is no public set of spans with every worker's answer and golds at hand, so both truth and workers are drawn at
random: figures say what the method does in such a crowd, not what a real one does. Nobody knows the workers; no golds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np

from benchmarks.report import report
from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.classes import tags
from labeling.consolidation.classes.tags import ObjectTags
from labeling.consolidation.spans import consolidator as spans
from labeling.consolidation.spans.answers import ObjectSpans
from labeling.consolidation.stopping import Stopping
from labeling.formats.shapes import Span

LABELS = ("person", "place", "organisation", "date")
TARGETS = (0.7, 0.8, 0.9, 0.95)
TEXTS, WORDS, MOST = 300, 60, 7
Truth = list[tuple[Span, ...]]
Figures = dict[str, float]


@dataclass(frozen=True)
class Crowd:
    """`spammers` is a share of the workers; the other rates are of an honest worker on average."""

    workers: int = 20
    spammers: float = 0.25
    miss: float = 0.15
    false_positives: float = 0.10
    confusion: float = 0.08
    inexact: float = 0.12
    """Chance that a boundary is off, by one word or two."""
    seed: int = 5


CROWDS = {"honest": Crowd(spammers=0.0), "spam25": Crowd(), "spam50": Crowd(spammers=0.5)}


def texts(crowd: Crowd) -> tuple[list[ObjectSpans], Truth]:
    """MOST answers to each of TEXTS texts, in order of arrival, and the truth."""
    rng = np.random.default_rng([crowd.seed, round(100 * crowd.spammers)])
    spammers = set(rng.permutation(crowd.workers)[: round(crowd.spammers * crowd.workers)].tolist())
    skill = rng.lognormal(0, 0.4, (crowd.workers, 4))
    objects, truth = [], []
    for _ in range(TEXTS):
        true = _disjoint(rng, int(rng.poisson(3)))
        answers = []
        for worker in rng.permutation(crowd.workers)[:MOST].tolist():
            drawn = (
                _disjoint(rng, int(rng.poisson(3))) if worker in spammers else _read(rng, crowd, true, skill[worker])
            )
            answers.append(WorkerAnswer(f"w{worker:02d}", tuple(drawn)))
        objects.append(ObjectAnswers(tuple(answers)))
        truth.append(tuple(true))
    return objects, truth


def _read(rng: np.random.Generator, crowd: Crowd, true: Sequence[Span], skill: np.ndarray) -> list[Span]:
    miss, false_positives, confusion, inexact = np.minimum(
        np.array([crowd.miss, crowd.false_positives, crowd.confusion, crowd.inexact]) * skill, 0.8
    )
    marked = []
    for span in true:
        if rng.random() < miss:
            continue
        start, end = (
            place + (rng.choice([-2, -1, 1, 2]) if rng.random() < inexact else 0) for place in (span.start, span.end)
        )
        label = LABELS[rng.integers(len(LABELS))] if rng.random() < confusion else span.label
        if 0 <= start < end <= WORDS:
            marked.append(Span(label, int(start), int(end)))
    return marked + _disjoint(rng, int(rng.poisson(false_positives * max(len(true), 1))))


def _disjoint(rng: np.random.Generator, count: int) -> list[Span]:
    """`count` spans of one to four words that do not touch."""
    slots = rng.permutation(WORDS // 6)[:count]
    made = []
    for slot in sorted(slots.tolist()):
        start = slot * 6 + int(rng.integers(2))
        end = start + int(rng.integers(1, 5))
        made.append(Span(LABELS[rng.integers(len(LABELS))], start, end))
    return made


def exact_votes(one: ObjectSpans) -> set[tuple[int, int, str]]:
    """Spans that more than half of the workers marked alike."""
    count = Counter((s.start, s.end, s.label) for answer in one.answers for s in answer.value)
    return {span for span, n in count.items() if 2 * n > len(one.answers)}


def word_votes(one: ObjectSpans) -> set[tuple[int, int, str]]:
    """Each word gets what most workers gave it; runs of words with one label are spans."""
    given = [[""] * WORDS for _ in one.answers]
    for row, answer in zip(given, one.answers, strict=True):
        for s in answer.value:
            row[s.start : s.end] = [s.label] * (s.end - s.start)
    words = [max(sorted(set(column)), key=column.count) for column in map(list, zip(*given, strict=True))]
    found, start = set(), 0
    for place in range(1, WORDS + 1):
        if place == WORDS or words[place] != words[start]:
            if words[start]:
                found.add((start, place, words[start]))
            start = place
    return found


def f1(found: Sequence[set], truth: Sequence[set]) -> float:
    """Of things found that are exactly right."""
    right = sum(len(a & b) for a, b in zip(found, truth, strict=True))
    return 2 * right / max(sum(map(len, found)) + sum(map(len, truth)), 1)


def merged_spans(objects: Sequence[ObjectSpans]) -> list[set]:
    workers = spans.fit_workers(objects, labels=LABELS)
    results = (spans.consolidate(one.answers, labels=LABELS, workers=workers) for one in objects)
    return [{(s.start, s.end, s.label) for s in result.spans} for result in results]


def merged_tags(objects: Sequence[ObjectTags]) -> list[set]:
    workers = tags.fit_workers(objects, labels=LABELS)
    return [set(tags.consolidate(one.answers, labels=LABELS, workers=workers).labels) for one in objects]


def most_tags(one: ObjectTags) -> set[str]:
    """Labels that more than half of the workers gave."""
    count = Counter(label for answer in one.answers for label in answer.value)
    return {label for label, n in count.items() if 2 * n > len(one.answers)}


def labelled(crowd: Crowd) -> tuple[list[ObjectTags], list[set]]:
    """The same texts as a question with several answers: which labels occur in it?"""
    objects, truth = texts(crowd)
    said = [
        ObjectAnswers(tuple(WorkerAnswer(a.worker, frozenset(s.label for s in a.value)) for a in one.answers))
        for one in objects
    ]
    return said, [{span.label for span in true} for true in truth]


def arriving(module: ModuleType, objects: Sequence, target: float) -> tuple[list, float]:
    """The answers asked for when each object stops by the rule; workers are fitted anew after each round."""
    taken = [2] * len(objects)
    rule = Stopping(max_answers=MOST, min_answers=2, target_confidence=target)
    open_ = list(range(len(objects)))
    while open_:
        seen = [replace(one, answers=one.answers[:n]) for one, n in zip(objects, taken, strict=True)]
        workers = module.fit_workers(seen, labels=LABELS)
        open_ = [
            i for i in open_ if module.should_ask_more(seen[i].answers, labels=LABELS, rule=rule, workers=workers).ask
        ]
        for i in open_:
            taken[i] += 1
    return [replace(one, answers=one.answers[:n]) for one, n in zip(objects, taken, strict=True)], float(np.mean(taken))


def study(
    name: str, module: ModuleType, objects: Sequence, truth: Sequence[set], plain: dict[str, Callable], merged: Callable
) -> Figures:
    """F1 of every method at 1..MOST answers, then ours with the stopping rule; `saved` is against the answers that
    ours with fixed redundancy needs to be as good (between whole numbers of answers: straight lines)."""
    figures: Figures = {}
    curve = []
    for count in range(1, MOST + 1):
        some = [replace(one, answers=one.answers[:count]) for one in objects]
        for method, vote in plain.items():
            figures[f"{name}_{count}_{method}"] = f1([vote(one) for one in some], truth)
        curve.append(f1(merged(some), truth))
        figures[f"{name}_{count}_ours"] = curve[-1]
    for target in TARGETS:
        seen, mean = arriving(module, objects, target)
        reached = f1(merged(seen), truth)
        rising = np.maximum.accumulate(curve)
        needed = float(np.interp(reached, rising, np.arange(1, MOST + 1)))
        figures |= {f"{name}_{target}_answers": mean, f"{name}_{target}_f1": reached}
        figures |= {f"{name}_{target}_fixed_needs": needed, f"{name}_{target}_saved": 1 - mean / needed}
    return figures


def main() -> None:
    figures: Figures = {}
    for name, crowd in CROWDS.items():
        objects, truth = texts(crowd)
        wanted = [{(s.start, s.end, s.label) for s in true} for true in truth]
        plain: dict[str, Callable] = {"exact_votes": exact_votes, "word_votes": word_votes}
        said = study(f"spans_{name}", spans, objects, wanted, plain, merged_spans)
        questions, occurring = labelled(crowd)
        said |= study(f"tags_{name}", tags, questions, occurring, {"majority": most_tags}, merged_tags)
        print({key: round(value, 3) for key, value in said.items()}, flush=True)
        figures |= said
    report("consensus_simulated", figures)


if __name__ == "__main__":
    main()
