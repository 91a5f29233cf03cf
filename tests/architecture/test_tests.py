"""A test that cannot fail is worthless: every one asserts something, and none of its assertions is true by itself."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.test_lengths import ROOT

ASSERTING = ("assert_", "expect", "settles", "wait_until", "raises")
"""How the functions begin that fail a test by themselves: of pytest, of Playwright and of tests/browser."""

CHECKED_BY_CALLING = {
    "test_no_migration_is_missing": "makemigrations --check exits",
    "test_the_document_is_valid_openapi": "validate_schema raises",
    "test_the_ledger_is_whole_after_every_step": "the machine's invariant asserts",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> Iterator[tuple[str, ast.Module]]:
    """(path from the root, syntax tree) of every file of tests."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def functions(tree: ast.AST) -> dict[str, Function]:
    return {node.name: node for node in ast.walk(tree) if isinstance(node, Function)}


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def asserts(node: ast.AST, known: dict[str, Function], seen: frozenset[str] = frozenset()) -> bool:
    """Whether running the node may fail a test: an assertion, or a call of something that has one."""
    for part in ast.walk(node):
        if isinstance(part, ast.Assert):
            return True
        if isinstance(part, ast.Call):
            name = name_of(part)
            if name.startswith(ASSERTING) or name in ("fail", "check_call"):
                return True
            if name == "run" and any(k.arg == "check" and _value(k.value) is True for k in part.keywords):
                return True
            if name in known and name not in seen and asserts(known[name], known, seen | {name}):
                return True
    return False


def _value(node: ast.AST) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def helpers() -> dict[str, Function]:
    """The functions that tests may call or import and that are no tests themselves."""
    return {
        name: function
        for _, tree in modules()
        for name, function in functions(tree).items()
        if not name.startswith("test_")
    }


def silent(tree: ast.Module, shared: dict[str, Function]) -> list[str]:
    """The tests of a module that assert nothing."""
    known = {**shared, **functions(tree)}
    tests = {name: node for name, node in functions(tree).items() if name.startswith("test_")}
    fixtures = {
        name: node for name, node in known.items() if any("fixture" in ast.dump(d) for d in node.decorator_list)
    }
    return [
        name
        for name, node in tests.items()
        if not asserts(node, known, frozenset({name}))
        and not any(asserts(fixtures[a.arg], known) for a in node.args.args if a.arg in fixtures)
        and name not in CHECKED_BY_CALLING
    ]


def always_true(tree: ast.AST) -> list[int]:
    """The lines of assertions that hold whatever the program does."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert):
            continue
        test = node.test
        constant = isinstance(test, ast.Constant) and bool(test.value)
        listed = isinstance(test, ast.Tuple | ast.List | ast.Set | ast.Dict | ast.Lambda | ast.GeneratorExp)
        itself = (
            isinstance(test, ast.Compare)
            and isinstance(test.ops[0], ast.Eq | ast.Is | ast.LtE | ast.GtE)
            and ast.dump(test.left) == ast.dump(test.comparators[0])
            and not any(isinstance(part, ast.Call) for part in ast.walk(test.left))
        )
        found += [node.lineno] if constant or listed or itself else []
    return found


def swallowed(tree: ast.AST) -> list[int]:
    """The lines of handlers that would catch a failed assertion of their own try, and go on."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(
            isinstance(part, ast.Assert) for one in node.body for part in ast.walk(one)
        ):
            for handler in node.handlers:
                named = [part for part in ast.walk(handler.type or handler) if isinstance(part, ast.Name)]
                caught = {part.id for part in named} if handler.type else {""}
                again = any(isinstance(part, ast.Raise) for part in ast.walk(handler)) or _kept(handler)
                if caught & {"", "Exception", "BaseException", "AssertionError"} and not again:
                    found.append(handler.lineno)
    return found


def _kept(handler: ast.ExceptHandler) -> bool:
    """Whether the error is handed on under its name, as threads do whose errors are raised by the test."""
    return handler.name is not None and any(
        isinstance(part, ast.Name) and part.id == handler.name for one in handler.body for part in ast.walk(one)
    )


def empty_parametrizations(tree: ast.AST) -> list[int]:
    """The lines where a test is given no parameters at all: pytest would skip it."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and name_of(node) == "parametrize"
        and len(node.args) > 1
        and isinstance(node.args[1], ast.List | ast.Tuple)
        and not node.args[1].elts
    ]


def skipped_always(tree: ast.AST) -> list[int]:
    """The lines of marks that skip or forgive a test without a condition."""
    found = []
    for node in ast.walk(tree):
        for mark in getattr(node, "decorator_list", []):
            text = ast.unparse(mark)
            if text.startswith(("pytest.mark.skip(", "pytest.mark.xfail")) or text == "pytest.mark.skip":
                found.append(mark.lineno)
    return found


def test_every_test_asserts_something():
    shared = helpers()
    found = {path: names for path, tree in modules() if (names := silent(tree, shared))}
    assert not found, "assert what the test is named for"


@pytest.mark.parametrize("habit", [always_true, swallowed, empty_parametrizations, skipped_always])
def test_no_test_is_sure_to_pass(habit):
    found = {path: lines for path, tree in modules() if (lines := habit(tree))}
    assert not found


@pytest.mark.parametrize(
    ("habit", "text"),
    [
        (always_true, "assert True"),
        (always_true, "assert (a == b, 'message')"),
        (always_true, "assert (x == 1 for x in found)"),
        (always_true, "assert job.status == job.status"),
        (swallowed, "try:\n    assert a\nexcept Exception:\n    pass"),
        (swallowed, "try:\n    with b:\n        assert a\nexcept:\n    pass"),
        (empty_parametrizations, "@pytest.mark.parametrize('a', [])\ndef test_a(a): assert a"),
        (skipped_always, "@pytest.mark.skip\ndef test_a(): assert a"),
        (skipped_always, "@pytest.mark.xfail(strict=False)\ndef test_a(): assert a"),
        (lambda tree: silent(tree, {}), "def test_a():\n    job.advance()"),
        (lambda tree: silent(tree, {}), "def helper(): job.advance()\ndef test_a():\n    helper()"),
    ],
)
def test_the_habits_are_found(habit, text):
    assert habit(ast.parse(text))


def test_the_list_of_exceptions_is_in_use():
    named = {name for path, tree in modules() for name in functions(tree)}
    assert set(CHECKED_BY_CALLING) <= named
