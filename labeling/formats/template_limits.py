"""A budget for rendering untrusted templates: nodes, loop iterations and the sizes that filters work on.

python-liquid limits nesting, output and the sizes of variables; what it does not limit (`replace` that makes a text
huge, ranges of a billion, thousands of loops in sequence) is limited here. It must not know tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from liquid import BoundTemplate, RenderContext, Token
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import ResourceLimitError
from liquid.expression import Expression
from liquid.undefined import UNDEFINED

from labeling.formats import template_parsed
from labeling.formats.template_data import Missing

MAX_STEPS = 200_000
MAX_TEXT = 500_000
MAX_ITEMS = 20_000
MAX_NUMBER = 2**63
MAX_RANGE_BOUND = 10_000
_CHARACTERS_A_STEP = 200

# Filters with which a template asks for a value that may be missing, or that report it themselves.
_ASKING = frozenset({"default", "grant_read_access"})

_ABSENT = object()

_steps: ContextVar[list[int]] = ContextVar("steps")


def start() -> None:
    """Open a fresh budget for the render that follows in this thread or task."""
    _steps.set([MAX_STEPS])


def spend(steps: int) -> None:
    """Spend some of the budget; raises ResourceLimitError when it is used up."""
    left = _steps.get()
    left[0] -= steps
    if left[0] < 0:
        raise ResourceLimitError(f"the template takes more than {MAX_STEPS:,} steps to render", token=None)


class CountingContext(RenderContext):
    """Charges every node and every loop iteration."""

    __slots__ = ("_disabled",)

    # liquid.ast.Node.render reads this before it renders any node, so that every node is charged here.
    @property
    def disabled_tags(self) -> Any:
        spend(1)
        return self._disabled

    @disabled_tags.setter
    def disabled_tags(self, value: Any) -> None:
        self._disabled = value

    def get(self, path: list[Any], *, token: Token | None, default: object = UNDEFINED) -> object:
        """The value at a path; a Missing that says which key is not there and which are."""
        found = super().get(path, token=token, default=_ABSENT)
        if found is not _ABSENT:
            return found
        return self._missing(path, token) if default is UNDEFINED else default

    def _missing(self, path: list[Any], token: Token | None) -> Missing:
        holder: Any = self.scope
        for depth, segment in enumerate(path):
            try:
                inner = self.get_item(holder, segment) if depth else holder[segment]
            except (KeyError, TypeError, IndexError):
                break
            holder = inner
        else:
            return Missing(str(path[-1]), token=token)
        if isinstance(holder, Missing):
            return holder
        return Missing(str(segment), token=token, obj=(path, holder, depth))

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Charge the iterations of a loop when it begins; a nested loop is charged in each outer iteration."""
        spend(length)
        super().raise_for_loop_limit(length)


class CountingTemplate(BoundTemplate):
    """A template that renders within the budget."""

    context_class = CountingContext


def guarded(name: str, filter_function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter with its inputs and result measured before and after."""

    @wraps(filter_function)
    def measured(value: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(value, Missing) and name not in _ASKING:
            value.noted()
        sizes = [_size(item) for item in (value, *arguments)]
        if name == "replace" and arguments and isinstance(value, str):
            found = value.count(str(arguments[0])) if str(arguments[0]) else len(value) + 1
            sizes.append(found * (sizes[2] if len(sizes) > 2 else 0))
        elif name == "join" and arguments:
            sizes.append(_count(value) * sizes[1])
        _refuse_above(max(sizes), name)
        spend(1 + sum(sizes) // _CHARACTERS_A_STEP)
        result = filter_function(value, *arguments, **options)
        _refuse_above(_size(result), name)
        return result

    return measured


def _refuse_above(size: int, name: str) -> None:
    if size > MAX_TEXT:
        raise ResourceLimitError(f"{name}: a value has more than {MAX_TEXT:,} characters", token=None)


def _size(value: Any) -> int:
    """About how many characters a filter has to touch; raises ResourceLimitError for oversized numbers and lists."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, int | float):
        if value != value or abs(value) > MAX_NUMBER:
            raise ResourceLimitError("a number is out of range", token=None)
        return 1
    if isinstance(value, list | tuple | range | dict):
        if len(value) > MAX_ITEMS:
            raise ResourceLimitError(f"a list has more than {MAX_ITEMS:,} items", token=None)
        if isinstance(value, range):
            return len(value)
        items: Iterable[Any] = value.values() if isinstance(value, dict) else value
        return 1 + sum(_size(item) for item in items)
    return 1


def _count(value: Any) -> int:
    return len(value) if isinstance(value, list | tuple | range | dict) else 1


class _Bound(Expression):
    """One end of a range, refused when it is too large: `reversed` and filters turn ranges into lists."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self.inner = inner

    def evaluate(self, context: RenderContext) -> object:
        found = self.inner.evaluate(context)
        try:
            number = int(found)  # type: ignore[call-overload]
        except (TypeError, ValueError, OverflowError):
            return 0
        if abs(number) > MAX_RANGE_BOUND:
            raise ResourceLimitError(f"a range may reach {MAX_RANGE_BOUND:,} at most", token=self.token)
        return number

    def children(self) -> list[Expression]:
        return [self.inner]


def bound_ranges(template: BoundTemplate) -> None:
    """Put a bound on both ends of every range of a parsed template."""
    for expression in template_parsed.expressions(template):
        if isinstance(expression, RangeLiteral):
            expression.start, expression.stop = _Bound(expression.start), _Bound(expression.stop)
