"""Money as integer micro-dollars: text, AWS's price structure, exact splits. Pure; knows no ledger."""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from marketplace.errors import Invalid
from marketplace.ranges import Range

MICROS = 1_000_000

TEXT_LENGTH = Range(1, 30)
"""Characters of an amount as text; the largest one that a column holds has 21."""

AMOUNT_MICROS = Range(0, 9 * 10**15)
"""Micro-dollars of one amount, 9,000,000,000 dollars at most: far below what a bigint holds, far above any real one."""

SHOWN = 40
"""Characters of a wrong amount that an error message repeats."""

# Three digits of an exponent at most: a longer one makes a number of a million digits out of eight characters.
_AMOUNT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def read(text: str, *, field: str, zero: bool = False) -> int:
    """Micro-dollars of what somebody typed. Raises Invalid, naming `field`, for what is no amount, is out of range, or
    is zero unless `zero` is allowed."""
    try:
        micros = parse(text)
    except ValueError as error:
        raise Invalid(str(error), field=field) from None
    if micros < 0 or (micros == 0 and not zero):
        raise Invalid(f"an amount {'of zero or more' if zero else 'above zero'} is expected", field=field)
    if micros not in AMOUNT_MICROS:
        raise Invalid(f"at most {AMOUNT_MICROS.longest // MICROS:,} dollars are expected", field=field)
    return micros


def parse(text: str | int | Decimal) -> int:
    """Dollars as text ("0.036") to micro-dollars (36000).

    Raises ValueError for what is not a number, is not finite, or is finer than a micro-dollar.
    """
    written = str(text).strip()
    if len(written) not in TEXT_LENGTH or not _AMOUNT.fullmatch(written):
        raise ValueError(f"{written[:SHOWN]!r} is not an amount of dollars")
    amount = Decimal(written)
    if amount.adjusted() > TEXT_LENGTH.longest:
        raise ValueError(f"{written!r} is not an amount of dollars")
    # Exact, where decimals are multiplied to 28 digits.
    micros = Fraction(amount) * MICROS
    if micros.denominator != 1:
        raise ValueError(f"{written!r} is finer than a micro-dollar")
    return int(micros)


def text(micros: int) -> str:
    """Micro-dollars to dollars with six decimals: 36000 -> "0.036000"."""
    sign = "-" if micros < 0 else ""
    dollars, rest = divmod(abs(micros), MICROS)
    return f"{sign}{dollars}.{rest:06d}"


def plain(micros: int) -> str:
    """Micro-dollars to dollars as a sentence says them, with two decimals or as many as it takes: "0.036", "12.50"."""
    whole, _, decimals = text(micros).partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def from_aws(amount: dict[str, int]) -> int:
    """`AmountInUsd` {Dollars, Cents, TenthFractionsOfACent} to micro-dollars. Raises ValueError out of range."""
    limits = {"Dollars": (2, 1_000_000), "Cents": (99, 10_000), "TenthFractionsOfACent": (9, 1_000)}
    total = 0
    for name, value in amount.items():
        if name not in limits:
            raise ValueError(f"AmountInUsd.{name} is unknown")
        top, unit = limits[name]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= top:
            raise ValueError(f"AmountInUsd.{name}: {value!r} found, 0 to {top} expected")
        total += value * unit
    return total


def to_aws(micros: int) -> dict[str, int]:
    """Micro-dollars to `AmountInUsd`. Raises ValueError for what AWS's structure cannot express."""
    if micros < 0 or micros % 1_000:
        raise ValueError(f"{text(micros)} has no form in Dollars, Cents and TenthFractionsOfACent")
    tenths = micros // 1_000
    return {"Dollars": tenths // 1_000, "Cents": tenths // 10 % 100, "TenthFractionsOfACent": tenths % 10}


def split(micros: int, weights: Sequence[int | Fraction]) -> list[int]:
    """Split an amount in proportion to `weights`, exactly, by largest remainder (ties: the earlier part).

    Raises ValueError for a negative amount, a negative weight, or weights that sum to zero.
    """
    if micros < 0 or any(w < 0 for w in weights):
        raise ValueError("only non-negative amounts and weights can be split")
    total = sum(Fraction(w) for w in weights)
    if total == 0:
        raise ValueError("the weights sum to zero")
    exact = [micros * Fraction(w) / total for w in weights]
    parts = [int(share) for share in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[: micros - sum(parts)]:
        parts[i] += 1
    return parts


def share(micros: int, percent: str | Decimal) -> int:
    """`percent` of an amount, rounded half up to the micro-dollar. Raises ValueError for a negative percentage."""
    fraction = Fraction(Decimal(str(percent)))
    if fraction < 0:
        raise ValueError(f"percentage {percent} is negative")
    return int(Fraction(micros) * fraction / 100 + Fraction(1, 2))
