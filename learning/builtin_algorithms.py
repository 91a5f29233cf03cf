"""SageMaker's built-in algorithms that learners here stand for: their images, and their hyperparameters in our words.

Source of names, ranges and defaults: the Amazon SageMaker Developer Guide. Pure: knows no Django and no program.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from learning import families
from learning.contract import BadInput
from learning.families import Family
from learning.hyperparameters import BASE_NETWORK, BUILTIN

_IMAGE = re.compile(r"([0-9]{12})\.dkr\.ecr\.[a-z0-9-]+\.[a-z0-9.-]+/([a-z0-9-]+)(?:[:@].+)?")
_MULTI = {"0": "false", "1": "true"}
# From few changes to many, as here.
_AUGMENTATIONS = {"crop": "light", "crop_color": "standard", "crop_color_transform": "strong"}
_OWN_NETWORKS = ("architecture", BASE_NETWORK, "preset")


@dataclass(frozen=True)
class Algorithm:
    """A built-in algorithm. `translated`: name of a hyperparameter -> our name and the change of its value; those in
    `without_effect` belong to a network or a library that is not used here. `metrics`: name of a metric -> ours, where
    they differ. `registry_account`: of an address that is made for it.
    """

    name: str
    family: Family
    registry_account: str
    translated: Mapping[str, tuple[str, Callable[[str], str]]] = field(default_factory=dict)
    without_effect: frozenset[str] = frozenset()
    metrics: Mapping[str, str] = field(default_factory=dict)

    def image(self, region: str) -> str:
        """An address of its image."""
        return f"{self.registry_account}.dkr.ecr.{region}.amazonaws.com/{self.name}:1"

    def hyperparameters(self, given: Mapping[str, str]) -> dict[str, str]:
        """The hyperparameters of a training here. Raises BadInput for a value that cannot be one."""
        found: dict[str, str] = {}
        for name, value in given.items():
            if name in self.without_effect:
                continue
            ours, change = self.translated.get(name, (name, str))
            try:
                text = change(value)
            except (KeyError, ValueError):
                raise BadInput(f"hyperparameter {name!r} is {value!r}, which {self.name} does not take") from None
            if found.setdefault(ours, text) != text:
                raise BadInput(f"hyperparameters say {found[ours]!r} and {text!r} of {ours!r}: give only one")
        if self.family is families.DETECTOR:
            # Without a network named, what is not given is as in the built-in algorithm.
            return found if any(name in found for name in _OWN_NETWORKS) else found | {"preset": BUILTIN}
        return {"architecture": self.family.architectures[0]} | found


def _side(shape: str) -> str:
    """The size of an image of the shape "3,224,224", or of the side "224"."""
    return str(max(int(part) for part in shape.split(",")))


def _weights(pretrained: str) -> str:
    return {"0": "none", "1": "auto"}[pretrained]


_OPTIMIZATION = {
    "num_training_samples", "optimizer", "momentum", "lr_scheduler", "lr_scheduler_factor", "lr_scheduler_step",
    "early_stopping", "early_stopping_min_epochs", "early_stopping_patience", "early_stopping_tolerance", "kv_store",
    "gamma1", "gamma2",
}  # fmt: skip
OBJECT_DETECTION = Algorithm("object-detection", families.DETECTOR, "811284229777")
IMAGE_CLASSIFICATION = Algorithm(
    "image-classification",
    families.IMAGE_CLASSIFIER,
    "811284229777",
    translated={
        "image_shape": ("image_size", _side),
        "multi_label": ("multi_label", lambda value: _MULTI.get(value, value)),
        "use_pretrained_model": ("weights", _weights),
        "augmentation_type": ("augmentation", lambda value: _AUGMENTATIONS[value]),
    },
    without_effect=frozenset(
        _OPTIMIZATION
        | {"num_layers", "resize", "top_k", "checkpoint_frequency", "precision_dtype", "use_weighted_loss"}
        | {"beta_1", "beta_2", "eps", "gamma"}
    ),
)
SEMANTIC_SEGMENTATION = Algorithm(
    "semantic-segmentation",
    families.SEGMENTER,
    "811284229777",
    metrics={"validation:mIOU": "validation:mIoU"},
    translated={
        "crop_size": ("image_size", _side),
        "use_pretrained_model": ("weights", lambda value: _weights({"True": "1", "False": "0"}.get(value, value))),
    },
    without_effect=frozenset(
        _OPTIMIZATION
        | {"backbone", "algorithm", "base_size", "validation_mini_batch_size", "syncbn", "num_gpus_per_host"}
    ),
)
ALGORITHMS = (OBJECT_DETECTION, IMAGE_CLASSIFICATION, SEMANTIC_SEGMENTATION)
_BY_NAME = {one.name: one for one in ALGORITHMS}


def of_image(uri: str) -> Algorithm:
    """The algorithm of an image's address, of any region, registry and version.

    Raises BadInput for an image that is none of theirs: foreign programs are not run.
    """
    found = _IMAGE.fullmatch(uri)
    if found is None or found[2] not in _BY_NAME:
        named = ", ".join(_BY_NAME)
        raise BadInput(
            f"{uri!r} is not the image of a built-in algorithm that is served here ({named}), such as "
            f"{OBJECT_DETECTION.image('us-east-1')}"
        )
    return _BY_NAME[found[2]]


def of_family(family: Family) -> Algorithm | None:
    """The algorithm that learns what a family of learners does; None where there is none, as for texts."""
    return next((one for one in ALGORITHMS if one.family is family), None)
