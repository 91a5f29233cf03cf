"""The registry of task types. To add one, write its file and name it in `_TYPES`.

Nothing outside this folder compares a type's name or keeps a table by type.
"""

from __future__ import annotations

from typing import Any

from labeling.task_types.adjustment import AdjustmentBoundingBox
from labeling.task_types.adjustment_masks import AdjustmentInstanceSegmentation, AdjustmentSemanticSegmentation
from labeling.task_types.adjustment_shapes import AdjustmentKeypoint, AdjustmentPolygon, AdjustmentPolyline
from labeling.task_types.base import TaskType
from labeling.task_types.bounding_box import BoundingBox
from labeling.task_types.custom import Custom
from labeling.task_types.image_classification import ImageClassification, ImageClassificationMultiLabel
from labeling.task_types.instance_segmentation import InstanceSegmentation
from labeling.task_types.keypoints import Keypoint
from labeling.task_types.named_entities import NamedEntityRecognition
from labeling.task_types.outlines import Polygon, Polyline
from labeling.task_types.semantic_segmentation import SemanticSegmentation
from labeling.task_types.text_classification import TextClassification, TextClassificationMultiLabel
from labeling.task_types.verification import (
    VerificationBoundingBox,
    VerificationInstanceSegmentation,
    VerificationKeypoint,
    VerificationPolygon,
    VerificationPolyline,
    VerificationSemanticSegmentation,
)
from labeling.task_types.verification_classes import (
    VerificationImageClassification,
    VerificationImageClassificationMultiLabel,
    VerificationNamedEntityRecognition,
    VerificationTextClassification,
    VerificationTextClassificationMultiLabel,
)

_TYPES: tuple[TaskType[Any, Any], ...] = (
    BoundingBox(),
    Polygon(),
    Polyline(),
    Keypoint(),
    ImageClassification(),
    ImageClassificationMultiLabel(),
    SemanticSegmentation(),
    InstanceSegmentation(),
    TextClassification(),
    TextClassificationMultiLabel(),
    NamedEntityRecognition(),
    VerificationBoundingBox(),
    AdjustmentBoundingBox(),
    VerificationPolygon(),
    AdjustmentPolygon(),
    VerificationPolyline(),
    AdjustmentPolyline(),
    VerificationKeypoint(),
    AdjustmentKeypoint(),
    VerificationSemanticSegmentation(),
    AdjustmentSemanticSegmentation(),
    VerificationInstanceSegmentation(),
    AdjustmentInstanceSegmentation(),
    VerificationImageClassification(),
    VerificationImageClassificationMultiLabel(),
    VerificationTextClassification(),
    VerificationTextClassificationMultiLabel(),
    VerificationNamedEntityRecognition(),
    Custom(),
)

DEFAULT = _TYPES[0].name
BOXES = BoundingBox.name
"""What models that find objects learn from, and people correct."""
FORM = Custom.name
"""A form by template: what people give in a human loop."""
"""The type of a job that does not say which."""

_BY_NAME: dict[str, TaskType[Any, Any]] = {}


class UnknownTaskType(ValueError):
    """There is no task type of this name."""


def get(name: str) -> TaskType[Any, Any]:
    """The task type of this name. Raises UnknownTaskType naming those there are."""
    if name not in _BY_NAME:
        # Ground Truth's names of those types hold one of these words.
        reason = "video and 3D point clouds are not labeled here; " if "Video" in name or "3D" in name else ""
        raise UnknownTaskType(f"{name!r} found, {reason}one of {', '.join(names())} expected")
    return _BY_NAME[name]


def names() -> list[str]:
    """The names of all task types, in the order in which pages offer them."""
    return list(_BY_NAME)


def register(task_type: TaskType[Any, Any]) -> None:
    """Add a type. Raises ValueError when its name is taken."""
    if task_type.name in _BY_NAME:
        raise ValueError(f"there is a task type {task_type.name!r} already")
    _BY_NAME[task_type.name] = task_type


def unregister(name: str) -> None:
    """Take a type out again, for tests that add one."""
    del _BY_NAME[name]


for _one in _TYPES:
    register(_one)
