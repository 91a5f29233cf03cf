"""What hatchling asks when it builds the wheel: the dependencies, and whether the browser part was built.

requirements.txt is the one list of pins: its blocks `web` and `learner` become the wheel's dependencies, because a
program is installed and no library; the block `dev` does not.
"""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

BLOCKS = ("web", "learner")
BUNDLE = "frontend/static/dist/crowd-html-elements.js"
CATALOG = "frontend/locale/de/LC_MESSAGES/django.mo"


def _requirements(root: Path) -> ModuleType:
    """docker/requirements.py, which image builds read the blocks with too; the root is not on sys.path in a build."""
    found = importlib.util.spec_from_file_location("requirements_blocks", root / "docker" / "requirements.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def dependencies(root: Path) -> list[str]:
    """The pins of everything that the product runs with."""
    text, blocks = (root / "requirements.txt").read_text(), _requirements(root)
    return [pin for name in BLOCKS for pin in blocks.block(text, name)]


class Dependencies(MetadataHookInterface):
    """Takes the dependencies from requirements.txt."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling with the [project] table."""
        metadata["dependencies"] = dependencies(Path(self.root))


class BuiltElements(BuildHookInterface):
    """Refuses to build a wheel without the browser part and the translations."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files. Raises FileNotFoundError."""
        for made in (BUNDLE, CATALOG):
            if self.target_name == "wheel" and not (Path(self.root) / made).exists():
                raise FileNotFoundError(f"{made} is missing: run `make setup`, which makes it")
