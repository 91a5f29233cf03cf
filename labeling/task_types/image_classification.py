"""Image classification: people choose the one class, or all the classes, that a picture belongs to."""

from __future__ import annotations

from labeling.formats import augmented
from labeling.task_types.base import Element
from labeling.task_types.multiple_choice import NONE_ATTRIBUTE, MultipleChoice
from labeling.task_types.proposed_classes import CountedClasses
from labeling.task_types.single_choice import SingleChoice


class ImageClassification(SingleChoice):
    """Ground Truth's single-label image classification."""

    name = "ImageMultiClass"
    title = "Image classification (one class)"
    element = Element("crowd-image-classifier", "crowd-image-classifier", "categories")
    manifest_type = augmented.TYPE_IMAGE_CLASS
    learner = "image-classifier"
    proposing = CountedClasses(several=False)


class ImageClassificationMultiLabel(MultipleChoice):
    """Ground Truth's multi-label image classification."""

    name = "ImageMultiClassMultiLabel"
    title = "Image classification (several classes)"
    element = Element(
        "crowd-image-classifier-multi-select", "crowd-image-classifier-multi-select", "categories", NONE_ATTRIBUTE
    )
    manifest_type = augmented.TYPE_IMAGE_CLASSES
    learner = "image-classifier"
    proposing = CountedClasses(several=True)
