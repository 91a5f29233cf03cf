"""A declared range of allowed numbers or lengths. Forms, serializers and services read the same one; knows none."""

from dataclasses import dataclass
from math import ceil, floor


@dataclass(frozen=True)
class Range:
    """What a number, or the length of a text or a list, may be: `low` to `high`, both included.

    `high` None means that there is no upper bound.
    """

    low: float
    high: float | None = None

    def __contains__(self, value: object) -> bool:
        """Whether `value` is a number inside the range; booleans count as no number, NaN is in no range."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        """As error messages say it: "1 to 9", or "at least 1"."""
        return f"at least {_plain(self.low)}" if self.high is None else f"{_plain(self.low)} to {_plain(self.high)}"

    @property
    def longest(self) -> int:
        """`high` as a whole number, for lengths. Raises ValueError for a range without an upper bound."""
        if self.high is None:
            raise ValueError(f"{self!r} has no upper bound")
        return int(self.high)

    @property
    def bounds(self) -> dict[str, float | None]:
        """The keyword arguments that number fields of forms and serializers take."""
        return {"min_value": self.low, "max_value": self.high}

    def in_units(self, size: float) -> "Range":
        """The same range in larger units, such as seconds in units of 60: the whole numbers of them that lie inside."""
        return Range(ceil(self.low / size), None if self.high is None else floor(self.high / size))

    def nearest(self, value: float) -> float:
        """The number of the range that is closest to `value`."""
        return max(self.low, value if self.high is None else min(self.high, value))


def _plain(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"
