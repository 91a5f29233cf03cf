"""The definitions of trainings that a tuning job searches: one, or several that share its limits.

Each is searched by itself, with its own fixed hyperparameters, data, ranges and objective; the next training is that of
the definition with the fewest. Reads rows; does not know Optuna.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from learning.models import HyperParameterTuningJob, TuningTrial
from learning.services.tuning import config, ranges
from learning.services.tuning.config import TuningConfig
from learning.services.tuning.ranges import Searched
from marketplace.errors import Invalid
from marketplace.ranges import Range

FIELD = "definitions"
COUNT = Range(1, 10)
"""How many definitions a tuning job may have."""

NAME_LENGTH = Range(1, 64)
"""Characters of the name of a definition."""

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")


@dataclass(frozen=True)
class Definition:
    """One definition: `asked` is the search as if it were the only one, `study` where its trials are.

    `index` is its place, `name` "" where there is one only.
    """

    index: int
    name: str
    asked: TuningConfig
    hyperparameters: Mapping[str, str]
    channels: Mapping[str, Any]
    study: str


def of(tuning: HyperParameterTuningJob) -> list[Definition]:
    """The definitions of a tuning job, in their order."""
    shared = TuningConfig.load(tuning.config)
    if not tuning.definitions:
        only = Definition(0, "", shared, tuning.hyperparameters, tuning.channels, tuning.study_name)
        return [only]
    return [
        Definition(
            index,
            row["name"],
            replace(
                shared,
                metric=row["metric"],
                searched=ranges.load(row["searched"]),
                max_jobs=row["max_jobs"],
                min_epochs=row["min_epochs"],
                max_epochs=row["max_epochs"],
            ),
            row["hyperparameters"],
            row["channels"],
            f"{tuning.study_name}-{index}",
        )
        for index, row in enumerate(tuning.definitions)
    ]


def of_trial(trial: TuningTrial) -> Definition:
    """The definition of a trial, which is loaded with its tuning job."""
    return of(trial.tuning_job)[trial.definition]


def studies(tuning: HyperParameterTuningJob) -> list[str]:
    """Where the trials of each definition are."""
    return [one.study for one in of(tuning)]


def stored(definitions: Sequence[Definition]) -> list[dict[str, Any]]:
    """As JSON; of a single one without a name nothing, because the row itself has it."""
    if len(definitions) == 1 and not definitions[0].name:
        return []
    return [
        {
            "name": one.name,
            "metric": one.asked.metric,
            "searched": ranges.stored(one.asked.searched),
            "max_jobs": one.asked.max_jobs,
            "min_epochs": one.asked.min_epochs,
            "max_epochs": one.asked.max_epochs,
            "hyperparameters": dict(one.hyperparameters),
            "channels": {key: dict(value) for key, value in one.channels.items()},
        }
        for one in definitions
    ]


def shared(definitions: Sequence[Definition], *, asked_jobs: int | None) -> TuningConfig:
    """What the definitions have in common, and the ranges of all of them. Raises Invalid for what cannot be together.

    `asked_jobs`: how many trainings were asked for, None for as many as there are by themselves.
    """
    first = definitions[0].asked
    if len(definitions) == 1:
        return first
    for place, one in enumerate(definitions):
        if one.asked.direction != first.direction:
            raise Invalid(
                f"{one.asked.direction} found, {first.direction} before: the best of all is to be one of them",
                field=f"{FIELD}.{place}.objective.type",
            )
    if first.parents:
        raise Invalid("only a tuning job with one definition learns from earlier ones", field="warm_start")
    jobs = sum(one.asked.max_jobs for one in definitions) if first.strategy == config.GRID else first.max_jobs
    if jobs not in config.JOBS:
        raise Invalid(f"the grids have {jobs:,} combinations together, {config.JOBS} expected", field="ranges")
    if first.strategy == config.GRID and asked_jobs not in (None, jobs):
        raise Invalid(
            f"the grids have {jobs} combinations together, and max_jobs is {asked_jobs}: leave it out",
            field="limits.max_jobs",
        )
    if jobs < len(definitions):
        raise Invalid(f"{jobs} trainings for {len(definitions)} definitions found", field="limits.max_jobs")
    return replace(first, searched=_all_searched(definitions), max_jobs=jobs)


def _all_searched(definitions: Sequence[Definition]) -> list[Searched]:
    found: dict[str, Searched] = {}
    for one in definitions:
        for searched in one.asked.searched:
            found.setdefault(searched.name, searched)
    return list(found.values())


def check_names(given: Sequence[str]) -> None:
    """Raises Invalid for a name that cannot be a definition's, and for one that two have."""
    if len(given) not in COUNT:
        raise Invalid(f"{len(given)} found, {COUNT} definitions expected", field=FIELD)
    for place, name in enumerate(given):
        if len(name) not in NAME_LENGTH or _NAME.fullmatch(name) is None:
            said = f"{name!r} found, {NAME_LENGTH} letters, digits and inner hyphens expected"
            raise Invalid(said, field=f"{FIELD}.{place}.name")
        if name in given[:place]:
            raise Invalid(f"there are two definitions {name!r}", field=f"{FIELD}.{place}.name")


def next_one(definitions: Sequence[Definition], counts: Mapping[int, int]) -> Definition | None:
    """The definition whose training is next, by how many trainings each has had; None when there are no more."""
    left = [one for one in definitions if counts.get(one.index, 0) < one.asked.max_jobs]
    return min(left, key=lambda one: (counts.get(one.index, 0), one.index), default=None)
