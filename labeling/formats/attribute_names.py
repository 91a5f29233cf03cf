"""The rules for label attribute names, by task type (the last segment of AWS's built-in function names).

Knows names only, never the lines that carry them.
"""

from __future__ import annotations

import re

MAX_LENGTH = 127
METADATA = "-metadata"
_PATTERN = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}")
_RESERVED = ("source", "source-ref")

# task types whose label value is the URI of a file
REF_TASK_TYPES = frozenset(
    {
        "SemanticSegmentation",
        "AdjustmentSemanticSegmentation",
        "VideoObjectDetection",
        "AdjustmentVideoObjectDetection",
        "VideoObjectTracking",
        "AdjustmentVideoObjectTracking",
        "3DPointCloudSemanticSegmentation",
        "Adjustment3DPointCloudSemanticSegmentation",
        "3DPointCloudObjectTracking",
        "Adjustment3DPointCloudObjectTracking",
    }
)
PLAIN_TASK_TYPES = frozenset(
    {
        "BoundingBox",
        "ImageMultiClass",
        "ImageMultiClassMultiLabel",
        "TextMultiClass",
        "TextMultiClassMultiLabel",
        "NamedEntityRecognition",
        "VideoMultiClass",
        "3DPointCloudObjectDetection",
        "Adjustment3DPointCloudObjectDetection",
        "VerificationBoundingBox",
        "AdjustmentBoundingBox",
        "VerificationSemanticSegmentation",
        "PassThrough",
    }
)
TASK_TYPES = REF_TASK_TYPES | PLAIN_TASK_TYPES


def validate_label_attribute_name(name: str, task_type: str, *, reviewed: str | None = None) -> str:
    """Return the name when it is allowed for the task type, else raise ValueError saying which rule it breaks.

    `reviewed` is the attribute an adjustment or verification job looks at: its own must differ.
    """
    if task_type not in TASK_TYPES:
        raise ValueError(f"unknown task type {task_type!r}, expected one of {', '.join(sorted(TASK_TYPES))}")
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_LENGTH:
        raise ValueError(f"LabelAttributeName must have 1 to {MAX_LENGTH} characters")
    if not _PATTERN.fullmatch(name):
        raise ValueError(
            f"LabelAttributeName {name!r} may hold letters, digits and inner hyphens only, "
            "and must start and end with a letter or digit"
        )
    if name in _RESERVED:
        raise ValueError(f"LabelAttributeName {name!r} is the name of the input itself")
    if name.endswith(METADATA):
        raise ValueError(f"LabelAttributeName {name!r} must not end in '-metadata'")
    if task_type in REF_TASK_TYPES and not name.endswith("-ref"):
        raise ValueError(f"LabelAttributeName {name!r} must end in '-ref' for {task_type}")
    if task_type not in REF_TASK_TYPES and name.endswith("-ref"):
        raise ValueError(f"LabelAttributeName {name!r} must not end in '-ref' for {task_type}")
    if reviewed is not None and name == reviewed:
        raise ValueError(f"LabelAttributeName {name!r} must differ from the label it reviews")
    return name
