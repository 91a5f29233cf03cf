"""What an import of an AWS folder is asked to do, what it reports, and what this installation knows of task types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labeling import task_types
from labeling.formats.aws_folder.things import Known
from labeling.models import LabelingJob
from labeling.services.imports import creating
from labeling.task_types import UnknownTaskType
from marketplace.errors import DomainError, Invalid
from marketplace.models import Account, Workteam

IMPORTED, THERE, LEFT_OUT, FAILED = "imported", "there already", "left out", "failed"
"""What becomes of a thing."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`maps`: (beginning of an address, what stands in its place) of data objects. `golds`: the name of a job's output
    -> the job here whose golds its labels become. `team`: who works for flow definitions, in place of teams by name;
    `make_teams`: those that are missing are made, without members."""

    account: Account
    by: str
    maps: Sequence[tuple[str, str]] = ()
    golds: Mapping[str, LabelingJob] = field(default_factory=dict)
    team: Workteam | None = None
    make_teams: bool = False


@dataclass(frozen=True)
class Done:
    """What became of one thing."""

    kind: str
    name: str
    outcome: str
    message: str = ""

    def row(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"kind": self.kind, "name": self.name, "outcome": self.outcome, "message": self.message}


def known() -> Known:
    """What the reader of a folder needs to know of this installation."""
    readable = creating.readable_types()
    return Known(
        refusal=_refusal,
        learns=lambda name: name in task_types.names() and bool(task_types.get(name).learner),
        label_types={kind.manifest_type: kind.name for kind in readable if kind.manifest_type},
        template=task_types.FORM,
    )


def _refusal(name: str) -> str:
    try:
        task_types.get(name)
    except UnknownTaskType as error:
        return str(error)
    return ""


def reasons(error: DomainError) -> str:
    """All that an error says, each part behind its field."""
    if isinstance(error, Invalid) and error.errors:
        return "; ".join(f"{field}: {reason}" if field else reason for field, reason in error.errors)
    return error.message
