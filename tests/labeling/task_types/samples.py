"""One of everything for each task type, for the stories of the shared suite. A new type adds its sample here."""

from dataclasses import dataclass, replace
from typing import Any

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.formats.shapes import Box, Span, Vote
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


def _one(element: str, name: str, manifest_type: str) -> Sample:
    """A sample of a type in which one class is chosen."""
    return Sample(
        task_type=task_types.get(name),
        good=Vote(("wasp",)),
        other=Vote(("fly",), comment="hard to tell"),
        bad=(
            ({}, element),
            ({element: "bee"}, element),
            ({element: {}}, f"{element}.label"),
            ({element: {"label": "cow"}}, f"{element}.label"),
            ({element: {"label": ["bee"]}}, f"{element}.label"),
        ),
        manifest_type=manifest_type,
    )


def _several(element: str, name: str, manifest_type: str) -> Sample:
    """A sample of a type in which any number of classes is chosen."""
    return Sample(
        task_type=task_types.get(name),
        good=Vote(("bee", "wasp")),
        other=Vote(("fly",), comment="hard to tell"),
        bad=(
            ({}, element),
            ({element: "bee"}, element),
            ({element: {}}, f"{element}.labels"),
            ({element: {"labels": []}}, f"{element}.labels"),
            ({element: {"labels": ["bee", "cow"]}}, f"{element}.labels[1]"),
            ({element: {"labels": ["bee", "bee"]}}, f"{element}.labels[1]"),
            ({element: {"labels": ["bee", "None of the above"]}}, f"{element}.labels[1]"),
        ),
        manifest_type=manifest_type,
    )


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


def _entities(**change: Any) -> dict[str, Any]:
    return {"crowd-entity-annotation": {"entities": [{"label": "bee", "startOffset": 3, "endOffset": 8} | change]}}


ENTITIES = Sample(
    task_type=task_types.get("NamedEntityRecognition"),
    good=(Span("bee", 3, 8), Span("wasp", 20, 31)),
    other=(Span("fly", 100, 110),),
    bad=(
        ({}, "crowd-entity-annotation"),
        ({"crowd-entity-annotation": {}}, "crowd-entity-annotation.entities"),
        (_entities(label="cow"), "crowd-entity-annotation.entities[0].label"),
        (_entities(startOffset=640), "crowd-entity-annotation.entities[0].startOffset"),
        (_entities(endOffset=3), "crowd-entity-annotation.entities[0].endOffset"),
        (_entities(endOffset=641), "crowd-entity-annotation.entities[0].endOffset"),
    ),
    manifest_type="groundtruth/text-span",
)
SAMPLES = (
    ENTITIES,
    BOXES,
    _one("crowd-image-classifier", "ImageMultiClass", "groundtruth/image-classification"),
    _several(
        "crowd-image-classifier-multi-select",
        "ImageMultiClassMultiLabel",
        "groundtruth/image-classification-multilabel",
    ),
    _one("crowd-classifier", "TextMultiClass", "groundtruth/text-classification"),
    _one("crowd-image-classifier", "VerificationBoundingBox", "groundtruth/label-verification"),
    _several("crowd-classifier-multi-select", "TextMultiClassMultiLabel", "groundtruth/text-classification-multilabel"),
)


def of(task_type: TaskType[Any, Any]) -> Sample:
    """The sample of a registered type, or of one that is derived from it."""
    for sample in SAMPLES:
        if isinstance(task_type, type(sample.task_type)):
            return replace(sample, task_type=task_type)
    raise LookupError(f"the task type {task_type.name!r} has no sample here")
