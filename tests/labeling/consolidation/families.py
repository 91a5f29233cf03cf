"""How the shared suite speaks to each consolidator: the same story told in boxes, votes or spans."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.boxes import consolidator as boxes
from labeling.consolidation.boxes.answers import ImageAnswers
from labeling.consolidation.classes import tags, votes
from labeling.consolidation.fields import consolidator as forms
from labeling.consolidation.fields.models import FormWorkers
from labeling.consolidation.masks import instances, semantic
from labeling.consolidation.shapes import keypoints, polygons, polylines
from labeling.consolidation.shapes.answers import ImageShapes
from labeling.consolidation.spans import consolidator as spans
from labeling.consolidation.workers.masks import MaskWorkers
from labeling.consolidation.workers.models import WorkerModels
from labeling.consolidation.workers.spans import SpanWorkers
from labeling.consolidation.workers.votes import VoteWorkers
from labeling.formats.masks import pack
from labeling.formats.shapes import Box, Keypoint, Polygon, Segment, Segmentation, Span

LABELS = ("bee", "flower")
SIZE = (640.0, 480.0)


def box_answer(worker: str, label: str, revision: int = 0) -> WorkerAnswer:
    """One worker's one box, a little different for each worker."""
    jitter = sum(map(ord, worker)) % 7
    return WorkerAnswer(worker, (Box(label, 100 + jitter, 80 + jitter, 60, 40 - jitter),), revision)


def outline_answer(worker: str, label: str, revision: int = 0, *, closed: bool) -> WorkerAnswer:
    """One worker's one outline, a little different for each worker."""
    jitter = sum(map(ord, worker)) % 7
    corners = ((100 + jitter, 80), (160, 80 + jitter), (160, 120), (100, 120 - jitter))
    return WorkerAnswer(worker, (Polygon(label, corners, closed),), revision)


def point_answer(worker: str, label: str, revision: int = 0) -> WorkerAnswer:
    """One worker's one point, a little different for each worker."""
    return WorkerAnswer(worker, (Keypoint(label, 100 + sum(map(ord, worker)) % 7, 80),), revision)


def span_answer(worker: str, label: str, revision: int = 0) -> WorkerAnswer:
    """One worker's one span of the same words."""
    return WorkerAnswer(worker, (Span(label, 10, 18),), revision)


def vote_answer(worker: str, label: str, revision: int = 0) -> WorkerAnswer:
    return WorkerAnswer(worker, label, revision)


def mask_answer(worker: str, label: str, revision: int = 0) -> WorkerAnswer:
    """One worker's one mask of the same pixels: 30 of 100."""
    return WorkerAnswer(worker, Segmentation((10, 10), (Segment(label, pack([20, 30, 50])),)), revision)


@dataclass(frozen=True)
class Family:
    """`answer(worker, label, revision)`, `consolidate(answers, workers)`, `labels_of(result)`, `fit(list of answers)`,
    `ask(answers, rule, workers)`, `load(json)`."""

    module: Any
    answer: Callable[..., Any]
    consolidate: Callable[..., Any]
    labels_of: Callable[[Any], list[str]]
    fit: Callable[..., Any]
    ask: Callable[..., Any]
    load: Callable[[dict[str, Any]], Any]
    own_words: bool = False
    """Whether answers may choose among other words than the job's labels."""


def _vote_labels(result: Any) -> list[str]:
    return [] if result.label is None else [result.label]


def masks_family(module: Any) -> Family:
    return Family(
        module=module,
        answer=mask_answer,
        consolidate=lambda answers, workers=None: module.consolidate(answers, labels=LABELS, workers=workers),
        labels_of=lambda result: [one.label for one in (result.mask.segments if result.mask else ())],
        fit=lambda objects: module.fit_workers([ObjectAnswers(tuple(a)) for a in objects], labels=LABELS),
        ask=lambda answers, rule, workers=None: module.should_ask_more(
            answers, labels=LABELS, rule=rule, workers=workers
        ),
        load=MaskWorkers.from_json,
    )


