"""What a tuning job is asked for: strategy, objective, limits and when it ends; checked as SageMaker does.

Pure: knows neither rows nor Optuna. Names and ranges are SageMaker's, in the manner of our API.
"""

import math
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from learning.services.tuning import ranges
from learning.services.tuning.ranges import Searched
from marketplace.errors import Invalid
from marketplace.ranges import Range

BAYESIAN, RANDOM, GRID, HYPERBAND = STRATEGIES = ("Bayesian", "Random", "Grid", "Hyperband")
MAXIMIZE, MINIMIZE = DIRECTIONS = ("Maximize", "Minimize")
OFF, AUTO = EARLY_STOPPING = ("Off", "Auto")
IDENTICAL, TRANSFER = WARM_STARTS = ("IdenticalDataAndAlgorithm", "TransferLearning")
JOBS = Range(1, 750)
PARALLEL = Range(1, 100)
RUNTIME_SECONDS = Range(120, 15_768_000)
NOT_IMPROVING = Range(3, 750)
SEED = Range(0, 2**31 - 1)
RESOURCE = Range(1, 100_000)
METRIC_LENGTH = Range(1, 60)
PARENTS = Range(1, 5)
DEFAULT_JOBS, DEFAULT_PARALLEL = 20, 2


@dataclass(frozen=True)
class TuningConfig:
    """A tuning job's configuration with every default filled in.

    `target` ends the search when the objective reaches it; `not_improving` is the number of trainings in a row without
    a better one that ends it; `converge` lets it end when nothing better is to be expected. `min_epochs` and
    `max_epochs` are Hyperband's resources. `parents` are names of earlier tuning jobs to learn from.
    """

    strategy: str
    direction: str
    metric: str
    searched: list[Searched]
    max_jobs: int
    max_parallel: int
    max_seconds: int | None = None
    early_stopping: str = OFF
    target: float | None = None
    not_improving: int | None = None
    converge: bool = False
    seed: int = 0
    min_epochs: int | None = None
    max_epochs: int | None = None
    warm_start: str = ""
    parents: tuple[str, ...] = ()

    @property
    def maximizes(self) -> bool:
        """Whether larger values of the objective are better."""
        return self.direction == MAXIMIZE

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is a better objective than `other`."""
        return one > other if self.maximizes else one < other

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "searched": ranges.stored(self.searched), "parents": list(self.parents)}

    @classmethod
    def load(cls, row: Mapping[str, Any]) -> "TuningConfig":
        """What `stored` made."""
        return cls(**{**row, "searched": ranges.load(row["searched"]), "parents": tuple(row["parents"])})


def read(
    *,
    strategy: str,
    objective: Mapping[str, Any],
    searched: Any,
    limits: Mapping[str, Any] | None = None,
    early_stopping: str = OFF,
    completion: Mapping[str, Any] | None = None,
    hyperband: Mapping[str, Any] | None = None,
    random_seed: int | None = None,
    warm_start: Mapping[str, Any] | None = None,
) -> TuningConfig:
    """The configuration. Raises Invalid naming what is wrong by its dotted path.

    `objective` {"type", "metric_name"}; `searched` see ranges.read; `limits` {"max_jobs", "max_parallel_jobs",
    "max_runtime_seconds"}; `completion` {"target_objective_value", "max_jobs_not_improving",
    "complete_on_convergence"}; `hyperband` {"min_resource", "max_resource"}, in epochs; `warm_start` {"type",
    "parents": names}.
    """
    _one_of(strategy, STRATEGIES, "strategy")
    _one_of(objective.get("type"), DIRECTIONS, "objective.type")
    metric = objective.get("metric_name")
    if not isinstance(metric, str) or len(metric.strip()) not in METRIC_LENGTH:
        raise Invalid(f"{metric!r} found, the name of a metric expected", field="objective.metric_name")
    _one_of(early_stopping, EARLY_STOPPING, "early_stopping")
    if strategy == HYPERBAND and early_stopping != OFF:
        raise Invalid("Hyperband stops trainings by its own rule: early stopping must be Off", field="early_stopping")
    if hyperband and strategy != HYPERBAND:
        raise Invalid(f"resources belong to the strategy Hyperband, {strategy} found", field="hyperband")
    found, given, ends = ranges.read(searched), dict(limits or {}), dict(completion or {})
    kind, parents = _warm_start(strategy, warm_start or {})
    low, high = _resources(hyperband or {})
    return TuningConfig(
        strategy=strategy,
        direction=str(objective["type"]),
        metric=metric.strip(),
        searched=found,
        max_jobs=_jobs(strategy, found, given.get("max_jobs")),
        max_parallel=_whole(given.get("max_parallel_jobs"), PARALLEL, "limits.max_parallel_jobs") or DEFAULT_PARALLEL,
        max_seconds=_whole(given.get("max_runtime_seconds"), RUNTIME_SECONDS, "limits.max_runtime_seconds"),
        early_stopping=early_stopping,
        target=_target(ends.get("target_objective_value")),
        not_improving=_whole(ends.get("max_jobs_not_improving"), NOT_IMPROVING, "completion.max_jobs_not_improving"),
        converge=bool(ends.get("complete_on_convergence")),
        seed=_seed(random_seed),
        min_epochs=low,
        max_epochs=high,
        warm_start=kind,
        parents=parents,
    )


def _jobs(strategy: str, searched: list[Searched], given: Any) -> int:
    asked = _whole(given, JOBS, "limits.max_jobs")
    if strategy != GRID:
        return asked or DEFAULT_JOBS
    for number, one in enumerate(searched):
        if one.type != ranges.CATEGORICAL:
            raise Invalid(
                f"{one.name}: the strategy Grid searches Categorical ranges only, {one.type} found",
                field=f"ranges.{number}.type",
            )
    total = ranges.combinations(searched)
    if total not in JOBS:
        raise Invalid(f"the grid has {total:,} combinations, {JOBS} expected", field="ranges")
    if asked not in (None, total):
        raise Invalid(
            f"the grid has {total} combinations, and max_jobs is {asked}: leave it out", field="limits.max_jobs"
        )
    return total


def _warm_start(strategy: str, given: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    if not given:
        return "", ()
    _one_of(given.get("type"), WARM_STARTS, "warm_start.type")
    parents = given.get("parents")
    if not isinstance(parents, list | tuple) or not all(isinstance(one, str) for one in parents):
        raise Invalid("a list of names of tuning jobs expected", field="warm_start.parents")
    if len(parents) not in PARENTS or len(set(parents)) < len(parents):
        raise Invalid(f"{len(parents)} found, {PARENTS} different tuning jobs expected", field="warm_start.parents")
    if strategy == GRID:
        raise Invalid("Grid tries every combination: it has nothing to learn from earlier jobs", field="warm_start")
    return str(given["type"]), tuple(parents)


def _resources(given: Mapping[str, Any]) -> tuple[int | None, int | None]:
    low = _whole(given.get("min_resource"), RESOURCE, "hyperband.min_resource")
    high = _whole(given.get("max_resource"), RESOURCE, "hyperband.max_resource")
    if high is not None and (low or 1) >= high:
        raise Invalid(f"{low or 1} to {high} epochs found; the least is not below the most", field="hyperband")
    return low, high


def _one_of(given: Any, allowed: tuple[str, ...], field: str) -> None:
    if given not in allowed:
        raise Invalid(f"{given!r} found, one of {', '.join(allowed)} expected", field=field)


def _whole(given: Any, allowed: Range, field: str) -> int | None:
    if given is None:
        return None
    if not isinstance(given, int) or given not in allowed:
        raise Invalid(f"{given!r} found, a whole number, {allowed}, expected", field=field)
    return given


def _target(given: Any) -> float | None:
    if given is None:
        return None
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not math.isfinite(given):
        raise Invalid(f"{given!r} found, a number expected", field="completion.target_objective_value")
    return float(given)


def _seed(given: Any) -> int:
    found = _whole(given, SEED, "random_seed")
    return secrets.randbelow(SEED.longest) if found is None else found
