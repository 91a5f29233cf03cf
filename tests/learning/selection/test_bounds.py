"""What a few checks prove: no true statement is rejected more often than stated, and bounds and tests say the same."""

import numpy as np
import pytest
from scipy.stats import binom, hypergeom

from learning.selection import bounds

LEVEL = 0.05


def losses(wrong: int, images: int) -> np.ndarray:
    return np.repeat([1.0, 0.0], [wrong, images - wrong])


@pytest.mark.parametrize("images", [1, 20, 59, 150])
@pytest.mark.parametrize("target", [0.02, 0.05, 0.3])
def test_a_risk_at_the_target_is_exactly_rejected_no_more_often_than_stated(images, target):
    wrong = np.arange(images + 1)
    rejected = [bounds.p_value(losses(k, images), target) <= LEVEL for k in wrong]
    assert binom.pmf(wrong, images, target)[rejected].sum() <= LEVEL


@pytest.mark.parametrize(
    ("images", "unseen", "target"), [(80, 40, 0.05), (70, 150, 0.05), (35, 60, 0.1), (99, 50, 0.3)]
)
def test_too_many_wrong_labels_among_the_unseen_are_overlooked_no_more_often_than_stated(images, unseen, target):
    accepts = [bounds.p_value(losses(k, images), target, unseen=unseen) <= LEVEL for k in range(images + 1)]
    worst = 0.0
    for all_wrong in range(images + unseen + 1):
        wrong = np.arange(max(0, all_wrong - unseen), min(images, all_wrong) + 1)
        chances = hypergeom.pmf(wrong, images + unseen, all_wrong, images)
        too_many = all_wrong - wrong > target * unseen + 1e-9
        worst = max(worst, chances[np.array(accepts)[wrong] & too_many].sum())
    assert 0 < worst <= LEVEL


@pytest.mark.parametrize("unseen", [None, 150])
def test_losses_between_right_and_wrong_are_rejected_no_more_often_than_stated(unseen):
    # Two thirds of the loss of a population at the target in halves: neither inequality is told of it.
    rng, target, images, broken, jobs = np.random.default_rng(3), 0.1, 80, 0, 1500
    for _ in range(jobs):
        everything = rng.choice([0.0, 0.5, 1.0], p=[0.835, 0.13, 0.035], size=images + (unseen or 0))
        seen = everything[:images]
        above = unseen is None or everything[images:].mean() > target
        broken += above and bounds.p_value(seen, target, unseen=unseen) <= LEVEL
    assert broken / jobs <= LEVEL


def test_fifty_nine_right_labels_prove_five_percent_and_fifty_eight_do_not():
    assert bounds.least_clean(0.05, 0.05) == 59
    assert bounds.p_value(losses(0, 59), 0.05) <= 0.05 < bounds.p_value(losses(0, 58), 0.05)


@pytest.mark.parametrize("sample", [losses(0, 30), losses(4, 90), np.repeat([0.0, 0.25, 0.8], [50, 9, 2])])
def test_a_bound_is_the_risk_at_which_the_test_begins_to_reject(sample):
    for unseen in (None, 120):
        top = bounds.upper(sample, LEVEL) if unseen is None else bounds.upper_unseen(sample, LEVEL, unseen)
        assert bounds.p_value(sample, min(1.0, top + 0.01), unseen=unseen) <= LEVEL
        assert bounds.p_value(sample, top - 0.01, unseen=unseen) > LEVEL
    assert bounds.lower(sample, LEVEL) <= sample.mean() <= bounds.upper(sample, LEVEL)


def test_losses_of_halves_are_bounded_less_closely_than_counted_ones_and_few_prove_nothing():
    halves = np.append(losses(0, 98), [0.5, 0.5])
    assert bounds.upper(losses(1, 100), LEVEL) < bounds.upper(halves, LEVEL) < 0.12
    assert bounds.upper(np.zeros(0), LEVEL) == bounds.upper(np.ones(9), LEVEL) == 1.0
    assert bounds.p_value(np.zeros(0), 0.5) == 1.0
    assert bounds.upper_unseen(np.zeros(0), LEVEL, 9) == 1.0


def test_a_finite_set_without_unseen_labels_needs_no_proof_and_a_large_one_is_a_population():
    assert bounds.p_value(losses(9, 9), 0.05, unseen=0) == 0.0
    assert bounds.upper_unseen(losses(9, 9), LEVEL, 0) == 0.0
    assert bounds.p_value(losses(2, 90), 0.05, unseen=10**7) == pytest.approx(
        bounds.p_value(losses(2, 90), 0.05), rel=1e-4
    )


def test_a_chain_ends_at_the_first_hypothesis_that_holds_and_several_share_the_level():
    p_values = [0.01, 0.02, 0.2, 0.001, 0.001]
    assert bounds.fixed_sequence(p_values, 0.05, [0]) == {0, 1}
    assert bounds.fixed_sequence(p_values, 0.05, [0, 3]) == {0, 1, 3, 4}
    assert bounds.fixed_sequence(p_values, 0.03, [0, 3]) == {0, 3, 4}
    assert bounds.fixed_sequence([0.2, 0.0], 0.05, [0]) == set()
    with pytest.raises(IndexError):
        p_values[5]


def test_all_tests_of_a_job_together_spend_no_more_than_there_is():
    shares = [bounds.spent(0.05, test) for test in range(1, 60)]
    assert sum(shares) == pytest.approx(0.05)
    assert [bounds.least_clean(0.05, share) for share in shares[:3]] == [65, 92, 119]
    with pytest.raises(ValueError, match="counted from 1"):
        bounds.spent(0.05, 0)


def test_doubt_about_peoples_labels_makes_the_target_stricter():
    assert bounds.target_for_doubtful_truth(0.05, np.array([0.0, 0.2])) == pytest.approx(0.045)
    assert bounds.target_for_doubtful_truth(0.05, np.zeros(0)) == 0.05


@pytest.mark.parametrize(("people", "machine"), [(0.1, 0.04), (0.3, 0.1)])
def test_with_independent_errors_the_stricter_target_proves_the_true_risk(people, machine):
    # Four classes; whoever is wrong says one of the three others.
    rng = np.random.default_rng(5)
    said = [np.where(rng.random(200_000) < rate, rng.integers(1, 4, 200_000), 0) for rate in (people, machine)]
    disagreement = (said[0] != said[1]).mean()
    assert (said[1] != 0).mean() <= disagreement / (1 - people)


def test_losses_and_shares_outside_their_range_are_refused():
    with pytest.raises(ValueError, match="0 to 1 expected"):
        bounds.p_value(np.array([0.0, 1.5]), 0.05)
    with pytest.raises(ValueError, match="-0.1 must lie"):
        bounds.upper(np.zeros(3), -0.1)


@pytest.mark.parametrize(("counted", "unseen"), [(True, None), (True, 300), (False, None), (False, 300)])
def test_the_most_that_may_be_lost_is_where_the_test_begins_not_to_reject(counted, unseen):
    most = bounds.most_lost(150, 0.05, 0.0375, unseen=unseen, counted=counted)
    step = 1 if counted else 0.002
    assert bounds.lost_p(most, 150, 0.05, unseen=unseen, counted=counted) <= 0.0375
    assert bounds.lost_p(most + step, 150, 0.05, unseen=unseen, counted=counted) > 0.0375
    assert bounds.most_lost(20, 0.05, 0.0375, unseen=unseen, counted=counted) == -1
