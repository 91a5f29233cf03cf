"""Choosing objects by their metadata: the WHERE part of a small SQL, in the spirit of S3 Select over a manifest.

    "animals-metadata"."confidence" > 0.8 AND split IN ('train', 'val') AND NOT note LIKE '%blur%'

The grammar is in selection_query.lark and the meaning in selection_predicates.py; this file turns a text into a
predicate, once, and says what is wrong with a text and where. It must not know manifests or storage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedToken

from labeling.formats import selection_predicates as predicates
from labeling.formats.selection_predicates import Operand, Predicate

MAX_LENGTH = 4000
"""Characters of an expression."""
MAX_DEPTH = 40
"""Levels of parentheses and NOT."""

_LITERALS = {"TRUE": True, "FALSE": False, "NULL": None}
_TABLE_NAMES = ("s", "s3object")
# (terminals that the grammar would accept here, what a reader is told was expected); the first that fits is told.
_EXPECTATIONS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"NUMBER", "QUOTED"}), "a field, a number or a 'text'"),
    (frozenset({"QUOTED"}), "a field name after '.'"),
    (frozenset({"SIGN"}), "a comparison"),
    (frozenset({"IN", "LIKE"}), "IN, LIKE or BETWEEN"),
    (frozenset({"NULL", "MISSING"}), "NULL or MISSING"),
    (frozenset({"NUMBER"}), "a place such as [0]"),
    (frozenset({"$END"}), "AND, OR or the end"),
    (frozenset({"_RPAR"}), "')'"),
    (frozenset({"_LPAR"}), "'('"),
    (frozenset({"_RSQB"}), "']'"),
    (frozenset({"AND"}), "'AND'"),
)


class QueryError(ValueError):
    """What is wrong with an expression and at which character (1-based)."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(f"position {position}: {problem}")
        self.problem = problem
        self.position = position


