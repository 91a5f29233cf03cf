"""The audit of machine labels: its size, its interval, and when a promise is broken."""

import numpy as np
import pytest

from learning.selection import audits, quality
from learning.selection.audits import Promise, Sample
from learning.selection.quality import Outcomes

FIVE = Promise(confidence=0.95, quality=0.6, error=0.05)
MEAN = Promise(confidence=0.9, quality=0.6)


def a_sample(wrong, right, *, rounds=None):
    losses = np.repeat([1.0, 0.0], [wrong, right])
    outcome = np.repeat([0.2, 0.9], [wrong, right])[:, None]
    numbers = np.ones(len(losses)) if rounds is None else np.array(rounds)
    return Sample(losses, Outcomes(outcome * 3, np.full_like(outcome, 3.0)), numbers.astype(int))


def test_the_size_follows_the_price_and_the_width_wanted():
    # Small jobs: the share of what the labels save; large ones: what the interval takes, however many labels.
    assert audits.size(119, share=0.05, width=0.1, promise=FIVE) == 6
    large = audits.size(10_000, share=0.05, width=0.1, promise=FIVE)
    assert large == audits.size(100_000, share=0.05, width=0.1, promise=FIVE) < 100
    assert audits.size(100_000, share=0.05, width=0.05, promise=FIVE) > 2 * large
    assert audits.size(10_000, share=0.0, width=0.1, promise=FIVE) == 0
    assert audits.size(3, share=1.0, width=0.1, promise=FIVE) == 3


@pytest.mark.parametrize("width", [0.05, 0.1, 0.3])
def test_no_smaller_sample_has_an_interval_as_narrow(width):
    size = audits.for_width(width, error=0.05, confidence=0.9)
    found = [audits._width(n, 0.05, 0.9) for n in (size - 1, size)]
    assert found[1] <= width < found[0]


def test_a_promised_error_is_broken_only_when_the_lower_bound_lies_above_it():
    # 6 of 40 wrong: Clopper and Pearson's bounds of 95 % each.
    found = audits.figures(a_sample(6, 34), FIVE)
    assert (found["answered"], found["wrong"], found["error"]) == (40, 6, 0.15)
    assert (found["error_low"], found["error_high"]) == (
        pytest.approx(0.067, abs=0.001),
        pytest.approx(0.274, abs=0.001),
    )
    assert found["broken"]
    assert found["promised_quality"] is None
    # 4 of 40 are twice as many as promised, which may be chance.
    assert not audits.figures(a_sample(4, 36), FIVE)["broken"]


def test_a_promised_quality_is_broken_only_when_the_upper_bound_lies_below_it():
    assert audits.figures(a_sample(30, 10), MEAN)["broken"]
    found = audits.figures(a_sample(20, 20), MEAN)
    assert found["quality"] == pytest.approx(0.55)
    assert found["quality_low"] < 0.55 < found["quality_high"]
    assert not found["broken"], "below the promise, but not provably"


def test_without_answers_nothing_is_known_and_nothing_broken():
    found = audits.figures(a_sample(0, 0), FIVE)
    assert (found["answered"], found["error"], found["broken"], found["rounds"]) == (0, None, False, [])


def test_rounds_that_are_worse_than_promised_are_concerned_and_those_nobody_looked_at():
    found = audits.figures(a_sample(10, 20, rounds=[1] * 10 + [2] * 20), FIVE)
    assert found["rounds"] == [1]
    assert audits.withdrawn_rounds(found, [1, 2], [1, 2, 4]) == [1, 4]
    kept = audits.figures(a_sample(0, 20), FIVE)
    assert audits.withdrawn_rounds(kept, [1], [1, 4]) == []


@pytest.mark.parametrize(("promise", "images"), [(FIVE, 20), (FIVE, 60), (MEAN, 6), (MEAN, 20), (MEAN, 60)])
def test_a_promise_that_is_just_kept_is_seldom_taken_for_a_broken_one(promise, images):
    rng, broken, draws = np.random.default_rng(images), 0, 600
    for _ in range(draws):
        wrong = rng.random(images) < 0.05
        # Image qualities whose mean is the promised 0.6, all or nothing in part of them.
        iou = np.where(rng.random(images) < 0.25, 0.0, 0.8)[:, None]
        boxes = rng.integers(1, 5, images)[:, None].astype(float)
        sample = Sample(wrong.astype(float), Outcomes(iou * boxes, boxes), np.ones(images, dtype=int))
        broken += audits.figures(sample, promise)["broken"]
    assert broken / draws <= 1 - promise.confidence + 3 * np.sqrt(0.09 / draws)


def test_the_upper_bound_mirrors_the_lower_one():
    iou = np.random.default_rng(3).random((30, 1))
    mine = quality.upper_bound(Outcomes(iou, np.ones((30, 1))), 0.9)
    assert mine == pytest.approx(1 - quality.lower_bound(Outcomes(1 - iou, np.ones((30, 1))), 0.9))
