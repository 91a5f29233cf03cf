"""Worker task templates: Liquid as Ground Truth and A2I use it, sandboxed.

Output is HTML-escaped unless the template says `skip_autoescape`; objects and arrays print as JSON. No files, no
includes, no attribute of any Python object can be reached: templates see plain JSON data. Whether a URI may be read
is decided by the `grant_read_access` the caller gives, never here. Safe HTML is not: the page shows it in a sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from liquid import Environment, Markup
from liquid.exceptions import LiquidError

from labeling.formats import template_limits

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


@dataclass(frozen=True, slots=True)
class RenderProblem:
    """One entry of RenderUiTemplate's `Errors`."""

    code: str
    message: str


def render(content: str, task_input: Any, *, grant_read_access: ReadAccess) -> str:
    """The template with `task.input` set; raises TemplateError.

    `grant_read_access` turns an s3:// (or other storage) URI into a link the worker's browser can open. It is called
    with whatever the template's author writes, so it must check that the task may see that object.
    """
    template = _parse(content)
    try:
        data = {"task": _Object(input=_plain(task_input))}
    except RecursionError:
        raise TemplateError("the task input is nested too deeply") from None
    template_limits.start()
    token = _read_access.set(grant_read_access)
    try:
        return str(template.render(data))
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


def _parse(content: str) -> Any:
    if not content.strip():
        raise TemplateError("the template is empty")
    if len(content) > MAX_TEMPLATE:
        raise TemplateError(f"the template has {len(content):,} characters, at most {MAX_TEMPLATE:,} are allowed")
    return _parsed(content)


@lru_cache(maxsize=64)
def _parsed(content: str) -> Any:
    try:
        template = _environment().from_string(content)
        template_limits.bound_ranges(template)
    except LiquidError as error:
        raise _told(error) from None
    except RecursionError:
        raise TemplateError("the template is nested too deeply") from None
    return template


def _told(error: LiquidError) -> TemplateError:
    context = error.context()
    return TemplateError(str(error.message), context[0] if context else None)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = _Environment(autoescape=True)
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
    return _json(value)


def _grant_read_access(value: Any) -> str:
    if not isinstance(value, str) or not value:
        return ""
    return _read_access.get()(str(value))


def _skip_autoescape(value: Any) -> Markup:
    return Markup(value)


def _json(value: Any) -> str:
    """JSON that can stand inside a script element as well: `</script>` and entities cannot appear in it."""
    text = orjson.dumps(value, default=_jsonable, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, tuple | range):
        return list(value)
    if isinstance(value, str):
        return str.__str__(value)
    return None  # an undefined variable


# --- data ----------------------------------------------------------------------------------------------------------


class _Object(dict[str, Any]):
    """A JSON object as Liquid expects hashes: loops see [key, value] pairs, printing gives JSON."""

    def __missing__(self, key: Any) -> Any:
        # class-map[class_id] with a number: JSON keys are always strings
        if isinstance(key, int) and not isinstance(key, bool) and str(key) in self:
            return self[str(key)]
        raise KeyError(key)

    def items(self) -> Any:
        return _Pairs(self)

    def __str__(self) -> str:
        return _json(self)


class _Pairs:
    def __init__(self, holder: Mapping[str, Any]) -> None:
        self._holder = holder

    def __iter__(self) -> Iterator[_Array]:
        return (_Array((key, self._holder[key])) for key in self._holder)

    def __len__(self) -> int:
        return len(self._holder)


class _Array(tuple[Any, ...]):
    """A JSON array that prints as JSON (a plain list would print as its items run together)."""

    __slots__ = ()

    def __str__(self) -> str:
        return _json(self)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _Object((str(key), _plain(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return _Array(_plain(item) for item in value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"task input must be JSON data, found {type(value).__name__}")
