"""One of everything for each task type, for the stories of the shared suite. A new type adds its sample here."""

from dataclasses import dataclass, replace
from typing import Any

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.formats.shapes import Box, Vote
from labeling.task_types.base import AnswersToImage, TaskType

LABELS = ["bee", "wasp", "fly"]
SIZE = (640, 480)


@dataclass(frozen=True)
class Sample:
    """`good` and `other` are typed answers that disagree; `bad` are (crowd answer, field at fault)."""

    task_type: TaskType[Any, Any]
    good: Any
    other: Any
    bad: tuple[tuple[Any, str], ...]
    manifest_type: str

    def objects(self, *answers: Any, count: int = 1, gold: Any = None) -> list[AnswersToImage[Any]]:
        """So many objects, each with these answers by workers ann, bob, cy ..."""
        workers = ("ann", "bob", "cy", "dee", "eve")
        given = tuple(WorkerAnswer(worker, answer) for worker, answer in zip(workers, answers, strict=False))
        return [AnswersToImage(given, SIZE, gold, str(number)) for number in range(count)]


def _boxes(**change: Any) -> dict[str, Any]:
    box = {"left": 10, "top": 20, "width": 30, "height": 40, "label": "bee"} | change
    return {"boundingBox": {"boundingBoxes": [box]}}


def _choice(value: Any) -> dict[str, Any]:
    return {"crowd-image-classifier": value}


def _several(value: Any) -> dict[str, Any]:
    return {"crowd-image-classifier-multi-select": value}


BOXES = Sample(
    task_type=task_types.get("BoundingBox"),
    good=[Box("bee", 100, 100, 50, 40), Box("wasp", 300.5, 200, 80, 80.25)],
    other=[Box("fly", 101, 99, 50, 41)],
    bad=(
        ({}, "boundingBox"),
        ({"boundingBox": []}, "boundingBox"),
        (_boxes(label="cow"), "boundingBox.boundingBoxes[0].label"),
        (_boxes(width=-1), "boundingBox.boundingBoxes[0].width"),
        (_boxes(left=700), "boundingBox.boundingBoxes[0].left"),
    ),
    manifest_type="groundtruth/object-detection",
)
CLASSES = Sample(
    task_type=task_types.get("ImageMultiClass"),
    good=Vote(("wasp",)),
    other=Vote(("fly",), comment="hard to tell"),
    bad=(
        ({}, "crowd-image-classifier"),
        (_choice("bee"), "crowd-image-classifier"),
        (_choice({}), "crowd-image-classifier.label"),
        (_choice({"label": "cow"}), "crowd-image-classifier.label"),
        (_choice({"label": ["bee"]}), "crowd-image-classifier.label"),
    ),
    manifest_type="groundtruth/image-classification",
)
SEVERAL = Sample(
    task_type=task_types.get("ImageMultiClassMultiLabel"),
    good=Vote(("bee", "wasp")),
    other=Vote(("fly",), comment="hard to tell"),
    bad=(
        ({}, "crowd-image-classifier-multi-select"),
        (_several("bee"), "crowd-image-classifier-multi-select"),
        (_several({}), "crowd-image-classifier-multi-select.labels"),
        (_several({"labels": []}), "crowd-image-classifier-multi-select.labels"),
        (_several({"labels": ["bee", "cow"]}), "crowd-image-classifier-multi-select.labels[1]"),
        (_several({"labels": ["bee", "bee"]}), "crowd-image-classifier-multi-select.labels[1]"),
        (_several({"labels": ["bee", "None of the above"]}), "crowd-image-classifier-multi-select.labels[1]"),
    ),
    manifest_type="groundtruth/image-classification-multilabel",
)
SAMPLES = (BOXES, CLASSES, SEVERAL)


def of(task_type: TaskType[Any, Any]) -> Sample:
    """The sample of a registered type, or of one that is derived from it."""
    for sample in SAMPLES:
        if isinstance(task_type, type(sample.task_type)):
            return replace(sample, task_type=task_type)
    raise LookupError(f"the task type {task_type.name!r} has no sample here")
