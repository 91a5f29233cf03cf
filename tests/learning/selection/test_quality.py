"""Mean IoU as Ground Truth defines it, by image and over a set, and its lower bound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.selection import quality
from learning.selection.quality import Detections, Outcomes
from tests.learning.selection.scenes import draw_many


def image(*rows):
    return Detections.of([(kind, left, top, width, height, 1.0) for kind, left, top, width, height in rows])


def test_predicted_and_missed_boxes_count_and_classes_weigh_the_same():
    # class 0: one perfect box and one missed; class 1: one box of IoU 0.5 and one false positive
    truth = image((0, 0, 0, 10, 10), (0, 50, 50, 10, 10), (1, 100, 0, 10, 10))
    found = image((0, 0, 0, 10, 10), (1, 100, 0, 10, 20), (1, 0, 100, 5, 5))
    iou, boxes = quality.match(found, truth, 2)
    assert iou.tolist() == [1.0, 0.5]
    assert boxes.tolist() == [2, 2]
    outcome = quality.outcomes([found], [truth], 2)
    assert quality.set_quality(outcome) == pytest.approx((0.5 + 0.25) / 2)
    assert quality.image_quality(outcome) == pytest.approx([(0.5 + 0.25) / 2])


def test_a_box_of_the_wrong_class_is_a_false_positive_and_a_missed_box():
    iou, boxes = quality.match(image((1, 0, 0, 10, 10)), image((0, 0, 0, 10, 10)), 2)
    assert iou.sum() == 0
    assert boxes.tolist() == [1, 1]


def test_pairs_are_chosen_together_and_not_greedily():
    # The first prediction fits both truths, the second only the first truth: greedy pairing would lose one.
    truth = image((0, 0, 0, 10, 10), (0, 0, 4, 10, 10))
    found = image((0, 0, 1, 10, 10), (0, 0, -4, 10, 10))
    iou, boxes = quality.match(found, truth, 1)
    assert boxes[0] == 2
    assert iou[0] == pytest.approx(7 / 13 + 6 / 14)


def test_an_image_that_rightly_holds_nothing_is_perfect_and_does_not_change_the_set():
    nothing, one = image(), image((0, 0, 0, 10, 10))
    found = quality.outcomes([nothing, nothing, one], [nothing, one, one], 1)
    assert quality.image_quality(found).tolist() == [1.0, 0.0, 1.0]
    assert quality.set_quality(found) == pytest.approx(0.5)
    assert quality.set_quality(quality.outcomes([nothing], [nothing], 1)) == 1.0
    assert np.isnan(quality.set_quality(found.take(np.zeros(3, dtype=bool))))


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_quality_lies_between_none_and_all_and_perfection_is_one(seed):
    found, truth = draw_many(np.random.default_rng(seed), 6, skill=0.8)
    value = quality.set_quality(quality.outcomes(found, truth, 2))
    assert 0 <= value < 1
    assert quality.set_quality(quality.outcomes(truth, truth, 2)) == pytest.approx(1.0)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_the_order_of_boxes_and_of_images_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    found, truth = draw_many(rng, 5, skill=0.8)
    shuffled = [
        Detections(*(part[order] for part in (one.corners, one.classes, one.scores)))
        for one in found
        for order in [rng.permutation(len(one.scores))]
    ]
    order = rng.permutation(5)
    mixed = quality.outcomes([shuffled[i] for i in order], [truth[i] for i in order], 2)
    plain = quality.outcomes(found, truth, 2)
    assert quality.set_quality(mixed) == pytest.approx(quality.set_quality(plain))
    assert quality.lower_bound(mixed, 0.9) == pytest.approx(quality.lower_bound(plain, 0.9))


def test_the_bound_is_below_the_estimate_and_rises_with_the_number_of_images():
    found, truth = draw_many(np.random.default_rng(1), 400, skill=1.2)
    all_of_it = quality.outcomes(found, truth, 2)
    few = quality.lower_bound(all_of_it.take(np.arange(10)), 0.9)
    many = quality.lower_bound(all_of_it, 0.9)
    assert few < many < quality.set_quality(all_of_it)
    assert quality.lower_bound(all_of_it, 0.99) < many


def test_a_few_perfect_images_prove_little():
    perfect = Outcomes(np.full((4, 1), 3.0), np.full((4, 1), 3.0))
    assert quality.set_quality(perfect) == 1.0
    assert quality.lower_bound(perfect, 0.9) < 0.6
    assert quality.lower_bound(perfect.take(np.zeros(4, dtype=bool)), 0.9) == 0.0


def test_the_bound_holds_as_often_as_it_says():
    population = quality.outcomes(*draw_many(np.random.default_rng(2), 5000, skill=1.0), 2)
    real = quality.set_quality(population)
    rng = np.random.default_rng(3)
    for size in (10, 30):
        samples = (population.take(rng.choice(5000, size, replace=False)) for _ in range(400))
        wrong = np.mean([quality.lower_bound(sample, 0.9) > real for sample in samples])
        assert wrong <= 0.1, f"{size} images: {wrong:.0%} of the bounds lie above the real quality"


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="2 predictions for 1 labeled images"):
        quality.outcomes([image(), image()], [image()], 1)
