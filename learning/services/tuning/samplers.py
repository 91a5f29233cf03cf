"""How the next trial is chosen, by strategy. Knows Optuna's samplers; neither studies nor rows."""

import math

import numpy as np
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler

from learning.services.tuning import config
from learning.services.tuning.config import TuningConfig

STARTUP = 5
"""Trials at random before the model of the Bayesian search is used."""
GOOD_SHARE = 0.25
"""The share of trials that count as good ones for the model."""
CANDIDATES = 64


def sampler_of(asked: TuningConfig, number: int) -> BaseSampler:
    """The sampler of the trial of this number. The same seed, number and earlier trials give the same values."""
    if asked.strategy == config.GRID:
        # Its seed is the order of the grid, which has to be the same for all trials.
        return GridSampler({one.name: list(one.values or ()) for one in asked.searched}, seed=asked.seed)
    seed = int(np.random.SeedSequence([asked.seed, number]).generate_state(1)[0])
    if asked.strategy == config.RANDOM:
        return RandomSampler(seed=seed)
    return TPESampler(seed=seed, n_startup_trials=STARTUP, n_ei_candidates=CANDIDATES, multivariate=True, gamma=_good)


def _good(count: int) -> int:
    return max(1, math.ceil(GOOD_SHARE * count))
