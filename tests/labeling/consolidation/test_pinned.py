"""What each pinned version makes of the same answers, to a digit less than it stores.

A red test here means that a version's results have changed: give `ALGORITHM` a new version, and pin that one.
"""

import numpy as np
import pytest

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.boxes import consolidator as boxes
from labeling.consolidation.boxes.answers import ImageAnswers
from labeling.consolidation.classes import tags, votes
from labeling.consolidation.masks import instances, semantic
from labeling.consolidation.spans import consolidator as spans
from labeling.formats import segments
from labeling.formats.shapes import Box, Span

LABELS = ("bee", "flower")
NAMES = ("ann", "bob", "cy", "dee")
TIMES = 12


def of_boxes():
    """Four workers on twelve like images: a bee all see, a flower one takes for a bee, a false positive of another."""

    def drawn(number, seat, name):
        off = (3 * seat + number) % 5
        rows = [Box("bee", 100 + off, 90 - off, 60, 40 + off)]
        if (number + seat) % 4:
            rows.append(Box("bee" if seat == 3 else "flower", 300 - off, 200 + off, 80, 50))
        if seat == 2:
            rows.append(Box("bee", 20 * number, 400, 15, 15))
        return WorkerAnswer(name, tuple(rows))

    images = [
        ImageAnswers(tuple(drawn(number, seat, name) for seat, name in enumerate(NAMES)), (640.0, 480.0))
        for number in range(TIMES)
    ]
    workers = boxes.fit_workers(images, labels=LABELS)
    (result,) = boxes.consolidate_many(images[:1], labels=LABELS, workers=workers)
    return [
        (round(b.left, 1), round(b.top, 1), round(b.width, 1), round(b.height, 1), b.label, round(b.confidence, 3))
        for b in result.boxes
    ]


def of_votes():
    objects = [
        ObjectAnswers(tuple(WorkerAnswer(name, LABELS[(number + (seat == 3)) % 2]) for seat, name in enumerate(NAMES)))
        for number in range(TIMES)
    ]
    workers = votes.fit_workers(objects, labels=LABELS)
    result = votes.consolidate(objects[0].answers, labels=LABELS, workers=workers)
    return [(result.label, round(result.confidence, 3))]


def of_tags():
    objects = [
        ObjectAnswers(
            tuple(
                WorkerAnswer(name, frozenset(LABELS[: 1 + (number + seat) % 2] if seat != 3 else LABELS[1:]))
                for seat, name in enumerate(NAMES)
            )
        )
        for number in range(TIMES)
    ]
    workers = tags.fit_workers(objects, labels=LABELS)
    result = tags.consolidate(objects[0].answers, labels=LABELS, workers=workers)
    return [(result.labels, round(result.confidence, 3))]


def of_spans():
    objects = [
        ObjectAnswers(
            tuple(
                WorkerAnswer(name, (Span("bee", 10, 15 + (seat == number % 4)), *[Span("flower", 30, 33)] * (seat < 2)))
                for seat, name in enumerate(NAMES)
            )
        )
        for number in range(TIMES)
    ]
    workers = spans.fit_workers(objects, labels=LABELS)
    result = spans.consolidate(objects[0].answers, labels=LABELS, workers=workers)
    return [(s.start, s.end, s.label, round(s.confidence, 3)) for s in result.spans]


def of_masks(module):
    """Four workers on twelve like images: a bee that all paint a little apart, a flower that one takes for a bee."""

    def painted(number, seat):
        off = (3 * seat + number) % 4
        pixels = np.zeros((20, 40), np.uint8)
        pixels[2 : 8 + (off + seat) % 3, 2 + off : 12] = 1
        pixels[12:18, 25 - off : 35] = 3 if seat == 3 else 2
        found = segments.from_pixels(pixels, {1: "bee", 2: "flower", 3: "bee"})
        return segments.joined(found) if module is semantic else found

    objects = [
        ObjectAnswers(tuple(WorkerAnswer(name, painted(number, seat)) for seat, name in enumerate(NAMES)))
        for number in range(TIMES)
    ]
    workers = module.fit_workers(objects, labels=LABELS)
    mask = module.consolidate(objects[0].answers, labels=LABELS, workers=workers).mask
    return [(one.label, segments.area(one), round(one.confidence, 3)) for one in mask.segments]


CASES = {
    boxes.ALGORITHM: of_boxes,
    votes.ALGORITHM: of_votes,
    tags.ALGORITHM: of_tags,
    spans.ALGORITHM: of_spans,
    semantic.ALGORITHM: lambda: of_masks(semantic),
    instances.ALGORITHM: lambda: of_masks(instances),
}
PINNED = {
    "boxes/5": [(101.9, 88.1, 60.0, 41.9, "bee", 1.0), (297.2, 202.8, 80.0, 50.2, "flower", 0.994)],
    "votes/2": [("bee", 0.799)],
    "tags/3": [(("bee",), 0.991)],
    "masks/2": [("bee", 61, 0.904), ("flower", 72, 0.904)],
    "instances/2": [("bee", 61, 0.937), ("flower", 72, 0.952)],
    "spans/1": [(10, 15, "bee", 0.997), (30, 33, "flower", 0.953)],
}


@pytest.mark.parametrize("version", CASES)
def test_a_version_makes_of_the_same_answers_what_it_always_made(version):
    assert CASES[version]() == PINNED.get(version)
