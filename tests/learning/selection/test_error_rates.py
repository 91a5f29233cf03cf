"""The promised share of wrong labels is kept by whole jobs, and labels are given where it can be kept."""

from dataclasses import replace

import numpy as np
import pytest

from learning.selection import error_rates, losses, trust
from learning.selection.candidates import SureCandidates, masks, one_class, several_classes
from learning.selection.error_rates import Earlier, Evidence, Pool
from learning.selection.fusion import fused
from learning.selection.quality import Detections, Outcomes
from learning.selection.trust import Trust
from learning.selection.uncertainty import Certainty, kept, raw_certainty
from learning.selection.views import Views
from tests.learning.selection.scenes import draw_many, looked_at_twice

TARGET = 0.1


def draw(rng, count, *, base=3.0, informative=True):
    """(raw sureness, losses) of so many labels; most are right, and the sureness tells which ones are likely not."""
    odds = rng.normal(base, 2, count)
    noise = rng.normal(0, 0.7, count)
    wrong = rng.random(count) > 1 / (1 + np.exp(-odds))
    told = odds if informative else rng.normal(base, 2, count)
    return 1 / (1 + np.exp(-(told + noise))), wrong.astype(np.float64)


def candidates(raw, lost):
    return trust.TrustedLabels(SureCandidates(raw, Outcomes(1 - lost[:, None], np.ones((len(raw), 1)))), lost)


def pool(raw):
    return Pool(lambda rule: rule.predict(raw), len(raw))


def job(seed, *, images=150, unseen=300, rounds=1, target=TARGET, **made):
    """(realised error of all machine labels, their share of the pool) of one job of some rounds."""
    rng, earlier, given, test = np.random.default_rng(seed), Earlier(), [], 1
    raw, lost = draw(rng, images, **made)
    left, wrong = draw(rng, unseen, **made)
    for _ in range(rounds):
        found = error_rates.decide(
            candidates(raw, lost), target_error=target, test=test, earlier=earlier, pool=pool(left)
        )
        test += found.tested
        if found.threshold is not None:
            passed = found.certainty.predict(left) >= found.threshold
            given += wrong[passed].tolist()
            earlier = Earlier(
                np.concatenate([earlier.losses, found.losses[found.passed]]),
                np.concatenate([earlier.scores, found.scores[found.passed]]),
                len(given),
            )
            raw, lost, left, wrong = raw[~found.passed], lost[~found.passed], left[~passed], wrong[~passed]
        # The next model knows better: a part of what was wrong is right now, and its scores are new.
        for scores, wrongs in ((raw, lost), (left, wrong)):
            wrongs *= rng.random(len(wrongs)) > 0.3
            scores[:] = 1 / (1 + np.exp(-rng.normal(np.where(wrongs > 0, 1.0, 3.5), 1.0)))
    return (float(np.mean(given)) if given else 0.0), len(given) / unseen


def test_the_promise_is_kept_by_the_labels_given_and_most_of_what_could_be_labeled_is():
    found = [job(seed) for seed in range(80)]
    assert np.mean([error > TARGET for error, _ in found]) <= 0.05
    assert np.mean([share for _, share in found]) > 0.3


def test_the_promise_is_kept_over_all_rounds_of_a_job():
    found = [job(seed, images=120, unseen=250, rounds=3, base=2.0) for seed in range(40)]
    assert np.mean([error > TARGET for error, _ in found]) <= 0.05
    assert np.mean([share for _, share in found]) > 0.2


def test_the_promise_is_kept_where_scores_mean_nothing_and_the_risk_is_just_above_the_target():
    # 12 % of these labels are wrong whatever the score.
    found = [job(seed, images=120, unseen=200, informative=False, base=3.0) for seed in range(60)]
    assert np.mean([error > TARGET for error, _ in found]) <= 0.05


def test_few_images_prove_nothing_spend_nothing_and_say_how_many_it_takes():
    found = error_rates.decide(candidates(np.linspace(0.9, 0.99, 50), np.zeros(50)), target_error=0.05)
    assert (found.threshold, found.tested, found.needed, found.risk_upper) == (None, False, 65, None)
    assert len(found.curve) > 10
    none = error_rates.decide(candidates(np.zeros(0), np.zeros(0)), target_error=0.05)
    assert none.threshold is None
    assert none.curve == []


def test_a_hopeless_round_is_not_tested():
    rng = np.random.default_rng(0)
    lost = (rng.random(150) < 0.5).astype(np.float64)
    found = error_rates.decide(candidates(rng.random(150), lost), target_error=0.05)
    assert (found.threshold, found.tested, found.needed) == (None, False, None)


