"""What a folder of downloaded Ground Truth and A2I files holds: things, each with a verdict and its reasons. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RUNS, DIFFERS, STOPS = "runs", "differs", "will not run"
"""Verdicts: as it is; with what the findings say is different; not at all. Those of findings have the same names."""

OUTPUT = "job output"
MANIFEST = "manifest"
LABELING_JOB = "labeling job"
FLOW = "flow definition"
TASK_UI = "human task UI"
WORK_TEAM = "work team"
TEMPLATE = "template"
CATEGORIES = "label categories"
MODEL = "model"
HUMAN_LOOP = "human loop"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason. `place` is a member of the JSON, or a line of the file; "" for the whole."""

    level: str
    message: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


@dataclass(slots=True)
class Thing:
    """One thing of the folder. `path` is relative to it; `data` is what an import needs, by names of its kind."""

    kind: str
    name: str
    path: Path
    findings: list[Finding] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """The worst of the findings."""
        levels = {one.level for one in self.findings}
        return STOPS if STOPS in levels else DIFFERS if DIFFERS in levels else RUNS

    def says(self, level: str, message: str, place: str = "") -> None:
        """Add a finding."""
        self.findings.append(Finding(level, message, place))

    def row(self) -> dict[str, Any]:
        """The thing as plain JSON."""
        return {
            "kind": self.kind,
            "name": self.name,
            "path": str(self.path),
            "verdict": self.verdict,
            "findings": [
                {"level": one.level, "place": one.place or None, "message": one.message} for one in self.findings
            ],
        }


@dataclass(frozen=True)
class Known:
    """What the reader of a folder is told of this installation.

    `refusal` says why a built-in task type, by AWS's name, cannot be done here, "" when it can; `learns` whether
    automated labeling is offered for it. `label_types` maps the `type` of labels in manifests to the task type that
    reads them; `categories` says what is wrong with a label category configuration.
    """

    refusal: Callable[[str], str]
    learns: Callable[[str], bool]
    label_types: Mapping[str, str]
    template: str
    """The task type that is shown by a template of one's own."""


def counted(number: int, word: str) -> str:
    """A number with its noun."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def by_kind(things: Iterable[Thing], kind: str) -> list[Thing]:
    """Those of one kind, in their order."""
    return [one for one in things if one.kind == kind]
