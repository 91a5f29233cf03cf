"""Worker task templates: Liquid as Ground Truth and A2I use it, sandboxed.

Output is HTML-escaped unless the template says `skip_autoescape`; objects and arrays print as JSON. No files, no
includes, no attribute of any Python object can be reached: templates see plain JSON data. Whether a URI may be read
is decided by the `grant_read_access` the caller gives, never here. Safe HTML is not: the page shows it in a sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from liquid import Environment, Markup
from liquid.exceptions import FilterArgumentError, LiquidError

from labeling.formats import template_data, template_limits, template_parsed
from labeling.formats.template_data import Missing, Note, Object

MAX_TEMPLATE = 128_000
_TAGS = (
    "assign",
    "break",
    "capture",
    "case",
    "comment",
    "continue",
    "cycle",
    "decrement",
    "echo",
    "for",
    "if",
    "increment",
    "#",
    "unless",
)
_INTERNAL_TAGS = ("literal", "content", "output", "illegal")
_FILTERS = (
    # values of any kind
    *("default", "size", "first", "last", "slice", "concat", "join"),
    # texts
    *("append", "capitalize", "downcase", "escape", "escape_once", "lstrip", "newline_to_br", "prepend", "remove"),
    *("remove_first", "replace", "replace_first", "rstrip", "split", "strip", "strip_newlines", "truncate", "upcase"),
    *("url_decode", "url_encode"),
    # numbers
    *("abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "round", "times"),
    # lists
    *("compact", "map", "reverse", "sort", "sort_natural", "uniq", "where"),
)

ReadAccess = Callable[[str], str]
_read_access: ContextVar[ReadAccess] = ContextVar("read_access")


class TemplateError(ValueError):
    """A template that cannot be parsed or rendered; `line` is 1-based, None where the whole template is meant."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.problem = problem
        self.line = line


class UnreadableUri(ValueError):
    """Raised by a `grant_read_access` for a URI that this task may not read; the message says why."""


@dataclass(frozen=True, slots=True)
class RenderProblem:
    """One entry of RenderUiTemplate's `Errors`."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page made from a template, and what it wanted of its input and did not find."""

    html: str
    notes: tuple[Note, ...]


def render(content: str, task_input: Any, *, grant_read_access: ReadAccess) -> str:
    """The template with `task.input` set; raises TemplateError. See `rendered`."""
    return rendered(content, task_input, grant_read_access=grant_read_access).html


def rendered(content: str, task_input: Any, *, grant_read_access: ReadAccess) -> Rendered:
    """The template with `task.input` set, and notes of the keys that were missing; raises TemplateError.

    `grant_read_access` turns an s3:// (or other storage) URI into a link the worker's browser can open. It is called
    with whatever the template's author writes, so it must check that the task may see that object; it raises
    UnreadableUri where it may not.
    """
    template = _parse(content)
    try:
        data = {"task": Object(input=template_data.plain(task_input))}
    except RecursionError:
        raise TemplateError("the task input is nested too deeply") from None
    template_limits.start()
    template_data.start()
    token = _read_access.set(grant_read_access)
    try:
        return Rendered(str(template.render(data)), template_data.notes())
    except LiquidError as error:
        raise _told(error) from None
    except (RecursionError, ArithmeticError, ValueError) as error:
        raise TemplateError(f"cannot be rendered ({error})") from None
    finally:
        _read_access.reset(token)


def check(content: str) -> list[RenderProblem]:
    """What is wrong with a template before any task uses it; empty when it parses."""
    try:
        _parse(content)
    except TemplateError as error:
        return [RenderProblem("InvalidTemplate", str(error))]
    return []


def unknown_filters(content: str) -> list[Note]:
    """The filters of a template that do nothing here, with their lines. Raises TemplateError."""
    known = _environment().filters
    return [
        Note(template_data.line_of(one.token), f"there is no filter {one.name!r}: the value passes through unchanged")
        for one in template_parsed.filters(_parse(content))
        if one.name not in known
    ]


def _parse(content: str) -> Any:
    if not content.strip():
        raise TemplateError("the template is empty")
    if len(content) > MAX_TEMPLATE:
        raise TemplateError(f"the template has {len(content):,} characters, at most {MAX_TEMPLATE:,} are allowed")
    return _parsed(content)


