"""Text classification: people choose the one class, or all the classes, that a text belongs to."""

from __future__ import annotations

from labeling.formats import augmented
from labeling.task_types.base import TEXT, Element
from labeling.task_types.multiple_choice import NONE_ATTRIBUTE, MultipleChoice
from labeling.task_types.proposed_classes import CountedClasses
from labeling.task_types.single_choice import SingleChoice


class TextClassification(SingleChoice):
    """Ground Truth's single-label text classification."""

    name = "TextMultiClass"
    title = "Text classification (one class)"
    element = Element("crowd-classifier", "crowd-classifier", "categories")
    medium = TEXT
    manifest_type = augmented.TYPE_TEXT_CLASS
    learner = "text-classifier"
    proposing = CountedClasses(several=False)
    exports = ("csv", "jsonl", "huggingface")
    imports = ("csv", "jsonl", "labelstudio", "manifest")


class TextClassificationMultiLabel(MultipleChoice):
    """Ground Truth's multi-label text classification."""

    name = "TextMultiClassMultiLabel"
    title = "Text classification (several classes)"
    element = Element("crowd-classifier-multi-select", "crowd-classifier-multi-select", "categories", NONE_ATTRIBUTE)
    medium = TEXT
    manifest_type = augmented.TYPE_TEXT_CLASSES
    learner = "text-classifier"
    proposing = CountedClasses(several=True)
    exports = ("csv", "jsonl", "huggingface")
    imports = ("csv", "jsonl", "labelstudio", "manifest")
