"""What a template's `task.input` holds when no function of the requester's own makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def task_input(line: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    """`task.input` of a manifest line: its own keys, and what Ground Truth's built-in functions give.

    These are `taskObject` (the address in `source-ref`, or the text in `source`), `labels`, and the whole line as
    `manifestLine`.
    """
    shown = line.get("source-ref", line.get("source"))
    return {**line, "taskObject": shown, "labels": list(labels), "manifestLine": dict(line)}
