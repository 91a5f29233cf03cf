"""The families of learners: which programs train and predict with an architecture, and how their labels are judged.

A task type names its family (`TaskType.learner`). Adding a family is adding it here, its hyperparameters to
family_hyperparameters.py and what the learning loop asks of it to services/active/learners. Knows no Django and no
program's inside.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from learning.contract import ARCHITECTURES, IMAGE_CLASSIFIERS, SEGMENTERS, TEXT_CLASSIFIERS


@dataclass(frozen=True)
class Measure:
    """How the quality of labels is measured, from 0 to 1.

    `name` is the measure in words, `target` what a job promises unless it says otherwise. `metric` is the figure of
    the model that learning curves show, and `metric_title` its name there.
    """

    name: str
    target: float
    metric: str
    metric_title: str


@dataclass(frozen=True)
class Family:
    """Learners that learn the same kind of label. The first of `architectures` is the one to take by default.

    `word` names such a model, `train` and `predict` are the modules of its programs. `several` measures labels that may
    name several classes, where these are measured in another way. `figures`: how the names of those metrics begin that
    a round of a loop keeps.
    """

    name: str
    word: str
    architectures: tuple[str, ...]
    train: str
    predict: str
    measure: Measure
    figures: tuple[str, ...]
    several: Measure | None = None

    def measured(self, *, several: bool) -> Measure:
        """The measure of labels with one class, or with several."""
        return self.several if several and self.several else self.measure


_ACCURACY = Measure("accuracy", 0.9, "accuracy", "Accuracy")
_JACCARD = Measure("mean Jaccard index", 0.8, "jaccard", "Mean Jaccard index")
_CLASS_FIGURES = ("accuracy", "jaccard", "F1")

DETECTOR = Family(
    "detector",
    "detector",
    ARCHITECTURES,
    train="learning.vision.train",
    predict="learning.serving.predict",
    measure=Measure("mean IoU", 0.6, "mAP_50", "mAP@0.5"),
    figures=("mAP", "AP_"),
)
IMAGE_CLASSIFIER = Family(
    "image-classifier",
    "classifier",
    IMAGE_CLASSIFIERS,
    train="learning.vision.train_images",
    predict="learning.serving.predict_images",
    measure=_ACCURACY,
    several=_JACCARD,
    figures=_CLASS_FIGURES,
)
SEGMENTER = Family(
    "segmenter",
    "segmenter",
    SEGMENTERS,
    train="learning.vision.train_images",
    predict="learning.serving.predict_images",
    measure=Measure("mean IoU", 0.7, "mIoU", "Mean IoU"),
    figures=("mIoU", "IoU"),
)
TEXT_CLASSIFIER = Family(
    "text-classifier",
    "classifier",
    TEXT_CLASSIFIERS,
    train="learning.texts.train",
    predict="learning.texts.predict",
    measure=_ACCURACY,
    several=_JACCARD,
    figures=_CLASS_FIGURES,
)
FAMILIES = (DETECTOR, IMAGE_CLASSIFIER, SEGMENTER, TEXT_CLASSIFIER)
_BY_ARCHITECTURE = {architecture: family for family in FAMILIES for architecture in family.architectures}


def get(name: str) -> Family:
    """The family of this name. Raises LookupError listing the names there are."""
    for family in FAMILIES:
        if family.name == name:
            return family
    raise LookupError(f"there is no family of learners {name!r}; there are {', '.join(one.name for one in FAMILIES)}")


def of_architecture(architecture: str) -> Family:
    """The family of an architecture; detectors for one that is not known, whose hyperparameters then say so."""
    return _BY_ARCHITECTURE.get(architecture, DETECTOR)


def of_training(hyperparameters: Mapping[str, str]) -> Family:
    """The family that a training's hyperparameters, in their wire form, ask for; detectors where they do not say."""
    return of_architecture(hyperparameters.get("architecture", ""))
