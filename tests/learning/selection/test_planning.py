"""Plans: as many images for calibration as make the whole cheapest, and none where automation will not pay."""

import numpy as np
import pytest

from learning.selection import bounds
from learning.selection.planning import (
    USUAL_EXPONENT,
    Curve,
    ErrorRate,
    MeanLoss,
    State,
    expected_share,
    exponent,
    plan,
)

FIVE_PERCENT = ErrorRate(0.05, 0.05)
STATE = State(learned=100, calibration=40, pool=1000, batch=100, most_calibration=50, rounds=8, exponent=USUAL_EXPONENT)


def a_curve(images, wrong_from, *, informative=True, seed=0):
    """Labels that are right above the share `wrong_from` of the surest, and wrong below."""
    rng = np.random.default_rng(seed)
    scores = np.sort(rng.uniform(size=images))[::-1]
    losses = (np.arange(images) >= wrong_from * images).astype(float)
    return Curve.of(scores if informative else rng.permutation(scores), losses)


def changed(**changes):
    return State(**{name: getattr(STATE, name) for name in State.__dataclass_fields__} | changes)


def test_the_chance_to_pass_the_exact_test_is_what_simulation_finds():
    rng = np.random.default_rng(5)
    for images, risk in ((40, 0.01), (59, 0.01), (100, 0.01), (200, 0.02), (500, 0.03)):
        draws = rng.binomial(images, risk, 4000)
        passed = np.mean([bounds.binomial_p(int(wrong), images, 0.05) <= 0.05 for wrong in draws])
        found = FIVE_PERCENT.chance(np.array([float(images)]), np.array([risk]), np.zeros(1))[0]
        assert found == pytest.approx(passed, abs=0.03)
    assert bounds.least_clean(0.05, 0.05) == 59
    clean = [FIVE_PERCENT.chance(np.array([float(n)]), np.zeros(1), np.zeros(1))[0] for n in (58, 59)]
    assert clean == [0, 1]


def test_the_chance_to_pass_the_test_of_a_mean_grows_with_images_and_falls_with_the_loss():
    test, spread = MeanLoss(0.4, 0.9), np.full(3, 0.2)
    few_to_many = test.chance(np.array([7.0, 10.0, 100.0]), np.full(3, 0.3), spread)
    assert few_to_many[0] == 0
    assert 0 < few_to_many[1] < few_to_many[2]
    good_to_bad = test.chance(np.full(3, 40.0), np.array([0.1, 0.35, 0.6]), spread)
    assert good_to_bad[0] > 0.99 > good_to_bad[1] > 0.05 > good_to_bad[2]


def test_few_right_images_are_no_proof():
    assert Curve.of(np.array([0.9, 0.8, 0.7]), np.zeros(3)).risk.tolist() == [0.25, 0.5 / 3, 0.125]
    assert expected_share(Curve.of(np.zeros(0), np.zeros(0)), FIVE_PERCENT, 100) == 0
    many, few = a_curve(400, 0.8), a_curve(20, 0.8)
    assert expected_share(few, FIVE_PERCENT, 400) < expected_share(many, FIVE_PERCENT, 400)
    assert 0.6 < expected_share(many, FIVE_PERCENT, 400) <= 0.82


def test_calibration_images_are_bought_as_far_as_they_pay():
    good = plan(STATE, a_curve(200, 0.9), [FIVE_PERCENT], least_saving=0.02)
    assert good.pays
    assert good.calibration > 0
    assert good.saving > 0.5 * STATE.pool
    # With enough of them already, all further images are better learned from.
    enough = plan(changed(calibration=2000), a_curve(2000, 0.9), [FIVE_PERCENT], least_saving=0.02)
    assert (enough.pays, enough.calibration, enough.rounds) == (True, 0, 1)
    # Nowhere else is anything cheaper: the plan is the best of all that could be made.
    for aside in (0, 10, 25, 50):
        alone = plan(changed(most_calibration=aside), a_curve(200, 0.9), [FIVE_PERCENT], least_saving=0.02)
        assert alone.saving <= good.saving + 1e-9


def test_a_machine_that_is_always_wrong_gets_no_further_image():
    hopeless = plan(STATE, a_curve(40, 0.0), [FIVE_PERCENT], least_saving=0.02)
    assert (hopeless.pays, hopeless.calibration) == (False, 0)
    # Nor does one whose certainty says nothing and which is too often wrong.
    blind = plan(changed(calibration=200), a_curve(200, 0.5, informative=False), [FIVE_PERCENT], least_saving=0.02)
    assert not blind.pays


def test_a_pool_that_is_too_small_for_the_proof_does_not_pay():
    # 59 right images are the least that proves 5 %: of 60 images nothing would be left to label.
    small = changed(calibration=12, pool=48, batch=12, most_calibration=12)
    assert not plan(small, a_curve(12, 1.0), [FIVE_PERCENT], least_saving=0.02).pays
    easier = plan(changed(calibration=12, pool=400, batch=40), a_curve(12, 1.0), [ErrorRate(0.2, 0.05)], least_saving=0)
    assert easier.pays


def test_what_the_rounds_have_taught_moves_the_exponent():
    assert exponent([]) == exponent([(100, 0.5)]) == USUAL_EXPONENT
    assert exponent([(100, 0.5), (200, 0.5), (400, 0.5)]) < USUAL_EXPONENT / 2
    assert exponent([(100, 0.5), (200, 0.25), (400, 0.125)]) > 0.7
    assert exponent([(100, 0.2), (400, 0.9)]) == 0
    curve = a_curve(60, 0.45, seed=2)
    learning = plan(changed(exponent=1.0), curve, [ErrorRate(0.15, 0.05)], least_saving=0.02)
    stuck = plan(changed(exponent=0.0), curve, [ErrorRate(0.15, 0.05)], least_saving=0.02)
    assert learning.saving > stuck.saving


def test_tests_that_become_stricter_make_later_rounds_worth_less():
    later = [ErrorRate(0.05, bounds.spent(0.05, test)) for test in range(2, 10)]
    same, spent = (plan(STATE, a_curve(200, 0.9), tests, least_saving=0.02) for tests in ([FIVE_PERCENT], later))
    assert spent.saving < same.saving


def test_nothing_known_asks_for_evidence_and_no_round_left_for_none():
    nothing = Curve.of(np.zeros(0), np.zeros(0))
    asked = plan(changed(calibration=0), nothing, [FIVE_PERCENT], least_saving=0.02)
    assert (asked.rounds, asked.calibration, asked.pays) == (1, 50, True)
    over = plan(changed(rounds=0), a_curve(200, 0.9), [FIVE_PERCENT], least_saving=0.02)
    assert (over.rounds, over.pays) == (0, False)
    with pytest.raises(ValueError, match="needs the test"):
        plan(STATE, nothing, [], least_saving=0.02)
