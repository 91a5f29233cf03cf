"""Forecasts of job designs: what more answers, a better crowd, a price and a seed do to them."""

from dataclasses import astuple, replace

import pytest

from labeling import task_types
from labeling.forecast.crowds import Crowd, assumed
from labeling.forecast.forecasting import Design, Forecast, forecast
from labeling.forecast.simulated_job import Redundancy
from labeling.simulation.base import CAREFUL, CARELESS, MIXED, SPAMMED
from labeling.simulation.boxes import BoxRates
from labeling.simulation.votes import VoteRates

BOXES, CHOICES = "BoundingBox", "ImageMultiClass"
PRICE, FEE = 36_000, 7_200


def a_design(kind: str = CHOICES, *, most: int = 3, objects: int = 200, **changes) -> Design:
    design = Design(task_types.get(kind), ("bee", "wasp"), objects, Redundancy(most), PRICE, FEE)
    return replace(design, **changes)


def a_crowd(name: str = MIXED, kind: str = CHOICES, *, workers: int = 10) -> Crowd:
    return assumed(task_types.get(kind).simulation, name, workers=workers, seconds=10)


def quality(found: Forecast) -> float:
    return next(iter(found.outcome.quality.values())).expected


def ordered(found: Forecast) -> bool:
    """Whether every interval holds what is expected, and shares are shares."""
    outcomes = (found.outcome, *found.others)
    every = [i for o in outcomes for i in (*o.quality.values(), o.answers, o.cost, o.duration, o.hourly)]
    shares = [value for o in outcomes for i in o.quality.values() for value in astuple(i)]
    return all(i.low <= i.expected <= i.high for i in every) and all(0 <= value <= 1 for value in shares)


@pytest.mark.parametrize("kind", [BOXES, CHOICES])
def test_the_same_seed_gives_the_same_numbers_and_another_one_others(kind):
    design, crowd = a_design(kind, objects=30), a_crowd(kind=kind)
    assert forecast(design, crowd, seed=4) == forecast(design, crowd, seed=4) != forecast(design, crowd, seed=5)


@pytest.mark.parametrize("kind", [BOXES, CHOICES])
def test_more_answers_do_not_lower_the_quality_and_cost_more(kind):
    tried = [Redundancy(1), Redundancy(3), Redundancy(5), Redundancy(5, 2, 0.9)]
    found = forecast(a_design(kind), a_crowd(kind=kind), others=tried)
    one, three, five, dynamic = (next(iter(o.quality.values())).expected for o in found.others)
    assert one < three <= five + 0.01
    assert one < dynamic <= five + 0.02
    assert [o.cost.expected for o in found.others[:3]] == [n * 200 * (PRICE + FEE) for n in (1, 3, 5)]
    answers = found.others[3].answers
    assert 2 <= answers.low <= answers.expected <= answers.high <= 5 and answers.expected < 5
    assert ordered(found)


def test_the_answers_of_a_fixed_redundancy_are_certain_and_limited_by_the_crowd():
    found = forecast(a_design(most=5), a_crowd(workers=3))
    assert astuple(found.outcome.answers) == (3, 3, 3)
    assert set(astuple(found.outcome.cost)) == {3 * 200 * (PRICE + FEE)}


def test_the_price_scales_cost_and_pay_and_nothing_else():
    design, crowd = a_design(), a_crowd()
    once = forecast(design, crowd).outcome
    twice = forecast(replace(design, price_micros=2 * PRICE, fee_micros=2 * FEE), crowd).outcome
    assert twice.cost == once.cost.scaled(2) and astuple(twice.hourly) == pytest.approx(astuple(once.hourly.scaled(2)))
    assert (twice.quality, twice.duration) == (once.quality, once.duration)
    assert forecast(replace(design, price_micros=0, fee_micros=0), crowd).outcome.hourly.high == 0


@pytest.mark.parametrize("kind", [BOXES, CHOICES])
def test_better_crowds_give_better_labels(kind):
    careful, mixed, careless, spammed = (
        quality(forecast(a_design(kind), a_crowd(name, kind))) for name in (CAREFUL, MIXED, CARELESS, SPAMMED)
    )
    assert careful > mixed > max(careless, spammed)


def test_a_perfect_crowd_makes_perfect_labels():
    boxes = BoxRates(1.0, 0.0, 0.0, 0.0, 0.01, 0.0, 0.0, 0.0, 1.0, 0.0, difficulty=0.0, doubt=0.0)
    choices = VoteRates(1.0, 0.0, difficulty=0.0, doubt=0.0)
    for kind, rates in ((BOXES, boxes), (CHOICES, choices)):
        found = forecast(a_design(kind), Crowd(MIXED, rates, 10, 10.0))
        assert all(interval.expected > 0.98 for interval in found.outcome.quality.values()), kind


def test_few_objects_are_less_certain_than_many():
    narrow, wide = (forecast(a_design(objects=n), a_crowd()).outcome.quality["accuracy"] for n in (5_000, 25))
    assert wide.high - wide.low > narrow.high - narrow.low


def test_a_huge_job_with_a_huge_crowd_and_many_classes_is_simulated_in_part():
    labels = tuple(f"kind {number}" for number in range(500))
    found = forecast(a_design(objects=2**31 - 1, labels=labels), a_crowd(workers=2**31 - 1))
    assert found.simulated_objects <= 100 and ordered(found)
    assert found.outcome.cost.expected == 3 * (2**31 - 1) * (PRICE + FEE)


@pytest.mark.parametrize("objects", [1, 2, 19])
def test_a_tiny_job_has_a_forecast_too(objects):
    for kind in (BOXES, CHOICES):
        found = forecast(
            a_design(kind, objects=objects), a_crowd(kind=kind, workers=1), others=[Redundancy(9, 1, 0.99)]
        )
        assert ordered(found) and found.simulated_objects == objects


def test_what_cannot_be_forecast_is_refused():
    for design, crowd in (
        (a_design(objects=0), a_crowd()),
        (a_design(labels=()), a_crowd()),
        (a_design(), replace(a_crowd(), workers=0)),
    ):
        with pytest.raises(ValueError, match="at least one object, one worker and one label"):
            forecast(design, crowd)
