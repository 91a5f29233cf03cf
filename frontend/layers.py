"""A label as a layer of a picture, for every page that shows one. How it is drawn is the task type's business."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as word

from labeling.models import Label
from labeling.task_types.base import TaskType

Kind = TaskType[Any, Any]

NAMES = {"machine": word("Machine"), "adjudicated": word("Yours"), "human": word("Merged")}
"""What a label is called to the account that owns it, by its source."""


def seen(layers: list[dict[str, Any]], classes: Sequence[str]) -> dict[str, Any]:
    """What a view of layers is given. `classes` are those of the job, in its order, which gives masks their colours."""
    return {"layers": layers, "classes": list(classes)}


def label_layer(label: Label, kind: Kind, *, name: str = "") -> dict[str, Any]:
    """The layer of a label, called by its source or, if given, by `name`."""
    look = "machine" if label.source == "machine" else "merged"
    return {"name": name or gettext(NAMES[label.source]), "kind": look, **kind.layer(label.value)}


def earlier_layers(before: Any, kind: Kind) -> list[dict[str, Any]]:
    """The layer of the earlier label that people verified or adjusted; none where they were shown none."""
    if before is None or kind.audited is None:
        return []
    return [{"name": gettext("Earlier"), "kind": "truth", **kind.audited.layer(kind.audited.value(before))}]
