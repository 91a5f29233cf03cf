"""The gate before a new model and the watch after it, by injected figures."""

import random

import numpy as np
import pytest

from learning.selection import drift, gates
from learning.selection.gates import FIXED, FRESH, LOW, PASSED, WORSE


def judge(new, live, *, fresh_new=None, fresh_live=None, fresh_images=10, minimum=0.6, margin=0.02):
    return gates.judge(
        new={FIXED: new, FRESH: fresh_new},
        live={FIXED: live, FRESH: fresh_live},
        fresh_images=fresh_images,
        minimum=minimum,
        margin=margin,
    )


@pytest.mark.parametrize(
    ("figures", "outcome", "said"),
    [
        ({"new": 0.8, "live": 0.7}, PASSED, "0.800, that of the live model 0.700"),
        ({"new": 0.7, "live": 0.7}, PASSED, "0.700"),
        ({"new": 0.69, "live": 0.7}, PASSED, "0.690"),
        ({"new": 0.67, "live": 0.7}, WORSE, "worse by more than the margin of 0.02"),
        ({"new": 0.5, "live": 0.4}, LOW, "0.500, below Minimum-F1-Score 0.6"),
        ({"new": 0.5, "live": 0.55}, WORSE, "fixed test set is 0.500"),
        ({"new": None, "live": 0.5}, LOW, "not known"),
        ({"new": 0.8, "live": None}, PASSED, "unknown"),
        ({"new": 0.8, "live": 0.7, "fresh_new": 0.3, "fresh_live": 0.4}, WORSE, "fresh test set is 0.300"),
        ({"new": 0.8, "live": 0.7, "fresh_new": 0.3, "fresh_live": 0.4, "fresh_images": 4}, PASSED, "0.800"),
        (
            {"new": 0.8, "live": 0.7, "fresh_new": 0.4, "fresh_live": 0.4},
            PASSED,
            "on the fresh one 0.400 against 0.400",
        ),
    ],
)
def test_the_gate(figures, outcome, said):
    verdict = judge(**figures)
    assert verdict.outcome == outcome and said in verdict.reason


def test_a_model_that_agrees_less_with_people_is_taken_back():
    chance = random.Random(1)
    before = [chance.uniform(0.5, 1.0) for _ in range(30)]
    worse = gates.watch(before, [chance.uniform(0.0, 0.5) for _ in range(10)])
    assert worse.worse and worse.images == 10 and worse.after < worse.before and worse.p < 0.0125
    assert not gates.watch(before, before[:10]).worse
    assert not gates.watch([0.0] * 10, [1.0] * 10).worse, "better is no reason"
    with pytest.raises(ValueError):
        gates.watch([], [1.0])


def test_a_model_that_is_as_bad_as_the_one_before_is_not_to_blame():
    assert not gates.confirm([0.0] * 10, [0.0] * 10).worse
    assert not gates.confirm([0.1] * 10, [0.2] * 10).worse
    found = gates.confirm([0.9] * 10, [0.1 + n / 100 for n in range(10)])
    assert found.worse and found.images == 10
    with pytest.raises(ValueError):
        gates.confirm([0.1], [0.1, 0.2])


def test_models_that_are_no_worse_are_seldom_taken_back():
    chance = random.Random(2)
    taken = 0
    for _ in range(200):
        before = [chance.choice([0.0, chance.random()]) for _ in range(40)]
        after = [chance.choice([0.0, chance.random()]) for _ in range(gates.LOOKS[-1])]
        taken += any(gates.watch(before, after[:many]).worse for many in gates.LOOKS)
    assert taken <= 0.05 * 200 + 8


def test_the_looks_end():
    assert [gates.next_look(number) for number in range(5)] == [10, 20, 40, 80, None]


def test_a_shift_of_one_feature_is_found_and_no_other():
    rng = np.random.default_rng(0)
    reference, incoming = rng.normal(size=(80, 3)), rng.normal(size=(60, 3))
    incoming[:, 1] += 2
    found = drift.compare(reference, incoming, ["a", "b", "c"])
    assert [one.drifts for one in found] == [False, True, False]
    assert found[1].distance > 0.5 and found[1].incoming - found[1].reference > 1.5
    few = drift.compare(reference, incoming[:19], ["a", "b", "c"])
    assert not any(one.drifts for one in few)
    unknown = incoming.copy()
    unknown[:, 1] = np.nan
    assert not drift.compare(reference, unknown, ["a", "b", "c"])[1].drifts


def test_holm_multiplies_by_what_is_left():
    assert drift.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert drift.holm([0.9, 0.8]) == [1.0, 1.0]
