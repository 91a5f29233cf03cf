"""Non-maximum suppression against a plain implementation."""

import numpy as np
import pytest

from learning.serving.suppression import FIRST_LOOK, TOP_CANDIDATES, select_boxes


def iou(a: np.ndarray, b: np.ndarray) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = max(width, 0) * max(height, 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return inter / union if union else 0.0


def plain(boxes: np.ndarray, scores: np.ndarray, *, score: float, overlap: float, limit: int) -> list[tuple[int, int]]:
    kept = []
    for label in range(scores.shape[1]):
        order = sorted((a for a in range(len(boxes)) if scores[a, label] > score), key=lambda a: -scores[a, label])
        mine: list[int] = []
        for anchor in order[:TOP_CANDIDATES]:
            if all(iou(boxes[anchor], boxes[other]) <= overlap for other in mine):
                mine.append(anchor)
        kept += [(anchor, label) for anchor in mine]
    return sorted(kept, key=lambda pair: (-scores[pair], *pair))[:limit]


@pytest.mark.parametrize("seed", range(8))
def test_results_equal_a_plain_implementation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 80, (300, 2))
    boxes = np.hstack([corner, corner + rng.uniform(1, 40, (300, 2))]).astype(np.float32)
    scores = rng.uniform(0, 1, (300, 3)).astype(np.float32)
    expected = plain(boxes, scores, score=0.2, overlap=0.45, limit=50)
    found, score, label = select_boxes(boxes, scores, score_threshold=0.2, nms_threshold=0.45, max_detections=50)
    assert score.tolist() == [scores[pair] for pair in expected]
    assert label.tolist() == [label for _, label in expected]
    assert found.tolist() == boxes[[anchor for anchor, _ in expected]].tolist()


@pytest.mark.parametrize("limit", [10, 150, 2000])
@pytest.mark.parametrize("seed", range(3))
def test_many_candidates_of_equal_scores_give_the_same_boxes_as_few(seed: int, limit: int) -> None:
    # Whole numbers and a threshold of sixteenths: exact both ways. With few different scores the ties are many, also
    # at the place where the first look ends.
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 60, (900, 2))
    boxes = np.hstack([corner, corner + rng.integers(0, 40, (900, 2))]).astype(np.float32)
    scores = (rng.integers(0, 40, (900, 4)) / 40).astype(np.float32)
    assert (scores > 0.2).sum() > FIRST_LOOK
    expected = plain(boxes, scores, score=0.2, overlap=0.4375, limit=limit)
    found, score, label = select_boxes(boxes, scores, score_threshold=0.2, nms_threshold=0.4375, max_detections=limit)
    assert score.tolist() == [scores[pair] for pair in expected]
    assert label.tolist() == [label for _, label in expected]
    assert found.tolist() == boxes[[anchor for anchor, _ in expected]].tolist()


def test_boxes_suppress_none_of_other_classes_and_empty_ones_none_at_all() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [5, 5, 5, 5], [5, 5, 5, 5]], np.float32)
    scores = np.array([[0.9, 0.8], [0.7, 0.0], [0.6, 0.0], [0.5, 0.0]], np.float32)
    _, score, label = select_boxes(boxes, scores, score_threshold=0.1, nms_threshold=0.5, max_detections=10)
    assert score.tolist() == [np.float32(one) for one in (0.9, 0.8, 0.6, 0.5)] and label.tolist() == [0, 1, 0, 0]


def test_at_most_so_many_candidates_of_a_class_are_looked_at() -> None:
    count = TOP_CANDIDATES + 50
    left = np.arange(count, dtype=np.float32) * 20  # none overlaps another
    boxes = np.stack([left, left * 0, left + 10, left * 0 + 10], axis=1)
    scores = np.linspace(0.9, 0.5, count, dtype=np.float32)[:, None].repeat(2, axis=1)
    options = {"score_threshold": 0.1, "nms_threshold": 0.5, "max_detections": 10_000}
    _, _, label = select_boxes(boxes, scores, **options)
    assert np.bincount(label).tolist() == [TOP_CANDIDATES, TOP_CANDIDATES]


def test_no_boxes_above_the_threshold_give_no_detections() -> None:
    boxes, scores = np.zeros((5, 4), np.float32), np.full((5, 2), np.nan, np.float32)
    found, score, label = select_boxes(boxes, scores, score_threshold=0.1, nms_threshold=0.5, max_detections=5)
    assert found.shape == (0, 4) and len(score) == len(label) == 0
