"""What is known of the workers of a form, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeling.consolidation.fields.leaves import Path
from labeling.consolidation.fields.numbers import NumberWorkers
from labeling.consolidation.fields.ranking import RankWorkers
from labeling.consolidation.workers.votes import VoteWorkers

VERSION = 1


@dataclass(slots=True)
class FieldModels:
    """One field: its `kind`, the `values` that were given (of choices and labels, sorted), and the workers by kind."""

    kind: str
    values: tuple[str, ...] = ()
    votes: VoteWorkers = field(default_factory=VoteWorkers)
    numbers: NumberWorkers = field(default_factory=NumberWorkers)
    ranks: RankWorkers = field(default_factory=RankWorkers)


@dataclass(slots=True)
class FormWorkers:
    """The fields of a job's form, by path; empty before anything is known."""

    fields: dict[Path, FieldModels] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, fields sorted by path."""
        rows = [
            {
                "path": list(path),
                "kind": one.kind,
                "values": list(one.values),
                "votes": one.votes.to_json(),
                "numbers": one.numbers.to_json(),
                "ranks": one.ranks.to_json(),
            }
            for path, one in sorted(self.fields.items())
        ]
        return {"version": VERSION, "fields": rows}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FormWorkers:
        """Read `to_json`'s output; nothing known for what jobs stored before forms were merged (an empty object).

        Raises ValueError for another version.
        """
        if not data:
            return cls()
        if data.get("version") != VERSION:
            raise ValueError(f"workers of a form: found version {data.get('version')!r}, expected {VERSION}")
        return cls(
            {
                tuple(row["path"]): FieldModels(
                    row["kind"],
                    tuple(row["values"]),
                    VoteWorkers.from_json(row["votes"]),
                    NumberWorkers.from_json(row["numbers"]),
                    RankWorkers.from_json(row["ranks"]),
                )
                for row in data["fields"]
            }
        )