def compile_where(expression: str) -> Callable[[Mapping[str, Any]], bool]:
    """A predicate over the attributes of a line. Raises QueryError with the position of the first mistake.

    Fields: `name`, `"name with anything"`, paths with dots and `[0]`; a leading `s.` or `s3object.` is dropped.
    Operators: = == != <> < <= > >=, AND OR NOT, IN (...), LIKE '%_' [ESCAPE 'c'], BETWEEN a AND b, IS [NOT] NULL or
    MISSING. Literals: numbers, 'text' ('' for a quote), TRUE, FALSE, NULL.

    A field that a line lacks is NULL, and a comparison with NULL is neither true nor false, so the line is not chosen.
    """
    if len(expression) > MAX_LENGTH:
        raise QueryError(f"an expression has at most {MAX_LENGTH} characters", MAX_LENGTH + 1)
    try:
        tree = _grammar().parse(expression)
    except UnexpectedCharacters as error:
        raise _lexical_error(expression, error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        raise _syntax_error(expression, error) from None
    test = _condition(_nodes(tree)[-1], 1)
    return lambda attributes: test(attributes) is True


@cache
def _grammar() -> Lark:
    text = Path(__file__).with_suffix(".lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic", propagate_positions=True)


# --- mistakes --------------------------------------------------------------------------------------------------------


def _lexical_error(expression: str, at: int) -> QueryError:
    unclosed = {"'": "a text that is not closed", '"': "a field name that is not closed"}
    return QueryError(unclosed.get(expression[at], f"unexpected {expression[at]!r}"), at + 1)


def _syntax_error(expression: str, error: UnexpectedToken) -> QueryError:
    token = error.token
    at_end = token.type == "$END"
    found = "the end" if at_end else repr(_token_value(token))
    position = len(expression) + 1 if at_end else _position(token)
    accepted = error.accepts or set()
    if "TEXT" in accepted and "NUMBER" not in accepted:
        if error.interactive_parser.parser_state.value_stack[-1].type == "ESCAPE":
            return QueryError("ESCAPE needs one character in single quotes", position)
        return QueryError(f"LIKE needs a text in single quotes, found {found}", position)
    expected = next((phrase for terminals, phrase in _EXPECTATIONS if terminals <= accepted), "something else")
    return QueryError(f"expected {expected}, found {found}", position)


def _position(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _token_value(token: Token) -> Any:
    if token.type == "NUMBER":
        return int(token) if token.lstrip("+-").isdigit() else float(token)
    if token.type == "TEXT":
        return token[1:-1].replace("''", "'")
    if token.type == "QUOTED":
        return token[1:-1].replace('""', '"')
    is_plain = token.type in ("WORD", "SIGN") or token.type.startswith("_")
    return str(token) if is_plain else token.upper()


# --- from the tree to a predicate ------------------------------------------------------------------------------------


def _condition(node: Tree[Token], depth: int) -> Predicate:
    """The predicate of a node; `depth` counts the parentheses and NOTs around it."""
    if depth > MAX_DEPTH:
        raise QueryError(f"nested deeper than {MAX_DEPTH} levels", node.meta.start_pos + 1)
    parts = _nodes(node)
    if node.data == "disjunction":
        return predicates.any_of([_condition(part, depth) for part in parts])
    if node.data == "conjunction":
        return predicates.all_of([_condition(part, depth) for part in parts])
    if node.data == "negation":
        return predicates.negation(_condition(parts[0], depth + 1))
    if node.data == "group":
        return _condition(parts[0], depth + 1)
    test = _PREDICATES[node.data](node, [_operand(part) for part in parts])
    return predicates.negation(test) if _tokens(node, "NOT") else test


def _comparison(node: Tree[Token], operands: list[Operand]) -> Predicate:
    return predicates.comparison(operands[0], str(_tokens(node, "SIGN")[0]), operands[1])


def _between(node: Tree[Token], operands: list[Operand]) -> Predicate:
    return predicates.between(*operands)


def _membership(node: Tree[Token], operands: list[Operand]) -> Predicate:
    return predicates.membership(operands[0], operands[1:])


def _absence(node: Tree[Token], operands: list[Operand]) -> Predicate:
    word = _tokens(node, "NULL", "MISSING")[0].upper()
    if not operands[0].is_field:
        raise QueryError(f"IS {word} needs a field on its left", node.meta.start_pos + 1)
    return predicates.is_null(operands[0]) if word == "NULL" else predicates.is_missing(operands[0])


def _like(node: Tree[Token], operands: list[Operand]) -> Predicate:
    pattern, *escapes = _tokens(node, "TEXT")
    escape = _token_value(escapes[0]) if escapes else None
    if escape is not None and len(escape) != 1:
        raise QueryError("ESCAPE needs one character in single quotes", (escapes[0].end_pos or 0) + 1)
    try:
        return predicates.like(operands[0], _token_value(pattern), escape)
    except ValueError as error:
        raise QueryError(str(error), _position(pattern)) from None


_PREDICATES: dict[str, Callable[[Tree[Token], list[Operand]], Predicate]] = {
    "comparison": _comparison,
    "between": _between,
    "membership": _membership,
    "absence": _absence,
    "like": _like,
}


def _operand(node: Tree[Token]) -> Operand:
    first, *rest = _tokens(node)
    if node.data == "constant":
        is_literal = first.type in _LITERALS
        return predicates.constant(_LITERALS[first.type] if is_literal else _token_value(first))
    for place in rest:
        if place.type == "NUMBER" and (not isinstance(_token_value(place), int) or _token_value(place) < 0):
            raise QueryError(f"expected a place such as [0], found {_token_value(place)}", _position(place))
    path = [_token_value(token) if token.type in ("NUMBER", "QUOTED") else str(token) for token in (first, *rest)]
    is_table = first.type == "WORD" and first.lower() in _TABLE_NAMES
    return predicates.field(path[1:] if is_table and rest else path)


def _nodes(node: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in node.children if isinstance(child, Tree)]


def _tokens(node: Tree[Token], *types: str) -> list[Token]:
    """The node's own tokens of these types, or all of them."""
    return [child for child in node.children if isinstance(child, Token) and (not types or child.type in types)]
