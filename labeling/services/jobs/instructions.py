"""Instructions as workers see them: harmless HTML, and only pictures that this installation serves.

A picture on another server would tell it who works, from where and when. Knows nothing of jobs.
"""

import re
from typing import Any

import nh3

from labeling.services.jobs import limits

OUTSIDE = re.compile(r"(https?|ftp):|//", re.IGNORECASE)
"""How addresses on other servers begin; nh3 takes out all other schemes."""
WAY_OUT = "it lies on another server, which would learn who works when; upload it as an example picture instead"


def clean_instructions(instructions: dict[str, Any]) -> dict[str, Any]:
    """Instructions as workers see them: HTML reduced to safe tags, example pictures as uri and caption."""
    examples = {
        kind: [
            {"uri": str(example["uri"]), "caption": str(example.get("caption", ""))}
            for example in instructions.get(kind) or []
        ]
        for kind in limits.EXAMPLE_KINDS
    }
    texts = {part: _clean(instructions.get(part) or "")[0] for part in ("short", "full")}
    return {**texts, **examples}


def is_outside(address: str) -> bool:
    """Whether a browser would ask another server for it."""
    # Browsers read a backslash as a slash and ignore white space and control characters.
    seen = "".join(character for character in address if ord(character) > 32).replace("\\", "/")
    return OUTSIDE.match(seen) is not None


def outside_pictures(html: str) -> list[str]:
    """The addresses of the pictures in a text that lie on other servers."""
    return _clean(html)[1]


def _clean(html: str) -> tuple[str, list[str]]:
    outside: list[str] = []

    def kept(tag: str, attribute: str, value: str) -> str | None:
        if attribute != "src" or not is_outside(value):
            return value
        outside.append(value)
        return None

    cleaned: str = nh3.clean(html, attribute_filter=kept)
    return cleaned, outside
