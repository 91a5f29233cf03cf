"""The pages of the task types and of the events, made from their registries. Needs Django to be set up."""

from typing import Any

from labeling import task_types as registry
from labeling.task_types.base import TaskType
from marketplace import event_kinds

TASK_TYPES = """\
# Task types by name

What the registry `labeling/task_types` says of each type. What they are for is in [task types](../docs/task-types.md),
which also shows them. Where a learner is named, automated labeling is possible.
"""
EVENTS = """\
# Events by name

Every event and the states that it can be about, from the registry `marketplace/event_kinds.py`. How they are sent is in
[events](../docs/events.md).
"""


def task_types() -> str:
    """The page of the task types, in Markdown."""
    head = "| name | title | element | learner | imports | exports |\n|---|---|---|---|---|---|"
    rows = [
        f"| `{one.name}` | {one.title} | {_tag(one)} | {one.learner or '–'} "
        f"| {_list(one.imports)} | {_list(one.exports)} |"
        for one in map(registry.get, registry.names())
    ]
    return "\n".join([TASK_TYPES, head, *rows]) + "\n"


def events() -> str:
    """The page of the events, in Markdown."""
    rows = sorted(
        f"| `{kind.detail_type}` | `{kind.subject}` | {', '.join(states)} |"
        for kind, states in event_kinds.KINDS.values()
    )
    return "\n".join([EVENTS, "| detail-type | subject | states |\n|---|---|---|", *rows]) + "\n"


def _tag(one: TaskType[Any, Any]) -> str:
    element = getattr(one, "element", None)
    return f"`<{element.tag}>`" if element else "the job's template"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "–"
