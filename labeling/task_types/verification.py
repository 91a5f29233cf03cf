"""Verification: people look at an earlier label and choose the one word that says how good it is. An answer is a Vote.

The earlier label stays as it is. What workers wrote is kept beside the verdict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from labeling.consolidation.answers import latest_answers
from labeling.consolidation.workers.votes import VoteWorkers
from labeling.formats import augmented, augmented_reading, shape_labels
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, Drawing, Segmentation, Vote
from labeling.task_types.base import AnswersToImage, Consensus, Element, ImportedLabel, Shown, Size, Story, TaskType
from labeling.task_types.bounding_box import BoundingBox
from labeling.task_types.instance_segmentation import InstanceSegmentation
from labeling.task_types.keypoints import Keypoint
from labeling.task_types.outlines import Polygon, Polyline
from labeling.task_types.semantic_segmentation import SemanticSegmentation
from labeling.task_types.single_choice import SingleChoice
from labeling.task_types.told import together, told

COMMENT = "Say why (you need not)"
"""What asks workers for a comment."""


class Verification(SingleChoice):
    """Ground Truth's label verification. A stored label is {"choice", "confidence", "comments"}.

    A type derived from it says in `audited` what kind of label is looked at.
    """

    words = replace(
        SingleChoice.words,
        decide="Choose how good the earlier label is and press Submit. Your choice becomes the verdict and counts as "
        "gold: it also teaches how good each worker is.",
        decided="Their choice is the verdict.",
        labels_help="What workers choose from, such as good and bad: one a line, at least two. Their order is the "
        "class index.",
    )
    element = Element(
        "crowd-image-classifier",
        "crowd-image-classifier",
        "categories",
        {"question": "How good is the label on the picture?"},
        comment=COMMENT,
    )
    audited: ClassVar[TaskType[Any, Any]]
    learner = ""
    usual_labels = ("good", "bad")
    imports = ()  # a verdict is about an earlier label, which no file of verdicts names

    def value(self, answer: Vote) -> dict[str, Any]:
        """With what workers wrote; of one answer that is its own comment."""
        comments = answer.comments or tuple(filter(None, [answer.comment]))
        return {**super().value(answer), "comments": list(comments)}

    def read_value(self, value: Mapping[str, Any]) -> Vote:
        """The verdict with its confidence and the comments."""
        return replace(super().read_value(value), comments=tuple(value.get("comments", ())))

    def certain(self, answer: Vote) -> Vote:
        """The verdict is certain, and what was written is kept."""
        comments = answer.comments or tuple(filter(None, [answer.comment]))
        return replace(super().certain(answer), comment=None, comments=comments)

    def manifest_label(self, answer: Vote, about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """See augmented.verification_label."""
        return augmented.verification_label(answer, about, comments=answer.comments)

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Vote]:
        """See augmented_reading.read_verification; such a label does not say how large the image is."""
        found = augmented_reading.read_verification(attributes, attr)
        return ImportedLabel(found.vote, None, found.origin)

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """As of a choice, with what the workers wrote."""
        found = super().story(value, explanation)
        written = " ".join(f"\u201c{comment}\u201d" for comment in value.get("comments", ()))
        return (
            replace(found, lead=together(found.lead, told("They wrote: {comments}", comments=written)))
            if written
            else found
        )

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Vote]], *, labels: Sequence[str], workers: VoteWorkers
    ) -> list[Consensus]:
        """The most probable verdict, and every comment, in the order of the workers' names."""
        found = super().consolidate_many(objects, labels=labels, workers=workers)
        return [_with_comments(one, given) for one, given in zip(found, objects, strict=True)]


def _with_comments(found: Consensus, given: AnswersToImage[Vote]) -> Consensus:
    if found.value is None:
        return found
    newest = latest_answers(given.answers, lambda vote: (vote.label, vote.comment or ""))
    written = [answer.value.comment for answer in newest if answer.value.comment and answer.value.comment.strip()]
    return replace(found, value={**found.value, "comments": written})


class _OverPicture(Verification):
    """What is looked at lies over the picture, in the element's `overlay`."""

    kind: ClassVar[str]
    """The member of the overlay that holds it."""

    def overlay(self, earlier: Any) -> dict[str, Any]:
        """What the member holds; empty where there is nothing that could be shown."""
        raise NotImplementedError(f"{self.name} shows no overlay")

    def shown(self, earlier: Any, *, size: Size) -> Shown:
        """The label as it is."""
        found = self.overlay(earlier)
        return Shown(attributes={"overlay": json.dumps({self.kind: found})}) if found else Shown()


class VerificationBoundingBox(_OverPicture):
    """People see the boxes over the picture."""

    name = "VerificationBoundingBox"
    title = "Verify bounding boxes"
    audited = BoundingBox()
    kind = "boundingBox"

    def overlay(self, earlier: list[Box]) -> dict[str, Any]:
        """The boxes, and their classes."""
        boxes = [
            {"label": box.label, "left": box.left, "top": box.top, "width": box.width, "height": box.height}
            for box in earlier
        ]
        return {"labels": sorted({box.label for box in earlier}), "value": boxes}


class VerificationSemanticSegmentation(_OverPicture):
    """People see the masks over the picture; none where nothing was painted."""

    name = "VerificationSemanticSegmentation"
    title = "Verify a semantic segmentation"
    audited = SemanticSegmentation()
    kind = "semanticSegmentation"

    def overlay(self, earlier: Segmentation) -> dict[str, Any]:
        """The masks as a picture, and which colour in it is which class."""
        found = self.audited.initial_value(self.audited.value(earlier))
        return {"labels": list(found["labelMappings"]), **found} if found else {}


class VerificationInstanceSegmentation(_OverPicture):
    """People see the masks of all objects; none where nothing was painted."""

    name = "VerificationInstanceSegmentation"
    title = "Verify an instance segmentation"
    audited = InstanceSegmentation()
    kind = "instanceSegmentation"

    def overlay(self, earlier: Segmentation) -> dict[str, Any]:
        """The masks as a picture, and which colour in it is which object."""
        found = self.audited.initial_value(self.audited.value(earlier))
        return {"labels": sorted(self.audited.classes(earlier)), **found} if found else {}


class _ShapeVerification(_OverPicture):
    """People see the shapes. Ground Truth's element has no such overlay: ours shows it."""

    def overlay(self, earlier: Drawing[Any]) -> dict[str, Any]:
        """The shapes, and their classes."""
        shapes = [shape_labels.place(shape) for shape in earlier.shapes]
        return {"labels": sorted({shape.label for shape in earlier.shapes}), "value": shapes}


class VerificationPolygon(_ShapeVerification):
    """Polygons over the picture."""

    name = "VerificationPolygon"
    title = "Verify polygons"
    audited = Polygon()
    kind = "polygon"


class VerificationPolyline(_ShapeVerification):
    """Lines over the picture."""

    name = "VerificationPolyline"
    title = "Verify polylines"
    audited = Polyline()
    kind = "polyline"


class VerificationKeypoint(_ShapeVerification):
    """Points over the picture."""

    name = "VerificationKeypoint"
    title = "Verify key points"
    audited = Keypoint()
    kind = "keypoint"
