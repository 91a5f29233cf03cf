"""Only labeling/task_types says what a task type is: no other file names one or keeps a table of them."""

import ast
import re

from labeling import task_types
from tests.architecture.test_lengths import ROOT, sources

ROOMS = ("marketplace", "labeling", "learning", "frontend")
HOME = ("labeling", "task_types")
# AWS's words for what is annotated in video frames, in a file format of its own; and the names of classes of formats.
ALLOWED = {
    "labeling/formats/label_categories.py": {"BoundingBox", "Polygon", "Polyline", "Keypoint"},
    "labeling/formats/answers.py": {"Polygon", "Keypoint"},
    "labeling/formats/shapes.py": {"Polygon", "Keypoint"},
}


def outside(*suffixes: str):
    """(path from the root, text) of every source file of the rooms outside the folder of task types."""
    for path in sources(*suffixes):
        parts = path.relative_to(ROOT).parts
        if parts[0] in ROOMS and parts[:2] != HOME and "test" not in parts:
            yield "/".join(parts), path.read_text()


def test_no_python_file_names_a_task_type():
    names = set(task_types.names())
    offenders = [
        f"{path}:{node.lineno} {node.value}"
        for path, text in outside(".py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value in names - ALLOWED.get(path, set())
    ]
    assert not offenders, f"ask labeling.task_types: {offenders}"


def test_no_template_and_no_script_names_a_task_type():
    names = "|".join(map(re.escape, task_types.names()))
    quoted = re.compile(rf"[\"']({names})[\"']|=({names})\b")
    offenders = [path for path, text in outside(".html", ".ts") if quoted.search(text)]
    assert not offenders, f"ask labeling.task_types: {offenders}"


def test_no_page_names_the_element_of_a_task_type():
    tags = [task_types.get(name).element.tag for name in task_types.names()]
    offenders = [
        path
        for path, text in outside(".py", ".html")
        for tag in tags
        if path.startswith("frontend/") and (f"<{tag}" in text or f'"{tag}"' in text)
    ]
    assert not offenders, f"ask the type's element: {offenders}"
