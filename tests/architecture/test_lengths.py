"""Files stay under 400 lines, functions under 60, and each file says what it is for."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = (
    "marketplace",
    "labeling",
    "learning",
    "frontend",
    "tests",
    "benchmarks",
    "docker",
    "examples",
    "docs",
)
# "locales": made by lit-localize from the translations.
SKIPPED = {"node_modules", "migrations", "dist", "locales", "__pycache__"}
MAX_FILE = 400
MAX_FUNCTION = 60


def sources(*suffixes: str) -> list[Path]:
    """Every source file of the project with one of the suffixes."""
    found = [
        path
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*"))
        if path.suffix in suffixes and not SKIPPED & set(path.parts)
    ]
    assert found, f"no file with {suffixes} below {ROOT}"
    return found


def test_files_are_short():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources(".py", ".ts", ".html", ".css")
        if (lines := len(path.read_text().splitlines())) > MAX_FILE
    }
    assert not long, f"over {MAX_FILE} lines: {long}"


def test_functions_are_short():
    long = {}
    for path in sources(".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION:
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = length
    assert not long, f"over {MAX_FUNCTION} lines: {long}"


def test_every_file_says_what_it_is_for():
    undocumented = [
        str(path.relative_to(ROOT))
        for path in sources(".py")
        if (tree := ast.parse(path.read_text())).body and not ast.get_docstring(tree)
    ]
    assert not undocumented, f"no docstring: {undocumented}"


@pytest.mark.parametrize("room", ["marketplace", "labeling", "learning", "frontend"])
def test_public_functions_and_classes_have_docstrings(room):
    undocumented = []
    for path in sources(".py"):
        if path.relative_to(ROOT).parts[0] != room:
            continue
        for node in ast.parse(path.read_text()).body:
            named = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
            if named and not node.name.startswith("_") and not ast.get_docstring(node):
                undocumented.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not undocumented, f"no docstring: {undocumented}"


def test_no_file_is_named_utils_helpers_or_common():
    vague = [str(p) for p in sources(".py", ".ts") if p.stem in ("utils", "helpers", "common", "misc")]
    assert not vague, "name the file after what its functions are about"


def test_no_file_only_passes_on_what_others_define():
    """The models of an app have one door, models/__init__.py; everything else is imported from where it is defined.

    A conftest.py may pass on fixtures: that is how pytest finds them.
    """
    passing_on = []
    for path in sources(".py"):
        statements = ast.parse(path.read_text()).body[1:]
        imports = [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
        names = [
            node
            for node in statements
            if isinstance(node, ast.Assign) and [getattr(t, "id", "") for t in node.targets] == ["__all__"]
        ]
        door = path.parts[-2:] == ("models", "__init__.py") or path.name == "conftest.py"
        if imports and len(imports) + len(names) == len(statements) and not door:
            passing_on.append(str(path.relative_to(ROOT)))
    assert not passing_on
