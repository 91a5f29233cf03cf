"""Finds in source text what writes a column: by assignment, setattr, update, a constructor or SQL. Runs nothing."""

import ast
import re
from collections.abc import Iterator

WRITES = frozenset(
    {
        "create",
        "acreate",
        "get_or_create",
        "update_or_create",
        "bulk_create",
        "bulk_update",
        "update",
        "aupdate",
        "delete",
        "save",
    }
)
"""Methods of managers, query sets and rows that write."""


def field_writes(text: str, field: str) -> Iterator[tuple[int, str]]:
    """(line, how) of each place in Python source that changes `field` of a row that exists.

    Giving a new row its first value is no change: a constructor and `create` are not found.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del) and node.attr == field:
            yield node.lineno, f".{field} = "
        elif isinstance(node, ast.Call):
            yield from ((node.lineno, how) for how in _call_writes(node, field))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((node.lineno, "SQL") for _ in sql_writes(node.value, field))


def _call_writes(call: ast.Call, field: str) -> Iterator[str]:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("setattr", "__setattr__") and any(_is(argument, field) for argument in call.args):
        yield f'{name}("{field}")'
    if name in ("update", "aupdate") and any(keyword.arg == field for keyword in call.keywords):
        yield f"update({field}=)"
    listed = [*call.args, *(k.value for k in call.keywords if k.arg in ("fields", "update_fields", "defaults"))]
    held = [
        element
        for argument in listed
        if isinstance(argument, ast.List | ast.Tuple | ast.Set | ast.Dict)
        for element in (argument.keys if isinstance(argument, ast.Dict) else argument.elts)
    ]
    if name in ("bulk_update", "bulk_create", "update_or_create", "save") and any(_is(e, field) for e in held):
        yield f"{name}([{field}])"


def unnamed_writes(text: str) -> Iterator[int]:
    """The lines that write columns by names in variables: setattr with a variable, a query set's update(**)."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name == "setattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
            yield node.lineno
        if name in ("update", "aupdate") and any(keyword.arg is None for keyword in node.keywords):
            yield node.lineno


def sql_writes(text: str, column: str) -> Iterator[str]:
    """The assignments of an UPDATE in SQL text that set `column`."""
    for statement in re.findall(
        r"\bUPDATE\b.*?\bSET\b(.*?)(?:\bWHERE\b|\bFROM\b|\bRETURNING\b|;|\Z)", text, re.S | re.I
    ):
        yield from re.findall(rf"(?:^|,|\s){column}\s*=[^=]", statement)


def row_writes(text: str, models: frozenset[str]) -> Iterator[tuple[int, str]]:
    """(line, how) of each place in Python source that writes rows of the models, named by class."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in models:
                yield node.lineno, f"{node.func.id}("
            elif isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
                root = _root(node.func)
                related = {f"{model.lower()}s" for model in models} | {f"{model.lower()}_set" for model in models}
                if root & (models | related):
                    yield node.lineno, f"{'.'.join(sorted(root & (models | related)))}...{node.func.attr}("
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((node.lineno, "SQL") for _ in table_writes(node.value, models))


def table_writes(text: str, models: frozenset[str]) -> list[str]:
    """The statements in SQL text that write a table of one of the models."""
    tables = "|".join(model.lower() for model in sorted(models))
    pattern = (
        rf"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|MERGE\s+INTO)\s+\"?marketplace_(?:{tables})\b"
    )
    return re.findall(pattern, text, re.I)


def _is(node: ast.AST | None, field: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == field


def _root(node: ast.AST) -> set[str]:
    """The names that a chain of attributes and calls is made of."""
    found = set()
    while True:
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            return found | ({node.id} if isinstance(node, ast.Name) else set())
