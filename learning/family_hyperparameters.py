"""The hyperparameters of the programs that learn classes and masks, and the choice of those that a training means.

Detectors have theirs in hyperparameters.py, whose reading of values is used here too. Must not know torch, scikit-learn
or Django.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from learning import families
from learning.contract import EVERY_ARCHITECTURE, IMAGE_CLASSIFIERS, SEGMENTERS, TEXT_CLASSIFIERS, BadInput
from learning.hyperparameters import ALIASES, IMAGE_LIMITS, TrainHyperparameters, choice, number, parse, parse_train


@dataclass(frozen=True)
class ImageHyperparameters:
    """What `learning.vision.train_images` understands; 0 means "as the recipe says" where it makes no sense."""

    label_attribute_name: str = ""
    architecture: str = choice(IMAGE_CLASSIFIERS[0], *IMAGE_CLASSIFIERS, *SEGMENTERS)
    class_map: dict[str, str] = field(default_factory=dict)  # {"0": "dog"}; empty: what the manifests say
    num_classes: int = number(0, 0)  # checked against the class map
    multi_label: bool = False  # whether an image may have several classes; not for masks
    image_size: int = number(0, 0, 1024)
    epochs: int = number(0, 0, 100_000)
    max_seconds: float = number(0.0, 0)  # 0: no limit; the schedule ends inside it
    batch_size: int = number(0, 0, 4096)
    learning_rate: float = number(0.0, 0, 1)
    weight_decay: float = number(0.05, 0, 1)
    label_smoothing: float = number(0.0, 0, 0.5)
    augmentation: str = choice("auto", "auto", "none", "light", "standard", "strong", "any_way_up")
    weights: str = "auto"  # auto | none
    weights_dir: str = ""  # a folder with torchvision's own .pth files, from the operator's settings alone
    precision: str = choice("auto", "auto", "float32", "bfloat16")
    checkpoint_seconds: float = number(20.0, 0)
    num_threads: int = number(0, 0, 1024)
    device: str = choice("auto", "auto", "cpu", "cuda")
    image_max_bytes: int = number(IMAGE_LIMITS.max_bytes, 1)
    image_max_pixels: int = number(IMAGE_LIMITS.max_pixels, 1)
    seed: int = number(0, 0, 2**31)


@dataclass(frozen=True)
class TextHyperparameters:
    """What `learning.texts.train` understands."""

    label_attribute_name: str = ""
    architecture: str = choice(TEXT_CLASSIFIERS[0], *TEXT_CLASSIFIERS)
    class_map: dict[str, str] = field(default_factory=dict)
    num_classes: int = number(0, 0)
    multi_label: bool = False
    analyzer: str = choice("auto", "auto", "words", "characters")  # auto: characters where nothing parts words
    ngrams: int = number(2, 1, 5)  # of words: up to so many in a row are a term
    min_texts: int = number(1, 1, 1000)  # a term has to be in so many texts
    max_terms: int = number(100_000, 1, 2_000_000)
    regularization: float = number(0.0, 0, 1e6)  # C of logistic regression; 0: found by cross-validation
    max_iterations: int = number(1000, 1, 100_000)
    num_threads: int = number(0, 0, 1024)
    image_max_bytes: int = number(IMAGE_LIMITS.max_bytes, 1)  # comes with every run; texts have no use for it
    image_max_pixels: int = number(IMAGE_LIMITS.max_pixels, 1)
    seed: int = number(0, 0, 2**31)


_KINDS: dict[str, type[Any]] = {
    families.IMAGE_CLASSIFIER.name: ImageHyperparameters,
    families.SEGMENTER.name: ImageHyperparameters,
    families.TEXT_CLASSIFIER.name: TextHyperparameters,
}


def parse_images(raw: Mapping[str, str]) -> ImageHyperparameters:
    """Hyperparameters from their wire form; raises BadInput naming the wrong one and what is allowed."""
    found: ImageHyperparameters = _parsed(ImageHyperparameters, raw)
    if found.multi_label and found.architecture in SEGMENTERS:
        raise BadInput(f"hyperparameter 'multi_label' is not for masks, which {found.architecture!r} learns")
    return found


def parse_texts(raw: Mapping[str, str]) -> TextHyperparameters:
    """As `parse_images`, for texts."""
    found: TextHyperparameters = _parsed(TextHyperparameters, raw)
    return found


def parse_training(raw: Mapping[str, str]) -> TrainHyperparameters | ImageHyperparameters | TextHyperparameters:
    """The hyperparameters of a training of any family, which its architecture decides. Raises BadInput."""
    architecture = raw.get("architecture", EVERY_ARCHITECTURE[0])
    if architecture not in EVERY_ARCHITECTURE:
        raise BadInput(f"hyperparameter 'architecture' is {architecture!r}; allowed: {', '.join(EVERY_ARCHITECTURE)}")
    family = families.of_training(raw)
    if family is families.DETECTOR:
        return parse_train(raw)
    return parse_texts(raw) if family is families.TEXT_CLASSIFIER else parse_images(raw)


def known(family: families.Family, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that a training of this family understands."""
    names = {spec.name for spec in dataclasses.fields(_KINDS.get(family.name, TrainHyperparameters))}
    return {name: value for name, value in values.items() if name in names}


def _parsed(kind: type[Any], raw: Mapping[str, str]) -> Any:
    names = {ALIASES.get(name, name): name for name in raw}
    found = parse(kind, {name: raw[given] for name, given in names.items()}, names)
    if not found.label_attribute_name:
        raise BadInput("hyperparameter 'label_attribute_name' (the manifest key of the labels) is missing")
    return found
