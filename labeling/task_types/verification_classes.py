"""Verification of classes and of marks in a text: what is looked at stands beside the picture, or in the text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from labeling.formats.shapes import Span, Vote
from labeling.task_types.base import TEXT, Element, Shown, Size
from labeling.task_types.image_classification import ImageClassification, ImageClassificationMultiLabel
from labeling.task_types.multiple_choice import NONE
from labeling.task_types.named_entities import NamedEntityRecognition
from labeling.task_types.text_classification import TextClassification, TextClassificationMultiLabel
from labeling.task_types.verification import COMMENT, Verification


class _OfClasses(Verification):
    """People see the classes, and that none was said to fit where that is the label."""

    def shown(self, earlier: Vote, *, size: Size) -> Shown:
        """The classes that the label says."""
        said = list(self.audited.certain(earlier).labels) or [NONE]
        return _overlay("classification", {"labels": said})


class _OfText(Verification):
    medium = TEXT
    element = Element(
        "crowd-classifier", "crowd-classifier", "categories", {"question": "How good is the label?"}, comment=COMMENT
    )


class VerificationImageClassification(_OfClasses):
    """Of the one class of a picture."""

    name = "VerificationImageMultiClass"
    title = "Verify the class of images"
    audited = ImageClassification()


class VerificationImageClassificationMultiLabel(_OfClasses):
    """Of all classes of a picture."""

    name = "VerificationImageMultiClassMultiLabel"
    title = "Verify the classes of images"
    audited = ImageClassificationMultiLabel()


class VerificationTextClassification(_OfText, _OfClasses):
    """Of the one class of a text."""

    name = "VerificationTextMultiClass"
    title = "Verify the class of texts"
    audited = TextClassification()


class VerificationTextClassificationMultiLabel(_OfText, _OfClasses):
    """Of all classes of a text."""

    name = "VerificationTextMultiClassMultiLabel"
    title = "Verify the classes of texts"
    audited = TextClassificationMultiLabel()


class VerificationNamedEntityRecognition(_OfText):
    """People see the entities marked in the text."""

    name = "VerificationNamedEntityRecognition"
    title = "Verify named entities"
    audited = NamedEntityRecognition()

    def shown(self, earlier: Sequence[Span], *, size: Size) -> Shown:
        """The entities, and their classes."""
        spans = [{"label": one.label, "startOffset": one.start, "endOffset": one.end} for one in earlier]
        return _overlay("namedEntity", {"labels": sorted({one.label for one in earlier}), "value": spans})


def _overlay(kind: str, found: dict[str, Any]) -> Shown:
    return Shown(attributes={"overlay": json.dumps({kind: found})})