def test_the_chosen_cut_off_is_marked_in_the_curve_with_its_bound():
    raw, lost = draw(np.random.default_rng(3), 300, base=4.0)
    found = error_rates.decide(
        candidates(raw, lost), target_error=TARGET, pool=pool(draw(np.random.default_rng(4), 500)[0])
    )
    (chosen,) = [entry for entry in found.curve if entry["chosen"]]
    assert chosen["threshold"] == pytest.approx(found.threshold, abs=1e-6)
    assert chosen["upper"] == pytest.approx(found.risk_upper, abs=1e-6)
    assert found.risk <= found.risk_upper <= TARGET
    assert all(entry["risk"] <= entry["upper"] for entry in found.curve)
    assert [entry["coverage"] for entry in found.curve] == sorted(entry["coverage"] for entry in found.curve)


def test_labels_of_earlier_rounds_count():
    raw, lost = np.linspace(0.95, 0.999, 60), np.zeros(60)
    assert error_rates.decide(candidates(raw, lost), target_error=0.05).threshold is None
    good = Earlier(np.zeros(80), np.full(80, 0.99), 200)
    bad = Earlier(np.repeat([1.0, 0.0], [20, 60]), np.full(80, 0.99), 200)
    decided = [
        error_rates.decide(candidates(raw, lost), target_error=0.05, test=2, earlier=one, pool=pool(raw))
        for one in (good, bad)
    ]
    assert decided[0].threshold is not None
    assert decided[1].threshold is None


def test_the_tests_begin_where_most_labels_are_to_be_expected():
    """Of a thousand checked images, the surest tenth proves most easily, but nearly all of them can be proved."""
    scores = np.linspace(0.999, 0.96, 1000)
    order, thresholds = np.arange(1000), scores
    evidence = Evidence(-scores, order, scores, np.zeros(1000), Earlier(), 0.05, 1.0, 0.0375, thresholds, None)
    sizes = [100, 900, 990]
    assert evidence.start(sizes, 0) > 0
    assert evidence.start([100, 900], 0) == evidence.start([100, 900], 0) == 1
    doubtful = replace(evidence, scores=np.concatenate([np.full(200, 0.999), np.full(800, 0.5)]))
    assert doubtful.start([200, 900], 0) == 0


def test_doubt_about_peoples_labels_labels_less():
    raw, lost = draw(np.random.default_rng(3), 300, base=4.0)
    sure, doubtful = (
        error_rates.decide(candidates(raw, lost), target_error=TARGET, doubt=np.full(300, doubt))
        for doubt in (0.0, 0.4)
    )
    assert 0 < doubtful.coverage < sure.coverage
    assert doubtful.risk < doubtful.risk_upper <= TARGET


def test_boxes_are_trusted_image_by_image_and_the_rule_comes_back_from_json():
    rng = np.random.default_rng(0)
    found, truth = draw_many(rng, 280, skill=2.2)
    found = looked_at_twice(rng, found, truth)
    known = trust.boxes(found, truth, classes=2, kind="objects")
    decision = error_rates.decide(known, target_error=0.15)
    rule = decision.certainty
    assert rule.slopes is not None
    assert Trust.from_dict(rule.to_dict()).predict(found) == pytest.approx(rule.predict(found))
    fresh, fresh_truth = draw_many(rng, 300, skill=2.2)
    fresh = looked_at_twice(rng, fresh, fresh_truth)
    lost = losses.losses([kept(image, rule.cuts) for image in fresh], fresh_truth, kind="objects")
    passed = rule.predict(fresh) >= decision.threshold
    assert 0.3 < passed.mean() < 1
    assert lost[passed].mean() < min(0.15, lost[~passed].mean())


def test_boxes_of_images_that_nobody_mirrored_are_trusted_by_their_expected_quality_alone():
    found, truth = draw_many(np.random.default_rng(0), 280, skill=2.0)
    rule, _ = trust.boxes(found, truth, classes=2).fit(np.ones(280, bool))
    assert rule.slopes is None
    assert Trust.from_dict(rule.to_dict()).predict(found) == pytest.approx(rule.certainty.predict(found))


def test_images_of_which_the_second_look_says_something_else_are_trusted_less():
    rng = np.random.default_rng(4)
    found, truth = draw_many(rng, 160, skill=1.0)
    found = looked_at_twice(rng, found, truth)
    rule, _ = trust.boxes(found, truth, classes=2).fit(np.ones(160, bool))
    seen = next(one.views[0] for one in found if len(kept(one, rule.cuts).scores) == 2)
    steady, unsteady = fused(seen, seen), fused(seen, Detections.of([]))
    assert rule.predict([unsteady])[0] < rule.predict([steady])[0]


