"""The Bayesian search: a Gaussian process of the objective, and the point where most improvement is to be expected.

As SageMaker's Bayesian strategy; Optuna's own sampler of this kind needs torch, which our queue does without. Knows
Optuna's studies; neither rows nor strategies.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

Params = dict[str, Any]
Floats = NDArray[np.float64]
STARTUP = 5
"""Trials at random before the process is asked."""
MOST_TRIALS = 300
"""The time for a fit grows with the cube of the trials; of more, the newest ones and the best are used."""
ANYWHERE, NEARBY, TOP = 1024, 256, 3
"""Candidates: so many anywhere, and so many around each of the best trials."""
BAD = -2.0
"""Standard deviations below the median at which all objectives are alike: how bad a bad one is says nothing of good
ones."""
APART = 0.7
"""The distance along its axis of a category from the others, in units of a whole range."""
OTHER_CATEGORY, MOVED = 0.15, 0.7
"""For a candidate nearby: how likely a category changes, and a number."""
NEAREST, FARTHEST = -2.2, -0.7
"""Powers of ten of a range: how far candidates nearby move."""


class GaussianSampler(BaseSampler):
    """Suggests where the expected improvement is largest. The same seed and trials give the same suggestion."""

    def __init__(self, distributions: Mapping[str, BaseDistribution], *, seed: int, maximize: bool):
        self._distributions, self._seed, self._sign = dict(distributions), seed, 1.0 if maximize else -1.0
        self._random = RandomSampler(seed=seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """See BaseSampler: everything, as soon as there are trials enough."""
        return self._distributions if len(_done(study)) >= STARTUP else {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """See BaseSampler."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> Params:
        """See BaseSampler."""
        if not search_space:
            return {}
        best_first = sorted(_done(study), key=lambda one: -self._sign * _value(one))
        used = best_first
        if len(used) > MOST_TRIALS:
            newest = sorted(best_first[TOP:], key=lambda one: -one.number)
            used = best_first[:TOP] + newest[: MOST_TRIALS - TOP]
        running = [one for one in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)) if one.params]
        running = [one for one in running if search_space.keys() <= one.params.keys()]
        rng = np.random.default_rng(self._seed)
        candidates = _anywhere(search_space, rng, ANYWHERE)
        for one in best_first[:TOP]:
            candidates += _nearby(search_space, rng, one.params, NEARBY)
        gain = _expected_improvement(
            np.array([self._sign * _value(one) for one in used]),
            _encoded(search_space, [one.params for one in used]),
            _encoded(search_space, [one.params for one in running]),
            _encoded(search_space, candidates),
        )
        return candidates[int(np.argmax(gain))]


def _done(study: Study) -> list[FrozenTrial]:
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return [one for one in trials if one.values]


def _value(trial: FrozenTrial) -> float:
    return float(trial.values[0])


def _expected_improvement(values: Floats, points: Floats, running: Floats, candidates: Floats) -> Floats:
    """Of each candidate, over the best that is believed of the points; larger values are better.

    Trials that are running are taken to reach what the process expects of them, so that the next one looks elsewhere.
    """
    spread = values.std() or 1.0
    scaled = np.clip((values - np.median(values)) / spread, BAD, None)
    kernel = ConstantKernel(1.0, (0.05, 20.0)) * Matern(
        length_scale=np.full(points.shape[1], 0.5), length_scale_bounds=(0.05, 5.0), nu=2.5
    ) + WhiteKernel(0.01, (1e-5, 0.3))
    process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
    with warnings.catch_warnings():
        # A length scale at its bound is a hyperparameter that does not matter, or all that does.
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(points, scaled)
    if len(running):
        believed = process.predict(running)
        process = GaussianProcessRegressor(process.kernel_, optimizer=None, normalize_y=True)
        points, scaled = np.vstack([points, running]), np.concatenate([scaled, believed])
        process.fit(points, scaled)
    best = process.predict(points).max()
    mean, deviation = process.predict(candidates, return_std=True)
    deviation = np.maximum(deviation, 1e-9)
    far = (mean - best) / deviation
    gain: Floats = (mean - best) * norm.cdf(far) + deviation * norm.pdf(far)
    return gain


def _encoded(space: Mapping[str, BaseDistribution], rows: Sequence[Params]) -> Floats:
    """One row for each of `rows`: numbers between 0 and 1 on their scale, categories one column each."""
    columns: list[list[float]] = []
    for name, given in space.items():
        if isinstance(given, CategoricalDistribution):
            columns += [[APART * (row[name] == choice) for row in rows] for choice in given.choices]
        else:
            low, high = _ends(given)
            columns.append([(_scaled(given, row[name]) - low) / ((high - low) or 1.0) for row in rows])
    return np.array(columns, dtype=np.float64).reshape(len(columns), len(rows)).T


def _ends(given: Any) -> tuple[float, float]:
    return _scaled(given, given.low), _scaled(given, given.high)


def _scaled(given: Any, value: float) -> float:
    return math.log(value) if given.log else float(value)


def _unscaled(given: FloatDistribution | IntDistribution, scaled: float) -> float | int:
    value = math.exp(scaled) if given.log else scaled
    value = min(max(value, given.low), given.high)
    return round(value) if isinstance(given, IntDistribution) else value


def _anywhere(space: Mapping[str, BaseDistribution], rng: np.random.Generator, count: int) -> list[Params]:
    def one(given: Any) -> Any:
        if isinstance(given, CategoricalDistribution):
            return given.choices[rng.integers(len(given.choices))]
        return _unscaled(given, rng.uniform(*_ends(given)))

    return [{name: one(given) for name, given in space.items()} for _ in range(count)]


def _nearby(
    space: Mapping[str, BaseDistribution], rng: np.random.Generator, around: Params, count: int
) -> list[Params]:
    def one(given: Any, value: Any, step: float) -> Any:
        if isinstance(given, CategoricalDistribution):
            changes = rng.random() < OTHER_CATEGORY
            return given.choices[rng.integers(len(given.choices))] if changes else value
        low, high = _ends(given)
        moved = rng.normal() * step * (high - low) if rng.random() < MOVED else 0.0
        return _unscaled(given, _scaled(given, value) + moved)

    steps = 10 ** rng.uniform(NEAREST, FARTHEST, size=count)
    return [{name: one(given, around[name], step) for name, given in space.items()} for step in steps]
