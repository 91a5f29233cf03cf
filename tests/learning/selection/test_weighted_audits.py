"""Bounds of weighted audits hold as often as they say, whatever the doubts are worth, and need few labels where they
tell."""

import numpy as np
import pytest

from learning.selection import audits, weighted_audits
from learning.selection.quality import Outcomes

CONFIDENCE = 0.9


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(("rate", "size"), [(0.02, 60), (0.1, 40), (0.5, 25)])
def test_both_bounds_are_kept_as_often_as_they_say(told, rate, size):
    rng = np.random.default_rng([round(rate * 100), size, told])
    broken = np.zeros(2)
    for _ in range(300):
        doubts = rng.beta(rate, 1 - rate, 400)
        losses = (rng.random(400) < (doubts if told else rng.permutation(doubts))).astype(float)
        drawn = weighted_audits.draw(doubts, size, rng)
        broken[0] += weighted_audits.upper(drawn, losses, 1 - CONFIDENCE) < losses.mean()
        broken[1] += weighted_audits.lower(drawn, losses, 1 - CONFIDENCE) > losses.mean()
    # At most 10 % are allowed; 300 draws of exactly 10 % give more than 14 % with a chance of 1 in 100.
    assert (broken / 300 <= 0.14).all()


def test_losses_between_0_and_1_are_bounded_too():
    rng, kept = np.random.default_rng(3), 0
    for _ in range(200):
        doubts = rng.uniform(0, 0.4, 300)
        losses = np.clip(doubts + rng.normal(0, 0.1, 300), 0, 1)
        drawn = weighted_audits.draw(doubts, 50, rng)
        low, high = (one(drawn, losses, 0.1) for one in (weighted_audits.lower, weighted_audits.upper))
        assert low <= high
        kept += low <= losses.mean() <= high
    assert kept / 200 >= 0.8


def test_the_estimate_is_right_on_average_although_doubted_labels_are_drawn_more_often():
    rng = np.random.default_rng(5)
    doubts = np.repeat([0.001, 0.4], [900, 100])
    losses = np.repeat([0.0, 1.0, 0.0], [900, 40, 60])
    found = [weighted_audits.estimate(weighted_audits.draw(doubts, 60, rng), losses) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(0.04, abs=0.002)
    plain = np.sqrt(0.04 * 0.96 / 60)
    assert np.std(found) < 0.8 * plain


def test_an_interval_narrows_with_the_draws_and_is_everything_without_any():
    rng = np.random.default_rng(0)
    doubts, losses = np.full(500, 0.1), (rng.random(500) < 0.1).astype(float)
    few, many = (weighted_audits.draw(doubts, size, rng) for size in (20, 400))
    width = [weighted_audits.upper(one, losses, 0.1) - weighted_audits.lower(one, losses, 0.1) for one in (few, many)]
    assert width[1] < width[0]
    none = many.keep(np.zeros(500, dtype=bool))
    assert (weighted_audits.upper(none, losses, 0.1), weighted_audits.lower(none, losses, 0.1)) == (1.0, 0.0)
    assert np.isnan(weighted_audits.estimate(none, losses))


def test_fewer_labels_are_needed_only_where_the_doubts_are_unequal():
    uniform = audits.for_width(0.3, error=0.3, confidence=CONFIDENCE)
    sharp = np.repeat([0.0, 1.0], [700, 300])
    assert weighted_audits.fewest(sharp, width=0.3, confidence=CONFIDENCE, at_most=400) is not None
    assert weighted_audits.fewest(np.full(1000, 0.3), width=0.3, confidence=CONFIDENCE, at_most=uniform) is None
    assert weighted_audits.fewest(np.zeros(0), width=0.1, confidence=CONFIDENCE, at_most=10) is None


def promise(error=0.05):
    return audits.Promise(confidence=0.9, quality=0.6, error=error)


def test_an_audit_follows_the_doubts_only_where_that_asks_about_fewer_labels():
    doubts = np.random.default_rng(0).beta(0.05, 0.95, 3000)

    def planned(width, *, error=0.05, known=True):
        rng = np.random.default_rng(1)
        return audits.design(doubts, share=0.5, width=width, promise=promise(error), rng=rng, known=known)

    narrow, usual = planned(0.03), audits.size(3000, share=0.5, width=0.03, promise=promise())
    assert narrow.draws is not None and narrow.labels == len(set(narrow.draws.places.tolist())) < usual
    wide = planned(0.1)
    assert (wide.draws, wide.labels) == (None, audits.size(3000, share=0.5, width=0.1, promise=promise()))
    # A mean quality is estimated from labels that are all as likely, and so is an error without any scores.
    assert planned(0.03, error=None).draws is None is planned(0.03, known=False).draws


def test_the_figures_of_an_audit_that_follows_the_doubts_are_of_all_labels():
    rng = np.random.default_rng(2)
    doubts = np.repeat([0.01, 0.5], [800, 200])
    losses = (rng.random(1000) < doubts).astype(float)
    drawn = weighted_audits.draw(doubts, 500, rng)
    kept, places = np.unique(drawn.places, return_inverse=True)
    rounds = np.where(kept < 800, 1, 2)
    outcomes = Outcomes(1 - losses[kept, None], np.ones((len(kept), 1)))
    draws = weighted_audits.Draws(places, drawn.weights, drawn.most)
    found = audits.figures(audits.Sample(losses[kept], outcomes, rounds, draws), promise())
    assert found["answered"] == len(kept) and found["wrong"] == losses[kept].sum()
    assert found["error_low"] < losses.mean() < found["error_high"]
    assert found["error"] == pytest.approx(losses.mean(), abs=0.03) and found["quality"] is None
    assert (found["broken"], found["rounds"]) == (True, [2])


@pytest.mark.parametrize("doubts", [[], [-0.1], [1.2]])
def test_what_is_no_doubt_is_refused(doubts):
    with pytest.raises(ValueError, match="from 0 to 1"):
        weighted_audits.draw(np.array(doubts, dtype=float), 1, np.random.default_rng(0))
