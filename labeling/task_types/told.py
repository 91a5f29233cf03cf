"""What the requester's pages tell of a label and of its workers, in plain words and figures, for any task type.

Pure values: they know neither a type nor a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """A figure of a worker's skill as tables show it; `form` is "percent" or "fixed"."""

    key: str
    title: str
    form: str


@dataclass(frozen=True)
class SkillFigures:
    """How good a worker is at objects of one class, for tables; `label` "" stands for all classes together."""

    worker: str
    label: str
    figures: dict[str, float | None]


@dataclass(frozen=True)
class Said:
    """What one worker said about a finding; `cells` fill the finding's columns. `note` replaces all of it."""

    worker: str
    label: str = ""
    outvoted: bool = False
    cells: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that answers named, whether it became part of the label, and who said what about it."""

    label: str
    kept: bool
    confidence: float | None
    said: str
    columns: tuple[str, ...]
    members: tuple[Said, ...]


@dataclass(frozen=True)
class Story:
    """How a label by people came about, in plain words. `ignored` are {"worker", "reason"}."""

    lead: str
    findings: tuple[Finding, ...] = ()
    ignored: tuple[Mapping[str, Any], ...] = ()
