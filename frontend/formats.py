"""Money, numbers and dates as a reader writes them, by the active language. Programs read the other forms: ISO dates,
numbers with a point. In English a text is what Python writes, so that pages, files and REST say the same."""

from datetime import date, datetime
from typing import Any

from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol
from django.utils.functional import lazy
from django.utils.translation import get_language, gettext, ngettext

from labeling.task_types.told import Told
from marketplace import money as amounts
from marketplace.ranges import Range

ENGLISH = "en"
DAYS = {"de": "%d.%m.%Y"}
"""How a day is written where not by ISO 8601."""


def _locale() -> str:
    return get_language() or ENGLISH


def money(micros: int) -> str:
    """Micro-dollars with two decimals or as many as it takes: "$1234.50", in German "1.234,50 $"."""
    sign, digits, locale = "-" if micros < 0 else "", amounts.plain(abs(micros)), _locale()
    if locale == ENGLISH:
        return f"{sign}${digits}"
    return f"{sign}{grouped(digits)}\u00a0$"


def grouped(digits: str) -> str:
    """A number without a sign, written with a point, with the separators of the reader: "1234.5" is "1.234,5"."""
    whole, point, decimals = digits.partition(".")
    if _locale() == ENGLISH:
        return digits
    text = format_decimal(int(whole), locale=_locale())
    return f"{text}{get_decimal_symbol(_locale())}{decimals}" if point else str(text)


def fixed(value: float, digits: int) -> str:
    """A number with so many decimals."""
    text = f"{value:.{digits}f}"
    return text if _locale() == ENGLISH else text.replace(".", get_decimal_symbol(_locale()))


def _between(found: Range) -> str:
    form = ":," if isinstance(found.low, int) else ":g"
    if found.high is None:
        return filled(gettext("at least {low}").replace("}", f"{form}}}"), low=found.low)
    return filled(gettext("{low} to {high}").replace("}", f"{form}}}"), low=found.low, high=found.high)


between = lazy(_between, str)
"""A range of allowed values, in the language of whoever reads it: "1 to 9", or "at least 1"."""


class _Number:
    """A number that is written as its reader writes it, in whatever form a text asks for."""

    def __init__(self, value: float):
        self.value = value

    def __format__(self, form: str) -> str:
        text = format(self.value, form)
        if _locale() == ENGLISH:
            return text
        signs: dict[str, str | int | None] = {
            ".": get_decimal_symbol(_locale()),
            ",": get_group_symbol(_locale()),
            "%": "\u00a0%",
        }
        return text.translate(str.maketrans(signs))


def filled(text: str, /, **values: Any) -> str:
    """A translated text with its values, its numbers in the form that its places ask for: "{share:.0%}", "{risk:.2f}".

    Raises KeyError for a placeholder without a value.
    """
    return text.format(**{name: _Number(one) if isinstance(one, int | float) else one for name, one in values.items()})


def told(text: str) -> str:
    """What a task type tells, in the reader's language; any other text as it is."""
    if not isinstance(text, Told):
        return text
    return " ".join(
        filled(
            ngettext(one.text, one.several, one.values["number"]) if one.several else gettext(one.text),
            **{name: told(value) if isinstance(value, str) else value for name, value in one.values.items()},
        )
        for one in text.sentences
    )


def day(moment: date, *, minute: bool = False) -> str:
    """A day, or a moment to the minute: "2026-03-01 14:05", in German "01.03.2026 14:05"."""
    form = DAYS.get(_locale(), "%Y-%m-%d")
    return moment.strftime(f"{form} %H:%M" if minute and isinstance(moment, datetime) else form)


def duration(seconds: float) -> str:
    """Seconds in words: 45 s, 12 min, 3 h 20 min, 2 days 4 h."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    said = ngettext("{n} day", "{n} days", days).format(n=days)
    return f"{said} {hours} h" if hours else said
