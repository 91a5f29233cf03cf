"""Reads the tags of a template's page, tolerantly, as browsers do. Knows no element by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlsplit

FILLED_IN = "\ue000"
"""Stands for what Liquid fills in, where a template is read without a sample."""

_LINE = "data-waggle-line"
# Without the look-ahead a text of opening braces alone would be read to its end from each of them.
_LIQUID = re.compile(r"\{\{(?:(?!\{\{).)*?\}\}|\{%(?:(?!\{%).)*?%\}", re.DOTALL)
_TAG = re.compile(r"<([a-z][a-z0-9-]*)(?=[\s/>])", re.IGNORECASE)
_MARKED = re.compile(
    r"crowd-[a-z0-9-]+|script|link|form|iframe|object|embed|frame|base|button|input|a|img|audio|video|source|track",
    re.I,
)
_BUNDLE = re.compile(r"(crowd-html-elements(-v\d+)?|gen-ai-components)(\.min)?\.(js|css)", re.IGNORECASE)
_NAME = re.compile(r"<([a-z][^\s/>]*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?""")
_RAW = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "textarea", "title")}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tag:
    """One opening tag: its name and attributes in small letters, and its 1-based line in the template."""

    name: str
    attributes: dict[str, str]
    line: int | None

    @property
    def hidden(self) -> bool:
        """Whether its own attributes hide it."""
        return "hidden" in self.attributes or bool(_HIDDEN.search(self.attributes.get("style", "")))


def marked(content: str) -> str:
    """The template with its line written into each tag that a check looks at, so that rendering keeps it."""
    line, before = 1, 0

    def mark(found: re.Match[str]) -> str:
        nonlocal line, before
        line += content.count("\n", before, found.start())
        before = found.start()
        return f'{found[0]} {_LINE}="{line}"' if _MARKED.fullmatch(found[1]) else found[0]

    return _TAG.sub(mark, content)


def masked(content: str) -> str:
    """The template with FILLED_IN in the place of all Liquid."""
    return _LIQUID.sub(lambda found: FILLED_IN if found[0].startswith("{{") else "", content)


def tags(html: str) -> list[Tag]:
    """Every opening tag of a page, in order; those inside scripts and comments are none.

    Takes time in proportion to the length of the page, whatever it holds (Python's own HTMLParser does not).
    """
    found, place = [], 0
    while (place := html.find("<", place)) >= 0:
        if html.startswith("<!--", place):
            place = _behind(html, "-->", place + 4)
        elif opened := _NAME.match(html, place):
            name = opened[1].lower()
            attributes, place = _attributes(html, opened.end())
            line = attributes.pop(_LINE, "")
            found.append(Tag(name, attributes, int(line) if line.isdecimal() else None))
            if name in _RAW:
                ended = _RAW[name].search(html, place)
                place = ended.end() if ended else len(html)
        else:
            place += 1
    return found


def _attributes(html: str, place: int) -> tuple[dict[str, str], int]:
    """The attributes of a tag whose name ends at `place`, the first of each name, and where the tag ends."""
    found: dict[str, str] = {}
    while one := _ATTRIBUTE.match(html, place):
        place = one.end()
        name, value = one[1].lower(), next((part for part in one.groups()[1:] if part is not None), "")
        found.setdefault(name, unescape(value))
    return found, _behind(html, ">", place)


def _behind(text: str, end: str, place: int) -> int:
    at = text.find(end, place)
    return len(text) if at < 0 else at + len(end)


def bundle(address: str) -> bool:
    """Whether an address is that of Ground Truth's script of crowd elements, or of its styles, at whatever host."""
    return _readable(address) and bool(_BUNDLE.fullmatch(urlsplit(address.strip()).path.rsplit("/", 1)[-1]))


def host_of(address: str) -> str:
    """The host of an absolute address, with its port where it says one; "" for any other."""
    if not _readable(address):
        return ""
    parts = urlsplit(address.strip())
    return parts.netloc.lower() if parts.scheme in ("http", "https", "") else ""


def _readable(address: str) -> bool:
    try:
        urlsplit(address.strip())
    except ValueError:
        return False
    return True
