"""The cut-off keeps its promise, and the curve that predicts an image's quality tells good images from bad ones."""

import numpy as np
import pytest

from learning.selection import quality, thresholds
from learning.selection.quality import Detections
from learning.selection.uncertainty import Certainty, kept, raw_certainty
from tests.learning.selection.scenes import draw_many

MORE_JOBS = [(6, 30, 60), (2, 100, 60)]


def auto_label(decision, found, truth):
    """(quality of what is auto-labeled, share of images that are) on a pool that the decision has not seen."""
    passed = decision.certainty.predict(found) >= decision.threshold
    outcome = quality.outcomes([kept(image, decision.certainty.cuts) for image in found], truth, 2)
    return quality.set_quality(outcome.take(passed)), passed.mean()


def test_a_good_detector_labels_most_images_and_keeps_the_promise():
    rng = np.random.default_rng(0)
    decision = thresholds.choose(*draw_many(rng, 60, skill=1.6), classes=2)
    reached, share = auto_label(decision, *draw_many(rng, 500, skill=1.6))
    assert reached >= 0.6
    assert share > 0.6
    assert 0.6 <= decision.lower <= decision.quality


def test_a_bad_detector_labels_nothing():
    decision = thresholds.choose(*draw_many(np.random.default_rng(0), 60, skill=0.4), classes=2)
    assert decision.threshold is None
    assert not decision.passed.any()
    assert decision.curve, "the curve is there for the reader all the same"


@pytest.mark.parametrize(
    ("classes", "images", "jobs"), [(2, 30, 100), *(pytest.param(*one, marks=pytest.mark.slow) for one in MORE_JOBS)]
)
def test_the_promise_is_broken_no_more_often_than_stated_even_when_scores_mean_nothing(classes, images, jobs):
    # The worst case: the population lies just below the target and the scores do not tell which images are good.
    broken, below, made = 0, [], {"skill": 1.5, "informative": False, "classes": classes}
    for seed in range(jobs):
        rng = np.random.default_rng(seed)
        decision = thresholds.choose(*draw_many(rng, images, **made), classes=classes, seed=seed)
        pool = draw_many(rng, 60, **made)
        outcome = quality.outcomes(*pool, classes)
        below.append(quality.set_quality(outcome))
        broken += decision.threshold is not None
    assert 0.5 < np.mean(below) < 0.6
    assert broken / jobs <= 0.1


def test_a_stricter_target_never_labels_more():
    found, truth = draw_many(np.random.default_rng(5), 80, skill=1.5)
    shares = [thresholds.choose(found, truth, classes=2, target=target).coverage for target in (0.4, 0.6, 0.75, 0.95)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    assert shares[-1] == 0.0


def test_few_validation_images_promise_nothing():
    found, truth = draw_many(np.random.default_rng(0), 7, skill=2.0)
    assert thresholds.choose(found, truth, classes=2).threshold is None
    assert thresholds.choose([], [], classes=2).threshold is None


def test_images_that_passed_before_count_into_the_bound():
    found, truth = draw_many(np.random.default_rng(8), 12, skill=1.6)
    alone = thresholds.choose(found, truth, classes=2)
    earlier = quality.outcomes(*draw_many(np.random.default_rng(9), 60, skill=2.2), 2)
    helped = thresholds.choose(found, truth, classes=2, earlier=earlier)
    assert helped.coverage >= alone.coverage
    spoiled = quality.Outcomes(np.zeros((60, 2)), np.full((60, 2), 3.0))
    assert thresholds.choose(found, truth, classes=2, earlier=spoiled).threshold is None


def test_good_early_rounds_do_not_compensate_a_bad_late_one():
    found, truth = draw_many(np.random.default_rng(8), 20, skill=0.4)
    perfect = quality.Outcomes(np.full((300, 2), 3.0), np.full((300, 2), 3.0))
    assert thresholds.choose(found, truth, classes=2, earlier=perfect).threshold is None


def test_the_same_input_gives_the_same_decision():
    found, truth = draw_many(np.random.default_rng(5), 40, skill=1.5)
    first, second = (thresholds.choose(found, truth, classes=2, seed=3) for _ in range(2))
    assert first.threshold == second.threshold
    assert first.curve == second.curve
    assert first.certainty.to_dict() == second.certainty.to_dict()


def test_a_target_out_of_range_and_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="target 1.5"):
        thresholds.choose([], [], classes=1, target=1.5)
    with pytest.raises(ValueError, match="1 predictions for 0"):
        thresholds.choose([Detections.of([])], [], classes=1)


def test_predicted_quality_follows_real_quality():
    rng = np.random.default_rng(4)
    found, truth = draw_many(rng, 80, skill=1.2)
    cuts = np.array([0.4, 0.4])
    outcome = quality.outcomes([kept(image, cuts) for image in found], truth, 2)
    certainty = Certainty.fit(found, quality.image_quality(outcome), outcome.boxes.sum(axis=1), cuts)
    fresh, fresh_truth = draw_many(rng, 400, skill=1.2)
    predicted = certainty.predict(fresh)
    real = quality.image_quality(quality.outcomes([kept(image, cuts) for image in fresh], fresh_truth, 2))
    assert np.corrcoef(predicted, real)[0, 1] > 0.4
    surest = predicted >= np.quantile(predicted, 0.75)
    assert real[surest].mean() > real[~surest].mean() + 0.15
    assert Certainty.from_dict(certainty.to_dict()).predict(fresh) == pytest.approx(predicted)


def test_an_image_without_boxes_is_trusted_only_as_far_as_such_images_were_right():
    cuts = np.array([0.5])
    blank, box = Detections.of([]), Detections.of([(0, 0, 0, 9, 9, 0.9)])
    images, weights = [blank] * 4 + [box] * 4, np.ones(8)
    trusted = Certainty.fit(images, np.ones(8), weights, cuts)
    assert trusted.predict([blank])[0] == pytest.approx(4 / 5)
    never_seen = Certainty.fit([box] * 4, np.ones(4), np.ones(4), cuts)
    assert never_seen.predict([blank])[0] == 0.0


def test_boxes_below_the_cut_make_an_image_less_certain():
    cuts = np.array([0.5])
    clean = Detections.of([(0, 0, 0, 9, 9, 0.9)])
    doubtful = Detections.of([(0, 0, 0, 9, 9, 0.9), (0, 50, 50, 9, 9, 0.45), (0, 90, 50, 9, 9, 0.4)])
    assert raw_certainty(doubtful, cuts) < raw_certainty(clean, cuts)
