"""The worker templates that come with the server, one for each kind of task, and a sample for each."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from marketplace import installation
from marketplace.errors import NotFound

FOLDER = installation.EXAMPLES / "templates"
SUFFIX = ".liquid.html"
LABELS = ["bee", "wasp"]


@dataclass(frozen=True)
class Example:
    """A template to start from. `sample` is the JSON of a manifest line with labels."""

    name: str
    text: str
    sample: str

    @property
    def title(self) -> str:
        """What people read."""
        return self.name.replace("-", " ").capitalize()


@lru_cache(maxsize=1)
def gallery() -> tuple[Example, ...]:
    """All of them, by name."""
    return tuple(_example(path) for path in sorted(FOLDER.glob("*" + SUFFIX)))


def example(name: str) -> Example:
    """The one of this name. Raises NotFound."""
    found = next((one for one in gallery() if one.name == name), None)
    if found is None:
        raise NotFound(f"there is no worker template {name[:60]!r} to start from")
    return found


def _example(path: Path) -> Example:
    name = path.name.removesuffix(SUFFIX)
    own = path.with_name(f"{name}.sample.json")
    line = json.loads((own if own.exists() else path.with_name("sample.json")).read_text(encoding="utf-8"))
    sample = json.dumps({**line, "labels": LABELS}, indent=2, ensure_ascii=False)
    return Example(name, path.read_text(encoding="utf-8"), sample)
