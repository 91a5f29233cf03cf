"""docs/aws-compatibility.md says what the code does: every member is read, or declared as ignored or refused."""

import ast
import inspect
import re
from pathlib import Path

import pytest
from botocore.model import OperationModel
from django.core.management import call_command

import frontend.aws
from frontend.aws import models, reference
from frontend.aws.operations import FILES, OPERATIONS
from frontend.aws.registry import Operation

FOLDER = Path(frontend.aws.__path__[0])
PAGE = FOLDER.parent.parent / "docs" / "aws-compatibility.md"


def words(module: str, seen: set[str] | None = None) -> set[str]:
    """The texts in a module's source, and in those of the wire's that it imports."""
    seen = set() if seen is None else seen
    if module in seen or not (FOLDER / f"{module}.py").exists():
        return set()
    seen.add(module)
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    found = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "frontend.aws":
            for name in node.names:
                found |= words(name.name, seen)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("frontend.aws."):
            found |= words(str(node.module).rpartition(".")[2], seen)
    return found


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: f"{one.service}-{one.name}")
def test_every_member_is_read_or_declared(operation: Operation):
    assert isinstance(operation.model, OperationModel)
    members = list(reference.paths(operation.model.input_shape))
    unknown = [path for path in (*operation.ignored, *operation.refused) if path not in members]
    assert unknown == [], "the input has no such members"
    assert operation.takes <= set(members)
    said = words(inspect.getmodule(operation.function).__name__.rpartition(".")[2])
    forgotten = []
    for path in members:
        if reference.fate(operation, path)[0] != reference.SUPPORTED:
            continue
        name = re.sub(r"(\[\]|\{\})+$", "", path.rpartition(".")[2])
        if not (path in operation.takes if "." not in path else name in said):
            forgotten.append(path)
    assert forgotten == [], "neither read nor declared as ignored or refused"


def test_no_member_is_read_that_is_declared_as_refused():
    for operation in OPERATIONS.values():
        assert not operation.takes & operation.refused.keys(), operation.name


def test_the_page_is_of_this_code():
    assert PAGE.read_text() == reference.text(), "run: manage.py aws_compatibility docs/aws-compatibility.md"


def test_the_command_writes_the_page(tmp_path):
    call_command("aws_compatibility", tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text() == PAGE.read_text()


def test_every_file_of_operations_is_named():
    registered = {inspect.getmodule(one.function) for one in OPERATIONS.values()}
    assert registered == set(FILES)
    assert {service for service, _ in OPERATIONS} <= set(models.SERVICES)
