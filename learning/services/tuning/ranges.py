"""The ranges that a search looks in: read from outside, checked as SageMaker does, and written as text for trainings.

Pure: knows neither rows nor Optuna.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from marketplace.errors import Invalid
from marketplace.ranges import Range as Bounds

CONTINUOUS, INTEGER, CATEGORICAL = TYPES = ("Continuous", "Integer", "Categorical")
AUTO, LINEAR, LOGARITHMIC, REVERSE_LOGARITHMIC = SCALINGS = ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic")
MOST_RANGES = Bounds(1, 30)
"""Hyperparameters that one job searches."""
MOST_VALUES = Bounds(1, 30)
"""Values of a categorical hyperparameter."""
NAME_LENGTH = Bounds(1, 256)
VALUE_LENGTH = Bounds(1, 256)
WIDE = 100.0
"""From this ratio between its ends on, a range whose scaling is Auto is searched on a logarithmic scale."""
MOST_WHOLE = 2**53
"""Whole numbers beyond it are not exact as floating point numbers."""


@dataclass(frozen=True)
class Searched:
    """One searched hyperparameter. `low` to `high` both included, with the `scaling` that is used (never Auto), for
    Continuous and Integer; `values` for Categorical. What does not belong to the type is None."""

    name: str
    type: str
    low: float | None = None
    high: float | None = None
    scaling: str | None = None
    values: tuple[str, ...] | None = None

    def text(self, value: float | str) -> str:
        """A value as trainings are given it."""
        if self.type == CATEGORICAL:
            return str(value)
        return str(int(value)) if self.type == INTEGER else format(float(value), ".12g")

    def number(self, text: str) -> float | str | None:
        """The value that a text stands for; None when it is not one of this range."""
        if self.type == CATEGORICAL:
            return text if text in (self.values or ()) else None
        assert self.low is not None and self.high is not None
        try:
            value = float(text)
        except ValueError:
            return None
        whole = self.type != INTEGER or value == int(value) if math.isfinite(value) else False
        return value if whole and self.low <= value <= self.high else None

    def ends(self) -> tuple[str, ...]:
        """The values that have to be allowed so that all are: both ends, or every one."""
        if self.values is not None:
            return self.values
        assert self.low is not None and self.high is not None
        return self.text(self.low), self.text(self.high)


def read(given: Sequence[Mapping[str, Any]]) -> list[Searched]:
    """The ranges, each {"name", "type", and "min_value", "max_value", "scaling_type" or "values"}.

    Raises Invalid naming the range at fault.
    """
    if len(given) not in MOST_RANGES:
        raise Invalid(f"{len(given)} ranges found, {MOST_RANGES} expected", field="ranges")
    found = [_read_one(number, one) for number, one in enumerate(given)]
    names = [one.name for one in found]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise Invalid(f"the hyperparameter {name!r} has two ranges", field=f"ranges.{number}.name")
    return found


def stored(searched: Sequence[Searched]) -> list[dict[str, Any]]:
    """As JSON."""
    return [
        {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(one).items()}
        for one in searched
    ]


def load(rows: Sequence[Mapping[str, Any]]) -> list[Searched]:
    """What `stored` made."""
    return [Searched(**{**row, "values": tuple(row["values"]) if row["values"] is not None else None}) for row in rows]


def combinations(searched: Sequence[Searched]) -> int:
    """How many combinations the values of categorical ranges have."""
    return math.prod(len(one.values or ()) for one in searched)


def _read_one(number: int, given: Mapping[str, Any]) -> Searched:
    at = f"ranges.{number}"
    name, kind = given.get("name"), given.get("type")
    if not isinstance(name, str) or len(name) not in NAME_LENGTH:
        raise Invalid(f"{name!r} found, the name of a hyperparameter expected", field=f"{at}.name")
    if kind not in TYPES:
        raise Invalid(f"{name}: the type {kind!r} found, one of {', '.join(TYPES)} expected", field=f"{at}.type")
    own = {"values"} if kind == CATEGORICAL else {"min_value", "max_value", "scaling_type"}
    for key in {"values", "min_value", "max_value", "scaling_type"} - own:
        if given.get(key) is not None:
            raise Invalid(f"{name}: a range of the type {kind} has no {key}", field=f"{at}.{key}")
    return _categorical(at, name, given) if kind == CATEGORICAL else _numeric(at, name, str(kind), given)


def _categorical(at: str, name: str, given: Mapping[str, Any]) -> Searched:
    values = given.get("values")
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) not in MOST_VALUES:
        raise Invalid(f"{name}: a list of {MOST_VALUES} values expected", field=f"{at}.values")
    for value in values:
        if not isinstance(value, str) or len(value) not in VALUE_LENGTH:
            raise Invalid(
                f"{name}: {value!r} found, a text of {VALUE_LENGTH} characters expected", field=f"{at}.values"
            )
    if len(set(values)) < len(values):
        raise Invalid(f"{name}: a value is listed twice", field=f"{at}.values")
    return Searched(name, CATEGORICAL, values=tuple(values))


def _numeric(at: str, name: str, kind: str, given: Mapping[str, Any]) -> Searched:
    low, high = (_number(f"{at}.{key}", name, kind, given.get(key)) for key in ("min_value", "max_value"))
    if not low < high:
        raise Invalid(f"{name}: {low:g} to {high:g} found; the smallest value is not below the largest", field=at)
    scaling = given.get("scaling_type") or AUTO
    if scaling not in SCALINGS:
        raise Invalid(
            f"{name}: the scaling {scaling!r} found, one of {', '.join(SCALINGS)} expected", field=f"{at}.scaling_type"
        )
    if scaling == LOGARITHMIC and low <= 0:
        raise Invalid(
            f"{name}: Logarithmic scaling needs values above 0, the smallest is {low:g}", field=f"{at}.scaling_type"
        )
    if scaling == REVERSE_LOGARITHMIC and (kind != CONTINUOUS or low < 0 or high >= 1):
        raise Invalid(
            f"{name}: ReverseLogarithmic scaling needs a Continuous range within 0 <= x < 1, {kind} "
            f"{low:g} to {high:g} found",
            field=f"{at}.scaling_type",
        )
    return Searched(name, kind, low, high, _chosen(kind, low, high) if scaling == AUTO else str(scaling))


def _number(at: str, name: str, kind: str, given: Any) -> float:
    """SageMaker writes the ends of ranges as texts; numbers are read as well."""
    try:
        value = float(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise Invalid(f"{name}: {given!r} found, a number expected", field=at)
    if kind == INTEGER and (value != int(value) or abs(value) > MOST_WHOLE):
        raise Invalid(f"{name}: {given!r} found, a whole number expected", field=at)
    return value


def _chosen(kind: str, low: float, high: float) -> str:
    """The scaling of an Auto range: logarithmic where the ends, or their distances from 1, are of different sizes."""
    if low > 0 and high / low >= WIDE:
        return LOGARITHMIC
    if kind == CONTINUOUS and low >= 0 and high < 1 and (1 - low) / (1 - high) >= WIDE:
        return REVERSE_LOGARITHMIC
    return LINEAR