def test_signs_tell_which_boxes_a_look_confirms_and_which_the_label_leaves_out():
    cuts = np.array([0.5, 0.5])
    here = Detections.of([(0, 10, 10, 40, 40, 0.9), (1, 100, 10, 40, 40, 0.3)])
    there = Detections.of([(0, 12, 10, 40, 40, 0.7), (1, 12, 10, 40, 40, 0.2)])
    image = fused(here, there)
    assert image.scores.tolist() == pytest.approx([0.8, 0.15, 0.1])
    assert image.corners[0].tolist() == pytest.approx([10 + 2 * 0.701 / 1.602, 10, 50 + 2 * 0.701 / 1.602, 50])
    signs = Views.of([image, here]).signs(cuts)
    assert signs.raw.tolist() == pytest.approx([raw_certainty(image, cuts), raw_certainty(here, cuts)])
    assert (signs.empty.tolist(), signs.looked.tolist()) == ([False, False], [True, False])
    score, overlap, left_out, below = signs.looks[0, :4]
    assert (score, left_out, below) == (0.9, 0.3, 0.3) and 0.95 < overlap < 1
    # The second look's doubtful box lies on a kept one, so it is no object that was left out.
    assert signs.looks[0, 4:].tolist() == pytest.approx([0.7, signs.looks[0, 5], 0.0, 0.2, 0.15, 0.15])
    assert not signs.looks[1].any()


@pytest.mark.parametrize("views", [([], []), ([(0, 10, 10, 40, 40, 0.9)], [])])
def test_looks_that_find_nothing_can_be_fused(views):
    here, there = map(Detections.of, views)
    found = fused(here, there)
    assert found.scores.tolist() == [row[-1] / 2 for row in views[0]] and found.views == (here, there)
    signs = Views.of([found]).signs(np.array([0.5]))
    assert signs.empty.tolist() == [True] and signs.looks[0, :2].tolist() == [1, 1]


def test_a_box_found_twice_by_one_look_is_one_object():
    twice = Detections.of([(0, 10, 10, 40, 40, 0.9), (0, 11, 10, 40, 40, 0.4), (1, 11, 10, 40, 40, 0.3)])
    assert fused(twice, twice.keep(np.array([True, False, False]))).scores.tolist() == pytest.approx([0.9, 0.15])


def test_a_rule_of_an_earlier_version_is_refused_where_its_scores_meant_something_else():
    found, truth = draw_many(np.random.default_rng(0), 40, skill=2.0)
    stored = trust.boxes(found, truth, classes=2).fit(np.ones(40, bool))[0].certainty.to_dict()
    assert isinstance(trust.stored_rule(stored | {"trust": None}), Certainty)
    with pytest.raises(ValueError, match="earlier version"):
        trust.stored_rule(stored | {"trust": {"slopes": [1.0]}})
    with pytest.raises(ValueError, match="earlier version"):
        trust.stored_rule(stored | {"agreement": {"slopes": [1.0]}})
    assert isinstance(trust.stored_rule(stored | {"looks": None}), Trust)


def test_classes_and_masks_have_losses_too():
    one = trust.labels(one_class(np.array([[0.9, 0.1], [0.2, 0.8]]), [0, 0]), kind="image", iou=0.5)
    rule, _ = one.fit(np.ones(2, dtype=bool))
    assert one.losses(rule, np.ones(2, dtype=bool)).tolist() == [0.0, 1.0]
    found = Outcomes(np.array([[0.9, 0.4], [0.6, 0.0]]), np.array([[1.0, 1.0], [1.0, 0.0]]))
    assert losses.of_outcomes(found).tolist() == [1.0, 0.0]
    assert losses.of_outcomes(found, kind="objects").tolist() == [0.5, 0.0]
    assert losses.of_outcomes(found, iou=0.7).tolist() == [1.0, 1.0]
    several = several_classes(np.array([[0.9, 0.8], [0.9, 0.1]] * 20), np.array([[True, True], [True, False]] * 20))
    known = trust.labels(several, kind="objects", iou=0.5)
    rule, _ = known.fit(np.ones(40, dtype=bool))
    assert not known.losses(rule, np.ones(40, dtype=bool)).any()
    assert trust.labels(masks(np.ones(2), found.iou, found.boxes), kind="image", iou=0.5).lost.tolist() == [1.0, 0.0]


def test_a_target_or_confidence_out_of_range_is_refused():
    with pytest.raises(ValueError, match="target 1.5"):
        error_rates.decide(candidates(np.zeros(0), np.zeros(0)), target_error=1.5)
