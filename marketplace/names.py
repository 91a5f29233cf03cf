"""What data sets, jobs, teams and models may be called: AWS's rule for their names, the same for all of them. Pure."""

import re
from collections.abc import Collection
from itertools import count

from marketplace.errors import Invalid
from marketplace.ranges import Range

PATTERN = r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$"
"""The rule as a regular expression that browsers and the OpenAPI document understand too."""

LENGTH = Range(1, 63)
"""Characters of a name; `PATTERN` alone would let any number of hyphens pass."""

RULE = "Letters, digits and hyphens, at most 63; a letter or digit at both ends."
"""The rule in the words of a page."""

_NAME = re.compile(PATTERN)


def is_name(name: object) -> bool:
    """Whether `name` is a text that follows the rule."""
    return isinstance(name, str) and len(name) in LENGTH and bool(_NAME.fullmatch(name))


def check_name(name: object, *, field: str = "name") -> None:
    """Raises Invalid, naming `field`, for what does not follow the rule."""
    if not is_name(name):
        raise Invalid(f"{name!r} found, 1 to 63 letters, digits and inner hyphens expected", field=field)


def free_name(name: str, taken: Collection[str]) -> str:
    """`name`, or else the first of name-2, name-3, ... that is not `taken`; shortened so that it follows the rule.

    Names that differ in their case alone count as one.
    """
    used = {one.lower() for one in taken}
    tried = (_numbered(name, number) for number in count(1))
    return next(one for one in tried if one.lower() not in used)


def following_name(name: str, taken: Collection[str]) -> str:
    """The next free name for a thing like the one of this name: bees-2 after bees, bees-3 after bees-2."""
    stem = re.sub(r"-\d+$", "", name)
    return free_name(stem, {*taken, stem})


def _numbered(name: str, number: int) -> str:
    ending = f"-{number}" if number > 1 else ""
    return name[: LENGTH.longest - len(ending)].rstrip("-") + ending
