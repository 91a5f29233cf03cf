"""The cut-off of classes and masks keeps its promise as that of boxes does."""

import numpy as np
import pytest

from learning.selection import candidates, quality, thresholds
from learning.selection.uncertainty import Curve


def one_class(rng, count, *, right, told=True, classes=3):
    """(chances, true classes) of a classifier that is right about a share `right`, and, if `told`, knows when."""
    truth = rng.integers(classes, size=count)
    correct = rng.random(count) < right
    said = np.where(correct, truth, (truth + 1) % classes)
    level = np.where(correct, rng.uniform(0.6, 0.99, count), rng.uniform(0.4, 0.8, count))
    level = level if told else rng.uniform(0.4, 0.99, count)
    chances = np.repeat(((1 - level) / (classes - 1))[:, None], classes, axis=1)
    chances[np.arange(count), said] = level
    return chances, truth


def several(rng, count, *, right, classes=4):
    """(chances, truth) of classes that are there by themselves."""
    truth = rng.random((count, classes)) < 0.4
    said = np.where(rng.random(truth.shape) < right, truth, ~truth)
    return np.where(said, rng.uniform(0.5, 1, truth.shape), rng.uniform(0, 0.5, truth.shape)), truth


def accuracy(chances, truth, passed):
    return (chances.argmax(axis=1) == truth)[passed].mean()


def test_a_good_classifier_labels_what_it_is_sure_of_at_the_promised_accuracy():
    rng = np.random.default_rng(0)
    decision = thresholds.decide(candidates.one_class(*one_class(rng, 120, right=0.85)), target=0.9, confidence=0.9)
    assert 0.9 <= decision.lower <= decision.quality
    chances, truth = one_class(rng, 2000, right=0.85)
    passed = decision.certainty.predict(chances.max(axis=1)) >= decision.threshold
    assert passed.mean() > 0.4
    assert accuracy(chances, truth, passed) >= 0.9


@pytest.mark.parametrize(("images", "target"), [(30, 0.8), (60, 0.9)])
def test_the_promise_of_accuracy_is_broken_no_more_often_than_stated(images, target):
    """The worst case: just below the target, and the chances do not tell which labels are right."""
    jobs, broken = 80, 0
    for seed in range(jobs):
        rng = np.random.default_rng(seed)
        known = one_class(rng, images, right=target - 0.005, told=False)
        found = thresholds.decide(candidates.one_class(*known), target=target, confidence=0.9, seed=seed)
        broken += found.threshold is not None
    assert broken / jobs <= 0.1 + 0.067  # two standard errors of such a count


def test_several_classes_are_measured_by_their_jaccard_index_and_named_from_their_own_cuts():
    rng = np.random.default_rng(1)
    chances, truth = several(rng, 150, right=0.97)
    decision = thresholds.decide(candidates.several_classes(chances, truth), target=0.8, confidence=0.9)
    assert decision.threshold is not None and decision.lower >= 0.8
    chances, truth = several(rng, 500, right=0.97)
    said = chances >= decision.certainty.cuts
    rows = [candidates.tagged(row) for row in chances]
    passed = decision.certainty.predict(rows) >= decision.threshold
    outcome = quality.Outcomes((said & truth)[passed].astype(float), (said | truth)[passed].astype(float))
    assert quality.set_quality(outcome) >= 0.8
    bad = several(rng, 150, right=0.7)
    assert thresholds.decide(candidates.several_classes(*bad), target=0.8, confidence=0.9).threshold is None


def test_masks_are_measured_by_the_mean_iou_of_their_classes():
    rng = np.random.default_rng(2)
    good = rng.random(80) < 0.7
    raw = np.where(good, rng.uniform(0.7, 0.95, 80), rng.uniform(0.2, 0.6, 80))
    there = (rng.random((80, 2)) < 0.7).astype(float)
    there[~there.any(axis=1), 0] = 1
    iou = np.where(good, 0.85, 0.2)[:, None] * there
    decision = thresholds.decide(candidates.masks(raw, iou, there), target=0.7, confidence=0.9)
    assert decision.quality == pytest.approx(0.85, abs=0.05) and decision.lower >= 0.7
    assert decision.passed[good].all() and decision.passed.mean() <= 0.8


def test_an_object_without_a_prediction_is_wrong_and_no_object_at_all_promises_nothing():
    chances = np.zeros((20, 2))
    found = candidates.one_class(chances, [0] * 20)
    assert quality.set_quality(found.outcomes) == 0
    assert thresholds.decide(found, target=0.5, confidence=0.9).threshold is None
    nothing = candidates.one_class(np.zeros((0, 2)), [])
    assert thresholds.decide(nothing, target=0.5, confidence=0.9).threshold is None
    empty = candidates.several_classes(np.zeros((0, 2)), np.zeros((0, 2), dtype=bool))
    assert thresholds.decide(empty, target=0.5, confidence=0.9).threshold is None


def test_the_curve_rises_and_comes_back_from_json():
    curve = Curve.fit(np.array([0.9, 0.8, 0.6, 0.5]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert (np.diff(curve.predict(np.linspace(0, 1, 11))) >= 0).all()
    assert Curve.from_dict(curve.to_dict()) == curve
    assert 0 < Curve.fit(np.zeros(0), np.zeros(0)).predict(np.array([0.5]))[0] < 1
