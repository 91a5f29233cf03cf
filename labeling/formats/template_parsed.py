"""A walk over parsed templates: their expressions and filters. Knows neither limits nor data."""

from __future__ import annotations

from collections.abc import Iterator

from liquid import BoundTemplate, RenderContext
from liquid.builtin.expressions.arguments import PositionalArgument
from liquid.builtin.expressions.filtered import Filter, FilteredExpression, TernaryFilteredExpression
from liquid.builtin.expressions.primitive import StringLiteral
from liquid.expression import Expression

_MAX_SAID = 200


def expressions(template: BoundTemplate) -> Iterator[Expression]:
    """Every expression of the template and every expression in one."""
    scratch = RenderContext(template)
    nodes = list(template.nodes)
    while nodes:
        node = nodes.pop()
        nodes.extend(node.children(scratch, include_partials=False))
        found = list(node.expressions())
        while found:
            expression = found.pop()
            yield expression
            found.extend(expression.children())


def filters(template: BoundTemplate) -> list[Filter]:
    """Every use of a filter, in no particular order."""
    return [one for chain in _chains(template) for one in chain.filters or ()]


def name_inputs(template: BoundTemplate, name: str) -> None:
    """Give each use of the filter `name`, as its only argument, the text of the expression that it is applied to."""
    for chain in _chains(template):
        for place, one in enumerate(chain.filters or ()):
            if one.name == name:
                said = str(FilteredExpression(chain.token, chain.left, (chain.filters or [])[:place]))
                one.args = [PositionalArgument(StringLiteral(one.token, said[:_MAX_SAID]))]


def _chains(template: BoundTemplate) -> Iterator[FilteredExpression]:
    for expression in expressions(template):
        if isinstance(expression, FilteredExpression):
            yield expression
        elif isinstance(expression, TernaryFilteredExpression):
            yield expression.left
