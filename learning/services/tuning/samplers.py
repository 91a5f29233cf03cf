"""How the next trial is chosen, by strategy. Knows Optuna's samplers; neither studies nor rows."""

from collections.abc import Mapping

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler

from learning.services.tuning import config
from learning.services.tuning.config import TuningConfig
from learning.services.tuning.gaussian import GaussianSampler


def sampler_of(asked: TuningConfig, number: int, distributions: Mapping[str, BaseDistribution]) -> BaseSampler:
    """The sampler of the trial of this number. The same seed, number and earlier trials give the same values."""
    if asked.strategy == config.GRID:
        # Its seed is the order of the grid, which has to be the same for all trials.
        return GridSampler({one.name: list(one.values or ()) for one in asked.searched}, seed=asked.seed)
    seed = int(np.random.SeedSequence([asked.seed, number]).generate_state(1)[0])
    if asked.strategy == config.RANDOM:
        return RandomSampler(seed=seed)
    if asked.strategy == config.HYPERBAND:
        # It knows what to make of trials that were given up at different epochs.
        return TPESampler(seed=seed, multivariate=True)
    return GaussianSampler(distributions, seed=seed, maximize=asked.maximizes)