def _of_shapes(module: Any, answer: Callable[..., Any]) -> Family:
    return Family(
        module=module,
        answer=answer,
        consolidate=lambda answers, workers=None: module.consolidate(
            answers, labels=LABELS, image_size=SIZE, workers=workers
        ),
        labels_of=lambda result: [shape.label for shape in result.shapes],
        fit=lambda objects: module.fit_workers([ImageShapes(tuple(a), SIZE) for a in objects], labels=LABELS),
        ask=lambda answers, rule, workers=None: module.should_ask_more(
            answers, labels=LABELS, image_size=SIZE, rule=rule, workers=workers
        ),
        load=WorkerModels.from_json,
    )


FAMILIES = {
    "masks of classes": masks_family(semantic),
    "masks of objects": masks_family(instances),
    "polygons": _of_shapes(polygons, partial(outline_answer, closed=True)),
    "polylines": _of_shapes(polylines, partial(outline_answer, closed=False)),
    "keypoints": _of_shapes(keypoints, point_answer),
    "boxes": Family(
        module=boxes,
        answer=box_answer,
        consolidate=lambda answers, workers=None: boxes.consolidate(
            answers, labels=LABELS, image_size=SIZE, workers=workers
        ),
        labels_of=lambda result: [box.label for box in result.boxes],
        fit=lambda objects: boxes.fit_workers([ImageAnswers(tuple(a), SIZE) for a in objects], labels=LABELS),
        ask=lambda answers, rule, workers=None: boxes.should_ask_more(
            answers, labels=LABELS, image_size=SIZE, rule=rule, workers=workers
        ),
        load=WorkerModels.from_json,
    ),
    "votes": Family(
        module=votes,
        answer=vote_answer,
        consolidate=lambda answers, workers=None: votes.consolidate(answers, labels=LABELS, workers=workers),
        labels_of=_vote_labels,
        fit=lambda objects: votes.fit_workers([ObjectAnswers(tuple(a)) for a in objects], labels=LABELS),
        ask=lambda answers, rule, workers=None: votes.should_ask_more(
            answers, labels=LABELS, rule=rule, workers=workers
        ),
        load=VoteWorkers.from_json,
    ),
    "tags": Family(
        module=tags,
        answer=lambda worker, label, revision=0: WorkerAnswer(worker, frozenset([label]), revision),
        consolidate=lambda answers, workers=None: tags.consolidate(answers, labels=LABELS, workers=workers),
        labels_of=lambda result: list(result.labels),
        fit=lambda objects: tags.fit_workers([ObjectAnswers(tuple(a)) for a in objects], labels=LABELS),
        ask=lambda answers, rule, workers=None: tags.should_ask_more(
            answers, labels=LABELS, rule=rule, workers=workers
        ),
        load=VoteWorkers.from_json,
    ),
    "forms": Family(
        module=forms,
        answer=lambda worker, label, revision=0: WorkerAnswer(worker, {"kind": {"label": label}}, revision),
        consolidate=lambda answers, workers=None: forms.consolidate(answers, labels=LABELS, workers=workers),
        labels_of=lambda result: [one["label"] for one in result.content.values()],
        fit=lambda objects: forms.fit_workers([ObjectAnswers(tuple(a)) for a in objects], labels=LABELS),
        ask=lambda answers, rule, workers=None: forms.should_ask_more(
            answers, labels=LABELS, rule=rule, workers=workers
        ),
        load=FormWorkers.from_json,
        own_words=True,
    ),
    "spans": Family(
        module=spans,
        answer=span_answer,
        consolidate=lambda answers, workers=None: spans.consolidate(answers, labels=LABELS, workers=workers),
        labels_of=lambda result: [span.label for span in result.spans],
        fit=lambda objects: spans.fit_workers([ObjectAnswers(tuple(a)) for a in objects], labels=LABELS),
        ask=lambda answers, rule, workers=None: spans.should_ask_more(
            answers, labels=LABELS, rule=rule, workers=workers
        ),
        load=SpanWorkers.from_json,
    ),
}


def as_bytes(result: Any) -> bytes:
    """A result as stored: everything it says, in its own key order."""
    said = [
        getattr(result, name)
        for name in ("boxes", "label", "labels", "mask", "shapes", "spans", "confidence")
        if hasattr(result, name)
    ]
    return json.dumps([said, result.explanation, result.algorithm], default=str).encode()


def answers_of(family: Family, spoken: Sequence[tuple[str, str]]) -> list[Any]:
    return [family.answer(worker, label) for worker, label in spoken]
