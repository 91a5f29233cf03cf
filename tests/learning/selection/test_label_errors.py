"""Label errors that were planted in a made-up set are found by a made-up detector's predictions."""

from dataclasses import replace

import numpy as np
import pytest

from learning.selection.label_errors import LabeledImage, any_of, find
from learning.selection.label_pairs import pair
from learning.selection.quality import Detections

SIZE = (640.0, 480.0)
KINDS = ("overlooked", "badly_placed", "wrong_class")


def boxes_of(rng: np.random.Generator, classes: int) -> np.ndarray:
    """(n, 5) class and corners of objects that hardly touch each other: one in each of a few cells of a grid."""
    cells = rng.choice(12, size=rng.integers(1, 6), replace=False)
    left, top = (cells % 4) * 160 + rng.uniform(5, 25, len(cells)), (cells // 4) * 160 + rng.uniform(5, 25, len(cells))
    width, height = rng.uniform(60, 110, (2, len(cells)))
    return np.column_stack([rng.integers(0, classes, len(cells)), left, top, left + width, top + height])


def detected(rng: np.random.Generator, truth: np.ndarray, classes: int, *, sharp: float) -> Detections:
    """What a detector sees: most objects, a few that are none, and at each place also other classes, less surely."""
    rows = []
    for number, *corners in truth:
        if rng.random() < 0.05:
            continue
        score = rng.beta(8, 2)
        off = rng.normal(0, sharp, 4) * 80
        rows.append((number, *(np.array(corners) + off), score))
        if classes > 1:
            other = (number + rng.integers(1, classes)) % classes
            rows.append((other, *(np.array(corners) + off * 1.1), score * rng.uniform(0.02, 0.3)))
    for _ in range(rng.poisson(2)):
        left, top = rng.uniform(0, 540), rng.uniform(0, 380)
        rows.append((rng.integers(0, classes), left, top, left + 70, top + 70, rng.beta(1, 6)))
    table = np.array(rows, dtype=float).reshape(-1, 6)
    return Detections(table[:, 1:5], table[:, 0].astype(np.int64), table[:, 5])


def a_set(*, images: int = 250, classes: int = 3, seed: int = 1, sharp: float = 0.04):
    """Images of which each kind of error was planted in a tenth, and (images,) of each kind where."""
    rng = np.random.default_rng(seed)
    made, wrong = [], {kind: np.zeros(images, dtype=bool) for kind in KINDS}
    for number in range(images):
        truth = boxes_of(rng, classes)
        label, at = truth.copy(), rng.integers(len(truth))
        kind = rng.choice(10)
        if kind == 0:
            label = np.delete(label, at, axis=0)
        elif kind == 1:
            label[at, [1, 3]] += rng.choice([-1, 1]) * 0.35 * (label[at, 3] - label[at, 1])
        elif kind == 2 and classes > 1:
            label[at, 0] = (label[at, 0] + 1) % classes
        if kind < (3 if classes > 1 else 2):
            wrong[KINDS[kind]][number] = True
        given = Detections(label[:, 1:5], label[:, 0].astype(np.int64), np.ones(len(label)))
        made.append(LabeledImage(given, detected(rng, truth, classes, sharp=sharp), SIZE))
    return made, wrong


@pytest.fixture(scope="module")
def found():
    images, wrong = a_set()
    return images, wrong, find(images, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_planted_errors_of_each_kind_come_first(found, kind):
    _, wrong, errors = found
    order = np.argsort([-one.kinds[kind] for one in errors])
    assert wrong[kind][order[: wrong[kind].sum()]].mean() > 0.8


def test_chances_add_up_to_about_the_errors_there_are(found):
    _, wrong, errors = found
    for kind in KINDS:
        chances = np.array([one.kinds[kind] for one in errors])
        assert ((chances >= 0) & (chances <= 1)).all()
        assert 0.4 < chances.sum() / wrong[kind].sum() < 2.5, kind
    anything = np.any(list(wrong.values()), axis=0)
    order = np.argsort([-one.wrong for one in errors])
    assert anything[order[: anything.sum()]].mean() > 0.8


def test_it_says_where_an_object_was_overlooked_and_which_class_is_likely(found):
    images, wrong, errors = found
    for number in np.flatnonzero(wrong["overlooked"])[:5]:
        one = errors[number]
        assert one.places.shape == (len(one.overlooked), 4) and len(one.classes) == len(one.overlooked)
    right = [
        errors[n].likely_class[errors[n].wrong_class.argmax()]
        == (images[n].label.classes[errors[n].wrong_class.argmax()] - 1) % 3
        for n in np.flatnonzero(wrong["wrong_class"])
    ]
    assert np.mean(right) > 0.8


def test_a_detector_that_is_off_itself_accuses_nobody_of_it():
    """The same deviations of boxes are errors beside a sharp detector, and nothing beside one that is off as far."""
    sharp, wrong = a_set(sharp=0.02)
    blunt, _ = a_set(sharp=0.12)
    at = wrong["badly_placed"]
    fewer = [np.mean([one.kinds["badly_placed"] for one in np.array(find(images, 3))[at]]) for images in (sharp, blunt)]
    assert fewer[0] > 0.7 > 0.5 > fewer[1], fewer


def test_one_class_is_never_wrong():
    images, wrong = a_set(classes=1)
    errors = find(images, 1)
    assert all(one.kinds["wrong_class"] == 0 for one in errors)
    order = np.argsort([-one.kinds["overlooked"] for one in errors])
    assert wrong["overlooked"][order[: wrong["overlooked"].sum()]].mean() > 0.8


NOTHING = Detections.of([])
SOMETHING = Detections.of([(0, 10, 10, 40, 40, 0.9)])


@pytest.mark.parametrize(
    "images",
    [
        [],
        [LabeledImage(NOTHING, NOTHING, SIZE)],
        [LabeledImage(SOMETHING, NOTHING, SIZE)] * 3,
        [LabeledImage(NOTHING, SOMETHING, SIZE)] * 3,
        [LabeledImage(SOMETHING, SOMETHING, SIZE)],
        [LabeledImage(Detections.of([(1, 10, 10, 0, 0, 1)]), SOMETHING, SIZE)] * 4,
    ],
)
def test_sets_with_next_to_nothing_give_finite_chances(images):
    errors = find(images, 2)
    assert len(errors) == len(images)
    for one, image in zip(errors, images, strict=True):
        assert len(one.badly_placed) == len(one.wrong_class) == len(image.label.classes)
        assert np.isfinite([one.wrong, *one.kinds.values()]).all() and 0 <= one.wrong <= 1


def test_the_order_of_images_changes_nothing(found):
    images, _, errors = found
    order = np.random.default_rng(3).permutation(len(images))
    again = find([images[place] for place in order], 3)
    np.testing.assert_allclose([one.wrong for one in again], [errors[place].wrong for place in order], atol=1e-3)


def test_classes_predicted_at_one_place_are_one_location():
    predicted = Detections.of([(0, 10, 10, 40, 40, 0.6), (1, 11, 10, 40, 41, 0.3), (1, 200, 200, 30, 30, 0.5)])
    pairs = pair([LabeledImage(replace(SOMETHING), predicted, SIZE)], 2)
    assert pairs.class_scores[:, 1].tolist() == [0.3, 0.5] and pairs.score.tolist() == [0.6, 0.5]
    assert pairs.pair.tolist() == [0, -1] and pairs.location.tolist() == [0]


def test_chances_of_several_boxes_make_that_of_any():
    assert any_of(np.array([0.5, 0.5])) == pytest.approx(0.75) and any_of(np.zeros(0)) == 0
