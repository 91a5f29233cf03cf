"""Keywords and tags of a labeling job: what workers and accounting find it by."""

import re
from collections.abc import Sequence
from typing import Any

from labeling.services.jobs import limits

KEYWORD = re.compile(r"[A-Za-z0-9]+( [A-Za-z0-9]+)*")
"""Words of letters and digits, with single spaces between them."""


def problems(keywords: Sequence[Any], tags: Sequence[Any]) -> list[tuple[str, str]]:
    """(field, what is wrong) for keywords and tags that a job cannot have."""
    found = []
    if len(keywords) not in limits.KEYWORDS or not all(_is_keyword(keyword) for keyword in keywords):
        said = f"{limits.KEYWORDS} keywords expected, each words of letters and digits, "
        found.append(("keywords", f"{said}{limits.KEYWORD_LENGTH} characters"))
    if len(tags) not in limits.TAGS or not all(_is_tag(tag) for tag in tags):
        said = f"{limits.TAGS} tags expected, each with a Key of {limits.TAG_KEY_LENGTH} "
        found.append(("tags", f"{said}and a Value of {limits.TAG_VALUE_LENGTH} characters"))
    return found


def _is_keyword(keyword: Any) -> bool:
    return isinstance(keyword, str) and len(keyword) in limits.KEYWORD_LENGTH and bool(KEYWORD.fullmatch(keyword))


def _is_tag(tag: Any) -> bool:
    return (
        isinstance(tag, dict)
        and len(tag.get("Key", "")) in limits.TAG_KEY_LENGTH
        and len(tag.get("Value", "")) in limits.TAG_VALUE_LENGTH
    )
