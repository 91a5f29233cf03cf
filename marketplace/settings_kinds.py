"""What a setting is: a variable of the environment with a type, a default and a sentence of help.

Pure: knows neither Django nor which settings there are (settings_declared.py lists them).
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

T_co = TypeVar("T_co", covariant=True)

YES, NO = ("1", "yes", "true", "on"), ("0", "no", "false", "off")


class SettingError(ValueError):
    """A value that cannot be used; the message names the variable, what was found and what is expected."""


@dataclass(frozen=True)
class Setting(Generic[T_co]):
    """One variable of the environment.

    `parse` turns its text into a value and raises ValueError for a wrong one; `expects` says in words what it accepts.
    `fallbacks` are standard names of other systems, read in this order when the variable itself is not set.
    """

    name: str
    help: str
    parse: Callable[[str], T_co]
    expects: str
    default: T_co
    default_in_words: str = ""
    unit: str = ""
    fallbacks: tuple[str, ...] = ()
    secret: bool = False

    def read(self, environment: Mapping[str, str]) -> T_co:
        """The value in `environment`, else the default; an empty text counts as not set. Raises SettingError."""
        name, text = self.found(environment)
        if not text:
            return self.default
        try:
            return self.parse(text)
        except ValueError as error:
            shown = "a value (not shown, it is a secret)" if self.secret else repr(text)
            raise SettingError(f"{name}: {shown} found, {self.expects} expected") from error

    def found(self, environment: Mapping[str, str]) -> tuple[str, str]:
        """The name under which a value is set and its text, or the setting's own name and an empty text."""
        for name in (self.name, *self.fallbacks):
            if text := environment.get(name, "").strip():
                return name, text
        return self.name, ""


def text(name: str, help: str, *, default: str = "", expects: str = "a text", **more: Any) -> Setting[str]:
    """Any text."""
    return Setting(name, help, str, expects, default, **more)


def matching(name: str, help: str, pattern: str, *, expects: str, default: str, **more: Any) -> Setting[str]:
    """A text that matches the whole of a regular expression."""

    def parse(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise ValueError(value)
        return value

    return Setting(name, help, parse, expects, default, **more)


def flag(name: str, help: str, *, default: bool, **more: Any) -> Setting[bool]:
    """Yes or no."""

    def parse(value: str) -> bool:
        lower = value.lower()
        if lower not in YES + NO:
            raise ValueError(value)
        return lower in YES

    return Setting(name, help, parse, "yes or no", default, **more)


def whole(name: str, help: str, *, default: int, low: int, high: int, **more: Any) -> Setting[int]:
    """A whole number from `low` to `high`, both included."""

    def parse(value: str) -> int:
        return _within(int(value), low, high)

    return Setting(name, help, parse, f"a whole number from {low:,} to {high:,}", default, **more)


def number(name: str, help: str, *, default: float, low: float, high: float, **more: Any) -> Setting[float]:
    """A number from `low` to `high`, both included."""

    def parse(value: str) -> float:
        return _within(float(value), low, high)

    return Setting(name, help, parse, f"a number from {low:g} to {high:g}", default, **more)


def percent(name: str, help: str, *, default: str, **more: Any) -> Setting[str]:
    """A decimal number from 0 to 100; it stays a text, so that money is never computed from a binary fraction."""

    def parse(value: str) -> str:
        try:
            _within(Decimal(value), Decimal(0), Decimal(100))
        except InvalidOperation as error:
            raise ValueError(value) from error
        return value

    return Setting(name, help, parse, "a number from 0 to 100", default, unit="percent", **more)


def dollars(name: str, help: str, *, default: str, **more: Any) -> Setting[str]:
    """An amount above zero in whole cents; it stays a text, so that money is never computed from a binary fraction."""

    def parse(value: str) -> str:
        try:
            _within(Decimal(value), Decimal("0.01"), Decimal(1_000_000))
        except InvalidOperation as error:
            raise ValueError(value) from error
        if Decimal(value) % Decimal("0.01"):
            raise ValueError(value)
        return value

    return Setting(name, help, parse, "dollars from 0.01 to 1,000,000 in whole cents", default, **more)


def choice(name: str, help: str, options: tuple[str, ...], *, default: str, **more: Any) -> Setting[str]:
    """One of a few words, in upper or lower case."""
    by_lower = {option.lower(): option for option in options}

    def parse(value: str) -> str:
        if value.lower() not in by_lower:
            raise ValueError(value)
        return by_lower[value.lower()]

    return Setting(name, help, parse, f"one of {', '.join(options)}", default, **more)


def url(name: str, help: str, schemes: tuple[str, ...], *, default: str = "", **more: Any) -> Setting[str]:
    """An absolute URL with one of `schemes`; slashes at its end are dropped."""

    def parse(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/")):
            raise ValueError(value)
        return value.rstrip("/")

    expects = " or ".join(f"{scheme}://..." for scheme in schemes)
    return Setting(name, help, parse, f"a URL ({expects})", default, **more)


def names(name: str, help: str, *, default: tuple[str, ...] = (), **more: Any) -> Setting[tuple[str, ...]]:
    """Names separated by commas; blanks around them are dropped."""

    def parse(value: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in value.split(",") if part.strip())

    return Setting(name, help, parse, "names separated by commas", default, **more)


def grants(name: str, help: str, **more: Any) -> Setting[tuple[str, ...]]:
    """Names separated by commas: `name` is granted to every account, `name=123456789012` to that account."""
    entry = re.compile(r"[^=\s]+(=[0-9]{12})?")

    def parse(value: str) -> tuple[str, ...]:
        parts = tuple(part.strip() for part in value.split(",") if part.strip())
        if wrong := [part for part in parts if entry.fullmatch(part) is None]:
            raise ValueError(wrong[0])
        return parts

    expects = "`name` or `name=account number of twelve digits`, separated by commas"
    return Setting(name, help, parse, expects, (), **more)


def folder(name: str, help: str, **more: Any) -> Setting[Path | None]:
    """A folder of this machine."""
    return Setting(name, help, Path, "a folder", None, **more)


def folders(name: str, help: str, **more: Any) -> Setting[tuple[Path, ...]]:
    """Folders of this machine, separated as in PATH."""

    def parse(value: str) -> tuple[Path, ...]:
        return tuple(Path(part) for part in value.split(os.pathsep) if part)

    return Setting(name, help, parse, f"folders separated by {os.pathsep!r}", (), **more)


def _within(value: Any, low: Any, high: Any) -> Any:
    if not low <= value <= high:
        raise ValueError(f"{value} is not from {low} to {high}")
    return value