@lru_cache(maxsize=64)
def _parsed(content: str) -> Any:
    try:
        template = _environment().from_string(_CALLED.sub(_without_call, content))
        template_limits.bound_ranges(template)
        template_parsed.name_inputs(template, "grant_read_access")
    except LiquidError as error:
        told = _told(error)
        raise told if told.line is not None else _unclosed(content, told) from None
    except RecursionError:
        raise TemplateError("the template is nested too deeply") from None
    return template


# `| tojson(indent=2)` is no Liquid; Ground Truth takes it for a filter it does not know and passes the value through.
_CALLED = re.compile(r"(\|\s*[A-Za-z_]\w*)(\([^()|{}]*\))(?=\s*(?:\||-?[}%]\}))")


def _without_call(found: re.Match[str]) -> str:
    return found[1] + re.sub(r"[^\n]", " ", found[2])


_BLOCK = re.compile(r"\{%-?\s*(end)?(if|unless|for|case|capture|comment)\b")


def _unclosed(content: str, told: TemplateError) -> TemplateError:
    """The error of a template that ends too early, with the line of the block that is still open there."""
    opened: list[re.Match[str]] = []
    for tag in _BLOCK.finditer(content):
        if not tag[1]:
            opened.append(tag)
        elif opened and opened[-1][2] == tag[2]:
            opened.pop()
    if not opened:
        return told
    line = content.count("\n", 0, opened[-1].start()) + 1
    return TemplateError(f"{{% {opened[-1][2]} %}} is never closed by {{% end{opened[-1][2]} %}}", line)


def _told(error: LiquidError) -> TemplateError:
    context = error.context()
    return TemplateError(str(error.message), context[0] if context else None)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = _Environment(autoescape=True, strict_filters=False, undefined=Missing)
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in _TAGS or name in _INTERNAL_TAGS}
    known = environment.filters
    environment.filters = {name: template_limits.guarded(name, known[name]) for name in _FILTERS}
    for name, function in (
        ("to_json", _to_json),
        ("grant_read_access", _grant_read_access),
        ("skip_autoescape", _skip_autoescape),
    ):
        environment.add_filter(name, template_limits.guarded(name, function))
    return environment


class _Environment(Environment):
    block_nesting_limit = 30
    context_depth_limit = 30
    loop_iteration_limit = 100_000
    local_namespace_limit = 2_000_000
    output_stream_limit = 4_000_000
    template_class = template_limits.CountingTemplate


# --- filters -------------------------------------------------------------------------------------------------------


def _to_json(value: Any) -> str:
    return template_data.to_json(value)


def _grant_read_access(value: Any, said: str = "") -> str:
    """`said` is the expression that gave the value; template_parsed.name_inputs puts it there."""
    if isinstance(value, Missing):
        raise FilterArgumentError(f"grant_read_access: {said} gives nothing: {value.why}", token=None)
    uri = s3_uri(value.strip()) if isinstance(value, str) else None
    if uri is None:
        shown = template_data.to_json(value)
        raise FilterArgumentError(
            f"grant_read_access: {said} gives {shown[:200]}, which is not a valid S3 URI (s3://bucket/key expected)",
            token=None,
        )
    try:
        return _read_access.get()(uri)
    except UnreadableUri as error:
        raise FilterArgumentError(f"grant_read_access: {said} gives {uri[:200]}: {error}", token=None) from None


def s3_uri(text: str) -> str | None:
    """The storage URI that a text names: s3:// and file:// as they are, S3's https:// links as s3://; None else."""
    if text.startswith(("s3://", "file://")):
        return text if re.fullmatch(r"s3://[^/\s]+/.+|file:///.+", text, re.DOTALL) else None
    for form in _S3_LINKS:
        if found := form.fullmatch(text):
            return f"s3://{found['bucket']}/{unquote(found['key'])}"
    return None


_S3_HOST = r"s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
_S3_LINKS = (
    re.compile(rf"https?://{_S3_HOST}/(?P<bucket>[^/?#]+)/(?P<key>[^?#]+)(?:[?#].*)?"),
    re.compile(rf"https?://(?P<bucket>[^/?#]+)\.{_S3_HOST}/(?P<key>[^?#]+)(?:[?#].*)?"),
)


def _skip_autoescape(value: Any) -> Markup:
    return Markup(value)
