"""What a tuning job may be asked for: SageMaker's rules, each refusal naming what is wrong and where."""

import pytest

from learning.services.tuning import config, ranges, rules
from learning.services.tuning.config import TuningConfig
from marketplace.errors import Invalid
from tests.learning.tuning.test_studies import BATCH, MOMENTUM, OPTIMIZER, RANGES, RATE, asked


def test_what_is_left_out_has_a_default_and_everything_comes_back_from_the_database():
    given = asked(limits={"max_parallel_jobs": 3, "max_runtime_seconds": 600}, completion={"max_jobs_not_improving": 5})
    assert (given.max_jobs, given.max_parallel, given.max_seconds) == (20, 3, 600)
    assert (given.early_stopping, given.not_improving, given.converge) == ("Off", 5, False)
    assert [one.scaling for one in given.searched] == ["Logarithmic", "Linear", "ReverseLogarithmic", None]
    assert TuningConfig.load(given.stored()) == given
    assert asked(random_seed=None).seed in config.SEED


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"strategy": "Genetic"}, "strategy", "one of Bayesian, Random, Grid, Hyperband"),
        ({"objective": {"type": "Largest", "metric_name": "m"}}, "objective.type", "Maximize"),
        ({"objective": {"type": "Minimize", "metric_name": " "}}, "objective.metric_name", "metric"),
        ({"limits": {"max_jobs": 0}}, "limits.max_jobs", "1 to 750"),
        ({"limits": {"max_jobs": True}}, "limits.max_jobs", "whole number"),
        ({"limits": {"max_parallel_jobs": 101}}, "limits.max_parallel_jobs", "1 to 100"),
        ({"limits": {"max_runtime_seconds": 119}}, "limits.max_runtime_seconds", "120"),
        ({"early_stopping": "On"}, "early_stopping", "Off, Auto"),
        ({"strategy": "Hyperband", "early_stopping": "Auto"}, "early_stopping", "must be Off"),
        ({"hyperband": {"max_resource": 9}}, "hyperband", "Hyperband"),
        ({"strategy": "Hyperband", "hyperband": {"min_resource": 9, "max_resource": 9}}, "hyperband", "not below"),
        ({"strategy": "Grid"}, "ranges.0.type", "Categorical ranges only"),
        ({"strategy": "Grid", "searched": [OPTIMIZER], "limits": {"max_jobs": 3}}, "limits.max_jobs", "2 combinations"),
        ({"completion": {"max_jobs_not_improving": 2}}, "completion.max_jobs_not_improving", "3"),
        ({"completion": {"target_objective_value": float("nan")}}, "completion.target_objective_value", "number"),
        ({"random_seed": -1}, "random_seed", "0"),
        ({"warm_start": {"type": "Warm", "parents": ["a"]}}, "warm_start.type", "IdenticalDataAndAlgorithm"),
        ({"warm_start": {"type": "TransferLearning", "parents": []}}, "warm_start.parents", "1 to 5"),
        ({"warm_start": {"type": "TransferLearning", "parents": ["a", "a"]}}, "warm_start.parents", "different"),
        ({"searched": []}, "ranges", "1 to 30"),
        ({"searched": [RATE, RATE]}, "ranges.1.name", "two ranges"),
        ({"searched": [RATE | {"type": "Free"}]}, "ranges.0.type", "Continuous, Integer, Categorical"),
        ({"searched": [RATE | {"min_value": "a"}]}, "ranges.0.min_value", "a number"),
        ({"searched": [RATE | {"max_value": "1e999"}]}, "ranges.0.max_value", "a number"),
        ({"searched": [RATE | {"min_value": 0.1}]}, "ranges.0", "not below"),
        ({"searched": [RATE | {"values": ["1"]}]}, "ranges.0.values", "has no values"),
        ({"searched": [BATCH | {"max_value": 2.5}]}, "ranges.0.max_value", "whole number"),
        ({"searched": [MOMENTUM | {"scaling_type": "Logarithmic"}]}, "ranges.0.scaling_type", "above 0"),
        ({"searched": [BATCH | {"scaling_type": "ReverseLogarithmic"}]}, "ranges.0.scaling_type", "0 <= x < 1"),
        ({"searched": [RATE | {"scaling_type": "Cubic"}]}, "ranges.0.scaling_type", "Auto"),
        ({"searched": [OPTIMIZER | {"values": []}]}, "ranges.0.values", "1 to 30"),
        ({"searched": [OPTIMIZER | {"values": ["sgd", "sgd"]}]}, "ranges.0.values", "twice"),
        ({"searched": [OPTIMIZER | {"values": [1]}]}, "ranges.0.values", "a text"),
    ],
)
def test_what_sagemaker_refuses_is_refused(changes, field, said):
    with pytest.raises(Invalid, match=said) as refused:
        asked(**changes)
    assert refused.value.field == field


def test_values_are_written_and_read_as_text():
    rate, batch, _, optimizer = ranges.read(RANGES)
    assert (rate.text(0.012345678901234), batch.text(8.0), optimizer.text("sgd")) == ("0.0123456789012", "8", "sgd")
    assert (rate.number("0.01"), rate.number("1"), batch.number("8"), batch.number("8.5")) == (0.01, None, 8, None)
    assert (optimizer.number("adam"), optimizer.number("lion"), rate.number("nan")) == ("adam", None, None)


def test_the_median_rule_compares_with_averages_up_to_the_same_epoch():
    earlier = [[(1.0, 0.1 * n), (2.0, 0.2 * n), (3.0, 0.9)] for n in range(1, 6)]
    # At epoch 2 the averages are 0.15 .. 0.75, their median 0.45.
    assert rules.falls_behind([(1.0, 0.9), (2.0, 0.44)], earlier, maximize=True)
    assert not rules.falls_behind([(1.0, 0.1), (2.0, 0.46)], earlier, maximize=True)
    assert rules.falls_behind([(2.0, 0.46)], earlier, maximize=False)
    # Nobody else has come as far, and too few have.
    assert not rules.falls_behind([(4.0, 0.0)], earlier, maximize=True)
    assert not rules.falls_behind([(2.0, 0.0)], earlier[:3], maximize=True)
    assert not rules.falls_behind([], earlier, maximize=True)


def test_the_search_ends_when_nothing_gets_better():
    values = [0.1, 0.5, 0.9, 0.2, 0.3]
    assert rules.since_best(values, maximize=True) == 2
    assert rules.since_best(values, maximize=False) == 4
    assert rules.since_best([], maximize=True) == 0
    flat = [0.1 * n for n in range(10)] + [0.9, 0.5] * 5
    assert rules.has_converged(flat, searched=2, maximize=True)
    assert not rules.has_converged([*flat[:-1], 1.2], searched=2, maximize=True)
    assert not rules.has_converged(flat[1:], searched=2, maximize=True)
    assert not rules.has_converged(flat, searched=4, maximize=True)
    assert rules.has_converged([-value for value in flat], searched=2, maximize=False)
