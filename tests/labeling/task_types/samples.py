"""One of everything for each task type, for the stories of the shared suite. A new type adds its sample here."""

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.formats import mask_answers, segments
from labeling.formats.augmented import label_line
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, Drawing, Keypoint, Polygon, Segmentation, Span, Vote
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


def segmentation(*drawn: tuple[str, int, int, int, int], instances: bool = False) -> Segmentation:
    """Rectangles (label, left, top, width, height) as masks, one a label or one each."""
    pixels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    names = dict(enumerate([one[0] for one in drawn] if instances else LABELS, start=1))
    for number, (label, left, top, width, height) in enumerate(drawn, start=1):
        pixels[top : top + height, left : left + width] = number if instances else LABELS.index(label) + 1
    return segments.from_pixels(pixels, names)


def _masks(name: str, *, instances: bool, manifest_type: str) -> Sample:
    good = segmentation(("bee", 10, 20, 100, 80), ("wasp", 300, 200, 50, 60), instances=instances)
    element = f"crowd-{'instance' if instances else 'semantic'}-segmentation"
    colors = "instances" if instances else "labelMappings"
    write = mask_answers.instance_content if instances else mask_answers.semantic_content
    sent = write(good, element_name=element)[element]
    first = [{"label": "bee", "color": "#123456"}] if instances else {"bee": {"color": "#123456"}}
    cow = [{"label": "cow", "color": "#123456"}] if instances else {"cow": {"color": "#123456"}}
    png = f"{element}.labeledImage.pngImageData"
    return Sample(
        task_type=task_types.get(name),
        good=good,
        other=segmentation(("fly", 400, 100, 60, 60), instances=instances),
        bad=(
            ({}, element),
            ({element: []}, element),
            ({element: {}}, f"{element}.{colors}"),
            ({element: sent | {colors: cow}}, f"{element}.instances[0].label" if instances else f"{element}.{colors}"),
            ({element: sent | {colors: first}}, png),
            ({element: sent | {"labeledImage": {}}}, png),
            ({element: sent | {"labeledImage": {"pngImageData": "%"}}}, png),
            (
                {element: sent | {"inputImageProperties": {"width": 639, "height": 480}}},
                f"{element}.inputImageProperties.width",
            ),
        ),
        manifest_type=manifest_type,
    )


def _outlines(name: str, member: str, *, least: int) -> Sample:
    """A sample of a type of which outlines are drawn."""
    closed = member == "polygons"

    def sent(**change: Any) -> dict[str, Any]:
        corners = [{"x": 10, "y": 20}, {"x": 40, "y": 20}, {"x": 40, "y": 60}]
        return {"annotatedResult": {member: [{"label": "bee", "vertices": corners} | change]}}

    bee = ((100, 100), (150, 100), (150, 140), (100, 140.5))
    wasp = ((300.5, 200), (380, 210), (340, 280))
    return Sample(
        task_type=task_types.get(name),
        good=Drawing((Polygon("bee", bee, closed), Polygon("wasp", wasp, closed)), SIZE),
        other=Drawing((Polygon("fly", ((101, 99), (151, 99), (151, 140), (100, 140)), closed),), SIZE),
        bad=(
            ({}, "annotatedResult"),
            ({"annotatedResult": {}}, f"annotatedResult.{member}"),
            (sent(label="cow"), f"annotatedResult.{member}[0].label"),
            (sent(vertices=[{"x": 1, "y": 1}] * (least - 1)), f"annotatedResult.{member}[0].vertices"),
            (sent(vertices=[{"x": 1, "y": 1}] * least + [{"x": 1, "y": 500}]),
             f"annotatedResult.{member}[0].vertices[{least}].y"),
        ),
        manifest_type="groundtruth/custom",
    )  # fmt: skip


POINTS = Sample(
    task_type=task_types.get("Keypoint"),
    good=Drawing((Keypoint("bee", 100, 100), Keypoint("wasp", 300.5, 200)), SIZE),
    other=Drawing((Keypoint("fly", 101, 99),), SIZE),
    bad=(
        ({}, "annotatedResult"),
        ({"annotatedResult": {"keypoints": {}}}, "annotatedResult.keypoints"),
        ({"annotatedResult": {"keypoints": [{"label": "cow", "x": 1, "y": 1}]}}, "annotatedResult.keypoints[0].label"),
        ({"annotatedResult": {"keypoints": [{"label": "bee", "x": 1}]}}, "annotatedResult.keypoints[0].y"),
        ({"annotatedResult": {"keypoints": [{"label": "bee", "x": -2, "y": 1}]}}, "annotatedResult.keypoints[0].x"),
    ),
    manifest_type="groundtruth/custom",
)
SAMPLES = (
    _masks("SemanticSegmentation", instances=False, manifest_type="groundtruth/semantic-segmentation"),
    _masks("InstanceSegmentation", instances=True, manifest_type="groundtruth/instance-segmentation"),
    ENTITIES,
    BOXES,
    _outlines("Polygon", "polygons", least=3),
    _outlines("Polyline", "polylines", least=2),
    POINTS,
    _one("crowd-image-classifier", "ImageMultiClass", "groundtruth/image-classification"),
    _several(
        "crowd-image-classifier-multi-select",
        "ImageMultiClassMultiLabel",
        "groundtruth/image-classification-multilabel",
    ),
    _one("crowd-classifier", "TextMultiClass", "groundtruth/text-classification"),
    _several("crowd-classifier-multi-select", "TextMultiClassMultiLabel", "groundtruth/text-classification-multilabel"),
    *(
        _one(kind.element.tag, kind.name, "groundtruth/label-verification")
        for kind in map(task_types.get, task_types.names())
        if kind.audited is not None and not kind.adjusts
    ),
)


def line_of(sample: Sample, label: Any, about: LabelContext) -> dict[str, Any]:
    """A manifest line with the label under "insects", as `read_manifest` takes it: with the file that a label is."""
    value, metadata = sample.task_type.manifest_label(label, about)
    line = json.loads(label_line(b'{"source-ref": "s3://b/1.png"}', "insects", value, metadata))
    if sample.task_type.label_is_file:
        line["insects"] = sample.task_type.label_file(label, labels=about.labels)
    return line


def of(task_type: TaskType[Any, Any]) -> Sample:
    """The sample of a registered type, or of one that is derived from it."""
    for sample in SAMPLES:
        if isinstance(task_type, type(sample.task_type)):
            return replace(sample, task_type=task_type)
    raise LookupError(f"the task type {task_type.name!r} has no sample here")
