"""Says what in a worker template will not work here, and why, before any worker sees it.

Each finding has the line in the template. Pure: which hosts scripts may come from, and which addresses may be read, are
arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

import json5
import orjson

from labeling.formats import template
from labeling.formats.crowd_elements import ELEMENTS, NOT_HERE, STANDALONE
from labeling.formats.template_html import FILLED_IN, Tag, bundle, host_of, marked, masked, tags
from labeling.formats.template_scripts import script_findings

ERROR = "error"
WARNING = "warning"

_MAX_JSON5 = 4_000
"""Characters of an attribute that is no strict JSON which are read: the reader of JSON5 needs about 0.1 ms for each."""
_MAX_FINDINGS = 200
_GRANTED = "\ue001"
"""Stands for the address that a file of the store gets, which is not the template's to choose."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that will not work (`level` "error") or may surprise ("warning"). `line` is 1-based, None for all."""

    level: str
    code: str
    line: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found, and the page that the sample gives: None without a sample or when it cannot be rendered."""

    findings: tuple[Finding, ...]
    html: str | None = None

    @property
    def works(self) -> bool:
        """Whether there is no error."""
        return not any(one.level == ERROR for one in self.findings)

    def rows(self) -> list[dict[str, Any]]:
        """The findings as plain JSON."""
        return [asdict(one) for one in self.findings]


def check_template(
    content: str,
    *,
    task_input: Any = None,
    script_hosts: Iterable[str] = (),
    grant_read_access: template.ReadAccess = lambda uri: uri,
) -> Report:
    """What will not work. `task_input` is a sample of `task.input`; None checks what can be known without one.

    `script_hosts`: hosts that scripts, styles and fonts may be loaded from.
    """
    try:
        unknown = template.unknown_filters(content)
    except template.TemplateError as error:
        return Report((Finding(ERROR, "template", error.line, error.problem),))
    found = [Finding(WARNING, "unknown-filter", note.line, note.problem) for note in unknown]
    html = page = None
    if task_input is not None:
        try:
            shown = template.rendered(content, task_input, grant_read_access=grant_read_access)
            html = shown.html
            found += [Finding(WARNING, "missing-key", note.line, note.problem) for note in shown.notes]
            page = template.render(marked(content), task_input, grant_read_access=lambda uri: _GRANTED)
        except template.TemplateError as error:
            found.append(Finding(ERROR, "render", error.line, error.problem))
        except TypeError as error:
            found.append(Finding(ERROR, "sample", None, str(error)))
    elements = tags(page if page is not None else masked(marked(content)))
    # What scripts that are loaded define or submit cannot be known here.
    level = WARNING if _loads_scripts(elements, content) else ERROR
    found += _elements(elements, level)
    found += _submitting(elements, content, level)
    found += _loaded(elements, frozenset(host.lower() for host in script_hosts))
    found += [Finding(WARNING, "script", line, message) for line, message in script_findings(content)]
    ordered = sorted(dict.fromkeys(found), key=lambda one: (one.level != ERROR, one.line or 0))
    return Report(tuple(ordered[:_MAX_FINDINGS]), html)


_DEFINES = re.compile(r"customElements\s*\.\s*define\b|createElement\(\s*[\"'`]script[\"'`]|\bimport\s*\(")


def _loads_scripts(elements: Sequence[Tag], content: str) -> bool:
    sources = [one.attributes.get("src") for one in elements if one.name == "script"]
    return any(source and not bundle(source) for source in sources) or bool(_DEFINES.search(content))


def _elements(elements: Sequence[Tag], unknown: str) -> list[Finding]:
    found: list[Finding] = []
    names: dict[str, int | None] = {}
    for one in elements:
        if not one.name.startswith("crowd-"):
            continue
        kind = ELEMENTS.get(one.name)
        if kind is None:
            level = ERROR if one.name in NOT_HERE else unknown
            found.append(Finding(level, "unknown-element", one.line, _unknown(one.name)))
            continue
        linked = kind.linked and bool(one.attributes.get("crowd-form-element-id"))
        if kind.answers and not linked and not one.attributes.get("name"):
            message = f"<{one.name}> has no name: its value would not be part of the answer"
            found.append(Finding(ERROR, "no-name", one.line, message))
        elif kind.answers and not kind.shared_name and (name := one.attributes.get("name", "")):
            if name in names and FILLED_IN not in name and names[name] != one.line:
                message = f"the name {name[:80]!r} is that of line {names[name]} already: one of the values is lost"
                found.append(Finding(WARNING, "same-name", one.line, message))
            names.setdefault(name, one.line)
        found += [
            Finding(ERROR, "no-attribute", one.line, f"<{one.name}> needs the attribute {needed}")
            for needed in kind.needs
            if not one.attributes.get(needed)
        ]
        found += [
            Finding(ERROR, "no-json", one.line, f"<{one.name}>: {name} is no JSON: {problem}")
            for name in kind.json
            if not (name in kind.plain and _PLAIN.match(one.attributes.get(name) or ""))
            and (problem := _json_problem(one.attributes.get(name) or ""))
        ]
    return found


_PLAIN = re.compile(r"\s*[^\s\[{'\"]")


def _unknown(name: str) -> str:
    if name in NOT_HERE:
        return f"<{name}>: video and 3D point clouds are not labeled here"
    near = get_close_matches(name, ELEMENTS, n=1)
    return f"there is no element <{name[:80]}>" + (f"; was <{near[0]}> meant?" if near else "")


def _json_problem(text: str) -> str:
    """Why an attribute is no JSON, "" when it is; read as leniently as the elements do."""
    if not text.strip() or FILLED_IN in text:
        return ""
    try:
        orjson.loads(text)
        return ""
    except ValueError as error:
        strict = str(error)
    if len(text) > _MAX_JSON5:
        return strict
    try:
        json5.loads(text)
    except (ValueError, RecursionError) as error:
        said = re.sub(r"^<string>:\d+ ", "", str(error)) if isinstance(error, ValueError) else "it is nested too deeply"
        return f"{said} in {text[:60]}"
    return ""


def _submitting(elements: Sequence[Tag], content: str, level: str) -> list[Finding]:
    forms = [one for one in elements if one.name == "crowd-form"]
    if not forms and not any(one.name in STANDALONE for one in elements):
        if any(one.name == "form" for one in elements):
            message = "the plain <form> is not sent anywhere: use <crowd-form>"
        else:
            message = "there is no <crowd-form>, so nothing can be submitted"
        return [Finding(ERROR, "no-form", None, message)]
    found = [
        Finding(WARNING, "two-forms", one.line, "there is another <crowd-form> already: each submits by itself")
        for one in forms[1:]
    ]
    buttons = [one for one in elements if one.attributes.get("form-action") == "submit"]
    visible = [one for one in buttons if not one.hidden]
    if forms and buttons and not visible and not re.search(r"\.\s*(submit|requestSubmit|click)\s*\(", content):
        message = "the submit button is hidden and no script submits the form"
        found.append(Finding(level, "no-submit", buttons[0].line, message))
    return found


_MEDIA = ("img", "audio", "video", "source", "track")


def _loaded(elements: Sequence[Tag], hosts: frozenset[str]) -> list[Finding]:
    found = []
    for one in elements:
        source = one.attributes.get("src") if one.name == "script" else None
        if one.name == "link" and "stylesheet" in (one.attributes.get("rel") or "").lower():
            source = one.attributes.get("href")
        if one.name in ("iframe", "object", "embed", "frame", "base"):
            message = f"<{one.name}> does nothing here: templates may not show other pages"
            found.append(Finding(WARNING, "not-shown", one.line, message))
        if one.name == "video":
            message = "video and 3D point clouds are not labeled here: no data object can be a video"
            found.append(Finding(WARNING, "video", one.line, message))
        level, what = ERROR, "scripts and styles"
        if one.name in _MEDIA:
            level, what, source = WARNING, "pictures, sounds and videos", one.attributes.get("src")
        if source and (problem := _address_problem(source, hosts, what)):
            found.append(Finding(level, problem[0], one.line, problem[1]))
    return found


def _address_problem(address: str, hosts: frozenset[str], what: str) -> tuple[str, str] | None:
    """Why the page cannot load from an address: (code, message); None when it can, or nobody knows yet."""
    known = (FILLED_IN, _GRANTED, "${")
    if bundle(address) or address.startswith(("data:", "blob:")) or any(one in address for one in known):
        return None
    host = host_of(address)
    if not host:
        return "relative", f"{address[:200]} is relative: a template has no address of its own"
    if host not in hosts:
        allowed = ", ".join(sorted(hosts)) or "none"
        return "host", f"{what} from {host} are not allowed (allowed hosts: {allowed})"
    if urlsplit(address).scheme == "http":
        return "host", f"{address[:200]} is loaded by http: use https"
    return None
