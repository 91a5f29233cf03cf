"""What a worker template of Ground Truth says beside its data: instructions, header, and which earlier labels it shows.

For jobs of a built-in task type, whose own element shows the task. It must not know the job.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from labeling.formats.template_html import FILLED_IN, masked, tags

_INSIDE = {
    name: re.compile(rf"<{name}\b[^>]*>(.*?)</{name}\s*>", re.IGNORECASE | re.DOTALL)
    for name in ("short-instructions", "full-instructions", "short-instruction", "full-instruction")
}
_LINE = re.compile(r"""task\.input\.manifestLine(?:\.([A-Za-z0-9][\w-]*)|\[\s*["']([^"'\]]+)["']\s*\])""")
_DATA = ("source", "source-ref")
_METADATA = "-metadata"


@dataclass(frozen=True, slots=True)
class Said:
    """What a template says.

    `short` and `full` are the HTML of its instructions, `header` the question above the task, "" where there is none;
    `elements` the crowd elements in it by tag; `attributes` the members of the manifest's line that it reads and that
    hold labels, in the order in which they come.
    """

    short: str
    full: str
    header: str
    elements: tuple[str, ...]
    attributes: tuple[str, ...]


def said(content: str) -> Said:
    """Read a template. What Liquid fills in is no part of the texts."""
    found = tags(masked(content))
    crowd = [tag for tag in found if tag.name.startswith("crowd-")]
    header = next((tag.attributes["header"] for tag in crowd if tag.attributes.get("header")), "")
    names = [one[1] or one[2] for one in _LINE.finditer(content)]
    labels = [name.removesuffix(_METADATA) for name in names if name not in _DATA]
    return Said(
        short=_inside(content, "short-instructions", "short-instruction"),
        full=_inside(content, "full-instructions", "full-instruction"),
        header=header.replace(FILLED_IN, "").strip(),
        elements=tuple(dict.fromkeys(tag.name for tag in crowd)),
        attributes=tuple(dict.fromkeys(labels)),
    )


def _inside(content: str, *names: str) -> str:
    """The HTML inside of the first element with one of these names."""
    plain = masked(content).replace(FILLED_IN, "")
    return next((found[1].strip() for name in names if (found := _INSIDE[name].search(plain))), "")
