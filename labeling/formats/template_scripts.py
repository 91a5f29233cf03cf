"""What scripts of templates do that does not work in the sandboxed frame, found by what they are written with."""

from __future__ import annotations

import re

_SAID: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"\bdocument\s*\.\s*cookie\b"),
        "document.cookie: the page of a template has no cookies",
    ),
    (
        re.compile(r"\b(?:window\s*\.\s*)?(?:top|parent)\s*\.\s*(?:location|document|postMessage)\b"),
        "the page around the template cannot be reached from it",
    ),
    (
        re.compile(r"\bshadowRoot\b[^;\n]{0,200}(?::nth-(?:child|of-type)|\.children\s*\[|childNodes\s*\[)"),
        "parts inside an element are looked up by their place, which differs here: use the names of buttons",
    ),
    (
        re.compile(r"(?<![\w.$])(?:window\s*\.\s*)?(?:confirm|prompt)\s*\("),
        "confirm() and prompt() are always cancelled in the sandbox: ask in the page (alert() is shown)",
    ),
    (
        re.compile(r"\bindexedDB\b|\bcaches\s*\.\s*open\b|\bnavigator\s*\.\s*serviceWorker\b"),
        "the page of a template can store nothing beyond the task",
    ),
    (
        re.compile(r"(?<![\w.$])\$\{\s*[A-Za-z_][\w.]*\s*\}(?!`)"),
        "${...} is Mechanical Turk's way to fill in values: write {{ task.input... }}",
    ),
)
_TEMPLATE_LITERAL = re.compile(r"`[^`]{0,20000}`", re.DOTALL)


def script_findings(content: str) -> list[tuple[int, str]]:
    """(line, what will not work), at most one of a kind a line."""
    # ${...} inside backquotes is JavaScript's own.
    plain = _TEMPLATE_LITERAL.sub(lambda found: re.sub(r"\$\{", "  ", found[0]), content)
    found = {
        (plain.count("\n", 0, hit.start()) + 1, message)
        for pattern, message in _SAID
        for hit in pattern.finditer(plain)
    }
    return sorted(found)
