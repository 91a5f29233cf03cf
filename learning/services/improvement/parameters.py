"""The parameters of a policy, by the names that AWS's continuous improvement solution has for them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.errors import Invalid
from marketplace.ranges import Range

ENABLE_TRAINING = "Enable-Automatic-Training"
TRAINING_MINUTES = "Automatic-Training-Poll-Frequency"
LEAST_IMAGES = "Minimum-Untrained-Images"
LEAST_F1 = "Minimum-F1-Score"
UNITS = "Minimum-Inference-Units"
LEAST_CONFIDENCE = "Minimum-Label-Detection-Confidence"
ENABLE_A2I = "Enable-A2I-Workflow"
ENABLE_SAMPLING = "Enable-Automatic-Human-Sampling"
SAMPLING_MINUTES = "Automatic-Human-Sampling-Frequency"
SAMPLING_INTERVAL = "Human-Sampling-Interval"

MINUTES = Range(1, 43_200)
"""From a minute, the least of a scheduled rule, to 30 days."""


@dataclass(frozen=True)
class Parameter:
    """One parameter: its default, and its range where it is a number; `whole` numbers only, if so."""

    name: str
    default: bool | int | float
    range: Range | None
    whole: bool
    help: str


PARAMETERS = (
    Parameter(ENABLE_TRAINING, True, None, False, "Whether new models are trained by themselves."),
    Parameter(TRAINING_MINUTES, 720, MINUTES, True, "Minutes between two checks for new training."),
    Parameter(LEAST_IMAGES, 10, Range(1, 100_000), True, "Answered images that make a new training."),
    Parameter(LEAST_F1, 0.8, Range(0.0, 1.0), False, "F1 on the fixed test set that a new model must reach."),
    Parameter(UNITS, 1, Range(1, 5), True, "Instances of the endpoint."),
    Parameter(
        LEAST_CONFIDENCE, 70.0, Range(0.0, 100.0), False, "In percent; a detection below it is put before people."
    ),
    Parameter(ENABLE_A2I, True, None, False, "Whether detections are put before people at all."),
    Parameter(ENABLE_SAMPLING, True, None, False, "Whether a sample is put before people whatever its confidence."),
    Parameter(SAMPLING_MINUTES, 720, MINUTES, True, "Minutes between two looks for a new sample."),
    Parameter(SAMPLING_INTERVAL, 1000, Range(1, 1_000_000), True, "Every how many detections one is a sample."),
)
BY_NAME = {one.name: one for one in PARAMETERS}
DEFAULTS: dict[str, Any] = {one.name: one.default for one in PARAMETERS}


def parse(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that were given, checked. Raises Invalid naming every one that is unknown or out of range."""
    errors = [(f"parameters.{name}", problem) for name, value in given.items() if (problem := _problem(name, value))]
    if errors:
        raise Invalid("the parameters cannot be used", errors=errors)
    return {name: _typed(BY_NAME[name], value) for name, value in given.items()}


def _problem(name: str, value: Any) -> str:
    one = BY_NAME.get(name)
    if one is None:
        return f"is not known; there are {', '.join(BY_NAME)}"
    if one.range is None:
        return "" if isinstance(value, bool) else f"{value!r} found, true or false expected"
    if value not in one.range or (one.whole and int(value) != value):
        return f"{value!r} found, a {'whole ' if one.whole else ''}number from {one.range} expected"
    return ""


def _typed(one: Parameter, value: Any) -> bool | int | float:
    if one.range is None:
        return bool(value)
    return int(value) if one.whole else float(value)
