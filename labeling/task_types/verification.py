"""Verification: people look at an earlier label and choose the one word that says how good it is. An answer is a Vote.

The earlier label stays as it is. What workers wrote is kept beside the verdict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from labeling.consolidation.answers import latest_answers
from labeling.consolidation.workers.votes import VoteWorkers
from labeling.formats import augmented, augmented_reading
from labeling.formats.shapes import Box, ImageSize, Segmentation, Vote
from labeling.task_types.base import AnswersToImage, Consensus, Element, ImportedLabel, Shown, Size, Story, TaskType
from labeling.task_types.bounding_box import BoundingBox
from labeling.task_types.semantic_segmentation import SemanticSegmentation
from labeling.task_types.single_choice import SingleChoice


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
        comment="Say why (you need not)",
    )
    audited: ClassVar[TaskType[Any, Any] | None]
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

    def manifest_label(
        self,
        answer: Vote,
        *,
        labels: Sequence[str],
        image_size: ImageSize,
        human_annotated: bool,
        job_name: str,
        created: datetime | None,
        model_name: str | None,
    ) -> tuple[Any, dict[str, Any]]:
        """See augmented.verification_label."""
        return augmented.verification_label(
            answer, labels=labels, job_name=job_name, created=created, comments=answer.comments
        )

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Vote]:
        """See augmented_reading.read_verification; such a label does not say how large the image is."""
        found = augmented_reading.read_verification(attributes, attr)
        return ImportedLabel(found.vote, None, found.origin)

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """As of a choice, with what the workers wrote."""
        told = super().story(value, explanation)
        written = " ".join(f"\u201c{comment}\u201d" for comment in value.get("comments", ()))
        return replace(told, lead=f"{told.lead} They wrote: {written}") if written else told

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


class VerificationBoundingBox(Verification):
    """People see the boxes over the picture."""

    name = "VerificationBoundingBox"
    title = "Verify bounding boxes"
    audited = BoundingBox()

    def shown(self, earlier: list[Box], *, size: Size) -> Shown:
        """The boxes as they are, in the element's `overlay`."""
        boxes = [
            {"label": box.label, "left": box.left, "top": box.top, "width": box.width, "height": box.height}
            for box in earlier
        ]
        labels = sorted({box.label for box in earlier})
        return Shown(attributes={"overlay": json.dumps({"boundingBox": {"labels": labels, "value": boxes}})})


class VerificationSemanticSegmentation(Verification):
    """People see the masks over the picture."""

    name = "VerificationSemanticSegmentation"
    title = "Verify a semantic segmentation"
    audited = SemanticSegmentation()

    def shown(self, earlier: Segmentation, *, size: Size) -> Shown:
        """The masks as a picture, in the element's `overlay`; none for a picture in which nothing was painted."""
        found = self.audited.initial_value(self.audited.value(earlier))
        if found is None:
            return Shown()
        overlay = {"semanticSegmentation": {"labels": list(found["labelMappings"]), **found}}
        return Shown(attributes={"overlay": json.dumps(overlay)})
