"""The rules for label attribute names.

It must not know manifest lines, nor which task types there are.
"""

from __future__ import annotations

import re

MAX_LENGTH = 127
METADATA = "-metadata"
_PATTERN = re.compile(r"[a-zA-Z0-9]([-_.]*[a-zA-Z0-9]){0,126}")
"""CreateLabelingJob's, and inner underscores and dots, as Rekognition and others write: their lines can be chained."""
_RESERVED = ("source", "source-ref", "source-name")


def validate_label_attribute_name(
    name: str, task_type: str, *, is_file: bool = False, reviewed: str | None = None
) -> str:
    """Return the name when it is allowed for the task type, else raise ValueError saying which rule it breaks.

    `is_file`: the label's value is the URI of a file, as for segmentation; such names end in '-ref'. `reviewed` is
    the attribute an adjustment or verification job looks at: its own must differ.
    """
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_LENGTH:
        raise ValueError(f"LabelAttributeName must have 1 to {MAX_LENGTH} characters")
    if not _PATTERN.fullmatch(name):
        raise ValueError(
            f"LabelAttributeName {name!r} may hold letters, digits and inner hyphens, underscores and dots "
            "only, and must start and end with a letter or digit"
        )
    if name in _RESERVED:
        raise ValueError(f"LabelAttributeName {name!r} is the name of the input itself")
    if name.endswith(METADATA):
        raise ValueError(f"LabelAttributeName {name!r} must not end in '-metadata'")
    if is_file and not name.endswith("-ref"):
        raise ValueError(f"LabelAttributeName {name!r} must end in '-ref' for {task_type}")
    if not is_file and name.endswith("-ref"):
        raise ValueError(f"LabelAttributeName {name!r} must not end in '-ref' for {task_type}")
    if reviewed is not None and name == reviewed:
        raise ValueError(f"LabelAttributeName {name!r} must differ from the label it reviews")
    return name
