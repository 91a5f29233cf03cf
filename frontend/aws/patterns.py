"""The regular expressions of botocore's models, which are Java's, in Python's notation. Pure."""

import re
import sys
import unicodedata
from functools import lru_cache
from itertools import groupby

_PROPERTY = re.compile(r"\\p\{(\w+)\}")
# Java's names for parts of ASCII, as what stands inside of a character class.
_ASCII = {"ASCII": r"\x00-\x7f", "Alnum": "a-zA-Z0-9", "Alpha": "a-zA-Z", "Digit": "0-9", "Print": r"\x20-\x7e"}
_STORES = (
    "(https|s3)://([^/]+)/?(.*)",
    "^(https|s3)://([^/]+)/?(.*)$",
    "(https|s3)://([^/])/?(.*)",
    "^(https|s3)://([^/])/?(.*)$",
)
_FILES = "file:///"
# Java writes a character beyond 16 bits as two halves.
_BEYOND = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")


@lru_cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, to be used with `fullmatch` as Java's `matches` does."""
    return re.compile(translated(pattern))


def allows(pattern: str, text: str) -> bool:
    """Whether the whole text is what the pattern says, as Java's `matches` has it.

    Where the pattern is AWS's of a place in S3, also an address of the store of an installation that keeps files.
    """
    if compiled(pattern).fullmatch(text):
        return True
    return pattern in _STORES and text.startswith(_FILES)


def translated(pattern: str) -> str:
    """The pattern in Python's notation."""
    text = pattern.replace(*_BEYOND)
    # A class inside of a class, and a dash that can begin no range.
    text = text.replace(r"\w-_", r"\w\-_").replace(r"\z", r"\Z")
    # Java allows to repeat the end of a text, which means no more than the end.
    text = re.sub(r"\$\{\d+,\d+\}", "$", text)
    return _expand_properties(text)


def _expand_properties(text: str) -> str:
    made, end, inside = "", 0, False
    for found in _PROPERTY.finditer(text):
        between = text[end : found.start()]
        inside = _inside_class(between, inside)
        ranges = _ASCII.get(found[1]) or _category(found[1])
        made += between + (ranges if inside else f"[{ranges}]")
        end = found.end()
    return made + text[end:]


def _inside_class(text: str, inside: bool) -> bool:
    """Whether the end of the text is inside of a character class, if its beginning is as `inside` says."""
    plain = re.sub(r"\\.", "", text)
    opened, closed = plain.rfind("["), plain.rfind("]")
    return inside if opened == closed else opened > closed


@lru_cache
def _category(name: str) -> str:
    """The characters of a Unicode category (L, or Lu) as ranges for a character class."""
    ranges: list[list[int]] = []
    for category, low, high in _runs():
        if not category.startswith(name):
            continue
        if ranges and ranges[-1][1] == low - 1:
            ranges[-1][1] = high
        else:
            ranges.append([low, high])
    if not ranges:
        raise ValueError(f"{name!r} is no category of Unicode")
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)


@lru_cache
def _runs() -> list[tuple[str, int, int]]:
    """Characters one after the other that have the same category, with the first and the last of them."""
    whole = map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))
    runs, low = [], 0
    for category, members in groupby(whole):
        high = low + sum(1 for _ in members) - 1
        runs.append((category, low, high))
        low = high + 1
    return runs
